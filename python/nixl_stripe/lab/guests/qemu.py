# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The QEMU command line of one guest. Pure: data in, arguments out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from nixl_stripe.lab.guests.layout import GpuPlace, Layout, Nic
from nixl_stripe.lab.job import Role

Accelerator = Literal["kvm", "tcg"]
CONTROL_PORT = "nixl-stripe.control"

# Of 256 bus numbers each PCI root gets as many: root, root ports, switch and its ports need seven.
_BUSES_PER_ROOT = 16
_BUSES_OF_MANY = 8
_FIRST_BUS = 32
# Chassis numbers, 8 bits, one for each port: those of roots and of GPUs lie beside those of NICs.
_ROOT_CHASSIS, _NIC_CHASSIS, _GPU_CHASSIS = 10, 100, 200
_FAST = "x-speed=16,x-width=16"


@dataclass(frozen=True)
class GuestPlan:
    """What one guest is made of."""

    side: Role
    layout: Layout
    folder: Path
    """The bed's folder: sockets, console logs and `share`."""
    kernel: Path
    initrd: Path
    python: str
    agent: Path
    accelerator: Accelerator
    memory_mib: int = 3072

    @property
    def peer(self) -> Role:
        """The other side."""
        return "target" if self.side == "initiator" else "initiator"

    @property
    def console(self) -> Path:
        """Log of the guest's serial console."""
        return self.folder / f"{self.side}.console"

    @property
    def control(self) -> Path:
        """Unix socket of the agent's port."""
        return self.folder / f"{self.side}.control"

    @property
    def monitor(self) -> Path:
        """Unix socket of QEMU's monitor (QMP)."""
        return self.folder / f"{self.side}.monitor"

    @property
    def share(self) -> Path:
        """Folder that the host and both guests can write, under the same path everywhere."""
        return self.folder / "share"


def mac(side: Role, nic: int) -> str:
    """Return the MAC address of a guest's NIC."""
    return f"52:54:00:00:{0x0A if side == 'initiator' else 0x0B:02x}:{nic:02x}"


def arguments(plan: GuestPlan) -> list[str]:
    """Return QEMU's arguments, without the program."""
    share = "local,security_model=none"
    return [
        *_machine(plan),
        *("-kernel", str(plan.kernel), "-initrd", str(plan.initrd), "-append", _kernel_line(plan)),
        *("-fsdev", f"{share},id=root,path=/,readonly=on,multidevs=remap"),
        *("-device", "virtio-9p-pci,fsdev=root,mount_tag=hostroot"),
        *("-fsdev", f"{share},id=share,path={plan.share}"),
        *("-device", "virtio-9p-pci,fsdev=share,mount_tag=share"),
        *("-chardev", f"socket,id=control,path={plan.control},server=on,wait=off"),
        *("-device", "virtio-serial-pci"),
        *("-device", f"virtserialport,chardev=control,name={CONTROL_PORT}"),
        *("-qmp", f"unix:{plan.monitor},server=on,wait=off"),
        *_pci(plan),
    ]


def _machine(plan: GuestPlan) -> list[str]:
    """One processor: two guests of one TCG thread each are faster on two cores than two of two."""
    nodes = plan.layout.numa_nodes
    each = plan.memory_mib // nodes
    # Nehalem: the newest model that TCG runs without emulating wide vectors, twice as fast as max.
    model = ["-accel", "kvm", "-cpu", "host"]
    if plan.accelerator == "tcg":
        model = ["-accel", "tcg,thread=multi", "-cpu", "Nehalem"]
    out = ["-machine", "q35", *model, "-smp", "1", "-m", str(each * nodes)]
    out += ["-nodefaults", "-no-user-config", "-no-reboot", "-display", "none"]
    out += ["-serial", f"file:{plan.console}"]
    for node in range(nodes):
        out += ["-object", f"memory-backend-ram,id=m{node},size={each}M"]
        cpus = ",cpus=0" if node == 0 else ""
        out += ["-numa", f"node,nodeid={node},memdev=m{node}{cpus}"]
    return out


