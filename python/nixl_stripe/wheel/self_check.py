# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The check of a patch before it takes effect: our plugin is loaded, in front of the stock one."""

from __future__ import annotations

import platform
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath

from nixl_stripe.errors import StripeError
from nixl_stripe.scratch import Scratch
from nixl_stripe.wheel.layout import PLUGIN, STOCK
from nixl_stripe.wheel.loading import loaded_before
from nixl_stripe.wheel.locate import PluginFolder, find_installed
from nixl_stripe.wheel.state import State, Status

#: Returns the options of a plugin, or raises StripeError: `loading.plugin_options`, or a double.
Load = Callable[[Path, Sequence[Path]], dict[str, str]]
#: Looks at the plugin that is about to take its place; StripeError keeps it out.
Look = Callable[[Path], None]
#: A plugin that advertises this key is ours, and has got the stock one to answer.
_MARKER = "max_rma_rails"
_UNCHECKED = "not checked by loading it: "
_LEAVE_OUT = "; --no-check leaves this check out"


def look_for(before: Status, load: Load | None) -> tuple[Look | None, tuple[str, ...]]:
    """Return what looks at our plugin before it takes effect, and what is to be said about that.

    Where the stock plugin itself cannot be loaded there is nothing to compare with: an installed
    NIXL is patched all the same, with a warning (an old wheel where the CUDA driver is missing); a
    folder of no distribution is refused, for most likely it is a copy without its libraries.
    Raises StripeError with the reason then.
    """
    if load is None:
        return None, ()
    folder, first = before.folder, libraries_before(before.folder)
    stock = folder.path / (STOCK if before.state is State.OUTDATED else PLUGIN)
    try:
        load(stock, first)
    except StripeError as error:
        if folder.distribution is None:
            raise StripeError(
                f"{folder.path}: the stock plugin cannot be loaded from there, so NIXL cannot use "
                f"it either, patched or not: {error}; a copy of NIXL's plugins needs the libraries "
                f"at the same place relative to it{_LEAVE_OUT}"
            ) from error
        return None, (f"{_UNCHECKED}the stock plugin cannot be loaded here: {error}",)

    def look(plugin: Path) -> None:
        _expect_ours(load(plugin, first), plugin)

    return look, ()


def _expect_ours(options: dict[str, str], plugin: Path) -> None:
    if _MARKER not in options:
        has = ", ".join(sorted(options))
        raise StripeError(f"{plugin} was loaded, but does not offer {_MARKER}: it has {has}")


def libraries_before(folder: PluginFolder) -> list[Path]:
    """Return the libraries that a process has loaded when NIXL opens a plugin of `folder`.

    Those of the NIXL that the folder belongs to, or else, as with NIXL_PLUGIN_DIR, of the one that
    is installed.
    """
    for each in (folder, *find_installed()):
        found = loaded_before(each.path)
        if found:
            return found
    return []


def check_wheel(path: Path, machine: str, load: Load | None) -> tuple[str, ...]:
    """Load the plugin of the patched wheel `path`, unpacked for that; return what is to be said.

    machine: that of the plugin, `x86_64`.
    Raises StripeError where our plugin cannot be loaded, though the stock one can.
    """
    if load is None:
        return ()
    if machine != platform.machine():
        return (f"{_UNCHECKED}the wheel is for {machine}, this is {platform.machine()}",)
    with Scratch("wheel") as folder:
        plugin = _unpack_libraries(path, folder)
        first = loaded_before(plugin.parent)
        try:
            load(plugin.with_name(STOCK), first)
        except StripeError as error:
            return (f"{_UNCHECKED}the stock plugin cannot be loaded here: {error}",)
        try:
            _expect_ours(load(plugin, first), plugin)
        except StripeError as error:
            raise StripeError(f"{error}; no wheel is written{_LEAVE_OUT}") from error
    return ()


def _unpack_libraries(wheel: Path, folder: Path) -> Path:
    """Unpack the folders of shared libraries of `wheel`; return the path of our plugin there."""
    plugin = folder
    with zipfile.ZipFile(wheel) as archive:
        for member in archive.infolist():
            parts = PurePosixPath(member.filename).parts
            if not parts[0].endswith(".libs"):
                continue
            unpacked = Path(archive.extract(member, folder))
            if parts[-2:] == ("plugins", PLUGIN):
                plugin = unpacked
    return plugin
