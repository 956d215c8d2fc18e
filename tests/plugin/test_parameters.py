# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The backend parameters in every published NIXL: applied, read back from UCX, refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from nixl_agents import Outcome, network_interface, run_agents
from nixl_wheels import NIXL_IDS, NIXL_VERSIONS

WheelOf = Callable[[str, str], Path]
OURS = {
    "max_rma_rails",
    "stripe",
    "stripe_gpu",
    "stripe_min_rate_gbps",
    "stripe_calibration",
    "stripe_small",
    "stripe_metrics",
    "on_nic_loss",
    "device_list",
}
NEWEST = NIXL_VERSIONS[0]
NIC = network_interface()

every_nixl = pytest.mark.parametrize(("name", "version"), NIXL_VERSIONS, ids=NIXL_IDS)


@pytest.fixture
def newest(patched: WheelOf, fake_torch: Path) -> Callable[..., Outcome]:
    """Run agents on the newest patched wheel."""

    def run(steps: list[dict[str, str]], **options: Any) -> Outcome:
        return run_agents(patched(*NEWEST), NEWEST[0], steps, torch=fake_torch, **options)

    return run


@every_nixl
def test_keys_to_remote_memory_have_the_known_form(
    name: str, version: str, patched: WheelOf, fake_torch: Path
) -> None:
    """Where they had not, small buffers would be left to UCX with a warning."""
    steps = [{"stripe_small": "spread"}, {"max_rma_rails": "4", "stripe_small": "spread"}]
    outcome = run_agents(patched(name, version), name, steps, torch=fake_torch, register=True)
    assert [step.error for step in outcome.steps] == [None, None]
    assert outcome.applied == ["small buffers spread", "MAX_RMA_RAILS 4, small buffers spread"]
    assert "small buffers are left to UCX" not in outcome.log


@every_nixl
def test_rails_and_devices_are_applied_and_read_back(
    name: str, version: str, patched: WheelOf, fake_torch: Path
) -> None:
    steps = [
        {},
        {"max_rma_rails": "1"},
        {"max_rma_rails": "4"},
        {"max_rma_rails": "64", "device_list": NIC},
        {"device_list": f" {NIC}, "},
        {"max_rma_rails": "auto", "device_list": NIC},
    ]
    outcome = run_agents(patched(name, version), name, steps, torch=fake_torch)
    assert set(outcome.advertised) >= OURS
    assert {outcome.advertised[key] for key in OURS} == {""}
    assert [step.error for step in outcome.steps] == [None] * len(steps)
    assert outcome.applied == [
        "MAX_RMA_RAILS 1",
        "MAX_RMA_RAILS 4",
        f"NET_DEVICES {NIC}, MAX_RMA_RAILS 64",
        f"NET_DEVICES {NIC}",
        f"NET_DEVICES {NIC}",
    ]
    assert outcome.steps[0].params is not None
    assert not OURS & set(outcome.steps[0].params)
    assert outcome.steps[3].params == {"max_rma_rails": "64", "stripe_devices": NIC}


@every_nixl
def test_bad_values_raise_and_the_agent_stays_usable(
    name: str, version: str, patched: WheelOf, fake_torch: Path
) -> None:
    bad = [
        ({"max_rma_rails": "0"}, "max_rma_rails='0': accepted: a whole number from 1 to 64"),
        ({"max_rma_rails": "4x"}, "max_rma_rails='4x'"),
        ({"device_list": "no_such_nic"}, "there is no device 'no_such_nic'; there are: "),
        ({"device_list": f"{NIC}:1"}, f"'{NIC}' is a network interface, which has no ports"),
        ({"device_list": f"{NIC},{NIC}"}, f"'{NIC}' is there twice"),
        (
            {"max_rma_rails": "4", "engine_config": "MAX_RMA_RAILS=2"},
            "max_rma_rails='4' contradicts engine_config, which sets MAX_RMA_RAILS=2",
        ),
    ]
    steps = [params for params, _ in bad] + [{"max_rma_rails": "3"}]
    outcome = run_agents(patched(name, version), name, steps, torch=fake_torch)
    for step, (params, text) in zip(outcome.steps, bad, strict=False):
        assert step.error is not None, params
        assert step.error[0] == "ValueError"
        assert text in step.error[1]
    assert outcome.steps[-1].error is None
    assert outcome.applied == ["MAX_RMA_RAILS 3"], "a refused value must not be half applied"


