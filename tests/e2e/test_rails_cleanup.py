# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Nothing stays behind, however a bed ends; and a bed without any privilege."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from nixl_stripe.lab import LabError, LabUnavailableError, Rails, why_not

pytestmark = pytest.mark.rails

MARK = "STRIPE_TEST_MARK"
LIMIT_S = 15.0

#: A caller that runs transfers for ever and says when a bed is made.
CALLER = """
import sys
from nixl_stripe.lab import Rails
with Rails(2, 50) as rails:
    print(rails._scratch, flush=True)
    while True:
        rails.transfer(nixl=sys.argv[1], sizes=[4 << 20]).require()
"""


def _marked(mark: str) -> list[tuple[int, str]]:
    """Return pid and command of the living processes that carry `mark` in their environment."""
    wanted = f"{MARK}={mark}".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if wanted in (folder / "environ").read_bytes().split(b"\0"):
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                found.append((int(folder.name), command))
    return found


def _until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < deadline, f"not within {LIMIT_S:g} s: {what}"
        time.sleep(0.05)


@pytest.fixture
def mark(monkeypatch: pytest.MonkeyPatch, needs_rails: None) -> Iterator[str]:
    """An environment variable that every process of the test inherits."""
    value = uuid.uuid4().hex
    monkeypatch.setenv(MARK, value)
    yield value
    for pid, _ in _marked(value):
        os.kill(pid, signal.SIGKILL)


