# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Tables of the demo, of NIXL's versions, of the topology reader and of ModelExpress' test."""

from __future__ import annotations

from collections import Counter
from typing import Any

from demo.report import lane_text
from packaging.version import Version

from docgen.files import result, table

_DEMO = {
    "one_rail": "patched, `max_rma_rails=1`",
    "stock": "stock NIXL",
    "patched": "patched, `max_rma_rails={rails}`",
}


def demo() -> str:
    """Return the demo's table and one sentence about it."""
    found = result("demo")
    rails, base = found["rails"], found["one_rail"]["gbps"]
    rows = []
    for key, title in _DEMO.items():
        row = found[key]
        spread = f"({row['gbps_min']:.2f}..{row['gbps_max']:.2f})"
        cells = [title.format(rails=rails), f"{row['gbps']:.2f} {spread}"]
        cells += [f"{row['gbps'] / base:.2f}", str(row["rails_used"]), lane_text(row["lanes"])]
        rows.append(cells)
    heads = ["", "Gbit/s, median (min..max)", "over one rail", "rails used", "UCX's lanes"]
    size = found["transfer_bytes"] >> 20
    return "\n".join(
        [
            f"NIXL WRITE, {size} MiB of host memory a transfer, over {rails} rails of "
            f"{found['mbit']:g} Mbit/s:",
            "",
            table(heads, rows),
            "",
            f"Patched over stock: {found['speedup']:.2f}. Of the sum of the rails' limits: "
            f"{100 * found['efficiency']:.1f} %.",
        ]
    )


def versions() -> str:
    """Return what every published line of NIXL did, newest first."""
    found = result("versions")
    rows = []
    newest = sorted(found["rows"], key=lambda row: (Version(row["version"]), row["nixl"]))
    for row in reversed(newest):
        rails = row.get("rails")
        rows.append(
            [
                row["version"],
                row["nixl"],
                row["ucx"],
                "yes" if row["loads"] else "**no**",
                "4" if "MAX_RMA_RAILS 4" in row["applied"] else "**no**",
                "`ValueError`" if row["refuses"] else "**no**",
                f"{rails['stock']}, {rails['patched']}" if rails else "not tried",
            ]
        )
    heads = ["NIXL", "wheel", "UCX in it", "loads", "`max_rma_rails=4` reads back"]
    heads += ["a bad value", "rails: stock, patched"]
    return table(heads, rows)


def topology() -> str:
    """Return what reading a machine costs, ours beside ModelExpress's."""
    columns = ("ours", "modelexpress", "modelexpress_all_gpus", "floor")
    rows = [
        [
            row["host"],
            *(str(row[key]) for key in ("nics", "gpus", "pci_functions")),
            *(f"{row[key]['median']:.2f}" for key in columns),
        ]
        for row in result("topology")["rows"]
    ]
    heads = ["host", "NICs", "GPUs", "PCI functions", "nixl-stripe"]
    heads += ["ModelExpress 0.7.0, one GPU", "ModelExpress, every GPU", "floor"]
    return table(heads, rows)


def topologies() -> str:
    """Return what each published topology with an RDMA NIC gives."""
    rows = []
    for row in result("topologies")["rows"]:
        if not row["nics"]:
            continue
        counts = Counter(row["left_out"].values())
        left_out = ", ".join(f"{number} by `{rule}`" for rule, number in sorted(counts.items()))
        name = row["file"].removesuffix("/sys").removesuffix(".tree").rpartition("/")[2]
        repository = row["source"].partition("@")[0]
        what = f"{len(row['nics'])} ({', '.join(row['layers'])})"
        cells = [repository, f"`{name}`", str(row["gpus"]), what, str(len(row["taken"]))]
        rows.append([*cells, left_out or "-"])
    return table(["from", "file", "GPUs", "NICs", "`stripe=all` takes", "left out"], rows)


def topology_sources() -> str:
    """Return which topologies were read, in one sentence for each project."""
    found = result("topologies")
    lines = []
    for each in found["sources"]:
        name, _, commit = each["source"].partition("@")
        rows = [row for row in found["rows"] if row["source"] == each["source"]]
        with_nics = sum(bool(row["nics"]) for row in rows)
        bad = sum(bool(row["faults"]) for row in rows)
        lines.append(
            f"- {name} at `{commit}`: {len(rows)} topologies, {with_nics} with RDMA NICs, "
            f"{bad} with a fault"
        )
    return "\n".join(lines)


def many_nics() -> str:
    """Return what the NICs of guests with many of them carried."""
    rows = [
        [
            str(row["nics"]),
            *(f"{row[op]['least']:.3f} to {row[op]['most']:.3f}" for op in ("READ", "WRITE")),
        ]
        for row in result("many-nics")["rows"]
    ]
    return table(["NICs", "READ: parts of an even share", "WRITE"], rows)


def modelexpress() -> str:
    """Return ModelExpress' rates and the bytes of each rail."""
    found = result("modelexpress")["rows"]
    nics = list(found[0]["bytes"])
    rows = [
        [
            row["case"],
            f"{row['gbps']:.2f}",
            f"{row['gbps'] / found[0]['gbps']:.1f}",
            *(f"{row['bytes'][nic] / 1e6:.1f}" for nic in nics),
        ]
        for row in found
    ]
    return table(["case", "Gbit/s", "x stock", *(f"{nic}, MB" for nic in nics)], rows)


def modelexpress_rate(case: str) -> str:
    """Return the rate of one case in Gbit/s."""
    row: dict[str, Any] = next(r for r in result("modelexpress")["rows"] if r["case"] == case)
    return f"{row['gbps']:.2f}"


def verification(which: str) -> str:
    """Return what `verify` printed, `patched` or `unpatched`."""
    return f"```\n{result('verify')[which]['text']}\n```"