@every_nixl
def test_unpatched_plugin_ignores_the_parameter_silently(
    name: str, version: str, unpacked: WheelOf, fake_torch: Path
) -> None:
    """The twin: what is tested here is ours, a stock plugin does none of it."""
    outcome = run_agents(unpacked(name, version), name, [{"max_rma_rails": "4x"}], torch=fake_torch)
    assert outcome.steps[0].error is None
    assert not outcome.applied
    assert "max_rma_rails" not in outcome.advertised


BAD_VALUES = (
    ("max_rma_rails", "65"),
    ("max_rma_rails", "256"),
    ("max_rma_rails", "-1"),
    ("max_rma_rails", " 4"),
    ("max_rma_rails", "4.0"),
    ("max_rma_rails", "AUTO"),
    ("device_list", "lo;eth0"),
    ("device_list", "mlx5_[0-3]"),
    ("device_list", ":1"),
    ("device_list", "mlx5_0:0"),
    ("device_list", "^lo"),
    ("device_list", ",,,"),
    ("stripe", "65"),
    ("stripe", "0"),
    ("stripe", "every"),
    ("stripe", "no_such_nic:1"),
    ("stripe_small", "on"),
    ("stripe_metrics", "here.prom"),
    ("stripe_calibration", "here"),
    ("stripe_small", "..."),
    ("on_nic_loss", "Failover"),
    ("on_nic_loss", "resume"),
    ("on_nic_loss", "failover"),
    ("stripe_gpu", "..."),
    ("stripe_min_rate_gbps", "nan"),
    ("stripe_min_rate_gbps", "inf"),
    ("stripe_min_rate_gbps", "-1"),
    ("stripe_min_rate_gbps", "fast"),
    ("stripe_gpu", "first"),
)


@pytest.mark.parametrize("route", ["parameter", "environment"])
def test_every_bad_value_names_key_and_value(newest: Callable[..., Outcome], route: str) -> None:
    good = {"max_rma_rails": "2"}
    if route == "parameter":
        outcome = newest([*({key: value} for key, value in BAD_VALUES), good])
    else:
        variables = [{f"NIXL_UCX_{key.upper()}": value} for key, value in BAD_VALUES]
        outcome = newest([*({} for _ in BAD_VALUES), good], step_variables=[*variables, {}])
    for (key, value), step in zip(BAD_VALUES, outcome.steps, strict=False):
        named = key if route == "parameter" else f"NIXL_UCX_{key.upper()}"
        assert step.error is not None, (key, value)
        assert step.error[0] == "ValueError"
        assert named in step.error[1]
        assert value.strip() in step.error[1]
        assert "\n" not in step.error[1]
    assert outcome.steps[-1].error is None, "the agent must stay usable"
    assert outcome.applied == ["MAX_RMA_RAILS 2"]


def test_values_that_a_list_beats_are_checked_too(newest: Callable[..., Outcome]) -> None:
    steps = [{"device_list": NIC}, {"device_list": NIC, "stripe": "every"}]
    outcome = newest(steps, step_variables=[{"NIXL_UCX_STRIPE": "65"}, {}])
    assert outcome.steps[0].error is not None
    assert "NIXL_UCX_STRIPE='65'" in outcome.steps[0].error[1]
    assert outcome.steps[1].error is not None
    assert "stripe='every': no device is called 'every'" in outcome.steps[1].error[1]


def test_misspelt_keys_are_named_once(newest: Callable[..., Outcome]) -> None:
    step = {"max_rma_rail": "4", "stirpe": "all", "num_wokers": "1", "access_key": "7"}
    outcome = newest([step, step, step])
    assert [each.error for each in outcome.steps] == [None] * 3
    assert not outcome.applied
    assert sorted(outcome.warnings) == [
        f"'{wrong}' has no effect: nothing is called so; did you mean '{right}'?"
        for wrong, right in (
            ("max_rma_rail", "max_rma_rails"),
            ("num_wokers", "num_workers"),
            ("stirpe", "stripe"),
        )
    ]


