# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Proof as a pod sees it, without counters in sysfs; two jobs on the same NICs told apart."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from guest_beds import CACHE, ready_or_skip
from nixl_stripe.lab.guests import Guests
from nixl_stripe.lab.guests.environment import BASE_ENVIRONMENT, POD
from nixl_stripe.lab.job import OPS, Nixl
from nixl_stripe.proof.agents import parse
from nixl_stripe.verify import OpResult, Request, verify

pytestmark = [pytest.mark.guests, pytest.mark.timeout(600)]

MIB = 1 << 20
NICS = ("rxe0", "rxe1", "rxe2", "rxe3")
#: UCX asks the routes of its own network namespace, which has none to the peer.
REACHABLE = {"UCX_IB_ROCE_REACHABILITY_MODE": "all"}

LOOK = """
import json, os
import nixl_stripe
from nixl_stripe.proof import sources
host = sources.host()
print(json.dumps({
    "uid": os.getuid(),
    "ports": os.listdir("/sys/class/infiniband/rxe0/ports/1"),
    "interfaces": os.listdir("/sys/class/net"),
    "up": [nic for nic in host.nics() if host.is_up(nic)],
    "sources": nixl_stripe.counters().sources,
    "reasons": [answer.reason for answer in host.sources("rxe0") if answer.source is None],
}))
"""

#: Looks at all NICs until the file that it is given appears.
WATCH = """
import json, pathlib, sys, time
from nixl_stripe.proof.sources import all_nics
from nixl_stripe.proof.watch import Watch
end = pathlib.Path(sys.argv[1])
watch = Watch(all_nics(), all_nics(), by_process=True)
end.with_suffix(".ready").touch()
while not end.exists():
    time.sleep(0.2)
    watch.sample()
print(json.dumps(watch.summary().to_dict()))
"""


@pytest.fixture(scope="module")
def ground() -> Iterator[Guests]:
    ready_or_skip()
    with Guests(4, gpus="N", cache=CACHE, boot_limit_s=180, warm=True) as ground:
        yield ground


def look(ground: Guests, *within: str) -> dict[str, Any]:
    ended = ground.run(
        {"initiator": [*within, sys.executable, "-c", LOOK]},
        environment={"initiator": BASE_ENVIRONMENT},
    )["initiator"]
    assert ended.status == 0, ended.output
    found: dict[str, Any] = json.loads(ended.output.splitlines()[-1])
    return found


def test_what_a_pod_sees(ground: Guests) -> None:
    ground.open_to_all("initiator")
    host, pod = look(ground), look(ground, *POD)
    assert (host["uid"], pod["uid"]) == (0, 65534)
    assert "hw_counters" in host["ports"]
    assert not {"counters", "hw_counters"} & set(pod["ports"])
    assert pod["interfaces"] == ["lo"]
    assert host["up"] == pod["up"] == list(NICS)
    assert {each["name"] for each in host["sources"].values()} == {"netdev"}
    assert {each["name"] for each in pod["sources"].values()} == {"queue-pairs"}
    assert {each["kind"] for each in pod["sources"].values()} == {"inferred"}
    reasons = " ".join(pod["reasons"])
    assert "its interface rail0 is in another network namespace" in reasons
    assert "rdma statistic set link rxe0/1 optional-counters rdma_tx_bytes,rdma_rx_bytes" in reasons


def verified(ground: Guests, nixl: Path, *, pod: bool) -> tuple[OpResult, ...]:
    ground.within = {"initiator": POD} if pod else {}
    try:
        return verify(
            Request(
                nixl=Nixl.find(nixl),
                size=4 * MIB,
                repeats=1,
                stock=False,
                environment=REACHABLE if pod else {},
            ),
            ground,
        ).results
    finally:
        ground.within = {}


@pytest.mark.parametrize("pod", [False, True], ids=["host", "pod"])
def test_the_same_verdict_as_on_the_host(ground: Guests, striped: Path, pod: bool) -> None:
    read, write = verified(ground, striped, pod=pod)
    assert (read.op, write.op) == ("READ", "WRITE")
    for result in (read, write):
        assert result.ok, result.describe()
        assert (result.proof, result.planned) == ("bytes", NICS)
        share = [result.figures.share[name] for name in NICS]
        assert share == pytest.approx([0.25] * 4, abs=0.02)
        sources = {nic: each["name"] for nic, each in result.figures.source.items()}
        assert sources == dict.fromkeys(NICS, "queue-pairs" if pod else "netdev")
        assert 4 * MIB <= sum(result.figures.bytes.values()) <= 4.8 * MIB


