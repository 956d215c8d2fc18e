# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What the documents say in words is what is there: settings, the committed run."""

from __future__ import annotations

import json
from pathlib import Path

from nixl_stripe import _core

ROOT = Path(__file__).parents[2]


def test_the_committed_run_used_every_rail() -> None:
    run = json.loads((ROOT / "docs/results/demo.json").read_text("utf-8"))
    assert run["patched"]["rails_used"] == run["rails"] == 4
    assert run["stock"]["rails_used"] == 2


def test_every_setting_of_the_code_is_documented() -> None:
    settings = [rule.key for rule in _core.setting_table()]
    assert len(settings) >= 7
    text = (ROOT / "docs/how-it-works.md").read_text("utf-8")
    for name in settings:
        assert f"`{name}`" in text