@every_nixl
def test_kill_switch_is_the_stock_plugin(
    name: str, version: str, patched: WheelOf, unpacked: WheelOf, fake_torch: Path
) -> None:
    """What stock does with the same parameters, and one line that says why."""
    steps = [{}, {"stripe": "all"}, {"max_rma_rails": "bad", "stirpe": "1"}, {"num_workers": "2"}]
    variables: dict[str, Any] = {"NIXL_STRIPE_DISABLE": "1", "NIXL_UCX_STRIPE": "65"}
    ours = run_agents(patched(name, version), name, steps, torch=fake_torch, **variables)
    stock = run_agents(unpacked(name, version), name, steps, torch=fake_torch, **variables)
    assert (ours.advertised, ours.steps) == (stock.advertised, stock.steps)
    assert not ours.applied
    assert ours.warnings == [
        "disabled by NIXL_STRIPE_DISABLE='1': the stock UCX backend runs unchanged"
    ]


def test_kill_switch_that_is_off_changes_nothing(newest: Callable[..., Outcome]) -> None:
    outcome = newest([{"max_rma_rails": "4"}], NIXL_STRIPE_DISABLE="0")
    assert outcome.applied == ["MAX_RMA_RAILS 4"]


def test_kill_switch_holds_for_agents_made_after_it(newest: Callable[..., Outcome]) -> None:
    steps = [{"max_rma_rails": "4"}, {"max_rma_rails": "bad"}, {"max_rma_rails": "5"}]
    outcome = newest(steps, step_variables=[{}, {"NIXL_STRIPE_DISABLE": "x"}, {}])
    assert [each.error for each in outcome.steps] == [None] * 3
    assert outcome.applied == ["MAX_RMA_RAILS 4", "MAX_RMA_RAILS 5"]
    assert len(outcome.warnings) == 1
    assert "NIXL_STRIPE_DISABLE='x' (no word for on or off" in outcome.warnings[0]


def test_parameter_beats_ucx_variable_and_says_so(newest: Callable[..., Outcome]) -> None:
    outcome = newest([{"max_rma_rails": "4"}], UCX_MAX_RMA_RAILS="1")
    assert outcome.applied == ["MAX_RMA_RAILS 4"]
    assert outcome.warnings == ["max_rma_rails='4' overrides UCX_MAX_RMA_RAILS='1'"]


def test_auto_respects_ucx_variable(newest: Callable[..., Outcome]) -> None:
    outcome = newest([{"max_rma_rails": "auto", "device_list": NIC}], UCX_MAX_RMA_RAILS="1")
    assert outcome.applied == [
        f"NET_DEVICES {NIC}",
        "respected as the user's own: UCX_MAX_RMA_RAILS='1' in the environment",
    ]
    assert not outcome.warnings


def test_one_warning_names_every_overridden_variable(newest: Callable[..., Outcome]) -> None:
    outcome = newest(
        [{"max_rma_rails": "4", "device_list": NIC}], UCX_MAX_RMA_RAILS="1", UCX_NET_DEVICES="all"
    )
    assert outcome.warnings == [
        f"device_list='{NIC}' overrides UCX_NET_DEVICES='all'; "
        "max_rma_rails='4' overrides UCX_MAX_RMA_RAILS='1'"
    ]


def test_environment_is_the_default_of_a_parameter(newest: Callable[..., Outcome]) -> None:
    steps = [{}, {"max_rma_rails": "5"}, {"max_rma_rails": ""}]
    outcome = newest(steps, NIXL_UCX_MAX_RMA_RAILS="3", UCX_MAX_RMA_RAILS="7")
    assert outcome.applied == ["MAX_RMA_RAILS 3", "MAX_RMA_RAILS 5", "MAX_RMA_RAILS 3"]
    assert outcome.warnings[0] == "NIXL_UCX_MAX_RMA_RAILS='3' overrides UCX_MAX_RMA_RAILS='7'"


def test_advertised_defaults_passed_back_change_nothing(newest: Callable[..., Outcome]) -> None:
    advertised = newest([{}]).advertised
    outcome = newest([advertised])
    assert outcome.steps[0].error is None
    assert not outcome.applied


def test_stock_parameters_go_through_and_combine(newest: Callable[..., Outcome]) -> None:
    outcome = newest(
        [
            {"max_rma_rails": "4", "engine_config": "MIN_RMA_CHUNK_SIZE=4k", "num_workers": "2"},
            {"engine_config": "MAX_RMA_RAILS=3"},
        ],
        NIXL_LOG_LEVEL="DEBUG",
    )
    assert [step.error for step in outcome.steps] == [None, None]
    assert "Modified UCX config: MIN_RMA_CHUNK_SIZE=4k" in outcome.log
    assert "Modified UCX config: MAX_RMA_RAILS=3" in outcome.log
    assert outcome.steps[0].params is not None
    assert outcome.steps[0].params["num_workers"] == "2"


