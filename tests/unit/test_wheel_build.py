# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""A patched wheel: what is in it, that it is the same every time, and what is refused."""

from __future__ import annotations

import os
import shutil
import zipfile
from pathlib import Path

import pytest
from fake_plugins import AARCH64, OURS_BYTES, STOCK_BYTES, shared_object, write_ours
from fake_wheels import check_wheel, meta_wheel_file, nixl_files, nixl_wheel_file, write_wheel
from nixl_stripe.errors import StripeError
from nixl_stripe.wheel import build_wheel

STEM = "nixl_cu12-1.5.1+stripe0.1.0"
PLUGINS = ".nixl_cu12.mesonpy.libs/plugins"


@pytest.fixture
def ours(tmp_path: Path) -> Path:
    return write_ours(tmp_path / "ours.so")


def test_a_patched_wheel_holds_both_plugins_and_is_named_for_it(tmp_path: Path, ours: Path) -> None:
    source = nixl_wheel_file(tmp_path)
    built = build_wheel(source, tmp_path / "out", ours)
    assert built.path == tmp_path / "out" / f"{STEM}-py3-none-linux_x86_64.whl"
    assert (built.distribution, built.version) == ("nixl-cu12", "1.5.1+stripe0.1.0")
    assert built.size == built.path.stat().st_size
    assert [path.name for path in (tmp_path / "out").iterdir()] == [built.path.name]

    old, new = nixl_files("nixl-cu12", "1.5.1"), check_wheel(built.path)
    assert new.pop(f"{PLUGINS}/libplugin_UCX.so") == OURS_BYTES
    assert new.pop(f"{PLUGINS}/libplugin_UCX.so.stock") == STOCK_BYTES
    metadata = new.pop(f"{STEM}.dist-info/METADATA").decode()
    assert metadata == (
        "Metadata-Version: 2.1\nName: nixl-cu12\nVersion: 1.5.1+stripe0.1.0\n\nVersion: a word\n"
    )
    assert b"Generator: nixl-stripe 0.1.0\n" in new.pop(f"{STEM}.dist-info/WHEEL")
    del new[f"{STEM}.dist-info/RECORD"]
    for name in ("METADATA", "WHEEL"):
        del old[f"nixl_cu12-1.5.1.dist-info/{name}"]
    del old[f"{PLUGINS}/libplugin_UCX.so"]
    assert new == {name.replace("nixl_cu12-1.5.1.", f"{STEM}."): data for name, data in old.items()}


def test_the_order_of_the_members_is_that_of_the_original(tmp_path: Path, ours: Path) -> None:
    source = nixl_wheel_file(tmp_path)
    built = build_wheel(source, tmp_path / "out", ours)
    with zipfile.ZipFile(source) as archive:
        old = [name.replace("nixl_cu12-1.5.1.", f"{STEM}.") for name in archive.namelist()]
    old.insert(old.index(f"{PLUGINS}/libplugin_UCX.so") + 1, f"{PLUGINS}/libplugin_UCX.so.stock")
    with zipfile.ZipFile(built.path) as archive:
        assert archive.namelist() == old
        record = archive.read(f"{STEM}.dist-info/RECORD").decode()
        assert [line.split(",")[0] for line in record.splitlines()] == old


def test_the_same_input_gives_the_same_bytes(tmp_path: Path, ours: Path) -> None:
    source = nixl_wheel_file(tmp_path)
    first = build_wheel(source, tmp_path / "first", ours)
    os.utime(source, (1, 1))
    os.utime(ours, (1, 1))
    umask = os.umask(0o077)
    try:
        second = build_wheel(source, tmp_path / "second", ours)
    finally:
        os.umask(umask)
    assert first.path.read_bytes() == second.path.read_bytes()
    assert first.sha256 == second.sha256
    other = write_ours(tmp_path / "other.so", content=b"other")
    assert build_wheel(source, tmp_path / "third", other).sha256 != first.sha256


def test_the_tag_asks_for_the_glibc_that_the_plugin_needs(tmp_path: Path, ours: Path) -> None:
    source = nixl_wheel_file(tmp_path, platform="manylinux_2_17_x86_64.manylinux2014_x86_64")
    built = build_wheel(source, tmp_path / "out", ours)
    assert built.path.name == f"{STEM}-py3-none-manylinux_2_28_x86_64.whl"
    wheel = check_wheel(built.path)[f"{STEM}.dist-info/WHEEL"].decode()
    assert [line for line in wheel.splitlines() if line.startswith("Tag:")] == [
        "Tag: py3-none-manylinux_2_28_x86_64"
    ]


def test_an_existing_wheel_is_replaced_only_by_a_whole_one(tmp_path: Path, ours: Path) -> None:
    source = nixl_wheel_file(tmp_path)
    first = build_wheel(source, tmp_path / "out", ours)
    before = first.path.read_bytes()
    damaged = tmp_path / "damaged" / source.name
    damaged.parent.mkdir()
    damaged.write_bytes(source.read_bytes().replace(b"posix", b"POSIX"))
    damaged.write_bytes(damaged.read_bytes()[:-60])
    with pytest.raises(StripeError, match="is damaged or not a wheel"):
        build_wheel(damaged, tmp_path / "out", ours)
    assert first.path.read_bytes() == before
    assert list((tmp_path / "out").iterdir()) == [first.path]


