# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""sysfs trees for tests: a host described as data, written with the kernel's own link structure.

`write(host, folder)` makes `folder/sys` and `folder/dev`. Devices lie under
`sys/devices/pci<root>/...`; `class/` and `bus/` hold nothing but links to them, as in a real /sys.
Ready-made hosts are in `sysfs_machines`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

PHYSICAL = {"ACTIVE": "5: LinkUp", "INIT": "5: LinkUp", "ARMED": "5: LinkUp", "DOWN": "3: Disabled"}
STATES = {"DOWN": 1, "INIT": 2, "ARMED": 3, "ACTIVE": 4, "ACTIVE_DEFER": 5}
RATES = {
    0.0: "", 2.5: "2.5 Gb/sec (1X SDR)", 25.0: "25 Gb/sec (1X EDR)", 100.0: "100 Gb/sec (4X EDR)",
    200.0: "200 Gb/sec (4X HDR)", 400.0: "400 Gb/sec (4X NDR)", 800.0: "800 Gb/sec (4X XDR)",
}  # fmt: skip
ZERO_GID = ":".join(["0000"] * 8)
GID_SLOTS = 16


@dataclass(frozen=True)
class Port:
    """One port of an RDMA device; `netdev` is what `gid_attrs/ndevs/0` names (RoCE only)."""

    number: int = 1
    state: str = "ACTIVE"
    link_layer: str = "InfiniBand"
    rate: float = 400.0
    lid: int = 1
    gids: tuple[str, ...] = ("fe80:0000:0000:0000:0000:00ff:fe00:0001",)
    netdev: str = ""


@dataclass(frozen=True)
class Net:
    """A network interface; `speed` in Mbit/s, 0 when the driver does not say (EINVAL)."""

    name: str
    up: bool = True
    speed: int = 0
    mtu: int = 1500
    dev_port: int = 0
    master: str = ""
    arp_type: int = 1
    phys_port_name: str = ""


@dataclass(frozen=True)
class Rdma:
    """An RDMA device of a PCI function; `node`: its uverbs node is in /dev (mapped into us)."""

    name: str
    ports: tuple[Port, ...] = (Port(),)
    uverbs: bool = True
    node: bool = True
    node_type: str = ""
    sys_image_guid: str = ""


@dataclass(frozen=True)
class Function:
    """A PCI function with what hangs off it. `numa=None`: its host bridge's."""

    address: str
    class_code: int
    vendor: int
    device: int = 0x1000
    driver: str = ""
    numa: int | None = None
    speed: str = "32.0 GT/s PCIe"
    width: int = 16
    children: tuple[Function, ...] = ()
    rdma: tuple[Rdma, ...] = ()
    nets: tuple[Net, ...] = ()
    physfn: str = ""


@dataclass(frozen=True)
class Root:
    """A host bridge, `pci0000:16`, and the functions on its bus."""

    name: str
    children: tuple[Function, ...]
    numa: int = 0
    above: str = ""
    """Folders between /sys/devices and it (Hyper-V, device trees)."""


@dataclass(frozen=True)
class SoftRdma:
    """Soft-RoCE: no PCI function and no `device` link, only a `parent` file (Linux 6.1)."""

    rdma: Rdma
    parent: str


@dataclass(frozen=True)
class Host:
    """A whole machine."""

    roots: tuple[Root, ...] = ()
    numa_nodes: tuple[int, ...] = (0,)
    virtual_nets: tuple[Net, ...] = (Net("lo", mtu=65536, arp_type=772),)
    bonds: tuple[Net, ...] = ()
    soft: tuple[SoftRdma, ...] = ()


class Tree(NamedTuple):
    """Where a host was written: the sysfs root and the folder that stands for /dev."""

    sys: Path
    dev: Path


def bridge(address: str, *children: Function, speed: str = "32.0 GT/s PCIe") -> Function:
    """Return a PCI bridge: root port, switch port."""
    return Function(address, 0x060400, 0x1000, 0xC030, "pcieport", speed=speed, children=children)


def gpu(address: str, *, numa: int | None = None, vendor: int = 0x10DE, device: int = 0x2330,
        class_code: int = 0x030200) -> Function:  # fmt: skip
    """Return a GPU; NVIDIA H100 unless told otherwise."""
    driver = "nvidia" if vendor == 0x10DE else "amdgpu"
    return Function(address, class_code, vendor, device, driver, numa)


