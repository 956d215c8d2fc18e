# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""PCI functions of NICs that have no RDMA device here: broken, or another process's to see."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from nixl_stripe.doctor.check import Check, Verdict, fail, ok, skip, warn
from nixl_stripe.doctor.surroundings import Surroundings, text_of

#: Vendors whose NICs are there for RDMA: Mellanox/NVIDIA, and Amazon with its EFA devices.
_MELLANOX, _AMAZON = 0x15B3, 0x1D0F
_EFA_DEVICES = range(0xEFA0, 0xEFB0)
#: Functions of ConnectX-8 that move data for another function and are no NIC of their own.
_DATA_DIRECT = frozenset({0x2100})
#: ConnectX-3 and before, and their virtual functions.
_MLX4_DEVICES = range(0x1002, 0x1011)
#: Drivers that give a PCI function to a virtual machine or to a program.
_HANDED_ON = frozenset({"vfio-pci", "mlx5_vfio_pci", "pci-stub", "pciback", "uio_pci_generic"})
#: The RDMA module of NICs that may well be without it: only where there is no other RDMA device.
_MODULE_OF = {
    "bnxt_en": "bnxt_re",
    "hns3": "hns_roce_hw_v2",
    "ice": "irdma",
    "ionic": "ionic_rdma",
    "mana": "mana_ib",
    "qede": "qedr",
}


@dataclass(frozen=True)
class Silent:
    """A PCI function of a NIC that has no RDMA device here."""

    name: str
    """PCI address."""
    module: str
    """The kernel module that gives it one."""
    is_for_rdma: bool
    """Whether such a NIC is hardly ever there for anything else."""
    why_fine: str
    """Why it works all the same, and this process does not see it; "" where it is broken."""


def silent_functions(at: Surroundings) -> list[Silent]:
    """Return the PCI functions of NICs without an RDMA device, those of a copied machine too."""
    base = None if at.sys is None else at.sys / "bus/pci/devices"
    with_device = {nic.pci for nic in at.machine.nics}
    found = []
    for function in sorted(base.iterdir()) if base is not None and base.is_dir() else ():
        certain = _certain_module(function)
        module = certain or _MODULE_OF.get(_driver_of(function), "")
        if module and function.name not in with_device:
            why = _not_visible(at, function, module)
            found.append(Silent(function.name, module, bool(certain), why))
    return found


def broken_functions(at: Surroundings) -> list[Silent]:
    """Return those that lack their RDMA device: doubtful ones only where no NIC has one."""
    silent = [each for each in silent_functions(at) if not each.why_fine]
    return [each for each in silent if each.is_for_rdma or not at.machine.nics]


def _driver(at: Surroundings) -> Verdict:
    """Look for NICs whose PCI function is there and whose RDMA device is not."""
    if at.sys is None or not (at.sys / "bus/pci/devices").is_dir():
        return skip("no PCI devices to look at")
    elsewhere: dict[str, list[str]] = {}
    for each in silent_functions(at):
        if each.why_fine and each.is_for_rdma:
            elsewhere.setdefault(each.why_fine, []).append(each.name)
    listed = [f"{', '.join(names)}: {why}" for why, names in elsewhere.items()]
    if broken := broken_functions(at):
        names = ", ".join(each.name for each in broken)
        modules = " ".join(sorted({each.module for each in broken}))
        line = (
            f"modprobe ib_uverbs {modules} (on the host; in a container the device must be passed "
            "in)"
        )
        detail = "; ".join([f"no RDMA device for {names}", *listed])
        return fail(detail, line) if any(e.is_for_rdma for e in broken) else warn(detail, line)
    if elsewhere:
        return ok("; ".join(listed))
    if not any(nic.pci for nic in at.machine.nics):
        return skip("no RDMA NIC on PCI")
    return ok("every RDMA NIC on PCI has its RDMA device")


def _certain_module(function: Path) -> str:
    """Return the module of a NIC that is there for RDMA; "" for other functions."""
    vendor, device, kind = (_hex(text_of(function / n)) for n in ("vendor", "device", "class"))
    if kind >> 16 != 0x02:
        return ""
    if vendor == _MELLANOX and device not in _DATA_DIRECT:
        is_old = _driver_of(function) == "mlx4_core" or device in _MLX4_DEVICES
        return "mlx4_ib" if is_old else "mlx5_ib"
    return "efa" if vendor == _AMAZON and device in _EFA_DEVICES else ""


def _driver_of(function: Path) -> str:
    driver = function / "driver"
    return driver.resolve().name if driver.exists() else ""


def _not_visible(at: Surroundings, function: Path, module: str) -> str:
    """Return why a working NIC has no RDMA device for this process; "" where it is broken."""
    driver = _driver_of(function)
    if driver in _HANDED_ON:
        return f"handed on to virtual machines ({driver})"
    if not driver and (function / "physfn").exists():
        return "virtual function that nobody uses"
    card = function.name.rpartition(".")[0]
    for nic in at.machine.nics:
        # The interface of a bond may be in another namespace, so that its name alone tells it.
        bond = nic.bond_master or (nic.name if "_bond_" in nic.name else "")
        if bond and nic.pci.rpartition(".")[0] == card:
            return f"port of the bond {bond}, for which {nic.name} answers"
    # Such a device of the auxiliary bus, bound to a driver, has an RDMA device somewhere.
    auxiliary = [each for kind in ("rdma", "roce") for each in function.glob(f"*.{kind}.*")]
    is_loaded = at.sys is not None and (at.sys / "module" / module).exists()
    if any((each / "driver").exists() for each in auxiliary) or (is_loaded and not auxiliary):
        return (
            f"{module} is loaded and shows no RDMA device to this process (it is in another RDMA "
            "namespace, or RDMA is switched off)"
        )
    return ""


def _hex(text: str) -> int:
    try:
        return int(text, 16)
    except ValueError:
        return 0


CHECKS = (Check("rdma-driver", "PCI functions of NICs without an RDMA device", _driver, "sysfs"),)
