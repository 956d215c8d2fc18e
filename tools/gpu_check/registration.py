# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Times register_memory: many regions one by one, in one call, from threads, and as one block.

    python -m gpu_check.registration JOB

JOB is JSON: site, packages, params, memory, total (bytes), counts, rounds, threads. The regions of
a count are neighbours in one allocation, so that "block", which registers the allocation itself,
covers the same bytes.
"""

from __future__ import annotations

import itertools
import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from nixl_stripe.agents.nixl_api import import_api
from nixl_stripe.lab.buffers import open_store

Span = tuple[int, int, int, str]


def spans_of(address: int, total: int, count: int) -> list[Span]:
    """Cut `total` bytes at `address` into `count` neighbours, as NIXL's registration tuples."""
    edges = [total * index // count for index in range(count + 1)]
    return [(address + a, b - a, 0, "") for a, b in itertools.pairwise(edges)]


def ways(
    agent: Any, segment: str, spans: Sequence[Span], block: Span, threads: int
) -> dict[str, Callable[[], list[Any]]]:
    """Return the ways to register `spans`; each returns what must be deregistered."""

    def parts() -> list[Sequence[Span]]:
        return [spans[index::threads] for index in range(threads) if spans[index::threads]]

    def register(some: Sequence[Span]) -> Any:
        return agent.register_memory(list(some), segment)

    def threaded() -> list[Any]:
        with ThreadPoolExecutor(threads) as pool:
            return list(pool.map(register, parts()))

    return {
        "one call": lambda: [register(spans)],
        "call for each": lambda: [register([span]) for span in spans],
        f"{threads} threads": threaded,
        "block": lambda: [register([block])],
    }


def measure(job: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a row for each region count and way: milliseconds, median and extremes."""
    sys.path.insert(0, job["site"])
    api = import_api(job["packages"])
    store = open_store(job["memory"], [job["total"]], job["allocator"])
    # Without a lock of its own an agent breaks when threads share it. NIXL before 1.5 has no such
    # setting, and a listener's port would bring more than the lock.
    can_lock = hasattr(api, "nixl_thread_sync_t")
    lock = {"sync_mode": api.nixl_thread_sync_t.NIXL_THREAD_SYNC_STRICT} if can_lock else {}
    threads = job["threads"] if can_lock else 1
    agent = api.nixl_agent("registration", api.nixl_agent_config(backends=[], **lock))
    agent.create_backend("UCX", job["params"])
    block: Span = (store.addresses[0], job["total"], 0, "")
    rows = []
    for count in job["counts"]:
        spans = spans_of(block[0], job["total"], count)
        times: dict[str, list[float]] = {}
        for _ in range(job["rounds"]):
            for name, register in ways(agent, store.segment, spans, block, threads).items():
                start = time.perf_counter()
                held = register()
                times.setdefault(name, []).append((time.perf_counter() - start) * 1e3)
                for each in held:
                    agent.deregister_memory(each)
        for name, values in times.items():
            middle = statistics.median(values)
            row = {"memory": job["memory"], "total_bytes": job["total"], "regions": count}
            spread = [min(values), max(values)]
            rows.append(
                {**row, "way": name, "ms": middle, "ms_spread": spread, "first_ms": values[0]}
            )
    return rows


if __name__ == "__main__":
    print("ROWS " + json.dumps(measure(json.loads(sys.argv[1]))), flush=True)
