# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The machine that was measured, in the field's words, and the NIXL that fits its CUDA."""

from __future__ import annotations

import importlib.util
import os
import platform
import re
import subprocess
from pathlib import Path
from typing import Any

from nixl_stripe.bench.kernel import kernel_release
from nixl_stripe.errors import StripeError


def gpu_query(fields: str) -> list[str]:
    """Return nvidia-smi's answer for the first GPU; StripeError where there is none."""
    try:
        done = subprocess.run(
            ["nvidia-smi", f"--query-gpu={fields}", "--format=csv,noheader"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    except OSError as error:
        raise StripeError(
            f"no NVIDIA driver here (nvidia-smi: {error.strerror}); this needs a GPU"
        ) from error
    if done.returncode != 0 or not done.stdout.strip():
        why = (done.stdout + done.stderr).strip().splitlines()
        raise StripeError(f"no NVIDIA GPU here: nvidia-smi: {why[0] if why else 'no answer'}")
    return [item.strip() for item in done.stdout.splitlines()[0].split(",")]


def describe() -> dict[str, Any]:
    """Return GPU, driver, CPU, cores, memory and kernel line of this machine."""
    name, memory, driver = gpu_query("name,memory.total,driver_version")
    cpu = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    return {
        "gpu": name,
        "gpu_memory": memory,
        "driver": driver,
        "cpu": cpu.group(1) if cpu else platform.machine(),
        "cores": os.cpu_count(),
        "kernel": kernel_release(),
        "torch": _torch_version(),
    }


def has_torch() -> bool:
    """Whether torch with CUDA can be imported; it is not imported here if it is not there."""
    return _torch_version() is not None and _torch_cuda() is not None


def cuda_major() -> int:
    """Return the CUDA release whose runtime NIXL must match: torch's, else the driver's."""
    version = _torch_cuda()
    if version is None:
        done = subprocess.run(
            ["nvidia-smi"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        found = re.search(r"CUDA Version: *([0-9.]+)", done.stdout)
        if found is None:
            raise StripeError("nvidia-smi does not tell the CUDA version; say --nixl nixl-cu12")
        version = found.group(1)
    return int(version.partition(".")[0])


def _torch_version() -> str | None:
    if importlib.util.find_spec("torch") is None:
        return None
    import torch

    return str(torch.__version__)


def _torch_cuda() -> str | None:
    if importlib.util.find_spec("torch") is None:
        return None
    import torch

    found: str | None = torch.version.cuda
    return found
