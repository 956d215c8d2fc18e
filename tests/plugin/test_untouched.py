# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""A patched NIXL without our parameters does and prints nothing that stock does not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from import_watch import PATH, REQUESTS, compile_helper, leads_to_ucx, run, watch
from nixl_agents import network_interface
from nixl_stripe.versions import NEWEST

WheelOf = Callable[[str, str], Path]

ASKS = {"max_rma_rails": "2", "stripe_small": "spread"}


@pytest.fixture(scope="module")
def helper(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compile_helper(tmp_path_factory.mktemp("helper"))


def test_without_parameters_the_imports_are_ucxs_own(helper: Path, patched: WheelOf) -> None:
    site = patched("nixl-cu12", NEWEST)
    steps: list[tuple[str, dict[str, str] | None]] = [
        ("a", {}),
        ("b", {"max_rma_rails": "4"}),
        ("a", None),
    ]
    seen, _ = run(helper, site, steps)
    assert [leads_to_ucx(each) for each in seen] == [True, True, True]


def test_they_are_redirected_while_an_engine_asks_for_a_stage(
    helper: Path, patched: WheelOf
) -> None:
    site = patched("nixl-cu12", NEWEST)
    steps: list[tuple[str, dict[str, str] | None]] = [
        ("plain", {}),
        ("asks", ASKS),
        ("asks too", ASKS),
        ("asks", None),
        ("asks too", None),
        ("again", ASKS),
    ]
    seen, _ = run(helper, site, steps)
    assert [leads_to_ucx(each) for each in seen] == [True, False, False, False, True, False]


def test_requests_are_looked_at_while_an_engine_fails_over_only(
    helper: Path, patched: WheelOf
) -> None:
    """Over TCP and WRITE alone: UCX fails a READ over TCP in that mode."""
    steps: list[tuple[str, dict[str, str] | None]] = [
        ("plain", {}),
        ("asks", ASKS),
        ("plain", None),
        ("asks", None),
        ("fails over", {"device_list": network_interface(), "on_nic_loss": "failover"}),
        ("fails over", None),
    ]
    words = "failover,failover-over-tcp"
    for path, taken in ((PATH, [1, 2, 4]), (REQUESTS, [4])):
        variables = {"NIXL_STRIPE_EXPERIMENTAL": words}
        site = patched("nixl-cu12", NEWEST)
        seen, printed = watch(helper, site, steps, path, ("WRITE",), variables)
        redirected = [i for i, each in enumerate(seen) if not leads_to_ucx(each)]
        assert redirected == taken, printed
        assert printed.count("failover is on trial (NIXL_STRIPE_EXPERIMENTAL)") == 1


def test_nothing_is_printed(helper: Path, patched: WheelOf) -> None:
    """Not even where TCP alone is at hand, whose keys tell nothing of their form."""
    _, printed = run(helper, patched("nixl-cu12", NEWEST), [("a", {}), ("b", {})])
    assert "nixl-stripe" not in printed


@pytest.mark.parametrize("asks_first", [True, False], ids=["asks first", "asks last"])
def test_an_agent_over_tcp_prints_nothing_beside_one_that_asks(
    helper: Path, patched: WheelOf, asks_first: bool
) -> None:
    steps: list[tuple[str, dict[str, str] | None]] = [("plain", {}), ("asks", ASKS)]
    if asks_first:
        steps.reverse()
    _, printed = run(helper, patched("nixl-cu12", NEWEST), steps)
    assert "nixl-stripe" not in printed


def test_stripe_without_nics_is_warned_of_once_a_process(helper: Path, patched: WheelOf) -> None:
    """Which also shows that what the plugin prints would be seen."""
    steps: list[tuple[str, dict[str, str] | None]] = [
        (name, {"stripe": "all"}) for name in ("a", "b", "c")
    ]
    _, printed = run(helper, patched("nixl-cu12", NEWEST), steps)
    warnings = [line for line in printed.splitlines() if "nixl-stripe]" in line]
    assert len(warnings) == 1, printed
