# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Backend parameters as users write them, and what is left of them on a stock plugin."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nixl_stripe.agents.backend_params import normalise, normalise_one, to_text
from nixl_stripe.agents.unpatched import (
    check_choice,
    needs_patch,
    patch_command,
    stock_fallback,
    without_ours,
)
from sysfs_machines import MACHINES
from sysfs_trees import Host, write


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("4", "4"),
        ("", ""),
        (4, "4"),
        (np.int64(4), "4"),
        (True, "true"),
        (False, "false"),
        (0.5, "0.5"),
        (np.float64(400.0), "400.0"),
        (["mlx5_0", "mlx5_1:1"], "mlx5_0,mlx5_1:1"),
        (("mlx5_0",), "mlx5_0"),
    ],
)
def test_values_become_text(value: object, text: str) -> None:
    assert to_text("key", value) == text


@pytest.mark.parametrize("value", [b"4", {1, 2}, object(), [4], ["a", None]])
def test_values_without_text_name_their_key(value: object) -> None:
    with pytest.raises(TypeError, match="max_rma_rails="):
        to_text("max_rma_rails", value)


def test_an_empty_list_is_refused() -> None:
    with pytest.raises(ValueError, match=r"device_list=\[\]: empty"):
        to_text("device_list", [])


def test_scalars_are_for_ucx_and_dicts_per_backend() -> None:
    assert normalise({"max_rma_rails": 4, "stripe": None}) == {"UCX": {"max_rma_rails": "4"}}
    both = {"UCX": {"max_rma_rails": 4}, "GDS": {"batch_limit": 128}}
    assert normalise(both) == {"UCX": {"max_rma_rails": "4"}, "GDS": {"batch_limit": "128"}}
    assert normalise(None) == normalise({}) == normalise({"stripe": None}) == {}
    assert normalise_one(None) == {}


@pytest.mark.parametrize(
    ("params", "text"),
    [
        ({"max_rma_rails": 4, "UCX": {}}, "'max_rma_rails' is a value among backends"),
        ({4: "x"}, "4 is no name"),
        ([("a", "b")], "must be a dict, not list"),
    ],
)
def test_shapes_that_are_refused(params: Any, text: str) -> None:
    with pytest.raises(TypeError, match=text):
        normalise(params)


def _sysfs(root: Path) -> Path:
    for name in ("class/net/eth0", "class/net/mlx5_0", "class/infiniband/mlx5_0"):
        (root / name).mkdir(parents=True)
    return root


@pytest.mark.parametrize(
    ("params", "keys"),
    [
        ({}, ()),
        ({"num_threads": "4", "engine_config": "MAX_RMA_RAILS=4"}, ()),
        ({"max_rma_rails": "", "stripe": "off"}, ()),
        ({"device_list": "mlx5_0"}, ()),
        ({"device_list": "mlx5_0, mlx5_1"}, ()),
        ({"device_list": "mlx5_0,mlx5_1"}, ("device_list",)),
        ({"device_list": "mlx5_0:1"}, ("device_list",)),
        ({"device_list": "mlx5_0:2"}, ("device_list",)),
        ({"device_list": "eth0"}, ("device_list",)),
        ({"max_rma_rails": "4"}, ("max_rma_rails",)),
        ({"stripe": "all", "stripe_gpu": "0"}, ("stripe", "stripe_gpu")),
    ],
)
def test_what_the_stock_plugin_would_miss(
    tmp_path: Path, params: dict[str, str], keys: tuple[str, ...]
) -> None:
    assert needs_patch(params, _sysfs(tmp_path)) == keys


def test_leaving_out_what_is_ours(tmp_path: Path) -> None:
    params = {"max_rma_rails": "4", "device_list": "mlx5_0, mlx5_1", "num_threads": "2"}
    kept = {"device_list": "mlx5_0, mlx5_1", "num_threads": "2"}
    assert without_ours(params, _sysfs(tmp_path)) == kept


