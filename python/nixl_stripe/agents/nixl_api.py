# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Finds NIXL's Python API among the packages that may hold it."""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from types import ModuleType

from nixl_stripe.errors import StripeError

#: In the order tried. `nixl` is the meta package, which picks the build for the CUDA it finds.
PACKAGES = ("nixl", "nixl_cu12", "nixl_cu13")


class NixlNotFoundError(StripeError, ImportError):
    """No NIXL is installed where this Python looks."""


def import_api(packages: Iterable[str] = PACKAGES) -> ModuleType:
    """Import `<package>._api` of the first package that exists.

    NixlNotFoundError where none does. An ImportError of a package that exists (0.10 needs torch)
    is raised as it is.
    """
    tried = list(packages)
    for package in tried:
        if _importable(package):
            return importlib.import_module(f"{package}._api")
    raise NixlNotFoundError(
        f"NIXL is not installed: no module {' or '.join(tried)} (pip install nixl)"
    )


def _importable(package: str) -> bool:
    try:
        importlib.import_module(package)
    except ModuleNotFoundError as error:
        if error.name != package:
            raise
        return False
    return True