def mlx5(address: str, name: str, *ports: Port, nets: tuple[Net, ...] = (), physfn: str = "",
         numa: int | None = None, node: bool = True) -> Function:  # fmt: skip
    """Return a ConnectX function; InfiniBand class when it has no network interface."""
    code = 0x020000 if nets else 0x020700
    rdma = Rdma(name, ports or (Port(),), node=node)
    return Function(address, code, 0x15B3, 0x1021, "mlx5_core", numa, rdma=(rdma,), nets=nets,
                    physfn=physfn)  # fmt: skip


def roce(address: str, name: str, netdev: str, *, rate: float = 400.0, up: bool = True,
         master: str = "", subnet: int = 0, physfn: str = "",
         numa: int | None = None) -> Function:  # fmt: skip
    """Return a ConnectX function in Ethernet mode with its interface and an IPv4 GID."""
    gids = (
        "fe80:0000:0000:0000:0000:00ff:fe00:0001",
        f"0000:0000:0000:0000:0000:ffff:c0a8:{subnet:02x}01",
    )
    port = Port(state="ACTIVE" if up else "DOWN", link_layer="Ethernet", rate=rate, lid=0,
                gids=gids if up else gids[:1], netdev=netdev)  # fmt: skip
    net = Net(netdev, up=up, speed=int(rate * 1000) if up else 0, mtu=9000, master=master)
    return mlx5(address, name, port, nets=(net,), physfn=physfn, numa=numa)


def efa(address: str, name: str, *, rate: float = 100.0) -> Function:
    """Return an AWS EFA function: link layer "Unspecified", one GID, no interface."""
    gid = f"fe80:0000:0000:0000:0000:00{address[5:7]}:fe00:0002"
    port = Port(link_layer="Unspecified", rate=rate, lid=0, gids=(gid,))
    return Function(address, 0x020000, 0x1D0F, 0xEFA1, "efa", rdma=(Rdma(name, (port,)),))


def write(host: Host, folder: Path) -> Tree:
    """Write `folder/sys` and `folder/dev`; the same host gives the same tree."""
    return _Writer(folder).write(host)


