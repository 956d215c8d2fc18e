# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Byte counters of every kind of NIC, over their ends, resets and losses."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path

import nixl_stripe
import pytest
from counter_trees import CounterTree
from nixl_stripe import _core
from nixl_stripe.errors import StripeError
from nixl_stripe.proof import NicNotFoundError, all_nics


@pytest.fixture
def tree(tmp_path: Path) -> CounterTree:
    return CounterTree(tmp_path)


def test_infiniband_counts_words_of_four_bytes_over_all_ports(tree: CounterTree) -> None:
    tree.infiniband("mlx5_0", 100, 7)
    tree.infiniband("mlx5_0", 50, 7, port=2)
    with nixl_stripe.counters(sysfs=tree.root) as c:
        tree.infiniband("mlx5_0", 110, 8)
        tree.infiniband("mlx5_0", 55, 7, port=2)
    row = c.by_nic()["mlx5_0"]
    assert (row.bytes_out, row.bytes_in, row.bytes) == (60, 4, 64)
    assert (row.share, row.source, row.problem) == (1.0, "sysfs", "")


def test_one_port_by_name(tree: CounterTree) -> None:
    tree.infiniband("mlx5_0")
    tree.infiniband("mlx5_0", port=2)
    with nixl_stripe.counters(["mlx5_0:2"], sysfs=tree.root) as c:
        tree.infiniband("mlx5_0", 1000)
        tree.infiniband("mlx5_0", 5, port=2)
    assert c.by_nic()["mlx5_0:2"].bytes_out == 20


EFA = (
    *("tx_bytes", "rx_bytes", "send_bytes", "recv_bytes", "rdma_read_bytes"),
    *("rdma_read_resp_bytes", "rdma_write_bytes", "rdma_write_recv_bytes", "rx_drops"),
)


@pytest.mark.parametrize(
    ("moved", "out", "into"),
    [
        ({"rdma_write_bytes": 4000}, 4000, 0),
        ({"rdma_write_bytes": 4000, "tx_bytes": 4100}, 4100, 0),
        ({"rdma_read_bytes": 900, "send_bytes": 10}, 10, 900),
        ({"rdma_read_resp_bytes": 900, "rdma_write_recv_bytes": 5, "rx_bytes": 3}, 900, 5),
    ],
)
def test_efa_by_the_larger_of_its_two_views(
    tree: CounterTree, moved: dict[str, int], out: int, into: int
) -> None:
    before = dict.fromkeys(EFA, 10**6)
    tree.hw_counters("rdmap0s31", before)
    with nixl_stripe.counters(sysfs=tree.root) as c:
        tree.hw_counters("rdmap0s31", {k: v + moved.get(k, 0) for k, v in before.items()})
    row = c.by_nic()["rdmap0s31"]
    assert (row.bytes_out, row.bytes_in) == (out, into)
    assert (row.source, row.kind) == ("hw_counters", "counted")


@pytest.mark.parametrize(
    "names",
    [
        ("tx_bytes", "rx_bytes"),
        ("hw_tx_bytes_cnt", "hw_rx_bytes_cnt"),
        ("ip4OutOctets", "ip4InOctets"),
    ],
)
def test_other_drivers_with_bytes_in_hw_counters(tree: CounterTree, names: tuple[str, str]) -> None:
    tree.hw_counters("roce0", dict.fromkeys(names, 5))
    with nixl_stripe.counters(sysfs=tree.root) as c:
        tree.hw_counters("roce0", {names[0]: 15, names[1]: 6})
    assert (c.by_nic()["roce0"].bytes_out, c.by_nic()["roce0"].bytes_in) == (10, 1)


