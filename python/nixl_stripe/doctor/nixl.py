# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Checks of the installed NIXL: patched or not, its UCX, what else could take its place."""

from __future__ import annotations

import importlib.metadata
import re
import sys
from pathlib import Path

from nixl_stripe import _core
from nixl_stripe._core import __version__
from nixl_stripe.doctor.bundled import bundled_ucx
from nixl_stripe.doctor.check import Check, Verdict, fail, ok, skip, warn
from nixl_stripe.doctor.surroundings import Surroundings
from nixl_stripe.errors import StripeError
from nixl_stripe.planning import efa
from nixl_stripe.wheel.layout import PLUGIN, STOCK
from nixl_stripe.wheel.loading import loaded_before, plugin_options
from nixl_stripe.wheel.locate import PluginFolder, find_in
from nixl_stripe.wheel.patch import reinstall_hint, status_of
from nixl_stripe.wheel.state import State, Status
from nixl_stripe.wheel.versions import is_newer

_PATCH = "nixl-stripe patch"
#: Packages that bring a UCX of their own into the process.
_UCX_PACKAGES = re.compile(r"(libucx|ucx-py|ucxx|distributed-ucxx)(-cu\d+)?")


def _installed(at: Surroundings) -> Verdict:
    if not at.folders:
        named = at.environ.get("NIXL_PLUGIN_DIR")
        if named:
            return ok(f"no NIXL package; plugins come from NIXL_PLUGIN_DIR={named}")
        return warn("no NIXL is installed for this Python", "pip install nixl")
    return ok(", ".join(dict.fromkeys(folder.label for folder in at.folders)))


def _plugin(at: Surroundings) -> Verdict:
    if not at.folders:
        return skip("no NIXL is installed")
    named = at.environ.get("NIXL_PLUGIN_DIR")
    if named and Path(named).resolve() not in [folder.path for folder in at.folders]:
        return skip("NIXL_PLUGIN_DIR takes its place: see the check plugin-dir")
    return _worst([_state(status_of(folder)) for folder in at.folders])


def _state(status: Status) -> Verdict:
    label, version = status.folder.label, status.plugin_version
    if status.state is State.PATCHED:
        if status.is_patched:
            return ok(f"{label} is patched with nixl-stripe {version}")
        return warn(f"{label} is patched, a stopped run left work to do", _PATCH)
    if status.state is State.OUTDATED and is_newer(version, __version__):
        return warn(
            f"{label} is patched with nixl-stripe {version}, newer than this one ({__version__})",
            "pip install --upgrade nixl-stripe",
        )
    if status.state is State.OUTDATED:
        return warn(f"{label} is patched with another build, nixl-stripe {version}", _PATCH)
    if status.state is State.BROKEN:
        fix = f"{_PATCH} --undo" if status.stock.is_stock else reinstall_hint(status.folder)
        return fail(f"{label} is broken: our plugin or the stock one is missing", fix)
    if status.state is State.NOT_NIXL:
        return fail(f"{label}: its {PLUGIN} is no plugin of NIXL", reinstall_hint(status.folder))
    why = {
        State.REPLACED: "an upgrade of NIXL took the patch away",
        State.UNFINISHED: "a patch was stopped half-way",
    }.get(status.state, "its UCX plugin is the stock one, which ignores our parameters")
    return fail(f"{label}: {why}", _PATCH)


def _worst(verdicts: list[Verdict]) -> Verdict:
    """Put verdicts together: the worst status, every detail that has it, its fixes."""
    for status in ("fail", "warn", "ok", "skip"):
        chosen = [each for each in verdicts if each.status == status]
        if chosen:
            details = "; ".join(dict.fromkeys(each.detail for each in chosen))
            fixes = "; ".join(dict.fromkeys(each.fix for each in chosen if each.fix))
            return Verdict(chosen[0].status, details, fixes)
    return skip("nothing to look at")


def _ucx(at: Surroundings) -> Verdict:
    folders = [folder for folder in _loaded_folders(at) if _has_plugin(folder.path)]
    if not folders:
        return skip("no NIXL is installed")
    return _worst([_ucx_of(folder, at) for folder in folders])


def _ucx_of(folder: PluginFolder, at: Surroundings) -> Verdict:
    try:
        ucx = bundled_ucx(folder.path)
    except StripeError as error:
        return warn(f"{folder.label}: {error}", "install what the message names, or a newer NIXL")
    gpu_over_tcp = bool(at.machine.gpus) and not at.machine.nics
    lacks = [
        rule.lack
        for rule in _core.setting_table()
        if rule.lack
        and f"UCX_{rule.key}" not in ucx.settings
        and (gpu_over_tcp or not rule.is_for_gpu_over_tcp)
    ]
    detail = f"{folder.label}: UCX {ucx.version}"
    if "UCX_MAX_RMA_RAILS" not in ucx.settings:
        return fail(f"{detail} has no UCX_MAX_RMA_RAILS", "pip install --upgrade nixl")
    has_efa = any(at_port.link_layer == "EFA" for nic in at.machine.nics for at_port in nic.ports)
    if has_efa and (reason := efa.problem(ucx.version)):
        return warn(f"{folder.label}: {reason}", f"pip install --upgrade nixl; {efa.ALTERNATIVE}")
    if lacks:
        return warn(f"{detail} lacks {'; '.join(lacks)}", "pip install --upgrade nixl")
    return ok(f"{detail} knows every setting that striping needs")


