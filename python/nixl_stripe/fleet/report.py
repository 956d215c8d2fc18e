# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What a run showed, as data for JSON and as text for people."""

from __future__ import annotations

import dataclasses
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from nixl_stripe.fleet.model import Finding, HostFacts, Transfer
from nixl_stripe.fleet.sweep import Result

Data = Mapping[str, Any]


def to_dict(result: Result) -> dict[str, Any]:
    """Return all of it as plain data; see docs/fleet.md."""
    return {
        "ok": result.ok,
        "hosts": [_host(each, result) for each in result.facts],
        "absent": list(result.absent),
        "rounds": result.rounds,
        "seconds": round(result.seconds, 3),
        "size": result.plan.size,
        "ops": list(result.plan.ops),
        "pairs": [_pair(each) for each in result.transfers],
        "left_out": result.left_out,
        "findings": [_finding(each) for each in result.findings],
    }


def _host(facts: HostFacts, result: Result) -> dict[str, Any]:
    found = dataclasses.asdict(facts)
    lists = {"nics": list(facts.nics), "down": list(facts.down)}
    return {**found, **lists, "gone": result.gone.get(facts.host, "")}


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "kind": finding.kind.value,
        "culprit": finding.culprit,
        "hosts": list(finding.hosts),
        "nics": list(finding.nics),
        "evidence": finding.evidence,
        "fix": finding.fix,
    }


def _pair(each: Transfer) -> dict[str, Any]:
    return {
        "round": each.number,
        "sender": each.sender,
        "receiver": each.receiver,
        "op": each.op,
        "ok": not each.error,
        "error": each.error,
        "seconds": round(each.seconds, 6),
        "sent": dict(each.sent),
        "received": dict(each.received),
        "lanes": dict(each.lanes),
        "unreachable": list(each.unreachable),
        "down": [list(one) for one in each.down],
        "lost": list(each.lost),
        "repeat": each.is_repeat,
    }


def text_of(data: Data) -> str:
    """Return a verdict, the findings and a line of figures."""
    return "\n".join([*_findings(data), *_changes(data.get("changes") or {}), figures(data)])


def _changes(changes: Mapping[str, Sequence[str]]) -> list[str]:
    return [f"{name}: {', '.join(each)}" for name, each in changes.items() if each]


def _findings(data: Data) -> list[str]:
    found: Sequence[Data] = data["findings"]
    if not found:
        return [f"healthy: {len(data['hosts'])} hosts, nothing found"]
    counts = Counter(each["kind"] for each in found)
    lines = [", ".join(f"{count} {kind}" for kind, count in counts.items())]
    for each in found:
        lines += [
            f"  {each['kind']}: {each['culprit']}",
            f"    {each['evidence']}",
            f"    fix: {each['fix']}",
        ]
    return lines


def figures(data: Data) -> str:
    """Return how large the run was and how quick its pairs, in one line."""
    good = [each for each in data["pairs"] if each["ok"] and each["seconds"]]
    line = (
        f"{len(data['hosts'])} hosts, {data['rounds']} rounds, {len(data['pairs'])} transfers, "
        f"{len(good)} of them well, in {data['seconds']:.0f} s"
    )
    if good:
        rates = [data["size"] * 8e-9 / each["seconds"] for each in good]
        line += f"; Gbit/s of a pair: median {statistics.median(rates):.3g}, least {min(rates):.3g}"
    if data["left_out"]:
        line += f"; {data['left_out']} pairs were not tried, as a host had failed in many before"
    return line
