# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""`nixl-stripe wheel`: a patched NIXL wheel from the published one."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from nixl_stripe.cli.command import App, Option
from nixl_stripe.cli.words import check_writable, json_text
from nixl_stripe.scratch import Scratch
from nixl_stripe.terminal import Screen, echo, progress
from nixl_stripe.versions import NEWEST_REQUIREMENT
from nixl_stripe.wheel.build import BuiltWheel, build_wheel
from nixl_stripe.wheel.fetch import check_sources, default_sources, fetch_wheels
from nixl_stripe.wheel.layout import read_our_plugin
from nixl_stripe.wheel.loading import plugin_options

MIB = 1 << 20


def register(app: App) -> None:
    """Add the verb to `app`."""
    app.command("wheel", example="nixl-stripe wheel --from nixl-cu12==1.5.1 --out wheels")(wheel)


def wheel(
    sources: Annotated[
        list[str] | None,
        Option(
            "--from",
            metavar="NIXL|FILE",
            help=f"What to patch: nixl, {NEWEST_REQUIREMENT}, ... or a wheel file; may be "
            "repeated. Default: the NIXL installed here, else what `pip install nixl` would "
            "install.",
        ),
    ] = None,
    out: Annotated[
        Path, Option("--out", metavar="DIR", help="Where the wheels go.", file_okay=False)
    ] = Path(),
    plugin: Annotated[
        Path | None,
        Option(metavar="FILE", help="The plugin to put in, such as one built for another machine."),
    ] = None,
    platform: Annotated[
        str | None,
        Option(
            metavar="TAG", help="Download for this platform: manylinux_2_28_aarch64 (pip's option)."
        ),
    ] = None,
    python_version: Annotated[
        str | None,
        Option(metavar="X.Y", help="Download for this version of Python (pip's option)."),
    ] = None,
    check: Annotated[
        bool,
        Option("--check/--no-check", help="Load the plugin of the new wheel before it is written."),
    ] = True,
    as_json: Annotated[bool, Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Build a patched NIXL wheel from the published one, which your own pip downloads.

    The new wheel has the version of the old one with +stripe and the version of nixl-stripe behind
    it, so that pins such as nixl-cu12==1.5.1 hold. Parts of it are under NVIDIA's own licence: it
    is yours to install, not to publish.
    """
    # All that the user said is looked at before a download of 70 MB, not after it.
    read_our_plugin(plugin)
    sources = sources or default_sources()
    check_sources(sources)
    check_writable("--out", out)
    options = [] if platform is None else ["--platform", platform]
    options += [] if python_version is None else ["--python-version", python_version]
    built: list[BuiltWheel] = []
    with Scratch("wheel") as folder:
        for source in sources:
            files = fetch_wheels(source, folder, options)
            built.extend(_build_with_progress(file, out, plugin, check) for file in files)
    if as_json:
        echo(json_text({"wheels": [as_dict(wheel) for wheel in built]}))
    else:
        _print(built)


def as_dict(built: BuiltWheel) -> dict[str, object]:
    """Return what `--json` says about one wheel."""
    return {
        "path": str(built.path),
        "source": built.source.name,
        "distribution": built.distribution,
        "version": built.version,
        "stock_version": built.stock_version,
        "plugin_version": built.plugin_version,
        "sha256": built.sha256,
        "bytes": built.size,
        "warnings": list(built.warnings),
    }


def _build_with_progress(source: Path, out: Path, plugin: Path | None, check: bool) -> BuiltWheel:
    with progress() as say:

        def checked(done: int, total: int) -> None:
            say(f"checking {source.name}: {done / MIB:.0f} of {total / MIB:.0f} MiB")

        live = Screen(sys.stderr).is_live
        load = plugin_options if check else None
        return build_wheel(source, out, plugin, checked if live else None, load)


def _print(built: Sequence[BuiltWheel]) -> None:
    for wheel in built:
        echo(f"{wheel.path}  {wheel.size / MIB:.1f} MiB")
        echo(
            f"  {wheel.source.name} with the UCX plugin of nixl-stripe {wheel.plugin_version} in "
            "front of the stock one"
        )
        for warning in wheel.warnings:
            echo(f"nixl-stripe: warning: {wheel.path.name}: {warning}", err=True)
    paths = " ".join(shlex.quote(str(wheel.path)) for wheel in built)
    echo(f"Install: {shlex.quote(sys.executable)} -m pip install {paths}")
    echo("Do not publish: parts of a NIXL wheel are under NVIDIA's own licence.")
