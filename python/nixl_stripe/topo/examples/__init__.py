# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Machines to look at for who has none.

p5.tar.gz: a machine like AWS p5.48xlarge, 8 GPUs and 32 EFA NICs. It is of no real host: tests
write it as a sysfs tree from what is published, and `topo --save` made the capture of that.
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
    return _FOLDER / f"{name}.tar.gz"
