# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Loads a plugin as NIXL would and asks for its options: the proof that it can be used here.

In a process of its own with a time limit, which ends without running exit handlers: the wheels'
bundled network library crashes there on machines without RDMA.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nixl_stripe.errors import StripeError
from nixl_stripe.untrusted import one_line

#: Seconds; a plugin takes a tenth of one.
LIMIT_S = 30.0
_ANSWER = "NIXL_STRIPE_ANSWER "
_LONGEST_REASON = 400

#: The interface of plugin API version 1 (nixl_patch/plugin/nixl_abi.h); the options come as a
#: std::unordered_map<std::string, std::string> of libstdc++: its third word is the first node,
#: a node is the next one, then key and value, 32 bytes each, which begin with address and length.
_PROGRAM = r"""
import ctypes, json, os, sys

class Plugin(ctypes.Structure):
    _fields_ = [("api", ctypes.c_int)] + [
        (name, ctypes.c_void_p) for name in ("create", "destroy", "name", "version", "options")
    ]

class Map(ctypes.Structure):
    _fields_ = [("words", ctypes.c_uint64 * 7)]

def string(at):
    address, length = (ctypes.c_uint64 * 2).from_address(at)
    return ctypes.string_at(address, length).decode()

try:
    for name in sys.argv[2:]:
        ctypes.CDLL(name, mode=os.RTLD_NOW | os.RTLD_GLOBAL)
    library = ctypes.CDLL(sys.argv[1], mode=os.RTLD_NOW | os.RTLD_LOCAL)
    library.nixl_plugin_init.restype = ctypes.POINTER(Plugin)
    plugin = library.nixl_plugin_init()
    if not plugin:
        raise OSError("nixl_plugin_init returned nothing")
    if plugin.contents.api != 1:
        raise OSError(f"plugin API version {plugin.contents.api}, 1 is known")
    options, node = {}, ctypes.CFUNCTYPE(Map)(plugin.contents.options)().words[2]
    while node:
        options[string(node + 8)] = string(node + 40)
        node = ctypes.c_uint64.from_address(node).value
    answer = {"options": options}
except (OSError, AttributeError) as error:
    answer = {"error": str(error)}
print("NIXL_STRIPE_ANSWER " + json.dumps(answer), flush=True)
os._exit(0)
"""


def plugin_options(plugin: Path, first: Sequence[Path] = ()) -> dict[str, str]:
    """Return the options that the plugin advertises, loaded in a process of its own.

    first: libraries that NIXL has loaded by then, such as libnixl.so of the folder above.
    Raises StripeError, with the loader's reason, where it cannot be loaded or does not answer.
    """
    command = [sys.executable, "-I", "-c", _PROGRAM, str(plugin), *map(str, first)]
    try:
        done = subprocess.run(
            command,
            env=quiet_environment(os.environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=LIMIT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise StripeError(f"{plugin} was not loaded within {LIMIT_S:.0f} s") from error
    except OSError as error:
        raise StripeError(f"{sys.executable} cannot be run: {error.strerror}") from error
    said = done.stdout.decode("utf-8", "replace").splitlines()
    rows = [line.removeprefix(_ANSWER) for line in said if line.startswith(_ANSWER)]
    lines = [*said, *done.stderr.decode("utf-8", "replace").splitlines()]
    answer: dict[str, Any] = json.loads(rows[-1]) if rows else {}
    if "options" in answer:
        return {str(key): str(value) for key, value in answer["options"].items()}
    why = answer.get("error", f"the process {_ending(done.returncode)}")
    heard = [line for line in lines if "nixl-stripe" in line or "cannot" in line]
    reason = " ".join([why, *(f"({line.strip()})" for line in heard[-1:])])
    raise StripeError(f"{plugin} cannot be loaded: {one_line(reason, _LONGEST_REASON)}")


def loaded_before(folder: Path) -> list[Path]:
    """Return what NIXL itself, which is in the folder above its plugins, has loaded before one."""
    library = folder.parent / "libnixl.so"
    return [library] if library.is_file() else []


def quiet_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return `environment` without what a user has set for UCX and NIXL, and with UCX silent."""
    kept = {
        key: value for key, value in environment.items() if not key.startswith(("UCX_", "NIXL_"))
    }
    return {**kept, "UCX_LOG_LEVEL": "fatal"}


def _ending(status: int) -> str:
    return f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
