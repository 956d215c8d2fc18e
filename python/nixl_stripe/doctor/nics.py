# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Checks of the NICs: which are used, which not and why, and how they are attached."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from nixl_stripe import _core
from nixl_stripe.doctor.check import Check, Verdict, fail, ok, skip, warn
from nixl_stripe.doctor.surroundings import Surroundings, text_of
from nixl_stripe.planning import efa

#: Lanes of a UCX endpoint (a plan with more NICs is refused), and those of UCX before 1.18.
_LANES, _LANES_OF_OLD_PEERS = 64, 16
#: Vendors of RDMA NICs: Mellanox/NVIDIA, and Amazon with its EFA devices.
_MELLANOX, _AMAZON = 0x15B3, 0x1D0F
_EFA_DEVICES = range(0xEFA0, 0xEFB0)
#: Functions of ConnectX-8 that move data for another function and are no NIC of their own.
_DATA_DIRECT = frozenset({0x2100})
#: Drivers that give a PCI function to a virtual machine or to a program.
_HANDED_ON = frozenset({"vfio-pci", "mlx5_vfio_pci", "pci-stub", "pciback", "uio_pci_generic"})
_DRIVERS = {_MELLANOX: "mlx5_ib", _AMAZON: "efa"}


def _nics(at: Surroundings) -> Verdict:
    plan = at.plan
    if not plan.devices:
        return warn(
            f"no usable NIC on {at.machine.source}" + _because(plan.warnings),
            "load the NICs' driver and bring a port up; until then NIXL runs as stock",
        )
    names = ", ".join(plan.devices)
    if not at.planned:
        return warn(
            f"no RDMA device; {len(plan.devices)} network interface(s) over TCP: {names}. READ "
            "over TCP never stripes, WRITE does",
            "use a host with InfiniBand, RoCE or EFA, or WRITE instead of READ",
        )
    if len(plan.devices) == 1:
        return warn(
            f"one usable NIC ({names}): nothing to stripe over",
            "see the check nics-excluded for the others",
        )
    return ok(f"{len(plan.devices)} NICs: {names}")


def _expected(at: Surroundings) -> Verdict:
    if at.expected_nics is None:
        return skip("no number was given (--expect-nics N)")
    names = ", ".join(nic.name for nic in at.planned)
    have = f"{len(at.planned)} RDMA NIC(s) in the plan" + (f": {names}" if names else "")
    if len(at.planned) >= at.expected_nics:
        return ok(f"{have}; {at.expected_nics} expected")
    return fail(
        f"{have}; {at.expected_nics} expected",
        "see the checks nics, nics-excluded and rdma-driver for the others; in a container, pass "
        "in every device",
    )


def _because(warnings: Iterable[str]) -> str:
    text = "; ".join(warnings)
    return f": {text}" if text else ""


def _excluded(at: Surroundings) -> Verdict:
    names = {nic.name for nic in at.machine.nics}
    excluded = {name: why for name, why in at.plan.excluded.items() if name in names}
    if not names:
        return skip("no RDMA device")
    if not excluded:
        return ok(f"none of {len(names)} is left out")
    broken = {at.plan.excluded_by[name] for name in excluded}
    fixes = [rule.fix for rule in _core.usable_rules() if rule.fix and rule.id in broken]
    detail = "; ".join(f"{name}: {why}" for name, why in excluded.items())
    return warn(
        detail, "; ".join(dict.fromkeys(fixes)) or "name the NICs that you want in `stripe`"
    )


def _driver(at: Surroundings) -> Verdict:
    """Look for NICs whose PCI function is there and whose RDMA device is not."""
    base = None if at.sys is None else at.sys / "bus/pci/devices"
    if base is None or not base.is_dir():
        return skip("no PCI devices to look at")
    with_rdma = {nic.pci for nic in at.machine.nics}
    missing: dict[str, str] = {}
    elsewhere: dict[str, list[str]] = {}
    for folder in sorted(base.iterdir()):
        module = _rdma_module(folder)
        if module and folder.name not in with_rdma:
            reason = _not_visible(at, folder, module)
            if reason:
                elsewhere.setdefault(reason, []).append(folder.name)
            else:
                missing[folder.name] = module
    listed = [f"{', '.join(names)}: {reason}" for reason, names in elsewhere.items()]
    if missing:
        modules = " ".join(sorted(set(missing.values())))
        return fail(
            "; ".join([f"no RDMA device for {', '.join(missing)}", *listed]),
            f"modprobe ib_uverbs {modules} (on the host; in a container the device must be passed "
            "in)",
        )
    if elsewhere:
        return ok("; ".join(listed))
    if not with_rdma - {""}:
        return skip("no RDMA NIC on PCI")
    return ok("every RDMA NIC on PCI has its RDMA device")


