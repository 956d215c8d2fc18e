# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""A drawing as PNG, by matplotlib (extra `plot`)."""

from __future__ import annotations

from pathlib import Path

from nixl_stripe.errors import StripeError
from nixl_stripe.topo.shapes import Drawing, Rect

DPI = 144
POINTS_PER_PIXEL = 0.72  # a drawing's pixel is 1/100 inch


def write_png(drawing: Drawing, path: Path) -> None:
    """Write the PNG.

    Raises:
        StripeError: matplotlib is not installed.

    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
        from matplotlib.patches import Rectangle
    except ImportError as error:
        raise StripeError(
            "--png needs matplotlib; install it with: pip install 'nixl-stripe[plot]' "
            "(--svg needs nothing)"
        ) from error
    figure = Figure(figsize=(drawing.width / 100, drawing.height / 100), dpi=DPI)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, drawing.width)
    axes.set_ylim(drawing.height, 0)
    axes.axis("off")
    for shape in drawing.shapes:
        if isinstance(shape, Rect):
            axes.add_patch(
                Rectangle(
                    (shape.x, shape.y),
                    shape.width,
                    shape.height,
                    facecolor=shape.fill,
                    edgecolor=shape.stroke,
                    linewidth=0.7,
                    linestyle="--" if shape.dashed else "-",
                )
            )
        else:
            axes.text(
                shape.x,
                shape.y,
                shape.text,
                fontsize=shape.size * POINTS_PER_PIXEL,
                color=shape.color,
                family="DejaVu Sans Mono",
                weight="bold" if shape.bold else "normal",
                verticalalignment="baseline",
                parse_math=False,
            )
    figure.savefig(path)
