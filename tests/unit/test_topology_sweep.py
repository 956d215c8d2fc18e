# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Published topology files parse and give sane NIC sets; a judge that finds nothing would show."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import topology_sweep
from nixl_stripe import _core
from topology_sweep import Found, judged, sweep

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests/data/topologies"
RESULT = json.loads((ROOT / "docs/results/topologies.json").read_text("utf-8"))
#: Where the published files lie in their repositories, and what they are called here.
UPSTREAM = {
    "ai-dynamo/nixl": ("test/unit/utils/libfabric/topo/{}-topo.xml", "hwloc-aws-{}.xml"),
    "Azure/azhpc-images": ("topology/{}-topo.xml", "nccl-azure-{}.xml"),
    "aws/aws-ofi-nccl": ("topology/{}-topo.xml", "nccl-aws-{}.xml"),
}
#: File: GPUs, NICs, NICs of `all`.
EXPECTED = {
    "hwloc-aws-c5n.18xl": (0, 1, 1),
    "hwloc-aws-g5.48xl": (8, 1, 1),
    "hwloc-aws-g6.48xl": (8, 1, 1),
    "hwloc-aws-p3dn.24xl": (8, 1, 1),
    "hwloc-aws-p4d.24xl": (8, 4, 4),
    "hwloc-aws-p5.48xl": (8, 32, 32),
    "hwloc-aws-p5en.48xl": (8, 16, 16),
    "hwloc-aws-p6-b200.48xl": (8, 10, 8),
    "hwloc1-aws-p3dn.24xl": (8, 1, 1),
    "hwloc1-aws-p4d.24xl": (8, 4, 4),
    "hwloc1-aws-p5.48xl": (8, 32, 32),
    "nccl-aws-g5.48xl": (0, 0, 0),
    "nccl-aws-p4d": (8, 4, 4),
    "nccl-aws-p4de": (8, 4, 4),
    "nccl-azure-ncv4": (4, 0, 1),  # the file has an interface without RDMA: TCP
    "nccl-azure-ndv2": (8, 1, 1),
    "nccl-azure-ndv4": (8, 8, 8),
    "nccl-azure-ndv5": (8, 8, 8),
}


@pytest.fixture(scope="module")
def swept() -> dict[str, Found]:
    found, others = sweep("here", DATA)
    assert others == 0
    return {row.file: row for row in found}


def test_each_published_file_gives_sane_sets(swept: dict[str, Found]) -> None:
    assert {row.file: row.faults for row in swept.values() if row.faults} == {}
    counts = {
        name.removesuffix(".xml"): (row.gpus, len(row.nics), len(row.taken))
        for name, row in swept.items()
    }
    assert counts == EXPECTED


def test_p6_b200_uses_its_eight_efa_under_every_policy() -> None:
    host = _core.read_machine(str(DATA / "hwloc-aws-p6-b200.48xl.xml"))
    efa = {f"{nic.name}:1" for nic in host.nics if nic.ports[0].link_layer == "EFA"}
    assert len(efa) == 8
    for policy in ("all", "nearest", "fair"):
        sets = [_core.select_nics(host, policy, gpu.pci) for gpu in host.gpus]
        assert {device for chosen in sets for device in chosen.devices} == efa, policy
        assert all(set(chosen.excluded_by.values()) >= {"fabric"} for chosen in sets)


def test_the_committed_result_is_what_these_files_give(swept: dict[str, Found]) -> None:
    compared = 0
    for row in RESULT["rows"]:
        pattern, ours = UPSTREAM.get(row["source"].partition("@")[0], ("", ""))
        before, _, after = pattern.partition("{}")
        machine = row["file"].removeprefix(before).removesuffix(after)
        if not ours or pattern.format(machine) != row["file"]:
            continue
        again = asdict(swept[ours.format(machine.removesuffix("-24xl"))])
        assert {**again, "source": row["source"], "file": row["file"]} == row
        compared += 1
    assert compared == sum(not name.startswith("hwloc1") for name in EXPECTED)


