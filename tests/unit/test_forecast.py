# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Forecasts of machines: which NICs, which shares, and why not the others."""

from __future__ import annotations

import copy
import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from nixl_stripe import StripePlan, plan
from nixl_stripe.cli import main
from nixl_stripe.planning.forecast import stock_settings
from sysfs_machines import MACHINES
from sysfs_trees import write

NEAR = {"mlx5_0": 0.5, "mlx5_1": 0.5}


@pytest.fixture
def gb200(tmp_path: Path) -> Path:
    return write(MACHINES["gb200"](), tmp_path).sys


def test_stripe_all_is_even_and_reaches_the_ceiling(gb200: Path) -> None:
    found = plan("all", 0, gb200).forecast("vram", "read")
    assert found.lanes == pytest.approx({f"mlx5_{i}": 0.25 for i in range(4)})
    assert found.protocol == "zero-copy"
    assert found.dropped == {}
    assert found.ceiling_gbps == pytest.approx(1600, rel=0.03)


def test_stock_stops_at_two_of_four_and_says_why(gb200: Path) -> None:
    found = plan(None, 0, gb200).forecast("vram", "write")
    assert found.lanes == pytest.approx(NEAR)
    assert found.dropped["mlx5_2"].startswith("wire-up: 220 MiB/s (sys)")
    assert found.ceiling_gbps == pytest.approx(800, rel=0.03)


@pytest.mark.parametrize("key", ["MAX_RMA_RAILS", "MAX_HCA_PER_GPU", "DISTANCE_BW"])
def test_each_setting_is_needed(gb200: Path, key: str) -> None:
    made = plan("all", 0, gb200)
    rest = {name: value for name, value in made.ucx_settings.items() if name != key}
    found = plan(None, 0, gb200, engine_config=rest).forecast("vram")
    assert found.lanes == pytest.approx(NEAR)


def test_a_peer_without_stripe_keeps_it_at_two(gb200: Path) -> None:
    mine, bare = plan("all", 0, gb200), plan(None, 0, gb200)
    assert len(mine.forecast("vram", peer=bare).lanes) == 2
    assert len(bare.forecast("vram", peer=mine).lanes) == 2
    assert len(mine.forecast("vram", peer=mine).lanes) == 4


def test_a_plan_from_json_forecasts_the_same(gb200: Path) -> None:
    made = plan("all", 0, gb200)
    read = StripePlan.from_json(made.to_json())
    assert read == made
    assert read.forecast("vram", peer=read).pairs == made.forecast("vram").pairs


def test_a_copy_of_a_plan_as_data_works(gb200: Path) -> None:
    made = plan("all", 0, gb200)
    assert dataclasses.asdict(made)["devices"] == made.devices
    assert copy.deepcopy(made) == made


def test_nics_that_the_plan_left_out_say_why(gb200: Path) -> None:
    found = plan("numa", 0, gb200).forecast("vram")
    assert set(found.lanes) == {"mlx5_0", "mlx5_1"}
    assert found.dropped["mlx5_3"].startswith("not in the plan: ")


def test_the_users_own_settings_count(gb200: Path) -> None:
    single = plan("all", 0, gb200, environment={"UCX_SINGLE_NET_DEVICE": "y"})
    assert len(single.forecast("vram").lanes) == 1
    assert "SINGLE_NET_DEVICE" in next(iter(single.forecast("vram").dropped.values()))


def test_host_memory_depends_on_a_current_context(gb200: Path) -> None:
    made = plan(None, 0, gb200, engine_config={"MAX_RMA_RAILS": "4"})
    assert len(made.forecast("dram", context=False).lanes) == 4
    assert len(made.forecast("dram", context=True).lanes) == 2


def test_older_nixl_registers_on_every_nic(gb200: Path) -> None:
    assert stock_settings("1.1.0") == {"MAX_RMA_RAILS": "2"}
    assert stock_settings("1.5.1+stripe1")["MAX_HCA_PER_GPU"] == "auto"
    both = {"MAX_RMA_RAILS": "4", "DISTANCE_BW": "1000GBs"}
    made = plan(None, 0, gb200, engine_config=both)
    assert len(made.forecast("vram", nixl="1.0.1").lanes) == 4
    assert len(made.forecast("vram", nixl="1.5.1").lanes) == 2


def test_flat_machine_has_no_plateau(tmp_path: Path) -> None:
    flat = write(MACHINES["flat_vm"](), tmp_path).sys
    found = plan(None, 0, flat, engine_config={"MAX_RMA_RAILS": "8"}).forecast("vram")
    assert found.lanes == pytest.approx(NEAR)  # all two of them


@pytest.mark.parametrize(
    ("how", "text"),
    [
        ({"memory": "hbm"}, "memory='hbm': accepted: dram, vram"),
        ({"op": "put"}, "op='put': accepted: read, write"),
        ({"size": -1}, "size=-1"),
        ({"nixl": "latest"}, "nixl='latest'"),
    ],
)
def test_bad_values_bad_flow(gb200: Path, how: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        plan("all", 0, gb200).forecast(**how)


def test_gpu_memory_needs_a_gpu_bad_flow(gb200: Path) -> None:
    with pytest.raises(ValueError, match="has no GPU; make it with plan"):
        plan("all", None, gb200).forecast("vram")


def test_text_and_json_say_the_same(gb200: Path) -> None:
    found = plan(None, 0, gb200).forecast("vram", "write")
    assert "WRITE of vram: zero-copy over 2 NIC(s)" in found.describe()
    assert "mlx5_0: 50 %, to mlx5_0" in found.describe()
    data = json.loads(found.to_json())
    assert data["lanes"] == found.lanes
    assert data["dropped"] == found.dropped


def test_plan_explain(gb200: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "--source", str(gb200), "--gpu", "0", "--explain"]) == 0
    text = capsys.readouterr().out
    assert "forecast for GPU 0008:01:00.0 (4 NIC(s), at most 1" in text
    assert "without the plan: WRITE of vram: zero-copy over 2 NIC(s)" in text
    assert "MULTI_LANE_MAX_RATIO=4" in text


def test_plan_explain_towards_a_peer(
    gb200: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    peer = tmp_path / "peer.json"
    peer.write_text(plan("numa", 0, gb200).to_json())
    arguments = ["plan", "--source", str(gb200), "--gpu", "0", "--peer", str(peer), "--explain"]
    assert main([*arguments, "--json"]) == 1
    forecast = json.loads(capsys.readouterr().out)["plans"][0]["forecast"]
    assert set(forecast["read"]["lanes"]) == {"mlx5_0", "mlx5_1"}
    assert forecast["read"]["dropped"]["mlx5_2"].startswith("no device of the target")


def test_plan_explain_without_any_device(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bare = tmp_path / "sys"
    (bare / "class/net").mkdir(parents=True)
    assert main(["plan", "--source", str(bare), "--explain"]) == 0
    assert "no forecast" in capsys.readouterr().out
