# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The real Prometheus and promtool: installed ones, or Debian's package in the cache."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

_CACHE = Path(__file__).parents[2] / ".cache" / "prometheus"


def program(name: str) -> str:
    """Return the path of `prometheus` or `promtool`; skips where there is none, and says why."""
    found = shutil.which(name)
    unpacked = _CACHE / "usr/bin" / name
    if found is None and not unpacked.exists():
        _unpack()
    return found or str(unpacked)


def promtool(folder: Path, *arguments: str) -> None:
    """Run promtool in a folder; what it has against its files fails the test."""
    done = subprocess.run(
        [program("promtool"), *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def _unpack() -> None:
    if shutil.which("apt-get") is None or shutil.which("dpkg") is None:
        pytest.skip("prometheus is missing, and there is no apt-get to get Debian's package with")
    _CACHE.mkdir(parents=True, exist_ok=True)
    got = subprocess.run(
        ["apt-get", "-qq", "download", "prometheus"],
        cwd=_CACHE,
        capture_output=True,
        text=True,
        check=False,
    )
    packages = sorted(_CACHE.glob("prometheus_*.deb"))
    if got.returncode or not packages:
        pytest.skip(f"Debian's package prometheus cannot be had: {got.stderr.strip()}")
    subprocess.run(["dpkg", "-x", packages[-1], _CACHE], check=True)
