# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Pictures of committed results."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from nixl_stripe.cli import main as command


def spread(value: float) -> dict[str, float]:
    return {"median": value, "q1": value, "q3": value, "min": value, "max": value, "n": 1}


def rails_document() -> dict[str, Any]:
    def row(mode: str, nics: int) -> dict[str, Any]:
        share = {"r0": 0.5, "r1": 0.5}
        return {"mode": mode, "nics": nics, "op": "WRITE", "gbps": spread(nics), "share": share}

    return {
        "bench": "rails",
        "machine": {"bed": "tcp", "nics": 2, "mbit": 1000.0, "cores": 2},
        "versions": {"nixl_stripe": "0", "nixl": "1.5.1", "python": "3"},
        "options": {"ops": ["WRITE"]},
        "rows": [row("stock", 2), row("stripe", 1), row("stripe", 2)],
        "ratios": {"write_all_over_stock": 1.0},
    }


def test_plot_draws(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib", reason="plots are an extra")
    file = tmp_path / "r.json"
    file.write_text(json.dumps(rails_document()))
    assert command(["bench", "plot", str(file), "--out", str(tmp_path / "new")]) == 0
    picture = Path(capsys.readouterr().out.strip())
    assert picture.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("text", ["{", "[]", '{"bench": "x"}', '{"rows": []}'])
def test_plot_of_something_else_bad_flow(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    file = tmp_path / "r.json"
    file.write_text(text)
    assert command(["bench", "plot", str(file)]) == 2
    assert "not what `nixl-stripe bench ... --save` writes" in capsys.readouterr().err


def test_plot_of_nothing_bad_flow(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["bench", "plot", str(tmp_path / "absent.json")]) == 2
    assert "No such file" in capsys.readouterr().err
