# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Whether the plugin that this process has loaded is of the same nixl-stripe as this package.

After an upgrade of the package the installed NIXL still has the old plugin until `nixl-stripe
patch` is run again, and a plugin baked into an image may be newer than the package beside it.
"""

from __future__ import annotations

import ctypes
import os
import warnings
from pathlib import Path

from nixl_stripe._core import __version__

PLUGIN = "libplugin_UCX.so"
_SYMBOL, _PREFIX = "nixl_stripe_plugin_version", b"nixl-stripe-plugin-version:"
_LONGEST = 128
_warned: set[str] = set()


class PluginVersionWarning(UserWarning):
    """The UCX plugin is of another version of nixl-stripe than this package."""


def warn_of_another_version(fix: str, maps: Path = Path("/proc/self/maps")) -> None:
    """Warn, once for each version in a process, where the loaded plugin is of another one.

    fix: the command that patches the NIXL in use.
    """
    version = loaded_version(maps)
    if version is None or version == __version__ or version in _warned:
        return
    _warned.add(version)
    warnings.warn(
        f"NIXL's UCX plugin is that of nixl-stripe {version}, this package is {__version__}: "
        f"parameters may mean something else to it. Run: {fix} (or install nixl-stripe {version})",
        PluginVersionWarning,
        stacklevel=4,
    )


def loaded_version(maps: Path = Path("/proc/self/maps")) -> str | None:
    """Return the version of the plugin of ours that is loaded, None where there is none.

    It is asked in memory: the file may have been replaced since.
    """
    for path in _mapped(maps):
        try:
            library = ctypes.CDLL(path, mode=os.RTLD_NOLOAD | os.RTLD_LAZY)
            text = (ctypes.c_char * _LONGEST).in_dll(library, _SYMBOL)
        except (OSError, ValueError):
            continue
        value = ctypes.string_at(ctypes.addressof(text))[:_LONGEST]
        if value.startswith(_PREFIX):
            return value.removeprefix(_PREFIX).decode("ascii", "replace")
    return None


def _mapped(maps: Path) -> list[str]:
    """Return the paths of the UCX plugins that this process has mapped."""
    try:
        lines = maps.read_text("utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return []
    paths = (line.split(maxsplit=5)[-1].removesuffix(" (deleted)") for line in lines)
    return [path for path in dict.fromkeys(paths) if path.endswith(f"/{PLUGIN}")]
