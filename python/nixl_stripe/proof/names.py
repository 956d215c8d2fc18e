# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Which NICs are watched: those that a user names, or those of the machine."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from nixl_stripe import _core
from nixl_stripe.errors import StripeError, UsageError
from nixl_stripe.planning.stripe_plan import StripePlan
from nixl_stripe.proof import sources
from nixl_stripe.proof.striped import base


def named_nics(given: str) -> tuple[str, ...]:
    """Return the NICs of a list with commas; UsageError where one device would count twice."""
    names = tuple(dict.fromkeys(name.strip() for name in given.split(",") if name.strip()))
    if not names:
        raise UsageError(f"--devices {given!r}: accepted are names, separated by commas")
    for name in names:
        if name != base(name) and base(name) in names:
            raise UsageError(f"--devices {given!r}: {name} is part of {base(name)}; name one")
    return names


def nics_to_watch(planned: Iterable[str], given: str | None, sysfs: Path) -> tuple[str, ...]:
    """Return the NICs that a user named, separated by commas, or every NIC and the planned ones.

    StripeError where there is none.
    """
    if given is not None:
        return named_nics(given)
    names = with_planned(sources.all_nics(sysfs), planned)
    if not names:
        raise StripeError(
            f"no NIC to watch: {sysfs}/class/infiniband and {sysfs}/class/net show none; "
            "in a container, share the host's network (--network host) or its RDMA devices"
        )
    return names


def with_planned(names: Iterable[str], planned: Iterable[str]) -> tuple[str, ...]:
    """Return the names, and planned devices that are not among them, each device once."""
    found = tuple(names)
    missing = dict.fromkeys(base(name) for name in planned if base(name) not in found)
    return (*missing, *found)


def lasting_nics(plan: StripePlan, place: _core.CounterHost) -> tuple[str, ...]:
    """Return the NICs of a machine whose names last: labels of metrics.

    RDMA devices; where there is none, interfaces of hardware and planned ones: those of pods and
    containers (veth, bridges) come and go, each with a name of its own.
    """
    if place.devices() or plan.machine is None:
        return with_planned(place.nics(), plan.devices)
    lasting = {each.name for each in plan.machine.machine.net_interfaces if not each.is_virtual}
    return with_planned((name for name in place.nics() if name in lasting), plan.devices)


def require_there(names: Iterable[str], place: _core.CounterHost, sysfs: Path) -> None:
    """NicNotFoundError for a name that no device has; one that cannot be counted is there."""
    known = {*place.devices(), *place.nics()}
    for name in names:
        is_interface = (sysfs / "class/net" / name).exists()
        if base(name) not in known and not is_interface:
            sources.find_source(name, place)
