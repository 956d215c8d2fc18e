# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""One side of a transfer as a program: agent, buffers, transfer, verification.

    python -m nixl_stripe.lab.worker --job JOB.json --channel fd:3|dir:FOLDER --result RESULT.json

It runs in a process of its own because UCX reads its environment when it is loaded. Whatever
happens is in the result file (see `side`).
"""

from __future__ import annotations

import contextlib
import ctypes
import dataclasses
import importlib.metadata
import os
import sys
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nixl_stripe.agents.nixl_api import PACKAGES, import_api
from nixl_stripe.lab import side
from nixl_stripe.lab.buffers import Payload, Store, open_store
from nixl_stripe.lab.channel import Channel, Message, PeerFailedError, ask
from nixl_stripe.lab.cost import Cpu, CpuMeter
from nixl_stripe.lab.job import ALL_NICS, Job, Nixl, Op
from nixl_stripe.lab.loaded_ucx import loaded_ucx
from nixl_stripe.lab.outcome import Repetition, SideError, SideReport
from nixl_stripe.lab.remote import token
from nixl_stripe.proof.traffic import Counters

if TYPE_CHECKING:
    from nixl_stripe.planning.stripe_plan import StripePlan

#: Sleep between looks at a transfer, as a fraction of the time it has taken so far: it bounds the
#: error of the measured time while the CPU is left to NIXL's progress threads.
_NAP = 1 / 500

#: Bytes of memory that an agent beside the one that is looked at registers.
_PAGE = 4096


class TransferError(RuntimeError):
    """NIXL ended a transfer in a state other than DONE."""


def import_nixl(nixl: Nixl) -> Any:
    """Import NIXL's API from the folders and package that `nixl` names."""
    sys.path[:0] = nixl.paths
    if nixl.package:
        return import_api([nixl.package])
    here = [n for n in PACKAGES if any((Path(p) / n).is_dir() for p in nixl.paths)]
    return import_api(here or PACKAGES)


