# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The UCX that this process has loaded, as it says itself."""

from __future__ import annotations

import contextlib
import ctypes
from pathlib import Path

_LIBRARY = "libucp"


def loaded_ucx(maps: Path = Path("/proc/self/maps")) -> str | None:
    """Return its version, "1.23.0"; those of several with a comma; None where there is none.

    maps: the process's mapped files, for tests.
    """
    with contextlib.suppress(OSError, UnicodeDecodeError):
        lines = maps.read_text("utf-8").splitlines()
        files = {line.split(maxsplit=5)[5] for line in lines if f"/{_LIBRARY}" in line}
        found = {_version_of(file) for file in files} - {""}
        return ", ".join(sorted(found)) or None
    return None


def _version_of(file: str) -> str:
    try:
        library = ctypes.CDLL(file)  # mapped already: nothing is loaded anew
        library.ucp_get_version_string.restype = ctypes.c_char_p
        return bytes(library.ucp_get_version_string()).decode("ascii", "replace")
    except (OSError, AttributeError):  # replaced on disk meanwhile, or no UCX
        return ""
