# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""A picture in the terminal: tree, matrix, NICs and exclusions."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.tree import Tree

from nixl_stripe.topo.model import UNKNOWN_NUMA, Box, Device, Picture

#: Distances from near to far, the same order as in the legend of the drawing.
STYLES = {"PIX": "bold green", "PXB": "green", "PHB": "yellow", "NODE": "dark_orange", "SYS": "red"}


def _line(device: Device) -> str:
    color = "green" if device.kind == "GPU" else "cyan"
    if device.excluded:
        color = "bright_black"
    parts = [device.address, device.detail, device.link]
    text = "  ".join(escape(part) for part in parts if part)
    suffix = "  (excluded)" if device.excluded else ""
    return f"[{color}]{escape(device.name)}[/]  {text}{suffix}"


def _grow(branch: Tree, box: Box) -> None:
    for inner in box.boxes:
        link = f"  [bright_black]uplink {inner.link}[/]" if inner.link else ""
        _grow(branch.add(f"{escape(inner.title)}{link}"), inner)
    for device in box.devices:
        branch.add(_line(device))


def _matrix(picture: Picture) -> Table:
    table = Table(title="GPU-NIC distance", title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("NIC", no_wrap=True)
    for gpu in picture.gpus:
        table.add_column(gpu.name, no_wrap=True)
    for nic in picture.nics:
        row = picture.matrix[nic.name]
        table.add_row(
            escape(nic.name),
            *(f"[{STYLES[row[gpu.name]]}]{row[gpu.name]}[/]" for gpu in picture.gpus),
        )
    return table


def _nics(picture: Picture) -> Table:
    table = Table(title="RDMA NICs", title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for column in ("NIC", "PCI", "NUMA", "ports", "excluded because"):
        table.add_column(column, overflow="fold")
    for nic in picture.nics:
        numa = "?" if nic.numa_node == UNKNOWN_NUMA else str(nic.numa_node)
        table.add_row(*map(escape, (nic.name, nic.address or "-", numa, nic.detail, nic.excluded)))
    return table


def show(picture: Picture, console: Console) -> None:
    """Print everything there is."""
    tree = Tree(f"[bold]{escape(picture.source)}[/]")
    for box in picture.boxes:
        _grow(tree.add(f"[bold]{escape(box.title)}[/]"), box)
    console.print(tree)
    if picture.nics:
        console.print()
        console.print(_nics(picture))
    if picture.matrix and picture.gpus:
        console.print()
        console.print(_matrix(picture))
        console.print(
            "PIX one PCIe switch, PXB several, PHB one host bridge, NODE same NUMA node, SYS across"
        )
    for note in picture.notes:
        console.print(f"[yellow]note:[/] {escape(note)}")
