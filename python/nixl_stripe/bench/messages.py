# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The messages between two hosts' `bench`, each with its schema."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from nixl_stripe.bench.work import BenchJob, BenchReport, Work
from nixl_stripe.lab.job import MEMORIES, Nixl
from nixl_stripe.lab.remote import bounds
from nixl_stripe.lab.remote.settings import checked_environment, checked_params
from nixl_stripe.untrusted import RefusedError, schema
from nixl_stripe.untrusted.of_class import record_of

Message = dict[str, Any]

#: Characters of an error that are sent.
ERROR_LIMIT = 16_384
_KIND = schema.text(16)
_PARAMS = schema.mapping(schema.text(1100), 64)
_WORK = record_of(
    Work,
    name=schema.text(128, r"[A-Za-z0-9_ .,:+()=\-]+", "letters, digits and _ .,:+()=-"),
    sizes=schema.sequence(schema.whole(1, 1 << 44), 65_536),
    warmup=schema.whole(0, 10_000),
    repeats=schema.whole(1, 10_000),
    burst=schema.whole(1, 100_000),
    portion=schema.whole(0, 1 << 44),
    drain=schema.whole(0, 1 << 44),
)
_JOB = schema.record(
    {
        "works": schema.sequence(_WORK, 256),
        "memory": schema.choice(*MEMORIES),
        "params": _PARAMS,
        "rivals": schema.sequence(_PARAMS, 64),
        "corrupt": schema.flag,
        "limit_s": schema.number(0.001, 3600),
    }
)
_REPORT = record_of(
    BenchReport,
    role=schema.choice("target"),
    error=schema.maybe(schema.lines(ERROR_LIMIT)),
)
#: What the listening side may be told, and the connecting one.
TO_LISTENER: Mapping[str, schema.Schema] = {
    "hello": schema.record({"kind": _KIND, "verb": schema.choice("bench")}),
    "run": schema.record(
        {"kind": _KIND, "job": _JOB, "environment": lambda value, _: checked_environment(value)}
    ),
    "bye": schema.record({"kind": _KIND}),
}
TO_CONNECTOR: Mapping[str, schema.Schema] = {
    "hello": schema.record({"kind": _KIND}),
    "ready": schema.record({"kind": _KIND}),
    "report": schema.record({"kind": _KIND, "report": _REPORT}),
}


def asked(job: BenchJob) -> Message:
    """Return what the listening side needs to know of its job; RefusedError for other engines."""
    if job.engine != "nixl":
        raise RefusedError(f"engine={job.engine}: accepted between hosts is nixl")
    return {
        "works": [dataclasses.asdict(work) for work in job.works],
        "memory": job.memory,
        "params": dict(job.params),
        "rivals": [dict(each) for each in job.rivals],
        "corrupt": job.corrupt,
        "limit_s": job.limit_s,
    }


def own_job(wish: Message, max_bytes: int) -> BenchJob:
    """Return the job that the listening side makes of a wish; RefusedError for what is none."""
    try:
        job = BenchJob(
            role="target",
            works=tuple(Work(**{**w, "sizes": tuple(w["sizes"])}) for w in wish["works"]),
            memory=wish["memory"],
            nixl=Nixl(),
            params=checked_params(wish["params"]),
            rivals=tuple(checked_params(each) for each in wish["rivals"]),
            corrupt=wish["corrupt"],
            limit_s=wish["limit_s"],
        )
    except ValueError as error:
        raise RefusedError(str(error)) from None
    held = sum(sum(work.sizes) for work in job.works)
    moved = sum(
        w.payload_bytes * (w.warmup + w.repeats * w.burst) + w.drain * (w.warmup + w.repeats)
        for w in job.works
    )
    bounds.check_amount(held, moved, max_bytes, job.rivals or (job.params,))
    return job


def told(report: BenchReport) -> Message:
    """Return a report for the other side."""
    error = report.error and report.error[-ERROR_LIMIT:]
    return dataclasses.asdict(dataclasses.replace(report, error=error))
