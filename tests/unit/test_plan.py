# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""`plan()` and StripePlan: what is asked for, what comes out, what two hosts must agree on."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from nixl_stripe import StripePlan, _core, machine, plan
from nixl_stripe.errors import StripeError
from nixl_stripe.planning.parts import PlannedNic
from sysfs_machines import MACHINES
from sysfs_trees import Host, Root, bridge, mlx5, roce, write

WORDS = ("all", "best", "numa", "nearest", "fair", "auto", "off")
POLICIES = (*WORDS, "3", "=mlx5_0,mlx5_1:1", "^=mlx5_0")


@pytest.fixture
def gb200(tmp_path: Path) -> Path:
    return write(MACHINES["gb200"](), tmp_path).sys


def roce_host(first_subnet: int, count: int = 2, rate: float = 400.0) -> Host:
    """Return RoCE NICs in 192.168.<first_subnet>.0 and the following networks."""
    return Host(
        tuple(
            Root(
                f"pci0000:{16 * (i + 1):02x}",
                (
                    bridge(
                        f"0000:{16 * (i + 1):02x}:01.0",
                        roce(f"0000:{16 * (i + 1) + 1:02x}:00.0", f"mlx5_{i}", f"eth{i}",
                             rate=rate, subnet=first_subnet + i),
                    ),
                ),
            )
            for i in range(count)
        )
    )  # fmt: skip


def test_all_nics_rails_and_settings(gb200: Path) -> None:
    made = plan(machine=gb200, gpu=0)
    assert made.devices == ("mlx5_0:1", "mlx5_1:1", "mlx5_2:1", "mlx5_3:1")
    assert made.rails == 4
    assert made.gpu == "0008:01:00.0"
    assert made.ucx_settings["MAX_RMA_RAILS"] == "4"
    assert made.ucx_settings["NET_DEVICES"] == "mlx5_0:1,mlx5_1:1,mlx5_2:1,mlx5_3:1"
    assert made.ucx_settings["MAX_HCA_PER_GPU"] == "inf"
    assert made.environment()["UCX_DISTANCE_BW"] == made.ucx_settings["DISTANCE_BW"]
    assert made.ceiling_gbps == 1600
    assert made.excluded == {}


def test_a_machine_may_be_given_as_it_is(gb200: Path) -> None:
    assert plan(machine=machine(gb200)) == plan(machine=str(gb200)) == plan(machine=gb200)


def test_every_gpu_of_a_p5_has_its_own_four(tmp_path: Path) -> None:
    host = machine(write(MACHINES["p5"](), tmp_path).sys)
    shares = [plan("fair", gpu=index, machine=host) for index in range(8)]
    assert [share.rails for share in shares] == [4] * 8
    assert {share.ceiling_gbps for share in shares} == {400.0}
    assert len({device for share in shares for device in share.devices}) == 32
    assert shares[0].devices == tuple(f"rdmap{number}s0:1" for number in (79, 80, 81, 82))


@pytest.mark.parametrize("stripe", POLICIES)
def test_json_keeps_everything(gb200: Path, stripe: str) -> None:
    made = plan(stripe, gpu=1, machine=gb200)
    assert StripePlan.from_json(made.to_json()) == made


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "3", "{}", '{"devices": 3}',
                                  '{"plans": []}'])  # fmt: skip
