# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""How much a peer with the token may ask for: bytes, and workers and threads of UCX."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from listeners import BENCH_JOB, CASES, VERIFY_JOB, WORK, Listening, Verb
from nixl_stripe.bench import messages as bench_messages
from nixl_stripe.errors import StripeError
from nixl_stripe.lab.job import Nixl
from nixl_stripe.lab.remote import RefusedError
from nixl_stripe.lab.remote.bounds import MAX_WORKERS, check_amount
from nixl_stripe.verify import messages as verify_messages

Params = dict[str, str]
MOST: Params = {"num_workers": "64", "num_threads": "64"}


def verify_wish(params: Params) -> dict[str, Any]:
    return VERIFY_JOB | {"backend_params": params}


def bench_wish(params: Params, rivals: Sequence[Params] = ()) -> dict[str, Any]:
    works = [WORK] * max(1, len(rivals))
    return BENCH_JOB | {"params": params, "rivals": list(rivals), "works": works}


def check_bytes(held: int, moved: int) -> None:
    check_amount(held, moved, max_bytes=1000, available=lambda: 200)


def test_bytes_within_the_bounds() -> None:
    check_bytes(100, 1000)
    check_bytes(0, 0)


def test_bytes_beyond_them_bad_flow() -> None:
    with pytest.raises(RefusedError, match="accepted is half of this host's free memory"):
        check_bytes(101, 1000)
    with pytest.raises(RefusedError, match="start the listener with a higher --max-bytes"):
        check_bytes(100, 1001)


@pytest.mark.parametrize("params", [{}, {"stripe": "all", "num_workers": "4"}, MOST])
def test_one_agent_may_have_the_most_of_each(params: Params) -> None:
    job = verify_messages.own_job(verify_wish(params), Nixl(), None, 1 << 30)
    assert job.backend_params == params
    assert bench_messages.own_job(bench_wish(params), 1 << 30).params == params


def test_rivals_may_have_some_workers_each() -> None:
    rivals = [{"num_workers": "1"}, {"num_threads": "8"}, {}, {"num_workers": "64"}]
    assert len(bench_messages.own_job(bench_wish({}, rivals), 1 << 30).rivals) == 4
    assert len(bench_messages.own_job(bench_wish({}, [{}] * 64), 1 << 30).rivals) == 64


@pytest.mark.parametrize(
    ("rivals", "count"),
    [
        ([MOST, {}], 129),
        ([MOST] * 64, 8192),
        ([{"num_threads": "2"}] * 64, 192),
        ([{"num_workers": "64"}] * 3, 192),
    ],
)
def test_rivals_with_too_many_workers_bad_flow(rivals: list[Params], count: int) -> None:
    with pytest.raises(RefusedError) as found:
        bench_messages.own_job(bench_wish({}, rivals), 1 << 30)
    assert str(found.value) == (
        f"num_workers and num_threads of {len(rivals)} agent(s) make {count}: accepted are at most "
        f"{MAX_WORKERS} in all"
    )


def test_a_listener_refuses_too_many_workers_bad_flow() -> None:
    with Listening("bench") as listening:
        link = listening.peer()
        link.send("run", job=bench_wish({}, [MOST] * 2), environment={})
        with pytest.raises(StripeError, match="make 256: accepted are at most 128 in all"):
            link.receive(10, "ready")
        link.close()
        assert "make 256" in listening.ended()


@pytest.mark.parametrize("verb", ["verify", "bench"])
def test_a_listener_keeps_its_operators_metrics_bad_flow(verb: Verb) -> None:
    kind, fields = CASES[verb]
    with Listening(verb) as listening:
        link = listening.peer()
        link.send(kind, **fields | {"environment": {"NIXL_UCX_STRIPE_METRICS": None}})
        with pytest.raises(StripeError, match="NIXL_UCX_STRIPE_METRICS"):
            link.receive(10, "ready")
        link.close()
        assert "variable 'NIXL_UCX_STRIPE_METRICS': refused" in listening.ended()