@pytest.mark.parametrize("by_parent", [False, True])
def test_soft_roce_is_counted_by_the_interface_below(tree: CounterTree, by_parent: bool) -> None:
    tree.interface("rail0")
    tree.interface("eth0")
    tree.soft_roce("rxe0", "rail0")
    if by_parent:
        shutil.rmtree(tree.root / "class/infiniband/rxe0/ports/1/gid_attrs")
        tree.write("class/infiniband/rxe0/parent", "rail0")
    with nixl_stripe.counters(sysfs=tree.root) as c:
        tree.interface("rail0", 777, 1)
        tree.interface("eth0", 10**9, 10**9)
        tree.hw_counters("rxe0", {"retry_exceeded_err": 2})
    assert c.nics == ("rxe0",)
    row = c.by_nic()["rxe0"]
    assert (row.bytes_out, row.bytes_in, row.errors) == (777, 1, 2)
    assert (row.source, row.kind) == ("netdev", "counted")
    assert "whose bytes they are" in row.blind
    assert c.sources["rxe0"]["where"] == "statistics of rail0"


def test_a_driver_that_counts_no_bytes_bad_flow(tree: CounterTree) -> None:
    tree.hw_counters("odd0", {"sent_pkts": 1})
    tree.infiniband("mlx5_0")
    with pytest.raises(NicNotFoundError, match="its driver counts no bytes"):
        nixl_stripe.counters(["odd0"], sysfs=tree.root)
    found = nixl_stripe.counters(sysfs=tree.root)
    assert found.nics == ("mlx5_0",)
    assert "its driver counts no bytes" in found.uncounted["odd0"]


def test_with_no_source_at_all_the_reasons_are_told_bad_flow(tree: CounterTree) -> None:
    tree.write("class/infiniband/mlx5_0/ports/1/state", "4: ACTIVE")
    tree.write("class/infiniband/mlx5_0/device/vendor", "0x15b3")
    with pytest.raises(NicNotFoundError, match="no NIC's bytes can be counted here") as caught:
        nixl_stripe.counters(sysfs=tree.root)
    assert "counters/port_{xmit,rcv}_data cannot be read" in str(caught.value)
    assert "hw_counters has no bytes" in str(caught.value)


def test_an_interface_does_not_count_what_hardware_moves_bad_flow(tree: CounterTree) -> None:
    tree.interface("eth0", 5, 5)
    tree.soft_roce("mlx5_0", "eth0")
    tree.write("class/infiniband/mlx5_0/device/vendor", "0x15b3")
    with pytest.raises(NicNotFoundError, match="miss what its hardware moves"):
        nixl_stripe.counters(["mlx5_0"], sysfs=tree.root)


def test_this_machine_without_sysfs() -> None:
    """TCP's interfaces are this network namespace's own, whatever sysfs is mounted."""
    with nixl_stripe.counters(["lo"]) as c, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("127.0.0.1", 0))
        one.sendto(b"x" * 1000, one.getsockname())
        one.recv(2000)
    row = c.by_nic()["lo"]
    assert row.bytes_out >= 1000
    assert (row.source, row.problem) == ("netdev", "")


def test_port_counters_that_cannot_be_read_are_passed_over(tree: CounterTree) -> None:
    """A virtual function may show the files and refuse to read them."""
    tree.infiniband("mlx5_3")
    tree.write("class/infiniband/mlx5_3/ports/1/counters/port_xmit_data", "")
    tree.hw_counters("mlx5_3", {"tx_bytes": 0, "rx_bytes": 0})
    with nixl_stripe.counters(sysfs=tree.root) as c:
        tree.hw_counters("mlx5_3", {"tx_bytes": 9})
    assert c.by_nic()["mlx5_3"].bytes_out == 9


def test_interfaces_without_any_rdma_device(tree: CounterTree) -> None:
    for name in ("lo", "eth10", "eth2"):
        tree.interface(name)
    assert all_nics(tree.root) == ("eth2", "eth10")
    with nixl_stripe.counters(sysfs=tree.root) as c:
        tree.interface("eth2", 30, 20)
        tree.interface("eth10", 50)
        tree.write("class/net/eth10/statistics/rx_errors", 3)
        tree.write("class/net/eth10/statistics/tx_dropped", 4)
    rows = c.by_nic()
    assert {name: row.share for name, row in rows.items()} == {"eth2": 0.5, "eth10": 0.5}
    assert (rows["eth10"].errors, rows["eth10"].discards, rows["eth2"].errors) == (3, 4, 0)


