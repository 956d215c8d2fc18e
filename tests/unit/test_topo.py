# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""`nixl-stripe topo`: real machines as text, JSON and pictures."""

from __future__ import annotations

import json
import sys
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import pytest
from nixl_stripe.cli import main
from nixl_stripe.topo import layout, model
from nixl_stripe.topo.machine import machine
from nixl_stripe.topo.shapes import Rect, Text, text_width
from sysfs_machines import MACHINES
from sysfs_trees import write

TOPOLOGIES = Path(__file__).parents[1] / "data" / "topologies"
FILES = sorted(path.name for path in TOPOLOGIES.glob("*.xml"))
HOSTS = ("gb200", "dgx_h100")

#: file -> GPUs, NICs, and the distances of a GPU to all NICs, the same for every GPU of the machine
EXPECTED = {
    "hwloc-aws-p5.48xl.xml": (8, 32, {"PIX": 4, "NODE": 12, "SYS": 16}),
    "hwloc-aws-p4d.24xl.xml": (8, 4, {"PHB": 1, "NODE": 1, "SYS": 2}),
    "hwloc-aws-p3dn.24xl.xml": (8, 1, {"PHB": 1}),
    "nccl-aws-p4d.xml": (8, 4, {"PIX": 1, "PHB": 1, "SYS": 2}),
    "nccl-azure-ndv4.xml": (8, 8, {"PIX": 2, "SYS": 6}),
}


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(["topo", *arguments])
    out, err = capsys.readouterr()
    return code, out, err


def as_json(capsys: pytest.CaptureFixture[str], source: Path) -> dict[str, object]:
    code, out, _ = run(capsys, "--source", str(source), "--json")
    assert code == 0
    answer: dict[str, object] = json.loads(out)
    return answer


@pytest.mark.parametrize("name", EXPECTED)
def test_affinities_of_real_machines(name: str) -> None:
    gpus, nics, distances = EXPECTED[name]
    picture = model.picture_of(machine(TOPOLOGIES / name))
    assert len(picture.gpus) == gpus
    assert len(picture.nics) == nics
    for gpu in picture.gpus:
        assert Counter(row[gpu.name] for row in picture.matrix.values()) == distances


@pytest.mark.parametrize("machine_name", ["p3dn.24xl", "p4d.24xl", "p5.48xl"])
def test_both_versions_of_hwloc_give_the_same_machine(machine_name: str) -> None:
    first = machine(TOPOLOGIES / f"hwloc1-aws-{machine_name}.xml").to_dict()
    second = machine(TOPOLOGIES / f"hwloc-aws-{machine_name}.xml").to_dict()
    # Version 1 has no OpenCL devices, which is where version 2 finds some GPUs' names.
    for each in (first, second):
        del each["source"]
    assert first == second


def _boxes(boxes: list[model.Box]) -> Iterator[model.Box]:
    for box in boxes:
        yield box
        yield from _boxes(box.boxes)


@pytest.mark.parametrize("name", FILES)
def test_every_device_is_drawn_once(name: str) -> None:
    picture = model.picture_of(machine(TOPOLOGIES / name))
    drawn = [device.name for box in _boxes(picture.boxes) for device in box.devices]
    assert sorted(drawn) == sorted(device.name for device in picture.gpus + picture.nics)


def test_p5_shows_a_switch_for_each_gpu() -> None:
    picture = model.picture_of(machine(TOPOLOGIES / "hwloc-aws-p5.48xl.xml"))
    switches = [box for box in _boxes(picture.boxes) if box.kind == "switch"]
    assert len(switches) == 8
    for switch in switches:
        assert Counter(device.kind for device in switch.devices) == {"GPU": 1, "NIC": 4}


def _extent(text: Text) -> tuple[float, float, float, float]:
    width = text_width(text.text, text.size)
    return text.x, text.y - text.size * 0.75, text.x + width, text.y + text.size * 0.2


