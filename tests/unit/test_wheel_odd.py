# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Wheels and RECORDs that are damaged, hostile or larger than any: one line that says where."""

from __future__ import annotations

import os
import random
import resource
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from fake_plugins import STOCK_BYTES, contents, install_nixl, write_ours
from fake_wheels import TIME, check_wheel, nixl_files, nixl_wheel_file, write_wheel
from nixl_stripe.errors import StripeError
from nixl_stripe.wheel import PLUGIN, build_wheel, fetch, find_in, members, patch_folder, status_of
from nixl_stripe.wheel.record import Entry
from odd_wheels import NAME, ODD, with_files, with_record


@pytest.fixture
def ours(tmp_path: Path) -> Path:
    return write_ours(tmp_path / "ours.so")


@pytest.mark.parametrize(("make", "says"), ODD.values(), ids=ODD)
def test_an_odd_wheel_is_one_line_that_names_it(
    tmp_path: Path, ours: Path, make: Callable[[Path], Path], says: str
) -> None:
    source = make(tmp_path)
    with pytest.raises(StripeError, match=says.replace("NAME", NAME)) as refused:
        build_wheel(source, tmp_path / "out", ours)
    said = str(refused.value)
    assert NAME in said
    assert said.isprintable(), "a line end or a control character"
    assert not (tmp_path / "out").exists() or list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("name", ['a,b"c', "a b", "ü/é.py", "a/./b"])
def test_an_odd_name_is_none_of_these(tmp_path: Path, ours: Path, name: str) -> None:
    """The good flow: what RECORD has to quote, and what is not ASCII."""
    source = write_wheel(tmp_path / NAME, nixl_files("nixl-cu12", "1.5.1"))
    rows = ",".join(['"' + name.replace('"', '""') + '"', Entry.of(b"x").digest, "1"])

    def change(text: bytes) -> bytes:
        return text + f"{rows}\r\n".encode()

    source = with_record(change)(tmp_path)
    with zipfile.ZipFile(source, "a") as archive:
        archive.writestr(zipfile.ZipInfo(name, TIME), b"x")
    built = build_wheel(source, tmp_path / "out", ours)
    assert check_wheel(built.path)[name] == b"x"


