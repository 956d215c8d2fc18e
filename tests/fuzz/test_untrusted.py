# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What peers send, at random: a short run of the fuzzer, and properties of the readers."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fuzz import untrusted
from fuzz.mutator import Mutator
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nixl_stripe.agents.introduction import detach
from nixl_stripe.untrusted import Limits, RefusedError, one_line, read_json, several_lines

#: Four properties, ten thousand inputs in all.
MANY = settings(max_examples=2500, deadline=None, suppress_health_check=list(HealthCheck))
LIMITS = Limits(size=10_000, depth=8, items=500)

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


@pytest.mark.parametrize("target", untrusted.TARGETS)
def test_the_fuzzer_finds_nothing_and_reaches_everything(target: str) -> None:
    ended = untrusted.run(target, 4000, seed=1)
    assert ended["accepted"] > 40
    assert ended.total() == 4000


def test_the_same_seed_gives_the_same_inputs() -> None:
    seed = untrusted.seeds("introduction")[0]
    first, second = Mutator(3), Mutator(3)
    assert [first.text(seed) for _ in range(50)] == [second.text(seed) for _ in range(50)]


def test_the_fuzzer_notices_bad_flow(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def careless(mutator: Mutator, seed: Any) -> str:
        return str(json.loads(mutator.text(seed)))

    monkeypatch.setitem(untrusted.TARGETS, "message", careless)
    with pytest.raises((ValueError, RecursionError)):
        untrusted.run("message", 4000)
    assert "message, seed 0, after " in capsys.readouterr().out


def read_or_why(text: bytes) -> Any:
    """Return what was read, or the refusal, which can be shown."""
    try:
        return read_json(text, LIMITS)
    except RefusedError as error:
        if not str(error).isprintable():
            raise AssertionError(repr(str(error))) from error
        return error


@MANY
@given(value=values)
def test_the_reader_reads_what_json_writes_or_refuses_it(value: Any) -> None:
    text = json.dumps(value).encode()
    found = read_or_why(text)
    assert isinstance(found, RefusedError) or found == json.loads(text)


@MANY
@given(text=st.binary(max_size=200) | st.text(alphabet='[]{}",:\\01eE-. nulltrue').map(str.encode))
def test_the_reader_reads_no_more_than_json_does(text: bytes) -> None:
    found = read_or_why(text)
    assert isinstance(found, RefusedError) or found == json.loads(text)


@MANY
@given(metadata=st.binary(max_size=300), cut=st.integers(0, 60))
def test_metadata_of_any_kind_is_given_to_nixl(metadata: bytes, cut: int) -> None:
    whole = untrusted.metadata_with(metadata)
    for each in (metadata, whole, whole[cut:], whole[: len(whole) - cut]):
        plain, theirs = detach(each)
        assert each.startswith(plain)
        assert theirs is None


@MANY
@given(text=st.text(max_size=60), limit=st.integers(4, 80))
def test_shown_text_can_do_nothing_but_be_read(text: str, limit: int) -> None:
    assert one_line(text, limit).isprintable()
    assert len(one_line(text, limit)) <= max(limit, 4)
    assert "".join(several_lines(text).split("\n")).replace("\t", "").isprintable()


#: Scripts whose every character takes a place of its own, in the order in which it is written.
_PLAIN = [
    st.characters(min_codepoint=first, max_codepoint=last)
    for first, last in ((0x20, 0x7E), (0xC0, 0x24F), (0x3B1, 0x3C9), (0x4E00, 0x9FA5))
]


@MANY
@given(text=st.text(st.one_of(_PLAIN), max_size=60), limit=st.integers(60, 80))
def test_text_that_is_plain_is_shown_as_it_is(text: str, limit: int) -> None:
    assert one_line(text, limit) == text
    assert several_lines(text) == text
