# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Checks of the installed NIXL and of variables, on stand-ins for both."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from doctor_patients import Patient
from fake_plugins import install_nixl, shared_object, write_ours
from nixl_stripe.doctor.variables import CHECKS
from nixl_stripe.wheel import PLUGIN, STOCK, patch_folder
from nixl_stripe.wheel.locate import PluginFolder


@pytest.fixture
def healthy(tmp_path: Path) -> Patient:
    return Patient.of(tmp_path / "machine")


@pytest.fixture
def nixl(healthy: Patient) -> PluginFolder:
    """A stock NIXL, installed for the patient's Python."""
    return install_nixl(healthy.root / "site-packages")


def test_nixl(healthy: Patient) -> None:
    row = healthy.answer("nixl")
    assert (row.status, row.fix) == ("warn", "pip install nixl")
    assert healthy.answer("plugin").status == "skip"
    install_nixl(healthy.root / "site-packages")
    assert healthy.answer("nixl").detail == "nixl-cu12 1.5.1"


def test_plugin_stock_bad_flow(healthy: Patient, nixl: PluginFolder) -> None:
    row = healthy.answer("plugin")
    assert (row.status, row.fix) == ("fail", "nixl-stripe patch")
    assert row.detail.startswith("nixl-cu12 1.5.1: its UCX plugin is the stock one")


def test_plugin_patched(healthy: Patient, nixl: PluginFolder) -> None:
    patch_folder(nixl)
    row = healthy.answer("plugin")
    assert (row.status, row.fix) == ("ok", "")
    assert row.detail.startswith("nixl-cu12 1.5.1 is patched with nixl-stripe ")


def test_plugin_of_another_build(healthy: Patient, nixl: PluginFolder) -> None:
    patch_folder(nixl)
    write_ours(nixl.path / PLUGIN, version="0.0.9")
    row = healthy.answer("plugin")
    assert (row.status, row.fix) == ("warn", "nixl-stripe patch")
    assert "another build, nixl-stripe 0.0.9" in row.detail


def test_plugin_taken_away_by_an_upgrade(healthy: Patient, nixl: PluginFolder) -> None:
    patch_folder(nixl)
    (nixl.path / PLUGIN).write_bytes(shared_object(b"a newer stock one"))
    row = healthy.answer("plugin")
    assert row.status == "fail"
    assert "an upgrade of NIXL took the patch away" in row.detail


def test_plugin_broken(healthy: Patient, nixl: PluginFolder) -> None:
    patch_folder(nixl)
    (nixl.path / STOCK).unlink()
    row = healthy.answer("plugin")
    assert row.status == "fail"
    assert row.fix == "pip install --force-reinstall --no-deps nixl-cu12==1.5.1"


def test_plugin_that_is_none(healthy: Patient, nixl: PluginFolder) -> None:
    (nixl.path / PLUGIN).write_bytes(b"text")
    assert healthy.answer("plugin").status == "fail"


def test_ucx_of_a_plugin_that_cannot_be_loaded(healthy: Patient, nixl: PluginFolder) -> None:
    row = healthy.answer("ucx-version")
    assert row.status == "warn"
    assert "cannot be loaded" in row.detail


def test_ucx_without_nixl(healthy: Patient) -> None:
    assert healthy.answer("ucx-version").status == "skip"


def test_plugin_dir(healthy: Patient, nixl: PluginFolder, tmp_path: Path) -> None:
    assert healthy.answer("plugin-dir").status == "ok"
    own = healthy.with_variables(NIXL_PLUGIN_DIR=str(nixl.path)).answer("plugin-dir")
    assert own.detail.endswith("is the installed NIXL's own folder")
    other = install_nixl(tmp_path / "other").path
    healthy.with_variables(NIXL_PLUGIN_DIR=str(other))
    row = healthy.answer("plugin-dir")
    assert (row.status, row.fix) == (
        "fail",
        f"nixl-stripe patch {other}, or unset NIXL_PLUGIN_DIR",
    )
    assert healthy.answer("plugin").detail.startswith("NIXL_PLUGIN_DIR takes its place")
    patch_folder(PluginFolder(other))
    assert healthy.answer("plugin-dir").status == "ok"