@pytest.mark.parametrize(
    ("params", "stock", "lost"),
    [
        ({"max_rma_rails": "4"}, {"engine_config": "MAX_RMA_RAILS=4"}, ()),
        (
            {"max_rma_rails": "4", "engine_config": "RNDV_THRESH=8k"},
            {"engine_config": "RNDV_THRESH=8k,MAX_RMA_RAILS=4"},
            (),
        ),
        (
            {"max_rma_rails": "auto", "device_list": "mlx5_0:1 mlx5_1,mlx5_2"},
            {"device_list": "mlx5_0, mlx5_1, mlx5_2", "engine_config": "MAX_RMA_RAILS=3"},
            (),
        ),
        ({"max_rma_rails": "auto"}, {}, ("max_rma_rails='auto'",)),
        ({"device_list": "mlx5_0:2"}, {}, ("device_list='mlx5_0:2'",)),
        ({"device_list": "eth0"}, {}, ("device_list='eth0'",)),
        ({"stripe": "off", "num_threads": "2"}, {"num_threads": "2"}, ()),
    ],
)
def test_fallback_to_stock(
    tmp_path: Path, params: dict[str, str], stock: dict[str, str], lost: tuple[str, ...]
) -> None:
    fallback = stock_fallback(params, "1.5.1", {}, _sysfs(tmp_path))
    assert fallback.params == stock
    assert len(fallback.lost) == len(lost)
    for sentence, start in zip(fallback.lost, lost, strict=True):
        assert sentence.startswith(start)


GB200 = "MAX_RMA_RAILS=4,MAX_HCA_PER_GPU=inf,DISTANCE_BW=1000GBs"


@pytest.mark.parametrize(
    ("params", "devices", "config"),
    [
        ({"stripe": "all"}, "mlx5_0, mlx5_1, mlx5_2, mlx5_3", GB200),
        ({"stripe": "all", "engine_config": "TLS=rc"}, None, f"TLS=rc,{GB200}"),
        ({"stripe": "all", "max_rma_rails": "2"}, None, GB200.replace("=4", "=2", 1)),
        ({"stripe": "numa", "stripe_gpu": "2"}, "mlx5_2, mlx5_3", GB200.replace("=4", "=2", 1)),
        (
            {"stripe": "all", "device_list": "mlx5_1,mlx5_3"},
            "mlx5_1, mlx5_3",
            GB200.replace("=4", "=2", 1),
        ),
    ],
)
def test_fallback_says_stripe_as_devices_and_settings(
    tmp_path: Path, params: dict[str, str], devices: str | None, config: str
) -> None:
    tree = write(MACHINES["gb200"](), tmp_path).sys
    fallback = stock_fallback({**params, "num_threads": "2"}, "1.5.1", {}, tree)
    assert fallback.lost == ()
    assert fallback.params == {
        "num_threads": "2",
        "device_list": devices or "mlx5_0, mlx5_1, mlx5_2, mlx5_3",
        "engine_config": config,
    }


@pytest.mark.parametrize(
    ("machine", "params", "version", "variables", "words"),
    [
        ("gb200", {}, "0.9.0", {}, "NIXL 0.9.0 has no engine_config"),
        (
            "gb200",
            {"max_rma_rails": "4"},
            "1.5.1",
            {"UCX_MAX_RMA_RAILS": "2"},
            "UCX_MAX_RMA_RAILS=2",
        ),
        ("second_port_only", {}, "1.5.1", {}, "cannot name mlx5_0:2, mlx5_1:2"),
        ("no_nics", {"device_list": "eth0"}, "1.5.1", {}, "cannot name eth0"),
        ("gb200", {"stripe_metrics": "/x.prom"}, "1.5.1", {}, "stripe_metrics='/x.prom'"),
        ("gb200", {"stripe_small": "spread"}, "1.5.1", {}, "stripe_small='spread'"),
        ("gb200", {"on_nic_loss": "failover"}, "1.5.1", {}, "on_nic_loss='failover'"),
    ],
)
def test_fallback_tells_what_of_stripe_is_lost(
    tmp_path: Path,
    machine: str,
    params: dict[str, str],
    version: str,
    variables: dict[str, str],
    words: str,
) -> None:
    tree = write(MACHINES[machine](), tmp_path).sys
    fallback = stock_fallback({"stripe": "all", **params}, version, variables, tree)
    assert len(fallback.lost) == 1
    assert words in fallback.lost[0]


