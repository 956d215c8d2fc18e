# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What a peer may choose for a process of this host, and what it may not."""

from __future__ import annotations

import pytest
from nixl_stripe import _core
from nixl_stripe.lab.remote import RefusedError, checked_environment, checked_params
from nixl_stripe.lab.remote.settings import PARAMS, SETTINGS, VARIABLES

#: Variables with which UCX runs a command, loads code or writes a file.
HARMFUL = (
    *("UCX_GDB_COMMAND", "UCX_HANDLE_ERRORS", "UCX_LOG_LEVEL_TRIGGER", "UCX_LOG_LEVEL"),
    *("UCX_LOG_FILE", "UCX_PROTO_INFO_DIR", "UCX_MODULE_DIR", "UCX_STATS_DEST"),
    *("UCX_STATS_TRIGGER", "UCX_ERROR_MAIL_TO", "UCX_ERROR_SIGNALS", "UCX_DEBUG_SIGNO"),
    *("UCX_PROFILE_FILE", "UCX_VFS_ENABLE", "UCX_MEMTRACK_DEST", "UCX_CONFIG_DIR"),
    *("NIXL_PLUGIN_DIR", "NIXL_UCX_DEEPBIND", "NCCL_TOPO_FILE", "LD_PRELOAD", "PYTHONPATH"),
)


def test_what_our_commands_send() -> None:
    given = {
        "UCX_MAX_RMA_RAILS": "2",
        "UCX_RNDV_THRESH": "8k",
        "UCX_TLS": "^sm,cuda_ipc",
        "UCX_NET_DEVICES": "mlx5_0:1,mlx5_1:1",
        "UCX_DISTANCE_BW": "sys:1000GBs,auto",
        "NIXL_UCX_DEVICE_LIST": "rail0,rail1",
        "UCX_MODULES": None,
    }
    assert checked_environment(given) == given
    assert checked_params({"stripe": "=mlx5_0:1,mlx5_1:1", "max_rma_rails": "auto"})
    text = "MAX_RMA_RAILS=4, MAX_HCA_PER_GPU=inf,DISTANCE_BW=1000GBs"
    assert checked_params({"engine_config": text}) == {"engine_config": text}


@pytest.mark.parametrize("value", ["", None, "/run/x.prom"])
def test_the_operators_metrics_stay_on_bad_flow(value: str | None) -> None:
    """Empty or taken away, the variable would end what the operator of the host watches."""
    with pytest.raises(RefusedError, match="variable 'NIXL_UCX_STRIPE_METRICS': refused"):
        checked_environment({"NIXL_UCX_STRIPE": "all", "NIXL_UCX_STRIPE_METRICS": value})


def test_other_variables_of_ours_may_be_taken_away() -> None:
    given = {"NIXL_UCX_STRIPE": None, "NIXL_UCX_STRIPE_SMALL": "", "NIXL_UCX_DEVICE_LIST": None}
    assert checked_environment(given) == given


def test_an_empty_parameter_leaves_the_operators_metrics_on() -> None:
    """The plugin takes an empty parameter for none, and then the variable counts."""
    assert checked_params({"stripe_metrics": ""}) == {"stripe_metrics": ""}


def test_every_setting_of_the_plugin_may_be_chosen() -> None:
    ours = {rule.key for rule in _core.setting_table()} | {r.key for r in _core.trap_table()}
    assert ours <= set(SETTINGS)
    assert {row.key for row in _core.parameter_table()} <= set(PARAMS)


@pytest.mark.parametrize("key", HARMFUL)
@pytest.mark.parametrize("value", ["y", None])
def test_variables_that_act_bad_flow(key: str, value: str | None) -> None:
    with pytest.raises(RefusedError, match=f"variable '{key}': refused, a peer may choose"):
        checked_environment({"UCX_TLS": "tcp", key: value})
    with pytest.raises(RefusedError, match=f"parameter '{key}': refused"):
        checked_params({key: "y"})
    with pytest.raises(RefusedError, match="engine_config key"):
        checked_params({"engine_config": f"TLS=tcp,{key.removeprefix('UCX_')}=y"})


@pytest.mark.parametrize("key", [*VARIABLES, *PARAMS, "engine_config"])
def test_no_value_holds_a_path_or_a_command_bad_flow(key: str) -> None:
    values: tuple[object, ...] = (
        "/etc/x",
        "../x",
        "a;b",
        "$(id)",
        "a\nb",
        "a\x1b[2J",
        "x" * 2000,
        5,
        [],
        "\0",
    )
    for value in values:
        check = checked_environment if key in VARIABLES else checked_params
        with pytest.raises(RefusedError, match=key):
            check({key: value})


@pytest.mark.parametrize("given", [[], "x", None, {1: "x"}, {f"UCX_{n}": "1" for n in range(65)}])
def test_what_is_no_set_of_variables_bad_flow(given: object) -> None:
    with pytest.raises(RefusedError, match="accepted"):
        checked_environment(given)
