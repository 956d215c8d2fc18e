# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What the README says is what is there: parameters, settings, the committed run."""

from __future__ import annotations

import json
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")


def test_the_committed_run_used_every_rail() -> None:
    run = json.loads((ROOT / "docs/results/demo.json").read_text("utf-8"))
    assert run["patched"]["rails_used"] == run["rails"] == 4
    assert run["stock"]["rails_used"] == 2


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
