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
import ctypes
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from nixl_stripe.errors import StripeError

#: Address and length of a tensor or region, bytes.
Span = tuple[int, int]

_PAGE = 4096


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


def allocations(spans: Iterable[Span]) -> list[Span]:
    """Return the allocations of GPU memory that hold `spans`, from the CUDA driver.

    StripeError where the driver is missing or does not know an address.
    """
    try:
        cuda = ctypes.CDLL("libcuda.so.1")
    except OSError as error:
        raise StripeError(f"GPU memory cannot be looked up: {error}") from error
    found: set[Span] = set()
    for address, _ in spans:
        base, size = ctypes.c_uint64(), ctypes.c_size_t()
        status = cuda.cuMemGetAddressRange_v2(
            ctypes.byref(base), ctypes.byref(size), ctypes.c_uint64(address)
        )
        if status:
            raise StripeError(
                f"address {address:#x} is no GPU memory that CUDA knows "
                f"(cuMemGetAddressRange returned {status})"
            )
        found.add((base.value, size.value))
    return sorted(found)


def regions_of(
    spans: Sequence[Span], memory: str, blocks: Iterable[Span] | None = None
) -> list[Span]:
    """Return `coalesce` of `spans`; blocks None: for "VRAM" the CUDA driver is asked for them."""
    if blocks is None:
        blocks = allocations(spans) if memory == "VRAM" else ()
    return coalesce(spans, blocks)


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
    spans; None: for "VRAM" the CUDA driver is asked, for "DRAM" pages decide. What NIXL raises is
    passed on.
    """
    regions = tuple(regions_of(list(spans), memory, blocks))
    descriptors = agent.register_memory([(a, n, device, "") for a, n in regions], memory)
    return Registration(agent, (descriptors,), regions)
