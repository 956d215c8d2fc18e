# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What `tune` measures, on simulated machines; scripts/unequal has a hundred of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from nixl_stripe import _core
from nixl_stripe.cli import main
from nixl_stripe.planning.calibrate import Rates, calibrate, places_of
from nixl_stripe.planning.faults import Places
from nixl_stripe.planning.tuning import Search
from simulated_hosts import drawn
from sysfs_machines import MACHINES
from sysfs_trees import write
from unequal_machines import OF_ALONE, OF_BEST, Meter, rows, summary


@pytest.mark.parametrize("seed", [901, 902])
def test_best_is_as_good_as_the_best_of_all_sets(seed: int) -> None:
    found = rows(seed, most_gpus=2)
    for row in found:
        assert row.best >= OF_BEST, row
        assert row.best >= OF_ALONE * row.alone, row
    assert summary(found)["measurements_most"] <= 200


def test_without_a_calibration_it_is_not_bad_flow() -> None:
    """Else the machines would show nothing."""
    assert min(row.model for seed in (901, 902) for row in rows(seed, most_gpus=0)) < OF_BEST


def searched(count: int, rate: dict[frozenset[int], float], budget: int = 30) -> frozenset[int]:
    """Return the best set of NICs of 100 each, but for sets that hold up what is below them."""

    def carried(nics: frozenset[int]) -> float:
        slowest = min([100.0, *(each for some, each in rate.items() if some <= nics)])
        return slowest * len(nics)

    found = Search(Places(count), carried, budget).run()
    assert len(found) <= budget
    return max(found, key=lambda nics: (found[nics], -len(nics)))


def test_one_slow_nic_is_left_out() -> None:
    assert searched(8, {frozenset([3]): 25.0}) == frozenset({0, 1, 2, 4, 5, 6, 7})


def test_two_that_disturb_each_other_are_told_from_all_others() -> None:
    best = searched(8, {frozenset([2, 5]): 30.0})
    assert best in (frozenset(range(8)) - {2}, frozenset(range(8)) - {5})


def test_equal_nics_take_few_measurements() -> None:
    counted = []

    def carried(nics: frozenset[int]) -> float:
        counted.append(nics)
        return 100.0 * len(nics)

    Search(Places(8), carried, 200).run()
    assert len(counted) <= 8 + 2


def test_a_machine_of_eight_gpus_and_nics_takes_two_hundred_at_most(tmp_path: Path) -> None:
    tree = write(MACHINES["dgx_h100"](), tmp_path / "sys")
    machine = _core.read_sysfs(str(tree.sys), str(tree.dev))
    taken = []

    def carried(gpu: str | None, devices: Sequence[str]) -> Rates:
        taken.append(devices)
        return Rates(400.0 * len(devices) ** 0.5)

    made = calibrate(machine, carried, [None, *(each.pci for each in machine.gpus)])
    assert 9 * 8 <= len(taken) <= 200
    alone = [gpu for gpu, devices, *_ in made.sets if len(devices) == 1]
    assert alone.count(None) == len(_core.select_nics(machine, "all").devices)
    with pytest.raises(ValueError, match=r"accepted are .* and more"):
        calibrate(machine, carried, [None], 8)


def test_places_say_what_is_near_and_what_may_share_a_link(tmp_path: Path) -> None:
    tree = write(MACHINES["p5"](), tmp_path / "sys")
    machine = _core.read_sysfs(str(tree.sys), str(tree.dev))
    devices = list(_core.select_nics(machine, "all").devices)
    places = places_of(machine, devices, machine.gpus[0].pci)
    near = _core.select_nics(machine, "nearest", machine.gpus[0].pci).devices
    assert {devices[index] for index in places.near} == set(near)
    assert places.near in places.groups
    assert places_of(machine, devices, None).near == frozenset()


def test_what_is_measured_has_noise() -> None:
    truth = drawn(901)
    meter = Meter(truth, 1)
    assert len({meter(None, ["mlx5_0:1"]).write for _ in range(3)}) == 3


@pytest.mark.parametrize(
    "options", [[], ["--listen", "127.0.0.1:1", "--connect", "127.0.0.1:1"]], ids=["none", "both"]
)
def test_tune_listens_or_connects_bad_flow(
    options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["tune", *options]) == 2
    assert "accepted is one of --listen and --connect" in capsys.readouterr().err
