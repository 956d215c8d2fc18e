# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""A capture that is damaged, hostile or too large is an error that names it, never a machine."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import shutil
import tarfile
import tempfile
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from nixl_stripe import Machine, capture, machine
from nixl_stripe.errors import SourceError, StripeError
from nixl_stripe.topo import tar_reader
from nixl_stripe.topo.archive import unpack
from sysfs_machines import MACHINES
from sysfs_trees import write

FLIPS = 400


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("capture")
    tree = write(MACHINES["dgx_h100"](), folder)
    return capture(folder / "host.tar.gz", source=tree.sys)


def plain(archive: Path, folder: Path) -> Path:
    """The same capture without compression, and so without a checksum around it."""
    path = folder / "host.tar"
    path.write_bytes(gzip.decompress(archive.read_bytes()))
    return path


def read(path: Path) -> Machine | None:
    """The machine, None when it is refused; anything but the one kind of error escapes."""
    try:
        return machine(path)
    except SourceError as error:
        text = str(error)
    assert str(path) in text
    assert "\n" not in text
    return None


def as_data(host: Machine) -> dict[str, object]:
    return host.to_dict() | {"source": ""}


@pytest.mark.parametrize("form", ["compressed", "plain"])
def test_a_flipped_bit_is_refused_or_changes_nothing(
    form: str, archive: Path, tmp_path: Path
) -> None:
    good = archive if form == "compressed" else plain(archive, tmp_path)
    whole = as_data(machine(good))
    content = good.read_bytes()
    dice = random.Random(5)
    damaged = tmp_path / f"damaged{''.join(good.suffixes)}"
    refused = 0
    for _ in range(FLIPS):
        bit = dice.randrange(len(content) * 8)
        flipped = bytearray(content)
        flipped[bit // 8] ^= 1 << bit % 8
        damaged.write_bytes(flipped)
        host = read(damaged)
        refused += host is None
        assert host is None or as_data(host) == whole, f"bit {bit} makes another machine"
    assert refused > FLIPS // 2


@pytest.mark.parametrize("form", ["compressed", "plain"])
def test_a_capture_that_is_cut_off_is_refused(form: str, archive: Path, tmp_path: Path) -> None:
    good = archive if form == "compressed" else plain(archive, tmp_path)
    content = good.read_bytes()
    if form == "plain":  # behind the last member there is nothing but zeros, two blocks at least
        content = content.rstrip(b"\0") + bytes(1024)
    cut = tmp_path / f"cut{''.join(good.suffixes)}"
    for length in [*range(20), *random.Random(3).sample(range(20, len(content) - 512), 150)]:
        cut.write_bytes(content[:length])
        assert read(cut) is None, length
    cut.write_bytes(archive.read_bytes() + b"x")
    assert read(cut) is None


def test_files_of_a_folder_are_those_that_were_captured(archive: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    folder.mkdir()
    unpack(archive, folder)
    whole = as_data(machine(folder))
    rate = next(path for path in sorted(folder.rglob("ports/1/rate")))
    kept = rate.read_text()
    rate.write_text("100 Gb/sec (4X EDR)\n")
    with pytest.raises(SourceError, match=r"copy/SHA256SUMS:\d+: '.*ports/1/rate' is missing or"):
        machine(folder)
    rate.unlink()
    with pytest.raises(SourceError, match="ports/1/rate"):
        machine(folder)
    rate.write_text(kept)
    assert as_data(machine(folder)) == whole
    for line in ("garbage", f"{'0' * 64}  ../../secret", f"{'0' * 64}  /etc/passwd"):
        (folder / "SHA256SUMS").write_text(f"{line}\n")
        with pytest.raises(SourceError, match="SHA256SUMS:1: no checksum and name of a file"):
            machine(folder)
    (folder / "SHA256SUMS").unlink()  # captures that were made before there were checksums
    assert as_data(machine(folder)) == whole


def test_an_archive_without_checksums_is_read(archive: Path, tmp_path: Path) -> None:
    old = tmp_path / "old.tar"
    with tarfile.open(archive) as tar, tarfile.open(old, "w") as rest:
        for member in tar:
            if not member.name.endswith("SHA256SUMS"):
                rest.addfile(member, tar.extractfile(member) if member.isreg() else None)
    assert as_data(machine(old)) == as_data(machine(archive))


def info(name: str, **fields: object) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    for field, value in fields.items():
        setattr(member, field, value)
    return member


def link(name: str, target: str) -> tarfile.TarInfo:
    return info(name, type=tarfile.SYMTYPE, linkname=target)


def file(name: str) -> tarfile.TarInfo:
    return info(name)


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ([file("../escaped")], "leads out"),
        ([file("/escaped")], "leads out"),
        ([link("out", ".."), file("out/escaped")], "is a link out"),
        ([link("class", "here"), file("class/escaped")], "which is no folder"),
        ([link("a", "."), link("a/b", ".."), file("a/b/escaped")], "which is no folder"),
        ([link("a/b/up", "../.."), link("over", "a/b/up/..")], "is a link out"),
        ([link("etc", "/etc")], "is a link out"),
        ([info("passwd", type=tarfile.LNKTYPE, linkname="/etc/passwd")], "is no file"),
        ([info("null", type=tarfile.CHRTYPE, devmajor=1, devminor=3)], "is no file"),
        ([info("pipe", type=tarfile.FIFOTYPE)], "is no file"),
        ([link("loop", "loop"), file("loop/escaped")], "which is no folder"),
        ([file("twice"), file("twice")], "is there twice"),
        ([file("a/b"), file("a")], "is there twice"),
        ([info("/".join(["a"] * 65), type=tarfile.DIRTYPE)], "folders deep"),
        ([file("n" * 256)], "more than 255 bytes"),
    ],
)
def test_members_that_no_capture_has_are_refused(
    members: list[tarfile.TarInfo], reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = tmp_path / "temporary"
    inner.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(inner))
    evil = tmp_path / "evil.tar.gz"
    with tarfile.open(evil, "w:gz") as tar:
        for member in members:
            tar.addfile(member, io.BytesIO())
    with pytest.raises(StripeError, match=f"evil.tar.gz: not a captured sysfs: .*{reason}"):
        machine(evil)
    assert not list(tmp_path.rglob("escaped"))
    assert not list(inner.iterdir())


