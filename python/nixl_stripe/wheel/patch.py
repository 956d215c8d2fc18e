# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Patch NIXL in place and undo it: which folders, locked, checked before and after."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from nixl_stripe.errors import StripeError
from nixl_stripe.wheel.elf import SharedObject
from nixl_stripe.wheel.layout import PLUGIN, STOCK, read_our_plugin
from nixl_stripe.wheel.listing import new_record_path
from nixl_stripe.wheel.locate import PluginFolder
from nixl_stripe.wheel.rights import Rights
from nixl_stripe.wheel.self_check import Load, look_for
from nixl_stripe.wheel.state import State, Status, inspect
from nixl_stripe.wheel.steps import Step, patch_steps, repair_steps, undo_steps

#: Seconds to wait for another run in the same folder; one takes well under a second.
LOCK_WAIT = 30.0
#: What file systems without such locks answer. The steps are safe without: renames, and a check
#: of what is renamed; the lock only spares a second run from failing.
_NO_LOCKS = {errno.EBADF, errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP}


@dataclass(frozen=True)
class Outcome:
    """What a run did in one folder."""

    folder: PluginFolder
    action: str
    """`patched`, `updated`, `repaired`, `undone` or `unchanged`."""
    before: Status
    after: Status
    warnings: tuple[str, ...] = ()
    """What the kernel did not allow to be kept: an owner, a label."""


def patch_folder(
    folder: PluginFolder, plugin: Path | None = None, load: Load | None = None
) -> Outcome:
    """Put our plugin in front of NIXL's in `folder`; do nothing where it is there already.

    plugin: the plugin to use, None for the one installed with this package.
    load: loads our plugin before it takes effect, such as `loading.plugin_options`; None: nothing
        is loaded.
    Raises StripeError, with the folder as it was, where it is not NIXL's, cannot be written, the
    plugin is for another machine or cannot be loaded.
    """
    ours, facts = read_our_plugin(plugin)
    with _locked(folder):
        before = inspect(folder, ours)
        _check_patchable(before, facts)
        look, said = (None, ()) if before.state is State.PATCHED else look_for(before, load)
        warnings = said + _run(before, patch_steps(before, ours, look), PLUGIN)
        after = inspect(folder, ours)
    if not after.is_patched:
        raise StripeError(f"{folder.path} is {after.state.value} after patching: run it again")
    actions = {State.OUTDATED: "updated", State.PATCHED: "repaired"}
    changed = actions.get(before.state, "patched")
    action = "unchanged" if before.is_patched else changed
    return Outcome(folder, action, before, after, warnings)


def undo_folder(folder: PluginFolder) -> Outcome:
    """Put NIXL's own plugin back in `folder`, and its RECORD; do nothing where both are there.

    Works for what `patch_folder` did, and for an installed wheel of `build_wheel`.
    Raises StripeError where there is no stock plugin to put back or the folder cannot be written.
    """
    any_version = b""  # taking ours away does not depend on which one it is
    with _locked(folder):
        before = inspect(folder, any_version)
        _check_undoable(before)
        steps = undo_steps(before)
        warnings = _run(before, steps)
        after = inspect(folder, any_version)
    if after.state is not State.STOCK:
        raise StripeError(f"{folder.path} is {after.state.value} after undoing: run it again")
    if not steps:
        return Outcome(folder, "unchanged", before, after)
    action = "repaired" if before.state is State.STOCK else "undone"
    return Outcome(folder, action, before, after, warnings)


def status_of(folder: PluginFolder, plugin: Path | None = None) -> Status:
    """Return what `folder` holds; nothing is written."""
    return inspect(folder, read_our_plugin(plugin)[0])


def reinstall_hint(folder: PluginFolder) -> str:
    """Return the command that brings a folder back that cannot be fixed from what it holds."""
    if folder.distribution is None:
        return f"put NIXL's own {PLUGIN} back (from its build) and run nixl-stripe patch again"
    public = str(folder.version).partition("+")[0]
    return f"pip install --force-reinstall --no-deps {folder.distribution}=={public}"


def _check_patchable(status: Status, ours: SharedObject) -> None:
    path = status.folder.path / PLUGIN
    if status.state is State.BROKEN:
        if status.plugin.data is None:
            raise StripeError(
                f"{path} is missing, but {STOCK} is there: nixl-stripe patch --undo puts it back"
            )
        raise _broken(status)
    if status.state is State.NOT_NIXL:
        raise StripeError(_not_nixl(status))
    stock = status.stock if status.plugin.is_ours else status.plugin
    if stock.facts is not None and stock.facts.machine != ours.machine:
        raise StripeError(
            f"our plugin is for {ours.machine}, {path} for {stock.facts.machine}: "
            "give one for that machine: --plugin FILE"
        )


