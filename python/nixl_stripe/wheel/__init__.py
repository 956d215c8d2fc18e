# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The NIXL wheel and installation: local build, patch in place, undo.

A patched plugin folder holds `libplugin_UCX.so`, which is ours, and `libplugin_UCX.so.stock`, the
plugin that it wraps, byte for byte. `build_wheel` makes wheels like that, `patch_folder` changes an
installation and `undo_folder` changes it back.
"""

from nixl_stripe.wheel.build import BuiltWheel, build_wheel, patched_version
from nixl_stripe.wheel.layout import PLUGIN, STOCK, plugin_path, plugin_version
from nixl_stripe.wheel.locate import PluginFolder, find_in, find_installed
from nixl_stripe.wheel.patch import Outcome, patch_folder, status_of, undo_folder
from nixl_stripe.wheel.state import State, Status

__all__ = [
    "PLUGIN",
    "STOCK",
    "BuiltWheel",
    "Outcome",
    "PluginFolder",
    "State",
    "Status",
    "build_wheel",
    "find_in",
    "find_installed",
    "patch_folder",
    "patched_version",
    "plugin_path",
    "plugin_version",
    "status_of",
    "undo_folder",
]
