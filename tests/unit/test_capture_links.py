# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Links of a capture are like the kernel's, so that few files are not read a million times."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest
from nixl_stripe import machine
from nixl_stripe.errors import SourceError
from nixl_stripe.topo.unpacking import UnpackingPlan

FUNCTION = "devices/pci0000:00/0000:00:05.0"
NICS = f"{FUNCTION}/infiniband"


def archive(path: Path, files: list[str], links: dict[str, str]) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for name in files:
            member = tarfile.TarInfo(name)
            member.size = 2
            tar.addfile(member, io.BytesIO(b"1\n"))
        for name, target in links.items():
            member = tarfile.TarInfo(name)
            member.type, member.linkname = tarfile.SYMTYPE, target
            tar.addfile(member)
    return path


def nic(name: str, ports: int = 1) -> list[str]:
    return [f"{NICS}/{name}/ports/{number}/state" for number in range(1, ports + 1)]


def test_links_as_the_kernel_makes_them_are_followed(tmp_path: Path) -> None:
    """Interfaces and NICs may be called like folders of a sysfs, two NICs share a function."""
    files = [*nic("net", 2), *nic("mlx5_1"), *(f"{FUNCTION}/net/{n}/mtu" for n in ("net", "e1"))]
    links = {
        "class/infiniband/net": f"../../{NICS}/net",
        "class/infiniband/mlx5_1": f"../../{NICS}/mlx5_1",
        f"{NICS}/net/device": "../..",
        f"{NICS}/mlx5_1/device": "../..",
        "class/net/net": f"../../{FUNCTION}/net/net",
        "class/net/e1": f"../../{FUNCTION}/net/e1",
        f"{FUNCTION}/net/e1/device": "../..",
        f"{FUNCTION}/net/e1/master": "../../../../virtual/net/not-captured",
        "bus/pci/devices/0000:00:05.0": f"../../../{FUNCTION}",
    }
    host = machine(archive(tmp_path / "host.tar.gz", files, links))
    assert [(each.name, len(each.ports)) for each in host.nics] == [("mlx5_1", 1), ("net", 2)]
    assert [each.name for each in host.net_interfaces] == ["e1", "net"]
    assert {each.pci for each in host.nics} == {"0000:00:05.0"}


SAME = {f"class/infiniband/m{n}": f"../../{NICS}/m" for n in (1, 2)}


@pytest.mark.parametrize(
    ("files", "links", "reason"),
    [
        (nic("m"), SAME, "m2' is the same device as 'class/infiniband/m1'"),
        (nic("m"), {"class/net/a": "b", "class/net/b": "c"}, "through another link"),
        (nic("m"), {"class/net/a": "b/c", "class/net/b": "../x"}, "through another link"),
        (nic("m"), {"class/infiniband/x/ports": f"../../../{NICS}/m/ports"}, "has a folder"),
        (nic("m"), {f"{NICS}/m/ports/2": "1"}, "has a folder"),
        (nic("m"), {f"{NICS}/m/ports/2/gids": "../1/gids"}, "has a folder"),
        (nic("m"), {"class/infiniband": f"../{NICS}"}, "has a folder"),
        (nic("m"), {"class": NICS}, "has a folder"),
        (nic("m"), {"devices/x/net": f"../../{NICS}"}, "has a folder"),
        (
            [*nic("m", 200), *(f"{FUNCTION}/net/e{n}/mtu" for n in range(101))],
            {f"{NICS}/m/device": "../.."},
            "device' makes more than 20000 pairs",
        ),
        (
            [*nic("m", 200), *(f"{NICS}/m/device/net/e{n}" for n in range(101))],
            {},
            "device' makes more than 20000 pairs",
        ),
    ],
)
def test_links_that_no_sysfs_has_are_refused_before_anything_is_written_bad_flow(
    files: list[str],
    links: dict[str, str],
    reason: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(UnpackingPlan, "write", lambda *_: pytest.fail("written"))
    with pytest.raises(SourceError, match=f"evil.tar.gz: not a captured sysfs: '.*{reason}"):
        machine(archive(tmp_path / "evil.tar.gz", files, links))


def test_as_many_pairs_as_may_be_are_read(tmp_path: Path) -> None:
    files = [*nic("m", 200), *(f"{FUNCTION}/net/e{n}/mtu" for n in range(100))]
    links = {f"{NICS}/m/device": "../..", "class/infiniband/m": f"../../{NICS}/m"}
    assert len(machine(archive(tmp_path / "host.tar.gz", files, links)).nics[0].ports) == 200
