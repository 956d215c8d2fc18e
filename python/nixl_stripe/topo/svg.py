# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""A drawing as SVG."""

from __future__ import annotations

from xml.sax.saxutils import escape

from nixl_stripe.topo.shapes import Drawing, Rect, Text


def _rect(shape: Rect) -> str:
    dash = ' stroke-dasharray="4 3"' if shape.dashed else ""
    return (
        f'<rect x="{shape.x:g}" y="{shape.y:g}" width="{shape.width:g}" height="{shape.height:g}" '
        f'rx="3" fill="{shape.fill}" stroke="{shape.stroke}"{dash}/>'
    )


def _text(shape: Text) -> str:
    weight = ' font-weight="bold"' if shape.bold else ""
    return (
        f'<text x="{shape.x:g}" y="{shape.y:g}" font-size="{shape.size:g}" fill="{shape.color}"'
        f"{weight}>{escape(shape.text)}</text>"
    )


def to_svg(drawing: Drawing) -> str:
    """Return the SVG document."""
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{drawing.width:g}" '
        f'height="{drawing.height:g}" viewBox="0 0 {drawing.width:g} {drawing.height:g}" '
        'font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" xml:space="preserve">',
        f'<rect width="{drawing.width:g}" height="{drawing.height:g}" fill="#ffffff"/>',
    ]
    lines += [_rect(shape) if isinstance(shape, Rect) else _text(shape) for shape in drawing.shapes]
    return "\n".join([*lines, "</svg>", ""])
