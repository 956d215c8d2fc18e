# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Forecasts against what UCX reports and NICs count, over a grid of cases on the RDMA guests.

    python -m forecast_grid --json docs/results/forecast.json

Rows that the file has already are kept unless --again names part of their title, so that the grid
can be measured in pieces (--minutes).
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from nixl_stripe import __version__
from nixl_stripe.bench.provenance import Origin
from nixl_stripe.errors import StripeError
from nixl_stripe.lab.guests.bed import Guests
from nixl_stripe.lab.guests.layout import GpuPlace, verbs_device
from nixl_stripe.lab.job import Role
from nixl_stripe.lab.outcome import Outcome
from nixl_stripe.planning.forecast import Forecast, LaneEnd, Op, forecast_lanes
from nixl_stripe.planning.planner import plan
from nixl_stripe.versions import NEWEST_REQUIREMENT
from nixl_stripe.wheel.installs import Installs, prepare

from forecast_grid.cases import CASES, BedSpec, GridCase

#: A NIC counts as used from this share on: wire-up and a lane's smallest piece stay below.
USED = 0.01
OPS: tuple[Op, Op] = ("read", "write")


def ends(bed: Guests, case: GridCase) -> dict[Role, LaneEnd]:
    """Return both ends of a case, worked out from what the guests show of themselves."""
    here, there = case.places
    theirs = case.params if case.peer_params is None else case.peer_params
    return {
        "initiator": _end(bed, "initiator", here, case, case.params),
        "target": _end(bed, "target", there, case, theirs),
    }


def _end(
    bed: Guests, role: Role, place: GpuPlace | None, case: GridCase, params: Mapping[str, str]
) -> LaneEnd:
    asked = dict(params)
    gpu = bed.gpu(role, place) if place else None
    config = dict(
        entry.split("=", 1) for entry in asked.pop("engine_config", "").split(",") if entry
    )
    listed = asked.pop("device_list", None)
    if listed is not None and not case.patched:
        # what stock makes of its own parameter
        config["NET_DEVICES"] = ",".join(f"{name}:1" for name in listed.split(", "))
        listed = None
    made = plan(
        asked.pop("stripe", None),
        gpu,
        bed.machine(role),
        device_list=listed,
        environment=case.environment,
        engine_config=config,
    )
    return made.lane_end(case.memory, context=case.context)


def measure(bed: Guests, case: GridCase, installs: Installs) -> dict[str, Any]:
    """Run a case and return its row: both ends, and for each operation what was seen and said."""
    here, there = case.places
    outcome = bed.transfer(
        sizes=[case.size] * case.buffers,
        op="READ",
        then="WRITE",
        gpu=here,
        peer_gpu=there,
        memory=case.memory,
        context_current=case.context,
        nixl=installs.patched if case.patched else installs.stock,
        backend_params=case.params,
        peer_params=case.peer_params,
        environment=case.environment,
    ).require()
    both = ends(bed, case)
    return {
        "title": case.title,
        "size": case.size,
        "memory": case.memory,
        "ends": {role: json.loads(json.dumps(asdict(end))) for role, end in both.items()},
        "ops": {op: _seen(outcome, op) for op in OPS},
    }


def _seen(outcome: Outcome, op: Op) -> dict[str, Any]:
    part = outcome.of_op("READ" if op == "read" else "WRITE")
    lanes = part.lanes
    return {
        "share": {verbs_device(name): round(share, 4) for name, share in part.share.items()},
        "lanes": {} if lanes is None else lanes.share,
        "protocol": None if lanes is None else lanes.protocol,
        "gbps": round(part.gbps, 4),
    }


def forecast_of(row: Mapping[str, Any], op: Op) -> Forecast:
    """Return what the forecast says of a row, from the ends that it holds."""
    both = {role: LaneEnd.from_dict(end) for role, end in row["ends"].items()}
    return forecast_lanes(both["initiator"], both["target"], op, row["memory"], row["size"])


def agrees(row: Mapping[str, Any], op: Op) -> bool:
    """Whether the NICs that carried data are those of the forecast."""
    seen = {nic for nic, share in row["ops"][op]["share"].items() if share > USED}
    said = {nic for nic, share in forecast_of(row, op).lanes.items() if share > USED}
    return seen == said


