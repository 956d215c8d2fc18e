# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Files of an installed NIXL that are no files, or larger than any: one line, and no waiting."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from fake_plugins import OURS_BYTES, PREFIX, STOCK_BYTES, contents, install_nixl, write_ours
from nixl_stripe.errors import StripeError
from nixl_stripe.wheel import PLUGIN, find_in, headers, patch_folder, status_of, undo_folder
from nixl_stripe.wheel.elf import read_shared_object
from nixl_stripe.wheel.layout import LARGEST_PLUGIN
from nixl_stripe.wheel.record import MOST_ROWS

INFO = "nixl_cu12-1.5.1.dist-info"
CPU_SECONDS = 1.0


@pytest.fixture
def ours(tmp_path: Path) -> Path:
    return write_ours(tmp_path / "ours.so")


def pipe(path: Path) -> None:
    path.unlink(missing_ok=True)
    os.mkfifo(path)


def loop(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.symlink_to(path.name)


def huge(path: Path) -> None:
    with path.open("ab") as file:
        file.truncate(60 << 30)


def endless(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.symlink_to("/dev/zero")


def binary(path: Path) -> None:
    path.write_bytes(b"\xff\xfe\n")


ODD = (pipe, loop, huge, endless, binary)


@pytest.mark.parametrize("spoil", ODD)
def test_files_of_other_packages_are_not_read(
    spoil: Callable[[Path], None], tmp_path: Path, ours: Path
) -> None:
    folder = install_nixl(tmp_path / "site")
    for name in ("other-1", "nixl_stripe-1", "nixl_cu12x-1"):
        (tmp_path / "site" / f"{name}.dist-info").mkdir()
        spoil(tmp_path / "site" / f"{name}.dist-info/METADATA")
    assert find_in(tmp_path / "site") == [folder]
    assert patch_folder(folder, ours).action == "patched"


@pytest.mark.parametrize("spoil", [pipe, loop, huge, endless])
def test_its_metadata_is_read_within_limits(spoil: Callable[[Path], None], tmp_path: Path) -> None:
    install_nixl(tmp_path / "site")
    spoil(tmp_path / "site" / INFO / "METADATA")
    with pytest.raises(StripeError, match=r"METADATA: (no regular file|more than|Too many)") as no:
        find_in(tmp_path / "site")
    assert str(no.value).isprintable()


@pytest.mark.parametrize("text", [b"", b"Name: nixl-cu12\n", b"\nName: nixl-cu12\nVersion: 1\n"])
def test_what_an_uninstall_has_left_is_no_nixl(text: bytes, tmp_path: Path) -> None:
    install_nixl(tmp_path / "site")
    (tmp_path / "site" / INFO / "METADATA").write_bytes(text)
    with pytest.raises(StripeError, match="is not NIXL's"):
        find_in(tmp_path / "site")


@pytest.mark.parametrize("spoil", ODD)
def test_who_installed_it_is_read_within_limits(
    spoil: Callable[[Path], None], tmp_path: Path, ours: Path
) -> None:
    folder = install_nixl(tmp_path / "site")
    spoil(tmp_path / "site" / INFO / "INSTALLER")
    assert patch_folder(folder, ours).action == "patched"
    assert undo_folder(folder).action == "undone"


@pytest.mark.parametrize("name", [PLUGIN, f"{PLUGIN}.stock"])
def test_a_plugin_larger_than_any_is_refused(name: str, tmp_path: Path, ours: Path) -> None:
    folder = install_nixl(tmp_path / "site")
    huge(folder.path / name)
    for act in (lambda: status_of(folder, ours), lambda: patch_folder(folder, ours)):
        with pytest.raises(StripeError, match=rf"{name}: more than {LARGEST_PLUGIN} bytes"):
            act()
    os.truncate(folder.path / name, len(STOCK_BYTES) if name == PLUGIN else 0)
    assert (tmp_path / "site" / PREFIX / PLUGIN).read_bytes() == STOCK_BYTES


def test_what_is_as_large_as_may_be_takes_less_than_a_second(tmp_path: Path, ours: Path) -> None:
    stock = STOCK_BYTES + b"\0GLIBC_2.28" * ((16 << 20) // 11)
    folder = install_nixl(tmp_path / "site", stock=stock)
    assert folder.record is not None
    text = folder.record.read_bytes()
    more = MOST_ROWS - 1 - text.count(b"\n")  # the row of the stock plugin comes to it
    rows = "".join(f'"nixl_cu12/m,{n}.py",,\n' for n in range(more))
    folder.record.write_bytes(text + rows.encode())
    metadata = tmp_path / "site" / INFO / "METADATA"
    metadata.write_bytes(
        metadata.read_bytes() + b"X: y\n" * ((headers.LARGEST - 100) // len(b"X: y\n"))
    )
    for number in range(2000):
        (tmp_path / "site" / f"other{number}-1.dist-info").mkdir()
    before = contents(tmp_path / "site")
    acts: tuple[Callable[[], object], ...] = (
        lambda: patch_folder(folder, ours),
        lambda: undo_folder(folder),
    )
    for act in acts:
        began = time.process_time()
        assert find_in(tmp_path / "site") == [folder]
        act()
        assert time.process_time() - began < CPU_SECONDS
    assert contents(tmp_path / "site") == before


def test_numbers_of_glibc_that_none_has_are_passed_over() -> None:
    found = read_shared_object(STOCK_BYTES + b"\0GLIBC_" + b"9" * 6000 + b".1\0GLIBC_2.34\0")
    assert found is not None
    assert found.glibc == (2, 34)
    ours = read_shared_object(OURS_BYTES)
    assert ours is not None
    assert ours.glibc == (2, 28)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (b"Name: a\nVersion: 1\n\nVersion: 2\n", ["1"]),
        (b"name:a\r\nVERSION : 1\r\n\r\nVersion: 2", ["1"]),
        (b"Name: a\rVersion: 1\r\rVersion: 2", ["1"]),
        (b"X: a\n  Version: 9\nX-Version: 8\nVersion: 1\nVersion: 2", ["1", "2"]),
        (b"\nVersion: 2\n", []),
        (b"\n\nVersion: 2\n", []),
        (b"", []),
    ],
)
def test_fields_stand_before_the_first_empty_line(text: bytes, found: list[str]) -> None:
    assert headers.values_of(text, "Version") == found
    changed = headers.with_value(text, "Version", "3+x")
    assert headers.values_of(changed, "Version") == ["3+x", *found[1:]] if found else True
    assert found or changed == text
