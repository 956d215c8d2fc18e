# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What the README says is what is there: figures, links, parameters, commands."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from nixl_stripe.demo.markdown import with_table

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def results() -> dict[str, object]:
    loaded: dict[str, object] = json.loads((ROOT / "docs/results/demo.json").read_text("utf-8"))
    return loaded


def test_figures_are_those_of_the_result_file() -> None:
    assert with_table(README, results()) == README


def test_other_figures_would_be_noticed() -> None:
    other = {**results(), "speedup": 3.21}
    assert with_table(README, other) != README
    with pytest.raises(ValueError, match="lacks the marks"):
        with_table("no table here", results())


def test_the_committed_run_used_every_rail() -> None:
    run = json.loads((ROOT / "docs/results/demo.json").read_text("utf-8"))
    assert run["patched"]["rails_used"] == run["rails"] == 4
    assert run["stock"]["rails_used"] == 2


@pytest.mark.parametrize("document", DOCUMENTS, ids=[path.name for path in DOCUMENTS])
def test_links_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text("utf-8")):
        assert (document.parent / target).exists(), f"{document.name}: {target}"


def test_every_parameter_of_the_code_is_documented() -> None:
    header = (ROOT / "nixl_patch/policy/parameters.h").read_text("utf-8")
    variables = sorted(set(re.findall(r'"NIXL_UCX_([A-Z_]+)",', header)))
    assert len(variables) == 6
    parameters = (ROOT / "docs/parameters.md").read_text("utf-8")
    for name in variables:
        assert f"| `{name.lower()}` |" in README
        assert f"`NIXL_UCX_{name}`" in parameters


def test_every_setting_of_the_code_is_documented() -> None:
    source = (ROOT / "nixl_patch/ucx/settings.cpp").read_text("utf-8")
    settings = re.findall(r'\{"([A-Z_]+)",', source)
    assert len(settings) >= 7
    text = (ROOT / "docs/how-it-works.md").read_text("utf-8")
    for name in settings:
        assert f"`{name}`" in text


def test_the_second_table_is_that_of_its_result_files() -> None:
    def loaded(name: str) -> Any:
        return json.loads((ROOT / "docs/results" / name).read_text("utf-8"))

    gpu = loaded("gpu.json")
    rate = {
        (row["memory"], row["op"], row["rails"], row["mbit"], row["kind"]): f"{row['gbps']:.2f}"
        for row in (*gpu["scaling"], *gpu["fast"])
    }
    for kind in ("stock", "striped"):
        both = (rate["vram", op, 4, 1000, kind] for op in ("READ", "WRITE"))
        assert f"{' / '.join(both)} Gbit/s" in README
        assert f"{rate['dram', 'WRITE', 8, 3000, kind]} Gbit/s" in README
    for row in loaded("modelexpress.json")["rows"]:
        if row["case"] in ("stock", "NIXL_UCX_STRIPE=all"):
            assert f"{row['gbps']:.2f} Gbit/s" in README
