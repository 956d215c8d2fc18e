# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The stock NIXL that is measured, and its patched twin."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from nixl_stripe.errors import StripeError
from nixl_stripe.wheel import find_in, patch_folder, status_of
from nixl_stripe.wheel.installs import prepare

_DEFAULT = "nixl-cu12==1.5.1"
_CACHE = Path(".cache/bench")


@dataclass(frozen=True)
class Sites:
    """Folders for `sys.path`."""

    stock: Path
    patched: Path
    module: str
    """`nixl_cu12` or `nixl_cu13`."""
    version: str
    """The same with its version, where the folder says it."""

    def of(self, mode: str) -> Path:
        """Return the folder of one of `cells.MODES`."""
        return self.stock if mode.startswith("stock") else self.patched


def find(nixl: str | None, patched: Path | None, scratch: Path) -> Sites:
    """Return the sites that the command line names; a patched twin is made where none is named.

    nixl: a folder, or a requirement for the user's own pip (the default), whose installation is
    kept in `.cache/bench`. Raises StripeError where a folder holds no NIXL.
    """
    if nixl is None or not Path(nixl).is_dir():
        made = prepare(_CACHE, nixl or _DEFAULT, None, print)
        return _sites(made.stock, made.patched if patched is None else patched)
    stock = Path(nixl)
    _module(stock)
    if patched is None:
        patched = scratch / "patched"
        _copy(stock, patched)
        for folder in find_in(patched):
            patch_folder(folder)
    return _sites(stock, patched)


def _copy(stock: Path, patched: Path) -> None:
    """Copy what belongs to NIXL: the folder may be a whole site-packages."""
    patched.mkdir()
    for pattern in ("nixl*", ".nixl*"):
        for each in stock.glob(pattern):
            if each.is_dir() and not each.name.startswith("nixl_stripe"):
                shutil.copytree(each, patched / each.name, symlinks=True)


def _module(site: Path) -> str:
    modules = sorted(path.parent.name for path in site.glob("nixl_cu1[23]/_api.py"))
    if not modules:
        raise StripeError(f"--nixl {site}: no nixl_cu12 or nixl_cu13 in this folder")
    return modules[0]


def _sites(stock: Path, patched: Path) -> Sites:
    module = _module(stock)
    states = [{status_of(each).is_patched for each in find_in(site)} for site in (stock, patched)]
    if states != [{False}, {True}]:
        raise StripeError(f"--nixl {stock} must be stock and its twin {patched} patched")
    info = sorted(path.name for path in stock.glob(f"{module}-*.dist-info"))
    version = info[0].removesuffix(".dist-info") if info else module
    return Sites(stock, patched, module, version)