@pytest.fixture(scope="module")
def deep_bind_problem(unpacked: WheelOf, fake_torch: Path) -> str | None:
    """Why NIXL's own NIXL_UCX_DEEPBIND cannot be used in this Python, if so."""
    try:
        run_agents(unpacked(*NEWEST), NEWEST[0], [{}], torch=fake_torch, NIXL_UCX_DEEPBIND="y")
    except AssertionError as died:
        # Where the executable is not position independent, as Debian's, `environ` is its own, and
        # UCX finds none.
        return f"stock NIXL dies of its NIXL_UCX_DEEPBIND here: {str(died).splitlines()[0]}"
    return None


@pytest.mark.parametrize("deep_bind", ["", "y"])
def test_eight_threads_get_their_own_values(
    newest: Callable[..., Outcome], deep_bind_problem: str | None, deep_bind: str
) -> None:
    if deep_bind and deep_bind_problem:
        pytest.skip(deep_bind_problem)
    steps = [{"max_rma_rails": str(rails)} for rails in range(1, 9)]
    outcome = newest(steps, threads=True, NIXL_UCX_DEEPBIND=deep_bind)
    assert [step.error for step in outcome.steps] == [None] * 8
    assert [step.params for step in outcome.steps] == steps
    assert sorted(outcome.applied) == [f"MAX_RMA_RAILS {rails}" for rails in range(1, 9)]


def test_threads_that_fail_do_not_disturb_the_others(newest: Callable[..., Outcome]) -> None:
    steps = [{"max_rma_rails": str(rails) if rails % 2 else "bad"} for rails in range(1, 9)]
    outcome = newest(steps, threads=True)
    assert [step.error is None for step in outcome.steps] == [True, False] * 4
    assert sorted(outcome.applied) == [f"MAX_RMA_RAILS {rails}" for rails in (1, 3, 5, 7)]


@pytest.mark.parametrize(
    ("other", "deep_bind"),
    [(("nixl-cu13", NEWEST[1]), ""), (("nixl-cu12", "1.3.2"), "y")],
    ids=["same version, global", "older version, global, deep bind"],
)
def test_a_second_ucx_in_the_process(
    newest: Callable[..., Outcome],
    unpacked: WheelOf,
    deep_bind_problem: str | None,
    other: tuple[str, str],
    deep_bind: str,
) -> None:
    """Settings reach the UCX that the stock plugin calls, whichever that is.

    An older UCX in the global scope without RTLD_DEEPBIND wins the stock plugin's imports: NIXL
    itself does not survive that, which is why it has NIXL_UCX_DEEPBIND.
    """
    if deep_bind and deep_bind_problem:
        pytest.skip(deep_bind_problem)
    libraries = unpacked(*other) / f"{other[0].replace('-', '_')}.libs"
    preload = [next(libraries.glob("libucp-*.so*"))]  # its dependencies come with it
    outcome = newest(
        [{"max_rma_rails": "4", "device_list": NIC}], preload=preload, NIXL_UCX_DEEPBIND=deep_bind
    )
    assert outcome.steps[0].error is None
    assert outcome.applied == [f"NET_DEVICES {NIC}, MAX_RMA_RAILS 4"]
    assert "bound to UCX 1.23" in outcome.log


def test_devices_that_ucx_did_not_open_are_an_error(newest: Callable[..., Outcome]) -> None:
    error = newest([{"device_list": NIC}], UCX_TLS="self,sm").steps[0].error
    assert error is not None
    assert error[0] == "ValueError"
    assert f"UCX did not open {NIC}; it opened: " in error[1] or "does not initialise" in error[1]


def test_stripe_off_beats_the_environment(newest: Callable[..., Outcome]) -> None:
    outcome = newest([{"stripe": "off"}], NIXL_UCX_STRIPE="no_such_nic")
    assert outcome.steps[0].error is None
    assert not outcome.applied


def test_no_rdma_library_is_linked(patched: WheelOf) -> None:
    """The plugin needs libstdc++ and the C library only: no second UCX, no Python."""
    plugin = patched(*NEWEST) / ".nixl_cu12.mesonpy.libs" / "plugins" / "libplugin_UCX.so"
    content = plugin.read_bytes()
    for foreign in (b"libucp", b"libucs", b"libpython", b"libibverbs"):
        assert foreign not in content
