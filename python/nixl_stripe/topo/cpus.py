# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The cores of each NUMA node."""

from __future__ import annotations

import re
from pathlib import Path

from nixl_stripe.untrusted import RefusedError, read_file

#: Bytes of a list; the kernel writes a page at most.
_MOST = 1 << 16
_LIST = re.compile(r"[0-9][0-9,-]{0,1000}")


def cpu_lists(source: Path | None) -> dict[int, str]:
    """Return the cores of each NUMA node as the kernel lists them ("0-55,112-167").

    source: a sysfs root, None for this machine's. Any other source says nothing of cores, nor does
    a file that holds something else.
    """
    root = Path("/sys") if source is None else source
    found = {}
    for file in sorted(root.glob("devices/system/node/node*/cpulist")):
        number = file.parent.name.removeprefix("node")
        try:
            text = read_file(file, _MOST).decode("ascii", "replace").strip()
        except (OSError, RefusedError):
            continue
        if number.isdigit() and _LIST.fullmatch(text):
            found[int(number)] = text
    return found
