# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Programs that start as forks in a guest are as programs of their own; here without a guest."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from nixl_stripe.lab.guests import assets

sys.path.insert(0, str(assets.GUEST_FILES))
import warm  # type: ignore[import-not-found]  # a guest's agent finds it beside itself

SHOW = """
import atexit, json, os, sys
import heavy
if __name__ == "__main__":
    atexit.register(print, "at its end")
    facts = {"argv": sys.argv[1:], "mine": os.environ.get("MINE"), "cwd": os.getcwd()}
    facts |= {"session": os.getsid(0) == os.getpid(), "input": sys.stdin.read()}
    facts |= {"preloaded": sys.modules["heavy"].pid != os.getpid()}
    print(json.dumps(facts))
    sys.exit(3)
"""
HEAVY = "import os\npid = os.getpid()\n"
SLEEP = (
    "import time\nif __name__ == '__main__':\n    print('on', flush=True)\n    time.sleep(100)\n"
)


@pytest.fixture
def modules(tmp_path: Path) -> Path:
    for name, text in {
        "show": SHOW,
        "heavy": HEAVY,
        "sleepy": SLEEP,
        "broken": "1 / 0",
        "raising": "if __name__ == '__main__':\n    raise ValueError('no')\n",
    }.items():
        (tmp_path / f"{name}.py").write_text(text)
    return tmp_path


@pytest.fixture
def start(modules: Path) -> Iterator[Callable[..., Any]]:
    pythons, numbers = warm.WarmPythons(), iter(range(100))

    def started(module: str, *args: str, option: str = "-m", **more: str) -> Any:
        number = next(numbers)
        output = modules / f"{number}.out"
        output.touch()
        env = {"PYTHONPATH": str(modules), **more}
        argv = [sys.executable, option, module, *args]
        message = {"id": number, "argv": argv, "env": env, "cwd": str(modules)}
        child = pythons.start(message, output)
        return child, output

    yield started
    pythons.close()


def test_arguments_environment_session_output_and_status(
    start: Callable[..., Any], modules: Path
) -> None:
    for mine in ("a", "b"):
        child, output = start("show", "x", mine, MINE=mine)
        assert child.wait(30) == 3
        said, end = output.read_text().splitlines()
        assert said == (
            f'{{"argv": ["x", "{mine}"], "mine": "{mine}", "cwd": "{modules}", '
            '"session": true, "input": "", "preloaded": true}'
        )
        assert end == "at its end"


def test_one_that_hangs_is_killed_as_a_group(start: Callable[..., Any]) -> None:
    child, output = start("sleepy")
    with pytest.raises(subprocess.TimeoutExpired):
        child.wait(0.5)
    os.killpg(child.pid, signal.SIGKILL)
    assert child.wait(30) == -signal.SIGKILL
    assert output.read_text() == "on\n"


def test_what_cannot_be_imported_is_said_and_the_next_one_starts_bad_flow(
    start: Callable[..., Any],
) -> None:
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        start("broken")
    child, output = start("raising")
    assert child.wait(30) == 1
    assert "ValueError: no" in output.read_text()


def test_what_only_a_new_process_can_read_gets_one(start: Callable[..., Any]) -> None:
    first = start("show", MALLOC_PERTURB_="1")[0]
    assert first.wait(30) == 3
    assert start("show", MALLOC_PERTURB_="2")[0].wait(30) == 3
    assert start("show", MALLOC_PERTURB_="3")[0] is None  # as many as there may be
    assert start("show", option="-c")[0] is None
