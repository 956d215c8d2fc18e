# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Hosts that are set up otherwise than most: found before any byte moves, and named once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from nixl_stripe.fleet.model import Finding, HostFacts, Kind

_SAME = "set it up as the others are"


#: What hosts of a routed fleet, or of several racks, have in groups: only most of all may accuse.
_IN_GROUPS = "subnets of "
_UNSET = "(not set)"


def outliers(facts: Sequence[HostFacts], hosts: int | None = None) -> list[Finding]:
    """Return each host that lacks the plugin, has another rail count, or another version.

    What most hosts have is right; where no value has a majority, the smaller groups are named.
    hosts: of the whole fleet, for limits that its size meets; None: as many as have come.
    """
    found = [
        Finding(
            Kind.UNPATCHED,
            (each.host,),
            (),
            "NIXL there has no nixl-stripe plugin",
            "on that host: nixl-stripe patch",
        )
        for each in facts
        if not each.patched
    ]
    found += _no_link(facts)
    patched = [each for each in facts if each.patched]
    rails = _differing(patched, Kind.OTHER_RAILS, "rails", lambda each: str(each.rails))
    explained = {host for each in found for host in each.hosts}
    found += [each for each in rails if not explained & set(each.hosts)]
    whole = [each for each in facts if not {each.host} & {h for one in found for h in one.hosts}]
    for name in sorted({name for each in facts for name in each.alike}):
        # Neither a host without the plugin nor one that lacks a NIC has what the plan says.
        of_plan = any(name not in each.alike for each in facts)
        found += _differing(whole if of_plan else facts, Kind.OTHER_VERSION, name, _value_of(name))
    return found + _limits(facts, hosts or len(facts))


def _no_link(facts: Sequence[HostFacts]) -> list[Finding]:
    """Return NICs that the plan had to leave out, where others have as many in theirs."""
    usual = Counter(len(each.nics) for each in facts if each.patched).most_common(1)
    return [
        Finding(
            Kind.NIC_DOWN,
            (each.host,),
            (nic,),
            "no link before the run, so it is not in the plan",
            f"on {each.host}: look at the cable and the port of {nic}",
        )
        for each in facts
        for nic in each.down
        if usual and len(each.nics) < usual[0][0]
    ]


def _limits(facts: Sequence[HostFacts], hosts: int) -> list[Finding]:
    """Return hosts whose table of neighbours does not hold every NIC of so large a fleet."""
    return [
        Finding(
            Kind.LIMIT,
            (each.host,),
            (),
            f"{room} neighbours at most; {hosts} hosts of {each.limits['nics']} NIC(s) need "
            f"{needed} where they share subnets",
            f"sysctl -w net.ipv4.neigh.default.gc_thresh3={4 * needed} (gc_thresh2={2 * needed}, "
            f"gc_thresh1={needed})",
        )
        for each in facts
        if (room := each.limits.get("neighbours"))
        and (needed := (hosts - 1) * each.limits.get("nics", 0)) > room
    ]


def _value_of(name: str) -> Callable[[HostFacts], str]:
    return lambda each: each.alike.get(name, _UNSET)


def _differing(
    facts: Sequence[HostFacts], kind: Kind, name: str, value: Callable[[HostFacts], str]
) -> list[Finding]:
    counts = Counter(value(each) for each in facts)
    if len(counts) < 2:
        return []
    if name.startswith(_IN_GROUPS) and 2 * max(counts.values()) <= len(facts):
        return []
    # Of two groups of the same size the one with the smaller value is named, for a stable answer.
    usual = max(counts, key=lambda each: (counts[each], each))
    return [
        Finding(
            kind,
            (each.host,),
            (),
            f"{name}: {value(each)}, where {counts[usual]} of {len(facts)} have {usual}",
            _SAME,
        )
        for each in facts
        if value(each) != usual
    ]