def summary(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return how often the forecast is right, its largest error in share, and the misses."""
    judged = [(row, op, agrees(row, op)) for row in rows for op in OPS]
    misses = [
        {
            "case": f"{row['title']}, {op}",
            "measured": row["ops"][op]["share"],
            "forecast": forecast_of(row, op).lanes,
        }
        for row, op, is_right in judged
        if not is_right
    ]
    return {
        "cases": len(judged),
        "agree": len(judged) - len(misses),
        "largest_share_error": max((_error(row, op) for row, op, ok in judged if ok), default=0.0),
        "disagreements": misses,
    }


def _error(row: Mapping[str, Any], op: Op) -> float:
    said = forecast_of(row, op).lanes
    seen = row["ops"][op]["share"]
    worst: float = max(abs(share - said.get(nic, 0.0)) for nic, share in seen.items())
    return round(worst, 4)


def _beds(todo: Sequence[GridCase]) -> Iterator[tuple[BedSpec, list[GridCase]]]:
    for spec in dict.fromkeys(case.bed for case in todo):
        yield spec, [case for case in todo if case.bed == spec]


def run(
    todo: Sequence[GridCase], installs: Installs, cache: Path, minutes: float
) -> Iterator[dict[str, Any]]:
    """Yield a row for each case, until the time is up."""
    end = time.monotonic() + 60 * minutes
    for spec, cases in _beds(todo):
        if time.monotonic() > end:
            return
        with Guests(spec.nics, layout=spec.layout, gpus=spec.gpus, cache=cache) as bed:
            for case in cases:
                if time.monotonic() > end:
                    return
                yield measure(bed, case, installs)


def _port_tables(rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return a name for each distinct list of ports, since many rows share one: text -> name."""
    texts = (json.dumps(end["ports"]) for row in rows for end in row["ends"].values())
    return {text: f"ports{number}" for number, text in enumerate(dict.fromkeys(texts))}


def write(path: Path, rows: Sequence[Mapping[str, Any]], origin: Mapping[str, Any]) -> None:
    """Write the rows in the order of the cases, with their origin and the summary before them."""
    order = {case.title: number for number, case in enumerate(CASES)}
    kept = sorted((row for row in rows if row["title"] in order), key=lambda r: order[r["title"]])
    tables = _port_tables(kept)
    head = {
        **origin,
        "summary": summary(kept),
        "ports": {name: json.loads(text) for text, name in tables.items()},
    }
    short = [
        {
            **row,
            "ends": {
                role: {**end, "ports": tables[json.dumps(end["ports"])]}
                for role, end in row["ends"].items()
            },
        }
        for row in kept
    ]
    parts = [f' "{key}": {json.dumps(value)}' for key, value in head.items()]
    lines = ",\n".join("  " + json.dumps(row) for row in short)
    parts.append(f' "rows": [\n{lines}\n ]')
    path.write_text("{\n" + ",\n".join(parts) + "\n}\n", "utf-8")


def read(path: Path) -> dict[str, Any]:
    """Return what `write` wrote, each row with its own ports again."""
    data: dict[str, Any] = json.loads(path.read_text("utf-8"))
    for row in data["rows"]:
        for end in row["ends"].values():
            end["ports"] = data["ports"][end["ports"]]
    return data


def as_lines(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the rows for the C++ unit test, which reads no JSON: tabs between fields.

    First the lists of ports, `ports<N>` and the ports. Then rows: title and operation, operation,
    buffer size, measured shares; for each end flags (g: GPU memory, c: context), settings and
    `ports<N>`.
    """
    tables = _port_tables(rows)
    lines = [f"{name}\t{_port_text(json.loads(text))}" for text, name in tables.items()]
    for row in rows:
        for op in OPS:
            shares = " ".join(f"{nic}={part}" for nic, part in row["ops"][op]["share"].items())
            fields = [f"{row['title']}, {op}", op, str(row["size"]), shares]
            for end in row["ends"].values():
                flags = "g" * end["is_gpu_memory"] + "c" * end["has_context"]
                settings = " ".join(f"{key}={value}" for key, value in end["settings"].items())
                fields += [flags or "-", settings, tables[json.dumps(end["ports"])]]
            lines.append("\t".join(fields))
    return "\n".join(lines) + "\n"


def _port_text(ports: Sequence[Mapping[str, Any]]) -> str:
    return " ".join(
        f"{p['device']}|{int(p['is_rdma'])}|{p['bandwidth']:.0f}|{p['distance']}|{p['hops']}|"
        + "|".join(p["subnets"])
        for p in ports
    )


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--json", type=Path, default=Path("docs/results/forecast.json"))
    parser.add_argument("--nixl", default=NEWEST_REQUIREMENT, help="requirement or wheel file")
    parser.add_argument("--cache", type=Path, default=Path(".cache"))
    parser.add_argument("--lines", type=Path, help="write the rows for the C++ unit test here too")
    parser.add_argument("--minutes", type=float, default=60.0, help="stop after so long")
    parser.add_argument("--again", metavar="TEXT", help="measure rows with this in their title")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure what is missing; 1 when the forecast is right in under 95 % of the cases."""
    options = _options(argv)
    rows: dict[str, Any] = {}
    before = Origin(["scripts/forecast-grid"])
    origin: dict[str, Any] = {}
    if options.json.exists():
        found = read(options.json)
        rows = {row["title"]: row for row in found["rows"]}
        origin = {key: found[key] for key in found if key not in ("summary", "ports", "rows")}
    todo = [
        case
        for case in CASES
        if case.title not in rows or (options.again and options.again in case.title)
    ]
    try:
        installs = prepare(options.cache / "demo", options.nixl, None, _say)
        wheels = [installs.stock_wheel, installs.patched_wheel]
        for row in run(todo, installs, options.cache / "guests", options.minutes):
            rows[row["title"]] = row
            versions = {"nixl_stripe": __version__, "nixl": wheels[0].split("-")[1]}
            origin = {**before.taken(), "versions": versions, "wheels": wheels}
            write(options.json, list(rows.values()), origin)
            for op in OPS:
                mark = "ok" if agrees(row, op) else "MISS"
                seen = [round(100 * share) for share in row["ops"][op]["share"].values()]
                _say(f"{mark:4} {row['title']}, {op}: {seen}")
    except StripeError as error:
        _say(str(error))
        return 1
    write(options.json, list(rows.values()), origin)
    results = read(options.json)
    if options.lines:
        options.lines.write_text(as_lines(results["rows"]), "utf-8")
    found = results["summary"]
    _say(f"{found['agree']} of {found['cases']} forecasts name the NICs that carried data")
    return 0 if found["agree"] >= 0.95 * found["cases"] else 1


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
