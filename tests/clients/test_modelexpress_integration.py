# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""`enable()` and `disable()` on the real package, and what they refuse."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import nixl_stripe
import pytest
from modelexpress_reference import Reference
from nixl_stripe.integrations import modelexpress
from nixl_wheels import run_program
from sysfs_machines import MACHINES
from sysfs_trees import write

PRELUDE = """
import importlib, sys
from nixl_stripe.errors import StripeError
from nixl_stripe.integrations import modelexpress as mx
def attempt():
    try:
        mx.enable()
        print("enabled", mx.is_enabled())
    except StripeError as error:
        print(type(error).__name__, error)
"""


def run(script: str, *sites: Path) -> list[str]:
    done = run_program(PRELUDE + script, sites=sites, UCX_MODULES="^ib", UCX_TLS="tcp")
    return done.stdout.splitlines()


def test_enable_and_disable(striped: Path) -> None:
    out = run(
        """
import modelexpress.nixl_transfer as transfer
names = (transfer, "NixlAgent"), (transfer, "nixl_agent_config")
names += ((transfer.ucx_utils, "apply_nic_pin_for_device"),)
before = [getattr(*each) for each in names]
attempt(); first = [getattr(*each) for each in names]
attempt(); print(first == [getattr(*each) for each in names])
print([a is b for a, b in zip(before, first)])
mx.disable(); mx.disable(); print(mx.is_enabled())
print([a is getattr(*each) for a, each in zip(before, names)])
attempt()
""",
        striped,
    )
    assert out == [
        "enabled True",
        "enabled True",
        "True",
        "[False, False, False]",
        "False",
        "[True, True, True]",
        "enabled True",
    ]


@pytest.mark.parametrize("version", ["0.3.9", "0.8.0", "1.0"])
def test_an_unknown_version_is_refused(striped: Path, tmp_path: Path, version: str) -> None:
    info = tmp_path / f"modelexpress-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: modelexpress\nVersion: {version}\n"
    )
    (line,) = run("attempt()", tmp_path, striped)
    assert line.startswith(f"UnknownModelExpressError ModelExpress {version}: accepted are 0.4")
    assert "NIXL_UCX_STRIPE=all" in line


@pytest.mark.parametrize(
    ("change", "missing"),
    [
        ("transfer.NixlTransferManager.initialize = lambda self: None", "NixlAgent in Nixl"),
        ("del transfer.ucx_utils._resolve_nic_pin", "ucx_utils._resolve_nic_pin(device_id)"),
        (
            "transfer.ucx_utils.apply_nic_pin_for_device = lambda device_id, gpu: None",
            "ucx_utils.apply_nic_pin_for_device(device_id)",
        ),
    ],
)
def test_a_changed_package_is_refused_and_left_alone(
    striped: Path, change: str, missing: str
) -> None:
    out = run(
        f"""
import modelexpress.nixl_transfer as transfer
{change}
agent = transfer.NixlAgent
attempt()
print(transfer.NixlAgent is agent, mx.is_enabled())
""",
        striped,
    )
    assert out[0].startswith("UnknownModelExpressError ModelExpress 0.7.0 is not as published")
    assert missing in out[0]
    assert out[1] == "True False"


def test_without_modelexpress_it_says_what_to_install(striped: Path) -> None:
    (line,) = run("sys.modules['modelexpress'] = None\nattempt()", striped)
    assert line.startswith("UnknownModelExpressError")
    assert "pip install" in line


def test_without_nixl_it_says_what_to_install() -> None:
    # The demo leaves one in the environment that the tests share.
    hide = "sys.modules.update(dict.fromkeys(('nixl', 'nixl_cu12', 'nixl_cu13')))"
    (line,) = run(f"{hide}\nattempt()")
    assert line == "StripeError ModelExpress found no NIXL (pip install nixl)"


def test_a_bad_choice_is_refused() -> None:
    with pytest.raises(ValueError, match="accepted are error, warn, stock"):
        modelexpress.enable(on_unpatched="ignore")  # type: ignore[arg-type]


def never(device_id: int) -> None:
    raise AssertionError("a patched NIXL is told by parameter")


@pytest.fixture(scope="module")
def pinning(tmp_path_factory: pytest.TempPathFactory) -> Reference:
    return Reference(tmp_path_factory.mktemp("reference"))


@pytest.mark.parametrize("name", ["gb200", "gb300", "p5", "dgx_h100", "amd_mi300x"])
@pytest.mark.parametrize("value", ["auto", "1", "mlx5_1:1,mlx5_0:1", "mlx5_1:1,", "off", ""])
def test_auto_list_and_off_are_its_own_choice(
    pinning: Reference,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    value: str,
) -> None:
    """The NIC that ModelExpress puts into UCX_NET_DEVICES is the one in our parameter."""
    tree = write(MACHINES[name](), tmp_path)
    gpu = nixl_stripe.machine(tree.sys).gpus[0].pci
    assert pinning.auto(tree, gpu) is not None
    module = pinning.module
    monkeypatch.setenv("MX_RDMA_NIC_PIN", value)
    theirs: dict[str, str] = {}
    monkeypatch.setattr(module.os, "environ", theirs, raising=False)
    module.apply_nic_pin_for_device(0)
    ours = modelexpress._choose(module, never, 0, lambda: True)
    expected = {"device_list": theirs["UCX_NET_DEVICES"]} if theirs else {}
    assert ours == expected
    assert bool(theirs) == (value not in ("off", ""))
    assert "UCX_NET_DEVICES" not in os.environ


def test_every_nic_by_parameter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MX_RDMA_NIC_PIN", "all")
    monkeypatch.setenv("MX_RDMA_NIC_PIN_MIN_RATE_GBPS", "0")
    nothing: Any = None
    params = modelexpress._choose(nothing, never, 0, lambda: True)
    assert params["stripe"] == "all"
    assert params["stripe_min_rate_gbps"] == "0.0"
