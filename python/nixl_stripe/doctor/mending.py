# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The line that mends what a rule of `_core.usable_rules` has against a NIC, for that hardware.

A rule's own line is for any NIC; where what helps depends on the NIC, a function here says it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from nixl_stripe import _core

#: Rules by which the user himself, or the policy that he chose, left a NIC out.
ASKED_FOR = frozenset({"list", "policy"})
#: Rules that leave a NIC out where better ones are there: a storage network, a virtual function, a
#: bond beside unbonded NICs, a NIC near no GPU. Nothing is wrong then. A lower rate may be a link
#: that came up slow, but hardly that of a NIC near no GPU.
AS_IT_SHOULD_BE = frozenset({"fabric", "shared-port", "bond", "aside"})
_OVER_TCP = "its network interface can carry TCP (NIXL_UCX_DEVICE_LIST=INTERFACE)"
#: RDMA modules by the driver of the PCI function.
_MODULES = {"mlx5_core": "mlx5_ib", "mlx4_core": "mlx4_ib", "bnxt_en": "bnxt_re", "ice": "irdma"}
_INTO_POD = (
    "attach {net} to the pod (Multus: host-device or SR-IOV), or give the pod hostNetwork: true, "
    "or on the host: ip link set dev {net} netns PID"
)


def lines(machine: _core.Machine, excluded_by: Mapping[str, str]) -> tuple[str, ...]:
    """Return what mends the NICs of `excluded_by` (name -> id of the rule).

    One line stands for all NICs whose lines differ in their own names only, and counts them.
    """
    alike: dict[str, list[str]] = {}
    for nic in machine.nics:
        own = line(machine, nic, excluded_by[nic.name]) if nic.name in excluded_by else ""
        general = own
        names = (nic.name, nic.uverbs, nic.pci, *(port.netdev for port in nic.ports))
        for name in sorted(filter(None, names), key=len, reverse=True):
            general = general.replace(name, "*")
        if own:
            alike.setdefault(general, []).append(own)
    return tuple(
        first if set(more) <= {first} else f"{first} (likewise {len(more)} more)"
        for first, *more in alike.values()
    )


def line(machine: _core.Machine, nic: _core.RdmaNic, rule_id: str) -> str:
    """Return what mends a NIC that the rule speaks against; "" where nothing is to be mended."""
    if rule_id in _BY_HARDWARE:
        return _BY_HARDWARE[rule_id](machine, nic)
    return {rule.id: rule.fix for rule in _core.usable_rules()}.get(rule_id, "")


def move_interface(net: str) -> str:
    """Return how an interface comes into this network namespace; "" is one of unknown name."""
    return _INTO_POD.format(net=net or "INTERFACE")


def give_address(net: str) -> str:
    """Return how an interface gets an address that peers can route to."""
    return f"ip addr add A.B.C.D/NN dev {net or 'INTERFACE'}"


def _transport(_machine: _core.Machine, nic: _core.RdmaNic) -> str:
    """Tell the NICs that can be switched from iWARP to RoCE from those that cannot."""
    device = f"pci/{nic.pci}" if nic.pci else "pci/ADDRESS"
    return {
        "ice": f"switch {nic.name} to RoCEv2: devlink dev param set {device} name enable_iwarp "
        f"value false cmode runtime; devlink dev param set {device} name enable_roce value true "
        "cmode runtime (Intel's own irdma driver: modprobe irdma roce_ena=1)",
        "qede": f"set the RDMA protocol of {nic.name} to RoCE in the adapter's UEFI menu",
        "siw": "use Soft-RoCE in place of siw: rdma link add NAME type rxe netdev INTERFACE",
    }.get(nic.driver, f"{nic.name} knows no RoCE: leave it out; {_OVER_TCP}")


def _verbs(_machine: _core.Machine, nic: _core.RdmaNic) -> str:
    node = f"/dev/infiniband/{nic.uverbs}" if nic.uverbs else "/dev/infiniband/uverbsN"
    if nic.access == "denied":
        return (
            "chmod 666 /dev/infiniband/uverbs* (a udev rule of rdma-core does it at boot); in a "
            "container docker run --device=/dev/infiniband, for which no bind mount will do"
        )
    return (
        f"modprobe ib_uverbs on the host; in a container pass {node} in: docker run "
        "--device=/dev/infiniband, or Kubernetes' RDMA device plugin"
    )


