# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""ModelExpress's variables: MX_RDMA_NIC_PIN and MX_RDMA_NIC_PIN_MIN_RATE_GBPS."""

from __future__ import annotations

import logging
from pathlib import Path

import nixl_stripe
import pytest
from nixl_stripe import StripePlan, from_env
from sysfs_machines import MACHINES
from sysfs_trees import Host, Port, Root, bridge, gpu, mlx5, write

FOUR = "mlx5_0:1,mlx5_1:1,mlx5_2:1,mlx5_3:1"


def pin(folder: Path, host: Host, value: str | None, **variables: str) -> StripePlan:
    if value is not None:
        variables["MX_RDMA_NIC_PIN"] = value
    return from_env(variables, machine=write(host, folder).sys, gpu=0)


def two_rates() -> Host:
    """Return two compute NICs of 400, a storage NIC of 200 and a management NIC of 25 Gbit/s."""
    return Host(
        (
            Root("pci0000:10", (bridge("0000:10:01.0", mlx5("0000:11:00.0", "mlx5_0")),)),
            Root("pci0000:20", (bridge("0000:20:01.0", mlx5("0000:21:00.0", "mlx5_1")),)),
            Root(
                "pci0000:30",
                (bridge("0000:30:01.0", mlx5("0000:31:00.0", "mlx5_2", Port(rate=200.0))),),
            ),
            Root(
                "pci0000:40",
                (
                    bridge("0000:40:01.0", mlx5("0000:41:00.0", "mlx5_3", Port(rate=25.0))),
                    bridge("0000:40:02.0", gpu("0000:42:00.0")),
                ),
            ),
        )
    )


def test_stripe_lists_all_compute_nics(tmp_path: Path) -> None:
    plan = pin(tmp_path, MACHINES["slow_management"](), "stripe")
    assert ",".join(plan.devices) == FOUR
    assert plan.environment()["UCX_NET_DEVICES"] == FOUR
    assert "25 Gbit/s" in plan.excluded["mlx5_4"]


def test_stripe_bumps_max_rma_rails_to_nic_count(tmp_path: Path) -> None:
    plan = pin(tmp_path, MACHINES["gb200"](), "stripe")
    assert plan.rails == 4
    assert plan.environment()["UCX_MAX_RMA_RAILS"] == "4"


def test_stripe_respects_explicit_max_rma_rails(tmp_path: Path) -> None:
    plan = pin(tmp_path, MACHINES["gb200"](), "stripe", UCX_MAX_RMA_RAILS="2")
    assert "UCX_MAX_RMA_RAILS" not in plan.environment()
    assert plan.rails == 2
    assert any("UCX_MAX_RMA_RAILS='2'" in text for text in plan.kept)
    assert ",".join(plan.devices) == FOUR


def test_stripe_single_nic_skips_rails_bump(tmp_path: Path) -> None:
    host = Host((Root("pci0000:10", (bridge("0000:10:01.0", mlx5("0000:11:00.0", "mlx5_0")),)),))
    plan = from_env({"MX_RDMA_NIC_PIN": "stripe"}, machine=write(host, tmp_path).sys)
    assert plan.devices == ("mlx5_0:1",)
    assert "UCX_MAX_RMA_RAILS" not in plan.environment()


def test_stripe_no_nics_visible(tmp_path: Path) -> None:
    host = Host((Root("pci0000:10", (bridge("0000:10:01.0", gpu("0000:11:00.0")),)),))
    plan = pin(tmp_path, host, "stripe")
    assert not plan.active
    assert plan.devices == ()
    assert plan.environment() == {}
    assert plan.warnings


def test_stripe_alias_all(tmp_path: Path) -> None:
    host = MACHINES["gb200"]()
    stripe = pin(tmp_path / "a", host, "stripe")
    for index, alias in enumerate(("all", "ALL", " Stripe ")):
        plan = pin(tmp_path / str(index), host, alias)
        assert plan.environment() == stripe.environment()


def test_auto_mode_does_not_set_rails(tmp_path: Path) -> None:
    plan = pin(tmp_path, MACHINES["gb200"](), "auto")
    assert plan.devices == ("mlx5_0:1",)
    assert "UCX_MAX_RMA_RAILS" not in plan.environment()
    assert plan.environment() == {"UCX_NET_DEVICES": "mlx5_0:1"}


