# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The demo's results as a Markdown table, and a document's table kept true to them.

python -m tables.demo README.md docs/results/demo.json
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from demo.report import lane_text

_TITLES = {
    "one_rail": "patched, `max_rma_rails=1`",
    "stock": "stock NIXL",
    "patched": "patched, `max_rma_rails={rails}`",
}
_MARK = "<!-- {edge}: docs/results/demo.json -->"


def table(results: Mapping[str, Any]) -> str:
    """Return the table and one sentence about it, for results as the demo writes them."""
    rails, base = results["rails"], results["one_rail"]["gbps"]
    lines = [
        f"NIXL WRITE, {results['transfer_bytes'] >> 20} MiB of host memory a transfer, over "
        f"{rails} rails of {results['mbit']:g} Mbit/s:",
        "",
        "| | Gbit/s, median (min..max) | over one rail | rails used | UCX's lanes |",
        "|---|---|---|---|---|",
    ]
    for key, title in _TITLES.items():
        row = results[key]
        lines.append(
            f"| {title.format(rails=rails)} | {row['gbps']:.2f} "
            f"({row['gbps_min']:.2f}..{row['gbps_max']:.2f}) | {row['gbps'] / base:.2f} | "
            f"{row['rails_used']} | {lane_text(row['lanes'])} |"
        )
    lines += [
        "",
        f"Patched over stock: {results['speedup']:.2f}. Of the sum of the rails' limits: "
        f"{results['efficiency']:.1%}.",
    ]
    return "\n".join(lines)


def with_table(document: str, results: Mapping[str, Any]) -> str:
    """Return `document` with what stands between the two marks replaced by the table.

    ValueError where the marks are missing.
    """
    begin, end = (_MARK.format(edge=edge) for edge in ("begin", "end"))
    before, found, rest = document.partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"the document lacks the marks {begin} and {end}")
    return f"{before}{begin}\n{table(results)}\n{end}{after}"


def main(argv: Sequence[str] | None = None) -> int:
    """Rewrite the document's table; see the module."""
    document, results = (Path(name) for name in (sys.argv[1:] if argv is None else argv))
    text = with_table(document.read_text("utf-8"), json.loads(results.read_text("utf-8")))
    document.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
