# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The assertion for users' tests: what passes, what fails, and how the failure reads."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import nixl_stripe
import pytest
from counter_trees import CounterTree
from nixl_stripe.planning.parts import PlannedNic
from nixl_stripe.planning.stripe_plan import StripePlan
from nixl_stripe.proof import Counters, NicTraffic

MIB = 1 << 20
NICS = ("mlx5_0", "mlx5_1", "mlx5_2", "mlx5_3")


def _rows(*mib: float, into: float = 0) -> dict[str, NicTraffic]:
    return {
        name: NicTraffic(name, round(each * MIB), round(into * MIB))
        for name, each in zip(NICS, mib, strict=False)
    }


def _plan(*rates: float) -> StripePlan:
    devices = tuple(f"{name}:1" for name in NICS[: len(rates)])
    nics = tuple(PlannedNic(d, r) for d, r in zip(devices, rates, strict=True))
    return StripePlan("/sys", {"stripe": "all"}, True, devices, len(devices), nics=nics)


@pytest.mark.parametrize(
    ("mib", "how"),
    [
        ((64, 64, 64, 64), {}),
        ((64, 64, 60, 68), {}),
        ((64, 64, 0.01, 0), {"nics": ["mlx5_0", "mlx5_1"]}),
        ((100, 50, 50, 0), {"nics": {"mlx5_0": 2, "mlx5_1": 1, "mlx5_2": 1}}),
        ((64, 64, 64, 64), {"nics": _plan(400, 400, 400, 400)}),
        ((40, 10, 10), {"nics": _plan(400, 100, 100)}),
        ((40, 40, 40), {"nics": _plan(400, 0, 100)}),
        ((64, 64, 64, 64), {"direction": "out"}),
    ],
)
def test_even_shares_pass(mib: tuple[float, ...], how: dict[str, Any]) -> None:
    nixl_stripe.assert_striped(_rows(*mib), **how)


def test_the_plateau_bad_flow_reads_well() -> None:
    with pytest.raises(AssertionError) as caught:
        nixl_stripe.assert_striped(_rows(128, 128, 0, 0.1), tolerance=0.1)
    assert str(caught.value).splitlines() == [
        "4 NIC(s) should share the traffic (within 10%); 4 do not, of 256.1 MiB:",
        "  mlx5_0         50.0% of 25.0% due   128.0 MiB  <- too much",
        "  mlx5_1         50.0% of 25.0% due   128.0 MiB  <- too much",
        "  mlx5_2          0.0% of 25.0% due         0 B  <- idle",
        "  mlx5_3          0.0% of 25.0% due   102.4 KiB  <- idle",
    ]


def test_traffic_on_other_nics_is_shown_with_a_failure() -> None:
    with pytest.raises(AssertionError, match=r"mlx5_3 .*100\.0 MiB  <- not one of these"):
        nixl_stripe.assert_striped(_rows(90, 10, 0, 100), ["mlx5_0", "mlx5_1"])


@pytest.mark.parametrize(
    ("mib", "how"),
    [
        ((100, 50, 50, 50), {}),
        ((64, 64, 64, 64), {"nics": {"mlx5_0": 2, "mlx5_1": 1}}),
        ((40, 40, 40), {"nics": _plan(400, 100, 100)}),
        ((64, 64, 60, 68), {"tolerance": 0.01}),
    ],
)
def test_uneven_shares_bad_flow(mib: tuple[float, ...], how: dict[str, Any]) -> None:
    with pytest.raises(AssertionError, match="should share the traffic"):
        nixl_stripe.assert_striped(_rows(*mib), **how)


def test_no_traffic_at_all_bad_flow() -> None:
    with pytest.raises(AssertionError, match="carried 0 B together, less than 1"):
        nixl_stripe.assert_striped(_rows(0, 0, 0, 0))
    with pytest.raises(AssertionError, match="took another way"):
        nixl_stripe.assert_striped(_rows(64, 64, 64, 64), direction="in")


@pytest.mark.parametrize(
    ("how", "text"),
    [
        ({"nics": ["mlx5_7"]}, "'mlx5_7' was not watched; watched: mlx5_0"),
        ({"nics": []}, "there is none"),
        ({"nics": {"mlx5_0": 0}}, "must be above 0"),
        ({"tolerance": 1}, "tolerance=1"),
    ],
)
def test_arguments_bad_flow(how: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        nixl_stripe.assert_striped(_rows(64, 64, 64, 64), **how)


def _watch(tree: CounterTree, down: str = "") -> Counters:
    for name in NICS:
        tree.infiniband(name)
    if down:
        tree.write(f"class/infiniband/{down}/ports/1/state", "1: DOWN")
    return nixl_stripe.counters(sysfs=tree.root)


def test_a_nic_without_a_link_is_not_asked_for(tmp_path: Path) -> None:
    tree = CounterTree(tmp_path)
    with _watch(tree, down="mlx5_2") as c:
        for name in ("mlx5_0", "mlx5_1", "mlx5_3"):
            tree.infiniband(name, 16 * MIB)
    nixl_stripe.assert_striped(c)
    with pytest.raises(AssertionError, match=r"mlx5_2 .*idle"):
        nixl_stripe.assert_striped(c, NICS)


def test_a_nic_that_vanished_bad_flow(tmp_path: Path) -> None:
    tree = CounterTree(tmp_path)
    with _watch(tree) as c:
        for name in NICS:
            tree.infiniband(name, 16 * MIB)
        shutil.rmtree(tmp_path / "class/infiniband/mlx5_3")
    with pytest.raises(AssertionError, match=r"mlx5_3 .*<- its counters went away"):
        nixl_stripe.assert_striped(c)
