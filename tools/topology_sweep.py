# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Reads every topology below some folders, and judges the NIC sets of each.

    python tools/topology_sweep.py OWNER/NAME@COMMIT=FOLDER ... --json docs/results/topologies.json

FOLDER holds what a project publishes: XML files of hwloc and NCCL, and copies of /sys (a folder
`sys` with `bus` or `class` in it). Exit 1 where one of them is refused or gives a set that cannot
be right. XML that is no topology is counted, not judged.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from nixl_stripe import __version__, _core
from nixl_stripe.bench.provenance import Origin
from nixl_stripe.bench.runner import machine

POLICIES = ("all", "best", "numa", "nearest", "fair", "auto", "1", "2")
#: Endings of the one refusal that says a file is of another kind.
_OTHER_KIND = "XML of an unknown kind"

Select = Callable[[_core.Machine, str, str | None], _core.Selection]


@dataclass
class Found:
    """What one topology holds and gives; `faults` is empty where every set is sane."""

    source: str
    file: str
    gpus: int = 0
    nics: list[str] = field(default_factory=list)
    layers: list[str] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    ceiling_gbps: float | None = None
    faults: list[str] = field(default_factory=list)


def topologies(folder: Path) -> Iterator[Path]:
    """Yield the XML files and the copies of /sys below a folder, in order."""
    for path in sorted(folder.rglob("*")):
        inside_sys = any((above / "bus").is_dir() for above in path.parents if above.name == "sys")
        if inside_sys or path.is_symlink():
            continue
        is_xml = path.suffix == ".xml" and path.is_file()
        is_sys = path.name == "sys" and any((path / part).is_dir() for part in ("bus", "class"))
        if is_xml or is_sys:
            yield path


def sweep(source: str, folder: Path) -> tuple[list[Found], int]:
    """Return what every topology below a folder gives, and how many XML files are none."""
    found, others = [], 0
    for path in topologies(folder):
        name = str(path.relative_to(folder))
        try:
            host = _core.read_machine(str(path), name)
        except ValueError as error:
            if _OTHER_KIND in str(error):
                others += 1
                continue
            found.append(Found(source, name, faults=[f"refused: {error}"]))
            continue
        found.append(judged(source, name, host))
    return found, others


def judged(
    source: str, name: str, host: _core.Machine, select: Select = _core.select_nics
) -> Found:
    """Return what a machine gives under every policy and for every GPU."""
    every = select(host, "all", None)
    found = Found(
        source,
        name,
        len(host.gpus),
        [nic.name for nic in host.nics],
        sorted({port.link_layer for nic in host.nics for port in nic.ports}),
        list(every.devices),
        dict(every.excluded_by),
        _core.ceiling_gbps(host, list(every.devices)) if every.devices else None,
    )
    gpus: list[str | None] = [gpu.pci for gpu in host.gpus] or [None]
    sets = {
        (policy, gpu): select(host, policy, gpu)
        for policy in POLICIES
        for gpu in gpus
        if gpu is not None or not _core.needs_gpu(policy)
    }
    for (policy, gpu), chosen in sets.items():
        where = policy if gpu is None else f"{policy} for {gpu}"
        found.faults += [f"{where}: {fault}" for fault in set_faults(host, every, policy, chosen)]
    found.faults += share_faults(every, [sets["fair", gpu] for gpu in gpus if gpu is not None])
    found.faults += near_faults(host, every, {gpu: sets["nearest", gpu] for gpu in gpus if gpu})
    ceiling = found.ceiling_gbps
    if ceiling is not None and not (0 < ceiling < math.inf):
        found.faults.append(f"ceiling of {ceiling} Gbit/s")
    return found


def set_faults(
    host: _core.Machine, every: _core.Selection, policy: str, chosen: _core.Selection
) -> Iterator[str]:
    """Yield what is wrong with one set: empty, of two fabrics, or a NIC with no word about it."""
    nics = {nic.name: nic for nic in host.nics}
    taken = [device.partition(":")[0] for device in chosen.devices]
    if every.devices and not taken and policy != "numa":
        yield "no NIC, and there are some"
    if set(taken) - {device.partition(":")[0] for device in every.devices}:
        yield "a NIC that `all` leaves out"
    if not nics:
        return
    fabrics = {(nics[name].ports[0].link_layer, vendor(host, nics[name])) for name in taken}
    if len(fabrics) > 1:
        yield f"two fabrics, {sorted(fabrics)}"
    unsaid = set(nics) - set(taken) - set(chosen.excluded)
    if unsaid:
        yield f"no reason for {sorted(unsaid)}"
    if len(set(taken)) != len(taken):
        yield "a NIC twice"


def vendor(host: _core.Machine, nic: _core.RdmaNic) -> int:
    """Return the PCI vendor of a NIC, 0 where the source has none."""
    node = host.pci.get(nic.pci)
    return node.vendor if node else 0


def share_faults(every: _core.Selection, shares: Sequence[_core.Selection]) -> Iterator[str]:
    """Yield what is wrong with `fair`: NICs of nobody, or of two GPUs where there are enough."""
    if not shares:
        return
    dealt = [device for share in shares for device in share.devices]
    if set(dealt) != set(every.devices):
        yield "fair: the shares are not all NICs"
    sizes = [len(share.devices) for share in shares]
    if len(every.devices) >= len(shares):
        if len(set(dealt)) != len(dealt):
            yield "fair: a NIC for two GPUs"
        if max(sizes) - min(sizes) > 1:
            yield f"fair: shares of {min(sizes)} to {max(sizes)} NICs"


def near_faults(
    host: _core.Machine, every: _core.Selection, nearest: dict[str, _core.Selection]
) -> Iterator[str]:
    """Yield GPUs whose `nearest` has a NIC that is farther than one of the others."""
    order = ("PIX", "PXB", "PHB", "NODE", "SYS")
    nics = {nic.name: nic for nic in host.nics}
    usable = [device.partition(":")[0] for device in every.devices]
    for gpu in host.gpus if not host.is_flat and nics else ():
        steps = {name: order.index(host.affinity(gpu, nic)[0]) for name, nic in nics.items()}
        near = {device.partition(":")[0] for device in nearest[gpu.pci].devices}
        if any(steps[name] > min(steps[each] for each in usable) for name in near):
            yield f"nearest for {gpu.pci}: not the nearest"


def main(argv: Sequence[str] | None = None) -> int:
    """Sweep, print what is wrong, and write the result; see the module."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folders", nargs="+", metavar="OWNER/NAME@COMMIT=FOLDER")
    parser.add_argument("--json", type=Path, help="result file to write")
    options = parser.parse_args(argv)
    origin, sources, rows = Origin(), [], []
    for each in options.folders:
        source, _, folder = each.partition("=")
        if not folder or not Path(folder).is_dir():
            parser.error(f"{each}: expected OWNER/NAME@COMMIT=FOLDER with a folder that is there")
        found, others = sweep(source, Path(folder))
        sources.append({"source": source, "topologies": len(found), "other_xml": others})
        rows += found
    bad = [(row, fault) for row in rows for fault in row.faults]
    for row, fault in bad:
        print(f"{row.source} {row.file}: {fault}", file=sys.stderr)
    print(f"{len(rows)} topologies, {sum(bool(row.nics) for row in rows)} with RDMA NICs")
    if options.json:
        made = {
            "machine": machine(),
            "versions": {"nixl_stripe": __version__},
            **origin.taken(),
            "sources": sources,
            "rows": [asdict(row) for row in rows],
        }
        options.json.write_text(json.dumps(made, indent=1) + "\n", "utf-8")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
