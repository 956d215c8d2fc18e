# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What a capture may hold: as much as any real machine's, read in under a second of CPU time.

Whatever is larger is refused before anything is written. CPU time is the thread's own outside of
the kernel; how it grows is measured in calls.
"""

from __future__ import annotations

import hashlib
import io
import resource
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import nixl_stripe
import pytest
from nixl_stripe import machine
from nixl_stripe._core import read_sysfs
from nixl_stripe.errors import SourceError, StripeError
from nixl_stripe.topo import capture, unpacking
from nixl_stripe.topo.tar_reader import MAX_ARCHIVE_MEMBERS, MAX_PROPERTIES
from nixl_stripe.topo.unpacking import UnpackingPlan
from sysfs_machines import MACHINES
from sysfs_trees import ZERO_GID, write

CPU_SECONDS = 1.0
NIC = "class/infiniband/mlx5_0"

#: Path of the nth file, or link, of each kind that a machine has many of, and what it is called.
KINDS: dict[str, tuple[Callable[[int], str], str]] = {
    "PCI functions": (
        lambda n: f"bus/pci/devices/{n >> 13:04x}:{n >> 5 & 255:02x}:{n & 31:02x}.0/class",
        "PCI functions",
    ),
    "PCI functions below a root": (
        lambda n: f"devices/pci0000:00/0000:{n >> 5 & 255:02x}:{n & 31:02x}.0/class",
        "PCI functions",
    ),
    "network interfaces": (lambda n: f"class/net/e{n}/flags", "network interfaces"),
    "RDMA NICs": (lambda n: f"class/infiniband/m{n}/node_type", "RDMA NICs"),
    "ports": (lambda n: f"class/infiniband/m{n >> 7}/ports/{n & 127}/state", "ports of RDMA NICs"),
    "GIDs": (lambda n: f"{NIC}/ports/{(n >> 8) + 1}/gids/{n & 255}", "GIDs"),
    "other files": (lambda n: f"class/{n}", ""),
}


def archive(path: Path, names: Iterator[str], content: bytes = b"1\n") -> Path:
    with tarfile.open(path, "w:gz", compresslevel=1) as tar:
        for name in names:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


def largest(path: Path, place: Callable[[int], str]) -> Path:
    """An archive that makes just as many files and folders as may be."""
    made: set[str] = set()
    names = []
    for n in range(MAX_ARCHIVE_MEMBERS):
        name = place(n)
        made |= {name, *(str(above) for above in Path(name).parents[:-1])}
        if len(made) > MAX_ARCHIVE_MEMBERS:
            break
        names.append(name)
    return archive(path, iter(names))


def calls(work: Callable[[], object]) -> int:
    """How many functions `work` calls, Python's and C's; each turn of a generator is one."""
    count = 0

    def counter(_: object, event: str, __: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(counter)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("kind", KINDS)
def test_the_largest_capture_takes_less_than_a_second(kind: str, tmp_path: Path) -> None:
    path = largest(tmp_path / "large.tar.gz", KINDS[kind][0])
    began = resource.getrusage(resource.RUSAGE_THREAD).ru_utime
    machine(path)
    assert resource.getrusage(resource.RUSAGE_THREAD).ru_utime - began < CPU_SECONDS


@pytest.mark.parametrize("kind", KINDS)
def test_one_that_is_larger_is_refused_before_anything_is_written_bad_flow(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, word = KINDS[kind]
    path = archive(tmp_path / "huge.tar.gz", map(place, range(MAX_ARCHIVE_MEMBERS + 1)))
    written: list[Path] = []
    monkeypatch.setattr(UnpackingPlan, "write", lambda _, root: written.append(root))
    refusal = f"huge.tar.gz: too large for a captured sysfs: more than {MAX_ARCHIVE_MEMBERS} files"
    began = resource.getrusage(resource.RUSAGE_THREAD).ru_utime
    with pytest.raises(SourceError, match=f"{refusal}.*{word}"):
        machine(path)
    assert resource.getrusage(resource.RUSAGE_THREAD).ru_utime - began < CPU_SECONDS
    assert written == []


def test_reading_grows_no_faster_than_the_capture(tmp_path: Path) -> None:
    place = KINDS["PCI functions"][0]
    small = archive(tmp_path / "small.tar.gz", map(place, range(500)))
    large = archive(tmp_path / "large.tar.gz", map(place, range(2000)))
    machine(small)
    assert calls(lambda: machine(large)) < 4.2 * calls(lambda: machine(small))


def test_folders_that_are_not_listed_count_bad_flow(tmp_path: Path) -> None:
    deep = "/".join(f"f{n}" for n in range(60))
    names = (f"{n}/{deep}/file" for n in range(MAX_ARCHIVE_MEMBERS // 50))
    with pytest.raises(SourceError, match=rf"deep.tar.gz: .*more than {MAX_ARCHIVE_MEMBERS} files"):
        machine(archive(tmp_path / "deep.tar.gz", names))


def pax(path: Path, properties: dict[str, str], times: int) -> Path:
    header = tarfile.TarInfo("online")
    header.pax_headers = properties
    block = header.tobuf(tarfile.PAX_FORMAT)
    path.write_bytes(block[: len(block) - 512] * times + block[-512:] + bytes(1024))
    return path


def test_properties_of_a_member_are_counted_bad_flow(tmp_path: Path) -> None:
    few = {f"LIBARCHIVE.{chr(ord('a') + n)}": "1" for n in range(MAX_PROPERTIES)}
    assert machine(pax(tmp_path / "few.tar", few, 1)).nics == ()
    with pytest.raises(SourceError, match=f"more than {MAX_PROPERTIES} properties"):
        machine(pax(tmp_path / "many.tar", few | {"comment": "1"}, 1))
    with pytest.raises(SourceError, match=f"more than {2 * MAX_ARCHIVE_MEMBERS} tar headers"):
        machine(pax(tmp_path / "headers.tar", {"comment": "1"}, 2 * MAX_ARCHIVE_MEMBERS))


def test_what_the_reader_refuses_is_said_of_the_archive_bad_flow(tmp_path: Path) -> None:
    names = (f"bus/pci/devices/{n:04x}:00:00.0/uevent" for n in range(513))
    gpus = archive(tmp_path / "gpus.tar.gz", names, b"PCI_CLASS=30200\nPCI_ID=10DE:2330\n")
    with pytest.raises(SourceError) as caught:
        machine(gpus)
    assert str(caught.value).startswith(f"{gpus}: more than 512 GPUs")
    assert "nixl-stripe-capture" not in str(caught.value)


def test_the_checksums_of_a_folder_are_read_up_to_a_limit_bad_flow(tmp_path: Path) -> None:
    content = bytes(1 << 20)
    (tmp_path / "big").write_bytes(content)
    line = f"{hashlib.sha256(content).hexdigest()}  big\n"
    (tmp_path / "SHA256SUMS").write_text(line * 16)
    machine(tmp_path)
    (tmp_path / "SHA256SUMS").write_text(line * 17)
    with pytest.raises(SourceError, match="SHA256SUMS:17: more than 16 MiB up to here"):
        machine(tmp_path)


def test_free_slots_behind_the_last_gid_are_left_out(tmp_path: Path) -> None:
    tree = write(MACHINES["virtual_functions"](), tmp_path)
    tables = sorted(tree.sys.glob("devices/pci*/**/infiniband/*/ports/1/gids"))
    gid = (tables[0] / "0").read_text()
    for table in tables:
        for slot in range(256):
            (table / str(slot)).write_text(f"{ZERO_GID}\n")
    (tables[0] / "0").write_text(gid)
    (tables[0] / "200").write_text(gid)  # holes in front of it stay, so that it is found
    copied = nixl_stripe.capture(tmp_path / "copy", source=tree.sys, keep_addresses=True)
    sizes = [len(list((copied / table.relative_to(tree.sys)).iterdir())) for table in tables]
    assert sizes == [201, *[1] * (len(tables) - 1)]
    whole = read_sysfs(str(tree.sys)).to_dict()
    assert machine(copied).to_dict() | {"source": ""} == whole | {"source": ""}


def test_a_folder_in_the_place_of_a_gid_is_no_free_slot_bad_flow(tmp_path: Path) -> None:
    tree = write(MACHINES["dgx_h100"](), tmp_path)
    table = sorted(tree.sys.glob("devices/pci*/**/infiniband/*/ports/1/gids"))[0]
    (table / "1").unlink(missing_ok=True)
    (table / "1").mkdir()
    (table / "2").write_text(f"{ZERO_GID}\n")
    copied = nixl_stripe.capture(tmp_path / "copy", source=tree.sys)
    assert machine(copied).nics[0].ports


def test_a_host_that_is_too_large_is_not_captured_bad_flow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = write(MACHINES["dgx_h100"](), tmp_path)
    count = sum(1 for _ in nixl_stripe.capture(tmp_path / "whole", source=tree.sys).rglob("*"))
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    monkeypatch.setattr(unpacking, "MAX_ARCHIVE_MEMBERS", count)
    machine(nixl_stripe.capture(tmp_path / "fits.tar.gz", source=tree.sys))
    monkeypatch.setattr(unpacking, "MAX_ARCHIVE_MEMBERS", count - 1)
    with pytest.raises(StripeError, match=f"{tree.sys}: too large .* more than {count - 1} files"):
        nixl_stripe.capture(tmp_path / "host.tar.gz", source=tree.sys)
    assert not (tmp_path / "host.tar.gz").exists()
    assert list(temporary.iterdir()) == []


def test_replacing_gids_grows_no_faster_than_there_are_gids() -> None:
    def replace(count: int) -> None:
        names = capture._GidNames()
        for n in range(count):
            names.replace(f"2a00:0000:0000:0000:0000:0000:{n >> 16:04x}:{n & 65535:04x}\n".encode())

    assert calls(lambda: replace(800)) < 4.2 * calls(lambda: replace(200))
