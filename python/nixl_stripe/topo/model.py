# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What `topo` shows of a machine, as plain data that every output is made from."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Any

from nixl_stripe import _core
from nixl_stripe.untrusted import one_line

UNKNOWN_NUMA = -1
#: Characters of one text: the path of a file may have so many.
_LONGEST = 4096
#: GPUs times NICs that are shown or planned together; 16 GPUs with a thousand NICs are as many.
MOST_PAIRS = 1 << 14


@dataclass(frozen=True)
class Device:
    """A GPU or an RDMA NIC; `address` is "" for a software device."""

    kind: str  # "GPU" or "NIC"
    name: str
    address: str
    numa_node: int
    detail: str
    link: str = ""
    excluded: str = ""


@dataclass
class Box:
    """A NUMA node, host bridge or PCIe switch and what hangs below it."""

    kind: str  # "NUMA", "root" or "switch"
    title: str
    link: str = ""
    boxes: list[Box] = field(default_factory=list)
    devices: list[Device] = field(default_factory=list)


@dataclass(frozen=True)
class Picture:
    """Everything that is shown."""

    source: str
    boxes: list[Box]
    gpus: list[Device]
    nics: list[Device]
    matrix: dict[str, dict[str, str]]  # NIC name -> GPU name -> PIX, PXB, ...; {}: too many
    excluded: dict[str, str]
    notes: list[str]


def readable(picture: Picture) -> Picture:
    """Return the same with texts that can do nothing but be read, each in one line.

    What XML and a cloud's topology file call a device may hold anything. In JSON names stay as they
    are: other programs compare them, and JSON escapes by itself.
    """
    shown: Picture = _readable(picture)
    return shown


def _readable(value: Any) -> Any:
    if isinstance(value, str):
        return one_line(value, _LONGEST)
    if isinstance(value, list):
        return [_readable(each) for each in value]
    if isinstance(value, dict):
        return {_readable(key): _readable(each) for key, each in value.items()}
    if isinstance(value, (Device, Box, Picture)):
        return replace(
            value, **{each.name: _readable(getattr(value, each.name)) for each in fields(value)}
        )
    return value


def short_model(model: str) -> str:
    """Return the marketing name of a GPU: "GA100 [A100 SXM4 40GB]" is "A100 SXM4 40GB"."""
    if "[" in model and model.endswith("]"):
        model = model[model.index("[") + 1 : -1]
    return model.removeprefix("NVIDIA ")


def link_text(node: _core.PciNode | None) -> str:
    """Return "32 GT/s x16", or "" for a link that is not known."""
    if node is None or not node.link_gtps or not node.link_width:
        return ""
    return f"{node.link_gtps:g} GT/s x{node.link_width}"


def port_text(nic: _core.RdmaNic) -> str:
    """Return rate and state of a NIC's ports, "400 Gbit/s ACTIVE"; "" where nothing is known."""
    parts = []
    for port in nic.ports:
        known = []
        if port.rate_gbps:
            known.append(f"{port.rate_gbps:g} Gbit/s")
        if port.state != "unknown":
            known.append(port.state)
        elif port.link_layer != "unknown":
            known.append(port.link_layer)
        prefix = f"{port.number}: " if len(nic.ports) > 1 else ""
        parts.append(prefix + " ".join(known))
    return ", ".join(parts)


def _devices(machine: _core.Machine, excluded: dict[str, str]) -> tuple[list[Device], list[Device]]:
    pci = machine.pci  # each look at it makes a copy
    gpus = [
        Device(
            "GPU",
            f"GPU{index}",
            gpu.pci,
            gpu.numa_node,
            short_model(gpu.model),
            link_text(pci.get(gpu.pci)),
        )
        for index, gpu in enumerate(machine.gpus)
    ]
    nics = [
        Device(
            "NIC",
            nic.name,
            nic.pci,
            nic.numa_node,
            port_text(nic),
            link_text(pci.get(nic.pci)),
            excluded.get(nic.name, ""),
        )
        for nic in machine.nics
    ]
    return gpus, nics


