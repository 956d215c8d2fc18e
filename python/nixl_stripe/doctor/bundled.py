# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Asks the UCX that a NIXL plugin is linked with: its version and the settings that it knows.

The plugin is loaded in a process of its own, which ends without running exit handlers: the wheels'
bundled network library crashes there on machines without RDMA.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from nixl_stripe.errors import StripeError
from nixl_stripe.wheel.layout import PLUGIN, STOCK

_LIMIT_S = 20

_PROGRAM = r"""
import ctypes, json, os, sys
ctypes.CDLL(sys.argv[1])
paths = {line.split()[-1] for line in open("/proc/self/maps") if "/libucp" in line}
ucp = ctypes.CDLL(sorted(paths)[0])
ucp.ucp_get_version_string.restype = ctypes.c_char_p
ucp.ucp_config_read.restype = ctypes.c_int8
config = ctypes.c_void_p()
status = ucp.ucp_config_read(None, None, ctypes.byref(config))
libc = ctypes.CDLL(None)
libc.fdopen.restype = ctypes.c_void_p
names = []
if status == 0:
    read_end, write_end = os.pipe()
    stream = ctypes.c_void_p(libc.fdopen(write_end, b"w"))
    ucp.ucp_config_print(config, stream, b"", 1)
    libc.fclose(stream)
    with os.fdopen(read_end) as text:
        names = [line.partition("=")[0] for line in text if line.startswith("UCX_")]
print(json.dumps([ucp.ucp_get_version_string().decode(), names]), flush=True)
os._exit(0)
"""


@dataclass(frozen=True)
class BundledUcx:
    """The UCX of one plugin folder."""

    version: str
    """"1.23.0"."""
    settings: frozenset[str]
    """Names of its contexts' settings, with UCX_."""


def bundled_ucx(folder: Path) -> BundledUcx:
    """Return the UCX that the plugin in `folder` uses; StripeError where it cannot be loaded."""
    plugin = folder / STOCK
    if not plugin.exists():
        plugin = folder / PLUGIN
    environment = {key: value for key, value in os.environ.items() if not key.startswith("UCX_")}
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-c", _PROGRAM, str(plugin)],
            env={**environment, "UCX_LOG_LEVEL": "fatal"},
            capture_output=True,
            text=True,
            timeout=_LIMIT_S,
            check=False,
        )
        version, names = json.loads(done.stdout)
    except subprocess.TimeoutExpired as error:
        raise StripeError(f"{plugin} was not loaded within {_LIMIT_S} s") from error
    except ValueError as error:
        lines = done.stderr.strip().splitlines()
        why = lines[-1] if lines else f"exit status {done.returncode}"
        raise StripeError(f"{plugin} cannot be loaded: {why}") from error
    return BundledUcx(version, frozenset(names))
