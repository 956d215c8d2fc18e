# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Registering many tensors at the price of few: neighbours become one region.

Registering memory for RDMA has a price for each region on each NIC, so that 290 tensors on four
NICs pay it 1160 times. Tensors of one allocator lie side by side in a few blocks:

    registration = register(agent, [(t.data_ptr(), t.nbytes) for t in tensors], "VRAM", device=0)
    ...             # transfer descriptors name tensors, as ever: NIXL finds the region around each
    registration.close()

`nixl_stripe.cold_move` also moves the first tensors while the others are being registered.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from nixl_stripe.memory.blocks import Span, blocks_of

_PAGE = 4096
#: Longest region. Registrations of more than 4 GiB were measured at two thirds of the rate on mlx5,
#: 6.0 against 9.3 GB/s in slices of 3.5 GiB (https://github.com/LMCache/LMCache/pull/4432).
SLICE_BYTES = 7 << 29


def coalesce(spans: Iterable[Span], blocks: Iterable[Span] = (), page: int = _PAGE) -> list[Span]:
    """Return the fewest regions that cover `spans`, sorted by address.

    Spans share a region where all that is between them lies on pages of theirs, which would be
    registered anyway. blocks: allocations that hold spans (for PyTorch: address and total_size of
    `torch.cuda.memory_snapshot()`): one with a span in it is a region of its own, whole, since
    neighbouring allocations of GPU memory cannot be registered as one. ValueError for a span
    without bytes, or one that reaches out of a block.
    """
    whole = sorted(blocks)
    starts = [start for start, _ in whole]
    taken: set[Span] = set()
    free: list[Span] = []
    for address, length in spans:
        if length < 1 or address < 0:
            raise ValueError(f"span ({address}, {length}): needs an address >= 0, 1 byte or more")
        at = bisect.bisect_right(starts, address) - 1
        if at < 0 or sum(whole[at]) <= address:
            free.append((address, length))
        elif address + length <= sum(whole[at]):
            taken.add(whole[at])
        else:
            raise ValueError(f"span ({address}, {length}): reaches out of the block {whole[at]}")
    return sorted([*_merged(free, page), *taken])


def _merged(spans: Iterable[Span], page: int) -> list[Span]:
    regions: list[Span] = []
    for address, length in sorted(spans):
        if regions and address // page <= (sum(regions[-1]) - 1) // page + 1:
            first = regions[-1][0]
            end = max(sum(regions[-1]), address + length)
            regions[-1] = (first, end - first)
        else:
            regions.append((address, length))
    return regions


def sliced(regions: Iterable[Span], spans: Iterable[Span], limit: int = SLICE_BYTES) -> list[Span]:
    """Cut regions into slices of at most `limit` bytes, sorted; they cover the same bytes.

    No span is cut, since a transfer finds its tensor within one region: a slice that holds a longer
    span, or spans that overlap, is longer. ValueError for a limit below 1.
    """
    if limit < 1:
        raise ValueError(f"limit={limit}: accepted are 1 and more")
    order = sorted(spans)
    made: list[Span] = []
    at = 0
    for start, length in sorted(regions):
        end = start + length
        reach = begin = start
        while at < len(order) and order[at][0] < end:
            address, size = order[at]
            if address >= reach and address + size - begin > limit and address > begin:
                made.append((begin, address - begin))
                begin = address
            reach = max(reach, address + size)
            at += 1
        made.append((begin, end - begin))
    return made


def regions_of(
    spans: Sequence[Span], memory: str, blocks: Iterable[Span] | None = None
) -> list[Span]:
    """Return `coalesce` of `spans` in slices of `SLICE_BYTES`.

    blocks None: those of "VRAM" are looked up, see `blocks_of`.
    """
    if blocks is None:
        blocks = blocks_of(spans) if memory == "VRAM" else ()
    return sliced(coalesce(spans, blocks), spans)


@dataclass(frozen=True)
class Registration:
    """Memory that is registered until `close()`; a context manager too."""

    agent: Any
    descriptors: tuple[Any, ...]
    """What each call of NIXL's `register_memory` returned."""
    regions: tuple[Span, ...]

    def close(self) -> None:
        """Take the memory back."""
        for descriptors in self.descriptors:
            self.agent.deregister_memory(descriptors)

    def __enter__(self) -> Registration:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def register(
    agent: Any,
    spans: Iterable[Span],
    memory: str,
    *,
    device: int = 0,
    blocks: Iterable[Span] | None = None,
) -> Registration:
    """Register `spans` with a NIXL agent as few regions as they allow; see `coalesce`.

    memory: "DRAM" or "VRAM". device: CUDA ordinal of "VRAM". blocks: the allocations that hold the
    spans; None: for "VRAM" torch's allocator and the CUDA driver are asked, for "DRAM" pages
    decide. What NIXL raises is passed on.
    """
    regions = tuple(regions_of(list(spans), memory, blocks))
    descriptors = agent.register_memory([(a, n, device, "") for a, n in regions], memory)
    return Registration(agent, (descriptors,), regions)