def _rdma_module(function: Path) -> str:
    """Return the kernel module that gives a PCI function its RDMA device; "" for what has none."""
    vendor, device, kind = (_hex(text_of(function / n)) for n in ("vendor", "device", "class"))
    is_nic = kind >> 16 == 0x02 and (
        (vendor == _MELLANOX and device not in _DATA_DIRECT)
        or (vendor == _AMAZON and device in _EFA_DEVICES)
    )
    return _DRIVERS[vendor] if is_nic else ""


def _not_visible(at: Surroundings, function: Path, module: str) -> str:
    """Return why a working NIC has no RDMA device for this process; "" where it is broken."""
    driver = (function / "driver").resolve().name if (function / "driver").exists() else ""
    if driver in _HANDED_ON:
        return f"handed on to virtual machines ({driver})"
    if not driver and (function / "physfn").exists():
        return "virtual function that nobody uses"
    card = function.name.rpartition(".")[0]
    for nic in at.machine.nics:
        if nic.bond_master and nic.pci.rpartition(".")[0] == card:
            return f"port of the bond {nic.bond_master}, for which {nic.name} answers"
    # mlx5 makes an auxiliary device for RDMA; bound to a driver it has an RDMA device somewhere.
    auxiliary = list(function.glob("mlx5_core.rdma.*"))
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


def _efa(at: Surroundings) -> Verdict:
    """Say what UCX can do on EFA, and what would be better there."""
    if not any(port.link_layer == "EFA" for nic in at.machine.nics for port in nic.ports):
        return skip("no EFA device")
    return ok(efa.WHAT_UCX_DOES)


def _rates(at: Surroundings) -> Verdict:
    rates = {nic.device: nic.rate_gbps for nic in at.plan.nics if nic.rate_gbps}
    if not rates:
        return skip("no port rate is known")
    if len(set(rates.values())) == 1:
        return ok(f"{next(iter(rates.values())):g} Gbit/s each")
    listed = ", ".join(f"{name} {rate:g}" for name, rate in rates.items())
    return warn(
        f"rates differ (Gbit/s): {listed}; UCX drops lanes slower than a quarter of the fastest",
        f"leave the slow ones out: stripe_min_rate_gbps={max(rates.values()):g}",
    )


def _lanes(at: Surroundings) -> Verdict:
    count = len(at.plan.devices)
    if count > _LANES_OF_OLD_PEERS:
        return warn(
            f"{count} NICs; a peer with UCX before 1.18 knows {_LANES_OF_OLD_PEERS} lanes",
            "keep NIXL the same version on all hosts, or use stripe=fair: a share for each GPU",
        )
    return ok(f"{count} of {_LANES} lanes")


def _pcie_link(at: Surroundings) -> Verdict:
    """Look for NICs on fewer or slower PCIe lanes than they and their slot can."""
    if at.sys is None or not at.planned:
        return skip("no RDMA device of the plan to look at")
    slow = []
    for nic in at.planned:
        folder = at.sys / "bus/pci/devices" / nic.pci
        if not nic.pci:
            continue
        for what in ("speed", "width"):
            now, best = (text_of(folder / f"{kind}_link_{what}") for kind in ("current", "max"))
            if 0 < _number(now) < _number(best):
                slow.append(f"{nic.name}: link {what} {now}, possible {best}")
    if not slow:
        return ok("every NIC's PCIe link is as wide and as fast as it can be")
    return warn(
        "; ".join(slow),
        "reseat the card or move it to a full slot; look at the slot's BIOS setting",
    )


def _number(text: str) -> float:
    try:
        return float(text.split()[0])
    except (ValueError, IndexError):
        return 0.0


def _topology(at: Surroundings) -> Verdict:
    machine: _core.Machine = at.machine
    if machine.is_flat:
        by_place = ", ".join(each.word for each in _core.policy_table() if each.needs_gpu)
        return warn(
            "every NIC looks equally far from every GPU: sysfs is flat, as on many cloud VMs, so "
            f"stripe={by_place} cannot tell them apart (stripe=all can)",
            "set NCCL_TOPO_FILE to the cloud's topology file",
        )
    known = f"; {machine.nccl_topology} laid over it" if machine.nccl_topology else ""
    if machine.warnings:
        return warn("; ".join(machine.warnings), "run `nixl-stripe topo` and fix what it names")
    return ok(f"{len(machine.gpus)} GPU(s), {len(machine.numa_nodes)} NUMA node(s){known}")


CHECKS = (
    Check("nics", "NICs that the plan uses", _nics, "machine"),
    Check("nics-expected", "as many RDMA NICs as --expect-nics says", _expected, "machine"),
    Check("nics-excluded", "NICs that are left out, and why", _excluded, "machine"),
    Check("rdma-driver", "PCI functions of NICs without an RDMA device", _driver, "sysfs"),
    Check("efa", "what UCX can do on EFA devices", _efa, "machine"),
    Check("rates", "port rates of the plan's NICs", _rates, "machine"),
    Check("lanes", "more NICs than UCX has lanes", _lanes, "machine"),
    Check("pcie-link", "PCIe links below what the NIC can do", _pcie_link, "sysfs"),
    Check("topology", "a flat PCIe tree, damage in the reading", _topology, "machine"),
)
