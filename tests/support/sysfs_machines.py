# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Hosts that tests and benchmarks use: `MACHINES["gb200"]()` is a `sysfs_trees.Host`.

Addresses of DGX H100, GB200 and p5 are those of the real machines.
"""

from __future__ import annotations

from collections.abc import Callable

from sysfs_trees import (
    Function,
    Host,
    Net,
    Port,
    Rdma,
    Root,
    SoftRdma,
    bridge,
    efa,
    gpu,
    mlx5,
    roce,
)

LOOPBACK = Net("lo", mtu=65536, arp_type=772)


def _grace_nic(domain: str, numa: int, *functions: Function) -> Root:
    """Return a Grace root complex with a NIC behind the NIC's own switch."""
    switch = bridge(f"{domain}:01:00.0", bridge(f"{domain}:02:00.0", *functions))
    return Root(f"pci{domain}:00", (bridge(f"{domain}:00:00.0", switch),), numa)


def _grace_gpu(domain: str, numa: int) -> Root:
    port = bridge(f"{domain}:00:00.0", gpu(f"{domain}:01:00.0", device=0x2941))
    return Root(f"pci{domain}:00", (port,), numa)


def gb200() -> Host:
    """Return a GB200 tray: 4 GPUs and 4 NICs of 400 Gbit/s, each its own root, 2 Grace nodes."""
    nics = tuple(
        _grace_nic(domain, numa, mlx5(f"{domain}:03:00.0", f"mlx5_{index}", Port(lid=index + 1)))
        for index, (domain, numa) in enumerate((("0000", 0), ("0002", 0), ("0010", 1), ("0012", 1)))
    )
    gpus = tuple(_grace_gpu(d, n) for d, n in (("0008", 0), ("0009", 0), ("0018", 1), ("0019", 1)))
    return Host((*nics, *gpus), numa_nodes=(0, 1))


def gb300() -> Host:
    """Return a GB300 tray: 4 GPUs, 4 dual-function NICs (8 devices of 400 Gbit/s)."""
    nics = tuple(
        _grace_nic(
            domain,
            numa,
            *(
                mlx5(
                    f"{domain}:03:00.{half}",
                    f"mlx5_{2 * card + half}",
                    Port(lid=2 * card + half + 1),
                )
                for half in (0, 1)
            ),
        )
        for card, (domain, numa) in enumerate((("0000", 0), ("0002", 0), ("0010", 1), ("0012", 1)))
    )
    gpus = tuple(_grace_gpu(d, n) for d, n in (("0008", 0), ("0009", 0), ("0018", 1), ("0019", 1)))
    return Host((*nics, *gpus), numa_nodes=(0, 1))


def _four_efa(switch: int, first: int, rate: float) -> list[Function]:
    """Return four EFA, the first on bus `first`, each behind a port of the switch on `switch`."""
    return [
        bridge(
            f"0000:{switch:02x}:01.{index}",
            efa(f"0000:{first + index:02x}:00.0", f"rdmap{first + index}s0", rate=rate),
        )
        for index in range(4)
    ]


