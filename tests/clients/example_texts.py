# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Reads examples as the shell does."""

from __future__ import annotations

import subprocess
from pathlib import Path

EXAMPLES = Path(__file__).parents[2] / "examples"


def exported(script: Path) -> dict[str, str]:
    """Source `script` in a shell with an empty environment and return what it exports."""
    done = subprocess.run(
        ["env", "-i", "bash", "-c", '. "$1" && env -0', "bash", str(script)],
        capture_output=True,
        check=True,
    )
    pairs = (line.partition("=") for line in done.stdout.decode().split("\0") if line)
    return {name: value for name, _, value in pairs if name not in ("PWD", "SHLVL", "_")}
