# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Colours, tables and progress: on a terminal, on a dumb one, in a file."""

from __future__ import annotations

import io

import pytest
from nixl_stripe.bench import table as bench_table
from nixl_stripe.terminal import Cell, Live, Screen, progress, table


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "environ", "colour", "live"),
    [
        (Terminal(), {"TERM": "xterm"}, True, True),
        (Terminal(), {"TERM": "xterm", "NO_COLOR": ""}, True, True),
        (Terminal(), {"TERM": "xterm", "NO_COLOR": "1"}, False, True),
        (Terminal(), {"TERM": "dumb"}, False, False),
        (io.StringIO(), {"TERM": "xterm"}, False, False),
    ],
)
def test_what_a_stream_takes(
    stream: io.StringIO, environ: dict[str, str], colour: bool, live: bool
) -> None:
    screen = Screen(stream, environ)
    assert (screen.has_colour, screen.is_live) == (colour, live)
    assert ("\x1b" in screen.styled("text", "bold red")) == colour
    assert (screen.width is None) == (not stream.isatty())


def test_columns_stand_below_their_heads() -> None:
    screen = Screen(io.StringIO())
    second: list[str | Cell] = ["long name", "22", "why [not] 0000:cd:00.0"]
    rows: list[list[str | Cell]] = [["a", "1", Cell("x", "red")], second]
    assert table(screen, ("", "n", "note"), rows, left=("", "note")) == [
        "            n  note",
        "a           1  x",
        "long name  22  why [not] 0000:cd:00.0",
    ]


@pytest.mark.parametrize(("load", "is_said"), [(1.5, False), (7.0, True)])
def test_a_benchmarks_table_says_that_the_machine_was_busy(load: float, is_said: bool) -> None:
    stream = io.StringIO()
    document = {
        "machine": {"cores": 2},
        "load": {"before": load, "after": load},
        "rows": [{"mode": "stock", "gbps": 1.5}],
        "ratios": {"stripe over stock": 2.0},
    }
    bench_table.show(Screen(stream), document, ("mode", "gbps"))
    said = stream.getvalue()
    assert "stripe over stock: 2.000" in said
    assert ("busy machine" in said) == is_said


def test_a_style_takes_no_room() -> None:
    screen = Screen(Terminal(), {"TERM": "xterm"})
    (_, line) = table(screen, ("a", "b"), [[Cell("x", "red"), "y"]], left=("a",))
    assert line == "\x1b[31mx\x1b[0m  y"


@pytest.mark.parametrize("term", ["xterm", "dumb"])
def test_progress(monkeypatch: pytest.MonkeyPatch, term: str) -> None:
    monkeypatch.setenv("TERM", term)
    stream = Terminal()
    with progress("verb: ", stream) as say:
        say("one")
        say("two")
    said = stream.getvalue()
    if term == "dumb":
        assert said == "verb: one\nverb: two\n"
    else:
        assert said == "\r\x1b[2Kone\r\x1b[2Ktwo\r\x1b[2K"


def test_progress_in_a_file_is_a_line_each_and_no_escapes() -> None:
    stream = io.StringIO()
    with progress("", stream) as say:
        say("one")
    assert stream.getvalue() == "one\n"


def test_live_lines_take_the_place_of_the_ones_before() -> None:
    stream = Terminal()
    with Live(Screen(stream, {"TERM": "xterm"})) as live:
        live.show(["a", "b"])
        live.show(["c"])
    assert stream.getvalue() == "\x1b[?7l\r\x1b[0Ja\nb\n\x1b[2A\r\x1b[0Jc\n\x1b[?7h"
