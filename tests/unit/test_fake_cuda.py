# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The fake CUDA driver says what the real one would about devices, contexts and memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from nixl_stripe.errors import StripeError
from nixl_stripe.lab import fake_cuda

PRELUDE = """
import ctypes
from ctypes import byref, c_int, c_size_t, c_uint64, c_void_p, create_string_buffer
cuda = ctypes.CDLL("libcuda.so.1")
SUCCESS, BAD_VALUE, NO_DEVICE, BAD_DEVICE, NO_CONTEXT = 0, 1, 100, 101, 201
context, device, address = c_void_p(), c_int(), c_uint64()
"""


@pytest.fixture(scope="module")
def libraries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    reason = fake_cuda.why_not()
    if reason is not None:
        pytest.skip(reason)
    return fake_cuda.build(tmp_path_factory.mktemp("cache"))


def run(libraries: Path, gpus: list[str], script: str, current: bool = False) -> str:
    done = subprocess.run(
        [sys.executable, "-c", PRELUDE + script],
        env=fake_cuda.environment(libraries, gpus, current),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_it_is_built_once(libraries: Path) -> None:
    names = sorted(path.name for path in libraries.iterdir())
    assert names == ["libcuda.so.1", "libcudart.so.12", "libcudart.so.13", "libnvidia-ml.so.1"]
    before = (libraries / "libcuda.so.1").stat().st_mtime_ns
    assert fake_cuda.build(libraries.parent) == libraries
    assert (libraries / "libcuda.so.1").stat().st_mtime_ns == before


def test_no_compiler_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "no C compiler" in (fake_cuda.why_not() or "")
    with pytest.raises(StripeError, match="apt-get install gcc"):
        fake_cuda.build(tmp_path)


def test_devices_are_at_the_given_addresses(libraries: Path) -> None:
    script = """
assert cuda.cuInit(0) == SUCCESS
text = create_string_buffer(32)
for ordinal in range(2):
    assert cuda.cuDeviceGetPCIBusId(text, 32, ordinal) == SUCCESS
    print(text.value.decode())
assert cuda.cuDeviceGet(byref(device), 2) == BAD_DEVICE
"""
    assert run(libraries, ["0000:41:00.0", "0000:ab:1f.0"], script) == "0000:41:00.0\n0000:AB:1F.0"


def test_no_device_bad_flow(libraries: Path) -> None:
    run(libraries, [], "assert cuda.cuInit(0) == NO_DEVICE")


def test_no_context_is_current_until_one_is_set(libraries: Path) -> None:
    script = """
assert cuda.cuCtxGetDevice(byref(device)) == NO_CONTEXT
assert cuda.cuMemAlloc_v2(byref(address), c_size_t(10)) == NO_CONTEXT
assert cuda.cuDevicePrimaryCtxRetain(byref(context), 1) == SUCCESS
assert cuda.cuCtxSetCurrent(context) == SUCCESS
assert cuda.cuCtxGetDevice(byref(device)) == SUCCESS
assert device.value == 1
import threading
other = threading.Thread(target=lambda: print(cuda.cuCtxGetDevice(byref(c_int()))))
other.start(); other.join()
"""
    assert run(libraries, ["0000:41:00.0", "0000:42:00.0"], script) == "201"
    current = "assert cuda.cuCtxGetDevice(byref(device)) == SUCCESS"
    run(libraries, ["0000:41:00.0"], current, current=True)


def test_memory_knows_its_device_until_it_is_freed(libraries: Path) -> None:
    script = """
cuda.cuDevicePrimaryCtxRetain(byref(context), 0); cuda.cuCtxSetCurrent(context)
assert cuda.cuMemAlloc_v2(byref(address), c_size_t(100000)) == SUCCESS
data = bytes(range(256)) * 390
assert cuda.cuMemcpyHtoD_v2(address, data, c_size_t(len(data))) == SUCCESS
back = create_string_buffer(len(data))
assert cuda.cuMemcpyDtoH_v2(back, address, c_size_t(len(data))) == SUCCESS
assert back.raw == data
kind, base, size = c_int(), c_uint64(), c_size_t()
inside = c_uint64(address.value + 99999)
assert cuda.cuPointerGetAttribute(byref(kind), 2, inside) == SUCCESS and kind.value == 2
assert cuda.cuMemGetAddressRange_v2(byref(base), byref(size), inside) == SUCCESS
assert base.value == address.value and size.value >= 100000
assert cuda.cuPointerGetAttribute(byref(kind), 2, c_uint64(ctypes.addressof(back))) == BAD_VALUE
assert cuda.cuMemFree_v2(inside) == BAD_VALUE
assert cuda.cuMemFree_v2(address) == SUCCESS
assert cuda.cuPointerGetAttribute(byref(kind), 2, inside) == BAD_VALUE
"""
    run(libraries, ["0000:41:00.0"], script)
