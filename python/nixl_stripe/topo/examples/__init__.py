# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Machines to look at for who has none.

p5.json: a machine like AWS p5.48xlarge, 8 GPUs and 32 EFA NICs: the files and links of a sysfs. It
is of no real host: tests write it as a tree from what is published, and `topo --save` copied that.
"""

from __future__ import annotations

import atexit
import functools
import json
from pathlib import Path

from nixl_stripe.errors import UsageError
from nixl_stripe.scratch import Scratch

_FOLDER = Path(__file__).parent
NAMES = ("p5",)


@functools.cache
def path_of(name: str) -> Path:
    """Return an example as a sysfs root, there until this process ends.

    UsageError names those that there are.
    """
    if name not in NAMES:
        raise UsageError(f"--example {name!r}: accepted are {', '.join(NAMES)}")
    tree = json.loads((_FOLDER / f"{name}.json").read_text("utf-8"))
    scratch = Scratch("example")
    atexit.register(scratch.close)
    root = scratch.path / name
    for path, text in tree["files"].items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    for path, target in tree["links"].items():
        link = root / path
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(target)
    return root
