# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Arrows point one way only: imports of the Python package, includes of the C++ code."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from import_graph import PACKAGE, cycles_of, figures, floors_of, module_graph, room_graph, svg

ROOT = Path(__file__).parents[2]

#: What each room of nixl_patch may include; counters and recovery stand beside ucx.
ROOMS = {
    "topology": {"topology"},
    "policy": {"topology", "policy"},
    "ucx": {"topology", "policy", "ucx"},
    "counters": {"topology", "policy", "counters"},
    "recovery": {"topology", "policy", "ucx", "counters", "recovery"},
    "plugin": {"topology", "policy", "ucx", "counters", "recovery", "plugin"},
}


def test_no_modules_and_no_rooms_import_each_other() -> None:
    modules = module_graph(PACKAGE)
    assert cycles_of(modules) == []
    assert cycles_of(room_graph(modules)) == []


def test_the_root_is_a_table_of_contents() -> None:
    loose = {path.stem for path in PACKAGE.glob("*.py")}
    rooms = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists()}
    assert len(loose) <= 7, loose
    assert len(rooms) >= 10


def _lint(folder: Path, config: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--config", config, "--no-cache"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_contracts_hold() -> None:
    done = _lint(PACKAGE.parent, ROOT / "pyproject.toml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_an_arrow_upwards_breaks_them_bad_flow(tmp_path: Path) -> None:
    package = tmp_path / "nixl_stripe"
    for name in ("planning", "lab", "lab/rails", "lab/guests"):
        (package / name).mkdir(parents=True, exist_ok=True)
        (package / name / "__init__.py").touch()
    (package / "__init__.py").touch()
    layers = re.sub(
        r"layers = \[.*?\]",
        'layers = ["lab", "planning"]',
        (ROOT / "pyproject.toml").read_text("utf-8"),
        flags=re.DOTALL,
    )
    config = tmp_path / "pyproject.toml"
    config.write_text(layers)
    assert _lint(tmp_path, config).returncode == 0
    (package / "planning" / "plan.py").write_text("import nixl_stripe.lab\n")
    done = _lint(tmp_path, config)
    assert done.returncode == 1
    assert "nixl_stripe.planning is not allowed to import nixl_stripe.lab" in done.stdout


def test_a_cycle_is_found_bad_flow(tmp_path: Path) -> None:
    package = tmp_path / "house"
    for room, text in (("attic", "from house import cellar"), ("cellar", "import house.attic.box")):
        (package / room).mkdir(parents=True)
        (package / room / "__init__.py").touch()
        (package / room / "box.py").write_text(f"def late():\n    {text}\n")
    (package / "__init__.py").touch()
    modules = module_graph(package)
    assert cycles_of(modules) == []
    assert cycles_of(room_graph(modules)) == [["attic", "cellar"]]
    assert figures(package)["room cycles"] == 1
    with pytest.raises(ValueError, match="cycle have no floors"):
        floors_of(room_graph(modules))


def test_the_picture_in_the_documents_is_of_now() -> None:
    drawn = (ROOT / "docs/img/rooms.svg").read_text("utf-8")
    assert drawn == svg(room_graph(module_graph(PACKAGE))), (
        "python tools/import_graph.py --svg docs/img/rooms.svg"
    )


def _wrong_includes(folder: Path) -> Iterator[str]:
    for path in sorted(folder.rglob("*")):
        room = path.relative_to(folder).parts[0]
        if path.suffix not in {".h", ".cpp", ".c"} or room in {"tests", "compat"}:
            continue
        for included in re.findall(r'^#include "([^"]+)"', path.read_text("utf-8"), re.MULTILINE):
            if included.partition("/")[0] not in ROOMS[room]:
                yield f"{path.name} in {room} includes {included}"


def test_cpp_rooms_include_downwards_only() -> None:
    assert list(_wrong_includes(ROOT / "nixl_patch")) == []


def test_an_include_upwards_is_found_bad_flow(tmp_path: Path) -> None:
    (tmp_path / "policy").mkdir()
    (tmp_path / "policy/a.cpp").write_text('#include "policy/a.h"\n#include "ucx/plan.h"\n')
    assert list(_wrong_includes(tmp_path)) == ["a.cpp in policy includes ucx/plan.h"]
