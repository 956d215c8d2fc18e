# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The worker's parts that need no NIXL: jobs, payload, channels, counters, results."""

from __future__ import annotations

import dataclasses
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from nixl_stripe.lab import side
from nixl_stripe.lab.buffers import DramStore, Payload
from nixl_stripe.lab.channel import (
    FolderChannel,
    Message,
    PeerFailedError,
    SocketChannel,
    ask,
    open_channel,
)
from nixl_stripe.lab.job import Job, Nixl
from nixl_stripe.lab.outcome import (
    Outcome,
    PayloadMismatchError,
    Repetition,
    SideError,
    SideReport,
    TransferFailedError,
)

JOB = Job("initiator", "WRITE", (1000, 3), repeats=2, counters=("r0", "r1"))
ROWS = (Repetition(0.0, 0.5, {"r0": 900, "r1": 1}), Repetition(0.0, 0.25, {"r0": 900, "r1": 2}))


def test_job_survives_json() -> None:
    job = dataclasses.replace(JOB, nixl=Nixl(("/site",), "nixl_cu12"), backend_params={"a": "b"})
    assert Job.from_json(job.to_json()) == job


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"op": "PUT"}, "op='PUT': accepted are READ, WRITE"),
        ({"then": "GET"}, "op='GET': accepted are READ, WRITE"),
        ({"memory": "disk"}, "memory='disk': accepted are dram, vram"),
        ({"sizes": ()}, "at least one buffer"),
        ({"sizes": (8, 0)}, "at least one buffer"),
        ({"repeats": 0}, "repeats=0"),
    ],
)
def test_job_bad_flow(changes: dict[str, object], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        dataclasses.replace(JOB, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("role", "op", "direction"),
    [
        ("initiator", "WRITE", "tx"),
        ("initiator", "READ", "rx"),
        ("target", "WRITE", "rx"),
        ("target", "READ", "tx"),
    ],
)
def test_payload_direction(role: str, op: str, direction: str) -> None:
    assert Job(role, op, (1,)).direction(op) == direction  # type: ignore[arg-type]


def test_nixl_is_found_by_folder_or_name(tmp_path: Path) -> None:
    assert Nixl.find(tmp_path) == Nixl((str(tmp_path),))
    assert Nixl.find("nixl_cu13") == Nixl((), "nixl_cu13")
    assert Nixl.find([tmp_path, "nixl_cu12"]) == Nixl((str(tmp_path),), "nixl_cu12")
    assert Nixl.find(None) == Nixl()
    with pytest.raises(ValueError, match="neither a folder nor a package name"):
        Nixl.find(tmp_path / "absent")


@pytest.mark.parametrize("sizes", [(1,), (7, 8, 9), (4096, 1, 65537)])
def test_payload_is_checked_byte_by_byte(sizes: tuple[int, ...]) -> None:
    payload, store = Payload(sizes), DramStore(sizes)
    payload.fill(store, 3)
    payload.check(store, 3)
    for index, size in enumerate(sizes):
        for at in {0, size // 2, size - 1}:
            store.read(index)[at] ^= 1
            with pytest.raises(
                PayloadMismatchError, match=f"buffer {index}: 1 of {size} bytes differ"
            ):
                payload.check(store, 3)
            store.read(index)[at] ^= 1
    payload.check(store, 3)


def test_corrupt_payload_is_detected() -> None:
    payload, store = Payload((64, 64)), DramStore((64, 64))
    payload.fill(store, 0, corrupt=True)
    with pytest.raises(
        PayloadMismatchError, match="buffer 1: 1 of 64 bytes differ, the first at 32"
    ):
        payload.check(store, 0)


def test_old_swapped_or_missing_payload_is_detected() -> None:
    payload, store = Payload((64, 64)), DramStore((64, 64))
    payload.fill(store, 0)
    with pytest.raises(PayloadMismatchError, match="repetition 1"):
        payload.check(store, 1)
    first, second = store.read(0).copy(), store.read(1).copy()
    store.write(0, second)
    store.write(1, first)
    with pytest.raises(PayloadMismatchError):
        payload.check(store, 0)
    payload.clear(store)
    with pytest.raises(PayloadMismatchError):
        payload.check(store, 0)


def test_socket_channel() -> None:
    here, there = socket.socketpair()
    a, b = SocketChannel(here), SocketChannel(there)
    a.send({"kind": "hello", "text": "x" * 5000})
    a.send({"kind": "done"})
    assert len(ask(b, 1, "hello")["text"]) == 5000
    assert ask(b, 1, "done") == {"kind": "done"}
    b.send({"kind": "failed", "text": "ValueError: bad"})
    with pytest.raises(PeerFailedError, match="ValueError: bad"):
        ask(a, 1, "verdict")
    b.send({"kind": "bye"})
    with pytest.raises(RuntimeError, match="'bye' where 'verdict' was expected"):
        ask(a, 1, "verdict")
    with pytest.raises(TimeoutError):
        a.receive(0.05)
    there.close()
    with pytest.raises(PeerFailedError, match="closed"):
        a.receive(1)
    with pytest.raises(PeerFailedError, match="closed"):
        a.send({"kind": "hello"})
    here.close()


def test_two_sides_that_send_much_do_not_wait_for_each_other() -> None:
    """As both do with the addresses of thousands of buffers, each before it reads the other's."""
    here, there = socket.socketpair()
    much = {"kind": "hello", "text": "x" * (4 << 20)}

    def exchange(side: SocketChannel) -> Message:
        side.send(much)
        return side.receive(30)

    with here, there, ThreadPoolExecutor(2) as pool:
        got = [pool.submit(exchange, SocketChannel(end)) for end in (here, there)]
        try:
            assert [each.result(30) for each in got] == [much, much]
        except Exception:  # the pool waits for its threads
            for end in (here, there):
                end.shutdown(socket.SHUT_RDWR)
            raise


def test_a_side_that_is_gone_ends_a_large_message_bad_flow() -> None:
    here, there = socket.socketpair()
    with here, ThreadPoolExecutor(1) as pool:
        sent = pool.submit(SocketChannel(here).send, {"kind": "hello", "text": "x" * (4 << 20)})
        there.recv(1)
        there.close()
        with pytest.raises(PeerFailedError, match="closed"):
            sent.result(30)


def test_folder_channel(tmp_path: Path) -> None:
    a, b = FolderChannel(tmp_path, "initiator"), FolderChannel(tmp_path, "target")
    for n in range(3):
        a.send({"kind": "hello", "n": n})
    assert [b.receive(1)["n"] for _ in range(3)] == [0, 1, 2]
    b.send({"kind": "bye"})
    assert a.receive(1) == {"kind": "bye"}
    with pytest.raises(TimeoutError, match=r"target\.1\.json is missing"):
        a.receive(0.1)


def test_channel_address_bad_flow() -> None:
    with pytest.raises(ValueError, match="accepted are fd:N and dir:PATH"):
        open_channel("tcp:1", "target")


def _outcome(initiator: SideReport, target: SideReport) -> Outcome:
    return Outcome.of(JOB, initiator, target)


def test_outcome_figures() -> None:
    outcome = _outcome(SideReport("initiator", repetitions=ROWS), SideReport("target", verified=2))
    assert outcome.require() is outcome
    assert outcome.bytes == {"r0": 1800, "r1": 3}
    assert outcome.rails_used == 1
    assert outcome.used == ("r0",)
    assert outcome.payload_bytes == 1003
    assert outcome.gbps_each == pytest.approx((1003 * 8e-9 / 0.5, 1003 * 8e-9 / 0.25))
    assert outcome.lanes is None


def test_outcome_of_both_operations_is_taken_apart() -> None:
    job = dataclasses.replace(JOB, op="READ", then="WRITE")
    assert job.ops == ("READ", "READ", "WRITE", "WRITE")
    reads = tuple(Repetition(0.0, 1.0, {"r0": 900, "r1": 0}, "READ") for _ in range(2))
    writes = tuple(Repetition(0.0, 0.5, {"r0": 0, "r1": 900}, "WRITE") for _ in range(2))
    mine = SideReport("initiator", repetitions=(*reads, *writes), verified=2)
    both = Outcome.of(job, mine, SideReport("target", verified=2)).require()
    assert both.of_op("READ").require().used == ("r0",)
    assert both.of_op("WRITE").require().used == ("r1",)
    assert both.of_op("WRITE").seconds == (0.5, 0.5)
    half = Outcome.of(job, mine, SideReport("target", verified=1))
    assert not half.ok
    assert half.of_op("READ").ok
    assert not half.of_op("WRITE").ok


def test_outcome_that_was_not_verified_is_not_ok() -> None:
    outcome = _outcome(SideReport("initiator", repetitions=ROWS), SideReport("target", verified=1))
    assert not outcome.ok
    with pytest.raises(TransferFailedError, match="not verified"):
        outcome.require()


def test_outcome_names_the_first_cause() -> None:
    cause = SideError("target", "ValueError", "max_rma_rails='x': accepted are 1..64, auto")
    outcome = _outcome(
        SideReport("initiator", error=SideError("initiator", "PeerFailedError", "ValueError")),
        SideReport("target", error=cause),
    )
    assert outcome.error == cause
    with pytest.raises(TransferFailedError, match="target: ValueError: max_rma_rails='x'"):
        outcome.require()


def test_wrong_bytes_are_worse_than_a_side_that_hung_after_them() -> None:
    wrong = SideError("target", "PayloadMismatchError", "buffer 3: byte 0 is 0, not 7")
    outcome = _outcome(
        SideReport("initiator", error=SideError("initiator", "TimeoutError", "killed")),
        SideReport("target", error=wrong),
    )
    assert outcome.error == wrong


def test_report_of_a_side_that_died(tmp_path: Path) -> None:
    log = tmp_path / "target.log"
    log.write_text("one\nSegmentation fault\n\n")
    report = SideReport.of("target", side.read(tmp_path, "target", -11))
    assert report.error is not None
    assert report.error.type == "SideDied"
    assert "exit status -11" in report.error.text
    assert "Segmentation fault" in report.error.text


def test_report_survives_json(tmp_path: Path) -> None:
    report = SideReport("target", repetitions=ROWS, error=SideError("target", "OSError", "x"))
    (tmp_path / "target.result").write_text(report.to_json())
    read = SideReport.of("target", side.read(tmp_path, "target", 0))
    assert read == dataclasses.replace(report, exit_status=0)
