# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""A patched copy of NIXL's plugin folder, for NIXL_PLUGIN_DIR: the installed NIXL stays as it is.

NIXL's plugins find their libraries relative to themselves (`$ORIGIN/../../nixl_cu12.libs`), so the
copy stands among links to what stands around the original:

    DIR/plugins                                    -> nixl-XXXX/.nixl_cu12.mesonpy.libs/plugins
    DIR/nixl-XXXX/nixl_cu12.libs                   -> that of the installed NIXL
    DIR/nixl-XXXX/.nixl_cu12.mesonpy.libs/lib*.so  -> those of the installed NIXL
    DIR/nixl-XXXX/.nixl_cu12.mesonpy.libs/plugins/   the UCX plugin copied and patched, links beside
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from nixl_stripe.errors import StripeError
from nixl_stripe.wheel.layout import PLUGIN, STOCK
from nixl_stripe.wheel.locate import PluginFolder
from nixl_stripe.wheel.patch import Outcome, patch_folder
from nixl_stripe.wheel.self_check import Load, libraries_before

#: The name below DIR that leads to the newest copy; it is what NIXL_PLUGIN_DIR names.
LINK = "plugins"
_PREFIX = "nixl-"
#: A file by which a copy of ours is known: DIR may hold folders of others with such a name.
_MARK = ".made-by-nixl-stripe"


def patch_beside(
    folder: PluginFolder, into: Path, plugin: Path | None = None, load: Load | None = None
) -> Outcome:
    """Copy the plugin folder below `into` and patch the copy; `into / LINK` leads to it.

    A second run makes a new copy, and takes the older one away when the new one is in its place.
    plugin, load: as for `patch_folder`.
    Raises StripeError, with an older copy still in its place, where it cannot be made or patched.
    """
    try:
        into.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=into.resolve()))
    except OSError as error:
        raise StripeError(f"{into} cannot be written: {error.strerror}") from error
    try:
        (draft / _MARK).touch()
        draft.chmod(0o755)
        copy = _copied(folder.path, draft)
        # Of no distribution, a folder whose plugin cannot be loaded is refused.
        named = (folder.distribution, folder.version) if _fails(folder, load) else (None, None)
        outcome = patch_folder(PluginFolder(copy, *named), plugin, load)
        _lead(into / LINK, copy)
    except OSError as error:
        shutil.rmtree(draft, ignore_errors=True)
        raise StripeError(f"{error.filename or into}: {error.strerror}") from error
    except StripeError:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    for mark in into.glob(f"{_PREFIX}*/{_MARK}"):
        if mark.parent.resolve() != draft and not mark.parent.is_symlink():
            # One that is another user's stays: the new copy is in its place all the same.
            shutil.rmtree(mark.parent, ignore_errors=True)
    return outcome


def _fails(folder: PluginFolder, load: Load | None) -> bool:
    """Tell whether NIXL's own plugin cannot be loaded where it is: no CUDA driver, say."""
    if load is None:
        return False
    name = STOCK if (folder.path / STOCK).exists() else PLUGIN
    try:
        load(folder.path / name, libraries_before(folder))
    except StripeError:
        return True
    return False


def _copied(original: Path, draft: Path) -> Path:
    """Make the copy below `draft`; return its plugin folder."""
    above = draft / original.parent.name
    copy = above / original.name
    copy.mkdir(parents=True)
    for entry in original.iterdir():
        if entry.name in (PLUGIN, STOCK):
            shutil.copy2(entry, copy / entry.name)
        elif entry.suffix == ".so":
            (copy / entry.name).symlink_to(entry)
    for entry in original.parent.iterdir():
        if entry != original and (".so" in entry.name or entry.suffix == ".libs"):
            (above / entry.name).symlink_to(entry)
    for entry in original.parents[1].glob("*.libs"):
        if entry != original.parent:
            (draft / entry.name).symlink_to(entry)
    return copy


def _lead(link: Path, copy: Path) -> None:
    """Have `link` lead to `copy`, at once: whoever opens it finds the older copy or this one."""
    target = os.path.relpath(copy, link.parent.resolve())
    if link.exists() and not link.is_symlink():
        raise StripeError(f"{link} is there, and not a link that nixl-stripe made")
    fresh = copy.parents[1] / "link"
    fresh.symlink_to(target)
    fresh.replace(link)
