# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Stock and patched NIXL side by side, from one published wheel."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from nixl_stripe.errors import StripeError
from nixl_stripe.wheel.build import build_wheel
from nixl_stripe.wheel.fetch import check_one_flavour, fetch_wheels

Say = Callable[[str], None]


@dataclass(frozen=True)
class Installs:
    """Folders for `sys.path`, and the wheels that were installed there."""

    stock: Path
    patched: Path
    stock_wheel: str
    patched_wheel: str


def prepare(cache: Path, source: str, patched_wheel: Path | None, say: Say) -> Installs:
    """Get the published wheel, build the patched one, install both below `cache`.

    source: a requirement for the user's own pip, or a wheel file. patched_wheel: one to use instead
    of building it. What an earlier run left in `cache` is used again when it is the same.
    """
    if patched_wheel is not None and not patched_wheel.is_file():
        raise StripeError(f"--patched-wheel {patched_wheel}: no such file")
    stock = published(cache / "wheels", source, say)
    if patched_wheel is None:
        say(f"building the patched wheel from {stock.name}")
        patched_wheel = build_wheel(stock, cache / "wheels").path
    return Installs(
        install(cache / "installed", stock, say),
        install(cache / "installed", patched_wheel, say),
        stock.name,
        patched_wheel.name,
    )


def published(folder: Path, source: str, say: Say) -> Path:
    """Return the wheel file of `source`; a download is kept under the name of what was asked.

    Raises UsageError, before a download, for what is neither a wheel file nor one flavour of NIXL.
    """
    check_one_flavour(source, "--nixl")
    if (file := Path(source).expanduser()).is_file():
        return file
    python = f"cp{sys.version_info.major}{sys.version_info.minor}"
    kept = folder / f"{source.replace('==', '-')}-{python}"
    if not any(kept.glob("*.whl")):
        say(f"downloading {source} (about 70 MB, once)")
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            (got,) = fetch_wheels(source, Path(scratch))
            kept.mkdir(exist_ok=True)
            got.replace(kept / got.name)
    return next(iter(sorted(kept.glob("*.whl"))))


def install(folder: Path, wheel: Path, say: Say) -> Path:
    """Install `wheel` in a folder named by its content; numpy comes from this environment."""
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()[:16]
    site = folder / digest
    if site.is_dir():
        return site
    say(f"installing {wheel.name}")
    folder.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f"{digest}-", dir=folder))
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-compile"]
    command += ["--disable-pip-version-check", "--target", str(draft), str(wheel)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        shutil.rmtree(draft)
        raise StripeError(f"pip cannot install {wheel.name}: {' '.join(done.stderr.split())}")
    draft.chmod(0o755)
    draft.rename(site)
    return site