def test_progress_counts_to_the_end(tmp_path: Path, ours: Path) -> None:
    seen: list[tuple[int, int]] = []
    build_wheel(nixl_wheel_file(tmp_path), tmp_path / "out", ours, lambda *now: seen.append(now))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[-1][0] == seen[-1][1] > 0


# What is refused.


def test_a_patched_wheel_is_refused_as_input(tmp_path: Path, ours: Path) -> None:
    built = build_wheel(nixl_wheel_file(tmp_path), tmp_path / "out", ours)
    with pytest.raises(StripeError, match=r"is patched already \(nixl-stripe 0\.1\.0\)"):
        build_wheel(built.path, tmp_path / "again", ours)
    assert not (tmp_path / "again").exists()


def test_the_meta_package_is_refused_by_name(tmp_path: Path, ours: Path) -> None:
    with pytest.raises(StripeError, match=r"it is the meta package.*build from nixl-cu12"):
        build_wheel(meta_wheel_file(tmp_path), tmp_path, ours)


def test_a_wheel_without_a_ucx_plugin_is_refused(tmp_path: Path, ours: Path) -> None:
    with pytest.raises(StripeError, match=r"holds no plugins/libplugin_UCX\.so"):
        build_wheel(nixl_wheel_file(tmp_path, stock=None), tmp_path, ours)


def test_a_wheel_whose_plugin_is_none_is_refused(tmp_path: Path, ours: Path) -> None:
    with pytest.raises(StripeError, match="is not a plugin of NIXL"):
        build_wheel(nixl_wheel_file(tmp_path, stock=b"text"), tmp_path, ours)


def test_a_wheel_for_another_machine_is_refused(tmp_path: Path, ours: Path) -> None:
    arm = nixl_wheel_file(tmp_path, stock=shared_object(machine=AARCH64))
    with pytest.raises(StripeError, match=r"is for x86_64, .* for aarch64: .*--plugin FILE"):
        build_wheel(arm, tmp_path, ours)


def test_a_plugin_for_that_machine_is_taken(tmp_path: Path) -> None:
    ours = tmp_path / "arm.so"
    ours.write_bytes(shared_object(version="0.1.0", machine=AARCH64))
    arm = nixl_wheel_file(tmp_path, stock=shared_object(machine=AARCH64), platform="linux_aarch64")
    check_wheel(build_wheel(arm, tmp_path / "out", ours).path)


@pytest.mark.parametrize(
    ("name", "match"),
    [
        ("nixl.whl", "not the name of a wheel; a name like nixl_cu12-1.5.1-"),
        ("nixl_cu12-1.5.1 (1)-py3-none-linux_x86_64.whl", "not the name of a wheel"),
        ("numpy-2.0.0-py3-none-any.whl", "is a wheel of numpy, not of NIXL"),
        ("nixl_stripe-0.1.0-py3-none-any.whl", "is a wheel of nixl-stripe, not of NIXL"),
        ("nixl_cu12-1.5.2-py3-none-linux_x86_64.whl", "has no nixl_cu12-1.5.2.dist-info/METADATA"),
    ],
)
def test_a_file_of_another_name_is_refused(
    tmp_path: Path, ours: Path, name: str, match: str
) -> None:
    copy = tmp_path / name
    shutil.copy(nixl_wheel_file(tmp_path), copy)
    with pytest.raises(StripeError, match=match):
        build_wheel(copy, tmp_path / "out", ours)


def test_a_wheel_whose_metadata_says_otherwise_is_refused(tmp_path: Path, ours: Path) -> None:
    files = nixl_files("nixl-cu12", "1.5.1")
    name = "nixl_cu12-1.5.1.dist-info/METADATA"
    files[name] = files[name].replace(b"1.5.1", b"1.5.0")
    source = write_wheel(tmp_path / "nixl_cu12-1.5.1-py3-none-linux_x86_64.whl", files)
    with pytest.raises(StripeError, match=r"its METADATA says version '1\.5\.0'"):
        build_wheel(source, tmp_path / "out", ours)


def test_a_member_that_record_does_not_vouch_for_is_refused(tmp_path: Path, ours: Path) -> None:
    source = nixl_wheel_file(tmp_path)
    with zipfile.ZipFile(source, "a") as archive:
        archive.writestr("nixl_cu12/smuggled.py", b"")
    with pytest.raises(StripeError, match=r"is damaged: nixl_cu12/smuggled\.py is not what"):
        build_wheel(source, tmp_path / "out", ours)
    assert not (tmp_path / "out").exists()


def test_a_file_that_is_no_archive_and_one_that_is_absent(tmp_path: Path, ours: Path) -> None:
    text = tmp_path / "nixl_cu12-1.5.1-py3-none-linux_x86_64.whl"
    text.write_text("no archive")
    with pytest.raises(StripeError, match="is damaged or not a wheel"):
        build_wheel(text, tmp_path / "out", ours)
    text.unlink()
    with pytest.raises(StripeError, match=r"linux_x86_64\.whl: No such file"):
        build_wheel(text, tmp_path / "out", ours)
