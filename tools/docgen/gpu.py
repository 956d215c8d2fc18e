# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The GPU check in a document: its own tables, one at a time, and single figures."""

from __future__ import annotations

from gpu_check import report

from docgen.files import result


def part(name: str) -> str:
    """Return one of the report's tables."""
    return report.PARTS[name](result("gpu"))


def rate(memory: str, op: str, rails: str, mbit: str, kind: str) -> str:
    """Return a rate in Gbit/s; kind: stock or striped."""
    found = result("gpu")
    wanted = (memory, op, int(rails), int(mbit), kind)
    for row in (*found["scaling"], *found["fast"]):
        if (row["memory"], row["op"], row["rails"], row["mbit"], row["kind"]) == wanted:
            return f"{row['gbps']:.2f}"
    raise LookupError(f"no row {wanted} in gpu.json")


def create(case: str) -> str:
    """Return the median time to create a backend on the machine with a GPU, in ms."""
    rows = result("gpu")["create"]["rows"]
    return f"{next(r['median_ms'] for r in rows if r['case'] == case):.1f}"


def agent(case: str) -> str:
    """Return the same of `bench agent`."""
    rows = result("agent")["rows"]
    return f"{next(r['median_ms'] for r in rows if r['case'] == case):.1f}"