def test_plugin_dir_that_holds_no_plugin(healthy: Patient, tmp_path: Path) -> None:
    row = healthy.with_variables(NIXL_PLUGIN_DIR=str(tmp_path)).answer("plugin-dir")
    assert row.status == "fail"
    assert row.fix == "unset NIXL_PLUGIN_DIR, or correct it"


def test_second_ucx(healthy: Patient, tmp_path: Path) -> None:
    assert healthy.answer("second-ucx").detail == "no other UCX in the way"
    (healthy.root / "site-packages/libucx_cu12-1.19.0.dist-info").mkdir(parents=True)
    healthy.put(
        "site-packages/libucx_cu12-1.19.0.dist-info/METADATA",
        "Metadata-Version: 2.1\nName: libucx-cu12\nVersion: 1.19.0",
    )
    assert healthy.answer("second-ucx").detail.startswith("libucx-cu12 bring(s) another UCX")
    (tmp_path / "hpcx").mkdir()
    (tmp_path / "hpcx/libucp.so.0").touch()
    for variables in (
        {"LD_PRELOAD": "/opt/hpcx/libucp.so.0"},
        {"LD_LIBRARY_PATH": f"/nowhere:{tmp_path / 'hpcx'}"},
        {"UCX_MODULE_DIR": "/opt/hpcx/ucx"},
    ):
        spoilt = Patient(healthy.root, healthy.surroundings).with_variables(**variables)
        row = spoilt.answer("second-ucx")
        assert row.status == "warn"
        assert next(iter(variables.values())).split(":")[-1] in row.detail
        assert next(iter(variables)) in row.fix


def test_parameters(healthy: Patient) -> None:
    assert healthy.answer("parameters").detail == "none set (stripe=all)"
    good = healthy.with_variables(NIXL_UCX_STRIPE="numa")
    assert good.answer("parameters").detail == "NIXL_UCX_STRIPE=numa"


def test_parameters_bad_flow_takes_no_other_check_along(healthy: Patient) -> None:
    healthy.with_variables(NIXL_UCX_STRIPE="most")
    row = healthy.answer("parameters")
    assert row.status == "fail"
    assert "NIXL_UCX_STRIPE='most'" in row.detail
    for name in ("nics", "rails", "ucx-variables", "lanes", "mtu"):
        other = healthy.answer(name)
        assert (other.status, other.detail) == ("skip", "no plan: see the check parameters")


def test_ucx_variables(healthy: Patient) -> None:
    assert healthy.with_variables(UCX_PROTO_ENABLE="y").answer("ucx-variables").status == "ok"
    healthy.with_variables(UCX_PROTO_ENABLE="n", UCX_MAX_HCA_PER_GPU="auto")
    row = healthy.answer("ucx-variables")
    assert row.status == "fail"
    assert "UCX_PROTO_ENABLE=n: " in row.detail
    assert row.fix == "unset UCX_PROTO_ENABLE; unset UCX_MAX_HCA_PER_GPU, or set it to inf"


@pytest.mark.parametrize(
    ("variables", "status"),
    [
        ({"UCX_NET_DEVICES": "mlx5_[0-3]:1"}, "ok"),
        ({"UCX_NET_DEVICES": "mlx5_[0-1]:1"}, "fail"),
        ({"UCX_NET_DEVICES": "^mlx5_3:1"}, "fail"),
        ({"UCX_TLS": "self, rc, cuda_copy"}, "fail"),
        ({"UCX_MIN_RMA_CHUNK_SIZE": "inf"}, "fail"),
    ],
)
def test_ucx_variables_of_a_plan_of_rails_alone(
    healthy: Patient, variables: dict[str, str], status: str
) -> None:
    rails = healthy.with_variables(NIXL_UCX_MAX_RMA_RAILS="4", **variables)
    assert rails.answer("ucx-variables").status == status
    one = healthy.with_variables(NIXL_UCX_MAX_RMA_RAILS="1")
    assert one.answer("ucx-variables").status == "skip"


