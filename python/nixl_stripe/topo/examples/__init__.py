# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Machines to look at for who has none.

p5.xml: AWS p5.48xlarge as hwloc 2 sees it; from NIXL's repository, Apache-2.0, unchanged
(`test/unit/utils/libfabric/topo`).
"""

from __future__ import annotations

from pathlib import Path

from nixl_stripe.errors import UsageError

_FOLDER = Path(__file__).parent
NAMES = ("p5",)


def path_of(name: str) -> Path:
    """Return the file of an example; UsageError names those that there are."""
    if name not in NAMES:
        raise UsageError(f"--example {name!r}: accepted are {', '.join(NAMES)}")
    return _FOLDER / f"{name}.xml"
