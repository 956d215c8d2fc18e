# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What gpu-check says of its figures; the figures themselves need a GPU."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gpu_check import goals, report
from gpu_check.__main__ import main
from gpu_check.registration import spans_of, ways
from gpu_check.steps import uneven
from nixl_stripe.lab.buffers import Payload, open_store
from nixl_stripe.lab.outcome import PayloadMismatchError

ROOT = Path(__file__).parents[2]
MIB = 1 << 20


def result() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((ROOT / "docs/results/gpu.json").read_text("utf-8"))
    return loaded


def failed(run: dict[str, Any]) -> list[str]:
    return [check["name"] for check in goals.check(run) if not check["ok"]]


def test_the_committed_run_met_every_goal() -> None:
    run = result()
    assert len(run["checks"]) == 6
    assert goals.check(run) == run["checks"]
    assert not failed(run)
    assert all(row["verified"] for step in ("scaling", "fast", "refit") for row in run[step])


def scaled(run: dict[str, Any], factor: float) -> dict[str, Any]:
    """Return the run with rates of several rails multiplied."""
    for step in ("scaling", "fast"):
        for row in run[step]:
            if row["kind"] == "striped" and row["rails"] > 1:
                row["gbps"] *= factor
    return run


def test_a_quick_run_has_goals_of_its_own() -> None:
    quick = {**scaled(result(), 0.7), "quick": True}
    names = [check["name"] for check in goals.check(quick)]
    assert failed(quick) == []
    assert not [name for name in names if "first backend" in name]
    assert [check["goal"] for check in goals.check(quick)[:3]] == [">= 2.2"] * 3


def test_a_quick_run_that_is_no_faster_than_two_rails_fails_bad_flow() -> None:
    assert len(failed({**scaled(result(), 0.5), "quick": True})) == 2
    assert len(failed({**scaled(result(), 0.25), "quick": True})) == 3
    assert failed(scaled(result(), 0.7))


def test_the_page_shows_the_committed_run() -> None:
    page = (ROOT / "docs/gpu.md").read_text("utf-8")
    for part in report.text(result()).split("\n\n"):
        assert part in page


@pytest.mark.parametrize(
    ("step", "where", "change", "name"),
    [
        ("scaling", {"rails": 4, "op": "READ", "kind": "striped"}, {"gbps": 2.0}, "READ, 4 rails"),
        ("scaling", {"rails": 4, "op": "WRITE", "kind": "striped"}, {"gbps": 2.0}, "WRITE, 4"),
        (
            "fast",
            {"rails": 8, "memory": "dram", "op": "WRITE", "kind": "striped"},
            {"gbps": 20},
            "8",
        ),
        ("scaling", {"memory": "vram"}, {"create_seconds": [5.0] * 9}, "first backend"),
        ("refit", {"mode": "striped"}, {"verified": False}, "with an error"),
        ("fast", {"rails": 1}, {"error": "SideDied"}, "with an error"),
    ],
)
def test_a_goal_that_is_missed_is_named_bad_flow(
    step: str, where: dict[str, Any], change: dict[str, Any], name: str
) -> None:
    run = result()
    for row in run[step]:
        stock = name == "first backend" and row.get("kind") == "stock"
        if not stock and where.items() <= row.items():
            row.update(change)
    assert [each for each in failed(run) if name in each]


def test_lookups_that_disagree_are_counted_bad_flow() -> None:
    for visible, asked, change in (
        ("unset", "ordinal 0", {"gpu": "0000:ff:00.0"}),
        ("uuid", "context", {"plugin": "stripe_gpu=''"}),
        ("hidden", "ordinal 0", {"gpu": "0000:00:06.0", "plugin": "created"}),
    ):
        run = result()
        run["lookups"][visible][asked].update(change)
        assert [each for each in failed(run) if "look-ups" in each], visible


def test_a_step_that_failed_fails_the_run_bad_flow() -> None:
    run = {**result(), "errors": ["register, dram: no memory"]}
    assert failed(run) == ["register, dram: no memory"]
    assert "| register, dram: no memory | 1 | no error | NO |" in report.text(
        {**run, "checks": goals.check(run)}
    )


