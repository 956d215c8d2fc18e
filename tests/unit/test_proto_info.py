# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""UCX's protocol tables: recorded output, and the shapes that other machines print."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from nixl_stripe.lab.proto_info import Lanes, parse, payload_lanes

DATA = Path(__file__).parents[1] / "data" / "proto_info"


def _log(*rows: str, operation: str = "remote memory write by ucp_put*(multi) from host") -> str:
    lines = ["a inter-node cfg#2", operation, "Range | Description | Config", *rows]
    return "\n".join(f"[1.5] [host:1:0]   | {line} |" for line in lines)


def test_recorded_log_of_two_tcp_devices() -> None:
    log = (DATA / "tcp_two_devices.log").read_text()
    write = payload_lanes(log, "WRITE", 8 << 20)
    assert write is not None
    assert write.share == {"lo": 0.52, "eth0": 0.48}
    assert (write.low, write.high, write.protocol) == (0, math.inf, "zero-copy")
    assert write.complete
    read = payload_lanes(log, "READ", 8 << 20)
    assert read is not None
    assert read.share == {"lo": 1.0}
    assert read.protocol == "software emulation"


def test_loop_back_endpoint_and_plain_put_are_not_the_payload() -> None:
    log = (DATA / "tcp_two_devices.log").read_text()
    assert any(table.is_self for table in parse(log))
    before = log[: log.index("ucp_put*(multi)")]
    assert payload_lanes(before, "WRITE", 8 << 20) is None


def test_log_without_tables_has_no_lanes() -> None:
    assert parse("2026-11-24 NIXL INFO | something | else\n") == []
    assert payload_lanes("", "WRITE", 1) is None


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (64, {"mlx5_0": 1.0}),
        (65, {"mlx5_0": 0.5, "mlx5_1": 0.5}),
        (28 << 10, {"mlx5_0": 0.25, "mlx5_1": 0.75}),
        (1 << 40, {"mlx5_0": 0.5, "mlx5_1": 0.5}),
    ],
)
def test_row_by_size(size: int, expected: dict[str, float]) -> None:
    log = _log(
        "0..64 | short | rc_mlx5/mlx5_0:1",
        "65..16K | zero-copy | 50% on rc_mlx5/mlx5_0:1 and 50% on rc_mlx5/mlx5_1:1",
        "16385..32768 | zero-copy | 25% on rc_mlx5/mlx5_0:1 and 75% on rc_mlx5/mlx5_1:1",
        "32769..inf | zero-copy | 50% on rc_mlx5/mlx5_0:1 and 50% on rc_mlx5/mlx5_1:1",
    )
    lanes = payload_lanes(log, "WRITE", size)
    assert lanes is not None
    assert lanes.share == expected


def test_paths_of_one_device_add_up() -> None:
    cell = "50% on rc_mlx5/mlx5_0:1/path0 and 50% on rc_mlx5/mlx5_0:1/path1"
    lanes = payload_lanes(_log(f"0..inf | zero-copy | {cell}"), "WRITE", 1)
    assert lanes is not None
    assert lanes.share == {"mlx5_0": 1.0}


def _row(cell: str) -> Lanes:
    lanes = payload_lanes(_log(f"0..inf | zero-copy | {cell}"), "WRITE", 1)
    assert lanes is not None
    return lanes


@pytest.mark.parametrize(
    ("cell", "whole"),
    [
        ("12% on tcp/r0, 13% on tcp/r1, 12% on tcp/r", ("r0", "r1")),
        ("12% on tcp/r0, 13% on tcp/r1, 12%", ("r0", "r1")),
        ("12% on tcp/r0, 13% on tcp/r1, 12% on", ("r0", "r1")),
        ("4% on rc_mlx5/mlx5_0:1, 4% on rc_mlx5/mlx5_1", ("mlx5_0",)),
        (", ".join(f"4% on tcp/rail{i}" for i in range(9))[:127], [f"rail{i}" for i in range(7)]),
    ],
)
def test_a_cell_that_ucx_cut_is_not_complete(cell: str, whole: tuple[str, ...]) -> None:
    lanes = _row(cell)
    assert not lanes.complete
    assert set(lanes.share) == set(whole), "a name that may have been cut is no device"


def test_a_cut_within_the_last_lane_is_one() -> None:
    cell = "25% on tcp/" + "a" * 30 + ", 25% on tcp/" + "b" * 30 + " and 50% on tcp/" + "c" * 27
    assert len(cell) == 127
    assert not _row(cell).complete
    assert _row(cell[:-1]).complete


@pytest.mark.parametrize(
    "cell",
    [
        "33% on tcp/a, 33% on tcp/b and 34% on tcp/c",
        "17% on tcp/a, 17% on tcp/b, 17% on tcp/c, 17% on tcp/d, 17% on tcp/e and 15% on tcp/f",
        "rc_mlx5/mlx5_0:1",
        "rc_mlx5/mlx5_0:1 50% on path0 and 50% on path1",
    ],
)
def test_a_whole_cell_is_complete_whatever_its_rounding(cell: str) -> None:
    assert _row(cell).complete


def test_the_other_operation_is_not_taken() -> None:
    log = _log("0..inf | zero-copy | tcp/r0")
    assert payload_lanes(log, "READ", 1) is None


def test_older_ucx_has_no_multi_variant() -> None:
    plain = LOG_OF_UCX_1_21
    lanes = payload_lanes(plain, "WRITE", 1 << 20)
    assert lanes is not None
    assert lanes.share == {"rail0": 0.5, "rail1": 0.5}
    assert payload_lanes(plain, "READ", 1 << 20) is None


LOG_OF_UCX_1_21 = """\
[1.0] [vm:1:0]   +--------------------------------+------------------------------------------------+
[1.0] [vm:1:0]   | ucp_context_0 inter-node cfg#1 | remote memory write by ucp_put* from host memory to host |
[1.0] [vm:1:0]   +--------------------------------+------------------------------------------------+
[1.0] [vm:1:0]   |                         0..inf | zero-copy | 50% on tcp/rail0 and 50% on tcp/rail1 |
[1.0] [vm:1:0]   +--------------------------------+------------------------------------------------+
"""  # noqa: E501


@pytest.mark.parametrize(
    "row", ["inf | zero-copy | tcp/r0", f"0..inf | zero-copy | {'9' * 400}% on tcp/r0"]
)
def test_numbers_beyond_any_are_no_shares_bad_flow(row: str) -> None:
    assert all(
        max(lanes.share.values(), default=0) <= 1
        for table in parse(_log(row))
        for lanes in table.rows
    )
