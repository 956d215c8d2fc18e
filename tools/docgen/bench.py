# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Figures and tables of what `nixl-stripe bench ... --save` wrote."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

from nixl_stripe.bench.table import cell, filled

from docgen.files import names, result, table


def bench_names() -> list[str]:
    """Return the names of the result files that benchmarks wrote."""
    return [name for name in names() if "bench" in result(name)]


def rows(name: str) -> str:
    """Return a benchmark's rows as a table, its ratios below, and what it was measured on."""
    document = result(name)
    module = importlib.import_module(f"nixl_stripe.bench.{document['bench']}")
    columns = filled(document, module.COLUMNS)
    body = [[cell(key, row.get(key)) for key in columns] for row in document["rows"]]
    ratios = [f"- {key}: {value:.3f}" for key, value in document["ratios"].items()]
    return "\n".join([f"{bed_text(document)}:", "", table(columns, body), "", *ratios])


def bed_text(document: Mapping[str, Any]) -> str:
    """Return bed, NICs and their limit."""
    machine = document["machine"]
    limit = "no limit" if machine["mbit"] is None else f"{machine['mbit']:g} Mbit/s"
    return f"{machine['bed']} bed, {machine['nics']} NICs, {limit} each"


def ratio(name: str, key: str, digits: str = "2") -> str:
    """Return one of a benchmark's ratios."""
    return f"{result(name)['ratios'][key]:.{int(digits)}f}"


def median(name: str, column: str, digits: str, *where: str) -> str:
    """Return the median of a column in the one row where every `KEY=VALUE` holds."""
    value = _row(name, where)[column]
    number = value["median"] if isinstance(value, Mapping) else value
    return f"{number:.{int(digits)}f}"


def share(name: str, *where: str) -> str:
    """Return what each NIC carried in the one row where every `KEY=VALUE` holds."""
    return cell("share", _row(name, where)["share"])


def _row(name: str, where: tuple[str, ...]) -> Mapping[str, Any]:
    wanted = dict(each.split("=", 1) for each in where)
    found = [
        row
        for row in result(name)["rows"]
        if all(str(row.get(key)) == text for key, text in wanted.items())
    ]
    if len(found) != 1:
        raise LookupError(f"{len(found)} rows of {name}.json: accepted is one")
    row: Mapping[str, Any] = found[0]
    return row
