# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Wheels that are damaged, hostile or larger than any, and what is said about each."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from fake_plugins import STOCK_BYTES
from fake_wheels import TIME, nixl_files, nixl_wheel_file, write_wheel
from nixl_stripe.wheel import PLUGIN, members
from nixl_stripe.wheel.layout import LARGEST_PLUGIN
from nixl_stripe.wheel.record import LARGEST, MOST_ROWS

NAME = "nixl_cu12-1.5.1-py3-none-linux_x86_64.whl"
INFO = "nixl_cu12-1.5.1.dist-info"
PLUGIN_MEMBER = f".nixl_cu12.mesonpy.libs/plugins/{PLUGIN}"
CENTRAL, END = b"PK\1\2", b"PK\5\6"


def with_files(more: dict[str, bytes]) -> Callable[[Path], Path]:
    """Return a maker of the wheel with `more` in it, listed in its RECORD."""
    return lambda folder: write_wheel(folder / NAME, {**nixl_files("nixl-cu12", "1.5.1"), **more})


def with_record(change: Callable[[bytes], bytes]) -> Callable[[Path], Path]:
    """Return a maker of the wheel whose RECORD went through `change`."""

    def make(folder: Path) -> Path:
        whole = nixl_wheel_file(folder / "whole")
        with zipfile.ZipFile(whole) as old, zipfile.ZipFile(folder / NAME, "w") as new:
            for member in old.infolist():
                data = old.read(member)
                new.writestr(member, change(data) if member.filename.endswith("/RECORD") else data)
        return folder / NAME

    return make


def with_bytes(change: Callable[[bytearray], bytes]) -> Callable[[Path], Path]:
    """Return a maker of the wheel whose bytes went through `change`."""

    def make(folder: Path) -> Path:
        path = nixl_wheel_file(folder)
        path.write_bytes(change(bytearray(path.read_bytes())))
        return path

    return make


def in_directory(offset: int, value: bytes) -> Callable[[bytearray], bytes]:
    """Return a change of one field of the first row of the archive's directory."""

    def change(data: bytearray) -> bytes:
        at = data.find(CENTRAL) + offset
        data[at : at + len(value)] = value
        return bytes(data)

    return change


