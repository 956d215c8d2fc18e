# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What a plan says beyond its NICs: all ranks together, UCX's limits, EFA, names made up."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from nixl_stripe import plan
from nixl_stripe.cli import main
from nixl_stripe.errors import StripeError
from nixl_stripe.planning import efa
from nixl_stripe.planning.emit import CLIENTS, emit
from nixl_stripe.planning.together import together
from sysfs_machines import MACHINES
from sysfs_trees import write

NDV4 = """<system version="1">
  <cpu numaid="0" affinity="0000ffff" arch="x86_64" vendor="AuthenticAMD" familyid="23">
    <pci busid="ffff:ff:01.0" class="0x060400" link_speed="16 GT/s" link_width="16">
      <pci busid="0001:00:00.0" class="0x030200" link_speed="16 GT/s" link_width="16"/>
      <pci busid="0101:00:00.0" class="0x020700" link_speed="16 GT/s" link_width="16"/>
      <pci busid="0102:00:00.0" class="0x020700" link_speed="16 GT/s" link_width="16"/>
    </pci>
  </cpu>
</system>
"""


@pytest.fixture
def nameless(tmp_path: Path) -> str:
    file = tmp_path / "topo.xml"
    file.write_text(NDV4)
    return str(file)


def source(name: str, folder: Path) -> str:
    return str(write(MACHINES[name](), folder).sys)


@pytest.mark.parametrize("name", ["dgx_h100", "p5", "gb300"])
def test_a_plan_loads_every_nic_alike(name: str, tmp_path: Path) -> None:
    machine = source(name, tmp_path)
    first = plan("all", 0, machine)
    plans = [plan("all", i, machine) for i in range(len(first.machine.machine.gpus))]  # type: ignore[union-attr]
    loads = together(plans)
    assert loads.ranks == len(plans)
    assert set(loads.loads) == {device.partition(":")[0] for device in first.devices}
    assert loads.unevenness == pytest.approx(1)
    assert not loads.idle


def test_stock_meets_on_few_nics_bad_flow(tmp_path: Path) -> None:
    """p5: four NICs near each GPU, of which stock NIXL takes two."""
    machine = source("p5", tmp_path)
    nics = tuple(device.partition(":")[0] for device in plan("all", 0, machine).devices)
    stock = together([plan("off", i, machine) for i in range(8)], nics)
    assert len(stock.loads) == 32
    assert len(stock.idle) == 16
    assert sum(stock.loads.values()) == pytest.approx(8)


def test_it_matters_whether_a_rank_sees_the_others_gpus(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """UCX 1.23 counts the GPUs that it sees, and takes equal NICs by that (openucx/ucx 11547)."""
    machine = source("p5", tmp_path)
    stock = [plan("off", i, machine) for i in range(2)]
    aware = [set(each.forecast().lanes) for each in stock]
    alone = [set(each.forecast(sees_all_gpus=False).lanes) for each in stock]
    assert aware[0] == alone[0]
    assert aware[1] != alone[1]
    assert together(stock).loads != together(stock, sees_all_gpus=False).loads
    assert main(["plan", "--source", machine]) == 0
    assert "where each sees its own GPU alone" in capsys.readouterr().out


def test_plans_without_a_gpu_count_nothing(tmp_path: Path) -> None:
    none = together([plan("all", None, source("gb200", tmp_path))], ("mlx5_0",))
    assert (none.ranks, none.loads, none.unevenness) == (0, {"mlx5_0": 0.0}, 0.0)


def test_the_command_says_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    machine = source("dgx_h100", tmp_path)
    assert main(["plan", "--source", machine]) == 0
    assert "together, 8 ranks, one for each GPU" in capsys.readouterr().out
    assert main(["plan", "--source", machine, "--json"]) == 0
    both = json.loads(capsys.readouterr().out)["together"]
    assert set(both["plan"]) == set(both["stock"]) == set(both["stock_own_gpu_alone"])
    assert main(["plan", "--source", machine, "--gpu", "0"]) == 0
    assert "together" not in capsys.readouterr().out


def test_explain_says_how_much_of_each_limit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    machine = source("p5", tmp_path)
    assert main(["plan", "--source", machine, "--gpu", "0", "--explain", "--json"]) == 0
    (made,) = json.loads(capsys.readouterr().out)["plans"]
    limits = made["forecast"]["limits"]
    assert [line.partition(":")[0] for line in limits] == [
        "transport resources",
        "lanes",
        "memory domains",
        "memory domains of one component (MAX_COMPONENT_MDS)",
        "key configurations",
    ]
    assert limits[0].startswith("transport resources: 68 of 128")
    assert limits[3].startswith("memory domains of one component (MAX_COMPONENT_MDS): 32 of 32")
    assert all(f"UCX's limit of {line}" in made["forecast"]["text"] for line in limits)


def test_efa_is_told_honestly(tmp_path: Path) -> None:
    assert efa.WHAT_UCX_DOES in plan("all", 0, source("p5", tmp_path / "p5")).describe()
    assert "EFA" not in plan("all", 0, source("gb200", tmp_path / "gb200")).describe()
    assert "emulated in software" in efa.problem("1.19.0")
    for version in ("1.20.0", "1.23.0", "2.0", "", "unknown"):
        assert efa.problem(version) == ""


def test_made_up_names_are_marked(nameless: str) -> None:
    made = plan("all", 0, nameless)
    assert made.made_up == made.devices
    text = made.describe()
    assert f"made up from PCI addresses: {', '.join(made.devices)}" in text


@pytest.mark.parametrize("client", ["env", "stock"])
def test_made_up_names_are_not_emitted_bad_flow(nameless: str, client: str) -> None:
    with pytest.raises(StripeError, match=f"--emit {client} would name .*made up"):
        emit([plan("all", 0, nameless)], client)


def test_what_names_no_device_is_emitted(nameless: str, tmp_path: Path) -> None:
    for client in set(CLIENTS) - {"env", "stock"}:
        assert "all" in emit([plan("all", 0, nameless)], client)
    real = plan("all", 0, source("gb200", tmp_path))
    assert real.made_up == ()
    assert "mlx5_0" in emit([real], "env")
