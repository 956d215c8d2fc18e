# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The archive writer: what `zipfile` reads back is what went in."""

from __future__ import annotations

import io
import struct
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nixl_stripe.errors import StripeError
from nixl_stripe.wheel.archive import ArchiveWriter

names = st.text(
    st.characters(codec="utf-8", exclude_characters="\0/\\", exclude_categories=["Cc"]),
    min_size=1,
    max_size=12,
)


def archive_of(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> io.BytesIO:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for number, (name, data) in enumerate(files.items()):
            info = zipfile.ZipInfo(name, (2026, 1, 2, 3, 4, 2 * number % 60))
            info.external_attr = (0o100755 if number % 2 else 0o100644) << 16
            archive.writestr(info, data, method)
    return out


@given(st.dictionaries(names, st.binary(max_size=300), max_size=6))
def test_copies_are_equal_and_added_members_are_whole(files: dict[str, bytes]) -> None:
    source, out = archive_of(files), io.BytesIO()
    with zipfile.ZipFile(source) as archive:
        writer = ArchiveWriter(out)
        for member in archive.infolist():
            writer.copy(source, member, f"copy/{member.filename}")
            writer.add(f"new/{member.filename}", member.filename.encode(), like=member)
        writer.close()
        with zipfile.ZipFile(out) as copy:
            assert copy.testzip() is None
            assert len(copy.infolist()) == 2 * len(files)
            for member in archive.infolist():
                same = copy.getinfo(f"copy/{member.filename}")
                new = copy.getinfo(f"new/{member.filename}")
                assert copy.read(same) == files[member.filename]
                assert copy.read(new) == member.filename.encode()
                for written in (same, new):
                    assert written.external_attr == member.external_attr
                    assert written.date_time == member.date_time
                assert same.compress_size == member.compress_size


def test_members_with_a_data_descriptor_are_copied() -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

        def tell(self) -> int:
            raise OSError

        def seek(self, offset: int, whence: int = 0) -> int:
            raise OSError(f"a pipe cannot seek to {offset} from {whence}")

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", b"streamed" * 100)
    source, out = io.BytesIO(pipe.getvalue()), io.BytesIO()
    with zipfile.ZipFile(source) as archive:
        (member,) = archive.infolist()
        assert member.flag_bits & 0x8
        writer = ArchiveWriter(out)
        writer.copy(source, member, "a")
        writer.close()
    with zipfile.ZipFile(out) as copy:
        assert copy.read("a") == b"streamed" * 100


def test_what_needs_zip64_is_refused() -> None:
    source = archive_of({"a": b"data"})
    with zipfile.ZipFile(source) as archive:
        (member,) = archive.infolist()
        member.file_size = 1 << 32
        with pytest.raises(StripeError, match="a does not fit"):
            ArchiveWriter(io.BytesIO()).copy(source, member, "a")


def test_an_empty_archive_is_one() -> None:
    out = io.BytesIO()
    ArchiveWriter(out).close()
    assert struct.unpack("<4s", out.getvalue()[:4]) == (b"PK\5\6",)
    with zipfile.ZipFile(out) as copy:
        assert copy.namelist() == []
