# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Small C++ programs and libraries that tests compile against the plugin's own headers."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]


def compile_cpp(target: Path, sources: Sequence[Path], *options: str) -> Path:
    """Compile `sources` into `target` (returned); a shared library where its suffix is `.so`.

    Raises AssertionError with the compiler's own words.
    """
    command = [os.environ.get("CXX", "c++"), "-std=c++17", "-O1", f"-I{ROOT / 'nixl_patch'}"]
    if target.suffix == ".so":
        command += ["-shared", "-fPIC"]
    command += [*options, *map(str, sources), "-o", str(target), "-ldl"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return target