def test_json_bad_flow(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        StripePlan.from_json(text)


@pytest.mark.parametrize("stripe", POLICIES)
def test_resolved_parameters_give_the_same_devices(gb200: Path, stripe: str) -> None:
    made = plan(stripe, gpu=2, machine=gb200)
    again = plan(None, machine=gb200, environment={
        f"NIXL_UCX_{key.upper()}": value
        for key, value in made.backend_params(resolved=True).items()
    } if made.active else {})  # fmt: skip
    assert again.devices == made.devices
    assert again.ucx_settings == made.ucx_settings


def test_backend_params_are_what_was_asked_for(gb200: Path) -> None:
    made = plan("fair", "0008:01:00.0", gb200, min_rate_gbps=100, max_rma_rails="auto")
    assert made.backend_params() == {
        "stripe": "fair",
        "stripe_gpu": "0008:01:00.0",
        "stripe_min_rate_gbps": "100",
        "max_rma_rails": "auto",
    }
    assert made.backend_params(resolved=True) == {"stripe": "=mlx5_0:1", "max_rma_rails": "auto"}


def test_stock_params_carry_no_commas_in_values(gb200: Path) -> None:
    params = plan(machine=gb200).stock_params()
    assert params["device_list"] == "mlx5_0, mlx5_1, mlx5_2, mlx5_3"
    config = dict(entry.split("=") for entry in params["engine_config"].split(","))
    assert config["MAX_RMA_RAILS"] == "4"
    assert "NET_DEVICES" not in config


def test_stock_params_bad_flow(tmp_path: Path) -> None:
    tree = write(MACHINES["second_port_only"](), tmp_path).sys
    with pytest.raises(StripeError, match="UCX_NET_DEVICES=mlx5_0:2,mlx5_1:2"):
        plan(machine=tree).stock_params()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"stripe": "numma"}, "stripe='numma'.*devices here: mlx5_0, mlx5_1"),
        ({"stripe": 0}, "stripe='0'.*1 to 64"),
        ({"stripe": "fair"}, "stripe='fair' needs a GPU.*0008:01:00.0"),
        ({"gpu": 4, "stripe": "fair"}, "stripe_gpu='4'.*0 to 3"),
        ({"gpu": "0000:99:00.0", "stripe": "fair"}, "stripe_gpu='0000:99:00.0'"),
        ({"gpu": "first"}, "stripe_gpu='first'"),
        ({"min_rate_gbps": float("nan")}, "stripe_min_rate_gbps='nan'"),
        ({"min_rate_gbps": -1}, "stripe_min_rate_gbps='-1'"),
        ({"max_rma_rails": 65}, "max_rma_rails='65'"),
        ({"device_list": ["mlx5_7"]}, "device_list='mlx5_7'"),
        ({"machine": "/nonexistent"}, "/nonexistent"),
    ],
)
def test_bad_values_are_named(gb200: Path, arguments: dict[str, object], expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        plan(**{"machine": gb200, **arguments})  # type: ignore[arg-type]


def test_a_gpu_that_is_not_needed_may_be_unknown(gb200: Path) -> None:
    assert plan("all", machine=gb200).gpu is None
    assert plan("all", "0000:99:00.0", gb200).active


def test_environment_of_another_machine_is_empty(
    gb200: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UCX_MAX_RMA_RAILS", "3")
    assert plan(machine=gb200).rails == 4
    kept = plan(machine=gb200, environment={"UCX_MAX_RMA_RAILS": "3"})
    assert kept.rails == 3
    assert "MAX_RMA_RAILS" not in kept.ucx_settings
    assert "UCX_MAX_RMA_RAILS='3'" in kept.kept[0]


def test_description_names_what_matters(tmp_path: Path) -> None:
    text = plan(machine=write(MACHINES["slow_management"](), tmp_path).sys, gpu=0).describe()
    for part in ("4 NIC(s), 4 rail(s)", "mlx5_0:1 (InfiniBand, 400 Gbit/s", "MAX_RMA_RAILS=4",
                 "excluded  mlx5_4: 25 Gbit/s is below 400"):  # fmt: skip
        assert part in text
    assert "stock behaviour" in plan("off", machine=tmp_path / "sys").describe()


class TestPeer:
    def make(self, folder: Path, host: Host) -> StripePlan:
        return plan(machine=write(host, folder).sys)

    def test_the_same_kind_of_host_fits(self, tmp_path: Path) -> None:
        left = self.make(tmp_path / "a", MACHINES["gb200"]())
        right = self.make(tmp_path / "b", MACHINES["gb200"]())
        assert left.check_peer(right) == []
        rails = roce_host(1)
        left, right = self.make(tmp_path / "c", rails), self.make(tmp_path / "d", rails)
        assert left.check_peer(right) == []

    def test_counts_differ(self, tmp_path: Path) -> None:
        left = self.make(tmp_path / "a", MACHINES["gb200"]())
        right = self.make(tmp_path / "b", MACHINES["gb300"]())
        assert any("4 NIC(s) here" in text and "8" in text for text in left.check_peer(right))

    def test_link_layers_and_rates_differ(self, tmp_path: Path) -> None:
        left = self.make(tmp_path / "a", MACHINES["gb200"]())
        right = self.make(tmp_path / "b", roce_host(1, count=4, rate=200.0))
        text = "\n".join(left.check_peer(right))
        assert "InfiniBand here, Ethernet there" in text
        assert "400 Gbit/s here, 200 there" in text

    def test_subnets_differ(self, tmp_path: Path) -> None:
        left = self.make(tmp_path / "a", roce_host(1))
        right = self.make(tmp_path / "b", roce_host(2))
        problems = left.check_peer(right)
        assert len(problems) == 2
        assert "mlx5_0:1" in problems[0]
        assert "192.168.1.0/24" in problems[0]

    def test_one_subnet_on_every_nic(self, tmp_path: Path) -> None:
        left = self.make(tmp_path / "a", roce_host(1))
        nics = tuple(dataclasses.replace(nic, subnets=("10.0.0.0/8",)) for nic in left.nics)
        same = dataclasses.replace(left, nics=nics)
        assert any("2 Ethernet NICs" in text for text in same.check_peer(same))

    def test_settings_differ(self, tmp_path: Path) -> None:
        left = self.make(tmp_path / "a", MACHINES["gb200"]())
        right = plan(machine=tmp_path / "a" / "sys", environment={"UCX_DISTANCE_BW": "auto"})
        assert any("DISTANCE_BW" in text and "both ends" in text for text in left.check_peer(right))

    def test_one_end_is_stock(self, tmp_path: Path) -> None:
        left = self.make(tmp_path / "a", MACHINES["gb200"]())
        off = plan("off", machine=tmp_path / "a" / "sys")
        assert len(left.check_peer(off)) == 1
        assert off.check_peer(off) == []

    def test_one_end_resumes(self, tmp_path: Path) -> None:
        """A peer has no part in it, nor in its timeouts."""
        left = self.make(tmp_path / "a", MACHINES["gb200"]())
        trial = {"NIXL_STRIPE_EXPERIMENTAL": "failover"}
        over = plan(machine=tmp_path / "a" / "sys", on_nic_loss="failover", environment=trial)
        assert any("RC_TIMEOUT" in text for text in left.check_peer(over))
        found = left.check_peer(dataclasses.replace(over, on_nic_loss="resume"))
        assert not any("RC_TIMEOUT" in text or "on_nic_loss" in text for text in found), found

    def test_one_end_fails_over(self, tmp_path: Path) -> None:
        left = self.make(tmp_path / "a", MACHINES["gb200"]())
        trial = {"NIXL_STRIPE_EXPERIMENTAL": "failover"}
        over = plan(machine=tmp_path / "a" / "sys", on_nic_loss="failover", environment=trial)
        assert over.check_peer(over) == []
        assert left.check_peer(over)[0] == (
            "on_nic_loss is error here and failover there: UCX does not connect the two"
        )
        assert "failover" in over.describe()
        assert StripePlan.from_json(over.to_json()).on_nic_loss == "failover"
        assert "on_nic_loss" not in left.to_dict()


def test_efa_has_no_subnets(tmp_path: Path) -> None:
    made = plan("2", machine=write(MACHINES["p5"](), tmp_path).sys)
    assert made.nics[0] == PlannedNic("rdmap79s0:1", 100.0, "EFA", ())


def test_infiniband_is_in_its_subnet_prefix(tmp_path: Path) -> None:
    host = Host((Root("pci0000:10", (bridge("0000:10:01.0", mlx5("0000:11:00.0", "mlx5_0")),)),))
    assert plan(machine=write(host, tmp_path).sys).nics[0].subnets == ("fe80::/64",)


def test_an_idle_gpu_does_not_lower_the_ceiling(tmp_path: Path) -> None:
    tree = write(MACHINES["p5"](), tmp_path).sys
    ends = [tree / "bus/pci/devices" / address for address in ("0000:53:00.0", "0000:46:01.4")]
    for end in ends:
        (end / "current_link_speed").write_text("2.5 GT/s PCIe\n")
    assert plan("fair", gpu=0, machine=tree).ceiling_gbps == 400
    (ends[1] / "max_link_speed").write_text("5.0 GT/s PCIe\n")
    # PCIe 2 x16 with 8b/10b: what the older end of the link can do.
    assert plan("fair", gpu=0, machine=tree).ceiling_gbps == 64


TOPOLOGIES = Path(__file__).parents[1] / "data" / "topologies"


def test_a_real_p5_gives_every_gpu_the_four_on_its_switch() -> None:
    host = machine(TOPOLOGIES / "hwloc-aws-p5.48xl.xml")
    shares = {gpu.pci: plan("fair", gpu.pci, host) for gpu in host.gpus}
    assert len(shares) == 8
    assert len({device for share in shares.values() for device in share.devices}) == 32
    for gpu in host.gpus:
        near = [f"{nic.name}:1" for nic in host.nics if host.affinity(gpu, nic)[0] == "PIX"]
        assert list(shares[gpu.pci].devices) == near
        # Four PCIe links of Gen4 x8, as fast as the GPU's own of Gen5 x16; hwloc has no port rates.
        assert shares[gpu.pci].ceiling_gbps == pytest.approx(32 * 16 * 128 / 130)


@pytest.mark.parametrize("source", sorted(TOPOLOGIES.glob("*.xml")), ids=lambda path: path.stem)
def test_real_machines_are_shared_out_completely(source: Path) -> None:
    host = machine(source)
    if source.stem == "hwloc-aws-c5n.18xl":
        assert not host.gpus  # nobody to share them out to
        return
    shares = [plan("fair", gpu.pci, host).devices for gpu in host.gpus]
    everything = plan("all", machine=host).devices
    assert {device for share in shares for device in share} == set(everything)
    if len(host.gpus) <= len(everything):
        assert sum(map(len, shares)) == len(everything)
    assert max(map(len, shares), default=0) - min(map(len, shares), default=0) <= 1


def test_kill_switch_beats_every_parameter(gb200: Path) -> None:
    variables = {"NIXL_STRIPE_DISABLE": "1", "NIXL_UCX_STRIPE": "65"}
    made = plan("fair", gpu=0, machine=gb200, min_rate_gbps="nan", environment=variables)
    assert not made.active
    assert (made.devices, made.settings) == ((), ())
    assert made.warnings == ("disabled by NIXL_STRIPE_DISABLE='1'",)
    assert "disabled by NIXL_STRIPE_DISABLE='1'" in made.describe()


def test_a_loss_mode_that_is_not_offered_is_refused_bad_flow(gb200: Path) -> None:
    with pytest.raises(ValueError, match="on_nic_loss='failover': it is not offered yet"):
        plan(machine=gb200, on_nic_loss="failover")
    with pytest.raises(ValueError, match="on_nic_loss='resume': this version resumes over TCP"):
        plan(machine=gb200, on_nic_loss="resume")


def test_kill_switch_that_is_off_bad_flow(gb200: Path) -> None:
    variables = {"NIXL_STRIPE_DISABLE": "off", "NIXL_UCX_STRIPE_SMALL": "..."}
    with pytest.raises(ValueError, match=r"NIXL_UCX_STRIPE_SMALL='\.\.\.': accepted: 'spread'"):
        plan(machine=gb200, environment=variables)


@pytest.mark.parametrize(
    ("given", "accepted"),
    [
        ({"min_rate_gbps": "nan"}, "a finite number >= 0"),
        ({"min_rate_gbps": "inf"}, "a finite number >= 0"),
        ({"gpu": "..."}, "a CUDA ordinal"),
        ({"small": "..."}, "'spread', 'off'"),
        ({"device_list": ",,,"}, "device names"),
        ({"device_list": "mlx5_0", "stripe": "every"}, "'all', 'best'"),
    ],
)
def test_values_that_take_no_effect_are_checked_too_bad_flow(
    gb200: Path, given: dict[str, str], accepted: str
) -> None:
    with pytest.raises(ValueError, match=f"='{next(reversed(given.values()))}': .*{accepted}"):
        plan(**{"stripe": None, **given}, machine=gb200)  # type: ignore[arg-type]


def test_tables_are_one_place_for_each_fact() -> None:
    words = [policy.word for policy in _core.policy_table()]
    assert words == [*WORDS]
    assert [_core.parse_stripe("stripe", word).needs_gpu for word in words] == [
        policy.needs_gpu for policy in _core.policy_table()
    ]
    assert all(f"'{word}'" in _core.accepted_stripe() for word in words)
    for info in _core.parameter_table():
        assert info.variable == f"NIXL_UCX_{info.key.upper()}"
        assert info.accepted
        assert info.meaning
