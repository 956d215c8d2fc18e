# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Settings that undo striping, and the same ones at values that do not."""

from __future__ import annotations

from pathlib import Path

import pytest
from nixl_stripe import _core, plan
from nixl_stripe.planning import traps
from sysfs_machines import MACHINES, two_sockets
from sysfs_trees import Port, mlx5, write

#: Setting, a value that hurts, one that does not; on four RDMA NICs and GPUs with `stripe=all`.
RDMA = [
    ("PROTO_ENABLE", "n", "y"),
    ("PROTO_ENABLE", "0", "1"),
    ("SINGLE_NET_DEVICE", "y", "n"),
    ("TLS", "tcp", "all"),
    ("TLS", "rc,ud", "rc,cuda_copy"),
    ("TLS", "tcp,cuda_copy", "^tcp"),
    ("TLS", "ud,cuda_copy", "dc,cuda_copy"),
    ("TLS", "self, rc, cuda_copy", "self,rc,cuda_copy"),
    ("TLS", "RC,CUDA_COPY", "rc,cuda"),
    ("TLS", "ALL", "^all"),
    ("TLS", "^ib", "^rc_v"),
    ("TLS", "^cuda", "^cuda_ipc"),
    ("TLS", "\\rc,cuda_copy", "\\rc_mlx5,cuda_copy"),
    ("IB_SUBNET_PREFIX", "fe80", ""),
    ("MODULES", "^ib", "all"),
    ("MODULES", "ib", "ib,cuda"),
    ("MODULES", "IB,CUDA", "^all"),
    ("MULTI_LANE_MAX_RATIO", "0.5", "1"),
    ("MIN_RMA_CHUNK_SIZE", "4m", "64k"),
    ("MIN_RMA_CHUNK_SIZE", "inf", "1000"),
    ("MIN_RMA_CHUNK_SIZE", "auto", "8K"),
    ("MIN_RMA_CHUNK_SIZE", "1g", "8kb"),
    ("MAX_HCA_PER_GPU", "auto", "inf"),
    ("MAX_HCA_PER_GPU", "2", "4"),
    ("DISTANCE_BW", "auto,sys:16500MBs", "2000GBs"),
    ("MAX_COMPONENT_MDS", "2", "16"),
]
#: The same where the rails are network interfaces.
TCP = [
    ("RNDV_THRESH", "8k", "inf"),
    ("RNDV_THRESH", "intra:auto,inter:1m", "intra:inf,inter:inf"),
    ("RNDV_THRESH", "intra:inf,inter:8k", "intra:8k,inter:INF"),
    ("RNDV_THRESH", "inter:8k,inf", "inf,intra:8k"),
    ("TCP_PUT_ENABLE", "no", "yes"),
    ("TLS", "self,sm", "tcp,cuda_copy"),
    ("RMA_PPLN_ENABLE", "off", "on"),
    ("MAX_RNDV_RAILS", "2", "4"),
]


def found(key: str, value: str, *, tcp: bool, gpu: bool = True) -> list[str]:
    facts = _core.TrapFacts()
    facts.nic_count, facts.has_gpu = 4, gpu
    facts.uses_tcp, facts.uses_rdma = tcp, not tcp
    facts.chooses_devices = facts.chooses_rails = True
    return [each.key for each in _core.find_traps({f"UCX_{key}": value}, {}, facts)]


@pytest.mark.parametrize(("key", "bad", "good"), RDMA)
def test_over_rdma(key: str, bad: str, good: str) -> None:
    assert found(key, bad, tcp=False) == [f"UCX_{key}"]
    assert found(key, good, tcp=False) == []


@pytest.mark.parametrize(("key", "bad", "good"), TCP)
def test_over_tcp(key: str, bad: str, good: str) -> None:
    assert found(key, bad, tcp=True) == [f"UCX_{key}"]
    assert found(key, good, tcp=True) == []


def test_every_rule_has_a_case() -> None:
    cases = {key for key, _, _ in RDMA + TCP} | {"MAX_RMA_RAILS", "NET_DEVICES"}
    assert cases == set(traps.keys())


@pytest.mark.parametrize(
    ("key", "value"),
    [("MAX_HCA_PER_GPU", "auto"), ("DISTANCE_BW", "auto"), ("TLS", "rc"), ("MODULES", "ib")],
)
def test_what_hurts_gpu_memory_alone_is_nothing_without_a_gpu(key: str, value: str) -> None:
    assert found(key, value, tcp=False, gpu=False) == []
    assert found(key, value, tcp=False, gpu=True) == [f"UCX_{key}"]


def test_one_nic_has_nothing_to_lose() -> None:
    facts = _core.TrapFacts()
    facts.uses_rdma = True
    facts.nic_count = 1
    assert _core.find_traps({"UCX_PROTO_ENABLE": "n"}, {}, facts) == []
    facts.nic_count = 2
    assert len(_core.find_traps({"UCX_PROTO_ENABLE": "n"}, {}, facts)) == 1


