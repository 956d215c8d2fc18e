# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The allocations that hold tensors: torch's segments where torch is there, else CUDA's own."""

from __future__ import annotations

import bisect
import contextlib
import ctypes
import sys
from collections.abc import Iterable, Sequence

from nixl_stripe.errors import StripeError

#: Address and length of a tensor or region, bytes.
Span = tuple[int, int]


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


def segments() -> list[Span]:
    """Return the segments of torch's CUDA allocator; none where this process has not loaded torch.

    One call instead of one for each tensor. Segments that torch maps piece by piece
    (`expandable_segments`) are several allocations to CUDA, and are left out.
    """
    torch = sys.modules.get("torch")
    if torch is None:
        return []
    # Whatever another torch calls differently: the driver knows as well, only slower.
    with contextlib.suppress(Exception):
        if torch.cuda.is_initialized():
            return [
                (int(each["address"]), int(each["total_size"]))
                for each in torch.cuda.memory_snapshot()
                if not each.get("is_expandable", False)
            ]
    return []


def blocks_of(spans: Sequence[Span]) -> list[Span]:
    """Return the blocks of GPU memory that hold `spans`: torch's, and for the others CUDA's."""
    known = sorted(segments())
    starts = [start for start, _ in known]
    found: set[Span] = set()
    others: list[Span] = []
    for address, length in spans:
        at = bisect.bisect_right(starts, address) - 1
        if at >= 0 and address + length <= sum(known[at]):
            found.add(known[at])
        else:
            others.append((address, length))
    return sorted({*found, *(allocations(others) if others else ())})
