# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Whatever a sysfs holds, reading it gives a machine that holds together."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path

from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from nixl_stripe import Machine, capture, machine
from nixl_stripe._core import read_sysfs
from sysfs_machines import MACHINES
from sysfs_trees import write

NAMES = ("dgx_h100_lag", "second_port_only", "soft_roce", "virtual_functions")
CONTENTS = st.one_of(
    st.binary(max_size=64),
    st.sampled_from(
        [b"", b"-1", b"0x", b"4: ", b": :", b"99999999999999999999", b"A" * 9000, b"nan", b"1e999"]
    ),
)
KINDS = ("remove", "write", "loop", "up", "folder", "dangle")


def damage(path: Path, kind: str, content: bytes) -> None:
    """Do one bad thing to an entry that an earlier one may have taken away already."""
    if not path.parent.is_dir():
        return
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    if kind == "remove":
        return
    if kind == "write":
        path.write_bytes(content)
    elif kind == "folder":
        path.mkdir()
    else:
        # a loop of folders that stays in the tree: a capture leaves out what lies outside
        targets = {"loop": path.name, "up": ".", "dangle": "no/such/target"}
        path.symlink_to(targets[kind])


def check(host: Machine) -> None:
    """Check what the other layers rely on."""
    json.dumps(host.to_dict())
    for node in host.pci.values():
        assert not node.parent or node.parent in host.pci
        assert 0 <= node.link_gtps <= 100_000
    for gpu in host.gpus:
        assert gpu.pci in host.pci
        for nic in host.nics:
            name, depth = host.affinity(gpu, nic)
            assert name in {"PIX", "PXB", "PHB", "NODE", "SYS"}
            assert depth >= 0
    for nic in host.nics:
        assert nic.name.isascii()
        assert [port.number for port in nic.ports] == sorted({p.number for p in nic.ports})
        assert all(0 <= port.rate_gbps <= 100_000 for port in nic.ports)
        assert all(port.has_gid == bool(port.gids) for port in nic.ports)


# without shrinking: each step of it writes a whole tree
@settings(max_examples=15, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(
    name=st.sampled_from(NAMES),
    blows=st.lists(
        st.tuples(st.floats(0, 1, exclude_max=True), st.sampled_from(KINDS), CONTENTS),
        min_size=1,
        max_size=8,
    ),
)
def test_a_damaged_tree_is_read_and_captured(
    name: str, blows: list[tuple[float, str, bytes]]
) -> None:
    with tempfile.TemporaryDirectory() as top:
        tree = write(MACHINES[name](), Path(top))
        entries = sorted(tree.sys.rglob("*"))
        for place, kind, content in blows:
            damage(entries[int(place * len(entries))], kind, content)
        if not tree.sys.is_dir():
            return
        host = read_sysfs(str(tree.sys), str(tree.dev))
        check(host)
        copy = machine(capture(Path(top) / "copy", source=tree.sys, keep_addresses=True))
        check(copy)
        if any(kind == "up" for _, kind, _ in blows):
            return  # such a link can lead out of the tree, where a copy cannot follow
        assert copy.to_dict() | {"source": ""} == read_sysfs(str(tree.sys)).to_dict() | {
            "source": ""
        }


def test_devices_that_come_and_go_while_it_reads(tmp_path: Path) -> None:
    tree = write(MACHINES["dgx_h100"](), tmp_path)
    links = sorted((tree.sys / "class/infiniband").iterdir())
    for link in links:
        (link.resolve() / "ports/1/state").unlink()
        host = read_sysfs(str(tree.sys))
        check(host)
        assert {nic.name: nic.ports[0].state for nic in host.nics}[link.name] == "unknown"
        shutil.rmtree(link.resolve())
        assert link.name not in {nic.name for nic in read_sysfs(str(tree.sys)).nics}
    assert read_sysfs(str(tree.sys)).nics == ()
