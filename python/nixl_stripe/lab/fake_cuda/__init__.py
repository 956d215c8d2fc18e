# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""A CUDA driver without a GPU, compiled where it is used: UCX takes host memory for a GPU's."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path

from nixl_stripe.errors import StripeError

HERE = Path(__file__).parent
# soname -> sources
LIBRARIES = {
    "libcuda.so.1": ("driver.c", "streams.c", "transfers.c", "memory.c"),
    "libnvidia-ml.so.1": ("nvml.c",),
    "libcudart.so.12": ("runtime.c",),
    "libcudart.so.13": ("runtime.c",),
}
# UCX overwrites the first bytes of allocation functions with a jump: they must not share a line.
FLAGS = (
    "-std=gnu11",
    "-O1",
    "-fPIC",
    "-shared",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-falign-functions=64",
)


def why_not() -> str | None:
    """Return why the fake driver cannot be built here, None when it can."""
    return None if _compiler() else "no C compiler (cc, gcc or clang) for the fake CUDA driver"


def build(cache: Path) -> Path:
    """Return a folder for `LD_LIBRARY_PATH` with the fake CUDA libraries, compiled if need be.

    Raises:
        StripeError: no compiler, or it fails.

    """
    compiler = _compiler()
    if compiler is None:
        raise StripeError(f"{why_not()}; apt-get install gcc libc6-dev")
    sources = b"".join(path.read_bytes() for path in sorted(HERE.glob("*.[ch]")))
    digest = hashlib.sha256(sources + repr((LIBRARIES, FLAGS)).encode()).hexdigest()[:16]
    done = cache / f"fake_cuda-{digest}"
    if done.is_dir():
        return done
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as work:
        made = Path(work) / "lib"
        made.mkdir()
        for soname, files in LIBRARIES.items():
            _compile(compiler, soname, files, made)
        made.chmod(0o755)
        if not done.is_dir():  # another process may have been faster
            made.replace(done)
    return done


def environment(folder: Path, gpus: list[str], context_current: bool = False) -> dict[str, str]:
    """Return the variables that make a process see GPUs at the PCI addresses `gpus`, in that order.

    `context_current`: every thread starts with GPU 0's context current, as in a program that has
    used CUDA already; otherwise, as with the real driver, none is until the thread sets one.

    UCX's cache of memory types knows what was allocated before UCX came by its mapping from
    /dev/nvidia*, which is not here: without the cache UCX asks the driver for each address.
    """
    out = {"LD_LIBRARY_PATH": str(folder), "FAKE_CUDA_GPUS": ",".join(gpus)}
    out["UCX_MEMTYPE_CACHE"] = "n"
    return {**out, "FAKE_CUDA_CONTEXT": "current"} if context_current else out


def _compiler() -> str | None:
    return next((path for name in ("cc", "gcc", "clang") if (path := shutil.which(name))), None)


def _compile(compiler: str, soname: str, files: tuple[str, ...], folder: Path) -> None:
    command = [compiler, *FLAGS, f"-Wl,-soname,{soname}", "-o", str(folder / soname)]
    command += [str(HERE / name) for name in files]
    if soname.startswith("libcudart"):
        # callers ask for versioned symbols there
        versions = folder.parent / f"{soname}.map"
        versions.write_text(f"{soname} {{ global: *; }};\n")
        command += [f"-Wl,--version-script,{versions}", str(folder / "libcuda.so.1")]
    command += ["-ldl", "-lpthread"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise StripeError(f"fake CUDA driver: {soname}: {done.stderr.strip().splitlines()[0]}")
