# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""A good guest in other people's processes: light, silent, and logging under one name."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import nixl_stripe

PACKAGE = Path(nixl_stripe.__file__).parent
#: Milliseconds of processor time that an import may take.
LIMIT_MS = 50.0

IMPORT = """
import json, logging, sys, time
start = time.process_time()
import nixl_stripe
spent = 1000 * (time.process_time() - start)
heavy = "nixl nixl_cu12 nixl_cu13 numpy click torch".split()
heavy = [name for name in heavy if name in sys.modules]
log = logging.getLogger("nixl_stripe")
said = {"ms": spent, "heavy": heavy, "propagates": log.propagate, "level": log.level}
print(json.dumps({**said, "handlers": len(log.handlers + logging.root.handlers)}))
"""


def imported(script: str = IMPORT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, check=True
    )


def test_import_is_light_and_silent() -> None:
    runs = [imported() for _ in range(5)]
    said = [json.loads(run.stdout) for run in runs]
    assert min(each["ms"] for each in said) < LIMIT_MS
    assert [each["heavy"] for each in said] == [[]] * 5
    for run in runs:
        assert run.stderr == ""
        assert len(run.stdout.splitlines()) == 1


def test_import_leaves_logging_alone() -> None:
    said = json.loads(imported().stdout)
    assert (said["handlers"], said["propagates"], said["level"]) == (0, True, 0)


def loggers(path: Path) -> list[ast.expr]:
    """Return what each call of `getLogger` in a file asks for."""
    return [
        node.args[0] if node.args else ast.Constant("")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "getLogger"
    ]


def is_ours(name: ast.expr) -> bool:
    if isinstance(name, ast.Name):
        return name.id == "__name__"
    return isinstance(name, ast.Constant) and str(name.value).partition(".")[0] == "nixl_stripe"


def test_every_logger_is_ours() -> None:
    asked = [(path, name) for path in PACKAGE.rglob("*.py") for name in loggers(path)]
    assert asked
    assert [path for path, name in asked if not is_ours(name)] == []


def test_a_foreign_logger_is_noticed_bad_flow(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text("import logging\nlogging.getLogger('urllib3')\nlogging.getLogger()\n")
    assert [is_ours(name) for name in loggers(path)] == [False, False]
