# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""One side of a benchmark as a program; the lab's worker with timed allocation and many works.

python -m nixl_stripe.bench.worker --job JOB.json --channel fd:3|dir:FOLDER --result RESULT.json
"""

from __future__ import annotations

import contextlib
import dataclasses
import time
import traceback
from typing import Any

from nixl_stripe.bench.engine import Engine, NixlEngine, open_engine
from nixl_stripe.bench.memory import Portions, allocate
from nixl_stripe.bench.work import BenchJob, BenchReport, Repetition, Work, WorkReport
from nixl_stripe.lab import side
from nixl_stripe.lab.buffers import Payload, Store
from nixl_stripe.lab.channel import Channel, Message, PeerFailedError, ask
from nixl_stripe.lab.cost import Cpu, CpuMeter
from nixl_stripe.proof.traffic import Counters


class BenchSide:
    """The engine and the channel of one side."""

    def __init__(self, job: BenchJob, channel: Channel) -> None:
        self._job = job
        self._channel = channel
        self.report = BenchReport(job.role)

    def _note(self, **changes: Any) -> None:
        self.report = dataclasses.replace(self.report, **changes)

    def run(self) -> None:
        """Do the whole job; what was reached before an exception is in `report`."""
        if self._job.rivals:
            engines, stores = self._in_turn()
        else:
            engine = open_engine(self._job)
            self._note(version=engine.version, create_s=engine.create_s)
            # Memory stays registered until the end: addresses of one work must not come again in
            # the next, or the peer's view of them would be stale.
            stores = [self._one(engine, work) for work in self._job.works]
            engines = [engine] * len(stores)
        self._channel.send({"kind": "over"})
        self._ask("over")
        pairs = zip(engines, self.report.works, strict=True)
        self._note(works=tuple(self._given_up(engine, work) for engine, work in pairs))
        stores.clear()
        self._channel.send({"kind": "bye"})
        self._ask("bye")

    def _in_turn(self) -> tuple[list[Engine], list[Store]]:
        """Repetition by repetition through all rivals, each time from another one on."""
        engines, exchanges = [], []
        for params, work in zip(self._job.rivals, self._job.works, strict=True):
            engine = open_engine(dataclasses.replace(self._job, params=params))
            self._note(version=engine.version, create_s=engine.create_s)
            engines.append(engine)
            exchanges.append(self._ready(engine, work))
        for number in range(self._job.works[0].warmup + self._job.works[0].repeats):
            first = number % len(exchanges)
            for each in exchanges[first:] + exchanges[:first]:
                each.step(number)
        self._note(works=tuple(each.report() for each in exchanges))
        return engines, [each.store for each in exchanges]

    def _one(self, engine: Engine, work: Work) -> Store:
        exchange = self._ready(engine, work)
        for number in range(work.warmup + work.repeats):
            exchange.step(number)
        self._note(works=(*self.report.works, exchange.report()))
        return exchange.store

    def _ready(self, engine: Engine, work: Work) -> _Exchange:
        """Allocate, register and meet the peer."""
        start = time.perf_counter()
        store = allocate(self._job.memory, work.sizes, work.placement)
        allocated = time.perf_counter()
        spans = list(zip(store.addresses, work.sizes, strict=True))
        later = work.overlap and self._job.role == "initiator"
        regions = 0 if later else engine.register(spans, store.segment, work.coalesce)
        registered = time.perf_counter()
        engine.describe(list(zip(store.addresses, work.moved, strict=True)), store.segment)
        self._channel.send({"kind": "hello", **engine.hello()})
        engine.meet(self._ask("hello"))
        made = WorkReport(work.name, allocated - start, registered - allocated, regions=regions)
        exchange = _Exchange(self._job, work, self._channel, engine, store, made)
        self._note(sources=exchange.sources)
        return exchange

    @staticmethod
    def _given_up(engine: Engine, work: WorkReport) -> WorkReport:
        start = time.perf_counter()
        engine.deregister()
        return dataclasses.replace(work, deregister_s=time.perf_counter() - start)

    def _ask(self, kind: str) -> Message:
        return ask(self._channel, self._job.limit_s, kind)


class _Exchange:
    """The repetitions of one work."""

    def __init__(
        self,
        job: BenchJob,
        work: Work,
        channel: Channel,
        engine: Engine,
        store: Store,
        made: WorkReport,
    ) -> None:
        self._job = job
        self._work = work
        self._channel = channel
        self._engine = engine
        self.store = store
        self._moved = Portions(store, work.moved)
        self._made = made
        self._payload = Payload(work.moved)
        self._counters = Counters(job.counters)
        self._sends = (job.role == "initiator") == (work.op == "WRITE")
        self._rows: list[Repetition] = []
        self._cpu: list[Cpu] = []
        self._verified = 0
        self._regions = made.regions

    @property
    def sources(self) -> dict[str, dict[str, str]]:
        """Which counters its figures are of, by NIC."""
        return self._counters.sources

    def report(self) -> WorkReport:
        """Return what came of it: the measured repetitions, at the initiator."""
        return dataclasses.replace(
            self._made,
            regions=self._regions,
            repetitions=tuple(self._rows[self._work.warmup :]),
            verified=self._verified,
            cpu=tuple(self._cpu[self._work.warmup :]),
        )

    def step(self, number: int) -> None:
        """Do repetition `number`: move the buffers, or fill and check while the peer moves."""
        self._fill(number)
        if self._job.role == "initiator":
            self._ask("ready")
            first = self._work.overlap and number == 0
            meter = CpuMeter()
            self._rows.append(self._first() if first else self._move())
            self._cpu.append(meter.spent(self._work.repetition_bytes))
            self._channel.send({"kind": "done"})
            self._ask("verdict")
            self._check(number)
        else:
            self._channel.send({"kind": "ready"})
            meter = CpuMeter()
            self._ask("done")
            self._cpu.append(meter.spent(self._work.repetition_bytes))
            self._check(number)
            self._channel.send({"kind": "verdict"})

    def _ask(self, kind: str) -> Message:
        return ask(self._channel, self._job.limit_s, kind)

    def _fill(self, number: int) -> None:
        if self._sends:
            self._payload.fill(self._moved, number, self._job.corrupt)
        else:
            self._payload.clear(self._moved)

    def _check(self, number: int) -> None:
        if not self._sends:
            self._payload.check(self._moved, number)
            self._verified += 1

    def _first(self) -> Repetition:
        work, store, engine = self._work, self.store, self._engine
        if not isinstance(engine, NixlEngine):
            raise TypeError(f"engine={self._job.engine}: it cannot register while it moves")
        spans = list(zip(store.addresses, work.sizes, strict=True))
        self._counters.start()
        seconds, self._regions = engine.register_and_move(
            work.op, spans, store.segment, self._job.limit_s
        )
        return Repetition(0.0, (seconds,), self._counted())

    def _move(self) -> Repetition:
        start = time.perf_counter()
        self._engine.prepare(self._work.op)
        prepared = time.perf_counter() - start
        for _ in range(self._work.drains):
            self._engine.transfer(self._job.limit_s)
        self._counters.start()
        took = [self._engine.transfer(self._job.limit_s) for _ in range(self._work.burst)]
        self._engine.release()
        seconds = tuple(each.seconds for each in took)
        posted = tuple(each.post_s for each in took if each.post_s is not None)
        return Repetition(prepared, seconds, self._counted(), posted)

    def _counted(self) -> dict[str, int]:
        return {
            name: row.bytes_out if self._sends else row.bytes_in
            for name, row in self._counters.by_nic().items()
        }


def run(job: BenchJob, channel: Channel) -> BenchReport:
    """Run one side to its end; an exception becomes the report's error and is told to the peer."""
    running = BenchSide(job, channel)
    try:
        running.run()
    except Exception as error:
        traceback.print_exc()
        text = f"{job.role}: {type(error).__name__}: {error}"
        with contextlib.suppress(PeerFailedError, OSError):
            channel.send({"kind": "failed", "text": text})
        return dataclasses.replace(running.report, error=text)
    return running.report


if __name__ == "__main__":
    raise SystemExit(side.main(__doc__ or "", BenchJob.from_json, run))
