# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""`nixl-stripe patch`: the installed NIXL, or any plugin folder, in place."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

from nixl_stripe._core import __version__
from nixl_stripe.cli.command import App, Argument, Exit, Option
from nixl_stripe.cli.patch_into import put_beside
from nixl_stripe.cli.words import json_text
from nixl_stripe.errors import StripeError, UsageError
from nixl_stripe.scratch import sweep
from nixl_stripe.terminal import echo
from nixl_stripe.wheel.layout import PLUGIN
from nixl_stripe.wheel.loading import plugin_options
from nixl_stripe.wheel.locate import PluginFolder, find_in, find_installed, search_path_of
from nixl_stripe.wheel.patch import (
    Outcome,
    patch_folder,
    reinstall_hint,
    status_of,
    undo_folder,
)
from nixl_stripe.wheel.self_check import Load
from nixl_stripe.wheel.state import State, Status
from nixl_stripe.wheel.versions import is_newer
from nixl_stripe.wheel.written import Left, remove_user_files

#: What one folder of the answer says: for people as a sentence, for programs as it is.
Row = dict[str, object]

_DONE = {
    "patched": "patched: {plugin} is nixl-stripe {version}, the stock one is kept beside it",
    "updated": "updated: {plugin} was nixl-stripe {old}{older}, is nixl-stripe {version} now",
    "repaired": "repaired what a stopped run had left",
    "undone": "undone: {plugin} is the stock one again",
}
_ADVICE = {
    State.STOCK: "stock; to patch it: nixl-stripe patch{where}",
    State.PATCHED: "patched with nixl-stripe {version}",
    State.OUTDATED: "patched with nixl-stripe {version} (another build than this one's, "
    "{current}); to update it: nixl-stripe patch{where}",
    State.UNFINISHED: "stock; a patch was stopped half-way, to finish it: nixl-stripe patch{where}",
    State.REPLACED: "stock; an upgrade of NIXL took the patch away, to patch it again: "
    "nixl-stripe patch{where}",
    State.BROKEN: "broken: our plugin or the stock one is missing; to fix it: {fix}",
    State.NOT_NIXL: "not a plugin of NIXL",
}


_NEWER = (
    "patched with nixl-stripe {version}, which is newer than this one ({current}): update this "
    "one (pip install --upgrade nixl-stripe), or go back to its plugin: nixl-stripe patch{where}"
)


def register(app: App) -> None:
    """Add the verb to `app`."""
    app.command("patch", example="nixl-stripe patch --status")(patch)


