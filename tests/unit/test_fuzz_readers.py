# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Readers of files and programs' output, with a thousand changed inputs each."""

from __future__ import annotations

import dataclasses

import pytest
from fuzz import readers
from hypothesis import given, settings
from hypothesis import strategies as st
from nixl_stripe._core import parse_stripe
from nixl_stripe.errors import StripeError
from nixl_stripe.lab import proto_info
from nixl_stripe.wheel.record import Record

TRIES = 1000


@pytest.mark.parametrize("name", readers.READERS)
def test_changed_inputs_are_read_or_refused(name: str) -> None:
    ended = readers.run(name, TRIES)
    assert ended.total() == TRIES
    assert ended["read"] > 0
    if readers.READERS[name].refusals:
        assert ended["refused"] > 0


def test_a_reader_that_raises_something_else_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    promises_nothing = dataclasses.replace(readers.READERS["stripe"], refusals=())
    monkeypatch.setitem(readers.READERS, "stripe", promises_nothing)
    with pytest.raises(ValueError, match="stripe="):
        readers.run("stripe", TRIES)


@settings(max_examples=3000, deadline=None)
@given(st.text())
def test_any_text_is_a_stripe_or_refused(text: str) -> None:
    try:
        spec = parse_stripe("stripe", text)
    except ValueError as error:
        assert "stripe=" in str(error)  # noqa: PT017 - both ends are fine
    else:
        assert parse_stripe("stripe", spec.text).text == spec.text


@settings(max_examples=3000, deadline=None)
@given(st.text(alphabet=st.sampled_from("|% on/_:.,0123456789KMrcmlx5inf \n[]")))
def test_any_text_is_a_log_with_or_without_protocols(text: str) -> None:
    for table in proto_info.parse(text):
        assert table.rows


@settings(max_examples=4000, deadline=None)
@given(st.binary())
def test_any_bytes_are_a_record_or_refused(data: bytes) -> None:
    try:
        record = Record.parse(data)
    except StripeError as error:
        assert "RECORD: " in str(error)  # noqa: PT017 - both ends are fine
    else:
        assert record.text.encode("utf-8", "surrogateescape") == data