def test_min_rate_filter_passed_to_stripe(tmp_path: Path) -> None:
    rate = {"MX_RDMA_NIC_PIN_MIN_RATE_GBPS": "100"}
    plan = pin(tmp_path / "a", two_rates(), "stripe", **rate)
    assert plan.devices == ("mlx5_0:1", "mlx5_1:1", "mlx5_2:1")
    assert "100" in plan.excluded["mlx5_3"]
    assert pin(tmp_path / "b", two_rates(), "stripe").devices == ("mlx5_0:1", "mlx5_1:1")


@pytest.mark.parametrize("value", [None, "", "off", "OFF", "0", "false", "no"])
def test_off_mode_unchanged(tmp_path: Path, value: str | None) -> None:
    plan = pin(tmp_path, MACHINES["gb200"](), value)
    assert not plan.active
    assert plan.devices == ()
    assert plan.environment() == {}
    assert plan.rails is None


@pytest.mark.parametrize(
    "rate", ["nan", "inf", "-inf", "-1", "-0.5", "fast", "4 00", "0x10", "1e999"]
)
def test_bad_min_rate_warns_and_takes_the_fastest(
    tmp_path: Path, rate: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "nixl_stripe")
    plan = pin(tmp_path, two_rates(), "stripe", MX_RDMA_NIC_PIN_MIN_RATE_GBPS=rate)
    assert plan.devices == ("mlx5_0:1", "mlx5_1:1")
    assert f"MX_RDMA_NIC_PIN_MIN_RATE_GBPS='{rate}'" in plan.warnings[0]
    assert plan.warnings[0] in caplog.text


def test_what_a_warning_repeats_is_one_line_of_the_log_bad_flow(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "nixl_stripe")
    tree = write(two_rates(), tmp_path).sys
    plan = from_env({"MX_RDMA_NIC_PIN": "mlx5_0,\x1b[2J\n\u202e%s"}, machine=tree, gpu=7)
    assert caplog.messages == list(plan.warnings[:1])
    assert plan.warnings[0].isprintable()
    assert r"mlx5_0,\x1b[2J\n\u202e%s" in plan.warnings[0]


@pytest.mark.parametrize("rate", ["0", " 100 ", "1e2", "25"])
def test_good_min_rate_does_not_warn(tmp_path: Path, rate: str) -> None:
    plan = pin(tmp_path, two_rates(), "stripe", MX_RDMA_NIC_PIN_MIN_RATE_GBPS=rate)
    assert len(plan.devices) > 2
    assert not any("MIN_RATE" in text for text in plan.warnings)


def test_list_gives_each_cuda_device_its_entry(tmp_path: Path) -> None:
    tree = write(MACHINES["gb200"](), tmp_path).sys
    variables = {"MX_RDMA_NIC_PIN": "mlx5_3, mlx5_2:1,mlx5_1"}
    pinned = [from_env(variables, machine=tree, gpu=index).devices for index in range(4)]
    assert pinned == [("mlx5_3:1",), ("mlx5_2:1",), ("mlx5_1:1",), ()]
    assert from_env({"MX_RDMA_NIC_PIN": "mlx5_3"}, machine=tree).devices == ("mlx5_3:1",)


def test_list_bad_flow(tmp_path: Path) -> None:
    tree = write(MACHINES["gb200"](), tmp_path).sys
    with pytest.raises(ValueError, match="gpu=0 to 1"):
        from_env({"MX_RDMA_NIC_PIN": "mlx5_3,mlx5_2"}, machine=tree)
    with pytest.raises(ValueError, match=r"mlx5_9.*devices here: mlx5_0"):
        from_env({"MX_RDMA_NIC_PIN": "mlx5_9"}, machine=tree)


def test_the_process_environment_is_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = write(MACHINES["gb200"](), tmp_path).sys
    monkeypatch.setenv("MX_RDMA_NIC_PIN", "stripe")
    assert ",".join(nixl_stripe.from_env(machine=tree).devices) == FOUR