class _Writer:
    def __init__(self, folder: Path) -> None:
        self._sys = folder / "sys"
        self._dev = folder / "dev"
        self._uverbs = 0
        self._paths: dict[str, Path] = {}
        self._masters: list[tuple[Path, str]] = []

    def write(self, host: Host) -> Tree:
        for name in ("class/infiniband", "class/infiniband_verbs", "class/net", "bus/pci/devices"):
            (self._sys / name).mkdir(parents=True)
        (self._dev / "infiniband").mkdir(parents=True)
        for root in host.roots:
            top = self._sys / "devices" / root.above / root.name
            top.mkdir(parents=True)
            for function in root.children:
                self._function(top, function, root.numa)
        for net in (*host.virtual_nets, *host.bonds):
            self._net(self._sys / "devices/virtual", net)
        for bond in host.bonds:
            _files(self._sys / "class/net" / bond.name / "bonding", {"mode": "802.3ad 4"})
        for soft in host.soft:
            where = self._rdma(self._sys / "devices/virtual", soft.rdma, linked=False)
            _files(where, {"parent": soft.parent})
        for path, master in self._masters:
            kernel_link(path / "master", (self._sys / "class/net" / master).resolve())
        self._numa(host.numa_nodes)
        return Tree(self._sys, self._dev)

    def _function(self, above: Path, function: Function, numa: int) -> None:
        where = above / function.address
        node = numa if function.numa is None else function.numa
        link = {
            f"{kind}_link_{what}": str(value)
            for kind in ("current", "max")
            for what, value in (("speed", function.speed), ("width", function.width))
        }
        uevent = f"DRIVER={function.driver}\n" if function.driver else ""
        uevent += f"PCI_CLASS={function.class_code:X}\n"
        uevent += f"PCI_ID={function.vendor:04X}:{function.device:04X}\n"
        uevent += f"PCI_SLOT_NAME={function.address}"
        _files(
            where,
            {
                "uevent": uevent,
                "class": f"0x{function.class_code:06x}",
                "vendor": f"0x{function.vendor:04x}",
                "device": f"0x{function.device:04x}",
                "numa_node": str(node),
                **link,
            },
        )
        self._paths[function.address] = where
        kernel_link(self._sys / "bus/pci/devices" / function.address, where)
        if function.driver:
            driver = self._sys / "bus/pci/drivers" / function.driver
            driver.mkdir(parents=True, exist_ok=True)
            kernel_link(where / "driver", driver)
            kernel_link(driver / function.address, where)
        if function.physfn:
            kernel_link(where / "physfn", self._paths[function.physfn])
        for rdma in function.rdma:
            self._rdma(where, rdma)
        for net in function.nets:
            self._net(where, net)
        for child in function.children:
            self._function(where, child, numa)

    def _rdma(self, above: Path, rdma: Rdma, *, linked: bool = True) -> Path:
        where = above / "infiniband" / rdma.name
        where.mkdir(parents=True)
        if linked:
            kernel_link(where / "device", above)
        kernel_link(self._sys / "class/infiniband" / rdma.name, where)
        for port in rdma.ports:
            _write_port(where / "ports" / str(port.number), port)
        if rdma.node_type:
            _files(where, {"node_type": rdma.node_type})
        if rdma.sys_image_guid:
            _files(where, {"sys_image_guid": rdma.sys_image_guid})
        if rdma.uverbs:
            name = f"uverbs{self._uverbs}"
            self._uverbs += 1
            verbs = above / "infiniband_verbs" / name
            _files(verbs, {"ibdev": rdma.name, "abi_version": "1"})
            if linked:
                kernel_link(verbs / "device", above)
            kernel_link(self._sys / "class/infiniband_verbs" / name, verbs)
            if rdma.node:
                (self._dev / "infiniband" / name).touch()
        return where

    def _net(self, above: Path, net: Net) -> None:
        where = above / "net" / net.name
        state = "unknown" if net.arp_type == 772 else "up" if net.up else "down"
        files = {
            "operstate": state,
            "flags": "0x1003" if net.up else "0x1002",
            "mtu": str(net.mtu),
            "dev_port": str(net.dev_port),
            "type": str(net.arp_type),
        }
        if net.speed:
            files["speed"] = str(net.speed)
        if net.phys_port_name:
            files["phys_port_name"] = net.phys_port_name
        _files(where, files)
        if above.name != "virtual":
            kernel_link(where / "device", above)
        if net.master:
            self._masters.append((where, net.master))
        kernel_link(self._sys / "class/net" / net.name, where)

    def _numa(self, nodes: tuple[int, ...]) -> None:
        top = self._sys / "devices/system/node"
        for node in nodes:
            _files(top / f"node{node}", {"cpulist": f"{node * 8}-{node * 8 + 7}"})
        _files(top, {"online": ",".join(str(node) for node in nodes)})


def _write_port(where: Path, port: Port) -> None:
    _files(
        where,
        {
            "state": f"{STATES[port.state]}: {port.state}",
            "phys_state": PHYSICAL.get(port.state, "5: LinkUp"),
            "link_layer": port.link_layer,
            "rate": RATES.get(port.rate, f"{port.rate:g} Gb/sec (4X NDR)"),
            "lid": f"0x{port.lid:x}",
        },
    )
    slots = (*port.gids, *[ZERO_GID] * (GID_SLOTS - len(port.gids)))
    _files(where / "gids", {str(slot): gid for slot, gid in enumerate(slots)})
    if port.link_layer == "Ethernet":
        ndevs = {str(slot): port.netdev for slot in range(len(port.gids))}
        _files(where / "gid_attrs/ndevs", ndevs)


def _files(folder: Path, files: dict[str, str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text + "\n" if text else "")


def kernel_link(link: Path, target: Path) -> None:
    """Link as the kernel does: the text always ends with the target's own name."""
    link.symlink_to(Path(os.path.relpath(target.parent, link.parent)) / target.name)


def functions(host: Host) -> Iterator[Function]:
    """Yield every PCI function of a host, bridges included, parents first."""
    pending = [function for root in host.roots for function in root.children]
    while pending:
        function = pending.pop(0)
        yield function
        pending[:0] = function.children
