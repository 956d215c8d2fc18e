# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""RECORD: what is edited is right, what is not keeps its bytes."""

from __future__ import annotations

import csv
import hashlib
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nixl_stripe.wheel.record import Entry, Record, digest_of

TEXT = 'a.so,sha256=AAA,1\r\n"with, comma",sha256=BBB,2\r\nd/RECORD,,\r\n'

names = st.text(st.characters(codec="utf-8", exclude_characters="\0\r\n"), min_size=1, max_size=12)
rows = st.dictionaries(names, st.binary(max_size=8), min_size=1, max_size=6)


def record_of(files: dict[str, bytes], line_end: str) -> Record:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator=line_end)
    for name, data in files.items():
        writer.writerow([name, digest_of(data), len(data)])
    return Record.parse(out.getvalue().encode())


def test_rows_are_read_with_quoting() -> None:
    record = Record.parse(TEXT.encode())
    assert record.paths() == ["a.so", "with, comma", "d/RECORD"]
    assert record.get("with, comma") == Entry("sha256=BBB", "2")
    assert record.get("d/RECORD") == Entry("", "")
    assert record.get("absent") is None
    assert record.text == TEXT


def test_a_changed_and_a_new_row_keep_the_line_ends() -> None:
    record = Record.parse(TEXT.encode()).put("a.so", Entry("sha256=CCC", "3"), after="")
    record = record.put("a,b", Entry("sha256=DDD", "4"), after="a.so")
    assert record.text == (
        'a.so,sha256=CCC,3\r\n"a,b",sha256=DDD,4\r\n"with, comma",sha256=BBB,2\r\nd/RECORD,,\r\n'
    )


def test_a_new_row_behind_a_row_that_is_absent_is_refused() -> None:
    with pytest.raises(KeyError, match="new"):
        Record.parse(TEXT.encode()).put("new", Entry("", ""), after="absent")


def test_a_last_line_without_an_end_gets_one_before_a_new_row() -> None:
    record = Record.parse(b"a,,").put("b", Entry("", ""), after="a")
    assert record.paths() == ["a", "b"]


def test_a_row_vouches_for_its_content_alone() -> None:
    data = b"content"
    assert Entry.of(data).vouches_for(data)
    assert not Entry.of(data).vouches_for(b"Content")
    assert Entry("", "").vouches_for(data)
    assert not Entry("", "6").vouches_for(data)
    assert Entry(digest_of(data, "sha512"), "7").vouches_for(data)
    assert not Entry("unheard-of=AAA", "7").vouches_for(data)


def test_digests_are_those_of_the_wheel_format() -> None:
    # sha256 of nothing is e3b0c442 98fc1c14 ...: urlsafe base64, no padding
    assert digest_of(b"") == "sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"
    assert hashlib.sha256(b"").hexdigest().startswith("e3b0c44298fc1c14")


@given(rows, st.sampled_from(["\n", "\r\n"]), names)
def test_taking_a_row_out_again_gives_back_the_bytes(
    files: dict[str, bytes], line_end: str, name: str
) -> None:
    record = record_of(files, line_end)
    assert record.paths() == list(files)
    if name in files:
        return
    first = next(iter(files))
    longer = record.put(name, Entry.of(b"new"), after=first)
    assert longer.paths() == [first, name, *list(files)[1:]]
    assert longer.without(name).text == record.text


@given(rows)
def test_renaming_changes_paths_and_nothing_else(files: dict[str, bytes]) -> None:
    record = record_of(files, "\n")
    renamed = record.renamed(lambda path: f"new/{path}")
    assert renamed.paths() == [f"new/{path}" for path in files]
    assert [renamed.get(f"new/{path}") for path in files] == [record.get(path) for path in files]
    assert record.renamed(lambda path: path).text == record.text
