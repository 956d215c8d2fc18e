# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Every place that nixl-stripe leaves files in: the one table, and what takes them away again.

A module that keeps files adds its row here and gets their place from here. Files that a user names
(`--json FILE`, `--out DIR`, `--cache DIR`) are the user's, and are not removed.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from nixl_stripe.errors import StripeError

_OWN = "nixl-stripe"
#: The variable that puts the cache elsewhere.
CACHE_VARIABLE = "NIXL_STRIPE_CACHE"


@dataclass(frozen=True)
class Written:
    """Files of one kind."""

    what: str
    where: str
    """As a document writes it."""
    by: str
    removed_by: str


TABLE = (
    Written(
        "our plugin, the stock one beside it, RECORD",
        "the folder of NIXL's plugins and its .dist-info",
        "nixl-stripe patch, a patched wheel",
        "nixl-stripe patch --undo, pip uninstall",
    ),
    Written(
        "test guests' kernel and libraries; downloads and installs of benchmarks",
        f"$XDG_CACHE_HOME/{_OWN} or ~/.cache/{_OWN}",
        "nixl_stripe.lab.guests, nixl-stripe bench, scripts/demo",
        "nixl-stripe patch --undo, unless --keep-cache",
    ),
    Written(
        "the same, in a folder of the user's",
        f"${CACHE_VARIABLE}, bench --cache",
        "nixl_stripe.lab.guests, nixl-stripe bench",
        "the user; nixl-stripe patch --undo names it",
    ),
    Written(
        "metrics of a process, the last ones of one that ended",
        "the file of stripe_metrics or $NIXL_UCX_STRIPE_METRICS",
        "a process whose agent asks for it",
        "the user: it is named by nobody else",
    ),
    Written(
        "what NICs were measured to carry (calibration)",
        f"$XDG_CONFIG_HOME/{_OWN} or ~/.config/{_OWN}; /etc/{_OWN}",
        "nixl-stripe tune",
        "nixl-stripe patch --undo; it names the one in /etc",
    ),
    Written(
        "scratch folders of runs",
        f"{_OWN}-* in the folder for temporary files",
        "verify, bench, wheel, captures, nixl_stripe.lab",
        "the run itself; after a kill, the next one or nixl-stripe patch --undo",
    ),
    Written(
        "a patched copy of NIXL's plugins",
        "the folder of --into",
        "nixl-stripe patch --into",
        "the user: the copy goes with the folder",
    ),
    Written(
        "a wheel that is not whole yet",
        ".NAME.partial in the folder of --out",
        "nixl-stripe wheel",
        "the run itself; after a kill, the next one for that folder",
    ),
)

_CALIBRATION = "calibration"


@dataclass(frozen=True)
class Left:
    """Files that are there, or were until now."""

    path: Path
    what: str
    removed: bool
    why: str = ""
    """Why they are still there."""


def cache_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the folder that caches are kept in: `$NIXL_STRIPE_CACHE` or our own one."""
    named = environ.get(CACHE_VARIABLE)
    return Path(named) if named else own_cache(environ)


def own_cache(environ: Mapping[str, str] = os.environ) -> Path:
    """Return our folder among the user's caches (XDG Base Directory Specification)."""
    base = environ.get("XDG_CACHE_HOME", "")
    # The specification has a relative path ignored.
    return (Path(base) if base.startswith("/") else Path.home() / ".cache") / _OWN


def own_calibration(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the user's own calibration; the plugin looks for it in the same place."""
    base = environ.get("XDG_CONFIG_HOME", "")
    config = Path(base) if base.startswith("/") else Path.home() / ".config"
    return config / _OWN / "calibration"


#: Where the calibration of everybody on the machine is.
SHARED_CALIBRATION = Path("/etc") / _OWN / "calibration"


def remove_user_files(
    environ: Mapping[str, str] = os.environ, *, keep_cache: bool = False
) -> list[Left]:
    """Remove what is kept for this user outside NIXL's folders; return all that was found.

    Only folders of our own name go, never what a link leads to, nor what another user owns.
    """
    found = []
    own, named = own_cache(environ), environ.get(CACHE_VARIABLE)
    if own.is_symlink() or own.exists():
        found.append(_remove_cache(own, TABLE[1].what, keep_cache))
    if named and Path(named).is_dir() and not _is_same(Path(named), own):
        found.append(_named(Path(named), TABLE[1].what, f"{CACHE_VARIABLE} names it"))
    found += _remove_calibration(own_calibration(environ))
    if SHARED_CALIBRATION.exists():
        found.append(_named(SHARED_CALIBRATION, _CALIBRATION, "it is for every user"))
    bench = Path(".cache/bench").absolute()
    if bench.is_dir():
        why = "an earlier nixl-stripe kept it in the folder at hand"
        found.append(_named(bench, "downloads and installs of benchmarks", why))
    return found


def _remove_cache(path: Path, what: str, keep: bool) -> Left:
    if keep:
        return Left(path, what, removed=False, why="--keep-cache")
    if path.is_symlink() or not path.is_dir():
        return Left(path, what, removed=False, why="it is not a folder of its own, but a link")
    if path.stat().st_uid != os.geteuid():
        return Left(path, what, removed=False, why=f"it belongs to uid {path.stat().st_uid}")
    try:
        shutil.rmtree(path)  # which follows no link
    except OSError as error:
        raise StripeError(f"cannot remove {error.filename or path}: {error.strerror}") from error
    return Left(path, what, removed=True)


def _remove_calibration(path: Path) -> list[Left]:
    """Remove the file, and its folder where nothing else is in it; a link is the user's own."""
    if path.is_symlink() or not path.is_file():
        return []
    if path.stat().st_uid != os.geteuid():
        return [_named(path, _CALIBRATION, f"it belongs to uid {path.stat().st_uid}")]
    try:
        path.unlink()
        with contextlib.suppress(OSError):  # other files are in it
            path.parent.rmdir()
    except OSError as error:
        raise StripeError(f"cannot remove {path}: {error.strerror}") from error
    return [Left(path, _CALIBRATION, removed=True)]


def _named(path: Path, what: str, why: str) -> Left:
    return Left(
        path, what, removed=False, why=f"{why}: remove it yourself where you do not want it"
    )


def _is_same(path: Path, other: Path) -> bool:
    return path.resolve() == other.resolve()