def _has_plugin(folder: Path) -> bool:
    return (folder / PLUGIN).exists() or (folder / STOCK).exists()


def _loaded_folders(at: Surroundings) -> list[PluginFolder]:
    """Return the folders that NIXL loads from: NIXL_PLUGIN_DIR's before the packages' own."""
    named = at.environ.get("NIXL_PLUGIN_DIR")
    return [PluginFolder(Path(named).resolve())] if named else list(at.folders)


def _plugin_dir(at: Surroundings) -> Verdict:
    named = at.environ.get("NIXL_PLUGIN_DIR")
    if not named:
        return ok("NIXL_PLUGIN_DIR is not set, NIXL loads its own plugins")
    if Path(named).resolve() in [folder.path for folder in at.folders]:
        return ok(f"NIXL_PLUGIN_DIR={named} is the installed NIXL's own folder")
    try:
        folders = find_in(Path(named))
    except StripeError as error:
        return fail(f"NIXL_PLUGIN_DIR={named}: {error}", "unset NIXL_PLUGIN_DIR, or correct it")
    if all(status_of(folder).state in (State.PATCHED, State.OUTDATED) for folder in folders):
        return ok(f"NIXL_PLUGIN_DIR={named} is patched, it takes the place of the installed NIXL's")
    return fail(
        f"NIXL loads its plugins from NIXL_PLUGIN_DIR={named}, which is not patched",
        f"{_PATCH} {named}, or unset NIXL_PLUGIN_DIR",
    )


def _loads(at: Surroundings) -> Verdict:
    """Load what NIXL would: the folder that it takes its plugins from, as it is."""
    folders = [folder for folder in _loaded_folders(at) if (folder.path / PLUGIN).exists()]
    if not folders:
        return skip("no NIXL is installed")
    return _worst([_loads_of(folder, at) for folder in folders])


def _loads_of(folder: PluginFolder, at: Surroundings) -> Verdict:
    first = loaded_before(folder.path)
    for installed in at.folders:
        first = first or loaded_before(installed.path)
    try:
        plugin_options(folder.path / PLUGIN, first)
    except StripeError as error:
        fix = reinstall_hint(folder)
        if folder.distribution is None:
            fix = "unset NIXL_PLUGIN_DIR, or put the libraries where the plugin looks for them"
        elif (folder.path / STOCK).exists():
            fix = f"{_PATCH} --undo, or {fix}"
        return fail(f"{folder.label}: {error}", fix)
    unused = [str(path) for path in folder.copies if path.exists()]
    second = f"; not looked at, as NIXL does not load it: {', '.join(unused)}" if unused else ""
    return ok(f"{folder.label}: its UCX plugin was loaded and answers{second}")


def _second_ucx(at: Surroundings) -> Verdict:
    """Look for a UCX beside the wheel's own that would be loaded first."""
    found = []
    preload = re.split(r"[\s:]+", at.environ.get("LD_PRELOAD", ""))
    found += [f"LD_PRELOAD={name}" for name in preload if re.search(r"/?libuc[pst]\b", name)]
    for folder in filter(None, at.environ.get("LD_LIBRARY_PATH", "").split(":")):
        if any(Path(folder).glob("libucp.so*")):
            found.append(f"LD_LIBRARY_PATH has {folder}, which holds a libucp")
    named = at.environ.get("UCX_MODULE_DIR")
    if named:
        found.append(f"UCX_MODULE_DIR={named} replaces the modules of the wheel's UCX")
    path = list(sys.path if at.search_path is None else at.search_path)
    installed = importlib.metadata.distributions(path=path)
    packages = {(each.metadata["Name"] or "").lower() for each in installed}
    others = sorted(name for name in packages if _UCX_PACKAGES.fullmatch(name))
    if found:
        return warn(
            "; ".join(found) + ": a second UCX in the process",
            "take it away where NIXL runs: unset LD_PRELOAD, LD_LIBRARY_PATH or UCX_MODULE_DIR",
        )
    if others:
        return ok(f"{', '.join(others)} bring(s) another UCX; the patch reaches NIXL's own only")
    return ok("no other UCX in the way")


CHECKS = (
    Check("nixl", "NIXL packages installed for this Python", _installed),
    Check("plugin", "whether each flavour (cu12, cu13) is patched, by which version", _plugin),
    Check("plugin-loads", "whether the UCX plugin can be loaded and answers", _loads),
    Check("ucx-version", "version of NIXL's UCX and what it lacks", _ucx),
    Check("plugin-dir", "NIXL_PLUGIN_DIR overriding the patched folder", _plugin_dir),
    Check("second-ucx", "another UCX that could be loaded into the process", _second_ucx),
)
