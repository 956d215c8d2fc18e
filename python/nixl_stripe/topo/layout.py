# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Where everything of a picture goes: nested boxes above, matrix, legend and exclusions below."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, replace

from nixl_stripe.topo.model import Box, Device, Picture, readable
from nixl_stripe.topo.shapes import CHARACTER, Drawing, Rect, Text, fit, text_width

PAD = 10.0
HEADER = 22.0
TILE_WIDTH, TILE_HEIGHT = 158.0, 52.0
MAX_WIDTH = 1800.0
CELL_WIDTH, CELL_HEIGHT = 46.0, 18.0
SMALL, NORMAL = 10.0, 12.0

COLORS = {
    "PIX": "#2c7a3f",
    "PXB": "#86bf6f",
    "PHB": "#f2d25c",
    "NODE": "#f0a35a",
    "SYS": "#d2604f",
}
MEANING = {
    "PIX": "one PCIe switch",
    "PXB": "several PCIe switches",
    "PHB": "one host bridge",
    "NODE": "same NUMA node",
    "SYS": "across NUMA nodes",
}
FILLS = {"NUMA": "#f4f4f4", "root": "#e9edf3", "switch": "#dfe6ef"}
GPU_FILL, NIC_FILL, EXCLUDED_FILL = "#cfe8c6", "#c5def2", "#ececec"


@dataclass(frozen=True)
class Block:
    """Shapes that belong together, from (0, 0) to (width, height)."""

    width: float
    height: float
    shapes: tuple[Rect | Text, ...]

    def moved(self, x: float, y: float) -> tuple[Rect | Text, ...]:
        """Return the shapes, shifted."""
        return tuple(replace(shape, x=shape.x + x, y=shape.y + y) for shape in self.shapes)


def _tile(device: Device) -> Block:
    fill = GPU_FILL if device.kind == "GPU" else NIC_FILL
    if device.excluded:
        fill = EXCLUDED_FILL
    inner = TILE_WIDTH - 12
    lines = [device.address, " ".join(part for part in (device.detail,) if part) or device.link]
    shapes: list[Rect | Text] = [
        Rect(0, 0, TILE_WIDTH, TILE_HEIGHT, fill, dashed=bool(device.excluded)),
        Text(6, 16, fit(device.name, inner, NORMAL), NORMAL, bold=True),
    ]
    for index, line in enumerate(lines):
        shapes.append(Text(6, 31 + 14 * index, fit(line, inner, SMALL), SMALL, "#444444"))
    return Block(TILE_WIDTH, TILE_HEIGHT, tuple(shapes))


def _flow(blocks: Sequence[Block], max_width: float) -> Block:
    """Rows of blocks, from left to right, wrapped at `max_width`."""
    shapes: list[Rect | Text] = []
    x = y = row_height = width = 0.0
    for block in blocks:
        if x > 0 and x + block.width > max_width:
            x, y, row_height = 0.0, y + row_height + PAD, 0.0
        shapes += block.moved(x, y)
        x += block.width + PAD
        row_height = max(row_height, block.height)
        width = max(width, x - PAD)
    return Block(width, y + row_height, tuple(shapes))


def _stack(blocks: Sequence[Block]) -> Block:
    shapes: list[Rect | Text] = []
    y = 0.0
    for block in blocks:
        shapes += block.moved(0, y)
        y += block.height + PAD
    return Block(max((b.width for b in blocks), default=0), max(y - PAD, 0), tuple(shapes))


def _columns(count: int) -> int:
    return 1 if count == 1 else 2 if count <= 8 else 4


def _devices(devices: Sequence[Device]) -> list[Block]:
    """Rows of tiles, GPUs above NICs; two devices stand side by side."""
    kinds = [
        [_tile(device) for device in devices if device.kind == kind] for kind in ("GPU", "NIC")
    ]
    if len(devices) <= 2:
        kinds = [kinds[0] + kinds[1]]
    rows = []
    for tiles in kinds:
        if tiles:
            columns = _columns(len(tiles))
            rows.append(_flow(tiles, columns * TILE_WIDTH + (columns - 1) * PAD))
    return rows


