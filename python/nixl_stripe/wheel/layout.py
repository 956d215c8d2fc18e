# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Names of the files in a plugin folder, and where our own plugin is."""

from __future__ import annotations

from pathlib import Path

from nixl_stripe.errors import StripeError
from nixl_stripe.untrusted import RefusedError, read_file
from nixl_stripe.wheel.elf import SharedObject, read_shared_object

#: What NIXL opens. In a patched folder it is ours.
PLUGIN = "libplugin_UCX.so"
#: The stock plugin beside ours, byte for byte. NIXL's scanner takes `libplugin_*.so` alone, so it
#: never sees this one; $ORIGIN in its RPATH still names the same folder.
STOCK = "libplugin_UCX.so.stock"
#: Half-written files; only a killed run leaves one, and the next run removes it.
TEMPORARY = ("libplugin_UCX.so.nixl-stripe-new", "RECORD.nixl-stripe-new")


#: Bytes of a plugin; NIXL's own have some million.
LARGEST_PLUGIN = 64 << 20


def plugin_path() -> Path:
    """Return our plugin, which is installed with this package.

    Raises StripeError when the package was installed without it.
    """
    path = Path(__file__).parents[1] / "plugin" / PLUGIN
    if not path.is_file():
        raise StripeError(
            f"our plugin is missing from this installation: {path}; reinstall nixl-stripe (pip "
            "install --force-reinstall nixl-stripe), or name one: --plugin FILE"
        )
    return path


def plugin_version(path: Path) -> str | None:
    """Return the nixl-stripe version that the plugin at `path` carries, None if it is not ours."""
    found = read_shared_object(read_file(path, LARGEST_PLUGIN))
    return found.stripe_version if found else None


def read_our_plugin(path: Path | None) -> tuple[bytes, SharedObject]:
    """Return bytes and facts of the plugin to use: `path`, or else the one installed with us.

    Raises StripeError when there is no such file or it is not a plugin of nixl-stripe.
    """
    path = path or plugin_path()
    try:
        data = read_file(path, LARGEST_PLUGIN)
    except (OSError, RefusedError) as error:
        why = getattr(error, "strerror", None) or error
        raise StripeError(f"cannot read the plugin {path}: {why}") from error
    facts = read_shared_object(data)
    if facts is None or not facts.is_nixl_plugin or facts.stripe_version is None:
        raise StripeError(
            f"{path} is not a nixl-stripe plugin: a 64-bit ELF shared object that exports "
            "nixl_plugin_init and nixl_stripe_plugin_version is wanted"
        )
    return data, facts
