# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The link between two hosts' commands: frames, messages, workers' lines, and what is refused."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nixl_stripe.lab.remote import Link, LinkLostError, RefusedError, frames, link
from nixl_stripe.lab.remote.frames import MESSAGE, WORKER_LINE, Frame, Opener, Sealer
from nixl_stripe.lab.remote.worker_lines import checked_line
from nixl_stripe.untrusted import schema
from nixl_stripe.verify import messages

KEY, OTHER = b"k" * 32, b"o" * 32
PLAIN = schema.record({"kind": schema.text(16)}, {"x": schema.text(1 << 22)})
KINDS = dict.fromkeys(("report", "bye", "hello"), PLAIN)


def frame_of(payload: bytes = b"payload", number: int = 0, key: bytes = KEY) -> bytes:
    sealer = Sealer(key)
    for _ in range(number):
        sealer.seal(MESSAGE, b"before")
    return sealer.seal(MESSAGE, payload)


@given(payloads=st.lists(st.binary(max_size=300), max_size=5), cut=st.integers(1, 50))
def test_frames_arrive_as_they_were_sent(payloads: list[bytes], cut: int) -> None:
    sealer, opener = Sealer(KEY), Opener(KEY)
    stream = b"".join(sealer.seal(WORKER_LINE, each) for each in payloads)
    got = [f for i in range(0, len(stream), cut) for f in opener.feed(stream[i : i + cut])]
    assert got == [Frame(WORKER_LINE, each) for each in payloads]
    assert opener.pending == 0


def test_every_changed_byte_is_noticed_bad_flow() -> None:
    whole = frame_of()
    for place in range(len(whole)):
        changed = bytearray(whole)
        changed[place] ^= 1
        opener = Opener(KEY)
        if 1 <= place < 5:  # the length: too much, or the frame never is whole, or is another
            opener = Opener(KEY, limit=len("payload") + 1)
            changed += bytes(300)
        with pytest.raises(RefusedError):
            opener.feed(bytes(changed))


def test_a_frame_of_another_time_place_or_side_bad_flow() -> None:
    for wrong in (frame_of(number=1), frame_of(key=OTHER), frame_of() + frame_of()):
        with pytest.raises(RefusedError, match="did not make, or not now"):
            Opener(KEY).feed(wrong)


def test_frames_that_are_too_long_bad_flow() -> None:
    with pytest.raises(RefusedError, match="accepted are at most 10"):
        Opener(KEY, limit=10).feed(frame_of(b"x" * 11)[:5])
    with pytest.raises(RefusedError, match="accepted are at most"):
        Sealer(KEY).seal(MESSAGE, bytes(frames.MAX_PAYLOAD + 1))


@pytest.fixture
def links() -> Iterator[tuple[Link, Link]]:
    left, right = socket.socketpair()
    with left, right:
        yield (
            Link(left, Sealer(KEY), Opener(OTHER), KINDS),
            Link(right, Sealer(OTHER), Opener(KEY), KINDS),
        )


def test_messages_arrive(links: tuple[Link, Link]) -> None:
    here, there = links
    here.send("report", x="1")
    assert there.receive(1, "report") == {"kind": "report", "x": "1"}


def test_two_who_send_much_at_once_do_not_block(links: tuple[Link, Link]) -> None:
    """More than the sockets hold, both ways; one of them is a process of its own."""
    here, there = links
    script = (
        "import socket, sys\n"
        "from nixl_stripe.lab.remote import Link\n"
        "from nixl_stripe.lab.remote.frames import Opener, Sealer\n"
        "from nixl_stripe.untrusted import schema\n"
        "plain = schema.record({'kind': schema.text(16)}, {'x': schema.text(1 << 22)})\n"
        "end = Link(socket.socket(fileno=int(sys.argv[1])), Sealer(b'o' * 32),"
        " Opener(b'k' * 32), {'report': plain})\n"
        "end.send('report', x='y' * (4 << 20))\n"
        "print(len(end.receive(60, 'report')['x']))\n"
    )
    number = there.connection.fileno()
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(number)],
        pass_fds=[number],
        stdout=subprocess.PIPE,
        text=True,
    )
    here.send("report", x="x" * (4 << 20))
    assert len(here.receive(60, "report")["x"]) == 4 << 20
    assert process.communicate(timeout=60)[0].strip() == str(4 << 20)