def _workers(mark: str, role: str = "") -> list[int]:
    return [pid for pid, command in _marked(mark) if f"{role}.job" in command]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_caller_that_is_killed_leaves_nothing(
    mark: str, stock: Path, number: signal.Signals
) -> None:
    before = sorted(Path("/sys/class/net").iterdir())
    caller = subprocess.Popen(
        [sys.executable, "-c", CALLER, str(stock)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert caller.stdout is not None
    scratch = Path(caller.stdout.readline().strip())
    assert scratch.is_dir()
    _until(lambda: len(_workers(mark)) == 2, "two workers")
    caller.send_signal(number)
    assert caller.wait(LIMIT_S) != 0
    caller.stdout.close()
    _until(lambda: not _marked(mark), "no process left")
    _until(lambda: not scratch.exists(), "no file left")
    assert sorted(Path("/sys/class/net").iterdir()) == before


def test_a_holder_that_is_killed_takes_its_workers_along(mark: str, stock: Path) -> None:
    with Rails(2, 50) as rails:

        def kill() -> None:
            _until(lambda: len(_workers(mark)) == 2, "two workers")
            os.kill(rails.holder_pid, signal.SIGKILL)

        killer = threading.Thread(target=kill)
        killer.start()
        with pytest.raises(LabError, match="holder of the bed ended with -9"):
            rails.transfer(nixl=stock, sizes=[16 << 20])
        killer.join()
        _until(lambda: not _marked(mark), "no process left")
        with pytest.raises(LabError):
            rails.transfer(nixl=stock, sizes=[1])
        shutil.rmtree(rails._scratch)


def test_a_side_that_hangs_is_killed_in_time(mark: str, stock: Path) -> None:
    with Rails(2, 50) as rails:

        def freeze() -> None:
            _until(lambda: bool(_workers(mark, "target")), "the target")
            os.kill(_workers(mark, "target")[0], signal.SIGSTOP)

        freezer = threading.Thread(target=freeze)
        freezer.start()
        outcome = rails.transfer(nixl=stock, sizes=[16 << 20], limit_s=2)
        freezer.join()
        assert not outcome.ok
        assert outcome.target.error is not None
        assert outcome.target.error.type == "TimeoutError"
        assert outcome.target.exit_status == -signal.SIGKILL
        assert rails.transfer(nixl=stock, sizes=[1 << 20]).ok
    _until(lambda: not _marked(mark), "no process left")


def test_an_exception_closes_the_bed(mark: str) -> None:
    with pytest.raises(ZeroDivisionError), Rails(1, 50) as rails:
        _ = 1 / 0
    assert not _marked(mark)
    with pytest.raises(LabError, match="closed"):
        rails.set_state(0, up=False)


def test_a_bed_that_is_forgotten_goes_too(mark: str) -> None:
    rails = Rails(1, 50)
    assert _marked(mark)
    del rails
    _until(lambda: not _marked(mark), "no process left")


def test_a_worker_that_dies_is_reported(mark: str, stock: Path) -> None:
    with Rails(2, 50) as rails:

        def kill() -> None:
            _until(lambda: bool(_workers(mark, "target")), "the target")
            os.kill(_workers(mark, "target")[0], signal.SIGSEGV)

        killer = threading.Thread(target=kill)
        killer.start()
        outcome = rails.transfer(nixl=stock, sizes=[16 << 20], limit_s=10)
        killer.join()
        assert outcome.error is not None
        assert (outcome.error.side, outcome.error.type) == ("target", "SideDied")
        assert "exit status -11" in outcome.error.text


def test_in_a_user_namespace(stock: Path, mark: str) -> None:
    reason = why_not(user_namespace=True)
    if reason is not None:
        pytest.skip(reason)
    with Rails(2, 100, user_namespace=True) as rails:
        assert rails.user_namespace
        assert rails.transfer(nixl=stock, sizes=[1 << 20]).require().rails_used == 2


#: What an unprivileged caller runs: it must get its own user namespace without asking for one.
UNPRIVILEGED = """
import sys
from nixl_stripe.lab import Rails
with Rails(2, 100) as rails:
    outcome = rails.transfer(nixl=sys.argv[1], sizes=[1 << 20]).require()
    print(rails.user_namespace, outcome.rails_used)
"""

#: SETFCAP is what root needs to have itself mapped into a user namespace (containers leave it).
FEW_RIGHTS = ["--inh-caps=-all", "--bounding-set=-all,+setfcap", "--no-new-privs"]
NO_RIGHTS = ["--inh-caps=-all", "--bounding-set=-all", "--no-new-privs"]
NOBODY = ["--reuid=65534", "--regid=65534", "--clear-groups"]


def _unprivileged(options: list[str], interpreter: str, stock: Path) -> str:
    setpriv = shutil.which("setpriv")
    if os.geteuid() != 0 or setpriv is None:
        pytest.skip("dropping privileges needs root and setpriv (util-linux)")
    reason = why_not(user_namespace=True)
    if reason is not None:
        pytest.skip(reason)
    packages = sysconfig.get_path("platlib")
    done = subprocess.run(
        [setpriv, *options, interpreter, "-c", UNPRIVILEGED, str(stock)],
        env={"PYTHONPATH": packages, "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_root_with_no_right_over_namespaces(stock: Path) -> None:
    assert _unprivileged(FEW_RIGHTS, sys.executable, stock) == "True 2"


def _readable_by_all(path: Path) -> bool:
    real = path.resolve()
    return all(folder.stat().st_mode & 0o5 == 0o5 for folder in [real, *real.parents])


def test_another_user(stock: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    candidates = [Path(sys.executable), Path("/usr/bin") / version]
    interpreter = next((p for p in candidates if p.exists() and _readable_by_all(p)), None)
    packages = Path(sysconfig.get_path("platlib"))
    if interpreter is None or not _readable_by_all(packages):
        pytest.skip(f"no {version} with its packages that another user may read")
    private = [p for p in [stock, *stock.parents] if p.stat().st_mode & 0o5 != 0o5]
    for folder in private:
        if folder.is_relative_to(tmp_path_factory.getbasetemp().parent):
            folder.chmod(0o755)
    if not _readable_by_all(stock):
        pytest.skip(f"{stock} is in a folder that another user may not read")
    assert _unprivileged(NOBODY, str(interpreter), stock) == "True 2"


def test_where_namespaces_are_forbidden(tmp_path: Path) -> None:
    """No capability and no user namespace: the error says what was refused, and the way out."""
    with pytest.raises(LabUnavailableError) as caught:
        _forbid(tmp_path)
    text = str(caught.value)
    assert "refused to" in text
    assert "network namespace: Operation not permitted" in text
    assert "--privileged" in text
    assert "\n" not in text


def _forbid(tmp_path: Path) -> None:
    setpriv = shutil.which("setpriv")
    if os.geteuid() != 0 or setpriv is None:
        pytest.skip("dropping privileges needs root and setpriv (util-linux)")
    code = (
        "from nixl_stripe.lab import *\n"
        "try: Rails(1, 50, user_namespace=False)\n"
        "except LabUnavailableError as e: print(e)"
    )
    done = subprocess.run(
        [setpriv, *NO_RIGHTS, sys.executable, "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    raise LabUnavailableError(done.stdout.strip())
