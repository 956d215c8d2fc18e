# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Patch and undo as short lists of steps, each of which leaves a folder that works.

A run may be killed between two steps, and within one, at any moment: the files of the folder change
by rename alone. What each moment looks like is in `state`; every run starts from there.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from nixl_stripe.errors import StripeError
from nixl_stripe.wheel.layout import PLUGIN, STOCK, TEMPORARY
from nixl_stripe.wheel.listing import new_record_path
from nixl_stripe.wheel.locate import PluginFolder
from nixl_stripe.wheel.record import Entry, Record
from nixl_stripe.wheel.rights import Rights
from nixl_stripe.wheel.state import File, State, Status, record_for, true_entry

_NEW_PLUGIN = TEMPORARY[0]
_NO_HARD_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV}


@dataclass(frozen=True)
class Step:
    """One change of the folder; `name` completes the sentence "while trying to ..."."""

    name: str
    run: Callable[[], None]


def patch_steps(
    status: Status, ours: bytes, look: Callable[[Path], None] | None = None
) -> list[Step]:
    """Return the steps that turn the folder into a patched one; none when it is one already.

    look: is shown our plugin, with the stock one beside it, before it takes effect; what it raises
        ends the run.
    """
    folder = status.folder
    steps = _clean(status)
    listing: list[Step] = []
    stock = status.stock
    if status.state in (State.STOCK, State.UNFINISHED, State.REPLACED):
        stock = status.plugin
        data = _content(stock)
        listing = _list_files(status, data)
        steps += listing
        if status.state is not State.UNFINISHED:
            steps.append(Step("keep the stock plugin", lambda: _keep_stock(folder.path, data)))
    elif status.state is State.OUTDATED:
        listing = _list_files(status, _content(stock))
        steps += listing
    if status.state is not State.PATCHED:
        steps.append(Step("put our plugin in its place", lambda: _place(folder.path, ours, look)))
    return steps + _true_record(status, File.of(ours), stock, changed=bool(listing))


def undo_steps(status: Status) -> list[Step]:
    """Return the steps that turn the folder back into a stock one; none when it is one already."""
    folder = status.folder.path
    steps = _clean(status)
    plugin = status.plugin
    if status.state in (State.PATCHED, State.OUTDATED, State.BROKEN):
        plugin = status.stock
        steps.append(Step("put the stock plugin back", lambda: _restore(folder)))
    elif status.state in (State.UNFINISHED, State.REPLACED):
        steps.append(Step("remove the copy of the stock plugin", lambda: _remove(folder / STOCK)))
    return steps + _true_record(status, plugin, File.of(None))


def repair_steps(status: Status) -> list[Step]:
    """Return the steps that end what a run has begun without changing what NIXL loads."""
    if status.state in (State.STOCK, State.UNFINISHED):
        return undo_steps(status)
    return _clean(status) + _true_record(status, status.plugin, status.stock)


def _content(file: File) -> bytes:
    if file.data is None:
        raise ValueError("the state of the folder promises this file")
    return file.data


def _clean(status: Status) -> list[Step]:
    left = status.leftovers
    return [Step("remove what a killed run left", lambda: _remove(*left))] if left else []


def _list_files(status: Status, stock: bytes) -> list[Step]:
    """List every file that is about to appear, so that even a killed run leaves nothing unlisted.

    An uninstall in that state then takes them along; it does not mind a listed file that is absent.
    RECORD's own successor is where `listing` says.
    """
    folder, record = status.folder, status.record
    if record is None:
        return []
    plugin, beside = folder.key(PLUGIN), folder.key(STOCK)
    entry = true_entry(stock, record.get(beside), record.get(plugin))
    listed = record.put(beside, entry, after=plugin)
    listed = listed.put(folder.key(_NEW_PLUGIN), Entry("", ""), after=beside)
    return [Step("list the stock plugin in RECORD", lambda: _write_record(folder, record, listed))]


def _true_record(status: Status, plugin: File, stock: File, *, changed: bool = False) -> list[Step]:
    """Make RECORD true for the files `plugin` and `stock`, which the steps before have made.

    changed: a step before writes RECORD, so that what `status` saw of it no longer holds.
    """
    folder, record = status.folder, status.record
    if record is None:
        return []
    wanted = record_for(record, folder, plugin, stock)
    if wanted == record and not changed:
        return []
    return [Step("bring RECORD up to date", lambda: _write_record(folder, record, wanted))]


def _keep_stock(folder: Path, stock: bytes) -> None:
    """Give the stock plugin its second name; `stock` is its content when the run began."""
    new = folder / _NEW_PLUGIN
    _link_or_copy(folder / PLUGIN, new)
    if new.read_bytes() != stock:
        new.unlink()
        raise StripeError(f"{folder / PLUGIN} changed while it was being patched; run it again")
    new.replace(folder / STOCK)
    _sync(folder)


def _place(folder: Path, ours: bytes, look: Callable[[Path], None] | None) -> None:
    new = folder / _NEW_PLUGIN
    _create(new, ours, Rights.of(folder / PLUGIN), keep_times=False)
    if look is not None:
        look(new)
    new.replace(folder / PLUGIN)
    _sync(folder)


def _restore(folder: Path) -> None:
    (folder / STOCK).replace(folder / PLUGIN)
    _sync(folder)


def _remove(*paths: Path) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
        _sync(path.parent)


def _write_record(folder: PluginFolder, old: Record, new: Record) -> None:
    if folder.record is None:
        raise ValueError(f"{folder.path} has no RECORD")
    temporary = new_record_path(folder, old)
    made_folder = not temporary.parent.exists()
    temporary.parent.mkdir(exist_ok=True)
    temporary.unlink(missing_ok=True)  # of a killed run
    _create(temporary, new.data, Rights.of(folder.record), keep_times=True)
    temporary.replace(folder.record)
    if made_folder:
        temporary.parent.rmdir()
    _sync(folder.record.parent)


def _link_or_copy(source: Path, target: Path) -> None:
    """Give `source` the second name `target`: the same file, or else one that is like it."""
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _NO_HARD_LINKS:
            raise
        if source.is_symlink():
            target.symlink_to(source.readlink())
        else:
            _create(target, source.read_bytes(), Rights.of(source), keep_times=True)


def _create(path: Path, data: bytes, rights: Rights, *, keep_times: bool) -> None:
    """Make the new file `path`, which takes the place of another by being renamed.

    That one is not touched: a process that has it mapped keeps it, and so does a cache that it is
    linked into. What of its `rights` cannot be kept was told before the first step.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        rights.give(file.fileno())
        if keep_times:
            rights.give_times(file.fileno())
        os.fsync(file.fileno())


def _sync(path: Path) -> None:
    """Have the file or folder `path` on the disk before going on."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
