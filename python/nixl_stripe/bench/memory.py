# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Buffers whose allocation is timed: mapped and touched at once, in host memory or a GPU's."""

from __future__ import annotations

import mmap
from collections.abc import Sequence

import numpy as np

from nixl_stripe.bench.work import Placement
from nixl_stripe.lab.buffers import Bytes, Store, VramStore
from nixl_stripe.lab.job import Memory

#: Where a tensor may start within a block, as in PyTorch's allocators.
ALIGN = 512


class MappedStore:
    """Anonymous mappings: one for all buffers (`arena`) or one for each (`separate`)."""

    segment = "DRAM"

    def __init__(self, sizes: Sequence[int], placement: Placement) -> None:
        if placement == "arena":
            offsets, total = [], 0
            for size in sizes:
                offsets.append(total)
                total += -(-size // ALIGN) * ALIGN
            whole = _touched(total)
            self._buffers = [whole[o : o + n] for o, n in zip(offsets, sizes, strict=True)]
        else:
            self._buffers = [_touched(size)[:size] for size in sizes]
        self.addresses = [int(buffer.ctypes.data) for buffer in self._buffers]

    def write(self, index: int, data: Bytes) -> None:
        """Set buffer `index`."""
        self._buffers[index][: data.size] = data

    def read(self, index: int) -> Bytes:
        """Return the buffer itself."""
        return self._buffers[index]

    def holds(self, index: int, data: Bytes) -> bool:
        """Compare in place."""
        return np.array_equal(self._buffers[index], data)


class Portions:
    """The first bytes of each buffer of a store, as a store."""

    def __init__(self, store: Store, sizes: Sequence[int]) -> None:
        self._store = store
        self._sizes = sizes
        self.segment = store.segment
        self.addresses = store.addresses

    def write(self, index: int, data: Bytes) -> None:
        """Set the portion."""
        self._store.write(index, data)

    def read(self, index: int) -> Bytes:
        """Return the portion."""
        return self._store.read(index)[: self._sizes[index]]

    def holds(self, index: int, data: Bytes) -> bool:
        """Compare the portion."""
        return np.array_equal(self.read(index), data)


def _touched(size: int) -> Bytes:
    """Map `size` bytes and have every page there, or its first use would pay for it."""
    pages = np.frombuffer(mmap.mmap(-1, size), np.uint8)
    pages[:: mmap.PAGESIZE] = 0
    return pages


def allocate(memory: Memory, sizes: Sequence[int], placement: Placement) -> Store:
    """Allocate buffers of `sizes` bytes."""
    return VramStore(sizes) if memory == "vram" else MappedStore(sizes, placement)
