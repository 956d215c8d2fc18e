# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Benchmarks over RDMA verbs between two guests, NIXL's and Mooncake's; and wrong bytes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from guest_beds import CACHE, booted
from nixl_stripe.bench import rails, runner
from nixl_stripe.bench.options import Options, Sides
from nixl_stripe.bench.pair import BenchFailedError
from nixl_stripe.bench.peer_cases import mooncake_cases
from nixl_stripe.bench.peer_install import Peer, prepare
from nixl_stripe.bench.work import Work
from nixl_stripe.cli.bench import _MOONCAKE
from nixl_stripe.errors import StripeError
from nixl_stripe.lab.guests import Guests

pytestmark = [pytest.mark.guests, pytest.mark.timeout(600)]

MIB = 1 << 20
ONCE = Options(bed="rdma", rounds=1, warmup=0, iterations=1)


@pytest.fixture(scope="module")
def bed() -> Iterator[Guests]:
    with booted(nics=4, rate_mbit=20) as guests:
        yield guests


@pytest.fixture(scope="module")
def sides(stock: Path, striped: Path) -> Sides:
    return Sides.at(stock, striped)


@pytest.fixture(scope="module")
def peer() -> Peer:
    try:
        return prepare(CACHE.parent / "bench", _MOONCAKE, lambda _: None)
    except StripeError as error:
        pytest.skip(str(error))


def quiet(_: str) -> None:
    pass


def test_rails_are_even_both_ways(bed: Guests, sides: Sides) -> None:
    done = rails.measure(bed, sides, ONCE, quiet, size=2 * MIB)
    every = [row for row in done["rows"] if row["mode"] == "stripe" and row["nics"] == 4]
    assert [row["op"] for row in every] == ["READ", "WRITE"]
    for row in every:
        assert list(row["share"].values()) == pytest.approx([0.25] * 4, rel=0.05)
    stock = next(row for row in done["rows"] if row["mode"] == "stock")
    assert list(stock["share"].values()) == pytest.approx([0.5, 0.5, 0, 0], abs=0.02)


def test_small_buffers_are_even_where_memory_is_registered_after_the_meeting(
    bed: Guests, sides: Sides
) -> None:
    """The initiator then has packed no key of its own when the peer's come."""
    sizes = (16 << 10,) * 128
    work = Work("late", sizes, "READ", 0, 2, placement="arena", coalesce=True, overlap=True)
    [done] = runner.run(bed, [sides.case("stripe", {"stripe": "all"}, (work,))], 1, quiet)
    shares = runner.shares(done.repetitions(work), bed.counters)
    assert list(shares.values()) == pytest.approx([0.25] * 4, rel=0.05)


def mooncake(bed: Guests, peer: Peer, op: str) -> runner.Case:
    work = Work(f"{op} pieces", (MIB, 28 << 10), op, warmup=0, repeats=2)  # type: ignore[arg-type]
    return mooncake_cases(peer, bed, ONCE, (work,))[-1]


def test_mooncake_does_the_same_work(bed: Guests, peer: Peer) -> None:
    for op in ("READ", "WRITE"):
        case = mooncake(bed, peer, op)
        [done] = runner.run(bed, [case], 1, quiet)
        rows = done.repetitions(case.works[0])
        assert len(rows) == 2
        assert sum(sum(row.bytes.values()) for row in rows) > 2 * MIB
        assert max(runner.shares(rows, bed.counters).values()) < 0.5
        assert done.version == "0.3.13.post1"


@pytest.mark.parametrize("engine", ["nixl", "mooncake"])
def test_wrong_bytes_end_it(bed: Guests, sides: Sides, peer: Peer, engine: str) -> None:
    case = mooncake(bed, peer, "READ")
    if engine == "nixl":
        case = sides.case("stripe", {"stripe": "all"}, case.works)
    with pytest.raises(BenchFailedError, match="PayloadMismatchError"):
        runner.run(bed, [case], 1, quiet, corrupt=True)
