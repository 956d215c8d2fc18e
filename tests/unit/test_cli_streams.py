# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Standard streams that are closed, full or of few characters; Ctrl-C before there is a command."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from nixl_stripe.cli.streams import EXIT_INTERRUPTED

MAIN = "import sys; from nixl_stripe.cli import main; sys.exit(main(sys.argv[1:]))"


def run(
    command: str, program: str = MAIN, before: Callable[[], None] | None = None, **more: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program, *command.split()],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **more},
        preexec_fn=before,
    )


def to(target: str, descriptor: int) -> Callable[[], None]:
    return lambda: (os.dup2(os.open(target, os.O_WRONLY), descriptor), None)[1]


@pytest.mark.parametrize("command", ["topo --example p5", "plan --json", "--help"])
def test_a_full_disk_is_one_line(command: str) -> None:
    done = run(command, before=to("/dev/full", 1))
    assert done.returncode == 1
    assert done.stderr == "nixl-stripe: standard output: No space left on device\n"


@pytest.fixture(scope="module")
def whole() -> subprocess.CompletedProcess[str]:
    return run("topo")


@pytest.mark.parametrize("closed", [0, 1, 2])
def test_a_closed_stream_changes_nothing_else(
    closed: int, whole: subprocess.CompletedProcess[str]
) -> None:
    done = run("topo", before=lambda: os.close(closed))
    assert done.returncode == whole.returncode == 0
    assert done.stderr == ("" if closed == 2 else whole.stderr)
    assert done.stdout == ("" if closed == 1 else whole.stdout)


def test_no_file_takes_the_place_of_a_closed_stream(tmp_path: Path) -> None:
    """What a library writes on standard error must not end up in the next file that is opened."""
    program = f"""
import os, sys
from nixl_stripe.cli import topo, main
topo.machine = lambda *_: print(open({str(tmp_path / "file")!r}, "w").fileno()) or os._exit(0)
main(["topo"])
"""
    plain = run("", program)
    assert int(plain.stdout) > 2, plain.stderr
    done = run("", program, before=lambda: os.closerange(2, 3))
    assert int(done.stdout) > 2


@pytest.mark.parametrize("characters", ["latin-1", "utf-8"])
def test_what_a_terminal_cannot_show_is_an_escape(characters: str) -> None:
    done = run("topo --example p5", PYTHONIOENCODING=characters)
    assert (done.returncode, done.stderr) == (0, "")
    assert ("\\u2500" in done.stdout) == (characters != "utf-8")


#: What comes while a module is imported.
IMPATIENT = """
import importlib.abc, sys
class Impatient(importlib.abc.MetaPathFinder):
    def find_spec(self, name, *_):
        if name == "nixl_stripe.{module}":
            raise {error}
sys.meta_path.insert(0, Impatient())
from nixl_stripe.cli import main
sys.exit(main(["topo"]))
"""


@pytest.mark.parametrize("module", ["cli.app", "cli.bench"])
def test_ctrl_c_while_it_starts_is_one_line(module: str) -> None:
    done = run("", IMPATIENT.format(module=module, error="KeyboardInterrupt"))
    assert (done.returncode, done.stderr) == (EXIT_INTERRUPTED, "nixl-stripe: interrupted\n")


def test_ctrl_c_in_an_extension_module_is_one_line_too() -> None:
    """pybind11 makes an ImportError of whatever comes while its module is made."""
    error = "ImportError('initialization failed') from KeyboardInterrupt()"
    done = run("", IMPATIENT.format(module="_core", error=error))
    assert (done.returncode, done.stderr) == (EXIT_INTERRUPTED, "nixl-stripe: interrupted\n")


def test_an_extension_module_that_fails_is_no_ctrl_c_bad_flow() -> None:
    error = "ImportError('initialization failed') from ValueError()"
    done = run("", IMPATIENT.format(module="_core", error=error))
    assert done.returncode == 1
    assert "ImportError: initialization failed" in done.stderr


@pytest.mark.parametrize("code", [0, 3])
def test_what_is_done_stays_done_whatever_comes_at_the_end(code: int) -> None:
    program = f"""
import atexit, os, signal, sys
from nixl_stripe import cli
cli.main = lambda: {code}
atexit.register(os.kill, os.getpid(), signal.SIGINT)
sys.exit(cli.program())
"""
    done = run("", program)
    assert (done.returncode, done.stderr) == (code, "")


def test_a_file_that_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    """Whatever a verb leaves to the system is said with the file's name, not as a traceback."""
    program = f"""
from nixl_stripe.cli import topo, main
topo.machine = lambda *_: open({str(tmp_path)!r})
raise SystemExit(main(["topo"]))
"""
    done = run("", program)
    assert (done.returncode, done.stderr) == (1, f"nixl-stripe: {tmp_path}: Is a directory\n")
