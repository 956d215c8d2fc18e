# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Whether two hosts' plans fit each other: UCX pairs NICs, and settings count on both ends."""

from __future__ import annotations

from collections import Counter

from nixl_stripe import _core
from nixl_stripe.planning.parts import Planned

#: Settings that follow from a plan's own NICs and so differ between hosts without harm.
_OWN = frozenset(rule.key for rule in _core.setting_table() if rule.is_per_host)
#: Settings about a lost NIC, which the peer needs for failover alone.
_FOR_LOSS = frozenset(rule.key for rule in _core.setting_table() if rule.is_for_loss)
#: The one answer to a lost NIC that the peer has a part in.
_FAILOVER = "failover"


def peer_problems(here: Planned, there: Planned) -> list[str]:
    """Return what keeps transfers between two planned hosts from using every NIC, a line each."""
    losses = _loss_problems(here, there)
    if not here.active or not there.active:
        if here.active == there.active:
            return losses
        idle = here if not here.active else there
        text = f"the plan of {idle.source} changes nothing, so that end stays on stock settings"
        return [*losses, text]
    return [
        *losses,
        *_count_problems(here, there),
        *_rail_problems(here, there),
        *_link_problems(here, there),
        *_subnet_problems(here, there),
        *_shared_subnets(here),
        *_shared_subnets(there),
        *_setting_problems(here, there),
    ]


def no_shared_subnet(here: Planned, there: Planned) -> str:
    """Return why no NIC of one plan is in a subnet of the other's; "" where one is or may be.

    It may be where a NIC's subnets are not known. A route can join subnets all the same.
    """
    sides = [[{*nic.subnets} for nic in plan.nics] for plan in (here, there)]
    if not all(sides) or not all(subnets for side in sides for subnets in side):
        return ""
    near, far = (set[str]().union(*side) for side in sides)
    if near & far:
        return ""
    return (
        f"no NIC here ({', '.join(here.devices)} in {_listed(near)}) is in a subnet of one there "
        f"({', '.join(there.devices)} in {_listed(far)})"
    )


def _fails_over(*plans: Planned) -> bool:
    return any(plan.on_nic_loss == _FAILOVER for plan in plans)


def _loss_problems(here: Planned, there: Planned) -> list[str]:
    if here.on_nic_loss == there.on_nic_loss or not _fails_over(here, there):
        return []
    return [
        f"on_nic_loss is {here.on_nic_loss} here and {there.on_nic_loss} there: UCX does not "
        "connect the two"
    ]


def _count_problems(here: Planned, there: Planned) -> list[str]:
    if len(here.devices) == len(there.devices) or not here.devices or not there.devices:
        return []  # without devices the plan sets rails alone
    return [
        f"{len(here.devices)} NIC(s) here ({', '.join(here.devices)}), {len(there.devices)} there "
        f"({', '.join(there.devices)}): the larger set is not filled"
    ]


def _rail_problems(here: Planned, there: Planned) -> list[str]:
    if here.rails == there.rails or len(here.devices) != len(there.devices):
        return []  # different counts of NICs are a problem of their own
    texts = [f"{plan.rails or 'stock'}" for plan in (here, there)]
    return [
        f"rails differ: {texts[0]} here, {texts[1]} there: the end that starts a transfer decides"
    ]


def _link_problems(here: Planned, there: Planned) -> list[str]:
    problems = []
    layers = [{nic.link_layer for nic in plan.nics} - {"unknown"} for plan in (here, there)]
    if all(layers) and not layers[0] & layers[1]:
        problems.append(
            f"link layers differ: {_listed(layers[0])} here, {_listed(layers[1])} there: "
            "they cannot talk"
        )
    rates = [Counter(nic.rate_gbps for nic in plan.nics if nic.rate_gbps) for plan in (here, there)]
    if all(rates) and set(rates[0]) != set(rates[1]):
        texts = [", ".join(f"{rate:g}" for rate in sorted(side)) for side in rates]
        problems.append(
            f"port rates differ: {texts[0]} Gbit/s here, {texts[1]} there: a pair is as fast as "
            "its slower end"
        )
    return problems


def _subnet_problems(here: Planned, there: Planned) -> list[str]:
    problems = []
    for near, far, where in ((here, there, "there"), (there, here, "here")):
        reachable = {subnet for nic in far.nics for subnet in nic.subnets}
        lonely = [
            nic for nic in near.nics if nic.subnets and reachable and not reachable & {*nic.subnets}
        ]
        problems += [
            f"{nic.device} on {near.source} is in {_listed({*nic.subnets})}, no NIC {where} is: "
            "unless a route joins them, this rail idles (UCX_IB_ROCE_REACHABILITY_MODE)"
            for nic in lonely
        ]
    return problems


def _shared_subnets(plan: Planned) -> list[str]:
    """Linux routes one subnet through one interface, so the other rails count as unreachable."""
    counts = Counter(
        subnet for nic in plan.nics if nic.link_layer == "Ethernet" for subnet in nic.subnets
    )
    return [
        f"{count} Ethernet NICs on {plan.source} are in {subnet}: with UCX's route check only the "
        "one that the route names is reached (UCX_IB_ROCE_REACHABILITY_MODE=local_subnet)"
        for subnet, count in counts.items()
        if count > 1
    ]


def _setting_problems(here: Planned, there: Planned) -> list[str]:
    left, right = here.ucx_settings, there.ucx_settings
    sides = {setting.key: setting.side for plan in (here, there) for setting in plan.settings}
    free = _OWN if _fails_over(here, there) else _OWN | _FOR_LOSS
    return [
        f"{key} is {left.get(key, 'not set')} here and {right.get(key, 'not set')} there; "
        + ("both ends need it" if sides[key] == "both" else f"it counts at the {sides[key]}")
        for key in sorted({*left, *right} - free)
        if left.get(key) != right.get(key)
    ]


def _listed(items: set[str]) -> str:
    return ", ".join(sorted(items))