@pytest.mark.parametrize("where", ["UCX_CONFIG_DIR", "HOME", "working", "wheel"])
def test_ucx_conf(healthy: Patient, nixl: PluginFolder, where: str) -> None:
    """UCX of every wheel was seen to read a ucx.conf in each of these places."""
    assert healthy.answer("ucx-conf").detail == "no ucx.conf"
    folder = {"working": "work", "wheel": "site-packages/etc/ucx"}.get(where, "elsewhere")
    healthy.put(f"{folder}/ucx.conf", "# UCX_SINGLE_NET_DEVICE=y\nUCX_PROTO_ENABLE=y")
    if folder == "elsewhere":
        healthy.with_variables(**{where: str(healthy.root / folder)})
    assert healthy.answer("ucx-conf").status == "ok"
    healthy.put(f"{folder}/ucx.conf", "UCX_PROTO_ENABLE = n")
    row = healthy.answer("ucx-conf")
    assert row.status == "fail"
    assert row.detail.startswith(f"{healthy.root / folder}/ucx.conf: UCX_PROTO_ENABLE=n")
    # The environment wins over the file.
    assert healthy.with_variables(UCX_PROTO_ENABLE="y").answer("ucx-conf").status == "ok"


def test_ucx_conf_loses_to_the_plan(healthy: Patient) -> None:
    healthy.put("work/ucx.conf", "UCX_MAX_HCA_PER_GPU=auto\nUCX_MAX_RMA_RAILS=1")
    assert healthy.answer("ucx-conf").status == "ok"


def test_variable_names(healthy: Patient) -> None:
    healthy.with_variables(
        NIXL_UCX_STRIPE="all", NIXL_UCX_DEEPBIND="1", UCX_LOG_LEVEL="info", UCX_TLS="all"
    )
    assert healthy.answer("variable-names").status == "ok"
    healthy.with_variables(NIXL_UCX_STRIPES="all", UCX_MAX_RMA_RAIL="4")
    row = healthy.answer("variable-names")
    assert row.status == "warn"
    assert "NIXL_UCX_STRIPES (like NIXL_UCX_STRIPE)" in row.detail
    assert "UCX_MAX_RMA_RAIL (like UCX_MAX_RMA_RAILS)" in row.detail
    assert "export UCX_MAX_RMA_RAILS=..." in row.fix


def test_rails(healthy: Patient) -> None:
    assert healthy.answer("rails").detail == "4 rail(s), 4 NIC(s)"


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"UCX_MAX_RMA_RAILS": "2"}, "2 rail(s) for 4 NICs"),
        ({"NIXL_UCX_STRIPE": "all", "NIXL_UCX_MAX_RMA_RAILS": "8"}, "8 rails for 4 NICs"),
    ],
)
def test_rails_bad_flow(healthy: Patient, variables: dict[str, str], words: str) -> None:
    row = healthy.with_variables(**variables).answer("rails")
    assert row.status == "warn"
    assert words in row.detail
    assert "auto" in row.fix


def test_rails_of_a_plan_without_any(healthy: Patient) -> None:
    assert healthy.with_variables(NIXL_UCX_STRIPE="off").answer("rails").status == "skip"