def test_the_committed_result_has_every_source_and_no_fault() -> None:
    sources = {each["source"].partition("@")[0] for each in RESULT["sources"]}
    assert sources == {*UPSTREAM, "NVIDIA/nccl", "open-mpi/hwloc"}
    assert [row for row in RESULT["rows"] if row["faults"]] == []


def doctored(change: Callable[[str, str | None, Any], None]) -> topology_sweep.Select:
    """Return a selection that is right but for what `change` does to it."""

    def select(host: _core.Machine, policy: str, gpu: str | None) -> _core.Selection:
        right = _core.select_nics(host, policy, gpu)
        made = SimpleNamespace(
            devices=list(right.devices),
            excluded=dict(right.excluded),
            excluded_by=dict(right.excluded_by),
        )
        change(policy, gpu, made)
        return cast(_core.Selection, made)

    return select


def mixed(policy: str, _: str | None, made: Any) -> None:
    if policy in ("all", "2"):
        made.devices = ["rdmap79s0:1", "ibp115s0f0:1"]


def emptied(policy: str, _: str | None, made: Any) -> None:
    if policy == "nearest":
        made.devices = []


def unsaid(_: str, __: str | None, made: Any) -> None:
    made.excluded.pop("ibp115s0f0")


def doubled(policy: str, _: str | None, made: Any) -> None:
    if policy == "fair":
        made.devices = ["rdmap79s0:1"]


def far(policy: str, gpu: str | None, made: Any) -> None:
    if policy == "nearest" and gpu == "0000:51:00.0":
        made.devices = ["rdmap133s0:1"]


def stray(policy: str, _: str | None, made: Any) -> None:
    if policy == "auto":
        made.devices = ["ibp115s0f0:1"]


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (mixed, "two fabrics"),
        (emptied, "no NIC, and there are some"),
        (unsaid, "no reason for ['ibp115s0f0']"),
        (doubled, "fair: the shares are not all NICs"),
        (doubled, "fair: a NIC for two GPUs"),
        (far, "nearest for 0000:51:00.0: not the nearest"),
        (stray, "a NIC that `all` leaves out"),
    ],
)
def test_a_set_that_cannot_be_right_is_named_bad_flow(
    change: Callable[[str, str | None, Any], None], fault: str
) -> None:
    host = _core.read_machine(str(DATA / "hwloc-aws-p6-b200.48xl.xml"))
    assert judged("here", "p6", host).faults == []
    faults = judged("here", "p6", host, doctored(change)).faults
    assert any(fault in each for each in faults), faults


def test_a_file_that_is_refused_is_a_fault_bad_flow(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "whole.xml").write_bytes((DATA / "nccl-azure-ndv2.xml").read_bytes())
    (tmp_path / "other.xml").write_text("<graphs/>")
    assert topology_sweep.main([f"a/b@1={tmp_path}"]) == 0
    cut = (DATA / "hwloc-aws-p5.48xl.xml").read_bytes()[:3000]
    (tmp_path / "cut.xml").write_bytes(cut)
    assert topology_sweep.main([f"a/b@1={tmp_path}", "--json", str(tmp_path / "out.json")]) == 1
    assert "a/b@1 cut.xml: refused: " in capsys.readouterr().err
    made = json.loads((tmp_path / "out.json").read_text("utf-8"))
    assert made["sources"] == [{"source": "a/b@1", "topologies": 2, "other_xml": 1}]
    with pytest.raises(SystemExit):
        topology_sweep.main(["a/b@1=/no/such/folder"])


def test_a_copy_of_sys_is_one_topology(tmp_path: Path) -> None:
    (tmp_path / "host/sys/bus/pci/devices").mkdir(parents=True)
    (tmp_path / "host/sys/bus/inner.xml").write_text("<topology/>")
    assert [row.file for row in sweep("here", tmp_path)[0]] == ["host/sys"]
