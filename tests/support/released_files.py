# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What scripts/release makes for this machine, for tests that take it apart or run it."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from arm_machine import cache_dir
from make_release import release
from nixl_stripe.wheel import PLUGIN

MACHINE = "x86_64"
#: Another one of Debian's: RELEASE_PYTHON=3.14
PYTHON = os.environ.get("RELEASE_PYTHON", "3.13")


@dataclass(frozen=True)
class Released:
    """The files, of the commit that is checked out."""

    python: str
    sdist: Path
    wheel: Path
    plugin: Path
    #: Objects that define what older systems lack, for programs of the tests.
    compat: tuple[Path, ...]


def make_released(out: Path) -> Released:
    """Compile and check everything for `MACHINE` and `PYTHON` into `out`."""
    sdist, wheel = release(out, cache_dir(), [MACHINE], [PYTHON])
    source = cache_dir() / "source" / sdist.name.removesuffix(".tar.gz")
    objects = sorted(source.glob(f"build-{MACHINE}/nixl_patch/compat/libcompat.a.p/*.o"))
    assert len(objects) == 2
    compat = tuple(Path(shutil.copy(each, out)) for each in objects)
    return Released(PYTHON, sdist, wheel, out / "plugins" / MACHINE / PLUGIN, compat)