def _kernel_line(plan: GuestPlan) -> str:
    fixed = "console=ttyS0 panic=-1 edd=off nokaslr mitigations=off tsc=reliable quiet"
    return (
        f"{fixed} guest.side={plan.side} guest.share={plan.share} "
        f"guest.python={plan.python} guest.agent={plan.agent}"
    )


def _pci(plan: GuestPlan) -> list[str]:
    """PCI roots with their switches and NICs, then the GPUs' places (see `GpuPlace`)."""
    out: list[str] = []
    layout = plan.layout
    for switch, numa in enumerate(layout.switches):
        out += _root(layout, f"root{switch}", switch, numa)
        out += _device(
            "pcie-root-port", f"port{switch}", f"root{switch}", _ROOT_CHASSIS + switch, _FAST
        )
        out += ["-device", f"x3130-upstream,id=up{switch},bus=port{switch}"]
    for nic in layout.nics:
        out += _nic(plan, nic)
    for place in layout.gpus:
        out += _gpu(layout, place)
    return out


def _gpu(layout: Layout, place: GpuPlace) -> list[str]:
    bus = f"gpu{place}"
    test_device = ["-device", f"pci-testdev,bus={bus},id=testdev{place}"]
    if place == "P":
        return [*_device("xio3130-downstream", bus, "up0", _GPU_CHASSIS, "slot=2"), *test_device]
    if place == "H":
        port = _device("pcie-root-port", bus, "root0", _GPU_CHASSIS + 1, f"addr=3.0,{_FAST}")
        return [*port, *test_device]
    root, numa = f"root{place}", 0 if place == "N" else layout.numa_nodes - 1
    number = _root_number(layout, place)
    port = _device("pcie-root-port", bus, root, _GPU_CHASSIS + 2 + number, _FAST)
    return [*_root(layout, root, number, numa), *port, *test_device]


def _root_number(layout: Layout, place: GpuPlace) -> int:
    """Places P and H share the root of NIC 0; N and S have roots behind those of all NICs."""
    if place in ("P", "H"):
        return 0
    own: list[GpuPlace] = [other for other in layout.gpus if other in ("N", "S")]
    return len(layout.switches) + own.index(place)


def gpu_roots(layout: Layout) -> dict[GpuPlace, str]:
    """Return the PCI root of each GPU as sysfs names it (`pci0000:20`)."""
    return {
        place: f"pci0000:{_first_bus(layout, _root_number(layout, place)):02x}"
        for place in layout.gpus
    }


def _first_bus(layout: Layout, number: int) -> int:
    fits = _FIRST_BUS + _BUSES_PER_ROOT * layout.roots <= 256
    return _FIRST_BUS + (_BUSES_PER_ROOT if fits else _BUSES_OF_MANY) * number


def _root(layout: Layout, name: str, number: int, numa: int) -> list[str]:
    bus = _first_bus(layout, number)
    return ["-device", f"pxb-pcie,id={name},bus=pcie.0,bus_nr={bus},numa_node={numa}"]


def _device(kind: str, name: str, bus: str, chassis: int, more: str) -> list[str]:
    return ["-device", f"{kind},id={name},bus={bus},chassis={chassis},{more}"]


def _nic(plan: GuestPlan, nic: Nic) -> list[str]:
    """Put a NIC behind a switch port and join it to the peer's by a pair of datagram sockets."""
    slot = [other.index for other in plan.layout.nics if other.switch == nic.switch]
    ends = [plan.folder / f"{side}.nic{nic.index}" for side in (plan.side, plan.peer)]
    return [
        *_device(
            "xio3130-downstream",
            f"down{nic.index}",
            f"up{nic.switch}",
            _NIC_CHASSIS + nic.index,
            f"slot={slot.index(nic.index)}",
        ),
        "-netdev",
        f"dgram,id=net{nic.index},local.type=unix,local.path={ends[0]},"
        f"remote.type=unix,remote.path={ends[1]}",
        "-device",
        f"virtio-net-pci,id=nic{nic.index},netdev=net{nic.index},bus=down{nic.index},"
        f"mac={mac(plan.side, nic.index)},speed=100000,duplex=full",
    ]
