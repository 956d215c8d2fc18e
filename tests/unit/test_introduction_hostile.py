# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Introductions made to do harm: they count as none, with one line in the log."""

from __future__ import annotations

import json
import logging
import time
import tracemalloc
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from nixl_stripe.agents.introduction import _MAGIC, _TAIL, detach
from nixl_stripe.agents.meeting import _MAX_SAID, Meetings

METADATA = b"nixlSerDes|Agent\x01\x00\x00\x00\x00\x00\x00\x00b"
SEEDS = Path(__file__).parent.parent / "fuzz" / "seeds" / "introduction"


def seed(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((SEEDS / f"{name}.json").read_text())
    return found


def with_text(text: bytes) -> bytes:
    body = zlib.compress(text, 9)
    return METADATA + body + _TAIL.pack(zlib.crc32(body), len(body), _MAGIC)


def with_data(data: object) -> bytes:
    return with_text(json.dumps(data).encode())


def changed(*path: str, to: object) -> dict[str, Any]:
    data = seed("gb200")
    at = data
    for part in path[:-1]:
        at = at[part]
    at[path[-1]] = to
    return data


HOSTILE: dict[str, bytes] = {
    "deep": with_text(b"[" * 200_000),
    "deep and closed": with_text(b'{"a":' * 100_000 + b"1" + b"}" * 100_000),
    "a long number": with_text(b'{"version":' + b"9" * 5000 + b"}"),
    "too large a number": with_text(b'{"version":1e999,"plan":{}}'),
    "no number": with_text(b'{"version":NaN}'),
    "many items": with_text(b"[" + b"[]," * 60_000 + b"1]"),
    "a key twice": with_text(b'{"version":1,"version":1}'),
    "no object": with_text(b"[]"),
    "no text": with_text(b'\xff\xfe{"a"'),
    "swollen": with_text(b" " * (50 << 20) + b"{}"),
    "not compressed": METADATA + b"xx" + _TAIL.pack(zlib.crc32(b"xx"), 2, _MAGIC),
    "no plan": with_data(changed("plan", to=None)),
    "a plan that is a list": with_data(changed("plan", to=[])),
    "devices that are a text": with_data(changed("plan", "devices", to="abc")),
    "a count that is a text": with_data(changed("plan", "rails", to="4")),
    "settings that are a number": with_data(changed("plan", "settings", to=5)),
    "an odd NIC": with_data(changed("plan", "nics", to=[{"device": []}])),
    "a long name": with_data(changed("agent", to="x" * 1000)),
    "very many NICs": with_data(changed("plan", "nics", to=[{"device": "a"}] * 1000)),
    "a negative rate": with_data(changed("plan", "nics", to=[{"device": "a", "rate_gbps": -1}])),
}


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    caplog.set_level(logging.INFO, "nixl_stripe")
    yield caplog
    assert [line for line in caplog.messages if not line.isprintable()] == []


def striped() -> Meetings:
    meetings = Meetings("here")
    _, meetings._mine = detach(with_data(seed("gb200")))
    assert meetings._mine is not None
    return meetings


@pytest.mark.parametrize("name", HOSTILE)
def test_it_counts_as_none_with_one_line_bad_flow(name: str, log: pytest.LogCaptureFixture) -> None:
    meetings = striped()
    start = time.process_time()
    for _ in range(3):
        plain, theirs = meetings.meet(HOSTILE[name])
        meetings.compare(theirs)
        assert (plain, theirs) == (METADATA, None)
    assert time.process_time() - start < 1
    (line,) = log.messages
    assert line.startswith("a peer's introduction is not accepted, so its plan is not compared: ")


def test_its_memory_is_bounded_bad_flow() -> None:
    made = HOSTILE["swollen"]
    tracemalloc.start()
    try:
        detach(made)
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()


def test_one_that_says_it_is_huge_stays_with_nixl_bad_flow(log: pytest.LogCaptureFixture) -> None:
    body = bytes(1 << 20)
    made = METADATA + body + _TAIL.pack(zlib.crc32(body), len(body), _MAGIC)
    assert striped().meet(made) == (made, None)
    assert "accepted are at most 65536" in log.messages[0]


def test_names_reach_the_log_escaped_bad_flow(log: pytest.LogCaptureFixture) -> None:
    data = seed("stock")
    data.update(host="x\x1b[31m\nERROR a line of its own", agent="b\u202e")
    meetings = striped()
    meetings.compare(meetings.meet(with_data(data))[1])
    (line,) = log.messages
    assert "x\\x1b[31m\\nERROR a line of its own" in line


def test_peers_under_ever_new_names_do_not_fill_the_log_bad_flow(
    log: pytest.LogCaptureFixture,
) -> None:
    meetings = striped()
    for number in range(3 * _MAX_SAID):
        data = {**seed("stock"), "agent": f"agent{number}"}
        meetings.compare(meetings.meet(with_data(data))[1])
    assert len(log.messages) == _MAX_SAID + 1
    assert log.messages[-1] == f"{_MAX_SAID} findings about peers: no more of them are logged"
    assert len(meetings._said) <= _MAX_SAID + 1


def test_a_newer_version_that_says_what_ours_does_is_accepted(
    log: pytest.LogCaptureFixture,
) -> None:
    """During a rollout hosts are of different versions."""
    newer = seed("gb300")
    assert newer["version"] == 2
    newer["plan"]["nics"][0]["new_key"] = {"a": [1]}
    plain, theirs = striped().meet(with_data(newer))
    assert plain == METADATA
    assert theirs is not None
    assert len(theirs.plan.devices) == 8
    assert log.messages == []


def test_a_newer_version_that_says_something_else_is_named_bad_flow(
    log: pytest.LogCaptureFixture,
) -> None:
    newer = {"version": 7, "who": "a", "nics": []}
    assert striped().meet(with_data(newer)) == (METADATA, None)
    assert "version 7 of introductions, this nixl-stripe knows 1: " in log.messages[0]
