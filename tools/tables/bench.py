# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Tables of a document kept true to the committed results that they stand for.

    python -m tables.bench docs/results.md

Between `<!-- begin: results/NAME.json -->` and `<!-- end: results/NAME.json -->` comes the table of
that file, whose path is relative to the document.
"""

from __future__ import annotations

import importlib
import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nixl_stripe.bench.table import cell

_BLOCK = re.compile(r"(<!-- begin: (\S+\.json) -->\n).*?(<!-- end: \2 -->)", re.DOTALL)


def table(document: Mapping[str, Any]) -> str:
    """Return a result's rows as a table, its ratios below, and what it was measured with."""
    columns = importlib.import_module(f"nixl_stripe.bench.{document['bench']}").COLUMNS
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    lines += [
        "| " + " | ".join(cell(name, row.get(name)) for name in columns) + " |"
        for row in document["rows"]
    ]
    machine, versions = document["machine"], document["versions"]
    rate = "no limit" if machine["mbit"] is None else f"{machine['mbit']:g} Mbit/s"
    where = f"{machine['bed']} bed, {machine['nics']} NICs, {rate} each"
    engines = ", ".join(f"{name} {v}" for name, v in versions.items() if name != "python")
    lines += ["", f"{where}; {machine['cores']} cores; {engines}.", ""]
    lines += [f"- {name}: {value:.3f}" for name, value in document["ratios"].items()]
    return "\n".join(lines)


def with_tables(text: str, folder: Path) -> str:
    """Return the document with each block's table made anew; ValueError where there is no block."""
    if not _BLOCK.search(text):
        raise ValueError(
            "the document has no block <!-- begin: FILE.json --> ... <!-- end: ... -->"
        )

    def fresh(found: re.Match[str]) -> str:
        document = json.loads((folder / found[2]).read_text("utf-8"))
        return f"{found[1]}{table(document)}\n{found[3]}"

    return _BLOCK.sub(fresh, text)


def main(argv: Sequence[str] | None = None) -> int:
    """Rewrite the tables of the documents that are named; see the module."""
    for name in sys.argv[1:] if argv is None else argv:
        path = Path(name)
        path.write_text(with_tables(path.read_text("utf-8"), path.parent), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
