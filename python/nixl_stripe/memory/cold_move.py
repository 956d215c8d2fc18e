# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The first transfer of a process: tensors move while the next ones are still being registered.

Registration pins pages for every NIC, one after the other, and keeps the processor busy, not the
NICs. In portions, each posted as soon as it is registered, a cold cycle can take as long as the
slower of both instead of their sum, where NICs move data by themselves (docs/registration.md):

    moved = register_and_move(agent, "READ", spans, "VRAM", peer_name, peer_descs, device=0)
    ...             # the bytes are there; later transfers are NIXL's own, without registration
    moved.close()
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from nixl_stripe.errors import StripeError
from nixl_stripe.memory.blocks import Span
from nixl_stripe.memory.registration import Registration, regions_of

#: More portions leave less for the first, which nothing hides, but each is a call and a request.
PORTIONS = 8
#: A transfer is watched without sleeping for this long: a nap would be most of a short one's time.
_SPIN_S = 2e-3
#: Sleep between looks at a longer one, as a fraction of its time so far.
_NAP = 1 / 500


@dataclass(frozen=True)
class Portion:
    """A region to register, and the indices of the spans that lie in it."""

    region: Span
    indices: tuple[int, ...]


def portions_of(spans: Sequence[Span], regions: Iterable[Span], count: int) -> list[Portion]:
    """Cut `regions` into about `count` portions of like size; no span is cut.

    regions: what `nixl_stripe.registration.coalesce` made of `spans`. The portions of a region
    cover all of it; they overlap only where spans do. ValueError for a count below 1.
    """
    if count < 1:
        raise ValueError(f"portions={count}: accepted are 1 and more")
    goal = sum(length for _, length in spans) / count
    order = sorted(range(len(spans)), key=lambda index: spans[index])
    made: list[Portion] = []
    at = 0
    for start, length in sorted(regions):
        last = at
        while last < len(order) and spans[order[last]][0] < start + length:
            last += 1
        made += _cut((start, length), order[at:last], spans, goal)
        at = last
    return made


def _cut(region: Span, indices: Sequence[int], spans: Sequence[Span], goal: float) -> list[Portion]:
    end = sum(region)
    groups: list[list[int]] = [[]]
    taken = 0
    for index in indices:
        if groups[-1] and taken >= goal:
            groups.append([])
            taken = 0
        groups[-1].append(index)
        taken += spans[index][1]
    made: list[Portion] = []
    start = region[0]
    for group, following in zip(groups, [*groups[1:], []], strict=True):
        reach = max((sum(spans[index]) for index in group), default=end)
        stop = max(reach, spans[following[0]][0]) if following else end
        made.append(Portion((start, stop - start), tuple(group)))
        start = spans[following[0]][0] if following else end
    return made


def register_and_move(
    agent: Any,
    operation: str,
    spans: Iterable[Span],
    memory: str,
    peer: str,
    peer_descs: Any,
    *,
    device: int = 0,
    blocks: Iterable[Span] | None = None,
    portions: int = PORTIONS,
    limit_s: float = 60.0,
) -> Registration:
    """Register `spans` and move them, portion by portion; return when all bytes have arrived.

    operation: "READ" or "WRITE". spans: local tensors, the i-th for the i-th of `peer_descs`, which
    NIXL's `deserialize_descs` returned; the peer has registered them and its metadata is loaded.
    memory, device, blocks: as in `nixl_stripe.registration.register`. portions: about how many.
    limit_s: seconds for all of it.

    Raises:
        ValueError: counts or lengths of both sides differ, or portions is below 1.
        TimeoutError: it took longer than `limit_s`.
        StripeError: a transfer failed. What NIXL raises is passed on. Nothing stays registered.

    """
    mine = list(spans)
    theirs = [tuple(peer_descs[index]) for index in range(peer_descs.descCount())]
    _compare(mine, theirs)
    plan = portions_of(mine, regions_of(mine, memory, blocks), portions)
    peer_memory = peer_descs.getType().name.removesuffix("_SEG")
    end = time.perf_counter() + limit_s
    with ExitStack() as on_failure, ExitStack() as handles:
        registered: list[Any] = []
        pending: list[Any] = []
        for portion in plan:
            made = agent.register_memory([(*portion.region, device, "")], memory)
            on_failure.callback(agent.deregister_memory, made)
            registered.append(made)
            handle = agent.initialize_xfer(
                operation,
                agent.get_xfer_descs([(*mine[i], device) for i in portion.indices], memory),
                agent.get_xfer_descs([theirs[i] for i in portion.indices], peer_memory),
                peer,
                b"",
            )
            handles.callback(agent.release_xfer_handle, handle)
            if not _done(agent.transfer(handle), portion):
                pending.append((handle, portion))
        _wait(agent, pending, end, limit_s)
        handles.close()
        on_failure.pop_all()
    return Registration(agent, tuple(registered), tuple(portion.region for portion in plan))


def nap(waited_s: float) -> None:
    """Sleep a little between two looks at a transfer that has taken `waited_s` seconds so far."""
    if waited_s > _SPIN_S:
        time.sleep(waited_s * _NAP)


def _compare(mine: Sequence[Span], theirs: Sequence[tuple[int, ...]]) -> None:
    if not mine or len(mine) != len(theirs):
        raise ValueError(f"{len(mine)} spans here, {len(theirs)} at the peer: accepted are as many")
    for index, ((_, length), other) in enumerate(zip(mine, theirs, strict=True)):
        if length != other[1]:
            raise ValueError(f"span {index}: {length} bytes here, {other[1]} at the peer")


def _done(state: str, portion: Portion) -> bool:
    if state not in ("DONE", "PROC"):
        start, length = portion.region
        raise StripeError(
            f"the transfer of {len(portion.indices)} spans in {length} bytes at {start:#x} "
            f"ended in state {state}"
        )
    return state == "DONE"


def _wait(agent: Any, pending: Sequence[Any], end: float, limit_s: float) -> None:
    start = time.perf_counter()
    for handle, portion in pending:
        while not _done(agent.check_xfer_state(handle), portion):
            now = time.perf_counter()
            if now > end:
                raise TimeoutError(f"not every portion had arrived after {limit_s:g} s")
            nap(now - start)
