# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Buffers in host or GPU memory, filled with a pattern that names its repetition and buffer."""

from __future__ import annotations

import ctypes
import importlib
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from nixl_stripe.lab.job import Allocator, Memory
from nixl_stripe.lab.outcome import PayloadMismatchError

Bytes = NDArray[np.uint8]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


class Store(Protocol):
    """Where the bytes of all buffers live."""

    segment: str
    addresses: list[int]

    def write(self, index: int, data: Bytes) -> None:
        """Set buffer `index`."""

    def read(self, index: int) -> Bytes:
        """Return the bytes of buffer `index` (not to be written to)."""

    def holds(self, index: int, data: Bytes) -> bool:
        """Whether every byte of buffer `index` is that of `data`."""


class DramStore:
    """One allocation of host memory for each buffer."""

    segment = "DRAM"

    def __init__(self, sizes: Sequence[int]) -> None:
        self._arrays: list[Bytes] = [np.zeros(n, np.uint8) for n in sizes]
        self.addresses = [int(a.ctypes.data) for a in self._arrays]

    def write(self, index: int, data: Bytes) -> None:
        """Set buffer `index`."""
        self._arrays[index][:] = data

    def read(self, index: int) -> Bytes:
        """Return the buffer itself."""
        return self._arrays[index]

    def holds(self, index: int, data: Bytes) -> bool:
        """Compare in place."""
        return np.array_equal(self._arrays[index], data)


class CudaError(RuntimeError):
    """A call of the CUDA driver failed."""


class VramStore:
    """One allocation of GPU memory for each buffer, through the CUDA driver alone (no torch)."""

    segment = "VRAM"

    def __init__(self, sizes: Sequence[int], ordinal: int = 0) -> None:
        self._cuda: Any = ctypes.CDLL("libcuda.so.1")
        self._sizes = list(sizes)
        self._call("cuInit", 0)
        device = ctypes.c_int()
        self._call("cuDeviceGet", ctypes.byref(device), ordinal)
        context = ctypes.c_void_p()
        self._call("cuDevicePrimaryCtxRetain", ctypes.byref(context), device)
        self._call("cuCtxSetCurrent", context)
        self.addresses = [self._allocate(n) for n in sizes]

    def _call(self, name: str, *arguments: object) -> None:
        status = getattr(self._cuda, name)(*arguments)
        if status:
            raise CudaError(f"{name} returned {status}")

    def _allocate(self, size: int) -> int:
        pointer = ctypes.c_uint64()
        self._call("cuMemAlloc_v2", ctypes.byref(pointer), ctypes.c_size_t(size))
        return pointer.value

    def write(self, index: int, data: Bytes) -> None:
        """Copy to the GPU."""
        there = ctypes.c_uint64(self.addresses[index])
        here = ctypes.c_void_p(data.ctypes.data)
        self._call("cuMemcpyHtoD_v2", there, here, ctypes.c_size_t(data.nbytes))
        self._call("cuCtxSynchronize")

    def read(self, index: int) -> Bytes:
        """Copy from the GPU."""
        data = np.empty(self._sizes[index], np.uint8)
        there = ctypes.c_uint64(self.addresses[index])
        here = ctypes.c_void_p(data.ctypes.data)
        self._call("cuMemcpyDtoH_v2", here, there, ctypes.c_size_t(data.nbytes))
        return data

    def holds(self, index: int, data: Bytes) -> bool:
        """Compare on the host."""
        return np.array_equal(self.read(index), data)


class TorchStore:
    """A torch tensor on the current CUDA device for each buffer, as torch's allocator places it."""

    segment = "VRAM"

    def __init__(self, sizes: Sequence[int]) -> None:
        self._torch: Any = importlib.import_module("torch")
        self._tensors: list[Any] = [
            self._torch.zeros(n, dtype=self._torch.uint8, device="cuda") for n in sizes
        ]
        self.addresses = [int(tensor.data_ptr()) for tensor in self._tensors]

    def _on_gpu(self, data: Bytes) -> Any:
        # A copy, because torch refuses to share arrays that are not to be written to.
        return self._torch.from_numpy(data.copy()).to("cuda")

    def write(self, index: int, data: Bytes) -> None:
        """Copy to the GPU; returns when the bytes are there, whatever stream NIXL looks from."""
        self._tensors[index].copy_(self._on_gpu(data))
        self._torch.cuda.synchronize()

    def read(self, index: int) -> Bytes:
        """Copy from the GPU."""
        data: Bytes = self._tensors[index].cpu().numpy()
        return data

    def holds(self, index: int, data: Bytes) -> bool:
        """Compare on the GPU."""
        return bool(self._torch.equal(self._tensors[index], self._on_gpu(data)))


def open_store(memory: Memory, sizes: Sequence[int], allocator: Allocator = "driver") -> Store:
    """Allocate buffers of `sizes` bytes in `memory`; `allocator` counts for GPU memory only."""
    if memory == "dram":
        return DramStore(sizes)
    return TorchStore(sizes) if allocator == "torch" else VramStore(sizes)


class Payload:
    """The bytes that buffer `index` must hold after repetition `repetition`; all pairs differ."""

    def __init__(self, sizes: Sequence[int]) -> None:
        self._sizes = list(sizes)
        words = np.arange((max(sizes) + 7) // 8, dtype=np.uint64)
        self._words: NDArray[np.uint64] = words * _GOLDEN

    def of(self, repetition: int, index: int) -> Bytes:
        """Return the pattern, one byte per byte of the buffer."""
        size = self._sizes[index]
        key = np.uint64(((repetition + 1) << 32 | (index + 1)) * 0x2545F4914F6CDD1D % (1 << 64))
        words: NDArray[np.uint64] = self._words[: (size + 7) // 8] ^ key
        return words.view(np.uint8)[:size]

    def fill(self, store: Store, repetition: int, corrupt: bool = False) -> None:
        """Write the pattern to every buffer; `corrupt` changes a byte amid the last one."""
        for index, size in enumerate(self._sizes):
            data = self.of(repetition, index)
            if corrupt and index == len(self._sizes) - 1:
                data = data.copy()
                data[size // 2] ^= 0xFF
            store.write(index, data)

    def clear(self, store: Store) -> None:
        """Write zeros to every buffer, so that old bytes cannot pass for new ones."""
        for index, size in enumerate(self._sizes):
            store.write(index, np.zeros(size, np.uint8))

    def check(self, store: Store, repetition: int) -> None:
        """Compare every byte of every buffer; PayloadMismatchError names the first that differs."""
        text, total = "", 0
        for index, size in enumerate(self._sizes):
            want = self.of(repetition, index)
            if store.holds(index, want):
                continue
            got = store.read(index)
            wrong = np.flatnonzero(got != want)
            total += wrong.size
            first = int(wrong[0])
            text = text or (
                f"repetition {repetition}, buffer {index}: {wrong.size} of {size} bytes differ, "
                f"the first at {first}: {int(got[first])} instead of {int(want[first])}"
            )
        if text:
            raise PayloadMismatchError(f"{text}; {total} bytes in all buffers")
