# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What a host says of itself before any byte moves: versions, plan, settings, limits."""

from __future__ import annotations

import contextlib
import resource
from collections.abc import Mapping
from pathlib import Path

from nixl_stripe import _core
from nixl_stripe._core import __version__
from nixl_stripe.fleet.model import HostFacts
from nixl_stripe.planning.stripe_plan import StripePlan
from nixl_stripe.proof.sources import host as counter_host

#: Rules of usable NICs that say that a NIC has no link.
_NO_LINK = frozenset({"state", "interface"})
#: Settings and variables that follow from a host's own NICs.
_OWN = frozenset(rule.key for rule in _core.setting_table() if rule.is_per_host)
#: NICs of an operation without our plugin.
STOCK_RAILS = 2
_TRANSPORT, _TCP = "transport", "TCP"


def is_tcp(facts: HostFacts) -> bool:
    """Return whether its NICs are plain network interfaces, over which UCX stripes WRITE alone."""
    return facts.alike.get(_TRANSPORT) == _TCP


def interfaces_of(plan: StripePlan) -> list[str]:
    """Return the network interface of each planned NIC, "" for one without (InfiniBand)."""
    ports = {
        f"{nic.name}:{port.number}": port.netdev
        for nic in (plan.machine.machine.nics if plan.machine else ())
        for port in nic.ports
    }
    return [ports.get(each, "" if ":" in each else each) for each in plan.devices]


def facts_of(
    host: str,
    plan: StripePlan,
    *,
    patched: bool,
    versions: Mapping[str, str],
    environ: Mapping[str, str],
) -> HostFacts:
    """Return them. plan: of this host for the run's parameters, whether it is patched or not."""
    place = counter_host("/sys")
    down = tuple(
        name
        for name, rule in plan.excluded_by.items()
        if rule in _NO_LINK and name != "lo" and not place.is_up(name)
    )
    rails = plan.rails or min(STOCK_RAILS, len(plan.devices))
    return HostFacts(
        host,
        tuple(each.partition(":")[0] for each in plan.devices),
        rails=rails if patched else min(STOCK_RAILS, len(plan.devices)),
        patched=patched,
        down=down,
        alike={"nixl-stripe": __version__, **versions, **_of_plan(plan), **_variables(environ)},
        limits=limits(len(plan.devices)),
    )


def _of_plan(plan: StripePlan) -> dict[str, str]:
    rates = sorted({f"{nic.rate_gbps:g}" for nic in plan.nics if nic.rate_gbps})
    layers = sorted({nic.link_layer for nic in plan.nics})
    is_rdma = any(":" in device for device in plan.devices)
    found = {
        "port rates, Gbit/s": ", ".join(rates),
        "link layer": ", ".join(layers),
        _TRANSPORT: "RDMA" if is_rdma else _TCP,
    }
    for setting in plan.settings:
        if setting.key not in _OWN:
            found[f"UCX_{setting.key} of the plan"] = setting.value
    for at, nic in enumerate(plan.nics):
        if nic.subnets:
            found[f"subnets of NIC {at + 1}"] = ", ".join(nic.subnets)
    return found


def _variables(environ: Mapping[str, str]) -> dict[str, str]:
    return {
        name: value
        for name, value in environ.items()
        if name.startswith(("UCX_", "NIXL_UCX_")) and name.partition("UCX_")[2] not in _OWN
    }


def limits(nics: int, proc: Path = Path("/proc")) -> dict[str, int]:
    """Return this host's limits that a fleet's size meets; what cannot be read is left out.

    neighbours: entries of the kernel's table; nics: Ethernet NICs that fill it; files: that a
    process may open; memlock: bytes that it may lock, absent where that is unlimited.
    """
    found = {"nics": nics, "files": resource.getrlimit(resource.RLIMIT_NOFILE)[0]}
    memlock = resource.getrlimit(resource.RLIMIT_MEMLOCK)[0]
    if memlock != resource.RLIM_INFINITY:
        found["memlock"] = memlock
    with contextlib.suppress(OSError, ValueError):
        file = proc / "sys/net/ipv4/neigh/default/gc_thresh3"
        found["neighbours"] = int(file.read_text("ascii"))
    return found