def _check_undoable(status: Status) -> None:
    if status.state is State.NOT_NIXL:
        raise StripeError(_not_nixl(status))
    if status.state is State.BROKEN and not status.stock.is_stock:
        raise _broken(status)


def _broken(status: Status) -> StripeError:
    folder = status.folder
    return StripeError(
        f"{folder.path} has our plugin but not the stock one that it wraps ({STOCK} is "
        f"{'missing' if status.stock.data is None else 'not a stock plugin'}); "
        f"reinstall NIXL: {reinstall_hint(folder)}"
    )


def _not_nixl(status: Status) -> str:
    path = status.folder.path / PLUGIN
    if status.plugin.data is None:
        return f"{path} does not exist: this is not a plugin folder of NIXL"
    return f"{path} is not a plugin of NIXL (a 64-bit ELF shared object with nixl_plugin_init)"


def _run(before: Status, steps: list[Step], *replaced: str) -> tuple[str, ...]:
    """Run the steps; return what cannot be kept of the rights to files that are replaced.

    replaced: names of files of the folder that are, beside RECORD.
    """
    if not steps:
        return ()
    folder = before.folder
    doing = "read who may do what"
    try:
        lost = _before_any_change(before, replaced)
        for step in steps:
            doing = step.name
            step.run()
    except OSError as error:
        _roll_back(folder)
        raise StripeError(
            f"{folder.path}: {error.strerror} while trying to {doing}; NIXL works as before, and "
            "when that is fixed, the same command does the rest"
        ) from error
    except StripeError:
        _roll_back(folder)
        raise
    return lost


def _before_any_change(before: Status, replaced: Sequence[str]) -> tuple[str, ...]:
    """Find what will be in the way, and what cannot be kept, while nothing has been changed yet."""
    folder, record = before.folder, before.folder.record
    _check_writable(folder.path)
    files = [folder.path / name for name in replaced]
    lost: tuple[str, ...] = ()
    if record is not None and before.record is not None:
        _check_writable(record.parent)
        _check_writable(new_record_path(folder, before.record).parent)
        files.append(record)
        if record.is_symlink():
            lost += (f"{record}: cannot keep that it is a symbolic link to {record.readlink()}",)
    for path in files:
        lost += Rights.of(path).rehearse() if path.exists() else ()
    return lost


def _roll_back(folder: PluginFolder) -> None:
    """Take away what a run that failed has left beside the plugin, as far as it can be."""
    with suppress(OSError, StripeError):
        for path in inspect(folder, b"").leftovers:
            path.unlink(missing_ok=True)
        for step in repair_steps(inspect(folder, b"")):
            step.run()


def _check_writable(folder: Path) -> None:
    if not folder.exists():  # __pycache__, which the run makes
        folder = folder.parent
    if os.access(folder, os.W_OK | os.X_OK, effective_ids=True):
        return
    if os.statvfs(folder).f_flag & os.ST_RDONLY:
        raise StripeError(
            f"{folder} is on a read-only file system: install a patched wheel where it is made "
            "instead (nixl-stripe wheel), or copy the folder, patch the copy and name it in "
            "NIXL_PLUGIN_DIR"
        )
    raise StripeError(
        f"no permission to write to {folder}: run as its owner (uid {folder.stat().st_uid}), or "
        "install NIXL into an environment of your own"
    )


@contextmanager
def _locked(folder: PluginFolder) -> Iterator[None]:
    """Keep a second run out of `folder`. The lock is on the folder itself and leaves no file."""
    try:
        descriptor = os.open(folder.path, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise StripeError(f"cannot open {folder.path}: {error.strerror}") from error
    try:
        _wait_for_lock(descriptor, folder.path)
        yield
    finally:
        os.close(descriptor)


def _wait_for_lock(descriptor: int, path: Path) -> None:
    until = time.monotonic() + LOCK_WAIT
    while not _try_lock(descriptor):
        if time.monotonic() > until:
            raise StripeError(
                f"another nixl-stripe has been at work in {path} for {LOCK_WAIT:.0f} s"
            )
        time.sleep(0.05)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
    return True