class _Tree:
    """Builds the boxes: bridges that only lead to one thing are left out."""

    def __init__(self, machine: _core.Machine, devices: list[Device]) -> None:
        self.pci = dict(machine.pci)
        self.at: dict[str, list[Device]] = {}
        for device in devices:
            self.at.setdefault(device.address, []).append(device)
        self.children: dict[str, list[str]] = {}
        for address, node in self.pci.items():
            self.children.setdefault(node.parent, []).append(address)

    def below(self, address: str) -> tuple[list[Box], list[Device]]:
        boxes: list[Box] = []
        devices = list(self.at.get(address, []))
        for child in sorted(self.children.get(address, [])):
            more_boxes, more_devices = self.below(child)
            boxes += more_boxes
            devices += more_devices
        if self.at.get(address) or len(boxes) + len(devices) < 2:
            # The uplink of the topmost of a chain of bridges is that of all of them.
            for box in boxes:
                box.link = link_text(self.pci.get(address)) or box.link
            return boxes, devices
        link = link_text(self.pci.get(address))
        return [Box("switch", f"PCIe switch {address}", link, boxes, devices)], []

    def roots(self, numa_node: int) -> tuple[list[Box], list[Device]]:
        by_root: dict[str, list[str]] = {}
        for address in sorted(self.children.get("", [])):
            node = self.pci[address]
            if node.numa_node == numa_node:
                by_root.setdefault(node.root, []).append(address)
        boxes: list[Box] = []
        devices: list[Device] = []
        for root, tops in by_root.items():
            inside = Box("root", f"host bridge {root}")
            for address in tops:
                more_boxes, more_devices = self.below(address)
                inside.boxes += more_boxes
                inside.devices += more_devices
            if root and len(inside.boxes) + len(inside.devices) > 1:
                boxes.append(inside)
            else:
                boxes += inside.boxes
                devices += inside.devices
        return boxes, devices


def _numa_boxes(machine: _core.Machine, devices: list[Device]) -> list[Box]:
    tree = _Tree(machine, devices)
    loose = [device for device in devices if device.address not in tree.pci]
    numbers = {node.numa_node for node in tree.pci.values()}
    numbers |= {device.numa_node for device in loose}
    result = []
    for number in sorted(numbers, key=lambda n: (n == UNKNOWN_NUMA, n)):
        boxes, found = tree.roots(number)
        found += [device for device in loose if device.numa_node == number]
        if boxes or found:
            title = "NUMA node unknown" if number == UNKNOWN_NUMA else f"NUMA node {number}"
            result.append(Box("NUMA", title, "", boxes, found))
    return result


def _notes(machine: _core.Machine) -> list[str]:
    notes = list(machine.warnings)
    if machine.nccl_topology:
        notes.append(f"PCIe tree from NCCL's topology file {machine.nccl_topology}")
    if machine.is_flat:
        notes.append(
            "flat: no GPU-NIC pair can be told from another; name the cloud's topology file in "
            "NCCL_TOPO_FILE if there is one"
        )
    if not machine.nics:
        notes.append("no RDMA NIC")
    if not machine.gpus:
        notes.append("no GPU")
    return notes


def _excluded(machine: _core.Machine) -> tuple[dict[str, str], list[str]]:
    """Return why NICs are left out, by name, and notes."""
    try:
        selection = _core.select_nics(machine, "all")
    except ValueError as error:
        return {}, [f"no NIC is marked as left out: {error}"]
    return dict(selection.excluded), list(selection.warnings)


def _distances(
    machine: _core.Machine, gpus: list[Device]
) -> tuple[dict[str, dict[str, str]], list[str]]:
    """Return the matrix, and a note where it is too large to be one."""
    if len(machine.gpus) * len(machine.nics) > MOST_PAIRS:
        return {}, [
            f"no distances are shown: {len(machine.gpus)} GPUs and {len(machine.nics)} NICs are "
            f"more than {MOST_PAIRS} pairs"
        ]
    matrix: dict[str, dict[str, str]] = {
        nic.name: {
            shown.name: machine.affinity(gpu, nic)[0]
            for shown, gpu in zip(gpus, machine.gpus, strict=True)
        }
        for nic in machine.nics
    }
    return matrix, []


def picture_of(machine: _core.Machine) -> Picture:
    """Return what there is to show of a machine."""
    excluded, warnings = _excluded(machine)
    gpus, nics = _devices(machine, excluded)
    matrix, too_many = _distances(machine, gpus)
    notes = _notes(machine)
    notes += [note for note in (*warnings, *too_many) if note not in machine.warnings]
    boxes = _numa_boxes(machine, gpus + nics)
    return Picture(machine.source, boxes, gpus, nics, matrix, excluded, notes)