def p5() -> Host:
    """Return an AWS p5.48xlarge: 8 GPUs, 32 EFA of 100 Gbit/s, four behind each GPU's switch."""
    roots = []
    for group in range(8):
        bus = 0x44 + 0x11 * group
        nics = _four_efa(bus + 2, bus + 11, 100.0)
        accelerator = bridge(f"0000:{bus + 2:02x}:01.4", gpu(f"0000:{bus + 15:02x}:00.0"))
        switch = bridge(f"0000:{bus + 1:02x}:00.0", *nics, accelerator)
        top = bridge(f"0000:{bus:02x}:00.0", switch)
        roots.append(Root(f"pci0000:{bus:02x}", (top,), numa=group // 4))
    ena = Function("0000:00:05.0", 0x020000, 0x1D0F, 0xEC20, "ena",
                   nets=(Net("enp0s5", speed=100000, mtu=9001),))  # fmt: skip
    return Host((Root("pci0000:00", (ena,)), *roots), numa_nodes=(0, 1))


def p5en() -> Host:
    """Return an AWS p5en.48xlarge: 8 GPUs, 16 EFA of 200 Gbit/s, four behind each two GPUs."""
    roots = []
    for group in range(4):
        bus = 0x50 + 0x19 * group
        nics = _four_efa(bus + 2, bus + 5, 200.0)
        gpus = [
            bridge(f"0000:{bus + 2:02x}:02.{index}", gpu(f"0000:{bus + 9 + index:02x}:00.0"))
            for index in range(2)
        ]
        top = bridge(f"0000:{bus:02x}:00.0", bridge(f"0000:{bus + 1:02x}:00.0", *nics, *gpus))
        roots.append(Root(f"pci0000:{bus:02x}", (top,), numa=group // 2))
    return Host(tuple(roots), numa_nodes=(0, 1))


def dgx_h100(*, lag: bool = False) -> Host:
    """Return a DGX H100: 8 compute NICs behind their GPU's switch, 2 storage, 2 bonded Ethernet.

    With `lag` the Ethernet ports are one RoCE LAG device, `mlx5_bond_0`.
    """
    compute = {0: (0x15, 0x18, 0x1B), 3: (0x37, 0x40, 0x43), 4: (0x48, 0x4F, 0x52),
               5: (0x59, 0x5E, 0x61), 6: (0x97, 0x9A, 0x9D), 9: (0xB7, 0xC0, 0xC3),
               10: (0xC7, 0xCE, 0xD1), 11: (0xD7, 0xDC, 0xDF)}  # fmt: skip
    roots = []
    for index, (bus, nic, accelerator) in compute.items():
        down = bus + 2
        switch = bridge(
            f"0000:{bus + 1:02x}:00.0",
            bridge(f"0000:{down:02x}:00.0", mlx5(f"0000:{nic:02x}:00.0", f"mlx5_{index}")),
            bridge(f"0000:{down:02x}:01.0", gpu(f"0000:{accelerator:02x}:00.0")),
        )
        top = bridge(f"0000:{bus:02x}:01.0", switch)
        roots.append(Root(f"pci0000:{bus:02x}", (top,), numa=int(bus >= 0x97)))
    for numa, (bus, card, ib, ethernet) in enumerate(((0x26, 0x29, 1, 2), (0xA7, 0xAA, 7, 8))):
        storage = mlx5(f"0000:{card:02x}:00.0", f"mlx5_{ib}", Port(rate=200.0, lid=40 + ib))
        netdev = f"enp{card}s0f1np1"
        name = "mlx5_bond_0" if lag else f"mlx5_{ethernet}"
        second = roce(f"0000:{card:02x}:00.1", name, netdev, rate=100.0, master="bond0")
        if lag:
            members = second.rdma[0] if numa == 0 else None
            second = Function(second.address, second.class_code, second.vendor, second.device,
                              second.driver, nets=second.nets,
                              rdma=(_lag_device(members),) if members else ())  # fmt: skip
        roots.append(Root(f"pci0000:{bus:02x}", (bridge(f"0000:{bus:02x}:01.0", storage, second),),
                          numa=numa))  # fmt: skip
    bond = Net("bond0", speed=200000, mtu=9000)
    return Host(tuple(roots), numa_nodes=(0, 1), bonds=(bond,))


def _lag_device(member: Rdma) -> Rdma:
    port = member.ports[0]
    return Rdma(member.name, (Port(state=port.state, link_layer="Ethernet", rate=port.rate, lid=0,
                                   gids=port.gids, netdev="bond0"),))  # fmt: skip


def two_sockets(*nics: Function, gpus: int = 4) -> Host:
    """Return a host with the NICs spread over two sockets and a GPU beside each."""
    roots = []
    for index in range(max(len(nics), gpus)):
        bus = 0x10 * (index + 1)
        children = []
        if index < len(nics):
            children.append(bridge(f"0000:{bus:02x}:01.0", nics[index]))
        if index < gpus:
            children.append(bridge(f"0000:{bus:02x}:03.0", gpu(f"0000:{bus + 8:02x}:00.0")))
        half = max(len(nics), gpus) / 2
        roots.append(Root(f"pci0000:{bus:02x}", tuple(children), numa=int(index >= half)))
    return Host(tuple(roots), numa_nodes=(0, 1))


def nic_down() -> Host:
    """Return four NICs of which mlx5_2 has no link."""
    return two_sockets(
        *(
            mlx5(f"0000:{0x10 * (i + 1) + 1:02x}:00.0", f"mlx5_{i}",
                 Port(state="DOWN" if i == 2 else "ACTIVE", lid=0 if i == 2 else i + 1))
            for i in range(4)
        )
    )  # fmt: skip


def slow_management() -> Host:
    """Return four compute NICs of 400 Gbit/s and a RoCE management NIC of 25 Gbit/s (mlx5_4)."""
    nics = [mlx5(f"0000:{0x10 * (i + 1) + 1:02x}:00.0", f"mlx5_{i}") for i in range(4)]
    return two_sockets(*nics, roce("0000:51:00.0", "mlx5_4", "mgmt0", rate=25.0))


def second_port_only() -> Host:
    """Return two dual-port NICs with only port 2 cabled."""
    return two_sockets(
        *(
            mlx5(f"0000:{0x10 * (i + 1) + 1:02x}:00.0", f"mlx5_{i}",
                 Port(1, state="DOWN", rate=2.5, lid=0, gids=()), Port(2, lid=i + 1))
            for i in range(2)
        ),
        gpus=2,
    )  # fmt: skip


def virtual_functions() -> Host:
    """Return two RoCE physical functions with two virtual functions each."""
    nics = []
    for card in range(2):
        bus = 0x10 * (card + 1)
        physical = f"0000:{bus + 1:02x}:00.0"
        functions = [roce(physical, f"mlx5_{3 * card}", f"eth{3 * card}", rate=200.0)]
        functions += [
            roce(f"0000:{bus + 1:02x}:00.{vf + 1}", f"mlx5_{3 * card + vf + 1}",
                 f"eth{3 * card + vf + 1}", rate=200.0, physfn=physical)
            for vf in range(2)
        ]  # fmt: skip
        port = bridge(f"0000:{bus:02x}:01.0", *functions)
        accelerator = bridge(f"0000:{bus:02x}:03.0", gpu(f"0000:{bus + 8:02x}:00.0"))
        nics.append(Root(f"pci0000:{bus:02x}", (port, accelerator), numa=card))
    return Host(tuple(nics), numa_nodes=(0, 1))


def flat_vm() -> Host:
    """Return a cloud VM: NICs and GPUs side by side on the root bus, numa_node -1 everywhere."""
    functions = [roce(f"0000:00:{4 + i:02x}.0", f"mlx5_{i}", f"eth{i}", numa=-1) for i in range(2)]
    functions += [gpu(f"0000:00:{8 + i:02x}.0", numa=-1) for i in range(2)]
    return Host((Root("pci0000:00", tuple(functions), numa=-1),), numa_nodes=(0,))


def container() -> Host:
    """Return a container that was given the uverbs nodes of mlx5_1 and mlx5_3 of four NICs."""
    return two_sockets(
        *(
            mlx5(f"0000:{0x10 * (i + 1) + 1:02x}:00.0", f"mlx5_{i}", node=i in (1, 3))
            for i in range(4)
        )
    )


def soft_roce() -> Host:
    """Return four Soft-RoCE devices over virtio interfaces on two NUMA nodes (Linux 6.1)."""
    roots = []
    soft = []
    for i in range(4):
        bus = 0x20 * (i + 1)
        net = Net(f"r{i}", mtu=9000, speed=100000)
        virtio = Function(f"0000:{bus + 3:02x}:00.0", 0x020000, 0x1AF4, 0x1041, "virtio-pci",
                          speed="16.0 GT/s PCIe", nets=(net,))  # fmt: skip
        switch = bridge(f"0000:{bus + 1:02x}:00.0", bridge(f"0000:{bus + 2:02x}:00.0", virtio))
        roots.append(Root(f"pci0000:{bus:02x}", (bridge(f"0000:{bus:02x}:00.0", switch),),
                          numa=i // 2))  # fmt: skip
        port = Port(link_layer="Ethernet", rate=100.0, lid=0, netdev=f"r{i}",
                    gids=("fe80:0000:0000:0000:5054:00ff:fe00:0001",
                          f"0000:0000:0000:0000:0000:ffff:0a{i:02x}:0001"))  # fmt: skip
        soft.append(SoftRdma(Rdma(f"rxe{i}", (port,)), f"r{i}"))
    return Host(tuple(roots), numa_nodes=(0, 1), soft=tuple(soft))


def amd_mi300x() -> Host:
    """Return eight MI300X (class 0x1200) with a RoCE NIC each on its switch."""
    roots = []
    for i in range(8):
        bus = 0x10 * (i + 1)
        accelerator = gpu(f"0000:{bus + 8:02x}:00.0", vendor=0x1002, device=0x74A1,
                          class_code=0x120000)  # fmt: skip
        switch = bridge(
            f"0000:{bus + 1:02x}:00.0",
            bridge(f"0000:{bus + 2:02x}:00.0", roce(f"0000:{bus + 3:02x}:00.0", f"mlx5_{i}",
                                                    f"rdma{i}")),
            bridge(f"0000:{bus + 2:02x}:01.0", accelerator),
        )  # fmt: skip
        roots.append(Root(f"pci0000:{bus:02x}", (bridge(f"0000:{bus:02x}:01.0", switch),),
                          numa=i // 4))  # fmt: skip
    return Host(tuple(roots), numa_nodes=(0, 1))


def no_nics() -> Host:
    """Return a host with one GPU and one Ethernet interface."""
    net = Net("eth0", speed=10000)
    nic = Function("0000:01:00.0", 0x020000, 0x8086, 0x1572, "i40e", nets=(net,))
    children = (bridge("0000:00:01.0", nic), bridge("0000:00:03.0", gpu("0000:02:00.0")))
    return Host((Root("pci0000:00", children),))


MACHINES: dict[str, Callable[[], Host]] = {
    "gb200": gb200,
    "gb300": gb300,
    "p5": p5,
    "p5en": p5en,
    "dgx_h100": dgx_h100,
    "dgx_h100_lag": lambda: dgx_h100(lag=True),
    "nic_down": nic_down,
    "slow_management": slow_management,
    "second_port_only": second_port_only,
    "virtual_functions": virtual_functions,
    "flat_vm": flat_vm,
    "container": container,
    "soft_roce": soft_roce,
    "amd_mi300x": amd_mi300x,
    "no_nics": no_nics,
}
