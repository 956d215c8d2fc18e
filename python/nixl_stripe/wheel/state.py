# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What a plugin folder holds: stock, patched, or one of the states in between."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from nixl_stripe.untrusted import RefusedError, read_file
from nixl_stripe.wheel.elf import SharedObject, read_shared_object
from nixl_stripe.wheel.layout import LARGEST_PLUGIN, PLUGIN, STOCK, TEMPORARY
from nixl_stripe.wheel.listing import abandoned_records
from nixl_stripe.wheel.locate import PluginFolder, read_record, unreadable
from nixl_stripe.wheel.record import Entry, Record


class State(str, Enum):
    """The states of a plugin folder; NIXL works in all but the last two."""

    STOCK = "stock"
    PATCHED = "patched"
    OUTDATED = "outdated"
    """Patched with another nixl-stripe, or another build of this one."""
    UNFINISHED = "unfinished"
    """Stock, with a copy of the stock plugin beside it: a patch was stopped half-way."""
    REPLACED = "replaced"
    """A stock plugin of another NIXL lies over a patched one: an upgrade took the patch away."""
    BROKEN = "broken"
    """Our plugin without a stock one to wrap, or the stock one alone under its second name."""
    NOT_NIXL = "not NIXL"
    """The file is no plugin of NIXL that we can wrap."""


@dataclass(frozen=True)
class File:
    """One file of the folder; every field is None where it does not exist or cannot be read."""

    data: bytes | None
    facts: SharedObject | None

    @classmethod
    def of(cls, data: bytes | None) -> File:
        """Return the file whose content is `data` (None: there is no such file)."""
        return cls(data, None if data is None else read_shared_object(data))

    @property
    def is_ours(self) -> bool:
        """It is a plugin of nixl-stripe, of any version."""
        return self.facts is not None and self.facts.stripe_version is not None

    @property
    def is_stock(self) -> bool:
        """It is a plugin of NIXL and not ours."""
        return self.facts is not None and self.facts.is_nixl_plugin and not self.is_ours


def classify(plugin: File, stock: File, ours: bytes) -> State:
    """Return the state of a folder with these two files; `ours` is the plugin to be installed."""
    if plugin.is_ours:
        if not stock.is_stock:
            return State.BROKEN
        return State.PATCHED if plugin.data == ours else State.OUTDATED
    if plugin.is_stock:
        if stock.data is None:
            return State.STOCK
        return State.UNFINISHED if stock.data == plugin.data else State.REPLACED
    if plugin.data is None and stock.is_stock:
        return State.BROKEN
    return State.NOT_NIXL


def record_for(record: Record, folder: PluginFolder, plugin: File, stock: File) -> Record:
    """Return `record` made true for a folder that works: patched, or stock with nothing beside it.

    Patching moves the row of the stock plugin, as it was written, to its new name; undoing moves
    it back. So an undone RECORD is the original, byte for byte.
    """
    ours, beside = folder.key(PLUGIN), folder.key(STOCK)
    record = record.without(*(folder.key(name) for name in TEMPORARY))
    listed, moved = record.get(ours), record.get(beside)
    if plugin.data is None or listed is None:
        return record
    if plugin.is_ours and stock.data is not None:
        record = record.put(beside, true_entry(stock.data, moved, listed), after=ours)
        return record.put(ours, true_entry(plugin.data, listed if moved else None), after=ours)
    if moved is None:
        return record
    return record.without(beside).put(ours, true_entry(plugin.data, moved), after=ours)


def true_entry(data: bytes, *written: Entry | None) -> Entry:
    """Return the first of the rows `written` that is true for `data`, or else a new one."""
    known = (row for row in written if row is not None and row.vouches_for(data))
    return next(known, Entry.of(data))


@dataclass(frozen=True)
class Status:
    """The state of one plugin folder at one moment."""

    folder: PluginFolder
    state: State
    plugin: File
    stock: File
    record: Record | None
    """The RECORD as it is, None where there is none to keep true."""
    leftovers: tuple[Path, ...]
    """Half-written files of a run that was killed."""

    @property
    def plugin_version(self) -> str | None:
        """The nixl-stripe whose plugin is in place, None when it is a stock one."""
        return self.plugin.facts.stripe_version if self.plugin.facts else None

    @property
    def record_is_true(self) -> bool | None:
        """Whether RECORD says what the folder holds; None where there is no RECORD."""
        if self.record is None:
            return None
        return record_for(self.record, self.folder, self.plugin, self.stock) == self.record

    @property
    def is_patched(self) -> bool:
        """Patched with the plugin at hand, and nothing left to finish."""
        return (
            self.state is State.PATCHED and self.record_is_true is not False and not self.leftovers
        )


def inspect(folder: PluginFolder, ours: bytes) -> Status:
    """Return the status of `folder`; nothing is written. `ours` is the plugin to be installed."""

    def read(name: str) -> File:
        path = folder.path / name
        try:
            return File.of(read_file(path, LARGEST_PLUGIN) if path.is_file() else None)
        except (OSError, RefusedError) as error:
            raise unreadable(path, error) from error

    plugin, stock = read(PLUGIN), read(STOCK)
    temporary = (folder.path / name for name in TEMPORARY)
    left = tuple(path for path in temporary if path.is_symlink() or path.exists())
    record = read_record(folder)
    state = classify(plugin, stock, ours)
    return Status(folder, state, plugin, stock, record, left + abandoned_records(folder, record))
