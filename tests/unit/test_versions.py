# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The table of NIXL versions is what scripts/version-matrix found, and all of it good."""

from __future__ import annotations

import json
import re
from typing import Any

from nixl_stripe.versions import NEWEST
from nixl_wheels import ROOT
from packaging.version import Version
from version_matrix import FLAVOURS, WITH_RAILS, failures, lines
from wheel_build import PLATFORM

RESULT: dict[str, Any] = json.loads((ROOT / "docs/results/versions.json").read_text("utf-8"))


def test_every_line_that_was_published_is_there_and_good() -> None:
    for name in FLAVOURS:
        rows = [row for row in RESULT["rows"] if row["nixl"] == name]
        assert [row["version"] for row in rows] == lines(RESULT["published"][name])
        assert [failures(row) for row in rows] == [[]] * len(rows)
        assert ["rails" in row for row in rows] == [n < WITH_RAILS for n in range(len(rows))]


def test_failures_are_seen() -> None:
    row = RESULT["rows"][0]
    assert failures({**row, "loads": False}) == ["loads"]
    assert failures({**row, "applied": []}) == ["applied []"]
    assert failures({**row, "refuses": False}) == ["refuses"]
    rails = {"stock": 2, "patched": 3}
    assert failures({**row, "rails": rails}) == [f"rails {rails}"]


def test_lines_are_minor_versions() -> None:
    versions = ["1.10.0", "1.9.2", "1.9.10", "0.7.1", "0.7.0"]
    assert lines(versions) == ["1.10.0", "1.9.10", "0.7.1"]


def _supported() -> dict[str, tuple[str, str]]:
    """Return since and until of the table of what is supported."""
    text = (ROOT / "docs/versions.md").read_text("utf-8")
    table = text.partition("| what |")[2].partition("\n\n")[0]
    rows = [[cell.strip() for cell in line.split("|")[1:4]] for line in table.splitlines()[2:]]
    return {what: (since, until) for what, since, until in rows}


def _span(versions: list[str]) -> tuple[str, str]:
    ordered = sorted(versions, key=Version)
    return ordered[0], ordered[-1]


def test_what_is_supported_is_what_was_tried() -> None:
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    said = _supported()
    assert said["NIXL"] == _span([row["version"] for row in RESULT["rows"]])
    assert said["NIXL"][1] == NEWEST
    assert said["UCX in NIXL's wheels"] == _span([row["ucx"] for row in RESULT["rows"]])
    assert said["CUDA of NIXL's wheel"] == _span([name.rpartition("-cu")[2] for name in FLAVOURS])
    pythons = re.findall(r"Programming Language :: Python :: (3\.\d+)", project)
    assert said["Python"] == _span(pythons)
    assert f'requires-python = ">={said["Python"][0]}"' in project
    least, bound = said["click"]
    assert f'"click>={least},<{bound.removeprefix("below ")}"' in project
    assert f"manylinux_{said['glibc'][0].replace('.', '_')}" == PLATFORM
    measured = json.loads((ROOT / "docs/results/gpu.json").read_text("utf-8"))
    assert said["GPU"][0] == measured["machine"]["gpu"]