class Side:
    """The agent, the buffers and the channel of one side."""

    def __init__(self, job: Job, channel: Channel) -> None:
        self._job = job
        self._channel = channel
        self._payload = Payload(job.sizes)
        self._peer_name = ""
        self._requests: list[tuple[Any, Any]] = []
        self.report = SideReport(job.role)

    def _note(self, **changes: Any) -> None:
        self.report = dataclasses.replace(self.report, **changes)

    def run(self) -> None:
        """Do the whole job; what was reached before an exception is in `report`."""
        self._open()
        if self._job.role == "initiator":
            self._initiate()
        else:
            self._serve()

    def _open(self) -> None:
        job = self._job
        api = import_nixl(job.nixl)
        package = api.__name__.partition(".")[0]
        self._note(nixl_file=api.__file__, nixl_version=_version(package))
        self._store: Store = open_store(job.memory, job.sizes, job.allocator)
        self._make_agent(api)
        self._note(ucx_version=loaded_ucx())
        self._counters = self._count()
        self._note(sources=self._counters.sources, uncounted=self._counters.uncounted)
        spans = list(zip(self._store.addresses, job.sizes, strict=True))
        start = time.perf_counter()
        self._agent.register_memory([(a, n, 0, "") for a, n in spans], self._store.segment)
        self._note(register_seconds=time.perf_counter() - start)
        self._descs = self._agent.get_xfer_descs([(a, n, 0) for a, n in spans], self._store.segment)
        hello: Message = {
            "kind": "hello",
            "metadata": self._agent.get_agent_metadata().hex(),
            "descs": self._agent.get_serialized_descs(self._descs).hex(),
        }
        self._channel.send(hello)
        peer = self._ask("hello")
        name = self._agent.add_remote_agent(bytes.fromhex(peer["metadata"]))
        self._peer_name = name.decode() if isinstance(name, bytes) else name
        self._requests = self._requests_to(
            self._agent.deserialize_descs(bytes.fromhex(peer["descs"]))
        )

    def _requests_to(self, theirs: Any) -> list[tuple[Any, Any]]:
        """Return the descriptors of each request, here and there."""
        if not self._job.apart:
            return [(self._descs, theirs)]
        segment = self._store.segment
        return [
            (
                self._agent.get_xfer_descs([self._descs[i]], segment),
                self._agent.get_xfer_descs([theirs[i]], segment),
            )
            for i in range(len(self._job.sizes))
        ]

    def _make_agent(self, api: Any) -> None:
        job = self._job
        if job.shim:
            start = time.perf_counter()
            self._agent = _agent_of_shim(job)
            self._note(create_seconds=time.perf_counter() - start)
            self._note(plugin_params=dict(self._agent.get_plugin_params(job.backend)))
            return
        config = api.nixl_agent_config(**{"backends": [], **job.agent_config})
        if job.beside is not None:
            self._beside = api.nixl_agent(f"{job.role} beside", config)
            self._beside.create_backend(job.backend, dict(job.beside))
            self._page = ctypes.create_string_buffer(_PAGE)
            page = (ctypes.addressof(self._page), _PAGE, 0, "")
            self._beside.register_memory([page], "DRAM")
        self._agent = api.nixl_agent(job.role, config)
        self._note(plugin_params=dict(self._agent.get_plugin_params(job.backend)))
        start = time.perf_counter()
        self._agent.create_backend(job.backend, dict(job.backend_params))
        self._note(create_seconds=time.perf_counter() - start)

    def _count(self) -> Counters:
        job = self._job
        planned: tuple[str, ...] = ()
        if job.account:
            plan = account(job)
            planned = tuple(device.partition(":")[0] for device in plan.devices)
            own = reported_variables(os.environ)
            self._note(plan=plan.to_dict(), environment=own)
        if job.counters != ALL_NICS:
            return Counters(job.counters)
        return Counters.of_all(planned)

    def _ask(self, kind: str) -> Message:
        return ask(self._channel, self._job.limit_s, kind)

    def _prepare(self, repetition: int, op: Op) -> None:
        if self._job.sends(op):
            self._payload.fill(self._store, repetition, self._job.corrupt)
        else:
            self._payload.clear(self._store)

    def _verify(self, repetition: int, op: Op) -> None:
        if not self._job.sends(op):
            self._payload.check(self._store, repetition)
            if self._job.look_again_s:
                time.sleep(self._job.look_again_s)
                self._payload.check(self._store, repetition)
            self._note(verified=self.report.verified + 1)

    def _initiate(self) -> None:
        for repetition, op in enumerate(self._job.ops):
            self._prepare(repetition, op)
            self._ask("ready")
            meter = CpuMeter()
            row = self._transfer(op)
            self._note(repetitions=(*self.report.repetitions, row), cpu=self._cpu(meter))
            self._channel.send({"kind": "done"})
            self._ask("verdict")
            self._verify(repetition, op)
        self._channel.send({"kind": "bye"})
        self._ask("bye")

    def _serve(self) -> None:
        for repetition, op in enumerate(self._job.ops):
            self._prepare(repetition, op)
            self._channel.send({"kind": "ready"})
            meter = CpuMeter()
            self._ask("done")
            self._note(cpu=self._cpu(meter))
            self._verify(repetition, op)
            self._channel.send({"kind": "verdict"})
        self._ask("bye")
        self._channel.send({"kind": "bye"})

    def _cpu(self, meter: CpuMeter) -> tuple[Cpu, ...]:
        return (*self.report.cpu, meter.spent(sum(self._job.sizes)))

    def _transfer(self, op: Op) -> Repetition:
        job, agent = self._job, self._agent
        self._counters.start()
        start = time.perf_counter()
        handles = [
            agent.initialize_xfer(op, ours, theirs, self._peer_name, b"")
            for ours, theirs in self._requests
        ]
        posted = time.perf_counter()
        states = [agent.transfer(handle) for handle in handles]
        post_seconds = time.perf_counter() - posted
        for i, handle in enumerate(handles):
            while states[i] == "PROC":
                waited = time.perf_counter() - posted
                if waited > job.limit_s:
                    raise TimeoutError(f"the transfer was still going on after {job.limit_s:g} s")
                time.sleep(waited * _NAP)
                states[i] = agent.check_xfer_state(handle)
        done = time.perf_counter()
        if set(states) != {"DONE"}:
            raise TransferError(f"the transfer ended in state {', '.join(sorted(set(states)))}")
        for handle in handles:
            agent.release_xfer_handle(handle)
        counted = {
            name: row.bytes_out if job.direction(op) == "tx" else row.bytes_in
            for name, row in self._counters.by_nic().items()
        }
        return Repetition(posted - start, done - posted, counted, op, post_seconds)


def _agent_of_shim(job: Job) -> Any:
    """Make the agent as a client of nixl_stripe does; NIXL itself is imported already."""
    from nixl_stripe.agents.agent import nixl_agent, nixl_agent_config

    wish = {"backends": [job.backend], "backend_params": {job.backend: dict(job.backend_params)}}
    return nixl_agent(job.role, nixl_agent_config(**{**wish, **job.agent_config}))


def reported_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that count; never the token: reports are shown, and sent in clear."""
    return {
        key: value
        for key, value in environ.items()
        if key.startswith(("UCX_", "NIXL_")) and not key.startswith(token.VARIABLE)
    }


def account(job: Job) -> StripePlan:
    """Return what the patched backend makes of this side's parameters, here and now.

    With GPU memory a CUDA context is current by then, so that its GPU is the plan's.
    """
    from nixl_stripe.planning.planner import plan_for

    return plan_for(job.backend_params)


def _version(package: str) -> str | None:
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        return importlib.metadata.version(package.replace("_", "-"))
    return None


def run(job: Job, channel: Channel) -> SideReport:
    """Run one side to its end; an exception becomes the report's error and is told to the peer."""
    running = Side(job, channel)
    try:
        running.run()
    except Exception as error:
        traceback.print_exc()
        text = str(error)
        problem = SideError(job.role, type(error).__name__, text, traceback.format_exc())
        with contextlib.suppress(PeerFailedError, OSError):
            channel.send({"kind": "failed", "text": f"{problem.type}: {text}"})
        return dataclasses.replace(running.report, error=problem)
    return running.report


if __name__ == "__main__":
    raise SystemExit(side.main(__doc__ or "", Job.from_json, run))