def test_net_devices(healthy: Patient) -> None:
    assert healthy.answer("net-devices").status == "ok"
    assert healthy.with_variables(UCX_NET_DEVICES="all").answer("net-devices").status == "ok"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("mlx5_0:1", "pins NIXL to 1 device(s)"),
        ("mlx5_0", "pins NIXL to 1 device(s)"),
        ("mlx5_[0-2]:1", "pins NIXL to 3 device(s)"),
        ("^mlx5_[0-3]:1", "pins NIXL to 0 device(s)"),
        ("^mlx5_3:1", "pins NIXL to 3 device(s)"),
        ("mlx5_0:1,mlx5_9:1", "has no mlx5_9"),
        ("mlx5_[2-4]:1", "has no mlx5_4:1"),
        ("^mlx5_9:1", "has no mlx5_9"),
        ("mlx5_0:1, mlx5_1:1", "a space is a part of the name, so that ' mlx5_1:1' is no device"),
        ("ALL", "has no ALL"),
    ],
)
def test_net_devices_bad_flow(healthy: Patient, value: str, words: str) -> None:
    row = healthy.with_variables(UCX_NET_DEVICES=value).answer("net-devices")
    assert row.status == "warn"
    assert words in row.detail
    assert "unset UCX_NET_DEVICES" in row.fix


@pytest.mark.parametrize(
    ("value", "status"),
    [("", "ok"), ("0", "ok"), ("stripe", "ok"), ("auto", "warn"), ("1", "warn")],
)
def test_nic_pin(healthy: Patient, value: str, status: str) -> None:
    row = healthy.with_variables(MX_RDMA_NIC_PIN=value).answer("nic-pin")
    assert row.status == status
    assert bool(row.fix) == (status == "warn")


def test_cuda_runtime(healthy: Patient, nixl: PluginFolder) -> None:
    row = healthy.answer("cuda-runtime")
    assert row.status == "fail"
    assert "nixl-cu12 needs libcudart.so.12" in row.detail
    assert row.fix.startswith("pip install nvidia-cuda-runtime-cu12")
    healthy.put("usr/local/cuda-13/lib64/libcudart.so.13", "")
    assert healthy.answer("cuda-runtime").status == "fail"
    healthy.put("site-packages/nvidia/cuda_runtime/lib/libcudart.so.12", "")
    assert healthy.answer("cuda-runtime").status == "ok"


def test_nic_loss(healthy: Patient) -> None:
    assert healthy.answer("nic-loss").status == "ok"
    row = healthy.with_variables(
        NIXL_UCX_ON_NIC_LOSS="failover", NIXL_STRIPE_EXPERIMENTAL="failover"
    ).answer("nic-loss")
    assert row.status == "warn"
    assert row.fix == "unset NIXL_STRIPE_EXPERIMENTAL and NIXL_UCX_ON_NIC_LOSS"


def test_nic_loss_that_is_offered() -> None:
    check = next(each for each in CHECKS if each.name == "nic-loss")
    at: Any = SimpleNamespace(plan=SimpleNamespace(on_nic_loss="resume"), environ={})
    verdict = check.run(at)
    assert verdict.status == "ok"
    assert "on_nic_loss=resume: a NIC that dies is left out" in verdict.detail
    at.environ["NIXL_STRIPE_EXPERIMENTAL"] = "failover"
    assert check.run(at).status == "warn"


def test_nic_loss_that_is_not_offered_bad_flow(healthy: Patient) -> None:
    row = healthy.with_variables(NIXL_UCX_ON_NIC_LOSS="failover").answer("parameters")
    assert row.status == "fail"
    assert "NIXL_UCX_ON_NIC_LOSS='failover': it is not offered yet" in row.detail


def test_kill_switch(healthy: Patient) -> None:
    assert healthy.answer("kill-switch").status == "ok"
    assert healthy.with_variables(NIXL_STRIPE_DISABLE="0").answer("kill-switch").status == "ok"
    row = healthy.with_variables(NIXL_STRIPE_DISABLE="1").answer("kill-switch")
    assert (row.status, row.fix) == ("warn", "unset NIXL_STRIPE_DISABLE")
    assert row.detail.startswith("disabled by NIXL_STRIPE_DISABLE='1'")


def test_kill_switch_of_an_unknown_value_is_on(healthy: Patient) -> None:
    row = healthy.with_variables(NIXL_STRIPE_DISABLE="ture").answer("kill-switch")
    assert row.status == "warn"
    assert "accepted: 1, true, yes, on, 0, false, no, off" in row.detail
