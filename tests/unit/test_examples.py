# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The examples are what `nixl-stripe plan --emit` prints, to the letter."""

from __future__ import annotations

from pathlib import Path

import pytest
from nixl_stripe.cli import main
from sysfs_machines import MACHINES
from sysfs_trees import write

EXAMPLES = Path(__file__).parents[2] / "examples"
FILES = {"nemo-rl": "refit.yaml"}
CLIENTS = ("dynamo", "lmcache", "modelexpress", "nemo-rl", "nixlbench", "ray", "sglang", "vllm")


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("machine", ["gb200", "p5"])
def test_example_is_what_emit_prints(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], client: str, machine: str
) -> None:
    """The value that all ranks share is the same on every machine."""
    tree = write(MACHINES[machine](), tmp_path).sys
    assert main(["plan", "--source", str(tree), "--stripe", "all", "--emit", client]) == 0
    example = EXAMPLES / client / FILES.get(client, "env.sh")
    assert example.read_text(encoding="utf-8") == capsys.readouterr().out


def test_every_folder_of_examples_is_known() -> None:
    folders = {each.name for each in EXAMPLES.iterdir() if each.is_dir()}
    assert folders == {*CLIENTS, "c-api", "kubernetes", "prometheus", "python"}
