# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""A virtual environment that the tests' own pip installs into and uninstalls from."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

from fake_plugins import contents
from nixl_stripe.wheel import PluginFolder, find_in


class Environment:
    """A virtual environment without pip, which the tests' own pip works on."""

    def __init__(self, path: Path) -> None:
        venv.create(path, with_pip=False)
        self.python = path / "bin" / "python"
        self.site = next((path / "lib").iterdir()) / "site-packages"
        self.bin = path / "bin"
        self.empty = self.files()

    def pip(self, *arguments: str | Path, code: int = 0) -> str:
        """Run pip, which must exit with `code`; return what it said on standard output."""
        command = [sys.executable, "-m", "pip", "--python", str(self.python), *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    def install(self, *wheels: str | Path) -> None:
        self.pip("install", "--quiet", "--no-deps", "--no-compile", "--no-index", *wheels)

    def files(self) -> set[str]:
        """Return every file of the environment, compiled ones left out."""
        return {name for name in contents(self.python.parents[1]) if "__pycache__" not in name}

    def nixl(self) -> list[PluginFolder]:
        return find_in(self.site)
