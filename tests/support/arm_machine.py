# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""An Arm machine as far as qemu-user carries one: Debian's Arm Python, run on this kernel."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from debian_root import DebianRelease
from nixl_wheels import ROOT

MACHINE, PYTHON, SUITE = "aarch64", "3.11", "bookworm"
TRIPLET = "aarch64-linux-gnu"


def cache_dir() -> Path:
    """Return the folder that keeps Debian's packages and what is compiled between runs."""
    named = os.environ.get("NIXL_STRIPE_RELEASE_CACHE")
    return Path(named) if named else ROOT / ".cache" / "release"


def require(*programs: str) -> None:
    """Fail, and never skip: who asks for these tests wants them run."""
    missing = [program for program in programs if shutil.which(program) is None]
    assert not missing, f"missing: {', '.join(missing)}; scripts/test-aarch64 installs them"


@dataclass(frozen=True)
class ArmMachine:
    """The root file system of an Arm Debian, and its Python."""

    root: Path

    @classmethod
    def get(cls) -> ArmMachine:
        """Return the machine, from the cache or else from Debian's packages."""
        require("qemu-aarch64")
        packages = [f"python{PYTHON}-minimal", f"libpython{PYTHON}-stdlib", "libstdc++6"]
        return cls(DebianRelease(cache_dir(), SUITE, MACHINE).root("python", packages))

    @property
    def qemu(self) -> tuple[str, ...]:
        """What runs an Arm program; its libraries come from the root, other files from here."""
        return ("qemu-aarch64", "-L", str(self.root))

    @property
    def python(self) -> tuple[str, ...]:
        """The command of the Arm Python."""
        return (*self.qemu, str(self.root / f"usr/bin/python{PYTHON}"))

    def run(
        self, *arguments: str | Path, sites: Sequence[Path] = (), **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Run the Arm Python with `sites` as its PYTHONPATH."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("UCX_", "NIXL_"))}
        path = os.pathsep.join(str(site) for site in sites)
        return subprocess.run(
            [*self.python, *map(str, arguments)],
            env={**kept, "PYTHONPATH": path, "UCX_MODULES": "^ib", **variables},
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )


@dataclass(frozen=True)
class ArmBuild:
    """What scripts/release makes for Arm: the files, and the plugin alone."""

    sdist: Path
    wheel: Path
    plugin: Path