def test_engine_config_counts_and_a_variable_beats_it() -> None:
    (trap,) = traps.find({}, engine_config={"PROTO_ENABLE": "n"})
    assert trap.key == "PROTO_ENABLE in engine_config"
    assert "take PROTO_ENABLE out of engine_config" in trap.fix
    assert traps.find({"UCX_PROTO_ENABLE": "y"}, engine_config={"PROTO_ENABLE": "n"}) == ()


@pytest.fixture
def gb200(tmp_path: Path) -> str:
    return str(write(MACHINES["gb200"](), tmp_path).sys)


def test_a_plan_warns_of_each_trap_once(gb200: str) -> None:
    environment = {"UCX_PROTO_ENABLE": "n", "UCX_MAX_HCA_PER_GPU": "auto"}
    warned = plan("all", 0, gb200, environment=environment).warnings
    assert [text.partition("=")[0] for text in warned] == list(environment)
    assert warned[0].endswith("; unset UCX_PROTO_ENABLE")
    assert plan("all", 0, gb200, environment={"UCX_PROTO_ENABLE": "y"}).warnings == ()


def test_a_pinned_nic_hurts_rails_alone_and_not_stripe(gb200: str) -> None:
    pinned = {"UCX_NET_DEVICES": "mlx5_0:1"}
    rails = plan(None, machine=gb200, max_rma_rails=4, environment=pinned)
    assert any(text.startswith("UCX_NET_DEVICES='mlx5_0:1'") for text in rails.warnings)
    striped = plan("all", 0, gb200, environment=pinned)
    assert [text for text in striped.warnings if text.startswith("UCX_NET_DEVICES")] == []
    assert [trap.key for trap in traps.find(pinned, plan=rails)] == ["UCX_NET_DEVICES"]
    assert traps.find(pinned, plan=striped) == ()


@pytest.mark.parametrize(
    ("value", "hurts"),
    [
        ("mlx5_[0-3]:1", False),
        ("mlx5_[0-1]:1", True),
        ("^mlx5_3:1", True),
        ("^eth0", False),
        ("mlx5_*", True),
        ("mlx5_0:1, mlx5_1:1, mlx5_2:1, mlx5_3:1", True),
    ],
)
def test_devices_are_counted_as_ucx_opens_them(gb200: str, value: str, hurts: bool) -> None:
    pinned = {"UCX_NET_DEVICES": value}
    rails = plan(None, machine=gb200, max_rma_rails=4, environment=pinned)
    assert any(text.startswith("UCX_NET_DEVICES=") for text in rails.warnings) is hurts
    assert bool(traps.find(pinned, plan=rails)) is hurts


def test_a_misspelt_list_is_mended_by_its_spelling(gb200: str) -> None:
    asked = {"UCX_TLS": "RC, cuda_copy"}
    (trap,) = traps.find(asked, plan=plan("all", 0, gb200, environment=asked), gpu=True)
    assert "write UCX_TLS=rc,cuda_copy (to UCX blanks and capitals" in trap.fix


def test_few_rails_of_the_user_s_own(gb200: str) -> None:
    two = {"UCX_MAX_RMA_RAILS": "2"}
    auto = plan("all", 0, gb200, environment=two)
    assert any(text.startswith("UCX_MAX_RMA_RAILS='2'") for text in auto.warnings)
    number = plan("all", 0, gb200, max_rma_rails=4, environment=two)
    assert traps.find(two, plan=number) == ()


def test_rates_that_differ(tmp_path: Path) -> None:
    nics = [
        mlx5(f"0000:{i}1:00.0", f"mlx5_{i}", Port(rate=25.0 if i == 4 else 400.0)) for i in range(5)
    ]
    tree = str(write(two_sockets(*nics), tmp_path).sys)
    mixed = plan("all", 0, tree, min_rate_gbps=0, environment={"UCX_MULTI_LANE_MAX_RATIO": "4"})
    assert any(text.startswith("UCX_MULTI_LANE_MAX_RATIO='4'") for text in mixed.warnings)
    even = plan("all", 0, tree, environment={"UCX_MULTI_LANE_MAX_RATIO": "4"})
    assert even.warnings == ()


def test_what_a_plan_without_effect_says(tmp_path: Path) -> None:
    tree = str(write(MACHINES["no_nics"](), tmp_path).sys)
    nothing = plan("off", machine=tree, environment={"UCX_PROTO_ENABLE": "n"})
    assert traps.find({"UCX_PROTO_ENABLE": "n"}, plan=nothing) == ()
    assert nothing.warnings == ()


def test_without_a_plan_either_kind_of_nic_will_do() -> None:
    for harmless in ({"UCX_TLS": "tcp"}, {"UCX_TLS": "rc"}, {"UCX_MODULES": "^ib"}):
        assert traps.find(harmless) == ()
    assert len(traps.find({"UCX_TLS": "sm,self"})) == 1
    assert len(traps.find({"UCX_TLS": "rc"}, gpu=True)) == 1


def test_text_names_value_effect_and_fix() -> None:
    (trap,) = traps.find({"UCX_RNDV_THRESH": "8k"})
    assert str(trap).startswith("UCX_RNDV_THRESH='8k': over TCP")
    assert str(trap).endswith("unset UCX_RNDV_THRESH")
