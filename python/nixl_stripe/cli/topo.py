# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""`nixl-stripe topo`: the machine as NIXL sees it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from nixl_stripe._core import Machine
from nixl_stripe.cli.words import Source
from nixl_stripe.errors import StripeError, UsageError
from nixl_stripe.topo import layout, model, png, svg, text
from nixl_stripe.topo.capture import capture
from nixl_stripe.topo.machine import machine


def register(app: typer.Typer) -> None:
    """Add the verb to `app`."""
    app.command("topo")(topo)


def topo(
    source: Source = None,
    svg_file: Annotated[
        Path | None, typer.Option("--svg", metavar="FILE", help="Draw it as SVG.")
    ] = None,
    png_file: Annotated[
        Path | None, typer.Option("--png", metavar="FILE", help="Draw it as PNG (matplotlib).")
    ] = None,
    save: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR|FILE",
            help="Copy what was read to a folder or a .tar.gz, to look at it elsewhere.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the machine as JSON.")] = False,
) -> None:
    """Show the PCIe tree, how far each GPU is from each NIC, and why NICs are left out."""
    try:
        host = machine(source)
        if save is not None:
            written = capture(save, source=source or "/sys")
            typer.echo(f"wrote {written}", err=True)
    except ValueError as error:
        raise UsageError(f"--source: {error}") from error
    picture = model.picture_of(host)
    if svg_file is not None:
        document = svg.to_svg(layout.draw(picture))
        _write(svg_file, lambda path: path.write_text(document, encoding="utf-8"))
    if png_file is not None:
        _write(png_file, lambda path: png.write_png(layout.draw(picture), path))
    if as_json:
        typer.echo(json.dumps(_as_json(host, picture), indent=2))
    elif svg_file is None and png_file is None and save is None:
        text.show(picture, Console())


def _write(path: Path, write: Callable[[Path], object]) -> None:
    try:
        write(path)
    except OSError as error:
        raise StripeError(f"{path}: cannot be written: {error.strerror}") from error
    typer.echo(f"wrote {path}", err=True)


def _as_json(host: Machine, picture: model.Picture) -> dict[str, object]:
    return {
        **host.to_dict(),
        "matrix": picture.matrix,
        "excluded": picture.excluded,
        "notes": picture.notes,
    }
