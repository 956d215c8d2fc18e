# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The generated sysfs trees have the link structure of a real /sys."""

from __future__ import annotations

from pathlib import Path

import pytest
from sysfs_machines import MACHINES
from sysfs_trees import functions, write


@pytest.mark.parametrize("name", MACHINES)
def test_every_link_resolves_inside_the_tree(name: str, tmp_path: Path) -> None:
    tree = write(MACHINES[name](), tmp_path)
    links = [path for path in tree.sys.rglob("*") if path.is_symlink()]
    assert links
    for link in links:
        target = link.resolve(strict=True)
        assert target.is_relative_to(tree.sys)
        assert link.readlink().name == target.name  # the kernel ends a link with the target's name


def test_links_of_a_nic_are_those_of_the_kernel(tmp_path: Path) -> None:
    tree = write(MACHINES["dgx_h100"](), tmp_path)
    nic = tree.sys / "class/infiniband/mlx5_0"
    chain = "pci0000:15/0000:15:01.0/0000:16:00.0/0000:17:00.0/0000:18:00.0"
    assert str(nic.readlink()) == f"../../devices/{chain}/infiniband/mlx5_0"
    assert str((nic / "device").readlink()) == "../../../0000:18:00.0"
    address = tree.sys / "bus/pci/devices/0000:18:00.0"
    assert str(address.readlink()) == f"../../../devices/{chain}"


def test_a_host_has_the_devices_it_describes(tmp_path: Path) -> None:
    host = MACHINES["p5"]()
    tree = write(host, tmp_path)
    assert len(list((tree.sys / "class/infiniband").iterdir())) == 32
    listed = {path.name for path in (tree.sys / "bus/pci/devices").iterdir()}
    assert listed == {function.address for function in functions(host)}
    assert len(list((tree.dev / "infiniband").iterdir())) == 32
