# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Rectangles and texts: what a drawing is made of, whoever draws it."""

from __future__ import annotations

from dataclasses import dataclass

#: Advance of a monospaced character as a part of its size (DejaVu Sans Mono: 0.602).
CHARACTER = 0.602


@dataclass(frozen=True)
class Rect:
    """A rectangle in pixels, y downwards."""

    x: float
    y: float
    width: float
    height: float
    fill: str
    stroke: str = "#888888"
    dashed: bool = False


@dataclass(frozen=True)
class Text:
    """One line; `x` is where it begins, `y` its base line."""

    x: float
    y: float
    text: str
    size: float = 11
    color: str = "#222222"
    bold: bool = False


@dataclass(frozen=True)
class Drawing:
    """Shapes in the order in which they are drawn."""

    width: float
    height: float
    shapes: tuple[Rect | Text, ...]


def text_width(text: str, size: float) -> float:
    """Return the width of a line in pixels."""
    return len(text) * size * CHARACTER


def fit(text: str, width: float, size: float) -> str:
    """Return the text, cut with an ellipsis where it is wider than `width`."""
    most = int(width / (size * CHARACTER))
    return text if len(text) <= most else text[: max(most - 1, 0)] + "…"
