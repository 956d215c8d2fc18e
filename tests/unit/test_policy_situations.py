# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Situations from public reports: the right NICs, and the table of docs/topology.md about them."""

from __future__ import annotations

import random
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from memory_folders import IN_MEMORY
from nixl_stripe import _core
from sysfs_situations import Situation
from sysfs_situations_ports import EVERY_SITUATION
from sysfs_variants import rename_devices, shift_gids

PAGE = Path(__file__).parents[2] / "docs/topology.md"

every = pytest.mark.parametrize("at", EVERY_SITUATION, ids=lambda at: at.name)


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=IN_MEMORY) as path:
        yield Path(path)


def read(at: Situation, folder: Path) -> _core.Machine:
    tree = at.write(folder)
    links = (path for path in tree.sys.rglob("*") if path.is_symlink())
    assert [link for link in links if link.readlink().is_absolute()] == [], "no kernel makes such"
    return _core.read_sysfs(str(tree.sys), str(tree.dev))


@every
def test_all_takes_the_right_nics(at: Situation, folder: Path) -> None:
    machine = read(at, folder)
    chosen = _core.select_nics(machine, "all")
    assert tuple(name.partition(":")[0] for name in chosen.devices) == at.nics
    left_out = {nic.name for nic in machine.nics} - {*at.nics}
    assert set(chosen.excluded) == left_out
    assert set(chosen.excluded_by) == left_out
    assert set(chosen.excluded_by.values()) == set(at.rule.split(", ") if at.rule else ())
    assert at.warning in "".join(chosen.warnings)
    assert bool(chosen.warnings) == bool(at.warning)


@pytest.mark.parametrize(
    "at", [each for each in EVERY_SITUATION if each.ceiling], ids=lambda at: at.name
)
def test_a_cable_counts_once(at: Situation, folder: Path) -> None:
    machine = read(at, folder)
    devices = list(_core.select_nics(machine, "all").devices)
    assert _core.ceiling_gbps(machine, devices, None) == pytest.approx(at.ceiling)


@every
def test_a_set_is_one_fabric(at: Situation, folder: Path) -> None:
    machine = read(at, folder)
    layers = {
        f"{nic.name}:{port.number}": (nic.driver, port.link_layer)
        for nic in machine.nics
        for port in nic.ports
    }
    for stripe in ("all", "2", "mlx5", "^=mlx5_77"):
        try:
            chosen = _core.select_nics(machine, stripe)
        except ValueError:
            continue  # no device is called mlx5 here
        taken = Counter(layers[device] for device in chosen.devices)
        assert len(taken) <= 1, (stripe, taken)


@every
def test_a_list_overrides_every_preference(at: Situation, folder: Path) -> None:
    machine = read(at, folder)
    impossible = {"transport", "address", "verbs", "state", "min-rate", "interface"}
    excluded = _core.select_nics(machine, "all").excluded_by
    for name, rule in excluded.items():
        devices = _core.select_nics(machine, f"={name}").devices
        assert bool(devices) == (rule not in impossible), (name, rule)


@every
def test_no_preference_empties_the_set(at: Situation, folder: Path) -> None:
    """Of any NICs that can be used at least one is taken."""
    machine = read(at, folder)
    possible = [
        nic.name for nic in machine.nics if _core.select_nics(machine, f"={nic.name}").devices
    ]
    shuffled = random.Random(at.name)
    for _ in range(8 if possible else 0):
        some = shuffled.sample(possible, shuffled.randint(1, len(possible)))
        others = [nic.name for nic in machine.nics if nic.name not in some]
        stripe = "^=" + ",".join(others) if others else "all"
        chosen = _core.select_nics(machine, stripe)
        assert chosen.devices, (stripe, chosen.excluded)


@every
@pytest.mark.parametrize("stem", ["mlx5_", "ibs"])
def test_names_and_their_order_do_not_matter(at: Situation, stem: str, folder: Path) -> None:
    tree = at.write(folder)
    names = rename_devices(tree, stem)
    chosen = _core.select_nics(_core.read_sysfs(str(tree.sys), str(tree.dev)), "all")
    assert {name.partition(":")[0] for name in chosen.devices} == {names[nic] for nic in at.nics}


@every
@pytest.mark.parametrize("by", [1, 100])
def test_slots_of_the_gid_table_do_not_matter(at: Situation, by: int, folder: Path) -> None:
    tree = at.write(folder)
    shift_gids(tree, by)
    chosen = _core.select_nics(_core.read_sysfs(str(tree.sys), str(tree.dev)), "all")
    assert tuple(name.partition(":")[0] for name in chosen.devices) == at.nics


def table() -> str:
    rows = [
        f"| {at.name} | {at.what} | {', '.join(f'`{nic}`' for nic in at.nics) or 'none'} | "
        f"{at.rule or '-'} | {at.source} |"
        for at in EVERY_SITUATION
    ]
    head = (
        "| situation | what is there | `stripe=all` takes | rule | reported in |",
        "|---|---|---|---|---|",
    )
    return "\n".join([*head, *rows])


def test_the_page_has_the_table_of_the_situations() -> None:
    assert f"<!-- situations -->\n{table()}\n<!-- end of situations -->" in PAGE.read_text("utf-8")