def twice(name: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = nixl_wheel_file(folder)
        with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr(zipfile.ZipInfo(name, TIME), b"another")
        return path

    return make


def overlapping(count: int) -> Callable[[bytearray], bytes]:
    """Return a change that adds rows to the directory which all stand for the first member."""

    def change(data: bytearray) -> bytes:
        at, end = data.find(CENTRAL), data.rfind(END)
        head = bytearray(data[at : at + 46])
        rows = b""
        for number in range(count):
            name = b"copy%06d.so" % number
            head[28:34] = struct.pack("<3H", len(name), 0, 0)
            rows += bytes(head) + name
        kept = bytes(data[at:end])
        total = struct.unpack_from("<H", data, end + 10)[0] + count
        tail = struct.pack("<4s4H2IH", END, 0, 0, total, total, len(rows + kept), at, 0)
        return bytes(data[:at]) + rows + kept + tail

    return change


def swollen(folder: Path) -> Path:
    """Two members that are small in the archive and together larger than any wheel unpacked."""
    path = nixl_wheel_file(folder)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name in ("a.bin", "b.bin"):
            with archive.open(name, "w") as member:
                for _ in range(9):
                    member.write(bytes(members.LARGEST_CONTENT // 16))
    return path


ODD: dict[str, tuple[Callable[[Path], Path], str]] = {
    "slip": (with_files({"../../slip": b"x"}), r"'\.\./\.\./slip' leads out of the folder"),
    "absolute": (with_files({"/opt/slip": b"x"}), r"'/opt/slip' leads out of the folder"),
    "backslash": (with_files({"..\\slip": b"x"}), r"slip' leads out of the folder"),
    "line end": (with_files({"a\nb": b"x"}), r"'a\\nb' has a name with control characters"),
    "escape": (with_files({"a\x1b[2Jb": b"x"}), r"'a\\x1b\[2Jb' has a name with control"),
    "long name": (with_files({"a/" * 600 + "b": b"x"}), "has a name of more than 1024 characters"),
    "twice": (twice(f"{INFO}/METADATA"), f"'{INFO}/METADATA' is there twice"),
    "plugin twice": (twice(PLUGIN_MEMBER), f"{PLUGIN}' is there twice"),
    "swollen": (swollen, r"its members have \d+ bytes unpacked, up to 1073741824 are accepted"),
    "one file twice": (
        with_files({"nixl_cu12/a": b"1", "nixl_cu12/./a": b"2"}),
        r"'nixl_cu12/\./a' is the same file as 'nixl_cu12/a'",
    ),
    "a file in a file": (
        with_files({"nixl_cu12/a": b"1", "nixl_cu12/a-b": b"", "nixl_cu12/a/c": b"2"}),
        "'nixl_cu12/a/c' lies in 'nixl_cu12/a', a file",
    ),
    "row of a file outside": (
        with_record(lambda text: text + b"../../../bin/python,,\n"),
        r"its RECORD lists '\.\./\.\./\.\./bin/python', which it does not hold",
    ),
    "row twice": (
        with_record(lambda text: text + f"{PLUGIN_MEMBER},,\n".encode()),
        f"its RECORD lists '{PLUGIN_MEMBER}', more than once",
    ),
    "encrypted": (with_bytes(in_directory(8, b"\1")), "libplugin_POSIX.so' is encrypted"),
    "method 97": (with_bytes(in_directory(10, b"\x61")), "is compressed by method 97; 0 and 8"),
    "overlap": (with_bytes(overlapping(3000)), "'copy000000.so' reaches into what follows it"),
    "lying size": (
        with_bytes(in_directory(20, struct.pack("<I", 0x7FFFFFFF))),
        "libplugin_POSIX.so' reaches into what follows it",
    ),
    "two sizes": (
        with_bytes(in_directory(24, struct.pack("<I", 99_999))),
        "libplugin_POSIX.so has two sizes",
    ),
    "no archive": (with_bytes(lambda _: b"text"), "NAME is damaged or not a wheel: File is not"),
    "empty file": (with_bytes(lambda _: b""), "NAME is damaged or not a wheel"),
    "cut": (with_bytes(lambda data: bytes(data[:-200])), "NAME is damaged or not a wheel"),
    "a name that is no UTF-8": (
        with_bytes(lambda data: bytes(data).replace(b"nixl_cu12/__init__.py", b"\xff" * 21)),
        "NAME",
    ),
    "short row": (
        with_record(lambda text: text.replace(b"METADATA,", b"METADATA;")),
        rf"RECORD: line 4: '{INFO}/METADATA;.*' is no row of path,hash,size",
    ),
    "NUL in RECORD": (with_record(lambda text: text + b"a\0b,,\n"), r"line \d+: 'a\\x00b,,' is no"),
    "huge field": (with_record(lambda text: text + b"a" * 200_000 + b",,\n"), r"line \d+: 'aaa"),
    "open quote": (with_record(lambda text: text + b'"a,,\n'), r"line \d+: '\"a,,' is no row"),
    "no RECORD rows": (with_record(lambda _: b""), "libplugin_POSIX.so is not what its RECORD"),
    "hash without a size": (
        with_record(lambda text: text.replace(b"sha256=", b"shake_128=")),
        "libplugin_POSIX.so is not what its RECORD says",
    ),
    "a weak hash": (
        with_record(lambda text: text.replace(b"sha256=", b"md5=")),
        "libplugin_POSIX.so is not what its RECORD says",
    ),
    "no hashes": (
        with_record(
            lambda text: b"".join(row.split(b",")[0] + b",,\n" for row in text.splitlines())
        ),
        "libplugin_POSIX.so is not what its RECORD says",
    ),
    "RECORD with too many rows": (
        with_record(lambda text: text + b"a,,\n" * (MOST_ROWS + 1)),
        rf"RECORD: \d+ rows, up to {MOST_ROWS} are accepted",
    ),
    "large RECORD": (
        with_record(lambda text: text + b"a" * LARGEST),
        rf"RECORD has \d+ bytes, up to {LARGEST} are accepted",
    ),
    "WHEEL is binary": (with_files({f"{INFO}/WHEEL": b"\xff\xfe\n"}), f"{INFO}/WHEEL: .*utf-8"),
    "no tag": (with_files({f"{INFO}/WHEEL": b"Tag: nodashes\n"}), "'Tag: nodashes' is no tag like"),
    "no METADATA": (with_files({f"{INFO}/METADATA": b""}), "its METADATA says version 'none'"),
    "large METADATA": (
        with_files({f"{INFO}/METADATA": b"X: y\n" * (1 << 18)}),
        rf"METADATA has \d+ bytes, up to {members.LARGEST_TEXT} are accepted",
    ),
    "two versions": (
        with_files({f"{INFO}/METADATA": b"Name: nixl-cu12\nVersion: 1.5.1\nVersion: 2\n"}),
        "its METADATA says version '1.5.1' and '2'",
    ),
    "large plugin": (
        with_files({PLUGIN_MEMBER: STOCK_BYTES + bytes(LARGEST_PLUGIN)}),
        rf"{PLUGIN} has \d+ bytes, up to {LARGEST_PLUGIN} are accepted",
    ),
}
