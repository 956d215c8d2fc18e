# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What a result file says of its own origin: command, date, commit and load."""

from __future__ import annotations

import datetime
import os
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nixl_stripe.lab.load import load_average

#: Options that say where files are kept, and so nothing about the measurement.
_PLACES = ("--cache", "--save", "--png", "--out")


class Origin:
    """Make one before the measurement starts, and ask for `taken()` when it is over."""

    def __init__(self, command: Sequence[str] | None = None) -> None:
        self._command = command_text(sys.argv if command is None else command)
        # Before anything else happens to the checkout.
        self._commit = commit(Path.cwd())
        self._before = load_average()

    def taken(self) -> dict[str, Any]:
        """Return command, date (UTC), commit (None: not in a checkout), load before and after.

        `nice` stands with the load where the measurement had another priority than others.
        """
        now = datetime.datetime.now(datetime.timezone.utc)
        return {
            "command": self._command,
            "date": now.isoformat(timespec="seconds"),
            "commit": self._commit,
            "load": {"before": self._before, "after": load_average(), **_priority()},
        }


def command_text(argv: Sequence[str]) -> str:
    """Return a command line as one can type it anywhere: no paths of this machine.

    Options for files and caches are left out, and of any other absolute path its name stays.
    """
    program = Path(argv[0]).name if argv[0].startswith("/") else argv[0]
    words: list[str] = []
    rest = iter(argv[1:])
    for word in rest:
        name, _, value = word.partition("=")
        if name in _PLACES:
            if not value:
                next(rest, None)
            continue
        words.append(_portable(word))
    return shlex.join([program, *words])


def _portable(word: str) -> str:
    name, equals, value = word.partition("=")
    if equals and value.startswith("/"):
        return f"{name}={Path(value).name}"
    return Path(word).name if word.startswith("/") else word


def commit(folder: Path) -> str | None:
    """Return the commit of the checkout of nixl-stripe that holds `folder`, None where none does.

    `-dirty` follows it where tracked files differ, results and pictures aside.
    """
    top = _git(folder, "rev-parse", "--show-toplevel")
    if top is None or not (Path(top) / "nixl_patch").is_dir():
        return None
    made = (":(exclude)docs/results", ":(exclude)docs/img")
    changed = _git(Path(top), "status", "--porcelain", "--untracked-files=no", "--", ".", *made)
    head = _git(folder, "rev-parse", "--short=12", "HEAD")
    return f"{head}-dirty" if changed else head


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=False
        )
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _priority() -> dict[str, int]:
    nice = os.nice(0)
    return {"nice": nice} if nice else {}


def is_busy(document: Mapping[str, Any]) -> bool:
    """Whether a result was measured with more to run than there were cores, as far as it knows.

    The load before counts where it is known; a benchmark's own is in the load after it.
    """
    load, machine = document.get("load"), document.get("machine", {})
    cores = machine.get("cores", machine.get("cpus"))
    if not load or not cores:
        return False
    known = load.get("before")
    return bool((load.get("after", 0.0) if known is None else known) > cores)
