# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""`nixl-stripe patch --into DIR`: NIXL stays as it is, a patched copy is in DIR."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

import click

from nixl_stripe._core import __version__
from nixl_stripe.cli.words import json_text
from nixl_stripe.errors import UsageError
from nixl_stripe.terminal import echo
from nixl_stripe.wheel.beside import LINK, patch_beside
from nixl_stripe.wheel.locate import PluginFolder
from nixl_stripe.wheel.self_check import Load


def put_beside(
    folders: Sequence[PluginFolder],
    into: Path,
    plugin: Path | None,
    load: Load | None,
    as_json: bool,
) -> None:
    """Put a patched copy of the one folder below `into`, and say how NIXL gets to it."""
    if len(folders) != 1:
        names = " and ".join(folder.label for folder in folders)
        first = f"nixl-stripe patch --into {shlex.quote(str(into))} {folders[0].path}"
        raise UsageError(
            f"--into {into}: {names} are installed, and NIXL_PLUGIN_DIR names one folder: name the "
            f"one that the program imports, such as: {first}"
        )
    (folder,) = folders
    outcome = patch_beside(folder, into, plugin, load)
    where = into.resolve() / LINK
    if as_json:
        answer = {
            "ok": True,
            "nixl_stripe": __version__,
            "plugin_dir": str(where),
            "original": str(folder.path),
            "distribution": folder.distribution,
            "version": folder.version,
            "plugin_version": outcome.after.plugin_version,
            "warnings": list(outcome.warnings),
        }
        echo(json_text(answer))
        return
    echo(f"{folder.label}: a patched copy of its plugins is in {into}; it is as it was")
    for warning in outcome.warnings:
        echo(f"nixl-stripe: warning: {warning}", err=True)
    # A shell reads this line, and quotes make it exact: an escape would name another folder.
    click.echo(f"export NIXL_PLUGIN_DIR={shlex.quote(str(where))}")
