# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Transfers over RDMA verbs between two guests: stock NIXL, host memory and a fake GPU's."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from guest_beds import assert_shares, booted, both_ways, percent
from nixl_stripe.lab.guests import GpuPlace, Guests
from nixl_stripe.lab.job import Role

pytestmark = [pytest.mark.guests, pytest.mark.timeout(600)]

MIB = 1 << 20
#: What `stripe` sets for GPU memory, said to a stock NIXL by hand.
SETTINGS = {"MAX_RMA_RAILS": "4", "MAX_HCA_PER_GPU": "inf", "DISTANCE_BW": "1000GBs"}


@pytest.fixture(scope="module")
def bed() -> Iterator[Guests]:
    """Four NICs, two on each NUMA node, and a GPU at every place."""
    with booted(nics=4, numa_nodes=2, gpus="PHNS") as bed:
        yield bed


def engine(settings: str | None) -> dict[str, str]:
    return {} if settings is None else {"engine_config": settings}


def test_machines_show_the_pci_tree(bed: Guests) -> None:
    for machine in bed.machines.values():
        assert [nic["numa"] for nic in machine["nics"]] == [0, 0, 1, 1]
        places = {place: gpu["path"].split("/")[3] for place, gpu in machine["gpus"].items()}
        near, far = (machine["nics"][index]["path"].split("/")[3] for index in (0, 2))
        assert places["P"] == places["H"] == near
        assert len({places["N"], places["S"], near, far}) == 4
        assert [machine["gpus"][place]["numa"] for place in "PHNS"] == [0, 0, 0, 1]


def test_devices_have_what_a_driver_would_show(bed: Guests) -> None:
    script = "cd /sys/class/infiniband/rxe3 && cat device/numa_node device/current_link_speed"
    script += " ports/1/state && realpath device && realpath ."
    ended = bed.run({"initiator": ["sh", "-c", script]})["initiator"]
    assert ended.status == 0
    numa, speed, state, device, place = ended.output.splitlines()
    assert (numa, speed) == ("1", "16.0 GT/s PCIe")
    assert "ACTIVE" in state
    assert place == f"{device}/infiniband/rxe3"


def test_program_that_never_ends_is_killed(bed: Guests) -> None:
    ended = bed.run({"target": ["sh", "-c", "echo before; sleep 100"]}, limit_s=2)["target"]
    assert ended.timed_out
    assert ended.output == "before\n"
    assert ended.wall_s < 60


@pytest.mark.parametrize(
    ("settings", "used"),
    [(None, 2), ("MAX_RMA_RAILS=4", 4)],
)
def test_stock_host_memory(bed: Guests, stock: Path, settings: str | None, used: int) -> None:
    both = both_ways(bed, sizes=[MIB, 5000], nixl=stock, backend_params=engine(settings))
    for outcome in both.values():
        assert outcome.rails_used == used
        assert percent(outcome)[:used] == pytest.approx([100 / used] * used, abs=2)
        assert outcome.lanes is not None
        assert len(outcome.lanes.share) == used
        assert sum(outcome.bytes.values()) >= outcome.payload_bytes


def test_a_changed_byte_is_noticed(bed: Guests, stock: Path) -> None:
    outcome = bed.transfer(sizes=[MIB], op="READ", nixl=stock, corrupt=True)
    assert not outcome.ok
    assert outcome.error is not None
    assert outcome.error.type == "PayloadMismatchError"


def test_nic_down_at_start_is_left_out(bed: Guests, stock: Path) -> None:
    both: tuple[Role, Role] = ("initiator", "target")
    bed.set_link(3, False, both)
    try:
        outcome = bed.transfer(
            sizes=[4 * MIB], op="READ", nixl=stock, backend_params=engine("MAX_RMA_RAILS=4")
        ).require()
    finally:
        bed.set_link(3, True, both)
    assert outcome.used == ("rail0", "rail1", "rail2")


#: Ends once rail 1 has sent 300 kB more than when it began: wire-up sends less.
SENDING = """
file=/sys/class/net/rail1/statistics/tx_bytes
read start < $file
for _ in $(seq 2000); do
    read now < $file
    [ $((now - start)) -gt 300000 ] && exit 0
    sleep 0.05
done
exit 1
"""


def test_link_cut_during_a_transfer_never_passes_for_done(bed: Guests, stock: Path) -> None:
    """Packets vanish on one of four rails: UCX does not move the transfer over to the others.

    Over Soft-RoCE it was still in PROC after 75 to 90 s, whichever end lost its link, so the
    caller's limit is what ends it; other devices, or more patience, end in
    NIXL_ERR_REMOTE_DISCONNECT.
    """
    watched: list[int] = []
    limit_s = 15

    def cut_when_it_sends() -> None:
        watched.append(
            bed.run({"initiator": ["sh", "-c", SENDING]}, limit_s=60)["initiator"].status
        )
        bed.set_link(1, False, ["initiator"])

    cutter = threading.Thread(target=cut_when_it_sends)
    cutter.start()
    try:
        outcome = bed.transfer(
            sizes=[24 * MIB],
            op="WRITE",
            nixl=stock,
            backend_params=engine("MAX_RMA_RAILS=4"),
            limit_s=limit_s,
        )
    finally:
        cutter.join()
        bed.set_link(1, True, ["initiator"])
    assert watched == [0]
    assert not outcome.ok
    assert outcome.error is not None
    assert "NIXL_ERR_REMOTE_DISCONNECT" in outcome.error.text or (
        outcome.error.type == "TimeoutError"
    )
    again = bed.transfer(
        sizes=[2 * MIB], op="WRITE", nixl=stock, backend_params=engine("MAX_RMA_RAILS=4")
    ).require()
    assert again.rails_used == 4


@pytest.mark.parametrize(
    ("gpu", "near"),
    [
        ("P", [50, 50, 0, 0]),
        ("H", [50, 50, 0, 0]),
        ("N", [50, 50, 0, 0]),
        ("S", [0, 0, 50, 50]),
    ],
)
def test_stock_gpu_memory_stops_at_two_nics(
    bed: Guests, stock: Path, gpu: GpuPlace, near: list[float]
) -> None:
    rails = {"UCX_MAX_RMA_RAILS": "4"}
    assert_shares(bed, near, gpu=gpu, nixl=stock, environment=rails)


def test_stock_between_numa_nodes_has_no_rdma(bed: Guests, stock: Path) -> None:
    rails = {"UCX_MAX_RMA_RAILS": "4"}
    both = both_ways(bed, gpu="N", peer_gpu="S", nixl=stock, environment=rails)
    for outcome in both.values():
        assert outcome.rails_used == 1
        assert outcome.lanes is not None
        assert "software emulation" in outcome.lanes.protocol


@pytest.mark.parametrize("left_out", [None, *SETTINGS])
def test_each_of_the_three_settings_is_needed(
    bed: Guests, stock: Path, left_out: str | None
) -> None:
    kept = {key: value for key, value in SETTINGS.items() if key != left_out}
    config = ",".join(f"{key}={value}" for key, value in kept.items())
    wanted = [25.0] * 4 if left_out is None else [50.0, 50.0, 0.0, 0.0]
    assert_shares(bed, wanted, gpu="N", nixl=stock, backend_params=engine(config))