def _box(box: Box, max_width: float) -> Block:
    inner_width = max_width - 2 * PAD
    inner = [_box(child, inner_width) for child in box.boxes]
    own = _devices(box.devices)
    if box.kind == "NUMA" and own:
        gpus_first = sorted(box.devices, key=lambda device: device.kind)
        own = [_flow([_tile(device) for device in gpus_first], inner_width)]
    content = _stack([*([_flow(inner, inner_width)] if inner else []), *own])
    title = box.title
    uplink = f"uplink {box.link}" if box.link else ""
    width = max(content.width, text_width(title, NORMAL)) + 2 * PAD
    if uplink:
        width = max(width, text_width(title, NORMAL) + text_width(uplink, SMALL) + 4 * PAD)
    height = content.height + HEADER + PAD
    shapes: list[Rect | Text] = [
        Rect(0, 0, width, height, FILLS[box.kind]),
        Text(PAD, 15, title, NORMAL, bold=box.kind == "NUMA"),
    ]
    if uplink:
        shapes.append(Text(width - PAD - text_width(uplink, SMALL), 15, uplink, SMALL, "#555555"))
    return Block(width, height, (*shapes, *content.moved(PAD, HEADER)))


def _matrix(picture: Picture) -> Block:
    label = max(text_width(nic.name, SMALL) for nic in picture.nics) + PAD
    shapes: list[Rect | Text] = [Text(0, 14, "GPU-NIC distance", NORMAL, bold=True)]
    top = 40.0
    for column, gpu in enumerate(picture.gpus):
        x = label + column * CELL_WIDTH
        shapes.append(
            Text(x + (CELL_WIDTH - text_width(gpu.name, SMALL)) / 2, top - 5, gpu.name, SMALL)
        )
    for row, nic in enumerate(picture.nics):
        y = top + row * CELL_HEIGHT
        shapes.append(Text(0, y + 13, nic.name, SMALL))
        for column, gpu in enumerate(picture.gpus):
            value = picture.matrix[nic.name][gpu.name]
            x = label + column * CELL_WIDTH
            shapes.append(Rect(x, y, CELL_WIDTH, CELL_HEIGHT, COLORS[value], "#ffffff"))
            color = "#ffffff" if value in ("PIX", "SYS") else "#222222"
            shapes.append(
                Text(x + (CELL_WIDTH - text_width(value, SMALL)) / 2, y + 13, value, SMALL, color)
            )
    width = max(label + len(picture.gpus) * CELL_WIDTH, text_width("GPU-NIC distance", NORMAL))
    return Block(width, top + len(picture.nics) * CELL_HEIGHT, tuple(shapes))


def _legend() -> Block:
    shapes: list[Rect | Text] = [Text(0, 14, "Legend", NORMAL, bold=True)]
    rows = [
        ("GPU", GPU_FILL, False),
        ("RDMA NIC", NIC_FILL, False),
        ("RDMA NIC, excluded", EXCLUDED_FILL, True),
        *((f"{name}: {MEANING[name]}", color, False) for name, color in COLORS.items()),
    ]
    for index, (text, fill, dashed) in enumerate(rows):
        y = 24.0 + index * 20
        shapes += [Rect(0, y, 26, 14, fill, dashed=dashed), Text(34, y + 11, text, SMALL)]
    width = 34 + max(text_width(text, SMALL) for text, _, _ in rows)
    return Block(width, 24.0 + 20 * len(rows), tuple(shapes))


def _list(title: str, lines: Sequence[str], width: float) -> Block:
    shapes: list[Rect | Text] = [Text(0, 14, title, NORMAL, bold=True)]
    y = 32.0
    for line in lines:
        for part in textwrap.wrap(line, int(width / (SMALL * CHARACTER)), subsequent_indent="  "):
            shapes.append(Text(0, y, part, SMALL))
            y += 14
    return Block(width, y - 8, tuple(shapes))


def draw(picture: Picture) -> Drawing:
    """Return the drawing of a machine; whatever the names and counts are, nothing overlaps."""
    picture = readable(picture)
    source = picture.source[-140:]
    blocks = [_box(box, MAX_WIDTH) for box in picture.boxes]
    below = [_legend()]
    if picture.gpus and picture.matrix:
        below.insert(0, _matrix(picture))
    texts = []
    if picture.excluded:
        lines = [f"{name}: {reason}" for name, reason in picture.excluded.items()]
        texts.append(_list("Excluded", lines, 520))
    if picture.notes:
        texts.append(_list("Notes", picture.notes, 520))
    if texts:
        below.append(_stack(texts))
    spaced = [replace(block, width=block.width + 3 * PAD) for block in below]
    title = Block(text_width(source, 15), 24, (Text(0, 16, source, 15, bold=True),))
    body = _stack([title, *blocks, _flow(spaced, MAX_WIDTH)])
    return Drawing(body.width + 2 * PAD, body.height + 2 * PAD, body.moved(PAD, PAD))