def _state(machine: _core.Machine, nic: _core.RdmaNic) -> str:
    """Join the lines of the ports that are not ACTIVE."""
    if not nic.ports:
        module = _MODULES.get(nic.driver, "MODULE")
        return f"look at dmesg, then load its driver anew: {_anew(module)}"
    waiting = (port for port in nic.ports if port.state not in ("ACTIVE", "unknown"))
    return "; ".join(dict.fromkeys(_port_line(machine, nic, port) for port in waiting))


def _port_line(machine: _core.Machine, nic: _core.RdmaNic, port: _core.Port) -> str:
    if port.link_layer == "EFA":
        return f"attach the network interface of {nic.name} to the instance anew, or {_anew('efa')}"
    no_link = f"check cable, transceiver and switch port of {nic.name}:{port.number}"
    if port.link_layer == "Ethernet":
        net = port.netdev or "INTERFACE"
        elsewhere = _core.reach_of(machine, nic, port) == "elsewhere"
        where = " (in the network namespace that it is in)" if elsewhere else ""
        return f"ip link set dev {net} up{where}; where it is up, {no_link}"
    if port.state in ("INIT", "ARMED") or port.physical_state == "LinkUp":
        manager = "opafm" if nic.driver == "hfi1" else "opensm"
        return (
            f"{nic.name}:{port.number} has a link and waits for a subnet manager: start one, "
            f"{manager} on a host or that of a switch"
        )
    if port.physical_state == "Disabled":
        return f"ibportstate -C {nic.name} -D 0 {port.number} enable (as root)"
    return no_link


def _anew(module: str) -> str:
    return f"modprobe -r {module} && modprobe {module}"


def _address(machine: _core.Machine, nic: _core.RdmaNic) -> str:
    """Fill an empty GID table: its interface is down or bare here, or in another namespace."""
    here = {net.name: net for net in machine.net_interfaces}
    for port in nic.ports:
        if port.netdev in here:
            up = "" if here[port.netdev].up else f"ip link set dev {port.netdev} up; "
            return up + give_address(port.netdev)
    return _namespace(machine, nic)


def _namespace(_machine: _core.Machine, nic: _core.RdmaNic) -> str:
    return move_interface(next((port.netdev for port in nic.ports if port.netdev), ""))


def _fastest(nic: _core.RdmaNic) -> float:
    return max((port.rate_gbps for port in nic.ports if port.state == "ACTIVE"), default=0.0)


def _model(machine: _core.Machine, nic: _core.RdmaNic) -> tuple[object, ...]:
    """Return what NICs of one model on one kind of network have in common; () = unknown."""
    function = machine.pci.get(nic.pci)
    layers = {port.link_layer for port in nic.ports}
    return (function.vendor, function.device, frozenset(layers)) if function else ()


def _rate(machine: _core.Machine, nic: _core.RdmaNic) -> str:
    """Blame the slow of one model: they may be more than those that came up as they should."""
    rate = _fastest(nic)
    slow = [
        other
        for other in machine.nics
        if 0 < _fastest(other) < rate and _model(machine, other) == _model(machine, nic) != ()
    ]
    if slow:
        listed = ", ".join(f"{other.name} ({_fastest(other):g})" for other in slow)
        return (
            f"check cable, transceiver and switch port of {listed}: others of their model run at "
            f"{rate:g} Gbit/s"
        )
    check = (
        f"ibportstate -C {nic.name} -D 0 1 query"
        if any(port.link_layer == "InfiniBand" for port in nic.ports)
        else f"ethtool {next((p.netdev for p in nic.ports if p.netdev), 'INTERFACE')}"
    )
    return (
        "use NICs of other rates as well with stripe_min_rate_gbps=0; where they should be as "
        f"fast, check cable, transceiver and switch port ({check})"
    )


def _bond(_machine: _core.Machine, nic: _core.RdmaNic) -> str:
    net = next((port.netdev for port in nic.ports if port.netdev), "INTERFACE")
    return f"take it out of its bond (ip link set dev {net} nomaster), or name it in `stripe`"


_BY_HARDWARE: Mapping[str, Callable[[_core.Machine, _core.RdmaNic], str]] = {
    "transport": _transport,
    "verbs": _verbs,
    "state": _state,
    "address": _address,
    "namespace": _namespace,
    "rate": _rate,
    "bond": _bond,
}