def header(size: int, kind: bytes) -> bytes:
    block = bytearray(info("x", type=kind, size=size).tobuf(tarfile.GNU_FORMAT))
    return bytes(block[:512])


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.REGTYPE])
@pytest.mark.parametrize("size", [-512, 2 << 20, 2 << 30, 1 << 60])
def test_a_member_that_announces_too_much_is_refused(
    kind: bytes, size: int, tmp_path: Path
) -> None:
    bomb = tmp_path / "bomb.tar.gz"
    bomb.write_bytes(gzip.compress(header(size, kind) + bytes(4 << 20), 1))
    with pytest.raises(StripeError, match=r"too large|octal number"):
        machine(bomb)


def test_unpacking_stops_at_a_limit(tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.tar.gz"
    with gzip.open(bomb, "wb", 1) as out:
        for _ in range(256):
            out.write(bytes(1 << 20))
    tracemalloc.start()
    try:
        with pytest.raises(StripeError, match="too large for a captured sysfs: more than 16 MiB"):
            machine(bomb)
        assert tracemalloc.get_traced_memory()[1] < 4 * tar_reader.MAX_ARCHIVE_BYTES
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("pack", "program"), [(bz2.compress, "bzip2"), (lzma.compress, "xz")], ids=["bzip2", "xz"]
)
def test_other_compressions_are_named(
    pack: Callable[[bytes], bytes], program: str, archive: Path, tmp_path: Path
) -> None:
    other = tmp_path / "host.archive"
    other.write_bytes(pack(gzip.decompress(archive.read_bytes())))
    with pytest.raises(StripeError, match=f"{program} is not read; captures are"):
        machine(other)


def test_long_names_are_read_in_every_form_of_tar(tmp_path: Path) -> None:
    tree = write(MACHINES["dgx_h100"](), tmp_path)
    folder = capture(tmp_path / "copy", source=tree.sys)
    host = as_data(machine(folder))
    deep = folder / Path(*["folder-of-a-long-name"] * 12)
    deep.mkdir(parents=True)
    (deep / "link").symlink_to("x" * 200)
    for form in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT):
        path = tmp_path / f"{form}.tar"
        with tarfile.open(path, "w", format=form) as tar:
            tar.add(folder, arcname=".")
        assert as_data(machine(path)) == host
    shutil.rmtree(deep)


@pytest.mark.parametrize(
    "content", [b"", b"\0" * 2048, b"<a/>", b"\x1f\x8b", bytes(range(256)) * 9]
)
def test_what_is_no_capture_is_a_source_error(content: bytes, tmp_path: Path) -> None:
    for name in ("some.tar.gz", "some.tgz", "some.tar", "some.xml", "some"):
        path = tmp_path / name
        path.write_bytes(content)
        if content == b"\0" * 2048 and name == "some.tar":
            continue  # an archive of nothing is one, as an empty folder is a sysfs of nothing
        with pytest.raises(SourceError, match=name):
            machine(path)
