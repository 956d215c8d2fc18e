# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Which interpreter the scripts take: one that runs, not merely one that the PATH names."""

from __future__ import annotations

import os
import pty
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SETUP = ROOT / "scripts/setup.sh"
#: What is run; the others are sourced, or Python's.
SCRIPTS = [
    path.name
    for path in sorted((ROOT / "scripts").iterdir())
    if os.access(path, os.X_OK) and path.suffix == ""
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A folder for the PATH: `python3.98` is pyenv's shim of another version, `python3.99` runs."""
    shim = "#!/bin/sh\necho 'pyenv: python3.98: command not found' >&2\nexit 127\n"
    for name, text in {
        "python3.98": shim,
        "python3.99": f'#!/bin/sh\nexec "{sys.executable}" "$@"\n',
    }.items():
        (tmp_path / name).write_text(text, "utf-8")
        (tmp_path / name).chmod(0o755)
    return tmp_path


def asked(path: Path, call: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", f'set -euo pipefail; source "{SETUP}"; {call}'],
        env={"PATH": f"{path}:/usr/bin:/bin", **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_first_that_runs_is_taken(path: Path) -> None:
    done = asked(path, "working_python python3.97 python3.98 python3.99")
    assert (done.returncode, done.stdout) == (0, f"{path}/python3.99\n")


def test_a_name_that_does_not_run_is_no_python_bad_flow(path: Path) -> None:
    assert (
        subprocess.run(["sh", "-c", f"command -v {path}/python3.98"], check=False).returncode == 0
    )
    done = asked(path, "working_python python3.98")
    assert (done.returncode, done.stdout) == (1, "")


def test_where_none_runs_the_package_is_named_bad_flow(path: Path) -> None:
    done = asked(path, "find_python", PYTHON="python3.98")
    assert done.returncode == 1
    assert done.stdout == ""
    assert "python3-venv" in done.stderr


@pytest.mark.parametrize(
    ("terminal", "bold"), [({}, True), ({"TERM": "dumb"}, False), ({"NO_COLOR": "1"}, False)]
)
def test_what_is_said_is_bold_only_on_a_terminal_that_wants_it(
    path: Path, terminal: dict[str, str], bold: bool
) -> None:
    assert asked(path, "say here", TERM="xterm").stderr == "==> here\n"
    ours, theirs = pty.openpty()
    done = subprocess.run(
        ["bash", "-c", f'source "{SETUP}"; say here'],
        env={"PATH": "/usr/bin:/bin", "TERM": "xterm", **terminal},
        stderr=theirs,
        check=False,
    )
    os.close(theirs)
    said = os.read(ours, 100)
    os.close(ours)
    assert done.returncode == 0
    assert said.strip() == (b"\x1b[1m==> here\x1b[0m" if bold else b"==> here")


def test_ctrl_c_is_said_though_the_program_in_front_takes_it_for_an_error(path: Path) -> None:
    """As pip does; the terminal tells the script and the program."""
    front = "import signal, sys; signal.signal(signal.SIGINT, lambda *_: sys.exit(1)); "
    front += "print(flush=True); signal.pause()"
    (path / "front.py").write_text(front, "utf-8")
    process = subprocess.Popen(
        ["bash", "-c", f'source "{SETUP}"; python3.99 "{path}/front.py" || die failed'],
        env={"PATH": f"{path}:/usr/bin:/bin"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    process.stdout.readline()
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (130, "bash: interrupted\n")


@pytest.fixture
def venv(path: Path) -> Path:
    """An environment whose uv has Python 3.98 and no other, and says what it was told."""
    uv = path / "venv/bin/uv"
    uv.parent.mkdir(parents=True)
    uv.write_text(
        f"""#!/bin/sh
echo "$UV_PYTHON_INSTALL_DIR: $*" >> {path}/told
case "$*" in
"python install --quiet 3.98") ;;
"python find --managed-python 3.98") echo "$UV_PYTHON_INSTALL_DIR/python3.98" ;;
*) echo "no such Python" >&2; exit 2 ;;
esac
""",
        "utf-8",
    )
    uv.chmod(0o755)
    return path / "venv"


def test_a_python_of_the_path_needs_no_uv(path: Path, venv: Path) -> None:
    done = asked(path, f"VENV={venv}; python_of 3.99")
    assert (done.returncode, done.stdout) == (0, f"{path}/python3.99\n")
    assert not (path / "told").exists()


def test_one_that_does_not_run_comes_from_uv_and_into_the_cache(path: Path, venv: Path) -> None:
    done = asked(path, f"VENV={venv}; CACHE={path}/cache; python_of 3.98")
    assert (done.returncode, done.stdout) == (0, f"{path}/cache/pythons/python3.98\n")
    assert len((path / "told").read_text("utf-8").splitlines()) == 2


def test_one_that_uv_has_not_either_is_an_error_in_its_words_bad_flow(
    path: Path, venv: Path
) -> None:
    done = asked(path, f"VENV={venv}; python_of 3.97")
    assert (done.returncode, done.stdout, done.stderr) == (2, "", "no such Python\n")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What scripts need until they install something."""
    folder = tmp_path_factory.mktemp("checkout")
    for part in ("scripts", "tools/demo"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / part, folder / part, ignore=ignored)
    return folder


@pytest.mark.parametrize("name", SCRIPTS)
def test_help_says_what_it_does_and_makes_nothing(name: str, checkout: Path) -> None:
    done = subprocess.run(
        [f"scripts/{name}", "-h"],
        cwd=checkout,
        env={"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert f"scripts/{name}" in done.stdout
    assert sorted(path.name for path in checkout.iterdir()) == ["scripts", "tools"]


def test_there_are_scripts() -> None:
    assert {"demo", "test", "lock", "gpu-check"} <= set(SCRIPTS)