def patch(
    folder: Annotated[
        Path | None,
        Argument(
            metavar="[DIR]",
            help="A folder of NIXL plugins, one that NIXL was installed into, or the prefix of a "
            "build from source. Default: every NIXL installed for this Python.",
        ),
    ] = None,
    undo: Annotated[bool, Option("--undo", help="Put the stock plugin back.")] = False,
    status: Annotated[
        bool,
        Option(
            "--status",
            help="Change nothing; exit code 0 when all is patched with this version, else 1.",
        ),
    ] = False,
    python: Annotated[
        str | None,
        Option(metavar="PROGRAM", help="The NIXL installed for this Python instead."),
    ] = None,
    plugin: Annotated[
        Path | None, Option(metavar="FILE", help="The plugin to use instead of our own.")
    ] = None,
    into: Annotated[
        Path | None,
        Option(
            metavar="DIR",
            help="Leave NIXL as it is and put a patched copy of its plugins there, for "
            "NIXL_PLUGIN_DIR=DIR/plugins.",
        ),
    ] = None,
    keep_cache: Annotated[
        bool,
        Option("--keep-cache", help="With --undo: leave the caches of this user."),
    ] = False,
    check: Annotated[
        bool,
        Option(
            "--check/--no-check", help="Load our plugin in a process of its own before NIXL can."
        ),
    ] = True,
    as_json: Annotated[bool, Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Put our UCX plugin in front of NIXL's own, in place; --undo takes it away again.

    --undo also removes what nixl-stripe keeps for this user elsewhere (caches of test guests), and
    names each file that it removes or leaves.

    Works on the NIXL for CUDA 12 and for CUDA 13 where both are installed. A running process keeps
    the plugin that it has loaded.
    """
    if undo and status:
        raise UsageError("--undo and --status exclude each other")
    if keep_cache and not undo:
        raise UsageError("--keep-cache goes with --undo")
    if folder is not None and python is not None:
        raise UsageError("DIR and --python exclude each other: each says where NIXL is")
    if into is not None and (undo or status):
        raise UsageError("--into goes with neither --undo nor --status: remove DIR to undo it")
    folders = _find(folder, python)
    if into is not None:
        put_beside(folders, into, plugin, plugin_options if check else None, as_json=as_json)
        return
    where = f" {shlex.quote(str(folder))}" if folder else ""
    where += f" --python {shlex.quote(python)}" if python else ""
    patch_row = partial(_patch_row, load=plugin_options if check else None)
    act = _status_row if status else _undo_row if undo else patch_row
    rows = [_guarded(act, one, plugin, where) for one in folders]
    ok = all(row["ok"] for row in rows)
    left = _user_files(keep_cache) if undo and ok else []
    if as_json:
        files = {"files": [_left_row(each) for each in left]} if undo else {}
        answer = {"ok": ok, "nixl_stripe": __version__, "folders": rows, **files}
        echo(json_text(answer))
    else:
        _print(rows, where, undo=undo, status=status)
        for each in left:
            says = f"removed: {each.what}" if each.removed else f"left: {each.what}; {each.why}"
            echo(f"{each.path}: {says}")
    _warn_of_plugin_dir(folders)
    if not ok:
        raise Exit(1)


def _user_files(keep_cache: bool) -> list[Left]:
    """Remove what ours leaves outside NIXL's folders: see `wheel.written`."""
    swept = [Left(path, "scratch folder of a run that was killed", True) for path in sweep()]
    return [*swept, *remove_user_files(keep_cache=keep_cache)]


def _left_row(left: Left) -> Row:
    return {
        "path": str(left.path),
        "what": left.what,
        "removed": left.removed,
        "why": left.why,
    }


def _find(folder: Path | None, python: str | None) -> list[PluginFolder]:
    if folder is not None:
        return find_in(folder)
    found = find_installed(search_path_of(python) if python else None)
    if not found:
        raise StripeError(
            f"no NIXL is installed for {python or 'this Python'}: pip install nixl, or name its "
            "Python (--python PROGRAM) or its plugin folder (nixl-stripe patch DIR)"
        )
    return found


def _guarded(
    act: Callable[[PluginFolder, Path | None, str], Row],
    folder: PluginFolder,
    plugin: Path | None,
    where: str,
) -> Row:
    """Run one folder's part; a failure is its row, so that the other folders get their turn."""
    try:
        return act(folder, plugin, where)
    except StripeError as error:
        return {**_place(folder), "ok": False, "action": "failed", "detail": str(error)}


def _patch_row(
    folder: PluginFolder, plugin: Path | None, where: str, load: Load | None = None
) -> Row:
    outcome = patch_folder(folder, plugin, load)
    return _done_row(outcome, where)


def _undo_row(folder: PluginFolder, _plugin: Path | None, where: str) -> Row:
    outcome = undo_folder(folder)
    return _done_row(outcome, where)


def _done_row(outcome: Outcome, where: str) -> Row:
    action, before, after = outcome.action, outcome.before, outcome.after
    names = {"plugin": before.folder.path / PLUGIN, "version": after.plugin_version}
    if action == "unchanged":
        detail = f"nothing to do: {_advice(after, where)}"
    else:
        old = before.plugin_version
        older = ", a newer one" if is_newer(old, str(after.plugin_version)) else ""
        detail = _DONE[action].format(old=old, older=older, **names)
    said = {"ok": True, "action": action, "detail": detail, "warnings": list(outcome.warnings)}
    return {**_facts(after), **said}


def _status_row(folder: PluginFolder, plugin: Path | None, where: str) -> Row:
    status = status_of(folder, plugin)
    detail = _advice(status, where)
    unfinished = status.record_is_true is False or bool(status.leftovers)
    if unfinished and status.state in (State.PATCHED, State.STOCK):
        verb = "patch" if status.state is State.PATCHED else "patch --undo"
        detail += f"; a stopped run left work to do, to finish it: nixl-stripe {verb}{where}"
    return {**_facts(status), "ok": status.is_patched, "action": "status", "detail": detail}


def _advice(status: Status, where: str) -> str:
    restorable = status.stock.is_stock
    fix = f"nixl-stripe patch --undo{where}" if restorable else reinstall_hint(status.folder)
    newer = status.state is State.OUTDATED and is_newer(status.plugin_version, __version__)
    return (_NEWER if newer else _ADVICE[status.state]).format(
        version=status.plugin_version, current=__version__, where=where, fix=fix
    )


def _place(folder: PluginFolder) -> Row:
    return {
        "folder": str(folder.path),
        "distribution": folder.distribution,
        "version": folder.version,
    }


def _facts(status: Status) -> Row:
    return {
        **_place(status.folder),
        "state": status.state.value,
        "plugin_version": status.plugin_version,
        "record_is_true": status.record_is_true,
        "second_copies": [str(path) for path in status.folder.copies if path.exists()],
    }


def _print(rows: Sequence[Row], where: str, *, undo: bool, status: bool) -> None:
    for row in rows:
        name = f"{row['distribution']} {row['version']}" if row["distribution"] else row["folder"]
        echo(f"{name}: {row['detail']}", err=row["action"] == "failed")
        for copy in _texts(row, "second_copies"):
            echo(f"  {copy} is a second copy, which NIXL does not load: it stays as it is")
        for warning in _texts(row, "warnings"):
            echo(f"nixl-stripe: warning: {warning}", err=True)
    if not undo and not status and any(row["action"] in ("patched", "updated") for row in rows):
        echo(f"Undo: nixl-stripe patch --undo{where}")


def _texts(row: Row, key: str) -> list[object]:
    found = row.get(key)
    return found if isinstance(found, list) else []


def _warn_of_plugin_dir(folders: Sequence[PluginFolder]) -> None:
    """Say so where NIXL loads its plugins from elsewhere than the folders at hand."""
    named = os.environ.get("NIXL_PLUGIN_DIR")
    if named and Path(named).resolve() not in [folder.path for folder in folders]:
        echo(
            f"nixl-stripe: NIXL_PLUGIN_DIR={named} is set, so NIXL loads its plugins from there, "
            f"not from the folders above; to patch it: nixl-stripe patch {named}",
            err=True,
        )