def test_too_many_members(tmp_path: Path, ours: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(members, "MOST_MEMBERS", 5)
    with pytest.raises(StripeError, match=r"\d+ members, up to 5 are accepted"):
        build_wheel(nixl_wheel_file(tmp_path), tmp_path / "out", ours)


def test_a_file_larger_than_any_wheel(tmp_path: Path, ours: Path) -> None:
    path = tmp_path / NAME
    with path.open("wb") as file:
        file.truncate(members.LARGEST_WHEEL + 1)
    with pytest.raises(StripeError, match="are more than a wheel of NIXL has"):
        build_wheel(path, tmp_path / "out", ours)


#: Builds from argv[1] within the memory of argv[2] bytes beyond what Python itself takes.
BOUNDED = """
import resource, sys
from pathlib import Path
from nixl_stripe.errors import StripeError
from nixl_stripe.wheel import build_wheel
pages = int(open("/proc/self/statm").read().split()[0])
resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + int(sys.argv[2]),) * 2)
build_wheel(Path(sys.argv[1]), Path(sys.argv[3]), Path(sys.argv[4]))
"""


@pytest.mark.parametrize(("room", "works"), [(64 << 20, True), (1 << 20, False)])
def test_memory_does_not_grow_with_the_wheel(
    tmp_path: Path, ours: Path, room: int, works: bool
) -> None:
    """200 MiB of members in 64 MiB of memory; with none at all it cannot, so the limit holds."""
    big = {f"nixl_cu12/{part}.bin": os.urandom(1 << 10) * (100 << 10) for part in "ab"}
    source = with_files(big)(tmp_path)
    del big
    command = [sys.executable, "-c", BOUNDED, str(source), str(room)]
    done = subprocess.run(
        [*command, str(tmp_path / "out"), str(ours)], capture_output=True, text=True, check=False
    )
    assert (done.returncode == 0) == works, done.stderr
    assert works or "MemoryError" in done.stderr or "Cannot allocate" in done.stderr
    assert resource.getrlimit(resource.RLIMIT_AS)[0] == resource.RLIM_INFINITY


def test_random_damage_is_an_error_or_harmless(tmp_path: Path, ours: Path) -> None:
    """A thousand wheels with some bytes changed: refused in one line, or a true wheel is built."""
    whole = nixl_wheel_file(tmp_path / "whole").read_bytes()
    chance = random.Random(20261126)
    path = tmp_path / NAME
    said: list[str] = []
    built = 0
    for _ in range(1000):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        path.write_bytes(data)
        try:
            check_wheel(build_wheel(path, tmp_path / "out", ours).path)
            built += 1
        except StripeError as error:
            said.append(str(error))
    assert [each for each in said if NAME not in each or not each.isprintable()] == []
    refused = len(said)
    assert min(refused, built) > 20, f"refused {refused}, built {built}: the test shows nothing"


def test_a_meta_package_without_metadata(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    meta = write_wheel(tmp_path / "nixl-1.5.1-py3-none-any.whl", {"nixl/__init__.py": b""})
    monkeypatch.setattr(fetch, "download", lambda *_: meta)
    with pytest.raises(StripeError, match=r"has no \.dist-info/METADATA; one is wanted"):
        fetch.fetch_wheels("nixl", tmp_path)
    lines = b"Name: nixl\nVersion: 1.5.1\nRequires-Dist: ???\n"
    write_wheel(meta, {"nixl-1.5.1.dist-info/METADATA": lines})
    with pytest.raises(StripeError, match=r"Requires-Dist: '\?\?\?' is no requirement"):
        fetch.fetch_wheels("nixl", tmp_path)


# The RECORD of an installation.

RECORDS: dict[str, Callable[[bytes], bytes]] = {
    "short row": lambda text: b"x\n" + text,
    "long row": lambda text: b"a,b,c,d\n" + text,
    "row without a path": lambda text: b",,\n" + text,
    "NUL": lambda text: b"a\0b,,\n" + text,
    "huge field": lambda text: b"a" * 200_000 + b",,\n" + text,
    "open quote": lambda text: b'"abc,,\n' + text,
    "binary": lambda text: bytes(range(256)) + text,
    "bad row of the plugin": lambda text: text.replace(b"UCX.so,", b"UCX.so;"),
}


@pytest.mark.parametrize("change", RECORDS.values(), ids=RECORDS)
def test_a_damaged_record_is_named_with_its_line(
    tmp_path: Path, ours: Path, change: Callable[[bytes], bytes]
) -> None:
    folder = install_nixl(tmp_path / "site")
    assert folder.record is not None
    folder.record.write_bytes(change(folder.record.read_bytes()))
    before = contents(tmp_path / "site")
    for act in (lambda: patch_folder(folder, ours), lambda: status_of(folder, ours)):
        with pytest.raises(StripeError, match=rf"{folder.record}: line \d+: .* is no row of path"):
            act()
    assert contents(tmp_path / "site") == before


def test_a_damaged_record_is_an_error_while_nixl_is_looked_for_too(tmp_path: Path) -> None:
    folder = install_nixl(tmp_path / "site")
    assert folder.record is not None
    folder.record.write_bytes(b"a,b,c,d\n" + folder.record.read_bytes())
    with pytest.raises(StripeError, match="line 1: 'a,b,c,d' is no row"):
        find_in(tmp_path / "site")


@pytest.mark.parametrize("row", [f"../../plugins/{PLUGIN},,", f"/opt/plugins/{PLUGIN},,"])
def test_no_row_leads_to_a_plugin_outside(tmp_path: Path, row: str) -> None:
    folder = install_nixl(tmp_path / "a" / "b" / "site")
    (tmp_path / "a" / "plugins").mkdir()
    (tmp_path / "a" / "plugins" / PLUGIN).write_bytes(STOCK_BYTES)
    assert folder.record is not None
    folder.record.write_bytes(row.encode() + b"\n" + folder.record.read_bytes())
    assert [found.path for found in find_in(tmp_path / "a" / "b" / "site")] == [folder.path]
