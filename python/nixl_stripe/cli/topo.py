# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""`nixl-stripe topo`: the machine as NIXL sees it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Annotated

from nixl_stripe._core import Machine
from nixl_stripe.cli.command import App, Option
from nixl_stripe.cli.words import Example, Source, json_text, machine_source
from nixl_stripe.errors import StripeError, UsageError
from nixl_stripe.terminal import Screen, echo
from nixl_stripe.topo import layout, model, png, svg, text
from nixl_stripe.topo.capture import capture
from nixl_stripe.topo.cpus import cpu_lists
from nixl_stripe.topo.machine import machine


def register(app: App) -> None:
    """Add the verb to `app`."""
    app.command("topo", example="nixl-stripe topo --source machine.tar.gz --svg machine.svg")(topo)


def topo(
    source: Source = None,
    example: Example = None,
    svg_file: Annotated[
        Path | None, Option("--svg", metavar="FILE", help="Draw it as SVG.")
    ] = None,
    png_file: Annotated[
        Path | None, Option("--png", metavar="FILE", help="Draw it as PNG (matplotlib).")
    ] = None,
    save: Annotated[
        Path | None,
        Option(
            metavar="DIR|FILE",
            help="Copy what was read to a folder or a .tar.gz, to look at it elsewhere.",
        ),
    ] = None,
    as_json: Annotated[bool, Option("--json", help="Print the machine as JSON.")] = False,
) -> None:
    """Show the PCIe tree, how far each GPU is from each NIC, and why NICs are left out.

    The matrix has a row for each GPU, as `nvidia-smi topo -m` has: distances, cores, NUMA node.
    """
    source = machine_source(source, example)
    try:
        host = machine(source)
        if save is not None:
            written = capture(save, source=source or "/sys")
            echo(f"wrote {written}", err=True)
    except ValueError as error:
        raise UsageError(f"--source: {error}") from error
    picture = model.picture_of(host)
    if example is not None:
        picture = replace(picture, source=f"example {example}")
    if svg_file is not None:
        document = svg.to_svg(layout.draw(picture))
        _write(svg_file, lambda path: path.write_text(document, encoding="utf-8"))
    if png_file is not None:
        _write(png_file, lambda path: png.write_png(layout.draw(picture), path))
    if as_json:
        echo(json_text(_as_json(host, picture)))
    elif svg_file is None and png_file is None and save is None:
        screen = Screen(sys.stdout)
        text.show(picture, screen, cpu_lists(source))
        if source is None and not host.nics:
            screen.say("nixl-stripe topo --example p5 shows a machine that has GPUs and RDMA NICs")


def _write(path: Path, write: Callable[[Path], object]) -> None:
    try:
        write(path)
    except OSError as error:
        raise StripeError(f"{path}: cannot be written: {error.strerror}") from error
    echo(f"wrote {path}", err=True)


def _as_json(host: Machine, picture: model.Picture) -> dict[str, object]:
    return {
        **host.to_dict(),
        "matrix": picture.matrix,
        "excluded": picture.excluded,
        "notes": picture.notes,
    }
