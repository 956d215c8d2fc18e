# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The messages between two hosts' `verify`, each with its schema.

What the listening side is asked for holds only what a peer may choose: the rest of its job is its
own.
"""

from __future__ import annotations

import dataclasses
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nixl_stripe.lab.job import ALL_NICS, MEMORIES, OPS, Job, Nixl
from nixl_stripe.lab.outcome import SideError, SideReport
from nixl_stripe.lab.remote import bounds
from nixl_stripe.lab.remote.settings import checked_environment, checked_params
from nixl_stripe.planning.plan_schema import PLAN
from nixl_stripe.untrusted import RefusedError, schema
from nixl_stripe.untrusted.of_class import fields_of, record_of
from nixl_stripe.verify.result import Figures, OpResult

Message = dict[str, Any]

#: Characters of a worker's log and of an error that are sent: the end of it.
LOG_LIMIT, ERROR_LIMIT = 65_536, 16_384
_KIND = schema.text(16)
_WHO = {"kind": _KIND, "host": schema.text(253), "boot": schema.text(64)}
_BUFFERS, _REPEATS, _LIMIT_S = 65_536, 1000, 3600

_JOB = schema.record(
    {
        "op": schema.choice(*OPS),
        "sizes": schema.sequence(schema.whole(1, 1 << 44), _BUFFERS),
        "memory": schema.choice(*MEMORIES),
        "repeats": schema.whole(1, _REPEATS),
        "backend_params": schema.mapping(schema.text(1100), 64),
        "limit_s": schema.number(0.001, _LIMIT_S),
    }
)
#: Of each NIC its source, and why it has none: that names every source that was looked for.
_SOURCES = schema.mapping(schema.mapping(schema.text(1024), 8), 256)
_UNCOUNTED = schema.mapping(schema.text(4096), 256)
_SIDE = record_of(
    SideReport,
    sources=_SOURCES,
    uncounted=_UNCOUNTED,
    side=schema.choice("initiator", "target"),
    plan=schema.maybe(PLAN),
    error=schema.maybe(
        record_of(SideError, text=schema.lines(ERROR_LIMIT), traceback=schema.lines(ERROR_LIMIT))
    ),
    exit_status=schema.maybe(schema.whole(-64, 255)),
    log=schema.lines(LOG_LIMIT),
)
_FIGURES = fields_of(
    Figures, error=schema.lines(ERROR_LIMIT), source=_SOURCES, uncounted=_UNCOUNTED
)
_STOCK = schema.record({"planned": schema.sequence(schema.text(), 256), **_FIGURES})
_RESULT = {
    name: each for name, each in fields_of(OpResult).items() if name not in ("figures", "stock")
} | {
    **_FIGURES,
    "ok": schema.flag,
    "why": schema.lines(ERROR_LIMIT),
    "ucx_settings": schema.mapping(schema.text(4096), 64),
    "stock": schema.maybe(_STOCK),
}
_REPORT = schema.record(
    {
        "ok": schema.flag,
        "where": schema.text(1024),
        "results": schema.sequence(schema.record(_RESULT), 8),
        "notes": schema.sequence(schema.text(4096), 64),
    }
)

_SIDE_REPORT = schema.record({"kind": _KIND, "report": _SIDE})
#: What the listening side may be told, and the connecting one.
TO_LISTENER: Mapping[str, schema.Schema] = {
    "hello": schema.record({**_WHO, "verb": schema.choice("verify")}),
    "case": schema.record(
        {
            "kind": _KIND,
            "job": _JOB,
            "environment": lambda value, _: checked_environment(value),
        }
    ),
    "report": _SIDE_REPORT,
    "bye": schema.record({"kind": _KIND, "report": _REPORT, "text": schema.lines(1 << 18)}),
}
TO_CONNECTOR: Mapping[str, schema.Schema] = {
    "hello": schema.record(_WHO),
    "ready": schema.record({"kind": _KIND}),
    "report": _SIDE_REPORT,
}


def hello() -> Message:
    """Return who this is; the boot tells whether both ends are one host."""
    boot = Path("/proc/sys/kernel/random/boot_id")
    return {
        "kind": "hello",
        "host": socket.gethostname(),
        "boot": boot.read_text().strip() if boot.exists() else "",
    }


def is_one_host(theirs: Message) -> bool:
    """Return whether the other side runs on this host."""
    ours = hello()["boot"]
    return bool(ours) and ours == theirs["boot"]


def asked(job: Job) -> Message:
    """Return what the listening side needs to know of its job."""
    return {
        "op": job.op,
        "sizes": list(job.sizes),
        "memory": job.memory,
        "repeats": job.repeats,
        "backend_params": dict(job.backend_params),
        "limit_s": job.limit_s,
    }


def own_job(wish: Message, nixl: Nixl, params: Mapping[str, str] | None, max_bytes: int) -> Job:
    """Return the job that the listening side makes of a wish; RefusedError for too much."""
    given = checked_params(wish["backend_params"])
    try:
        job = Job(
            role="target",
            op=wish["op"],
            sizes=tuple(wish["sizes"]),
            memory=wish["memory"],
            repeats=wish["repeats"],
            nixl=nixl,
            backend_params=given if params is None or not given else dict(params),
            counters=ALL_NICS,
            account=True,
            limit_s=wish["limit_s"],
        )
    except ValueError as error:
        raise RefusedError(str(error)) from None
    held = sum(job.sizes)
    bounds.check_amount(held, held * job.repeats, max_bytes, (given,))
    return job


def told(report: SideReport) -> Message:
    """Return a side's report for the other side: the end of its log, and of its error."""
    error = report.error
    if error is not None:
        error = dataclasses.replace(
            error, text=error.text[-ERROR_LIMIT:], traceback=error.traceback[-ERROR_LIMIT:]
        )
    return dataclasses.asdict(dataclasses.replace(report, log=report.log[-LOG_LIMIT:], error=error))
