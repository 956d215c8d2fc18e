# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What a program in a guest gets: variables, and NIXL's folders that it may use."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

from nixl_stripe.agents.nixl_api import PACKAGES
from nixl_stripe.lab.job import Nixl

#: What every side gets: UCX's own report of the lanes, and this package. A guest has one processor:
#: a thread that posts would spin for its whole time slice on the lock of UCX's worker whenever the
#: progress thread was interrupted while it held it, 0.1 to 0.7 s in 290 small writes.
BASE_ENVIRONMENT = {
    "UCX_PROTO_INFO": "y",
    "UCX_USE_MT_MUTEX": "y",
    "PYTHONPATH": str(Path(__file__).resolve().parents[3]),
}

#: Starts a program as in a pod: in a network namespace of its own, where a fresh sysfs shows no
#: counters and none of the NICs' interfaces, as nobody and without capabilities.
POD = (
    *("prlimit", "--memlock=unlimited", "unshare", "--net", "--mount", "sh", "-c"),
    "mount -t sysfs none /sys && exec setpriv --reuid=65534 --regid=65534 --clear-groups "
    '--inh-caps=-all --bounding-set=-all env HOME=/tmp "$@"',
    "sh",
)


def nixl_folders(nixl: Nixl) -> list[Path]:
    """Return the folders in which a side may find NIXL and the libraries that it bundles."""
    if nixl.paths:
        return [Path(path) for path in nixl.paths]
    names = [nixl.package] if nixl.package else list(PACKAGES)
    found = [importlib.util.find_spec(name) for name in names]
    return [Path(spec.origin).parents[1] for spec in found if spec and spec.origin]


def ways_in(share: Path, nixl: Nixl | None) -> list[str]:
    """Return every folder above Python, this package, NIXL and the bed's own.

    One of them may be closed to others, such as a user's home.
    """
    python = Path(sys.executable)
    inner = [share, python, python.resolve(), Path(BASE_ENVIRONMENT["PYTHONPATH"]) / "x"]
    inner += [site / "x" for site in (nixl_folders(nixl) if nixl else ())]
    return sorted({str(parent) for path in inner for parent in path.parents})
