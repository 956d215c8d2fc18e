# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""A picture in the terminal: tree, NICs, and a matrix like that of `nvidia-smi topo -m`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nixl_stripe.terminal import Cell, Screen, table
from nixl_stripe.topo.model import UNKNOWN_NUMA, Box, Device, Picture, readable

#: Distances from near to far, the same order as in the legend of the drawing.
STYLES = {"PIX": "bold green", "PXB": "green", "PHB": "yellow", "NODE": "yellow", "SYS": "red"}
_LEGEND = "PIX one PCIe switch, PXB several, PHB one host bridge, NODE same NUMA node, SYS across"
_BRANCH, _LAST, _PASS, _SPACE = "├── ", "└── ", "│   ", "    "


def _device(screen: Screen, device: Device) -> str:
    colour = "green" if device.kind == "GPU" else "cyan"
    name = screen.styled(device.name, "grey" if device.excluded else colour)
    suffix = ["(excluded)"] if device.excluded else []
    known = [each for each in (device.address, device.detail, device.link) if each]
    return "  ".join([name, *known, *suffix])


def _tree(screen: Screen, box: Box, indent: str = "") -> list[str]:
    """Return the lines below a box."""
    lines = []
    inner: list[Box | Device] = [*box.boxes, *box.devices]
    for each in inner:
        is_last = each is inner[-1]
        start = indent + (_LAST if is_last else _BRANCH)
        if isinstance(each, Device):
            lines.append(start + _device(screen, each))
            continue
        link = screen.styled(f"  uplink {each.link}", "grey") if each.link else ""
        lines.append(start + each.title + link)
        lines += _tree(screen, each, indent + (_SPACE if is_last else _PASS))
    return lines


def _numa(device: Device) -> str:
    return "unknown" if device.numa_node == UNKNOWN_NUMA else str(device.numa_node)


def _nics(screen: Screen, picture: Picture) -> list[str]:
    heads = ("", "NIC", "PCI", "NUMA", "ports", "excluded because")
    rows = [
        (f"NIC{i}", nic.name, nic.address or "-", _numa(nic), nic.detail or "unknown", nic.excluded)
        for i, nic in enumerate(picture.nics)
    ]
    return table(screen, heads, rows, left=heads)


def _matrix(screen: Screen, picture: Picture, cpus: Mapping[int, str]) -> list[str]:
    """Return a row a GPU, its distance from each NIC; in parts where the screen is narrow."""
    ends = ("CPU affinity", "NUMA")
    tails = [(cpus.get(gpu.numa_node, "unknown"), _numa(gpu)) for gpu in picture.gpus]
    taken = 6 + sum(len(each) + 2 for each in ends) + max(len(cpu) for cpu, _ in tails)
    room = len(picture.nics) if screen.width is None else max(4, (screen.width - taken) // 7)
    lines: list[str] = []
    for start in range(0, len(picture.nics), room):
        some = list(enumerate(picture.nics))[start : start + room]
        heads = ("", *(f"NIC{i}" for i, _ in some), *ends)
        rows: list[Sequence[str | Cell]] = []
        for gpu, tail in zip(picture.gpus, tails, strict=True):
            far = [picture.matrix[nic.name][gpu.name] for _, nic in some]
            rows.append((gpu.name, *(Cell(each, STYLES[each]) for each in far), *tail))
        lines += [*([""] if lines else []), *table(screen, heads, rows, left=("", *ends))]
    return lines


def show(picture: Picture, screen: Screen, cpus: Mapping[int, str]) -> None:
    """Print everything there is. cpus: the cores of each NUMA node, as the kernel lists them."""
    picture = readable(picture)
    lines = [screen.styled(picture.source, "bold")]
    for box in picture.boxes:
        is_last = box is picture.boxes[-1]
        lines.append((_LAST if is_last else _BRANCH) + screen.styled(box.title, "bold"))
        lines += _tree(screen, box, _SPACE if is_last else _PASS)
    if picture.nics:
        lines += ["", *_nics(screen, picture)]
    if picture.matrix and picture.gpus:
        lines += ["", *_matrix(screen, picture, cpus), _LEGEND]
    lines += [f"{screen.styled('note:', 'yellow')} {note}" for note in picture.notes]
    screen.say("\n".join(lines))
