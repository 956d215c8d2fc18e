# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What must hold of every choice of NICs on any mix of fabrics, vendors, ports and pods."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from memory_folders import IN_MEMORY
from mixed_hosts import AWAY, mixed_hosts
from nixl_stripe import _core
from sysfs_machines import two_sockets
from sysfs_situations_planes import A, B, lost, plane_nic
from sysfs_trees import Host, Tree, write
from sysfs_variants import rename_devices

POLICIES = ("all", "best", "numa", "nearest", "fair", "auto", "1", "3")

RANKS = {rule.id for rule in _core.usable_rules() if rule.kind == "rank"} | {"policy"}

on_mixed_hosts = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


@contextmanager
def written(host: Host) -> Iterator[Tree]:
    with tempfile.TemporaryDirectory(dir=IN_MEMORY) as folder:
        yield write(host, Path(folder))


def read(tree: Tree) -> _core.Machine:
    return _core.read_sysfs(str(tree.sys), str(tree.dev))


def choices(machine: _core.Machine) -> Iterator[tuple[str, _core.Selection]]:
    """Yield what every policy takes for every GPU."""
    has_prefix = any(nic.name.startswith("mlx5") for nic in machine.nics)
    for gpu in machine.gpus:
        for stripe in (*POLICIES, "mlx5") if has_prefix else POLICIES:
            yield stripe, _core.select_nics(machine, stripe, gpu.pci)


def fabric_of(machine: _core.Machine, device: str) -> tuple[str, str]:
    """Link layer and driver of the port that was chosen: Omni-Path says InfiniBand too."""
    name, _, number = device.partition(":")
    nic = next(nic for nic in machine.nics if nic.name == name)
    port = next(port for port in nic.ports if port.number == int(number))
    return port.link_layer, nic.driver


def subnet_of(machine: _core.Machine, device: str) -> str:
    name, _, number = device.partition(":")
    nic = next(nic for nic in machine.nics if nic.name == name)
    return next(port.gids[0][:19] for port in nic.ports if port.number == int(number))


def nics_of(machine: _core.Machine, subnet: str) -> int:
    """How many ConnectX devices have a port that is up in that InfiniBand subnet."""
    return sum(
        any(
            (port.link_layer, port.state) == ("InfiniBand", "ACTIVE")
            and port.gids[0][:19] == subnet
            for port in nic.ports
        )
        for nic in machine.nics
        if nic.driver == "mlx5_core"
    )


def nics_down(machine: _core.Machine) -> int:
    return sum(all(port.state == "DOWN" for port in nic.ports) for nic in machine.nics)


@on_mixed_hosts
@given(mixed_hosts())
def test_a_set_is_one_fabric_by_its_ports(host: Host) -> None:
    with written(host) as tree:
        machine = read(tree)
    for stripe, chosen in choices(machine):
        fabrics = {fabric_of(machine, device) for device in chosen.devices}
        assert len(fabrics) <= 1, (stripe, chosen.devices)


@on_mixed_hosts
@given(mixed_hosts())
def test_subnets_of_a_set_are_alike(host: Host) -> None:
    """Several InfiniBand subnets are one fabric only where they have nearly as many NICs.

    More than half as many, or as many with those that are down. Omni-Path, which calls its link
    layer the same, is one fabric whatever its prefixes.
    """
    with written(host) as tree:
        machine = read(tree)
    devices = _core.select_nics(machine, "all").devices
    if devices and fabric_of(machine, devices[0]) == ("InfiniBand", "mlx5_core"):
        sizes = [nics_of(machine, subnet_of(machine, device)) for device in devices]
        smallest, largest = min(sizes), max(sizes)
        assert 2 * smallest > largest or smallest + nics_down(machine) >= largest, (devices, sizes)


@on_mixed_hosts
@given(st.sampled_from((1, 12)), st.integers(1, 6), st.integers(0, 11))
def test_a_port_that_is_down_does_not_take_its_plane_along(
    gpus: int, each: int, index: int
) -> None:
    """Of two planes with as many NICs all are taken that are up, whichever one is down."""
    nics = [plane_nic(i, (A, B)[i % 2]) for i in range(2 * each)]
    index %= len(nics)
    nics[index] = lost(nics[index])
    with written(two_sockets(*nics, gpus=gpus)) as tree:
        devices = _core.select_nics(read(tree), "all").devices
    assert len(devices) == len(nics) - 1
    assert f"mlx5_{index}:1" not in devices


@on_mixed_hosts
@given(mixed_hosts())
def test_every_nic_is_taken_or_has_a_reason_and_preferences_leave_one(host: Host) -> None:
    with written(host) as tree:
        machine = read(tree)
    for stripe, chosen in choices(machine):
        taken = {device.partition(":")[0] for device in chosen.devices}
        assert taken.isdisjoint(chosen.excluded)
        assert taken | set(chosen.excluded) == {nic.name for nic in machine.nics}
        assert set(chosen.excluded) == set(chosen.excluded_by)
        assert taken or RANKS.isdisjoint(chosen.excluded_by.values()), (stripe, chosen.excluded)


@on_mixed_hosts
@given(mixed_hosts(), st.sampled_from(("zz_", "a", "mlx5_")))
def test_names_do_not_matter(host: Host, stem: str) -> None:
    with written(host) as tree:
        before = _core.select_nics(read(tree), "all").devices
        names = rename_devices(tree, stem)
        after = _core.select_nics(read(tree), "all").devices
    split = [device.partition(":") for device in before]
    assert {f"{names[name]}:{number}" for name, _, number in split} == set(after)


@on_mixed_hosts
@given(mixed_hosts())
def test_what_is_elsewhere_is_not_taken_where_anything_is_here(host: Host) -> None:
    with written(host) as tree:
        machine = read(tree)
    chosen = _core.select_nics(machine, "all")
    away = {
        nic.name
        for nic in machine.nics
        if any(port.gids and port.netdev.startswith(AWAY) for port in nic.ports)
    }
    taken = {device.partition(":")[0] for device in chosen.devices}
    assert taken.isdisjoint(away) or taken <= away
    if taken & away:
        assert "another network namespace" in "".join(chosen.warnings)
