# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Commands between two hosts that are killed: no worker stays, and no file for long."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from listeners import BENCH_JOB, HELLOS, KEY, TOKEN, VERIFY_JOB, Listening, Verb, files_below
from nixl_stripe.bench import messages as bench_messages
from nixl_stripe.lab.remote import Address, Door, connect
from nixl_stripe.scratch import sweep
from nixl_stripe.verify import messages as verify_messages
from nixl_wheels import environment

MAIN = "import sys; from nixl_stripe.cli import main; sys.exit(main())"
VERBS: dict[Verb, list[str]] = {"verify": ["verify"], "bench": ["bench", "rails"]}


def start(verb: Verb, nixl: Path, temporary: Path, *options: str) -> subprocess.Popen[str]:
    variables = {"UCX_MODULES": "^ib", "TMPDIR": str(temporary)}
    return subprocess.Popen(
        [sys.executable, "-c", MAIN, *VERBS[verb], *options],
        env={**environment(nixl, **variables), "NIXL_STRIPE_TOKEN": TOKEN.text},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(each) for each in found]


def worker_of(process: subprocess.Popen[str]) -> int:
    """Wait until the command has started its worker, and return its process id."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        for each in children(process.pid):
            if b"worker" in Path(f"/proc/{each}/cmdline").read_bytes():
                return each
        time.sleep(0.05)
    raise AssertionError("no worker")


def gone(pid: int) -> bool:
    """Return whether a process has ended, within a while: its killer does not wait for it."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("verb", ["verify", "bench"])
@pytest.mark.parametrize("with_signal", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_a_listener_that_is_killed_while_its_peer_stays_bad_flow(
    verb: Verb,
    with_signal: signal.Signals,
    stock: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with Listening(verb) as free:
        port = free.port
    process = start(verb, stock, tmp_path, "--listen", str(port))
    schemas = {"verify": verify_messages.TO_CONNECTOR, "bench": bench_messages.TO_CONNECTOR}
    link, _ = connect(Address("127.0.0.1", port), KEY, HELLOS[verb], schemas[verb], 60)
    if verb == "verify":
        link.send("case", job={**VERIFY_JOB, "limit_s": 60}, environment={"UCX_TLS": "tcp"})
    else:
        link.send("run", job={**BENCH_JOB, "limit_s": 60}, environment={"UCX_TLS": "tcp"})
    link.receive(20, "ready")
    worker = worker_of(process)
    process.send_signal(with_signal)
    process.communicate(timeout=30)
    assert gone(worker)  # and the peer is still connected
    if with_signal == signal.SIGKILL:
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        assert len(sweep()) == 1
    assert files_below(tmp_path) == []
    link.close()


@pytest.mark.parametrize("with_signal", [signal.SIGKILL, signal.SIGINT])
def test_a_connecting_side_that_is_killed_bad_flow(
    with_signal: signal.Signals, stock: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Door(Address("127.0.0.1", 0), KEY, print) as door:
        connect_to = ["--connect", str(door.port), "--no-stock", "--op", "write"]
        process = start("verify", stock, tmp_path, *connect_to)
        link, _, _ = door.admit(verify_messages.TO_LISTENER, 60)
        link.send(**verify_messages.hello())
        link.receive(20, "case")
        link.send("ready")
        worker = worker_of(process)
        process.send_signal(with_signal)
        process.communicate(timeout=30)
        assert gone(worker)  # and the listener still waits for it
        link.close()
    if with_signal == signal.SIGKILL:
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        assert len(sweep()) == 1
    assert files_below(tmp_path) == []