def test_unexpected_silent_and_gone_peers_bad_flow(links: tuple[Link, Link]) -> None:
    here, there = links
    with pytest.raises(LinkLostError, match=r"said nothing for 0\.05 s"):
        there.receive(0.05, "hello")
    here.send("bye")
    with pytest.raises(LinkLostError, match="'bye' where hello or report was expected"):
        there.receive(1, "hello", "report")
    here.close()
    with pytest.raises(LinkLostError, match="closed the connection"):
        there.receive(1, "hello")


def test_a_peer_that_takes_nothing_bad_flow(
    links: tuple[Link, Link], monkeypatch: pytest.MonkeyPatch
) -> None:
    here, _ = links
    with pytest.raises(LinkLostError, match=r"took nothing for 0\.1 s"):
        here._push(MESSAGE, bytes(frames.MAX_PAYLOAD), 0.1)


@pytest.mark.parametrize(
    "said",
    [b"[" * 100_000, b'{"kind": "shell"}', b'{"kind": ["report"]}', b"[1]", b"\xff", b'{"x": NaN}'],
)
def test_messages_that_are_none_bad_flow(links: tuple[Link, Link], said: bytes) -> None:
    here, there = links
    here._push(MESSAGE, said)
    with pytest.raises(LinkLostError, match="what the other side says is refused") as found:
        there.receive(5, "report")
    assert str(found.value).isprintable()
    with pytest.raises(LinkLostError, match="the other side refuses: "):
        here.receive(5, "report")


def test_a_peer_that_says_more_than_it_was_asked_bad_flow(
    links: tuple[Link, Link], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "_MAX_QUEUED_FRAMES", 10)
    here, there = links
    for _ in range(12):
        here._push(WORKER_LINE, b'{"kind": "done"}')
    with pytest.raises(LinkLostError, match="more than was asked for"):
        there.receive(5, "report")


LINES: tuple[dict[str, Any], ...] = (
    {"kind": "hello", "metadata": "00ff", "descs": "ab"},
    {"kind": "failed", "text": "why\nnot"},
    *({"kind": kind} for kind in ("ready", "done", "verdict", "over", "bye")),
)


@pytest.mark.parametrize("line", LINES, ids=lambda line: line["kind"])
def test_lines_of_workers(line: dict[str, Any]) -> None:
    assert json.loads(checked_line(json.dumps(line).encode())) == line


@pytest.mark.parametrize(
    "line",
    [
        {"kind": "hello", "metadata": "0", "descs": "ab"},
        {"kind": "hello", "metadata": "zz", "descs": "ab"},
        {"kind": "hello", "metadata": "00"},
        {"kind": "hello", "metadata": "00", "descs": "00", "segment": "x"},
        {"kind": "ready", "more": 1},
        {"kind": "exec"},
        {"kind": 5},
        [],
    ],
)
def test_lines_of_workers_bad_flow(line: object) -> None:
    with pytest.raises(RefusedError):
        checked_line(json.dumps(line).encode())


def test_what_a_worker_is_told_ends_no_line_and_moves_no_cursor_bad_flow() -> None:
    line = checked_line(b'{"kind": "failed", "text": "a\\u001b[2J\\r\\u202e"}')
    assert json.loads(line)["text"] == "a\\x1b[2J\\r\\u202e"


def test_a_verdict_is_shown_without_control_characters_bad_flow() -> None:
    report = {"ok": True, "where": "\x1b[2J", "results": [], "notes": ["a\nb"]}
    said = {"kind": "bye", "report": report, "text": "fine\n\x1b]0;owned\x07\x9b"}
    checked = messages.TO_LISTENER["bye"](said, "bye")
    assert checked["text"] == "fine\n\\x1b]0;owned\\x07\\x9b"
    assert checked["report"]["where"] == "\\x1b[2J"
    assert checked["report"]["notes"] == ["a\\nb"]


def test_reports_keep_the_end_of_a_long_log(tmp_path: Path) -> None:
    from nixl_stripe.lab.outcome import SideError, SideReport

    error = SideError("target", "ValueError", "x" * 99_999, "y" * 99_999)
    long = SideReport("target", error=error, log="a" * 999_999 + "end")
    told = {"kind": "report", "report": messages.told(long)}
    heard = messages.TO_LISTENER["report"](json.loads(json.dumps(told)), "report")
    assert heard["report"]["log"].endswith("end")
    assert SideReport.from_json(json.dumps(heard["report"])).error is not None