def _overlap(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


@pytest.fixture(params=[*FILES, *HOSTS])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    name = str(request.param)
    if name.endswith(".xml"):
        return TOPOLOGIES / name
    return write(MACHINES[name](), tmp_path / "host").sys


def test_no_two_labels_overlap_and_none_leaves_the_drawing(source: Path) -> None:
    host = machine(source)
    picture = model.picture_of(host)
    assert [nic.name for nic in picture.nics] == [nic.name for nic in host.nics]
    assert len(picture.gpus) == len(host.gpus)
    drawing = layout.draw(picture)
    texts = [_extent(shape) for shape in drawing.shapes if isinstance(shape, Text) and shape.text]
    assert texts
    for left, top, right, bottom in texts:
        assert left >= 0
        assert top >= 0
        assert right <= drawing.width
        assert bottom <= drawing.height
    for a, b in combinations(texts, 2):
        assert not _overlap(a, b), (a, b)


def test_boxes_nest_or_stay_apart(source: Path) -> None:
    drawing = layout.draw(model.picture_of(machine(source)))
    rects = [
        (r.x, r.y, r.x + r.width, r.y + r.height) for r in drawing.shapes if isinstance(r, Rect)
    ]
    for a, b in combinations(rects, 2):
        nested = (a[0] <= b[0] and a[1] <= b[1] and a[2] >= b[2] and a[3] >= b[3]) or (
            b[0] <= a[0] and b[1] <= a[1] and b[2] >= a[2] and b[3] >= a[3]
        )
        assert nested or not _overlap(a, b), (a, b)


def test_the_terminal_shows_tree_matrix_and_nics(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "--source", str(TOPOLOGIES / "nccl-azure-ndv4.xml"))
    assert code == 0
    for expected in ("NUMA node 3", "PCIe switch ffff:ff:01.0", "GPU7", "ibP264p0s0", "PIX", "SYS"):
        assert expected in out


def test_json_has_machine_and_matrix(capsys: pytest.CaptureFixture[str]) -> None:
    answer = as_json(capsys, TOPOLOGIES / "hwloc-aws-p4d.24xl.xml")
    matrix = answer["matrix"]
    assert isinstance(matrix, dict)
    assert matrix["rdmap16s27"]["GPU0"] == "PHB"
    assert answer["numa_nodes"] == [0, 1]
    assert answer["is_live"] is False


def test_svg_is_a_document_with_every_name(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "picture.svg"
    code, out, err = run(capsys, "--source", str(source), "--svg", str(target))
    assert (code, out, err) == (0, "", f"wrote {target}\n")
    root = ET.fromstring(target.read_text(encoding="utf-8"))  # noqa: S314  our own output
    texts = {element.text for element in root.iter("{http://www.w3.org/2000/svg}text")}
    assert {nic.name for nic in machine(source).nics} <= texts
    assert {"Legend", "PIX: one PCIe switch"} <= texts


def test_png_is_a_picture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib, the extra 'plot', is not installed")
    target = tmp_path / "picture.png"
    source = TOPOLOGIES / "hwloc-aws-p4d.24xl.xml"
    assert run(capsys, "--source", str(source), "--png", str(target))[0] == 0
    header = target.read_bytes()[:24]
    assert header[:8] == b"\x89PNG\r\n\x1a\n"
    assert int.from_bytes(header[16:20], "big") > 800


def test_png_without_matplotlib_names_the_extra(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("matplotlib.backends.backend_agg", "matplotlib.figure", "matplotlib.patches"):
        monkeypatch.setitem(sys.modules, name, None)
    source = TOPOLOGIES / "nccl-aws-p4d.xml"
    code, _, err = run(capsys, "--source", str(source), "--png", str(tmp_path / "x.png"))
    assert code == 1
    assert err.count("\n") == 1
    assert "nixl-stripe[plot]" in err
    assert not (tmp_path / "x.png").exists()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "no element"),
        (b"\x7fELF\x02\x01\x00", "not text"),
        (b"<graphs version='1'/>", "unknown kind"),
        (b"<system version='1'><cpu numaid='0'>", "ends inside <cpu>"),
        (b"<!DOCTYPE x [<!ENTITY a 'b'>]><system version='1'>&a;</system>", "not expanded"),
        (b"<a>" * 5000, "nested deeper"),
    ],
)
def test_broken_sources_are_one_line(
    content: bytes, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "machine.xml"
    path.write_bytes(content)
    code, out, err = run(capsys, "--source", str(path))
    assert code == 2
    assert out == ""
    assert err.count("\n") == 1
    assert str(path) in err
    assert says in err


def test_a_missing_source_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "--source", str(tmp_path / "absent"))
    assert code == 2
    assert "absent': No such file or directory; accepted: /sys or a copy" in err


def test_pictures_that_cannot_be_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = TOPOLOGIES / "nccl-aws-p4d.xml"
    target = tmp_path / "no" / "such" / "x.svg"
    code, _, err = run(capsys, "--source", str(source), "--svg", str(target))
    assert code == 1
    assert err == f"nixl-stripe: {target}: cannot be written: No such file or directory\n"


def test_saved_machine_reads_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sysfs = write(MACHINES["gb200"](), tmp_path / "host").sys
    archive = tmp_path / "machine.tar.gz"
    code, out, err = run(capsys, "--source", str(sysfs), "--save", str(archive))
    assert (code, out, err) == (0, "", f"wrote {archive}\n")
    original = as_json(capsys, sysfs)
    saved = as_json(capsys, archive)
    assert original["gpus"]
    assert original["nics"]
    assert saved["matrix"] == original["matrix"]
    assert saved["pci"] == original["pci"]