@pytest.mark.parametrize("pod", [False, True], ids=["host", "pod"])
def test_the_same_failure_as_on_the_host_bad_flow(ground: Guests, stock: Path, pod: bool) -> None:
    read, write = verified(ground, stock, pod=pod)
    assert (read.op, write.op) == ("READ", "WRITE")
    for result in (read, write):
        assert (result.ok, result.figures.verified) == (False, True), result.describe()
        assert (result.proof, result.short) == ("bytes", ("rxe2", "rxe3"))
        names = {result.figures.source[nic]["name"] for nic in NICS}
        assert names == {"queue-pairs" if pod else "netdev"}


def test_what_is_handed_to_ucx_is_what_nics_count(ground: Guests, striped: Path) -> None:
    file = ground.new_folder() / "initiator.prom"
    variable = "NIXL_UCX_STRIPE_METRICS"
    outcome = ground.transfer(
        sizes=[4 * MIB],
        op="READ",
        then="WRITE",
        nixl=striped,
        backend_params={"stripe": "all"},
        environment={variable: str(file)},
        peer_environment={variable: None},
    ).require()
    samples = parse(file.read_bytes(), file.stem).samples
    intended = {each.labels: each.value for each in samples if each.name == "intended_bytes_total"}
    for op in OPS:
        direction = {"READ": "in", "WRITE": "out"}[op]
        assert [intended[nic, direction] for nic in NICS] == [MIB] * 4
        counted = outcome.of_op(op).require().share
        assert list(counted.values()) == pytest.approx([0.25] * 4, abs=0.02)
    assert sum(intended.values()) == 8 * MIB, "and no other NIC"


def wait_for(file: Path) -> None:
    """Wait for long, for a busy machine's sake: who looks too late misses the beginning."""
    for _ in range(1200):
        if file.exists():
            return
        time.sleep(0.1)
    pytest.fail(f"{file.name} did not appear")


def watched(ground: Guests, nixl: Path, *sizes: int) -> dict[str, Any]:
    """Run a job for each size at the same time and return what was seen meanwhile."""
    end = ground.new_folder() / "end"
    with ThreadPoolExecutor() as pool:
        watch = pool.submit(
            ground.run,
            {"initiator": [sys.executable, "-c", WATCH, str(end)]},
            environment={"initiator": BASE_ENVIRONMENT},
            limit_s=240,
        )
        try:
            wait_for(end.with_suffix(".ready"))
            jobs = [
                pool.submit(
                    ground.transfer,
                    sizes=[size],
                    op="WRITE",
                    nixl=nixl,
                    backend_params={"stripe": "all"},
                    limit_s=60,
                )
                for size in sizes
            ]
            for job in jobs:
                job.result().require()
        finally:
            end.touch()
        ended = watch.result()["initiator"]
    assert ended.status == 0, ended.output
    found: dict[str, Any] = json.loads(ended.output.splitlines()[-1])
    return found


def are_told_apart(seen: dict[str, Any]) -> bool:
    """Whether the jobs have 75 and 25 % within 2 points, each a quarter of it on every NIC."""
    rows = [row for row in seen["processes"] if row["share"] > 0.01]
    return (
        [row["share"] for row in rows] == pytest.approx([0.75, 0.25], abs=0.02)
        and all(
            row["gbps"][nic] == pytest.approx(sum(row["gbps"].values()) / 4, rel=0.05)
            for row in rows
            for nic in NICS
        )
        and seen["untold"] == {}
    )


def test_two_jobs_are_told_apart(ground: Guests, striped: Path) -> None:
    # What a queue pair moves before the first look and after the last is not seen: a busy machine
    # may look too late once, not three times.
    for _ in range(3):
        seen = watched(ground, striped, 12 * MIB, 4 * MIB)
        if are_told_apart(seen):
            break
    else:
        pytest.fail(f"not told apart: {seen['processes']}, untold {seen['untold']}")
    rows = [row for row in seen["processes"] if row["share"] > 0.01]
    assert {row["kind"] for row in rows} == {"inferred"}
    assert {each["kind"] for each in seen["nics"]} == {"counted"}
    for row in rows:
        assert row["command"].startswith("python")
        assert set(row["gbps"]) == set(NICS)


def test_one_job_has_it_all(ground: Guests, striped: Path) -> None:
    seen = watched(ground, striped, 4 * MIB)
    (row,) = [row for row in seen["processes"] if row["share"] > 0.01]
    assert row["share"] > 0.98
