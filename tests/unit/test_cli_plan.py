# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""`nixl-stripe plan` as a user runs it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from nixl_stripe.cli import main
from nixl_stripe.planning.emit import CLIENTS
from sysfs_machines import MACHINES
from sysfs_trees import write

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def gb200(tmp_path: Path) -> str:
    return str(write(MACHINES["gb200"](), tmp_path / "gb200").sys)


def plans_of(capsys: Captured, *arguments: str) -> list[dict[str, Any]]:
    assert main(["plan", *arguments, "--json"]) == 0
    plans: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["plans"]
    return plans


def test_a_plan_for_each_gpu(gb200: str, capsys: Captured) -> None:
    plans = plans_of(capsys, "--source", gb200, "--stripe", "fair")
    assert [plan["gpu"] for plan in plans] == [f"00{n}:01:00.0" for n in ("08", "09", "18", "19")]
    assert [plan["devices"] for plan in plans] == [[f"mlx5_{i}:1"] for i in range(4)]
    assert {plan["ceiling_gbps"] for plan in plans} == {400.0}
    assert plans[0]["excluded"]["mlx5_1"] == "share of GPU 0009:01:00.0"


def test_json_has_the_keys_that_others_rely_on(gb200: str, capsys: Captured) -> None:
    plan = plans_of(capsys, "--source", gb200, "--gpu", "1")[0]
    assert plan["gpu"] == "0009:01:00.0"
    assert plan["rails"] == 4
    assert plan["ucx_settings"]["MAX_RMA_RAILS"] == "4"
    assert plan["ceiling_gbps"] == 1600
    assert plan["excluded"] == {}


def test_host_memory_needs_no_gpu(gb200: str, capsys: Captured) -> None:
    assert plans_of(capsys, "--source", gb200, "--gpu", "none")[0]["gpu"] is None


def test_a_machine_without_gpus_has_one_plan(tmp_path: Path, capsys: Captured) -> None:
    tree = write(MACHINES["soft_roce"](), tmp_path).sys
    plans = plans_of(capsys, "--source", str(tree))
    assert [plan["devices"] for plan in plans] == [[f"rxe{i}:1" for i in range(4)]]


def test_text_for_people(gb200: str, capsys: Captured) -> None:
    assert main(["plan", "--source", gb200, "--gpu", "0"]) == 0
    out = capsys.readouterr().out
    assert "4 NIC(s), 4 rail(s), ceiling from GPU 0008:01:00.0 1600 Gbit/s" in out
    assert "DISTANCE_BW" in out


@pytest.mark.parametrize(
    ("client", "expected"),
    [
        ("patched", 'create_backend("UCX", {"stripe": "all"})'),
        ("stock", '"device_list": "mlx5_0, mlx5_1, mlx5_2, mlx5_3"'),
        ("env", "export UCX_MAX_RMA_RAILS=4"),
        (
            "nemo-rl",
            "  generation:\n    refit_transport: nixl\n    refit_cfg:\n      nixl:\n"
            '        backend_init_params:\n          stripe: "all"',
        ),
        ("sglang", 'SGLANG_DISAGGREGATION_NIXL_BACKEND_PARAMS=\'{"stripe": "all"}\''),
        ("dynamo", "export DYN_KVBM_NIXL_BACKEND_UCX_STRIPE=all"),
        ("lmcache", "export NIXL_UCX_STRIPE=all"),
        ("modelexpress", "export NIXL_UCX_STRIPE=all"),
        ("nixlbench", "export NIXL_UCX_STRIPE=all"),
        ("ray", "export NIXL_UCX_STRIPE=all"),
        ("vllm", "export NIXL_UCX_STRIPE=all"),
    ],
)
def test_emit(gb200: str, capsys: Captured, client: str, expected: str) -> None:
    assert main(["plan", "--source", gb200, "--emit", client]) == 0
    out = capsys.readouterr().out
    assert out.count(expected) == 1
    assert "stripe_gpu" not in out
    assert client in CLIENTS


def test_emit_says_which_gpu_where_they_differ(gb200: str, capsys: Captured) -> None:
    assert main(["plan", "--source", gb200, "--stripe", "fair", "--emit", "env"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["# for 0008:01:00.0", "export UCX_NET_DEVICES=mlx5_0:1"]


def test_peer(gb200: str, tmp_path: Path, capsys: Captured) -> None:
    assert main(["plan", "--source", gb200, "--json"]) == 0
    same = tmp_path / "same.json"
    same.write_text(capsys.readouterr().out)
    assert main(["plan", "--source", gb200, "--peer", str(same)]) == 0
    assert "peer: fits" in capsys.readouterr().out


def test_peer_bad_flow(gb200: str, tmp_path: Path, capsys: Captured) -> None:
    tree = write(MACHINES["gb300"](), tmp_path / "gb300").sys
    assert main(["plan", "--source", str(tree), "--json"]) == 0
    other = tmp_path / "other.json"
    other.write_text(capsys.readouterr().out)
    assert main(["plan", "--source", gb200, "--peer", str(other), "--json"]) == 1
    result = json.loads(capsys.readouterr().out)["peer"]
    assert not result["ok"]
    assert "4 NIC(s) here" in result["problems"][0]


@pytest.mark.parametrize(
    ("arguments", "code", "part"),
    [
        (["--stripe", "numma"], 2, "stripe='numma'"),
        (["--stripe", "0"], 2, "stripe='0'"),
        (["--stripe", "fair", "--gpu", "9"], 2, "stripe_gpu='9'"),
        (["--stripe", "fair", "--gpu", "none"], 2, "stripe='fair' needs a GPU"),
        (["--min-rate-gbps", "nan"], 2, "stripe_min_rate_gbps='nan'"),
        (["--max-rma-rails", "65"], 2, "max_rma_rails='65'"),
        (["--device-list", "mlx5_9"], 2, "device_list='mlx5_9'"),
        (["--emit", "nixl"], 2, "--emit nixl: accepted: patched"),
        (["--source", "/nonexistent"], 2, "/nonexistent"),
        (["--peer", "/nonexistent"], 2, "--peer /nonexistent"),
        (["--peer", "/etc/hostname"], 2, "--peer /etc/hostname"),
    ],
)
def test_errors_are_one_line(
    gb200: str, capsys: Captured, arguments: list[str], code: int, part: str
) -> None:
    assert main(["plan", "--source", gb200, *arguments]) == code
    captured = capsys.readouterr()
    assert part in captured.err
    assert captured.err.count("\n") == 1
    assert captured.out == ""