@pytest.mark.parametrize(("before", "said"), [(17.0, True), (15.0, False)])
def test_a_busy_machine_is_said_below_the_tables(before: float, said: bool) -> None:
    run = {**result(), "load": {"before": before, "after": 99.0}}
    assert run["machine"]["cores"] == 16
    assert ("This machine was busy (load 17.0 on 16 cores)" in report.text(run)) == said


def test_no_gpu_is_one_line_bad_flow(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["--steps", "create"]) == 1
    assert "nvidia-smi" in capsys.readouterr().err
    script = tmp_path / "nvidia-smi"
    script.write_text("#!/bin/sh\necho 'No devices were found'\nexit 6\n")
    script.chmod(0o755)
    assert main(["--steps", "create"]) == 1
    assert "no NVIDIA GPU here: nvidia-smi: No devices were found" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "text"),
    [(["--steps", "warp"], "'warp': accepted are"), (["--stock", "."], "both or neither")],
)
def test_bad_options_bad_flow(
    arguments: list[str], text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert text in capsys.readouterr().err


def test_regions_cover_the_block_without_gap_or_overlap() -> None:
    for count in (1, 3, 290, 2048):
        spans = spans_of(4096, 512 * MIB + 7, count)
        assert len(spans) == count
        ends = [address + size for address, size, _, _ in spans]
        assert [span[0] for span in spans] == [4096, *ends[:-1]]
        assert ends[-1] == 4096 + 512 * MIB + 7


class Recorder:
    """Stands for an agent: remembers what each call registered."""

    def __init__(self) -> None:
        self.calls: list[list[Any]] = []

    def register_memory(self, spans: list[Any], segment: str) -> object:
        assert segment == "DRAM"
        self.calls.append(spans)
        return object()


def test_every_way_registers_the_same_bytes() -> None:
    spans = spans_of(0, 1 << 20, 10)
    block = (0, 1 << 20, 0, "")
    names = list(ways(None, "DRAM", spans, block, 4))
    assert names == ["one call", "call for each", "4 threads", "block"]
    for name in names:
        agent = Recorder()
        held = ways(agent, "DRAM", spans, block, 4)[name]()
        assert len(held) == len(agent.calls) == {"one call": 1, "block": 1}.get(name, len(held))
        assert sum(span[1] for call in agent.calls for span in call) == 1 << 20


def test_uneven_sizes_are_aligned_and_add_up() -> None:
    sizes = uneven(512 * MIB, 290)
    assert len(sizes) == 290
    assert all(size % 512 == 0 and size >= 512 for size in sizes)
    assert 0 <= 512 * MIB - sum(sizes) <= 290 * 512
    assert max(sizes) > 50 * min(sizes)


class FakeTensor:
    """As much of a CUDA tensor as the store needs, in host memory."""

    def __init__(self, data: Any) -> None:
        self.data = data

    def data_ptr(self) -> int:
        return int(self.data.ctypes.data)

    def copy_(self, other: FakeTensor) -> None:
        self.data[:] = other.data

    def to(self, device: str) -> FakeTensor:
        assert device == "cuda"
        return self

    def cpu(self) -> FakeTensor:
        return self

    def numpy(self) -> Any:
        return self.data


TORCH = """
import numpy
from types import SimpleNamespace
uint8 = numpy.uint8
cuda = SimpleNamespace(synchronize=lambda: None)
"""


def test_tensors_hold_the_payload_and_a_wrong_byte_is_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "torch.py").write_text(TORCH)
    monkeypatch.syspath_prepend(tmp_path)
    import torch

    fakes = {
        "zeros": lambda n, dtype, device: FakeTensor(np.zeros(n, dtype)),  # noqa: ARG005
        "from_numpy": FakeTensor,
        "equal": lambda a, b: np.array_equal(a.data, b.data),
    }
    for name, fake in fakes.items():
        monkeypatch.setattr(torch, name, fake, raising=False)
    store, payload = open_store("vram", [1000, 8], "torch"), Payload([1000, 8])
    payload.fill(store, 0)
    payload.check(store, 0)
    assert store.segment == "VRAM"
    assert len(set(store.addresses)) == 2
    payload.fill(store, 0, corrupt=True)
    with pytest.raises(PayloadMismatchError, match="buffer 1: 1 of 8 bytes differ"):
        payload.check(store, 0)