def test_fallback_without_a_nic(tmp_path: Path) -> None:
    tree = write(Host(), tmp_path).sys
    fallback = stock_fallback({"stripe": "all"}, "1.5.1", {}, tree)
    assert fallback.params == {}
    assert fallback.lost[0].startswith("stripe='all': ")


def test_fallback_refuses_a_policy_that_there_is_not(tmp_path: Path) -> None:
    tree = write(MACHINES["gb200"](), tmp_path).sys
    with pytest.raises(ValueError, match="stripe='most'"):
        stock_fallback({"stripe": "most"}, "1.5.1", {}, tree)


def test_fallback_knows_what_beats_it(tmp_path: Path) -> None:
    rails = {"max_rma_rails": "4"}
    old = stock_fallback(rails, "0.9.0", {}, tmp_path)
    assert old.params == {}
    assert "NIXL 0.9.0 has no engine_config" in old.lost[0]
    beaten = stock_fallback(rails, "1.5.1", {"UCX_MAX_RMA_RAILS": "1"}, tmp_path)
    assert "UCX_MAX_RMA_RAILS=1 in the environment wins" in beaten.lost[0]
    assert not stock_fallback(rails, None, {"UCX_MAX_RMA_RAILS": "4"}, tmp_path).lost


@pytest.mark.parametrize("value", ["0", "65", "-1", "4x", " 4", "four"])
def test_fallback_refuses_what_no_plugin_accepts(tmp_path: Path, value: str) -> None:
    with pytest.raises(ValueError, match=r"accepted are 1\.\.64, 'auto', ''"):
        stock_fallback({"max_rma_rails": value}, "1.5.1", {}, tmp_path)


def test_fallback_refuses_two_rail_counts(tmp_path: Path) -> None:
    params = {"max_rma_rails": "4", "engine_config": "MAX_RMA_RAILS=2"}
    with pytest.raises(ValueError, match="both set MAX_RMA_RAILS"):
        stock_fallback(params, "1.5.1", {}, tmp_path)


def test_choices() -> None:
    assert check_choice("stock") == "stock"
    with pytest.raises(ValueError, match="on_unpatched='ignore': accepted are error, warn, stock"):
        check_choice("ignore")


def test_patch_command_names_the_nixl_in_use() -> None:
    api = "/venv/lib/python3.11/site-packages/nixl_cu12/_api.py"
    assert patch_command(api) == "nixl-stripe patch"
    assert patch_command("/opt/site/nixl_cu12/_api.py") == "nixl-stripe patch /opt/site"
    assert patch_command(api, "/opt/plugins") == "nixl-stripe patch /opt/plugins"


def test_importing_the_package_needs_no_nixl() -> None:
    code = (
        "import sys, importlib.abc\n"
        "class NoNixl(importlib.abc.MetaPathFinder):\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name in ('nixl', 'nixl_cu12', 'nixl_cu13'):\n"
        "            raise ModuleNotFoundError(name, name=name)\n"
        "sys.meta_path.insert(0, NoNixl())\n"
        "import nixl_stripe\n"
        "assert 'nixl_agent' in dir(nixl_stripe)\n"
        "try: nixl_stripe.nixl_agent\n"
        "except ImportError as error: print(error)\n"
        "try: nixl_stripe.absent\n"
        "except AttributeError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    missing, absent = done.stdout.splitlines()
    assert missing.startswith("NIXL is not installed: no module nixl or nixl_cu12 or nixl_cu13")
    assert "has no attribute 'absent'" in absent
