# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Captures hold what the probe reads and nothing else, and read as the same machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nixl_stripe
import pytest
from nixl_stripe import Machine
from nixl_stripe._core import read_sysfs
from nixl_stripe.errors import StripeError
from sysfs_machines import MACHINES
from sysfs_situations_ports import EVERY_SITUATION
from sysfs_trees import write


def without_addresses(host: Machine) -> dict[str, Any]:
    """Return what a capture must keep."""
    data = host.to_dict()
    del data["source"], data["is_live"]
    for nic in data["nics"]:
        del nic["access"]
        for port in nic["ports"]:
            port["gids"] = len(port["gids"])
    for interface in data["net_interfaces"]:
        del interface["has_address"]
    return data


@pytest.mark.parametrize("name", MACHINES)
def test_a_capture_reads_as_the_same_machine(name: str, tmp_path: Path) -> None:
    tree = write(MACHINES[name](), tmp_path)
    host = read_sysfs(str(tree.sys))
    folder = nixl_stripe.capture(tmp_path / "folder", source=tree.sys, keep_addresses=True)
    copy = nixl_stripe.machine(folder).to_dict()
    assert copy | {"source": ""} == host.to_dict() | {"source": ""}
    archive = nixl_stripe.capture(tmp_path / "host.tar.gz", source=tree.sys)
    read = nixl_stripe.machine(archive)
    assert read.source == str(archive)
    assert without_addresses(read) == without_addresses(host)


@pytest.mark.parametrize(
    "name",
    ["scalable functions", "pod whose veth has a NIC's name", "pod whose NIC has another's name"],
)
def test_devices_that_others_made_later_are_captured(name: str, tmp_path: Path) -> None:
    (situation,) = (each for each in EVERY_SITUATION if each.name == name)
    tree = situation.write(tmp_path)
    archive = nixl_stripe.capture(tmp_path / "host.tar.gz", source=tree.sys)
    host = read_sysfs(str(tree.sys))
    assert without_addresses(nixl_stripe.machine(archive)) == without_addresses(host)


def test_this_machine_can_be_captured(tmp_path: Path) -> None:
    archive = nixl_stripe.capture(tmp_path / "here.tar.gz")
    assert without_addresses(nixl_stripe.machine(archive)) == without_addresses(read_sysfs("/sys"))


def test_a_capture_holds_nothing_that_the_probe_does_not_read(tmp_path: Path) -> None:
    tree = write(MACHINES["dgx_h100"](), tmp_path)
    serial = next(tree.sys.glob("devices/pci*/**/infiniband/mlx5_0"))
    (serial / "node_guid").write_text("b8ce:f603:00aa:bbcc\n")
    (serial / "board_id").write_text("MT_0000000838\n")
    folder = nixl_stripe.capture(tmp_path / "copy", source=tree.sys)
    names = {path.name for path in folder.rglob("*") if path.is_file() and not path.is_symlink()}
    assert names <= {
        "uevent", "class", "vendor", "device", "numa_node", "current_link_speed",
        "current_link_width", "max_link_speed", "max_link_width", "state", "phys_state",
        "link_layer", "rate", "lid", "ibdev", "operstate", "flags", "mtu", "speed", "type",
        "dev_port", "phys_port_name", "online", *map(str, range(256)), "SHA256SUMS",
    }  # fmt: skip


def test_gids_are_replaced_but_keep_which_share_a_network(tmp_path: Path) -> None:
    tree = write(MACHINES["virtual_functions"](), tmp_path)
    ports = sorted(tree.sys.glob("devices/pci*/**/infiniband/*/ports/1"))
    secrets = ["c0a8:0105", "c0a8:0106", "c0a8:0205", "ac10:0001", "ac10:0002", "0808:0808"]
    for port, secret in zip(ports, secrets, strict=True):
        (port / "gids/1").write_text(f"0000:0000:0000:0000:0000:ffff:{secret}\n")
        (port / "gids/2").write_text("2a00:1450:4001:0001:0000:0000:0000:beef\n")
    folder = nixl_stripe.capture(tmp_path / "copy", source=tree.sys)
    text = "".join(path.read_text() for path in folder.rglob("gids/*"))
    assert not any(secret in text for secret in (*secrets, "2a00:", "beef"))
    gids = [nic.ports[0].gids for nic in nixl_stripe.machine(folder).nics]
    assert all(len(of_nic) == 3 for of_nic in gids)
    networks = [of_nic[1][:-2] for of_nic in gids]
    by_port = {port.parts[-3]: secret[:-2] for port, secret in zip(ports, secrets, strict=True)}
    wanted = [by_port[nic.name] for nic in nixl_stripe.machine(folder).nics]
    for one, other in zip(range(6), range(1, 6), strict=False):
        assert (networks[one] == networks[other]) == (wanted[one] == wanted[other])
    assert len({of_nic[1] for of_nic in gids}) == 6


def test_links_out_of_the_tree_are_not_followed(tmp_path: Path) -> None:
    tree = write(MACHINES["no_nics"](), tmp_path)
    secret = tmp_path / "secret"
    secret.write_text("secret\n")
    mtu = tree.sys / "class/net/eth0/mtu"
    mtu.unlink()
    mtu.symlink_to(secret)
    (tree.sys / "class/infiniband/out0").symlink_to("../../../..")
    folder = nixl_stripe.capture(tmp_path / "copy", source=tree.sys)
    assert [path.parent.name for path in folder.rglob("mtu")] == ["lo"]
    assert not any("secret" in path.read_text() for path in folder.rglob("*") if path.is_file())


def test_a_destination_that_is_taken_is_left_alone(tmp_path: Path) -> None:
    tree = write(MACHINES["no_nics"](), tmp_path)
    taken = tmp_path / "taken"
    taken.mkdir()
    (taken / "mine").write_text("mine")
    with pytest.raises(StripeError, match="taken is already there"):
        nixl_stripe.capture(taken, source=tree.sys)
    assert [path.name for path in taken.iterdir()] == ["mine"]
    with pytest.raises(StripeError, match="cannot write"):
        nixl_stripe.capture(taken / "mine" / "deeper.tar.gz", source=tree.sys)
    with pytest.raises(ValueError, match="not/there"):
        nixl_stripe.capture(tmp_path / "copy", source="not/there")
