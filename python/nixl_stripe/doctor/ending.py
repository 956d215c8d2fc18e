# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Whether a process with NIXL in it ends well.

NIXL's wheels bundle libibverbs and libnl-route, but not libefa and librdmacm, which two of UCX's
modules are linked with. Where the system has these, they bring the system's libibverbs and
libnl-route into the process, and a destructor of the second libnl-route reaches into the first one:
SIGSEGV at exit, after the program's last line. Seen with nixl-cu12 0.10.1 to 1.5.1, patched or not.
"""

from __future__ import annotations

from pathlib import Path

from nixl_stripe import _core
from nixl_stripe.doctor.check import Check, Verdict, ok, skip, warn
from nixl_stripe.doctor.surroundings import Surroundings
from nixl_stripe.wheel.patch import status_of
from nixl_stripe.wheel.state import State

#: UCX's module: the library of the system that it is linked with.
_MODULES = {"efa": "libefa.so.1", "rdmacm": "librdmacm.so.1"}
_FILES = {"efa": "libuct_ib_efa.so*", "rdmacm": "libuct_rdmacm.so*"}
#: The module that another one is loaded by.
_LOADER = {"efa": "ib"}
#: What `nixl_patch/ucx/plan.cpp` gives UCX where `stripe` is in force.
LEFT_OUT = "^efa,rdmacm"


def is_loaded(module: str, said: str) -> bool:
    """Return whether UCX loads a module with this UCX_MODULES (a list, or with ^ all but these)."""
    allowed = _core.UcxAllowList(said, are_words=True)
    return all(allowed.admits([name]) for name in {module, _LOADER.get(module, module)})


def _exit(at: Surroundings) -> Verdict:
    if not at.folders:
        return skip("no NIXL is installed")
    cache = _bytes(at.root / "etc/ld.so.cache")
    said = at.environ.get("UCX_MODULES", "all")
    hit = {
        name: library
        for name, library in _MODULES.items()
        if is_loaded(name, said)
        and f"{library}\0".encode() in cache
        and any(_is_linked(folder.path, name) for folder in at.folders)
    }
    if not hit:
        return ok("nothing brings a second libnl-route into the process")
    what = (
        f"UCX's module(s) {', '.join(hit)} load the system's {', '.join(hit.values())} and a "
        "second libnl-route: SIGSEGV when the process exits, NIXL's own fault"
    )
    if any(port.link_layer == "EFA" for nic in at.machine.nics for port in nic.ports):
        return warn(
            f"{what}; EFA needs the module", "leave by os._exit() where the exit code matters"
        )
    patched = all(status_of(folder).state is State.PATCHED for folder in at.folders)
    if patched and "UCX_MODULES" not in at.environ:
        return ok(f"{what}; where `stripe` is in force they are left out, and it exits well")
    return warn(what, f"UCX_MODULES={LEFT_OUT}, or patch NIXL and use `stripe`")


def _is_linked(plugins: Path, module: str) -> bool:
    """Return whether the wheel has the module, linked with a library that it has not."""
    for libraries in plugins.parents[1].glob("nixl_cu*.libs"):
        for file in (libraries / "ucx").glob(_FILES[module]):
            if f"\0{_MODULES[module]}\0".encode() in _bytes(file):
                return True
    return False


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


CHECKS = (Check("exit", "libraries that make the process crash at its exit", _exit),)
