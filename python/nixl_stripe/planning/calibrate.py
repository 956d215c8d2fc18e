# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Measures a machine: host memory and each GPU, and keeps what was found as a calibration."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from nixl_stripe import _core
from nixl_stripe.planning.faults import Nics, Places
from nixl_stripe.planning.tuning import Search

#: Most measurements of a machine.
BUDGET = 200
#: Least measurements of a memory beside those of each NIC alone.
BESIDE = 5
#: Distances at which no host bridge is between a GPU and a NIC.
_NEAR = ("PIX", "PXB")


class Rates(NamedTuple):
    """What a set of NICs carried, Gbit/s; read: 0 where that was not measured."""

    write: float
    read: float = 0.0

    @property
    def least(self) -> float:
        """The lesser of those that were measured."""
        return min(self.write, self.read or self.write)


#: Measures from a GPU (None: host memory) over devices.
Measure = Callable[[str | None, Sequence[str]], Rates]


def calibrate(
    machine: _core.Machine,
    measure: Measure,
    memories: Sequence[str | None],
    budget: int = BUDGET,
) -> _core.Calibration:
    """Measure sets of the NICs that `stripe=all` takes, at most `budget` times in all.

    memories: GPUs, by PCI address, and None for host memory. Each has an equal part of the budget,
    and those after it what it did not need. ValueError where that does not suffice to measure every
    NIC alone.
    """
    devices = list(_core.select_nics(machine, "all").devices)
    result = _core.calibration_of(machine, devices)
    known: frozenset[tuple[str, Nics]] = frozenset()
    first: tuple[Nics, ...] = ()
    least = len(memories) * (len(devices) + BESIDE)
    if budget < least:
        raise ValueError(
            f"{budget} measurements of {len(devices)} NICs and {len(memories)} memories: "
            f"accepted are {least} and more"
        )
    for index, memory in enumerate(memories):
        taken: dict[Nics, list[Rates]] = {}
        search = Search(
            places_of(machine, devices, memory),
            _counted(measure, memory, devices, taken),
            budget // (len(memories) - index),
            known,
            first,
        )
        rates = search.run()
        budget -= search.used
        known |= search.faults()
        first = tuple(sorted(rates, key=lambda nics: -rates[nics])[:1])
        _keep(result, memory, devices, taken)
    return result


def places_of(machine: _core.Machine, devices: Sequence[str], memory: str | None) -> Places:
    """Return what a machine says of these devices, for the memory of a GPU or of the host."""
    pci = {nic.name: nic.pci for nic in machine.nics}
    pci.update({each.name: each.pci for each in machine.net_interfaces if each.name not in pci})
    addresses = [pci.get(device.partition(":")[0], "") for device in devices]
    together: dict[str, set[int]] = {}
    for index, address in enumerate(addresses):
        for place in _places(machine, address):
            together.setdefault(place, set()).add(index)
    groups = dict.fromkeys(frozenset(each) for each in together.values() if len(each) > 1)
    near = frozenset(
        index
        for index, address in enumerate(addresses)
        if memory is not None and address and machine.pci_affinity(memory, address)[0] in _NEAR
    )
    return Places(len(devices), tuple(groups), near)


def _places(machine: _core.Machine, address: str) -> Iterable[str]:
    """Return what a device is below: bridges, host bridge, NUMA node."""
    node = machine.pci.get(address)
    seen = 0
    while node is not None and seen <= len(machine.pci):
        seen += 1
        if node.parent:
            yield node.parent
        else:
            yield f"root {node.root}"
        if node.numa_node >= 0:
            yield f"node {node.numa_node}"
        node = machine.pci.get(node.parent) if node.parent else None


def _counted(
    measure: Measure,
    memory: str | None,
    devices: Sequence[str],
    taken: dict[Nics, list[Rates]],
) -> Callable[[Nics], float]:
    def counted(nics: Nics) -> float:
        rates = measure(memory, [devices[index] for index in sorted(nics)])
        taken.setdefault(nics, []).append(rates)
        return rates.least

    return counted


def _keep(
    result: _core.Calibration,
    memory: str | None,
    devices: Sequence[str],
    taken: Mapping[Nics, Sequence[Rates]],
) -> None:
    for nics, found in taken.items():
        write = sum(each.write for each in found) / len(found)
        read = sum(each.read for each in found) / len(found)
        result.add(memory, [devices[index] for index in sorted(nics)], write, read)
