# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What must hold of the policies on any machine."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from memory_folders import IN_MEMORY
from nixl_stripe import _core
from random_hosts import Group, groups, host_of, nic_kinds
from sysfs_trees import Host, write

POLICIES = ("all", "best", "numa", "nearest", "fair", "auto", "1", "2", "3")

on_any_host = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def read(host: Host) -> _core.Machine:
    with tempfile.TemporaryDirectory(dir=IN_MEMORY) as folder:
        tree = write(host, Path(folder))
        return _core.read_sysfs(str(tree.sys), str(tree.dev))


def choose(machine: _core.Machine, stripe: str, gpu: str) -> _core.Selection:
    return _core.select_nics(machine, stripe, gpu)


def shares(machine: _core.Machine, stripe: str = "fair") -> dict[str, set[str]]:
    return {each.pci: set(choose(machine, stripe, each.pci).devices) for each in machine.gpus}


def usable(parts: tuple[Group, ...], kinds: Iterable[str] = ("nic",)) -> set[str]:
    return {f"mlx5_{i}:1" for i, kind in enumerate(nic_kinds(parts)) if kind in kinds}


def aside(machine: _core.Machine) -> set[str]:
    """Return the NICs that are near no GPU and look like storage."""
    chosen = _core.select_nics(machine, "all")
    return {f"{name}:1" for name, rule in chosen.excluded_by.items() if rule == "aside"}


@on_any_host
@given(groups())
def test_every_nic_is_chosen_or_has_a_reason(parts: tuple[Group, ...]) -> None:
    machine = read(host_of(parts))
    names = {nic.name for nic in machine.nics}
    for gpu in machine.gpus:
        for stripe in POLICIES:
            chosen = choose(machine, stripe, gpu.pci)
            taken = {device.partition(":")[0] for device in chosen.devices}
            assert taken, stripe
            assert taken <= {device.partition(":")[0] for device in usable(parts)}
            assert taken.isdisjoint(chosen.excluded)
            assert taken | set(chosen.excluded) == names
            assert all(chosen.excluded.values())


@on_any_host
@given(groups())
def test_fair_shares_cover_all_and_are_disjoint(parts: tuple[Group, ...]) -> None:
    machine = read(host_of(parts))
    dealt = shares(machine)
    every = usable(parts) - aside(machine)
    takers = Counter(device for share in dealt.values() for device in share)
    sizes = [len(share) for share in dealt.values()]
    if len(every) >= len(dealt):
        assert set(takers) == every
        assert set(takers.values()) == {1}
        assert max(sizes) - min(sizes) <= 1
    else:
        assert sizes == [1] * len(dealt)
        assert set(takers) == every
        assert max(takers.values()) - min(takers.values()) <= 1


@on_any_host
@given(groups())
def test_policies_nest(parts: tuple[Group, ...]) -> None:
    machine = read(host_of(parts))
    every = usable(parts) - aside(machine)
    one = shares(machine, "auto")
    fair = shares(machine)
    for gpu in machine.gpus:
        assert set(choose(machine, "all", gpu.pci).devices) == every
        assert len(one[gpu.pci]) == 1
        assert one[gpu.pci] <= fair[gpu.pci]
        counts = [set(choose(machine, str(n), gpu.pci).devices) for n in range(1, len(every) + 1)]
        assert [len(each) for each in counts] == list(range(1, len(every) + 1))
        assert all(less < more for less, more in pairwise(counts))
        nearest = set(choose(machine, "nearest", gpu.pci).devices)
        assert counts[len(nearest) - 1] == nearest


@on_any_host
@given(groups())
def test_every_rank_gets_the_same_map(parts: tuple[Group, ...]) -> None:
    # Each rank reads the machine for itself, from a tree of its own.
    assert shares(read(host_of(parts))) == shares(read(host_of(parts)))


@on_any_host
@given(groups())
def test_names_of_unrelated_devices_change_nothing(parts: tuple[Group, ...]) -> None:
    kinds = nic_kinds(parts)
    renamed = {i: f"abc{i}" for i, kind in enumerate(kinds) if kind in ("down", "slow")}
    before = read(host_of(parts))
    after = read(host_of(parts, renamed))
    for stripe in POLICIES:
        assert shares(before, stripe) == shares(after, stripe)


@on_any_host
@given(groups(), st.sampled_from(("nic", "down", "slow", "gpu")))
def test_one_more_device_frees_no_excluded_nic(parts: tuple[Group, ...], kind: str) -> None:
    before = read(host_of(parts))
    after = read(host_of((*parts, Group(direct=(kind,), numa=parts[-1].numa))))
    gpu = before.gpus[0].pci
    refused = {"mlx5_" + str(i) for i, each in enumerate(nic_kinds(parts)) if each != "nic"}
    for stripe in POLICIES:
        taken = {device.partition(":")[0] for device in choose(after, stripe, gpu).devices}
        assert taken.isdisjoint(refused)
    assert refused <= set(choose(after, "all", gpu).excluded)
    assert set(choose(before, "all", gpu).devices) <= set(choose(after, "all", gpu).devices)


device_names = st.from_regex(r"[a-zA-Z0-9_][a-zA-Z0-9_.@-]{0,14}", fullmatch=True).filter(
    lambda name: not name.isdecimal()
)
entries = st.lists(
    st.tuples(device_names, st.none() | st.integers(1, 255)), min_size=1, max_size=6, unique=True
)


@given(st.booleans(), st.booleans(), entries)
def test_what_is_printed_parses_to_the_same_list(
    exclude: bool, exact: bool, items: list[tuple[str, int | None]]
) -> None:
    text = "^" * exclude + "=" * exact
    text += ",".join(name if port is None else f"{name}:{port}" for name, port in items)
    spec = _core.parse_stripe("stripe", text)
    again = _core.parse_stripe("stripe", spec.text)
    assert again == spec
    if exclude or exact or len(items) > 1:  # one bare word may be a policy
        assert spec.is_list
        assert spec.text == text


@given(st.integers(1, 64))
def test_counts_print_as_they_parse(number: int) -> None:
    spec = _core.parse_stripe("stripe", str(number))
    assert (spec.text, spec.count) == (str(number), number)


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20))
def test_any_text_parses_or_is_refused_by_name(text: str) -> None:
    try:
        spec = _core.parse_stripe("stripe", text)
    except ValueError as error:
        refusal = str(error)
    else:
        refusal = ""
        assert _core.parse_stripe("stripe", spec.text) == spec
    shown = f"stripe='{text}'" if text.isprintable() else "stripe='"
    assert not refusal or refusal.startswith(shown)
    assert "\n" not in refusal
