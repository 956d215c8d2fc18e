# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The transfers: GPU and host memory over 1, 2, 4, 8 rails, and refits of many tensors."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nixl_stripe.lab.job import MEMORIES, OPS, Allocator, Memory, Op
from nixl_stripe.lab.outcome import Outcome
from nixl_stripe.lab.rails.rails import Rails
from nixl_stripe.wheel.installs import Installs

Say = Callable[[str], None]

#: Seconds that one wait or transfer may take; a transfer that fell back to one rail needs most.
_LIMIT_S = 40.0
#: Beyond the rails' own. Where there is a GPU, UCX without cuda_copy fails for host memory too.
_ENVIRONMENT = {"UCX_TLS": "tcp,cuda_copy"}
#: Transfers of each process; the first is cold.
_REPEATS = 4
_KINDS: Mapping[str, Mapping[str, str]] = {"stock": {}, "striped": {"stripe": "all"}}


@dataclass(frozen=True)
class Setup:
    """What all steps share; rounds are fresh processes."""

    installs: Installs
    allocator: Allocator
    rounds: int = 3

    def transfer(
        self, rails: Rails, kind: str, op: Op, memory: Memory, sizes: Sequence[int], repeats: int
    ) -> Outcome:
        """Run one case of `kind` ("stock" or "striped") in two fresh processes."""
        striped = kind == "striped"
        return rails.transfer(
            sizes=sizes,
            op=op,
            memory=memory,
            allocator=self.allocator,
            repeats=repeats,
            nixl=self.installs.patched if striped else self.installs.stock,
            backend_params=_KINDS[kind],
            environment=_ENVIRONMENT,
            limit_s=_LIMIT_S,
        )


def scaling(
    setup: Setup,
    say: Say,
    counts: Sequence[int],
    mbit: float,
    size: int,
    memories: Sequence[Memory] = MEMORIES,
    ops: Sequence[Op] = OPS,
) -> Iterator[dict[str, Any]]:
    """Yield a row for each rail count, memory, direction and kind: Gbit/s, shares, lanes.

    Stock and striped take turns, `setup.rounds` times; the first transfer of each process, which
    pays for the wire-up, counts as `cold` and not in the median.
    """
    for count in counts:
        with Rails(count, mbit) as rails:
            for memory, op in ((memory, op) for memory in memories for op in ops):
                rows: dict[str, list[Outcome]] = {kind: [] for kind in _KINDS}
                for number in range(setup.rounds):
                    for kind, found in rows.items():
                        where = f"{count} rails of {mbit:g} Mbit/s: {memory} {op} {kind}"
                        say(f"{where}, round {number + 1} of {setup.rounds}")
                        found.append(setup.transfer(rails, kind, op, memory, [size], _REPEATS))
                for kind, outcomes in rows.items():
                    row = {"rails": count, "mbit": mbit, "kind": kind, **summary(outcomes)}
                    yield {**row, "memory": memory, "op": op}


def summary(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Return the figures of equal cases; `error` is the first that failed, None without any."""
    error = next((str(o.error or "payload not verified") for o in outcomes if not o.ok), None)
    warm = [rate for outcome in outcomes for rate in outcome.gbps_each[1:]]
    cold = [outcome.gbps_each[0] for outcome in outcomes if outcome.gbps_each]
    created = [o.initiator.create_seconds for o in outcomes if o.initiator.create_seconds]
    last = outcomes[-1]
    lanes = last.lanes
    return {
        "gbps": statistics.median(warm) if warm else 0.0,
        "gbps_spread": [min(warm), max(warm)] if warm else [],
        "cold_gbps": statistics.median(cold) if cold else 0.0,
        "create_seconds": created,
        "share": last.share,
        "protocol": lanes.text if lanes else None,
        "payload_bytes": last.payload_bytes,
        "samples": len(warm),
        "verified": all(outcome.ok for outcome in outcomes),
        "error": error,
    }


def refit(
    setup: Setup, say: Say, count: int, mbit: float, sizes: Sequence[int], cycles: int = 3
) -> Iterator[dict[str, Any]]:
    """Yield a row for each memory and direction: cycles of all tensors, the first one cold.

    The mode "one" is the patched NIXL on one rail, "stock" and "striped" have all of them.
    """
    modes = {"one": (1, "striped"), "stock": (count, "stock"), "striped": (count, "striped")}
    for memory, op in ((memory, op) for memory in MEMORIES for op in OPS):
        for mode, (width, kind) in modes.items():
            say(f"refit of {len(sizes)} tensors: {memory} {op} {mode}")
            with Rails(width, mbit) as rails:
                outcome = setup.transfer(rails, kind, op, memory, sizes, cycles)
            yield {
                "rails": width,
                "mbit": mbit,
                "mode": mode,
                "memory": memory,
                "op": op,
                "tensors": len(sizes),
                "payload_bytes": outcome.payload_bytes,
                "create_seconds": outcome.initiator.create_seconds,
                "register_seconds": outcome.initiator.register_seconds,
                "prepare_seconds": [row.prepare_seconds for row in outcome.initiator.repetitions],
                "seconds": list(outcome.seconds),
                "share": outcome.share,
                "verified": outcome.ok,
                "error": str(outcome.error) if outcome.error else None,
            }


def uneven(total: int, count: int) -> list[int]:
    """Return `count` sizes in bytes that differ by up to 97 times, as layers' tensors do.

    Multiples of 512 (torch's own alignment) that add up to `total` but for the rounding.
    """
    weights = [1 + index * 37 % 97 for index in range(count)]
    unit = total / sum(weights)
    return [max(512, int(weight * unit) // 512 * 512) for weight in weights]