@pytest.mark.parametrize(
    ("before", "after", "moved"),
    [
        (5, 5, 0),
        (5, 9, 4),
        ((1 << 32) - 10, 15, 25),
        ((1 << 64) - 1, 0, 1),
        ((1 << 33) + 5, 100, 100),
        (1000, 10, 10),
        (None, 10, 0),
        (10, None, 0),
    ],
)
def test_how_far_a_counter_went(before: int | None, after: int | None, moved: int) -> None:
    assert _core.counter_advance(before, after) == moved


def test_over_the_end_in_words_not_in_bytes(tree: CounterTree) -> None:
    tree.infiniband("mlx5_0", (1 << 32) - 1)
    with nixl_stripe.counters(sysfs=tree.root) as c:
        tree.infiniband("mlx5_0", 9)
    assert c.by_nic()["mlx5_0"].bytes_out == 40


def test_full_counters_of_32_bits_are_no_proof(tree: CounterTree) -> None:
    tree.infiniband("mlx4_0", (1 << 32) - 1)
    with nixl_stripe.counters(sysfs=tree.root) as c:
        pass
    assert "stand still" in c.by_nic()["mlx4_0"].problem


def test_a_device_that_was_reset_is_said_so_bad_flow(tree: CounterTree) -> None:
    """Not "too little": nobody knows what it carried before."""
    tree.infiniband("mlx5_0", 25 << 30)
    with nixl_stripe.counters(sysfs=tree.root) as c:
        tree.infiniband("mlx5_0", 1 << 30)
    row = c.by_nic()["mlx5_0"]
    assert row.bytes_out == 4 << 30
    assert "set back meanwhile" in row.problem


def test_a_device_that_vanishes_is_said_so(tree: CounterTree) -> None:
    tree.infiniband("mlx5_0", 5)
    tree.infiniband("mlx5_1", 5)
    with nixl_stripe.counters(sysfs=tree.root) as c:
        shutil.rmtree(tree.root / "class/infiniband/mlx5_1")
        tree.infiniband("mlx5_0", 6)
    rows = c.by_nic()
    assert (rows["mlx5_0"].bytes_out, rows["mlx5_0"].problem) == (4, "")
    assert (rows["mlx5_1"].bytes_out, rows["mlx5_1"].problem) == (0, "its counters went away")


def test_unknown_nic_bad_flow(tree: CounterTree) -> None:
    tree.infiniband("mlx5_0")
    tree.interface("eth0")
    with pytest.raises(StripeError, match=r"'mlx5_9': no such device in .*eth0, mlx5_0"):
        nixl_stripe.counters(["mlx5_9"], sysfs=tree.root)
    with pytest.raises(FileNotFoundError, match="has no port 3"):
        nixl_stripe.counters(["mlx5_0:3"], sysfs=tree.root)


def test_figures_stand_still_after_the_block_and_can_start_anew(tree: CounterTree) -> None:
    tree.interface("eth0")
    with nixl_stripe.counters(sysfs=tree.root) as c:
        tree.interface("eth0", 5)
        assert c.by_nic()["eth0"].bytes_out == 5
        tree.interface("eth0", 7)
    tree.interface("eth0", 1000)
    assert c.by_nic()["eth0"].bytes_out == 7
    assert c.seconds == c.seconds
    c.start()
    assert c.by_nic()["eth0"].bytes_out == 0


def test_a_machine_without_any_nic(tree: CounterTree) -> None:
    with nixl_stripe.counters(sysfs=tree.root) as c:
        pass
    assert c.by_nic() == {}
