# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The tables of docs/troubleshooting.md, from the code's own lists.

    python -m tables.doctor docs/troubleshooting.md

writes them anew between their marks.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from nixl_stripe import _core
from nixl_stripe.doctor.catalogue import CHECKS


def checks_table() -> str:
    """Return every check and what it looks at."""
    rows = [f"| `{check.name}` | {check.about} |" for check in CHECKS]
    return "\n".join(["| check | looks at |", "|---|---|", *rows])


def traps_table() -> str:
    """Return every setting that undoes striping."""
    rows = [
        f"| `UCX_{rule.key}` | {rule.when} | {rule.effect} | "
        f"unset it{', or ' + rule.fix if rule.fix else ''} |"
        for rule in _core.trap_table()
    ]
    return "\n".join(["| setting | value | effect | what to do |", "|---|---|---|---|", *rows])


def with_tables(text: str) -> str:
    """Return a document with both tables as they are now; ValueError where a mark is missing."""
    for name, table in (("checks", checks_table()), ("traps", traps_table())):
        begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
        before, found, rest = text.partition(begin)
        _, closed, after = rest.partition(end)
        if not found or not closed:
            raise ValueError(f"the document lacks the marks {begin} and {end}")
        text = f"{before}{begin}\n{table}\n{end}{after}"
    return text


def main(argv: Sequence[str] | None = None) -> int:
    """Rewrite the tables of the files that are named."""
    for name in sys.argv[1:] if argv is None else argv:
        path = Path(name)
        path.write_text(with_tables(path.read_text("utf-8")), "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
