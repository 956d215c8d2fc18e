# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""README's commands, taken from it and run one after the other in an environment of their own."""

from __future__ import annotations

import os
import re
import secrets
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from nixl_stripe.versions import NEWEST, NEWEST_REQUIREMENT

ROOT = Path(__file__).parents[2]
WheelOf = Callable[[str, str], Path]

#: `scripts/test-readme` names another one.
PYTHON = os.environ.get("README_PYTHON", sys.executable)

pytestmark = [pytest.mark.rails, pytest.mark.timeout(1800)]

#: Every command of README, in its order: what makes it short here, and a text of its output. None:
#: another test runs it, or it runs this one.
SHORT: dict[str, tuple[str, str] | None] = {
    "scripts/demo": None,
    "scripts/test": None,
    # Byte code of what NIXL requires (torch) would be made for nobody.
    "pip install '.[lab]' nixl-cu12": ("--quiet --no-compile", ""),
    "nixl-stripe patch": ("", "is nixl-stripe"),
    "python examples/python/on_rails.py": ("", "rail3 carried 16 MiB, 25%"),
    "nixl-stripe verify --bed tcp": ("--mbit 100 --size 4M --no-stock", "\n  ok\n"),
    "nixl-stripe verify": ("--size 4M --no-stock", "\n  ok\n"),
    "srun nixl-stripe fleet": ("--size 4M", "2 hosts, 1 rounds, 1 transfers, 1 of them well"),
    "nixl-stripe top --for 10": ("--for 1", "-- summary"),
    "nixl-stripe doctor": ("", "is patched with nixl-stripe"),
    "nixl-stripe topo": ("", "GPU"),
    "nixl-stripe plan --explain": ("", "forecast"),
    "nixl-stripe bench rails": (
        "--nics 2 --mbit 100 --size 1M --rounds 1 --repeats 1 --warmup 0 --nixl {nixl}",
        "stock",
    ),
    "nixl-stripe patch --status": ("", "patched with nixl-stripe"),
    "nixl-stripe patch --undo": ("", "is the stock one again"),
}


#: Slurm's, as far as a job step sees it: two tasks, here both on this host, where UCX must be kept
#: from shared memory. It ends with the worst code of them.
SRUN = """#!/bin/sh
export SLURM_NTASKS=2 SLURM_JOB_ID=1 SLURM_STEP_ID=0 SLURM_JOB_NODELIST=localhost
export UCX_TLS=^sm,cuda_ipc
SLURM_PROCID=1 "$@" &
SLURM_PROCID=0 "$@"
code=$?
wait $! || exit
exit $code
"""


def commands(text: str) -> list[str]:
    """Return the commands of a Markdown text: its indented lines, comments left out."""
    lines = re.findall(r"^    (\S.*)$", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S), re.M)
    return [re.split(r"\s+# ", line)[0].strip() for line in lines]


class Newcomer:
    """Somebody with an empty home, a fresh environment and this checkout."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.home.mkdir()
        subprocess.run([PYTHON, "-m", "venv", folder / "venv"], check=True)
        (folder / "cluster").mkdir()
        (folder / "cluster/srun").write_text(SRUN, "utf-8")
        (folder / "cluster/srun").chmod(0o755)
        kept = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith(("UCX_", "NIXL_", "PYTHON", "VIRTUAL_ENV", "XDG_"))
        }
        self.environment = {
            **kept,
            "HOME": str(self.home),
            "PATH": f"{folder / 'venv/bin'}:{folder / 'cluster'}:{os.environ['PATH']}",
            "NIXL_STRIPE_TOKEN": secrets.token_urlsafe(24),
            "PIP_NO_CACHE_DIR": "1",
        }
        # Where this machine's packages come from is no part of a home.
        config = Path("~/.config/pip/pip.conf").expanduser()
        if "PIP_CONFIG_FILE" not in kept and config.exists():
            self.environment["PIP_CONFIG_FILE"] = str(config)

    def types(self, command: str) -> subprocess.CompletedProcess[str]:
        """Run a command at the root of the checkout."""
        return subprocess.run(
            ["sh", "-c", command],  # as it stands in README, quotes and all
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=1500,
        )


def left_behind() -> str:
    """Return what git sees in the checkout that no commit has."""
    return subprocess.run(
        ["git", "-C", str(ROOT), "status", "--porcelain"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout


@pytest.mark.usefixtures("needs_rails")
def test_every_command_works_in_its_order(tmp_path: Path, nixl_wheel: WheelOf) -> None:
    said = commands((ROOT / "README.md").read_text("utf-8"))
    assert said == list(SHORT)
    newcomer, before = Newcomer(tmp_path), left_behind()
    mine = Path(PYTHON).samefile(sys.executable)
    nixl = nixl_wheel("nixl-cu12", NEWEST) if mine else NEWEST_REQUIREMENT
    for command in said:
        short = SHORT[command]
        if short is None:
            assert os.access(ROOT / command, os.X_OK), command
            continue
        done = newcomer.types(f"{command} {short[0].format(nixl=nixl)}")
        assert done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}"
        assert short[1] in done.stdout, f"{command}\n{done.stdout}"
    assert left_behind() == before
    # pip asks rustc for its version, where there is one, and rustup makes its folder then.
    assert {path.name for path in newcomer.home.iterdir()} <= {".cache", ".rustup"}


def test_a_command_that_fails_is_seen_bad_flow(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    made = Newcomer.__new__(Newcomer)
    made.environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path / "home")}
    assert made.types("nixl-stripe-of-another-name patch").returncode == 127


def test_commands_are_taken_whole() -> None:
    text = "a\n\n    pip install '.[x]' y   # why\n    z --now\n\n```python\n    code\n```\n- b\n"
    assert commands(text) == ["pip install '.[x]' y", "z --now"]
