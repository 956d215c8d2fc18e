# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Text of others on a terminal: nothing hidden, nothing turned round, nothing but text."""

from __future__ import annotations

import pytest
from nixl_stripe.cli.bench_run import Run
from nixl_stripe.terminal import progress
from nixl_stripe.untrusted import one_line, several_lines

HIDDEN = {
    "bidi override": "\u202e",
    "isolate": "\u2066",
    "zero width": "\u200b",
    "escape": "\x1b]8;;file:///etc\x07",
    "surrogate": "\udc80",
    "private": "\ue000",
    "filler of Hangul": "\u3164",
    "half-width filler": "\uffa0",
    "empty Braille": "\u2800",
    "marks in a pile": "\u0301" * 50,
    "an enclosing mark": "\u20dd",
    "a variation selector": "\ufe0f",
    "letters from right to left": "\u05d0",
    "Arabic letters and digits": "\u0627\u0661",
    "a line's end": "\u2028",
}


@pytest.mark.parametrize("text", ["node-7.rack_2 (mlx5_0:1)", "Zeit\u00fcberschreitung", "\u4e2d"])
def test_what_can_be_read_stays(text: str) -> None:
    assert one_line(text) == several_lines(text) == text


@pytest.mark.parametrize("text", HIDDEN.values(), ids=HIDDEN)
def test_what_cannot_be_read_is_an_escape_bad_flow(text: str) -> None:
    for shown in (one_line(f"a{text}b", 1000), several_lines(f"a{text}b")):
        assert shown.isascii()
        assert shown.isprintable()
        assert len(shown) > len(text) + 2


MARKUP = "[link=file:///etc]node[/link] [/nonsense] [bold]x"


@pytest.mark.parametrize("terminal", [True, False])
@pytest.mark.parametrize("verb", ["verify", "bench"])
def test_brackets_are_no_markup_bad_flow(
    terminal: bool,
    verb: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A tag that closes nothing would be an exception, a link an escape sequence."""
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("sys.stderr.isatty", lambda: terminal)
    shown = progress("verify: ") if verb == "verify" else Run.progress(object.__new__(Run))
    with shown as say:
        say(MARKUP)
    err = capsys.readouterr().err
    assert MARKUP in err
    assert "\x1b]8" not in err
