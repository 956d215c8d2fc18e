# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Checks of the NICs: which are used, which not and why, and how they are attached."""

from __future__ import annotations

from collections.abc import Iterable

from nixl_stripe import _core
from nixl_stripe.doctor import drivers, mending
from nixl_stripe.doctor.check import Check, Verdict, fail, ok, skip, warn
from nixl_stripe.doctor.surroundings import Surroundings, text_of
from nixl_stripe.planning import efa
from nixl_stripe.planning.parts import gbps_text
from nixl_stripe.planning.sets import compared_sets, rate_of

#: Lanes of a UCX endpoint (a plan with more NICs is refused), and those of UCX before 1.18.
_LANES, _LANES_OF_OLD_PEERS = 64, 16
#: "PCIe link": a NIC of which it carries this part of the port's rate is not narrowed.
_WHOLE = 0.999
#: "paths": a plan that carries this part of what `best` does is as good.
_AS_GOOD = 0.97
#: How a trap begins, in the environment and in engine_config.
_TRAPS = tuple(
    start
    for rule in _core.trap_table()
    for start in (f"UCX_{rule.key}='", f"{rule.key} in engine_config='")
)


def _nics(at: Surroundings) -> Verdict:
    plan = at.plan
    if not plan.devices:
        return warn(
            f"no usable NIC on {at.machine.source}" + _because(plan.warnings),
            f"{_what_lacks(at)}; until then NIXL runs as stock",
        )
    names = ", ".join(plan.devices)
    if not at.planned:
        return warn(
            f"no RDMA device; {len(plan.devices)} network interface(s) over TCP: {names}. READ "
            "over TCP never stripes, WRITE does",
            f"WRITE instead of READ, or RDMA: {_what_lacks(at)}",
        )
    if len(plan.devices) == 1 and "policy" in plan.excluded_by.values():
        return ok(f"one NIC, {names}: `stripe` takes no other, see `nixl-stripe plan`")
    if len(plan.devices) == 1:
        return warn(
            f"one usable NIC ({names}): nothing to stripe over",
            _what_lacks(at) if plan.excluded else "use a host with more NICs",
        )
    return ok(f"{len(plan.devices)} NICs: {names}")


def _what_lacks(at: Surroundings) -> str:
    """Return what would give NIXL (more) RDMA NICs here."""
    if at.machine.nics:
        return (
            "; ".join(mending.lines(at.machine, at.plan.excluded_by))
            or "name the NICs that you want in `stripe`"
        )
    if drivers.broken_functions(at):
        return "see the check rdma-driver: NICs are there, their RDMA devices are not"
    return (
        "in a container, pass the RDMA devices in (docker run --device=/dev/infiniband, or "
        "Kubernetes' RDMA device plugin); elsewhere, a host with InfiniBand, RoCE or EFA"
    )


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


def _is_aside(at: Surroundings, name: str) -> bool:
    """Return whether a NIC is near no GPU and all that are used are: it may be a storage NIC."""
    nic = next(nic for nic in at.machine.nics if nic.name == name)
    near = [_core.is_near_gpu(at.machine, used) for used in at.planned]
    return bool(near) and all(near) and not _core.is_near_gpu(at.machine, nic)


def _excluded(at: Surroundings) -> Verdict:
    names = {nic.name for nic in at.machine.nics}
    excluded = {name: why for name, why in at.plan.excluded.items() if name in names}
    if not names:
        return skip("no RDMA device")
    if not excluded:
        return ok(f"none of {len(names)} is left out")
    by = {name: at.plan.excluded_by[name] for name in excluded}
    asked = {name for name, rule in by.items() if rule in mending.ASKED_FOR}
    right = {
        name
        for name, rule in by.items()
        if rule in mending.AS_IT_SHOULD_BE or (rule == "rate" and _is_aside(at, name))
    }
    faults = {name: rule for name, rule in by.items() if name not in asked | right}
    said = [
        words + "; ".join(f"{name}: {why}" for name, why in excluded.items() if name in names)
        for words, names in (("", set(faults)), ("as it should be: ", right), ("as asked: ", asked))
        if names
    ]
    if not faults:
        return ok("; ".join(said))
    fixes = "; ".join(mending.lines(at.machine, faults))
    return warn("; ".join(said), fixes or "name the NICs that you want in `stripe`")


def _warnings(at: Surroundings) -> Verdict:
    """Say what the plan itself warns of, but for the traps, which are ucx-variables' to name."""
    if not at.plan.devices:
        return skip("no NIC, which the check nics says")
    said = [text for text in at.plan.warnings if not text.startswith(_TRAPS)]
    if not said:
        return ok("the plan has no warning")
    return warn(
        "; ".join(said),
        "mend what each names; checks that say how: nics-excluded, gids, namespace, pcie-link",
    )


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
    if count > _LANES_OF_OLD_PEERS:  # nothing is wrong here: it is a peer's to be as new
        return ok(
            f"{count} of {_LANES} lanes; a peer with UCX before 1.18 knows {_LANES_OF_OLD_PEERS}"
        )
    return ok(f"{count} of {_LANES} lanes")


def _pcie_link(at: Surroundings) -> Verdict:
    """Look for NICs whose PCIe link is less than their port, their slot or they themselves can."""
    if not at.planned:
        return skip("no RDMA device of the plan to look at")
    slow = [each for nic in at.planned for each in _below_best(at, nic)]
    narrow = []
    for nic in at.planned:
        for port in nic.ports:
            device = f"{nic.name}:{port.number}"
            carried = _core.carried_gbps(at.machine, nic, port)
            if device in at.plan.devices and 0 < carried < port.rate_gbps * _WHOLE:
                link = at.machine.pci[nic.pci]
                narrow.append(
                    f"{device}: {link.link_gtps:g} GT/s x{link.link_width} carries {carried:.0f} "
                    f"of {port.rate_gbps:g} Gbit/s"
                )
    if slow or narrow:
        mend = "reseat the card or move it to a full slot; look at the slot's BIOS setting"
        wider = "its slot and card allow no more: a slot of more lanes, or of a newer generation"
        return warn("; ".join([*slow, *narrow]), mend if slow else wider)
    return ok("every NIC's PCIe link is as wide and as fast as it can be")


def _paths(at: Surroundings) -> Verdict:
    """Compare the plan with `best`, as measured or by the model of the machine's links."""
    here = rate_of(at.plan)
    best = next((each for each in compared_sets(at.plan) if each.stripe == "best"), None)
    if here is None or best is None or best.even_gbps is None:
        return skip("no rate of a port or link is known")
    memory = f"GPU {at.plan.gpu}" if at.plan.gpu else "host memory"
    said = f"{gbps_text(here)} from {memory} over {len(at.plan.devices)} NIC(s)"
    if here >= _AS_GOOD * best.even_gbps:
        return ok(said)
    return warn(
        f"{said}, as UCX divides buffers; stripe={best.describe()}",
        f"stripe={best.stripe}; `nixl-stripe plan --explain` says why",
    )


def _below_best(at: Surroundings, nic: _core.RdmaNic) -> Iterable[str]:
    if at.sys is None or not nic.pci:
        return
    folder = at.sys / "bus/pci/devices" / nic.pci
    for what in ("speed", "width"):
        now, best = (text_of(folder / f"{kind}_link_{what}") for kind in ("current", "max"))
        if 0 < _number(now) < _number(best):
            yield f"{nic.name}: link {what} {now}, possible {best}"


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
    Check("plan-warnings", "what the plan itself warns of", _warnings, "machine"),
    Check("efa", "what UCX can do on EFA devices", _efa, "machine"),
    Check("rates", "port rates of the plan's NICs", _rates, "machine"),
    Check("lanes", "more NICs than UCX has lanes", _lanes, "machine"),
    Check("pcie-link", "PCIe links below what port, NIC and slot can do", _pcie_link, "machine"),
    Check("paths", "fewer NICs would carry more, by the model of the links", _paths, "machine"),
    Check("topology", "a flat PCIe tree, damage in the reading", _topology, "machine"),
)
