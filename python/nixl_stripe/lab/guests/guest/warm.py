# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Starts programs as forks of a Python that has imported what they import.

Where the processor is emulated, a side spends most of its life in importing numpy and this package.
`WarmPythons` is for the agent; `python warm.py` is the Python that forks. Like any program of its
own, a fork gets arguments, environment, session and output of its own, runs its module as
`__main__`, and ends as interpreters do. NIXL and UCX are never imported before the fork: they read
their environment when they are.

Each line to it is JSON: `{"id", "module", "args", "env", "cwd", "output"}`; it answers with
`{"id", "pid"}`, and with `{"id", "status"}` once the program has ended.
"""

from __future__ import annotations

import importlib
import json
import os
import pathlib
import queue
import runpy
import selectors
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Mapping
from typing import Any, Protocol

#: The loader and the interpreter read these when a program starts: another value, another Python.
AT_START = ("LD_", "PYTHON", "MALLOC_", "GLIBC_")
#: So many are kept, each with some 60 MB; programs for others start in the plain way.
MOST = 2


class Child(Protocol):
    """A program that was started."""

    pid: int

    def wait(self, timeout: float | None = None) -> int:
        """Return its status; subprocess.TimeoutExpired after `timeout` s."""


class WarmChild:
    """A program that is a fork."""

    def __init__(self, answers: queue.SimpleQueue[dict[str, Any]]) -> None:
        self._answers = answers
        self.pid = int(self._next(60)["pid"])

    def wait(self, timeout: float | None = None) -> int:
        """Return its status; subprocess.TimeoutExpired after `timeout` s."""
        return int(self._next(timeout)["status"])

    def _next(self, timeout: float | None) -> dict[str, Any]:
        try:
            answer = self._answers.get(timeout=timeout)
        except queue.Empty:
            raise subprocess.TimeoutExpired("warm", timeout or 0) from None
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer


class WarmPython:
    """A Python that forks, as its parent sees it."""

    def __init__(self, python: str, environment: Mapping[str, str]) -> None:
        process = subprocess.Popen(
            [python, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **environment},
        )
        if process.stdin is None or process.stdout is None:  # for type checkers: both are pipes
            raise RuntimeError("no pipes")
        self._process, self._wishes, self._answers = process, process.stdin, process.stdout
        self._sending = threading.Lock()
        self._waiting: dict[int, queue.SimpleQueue[dict[str, Any]]] = {}
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()

    def start(self, message: dict[str, Any]) -> WarmChild:
        """Start a program; RuntimeError when its module cannot be imported."""
        answers: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        with self._sending:
            self._waiting[message["id"]] = answers
            self._wishes.write(json.dumps(message).encode() + b"\n")
            self._wishes.flush()
        return WarmChild(answers)

    def close(self) -> None:
        """End it; what it started goes on."""
        self._wishes.close()
        self._process.wait()
        self._reading.join()
        self._answers.close()

    def _read(self) -> None:
        for line in self._answers:
            answer = json.loads(line)
            self._waiting[answer["id"]].put(answer)
        for answers in self._waiting.values():
            answers.put({"error": "the Python that starts programs has ended"})


class WarmPythons:
    """One for each interpreter and each environment that counts at its start."""

    def __init__(self) -> None:
        self._made: dict[tuple[Any, ...], WarmPython] = {}
        self._making = threading.Lock()

    def close(self) -> None:
        """End them all."""
        for python in self._made.values():
            python.close()

    def start(self, message: dict[str, Any], output: pathlib.Path) -> WarmChild | None:
        """Start `python -m MODULE ARGUMENTS`; None for what has to start in the plain way."""
        python, option, *rest = message["argv"]
        at_start = {k: v for k, v in message["env"].items() if k.startswith(AT_START)}
        key = (python, *sorted(at_start.items()))
        with self._making:
            if option != "-m" or (key not in self._made and len(self._made) >= MOST):
                return None
            if key not in self._made:
                self._made[key] = WarmPython(python, at_start)
        wish = {"id": message["id"], "module": rest[0], "args": rest[1:], "output": str(output)}
        wish |= {"env": {**os.environ, **message["env"]}, "cwd": message.get("cwd") or "/"}
        return self._made[key].start(wish)


class _Forking:
    """The Python that forks, seen from within."""

    def __init__(self) -> None:
        self._ids: dict[int, int] = {}
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_write, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wake_write)
        self._selector = selectors.DefaultSelector()
        self._selector.register(0, selectors.EVENT_READ)
        self._selector.register(self._wake_read, selectors.EVENT_READ)

    def serve(self) -> dict[str, Any] | None:
        """Fork for each line; return the wish in a fork, None when there is nothing more to do."""
        rest = b""
        while True:
            for key, _ in self._selector.select():
                if key.fd == self._wake_read:
                    os.read(self._wake_read, 4096)
                    self._reap()
                    continue
                chunk = os.read(0, 65536)
                if not chunk:
                    return None
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    wish: dict[str, Any] = json.loads(line)
                    if self._fork(wish):
                        return wish

    def _fork(self, wish: dict[str, Any]) -> bool:
        """Return whether this is the fork."""
        try:
            importlib.import_module(wish["module"])
        except Exception:
            _answer(id=wish["id"], error=traceback.format_exc())
            return False
        pid = os.fork()
        if pid == 0:
            return True
        self._ids[pid] = wish["id"]
        _answer(id=wish["id"], pid=pid)
        return False

    def _reap(self) -> None:
        while self._ids:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            _answer(id=self._ids.pop(pid), status=os.waitstatus_to_exitcode(status))

    def leave(self) -> None:
        """In a fork: let go of what is the parent's."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._selector.close()
        os.close(self._wake_read)
        os.close(self._wake_write)


def _answer(**answer: Any) -> None:
    os.write(1, json.dumps(answer).encode() + b"\n")


def _become(wish: dict[str, Any]) -> None:
    """In a fork: run the module as a program of its own would."""
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDONLY)
    output = os.open(wish["output"], os.O_WRONLY | os.O_APPEND)
    for source, target in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(source, target)
    os.close(nothing)
    os.close(output)
    os.chdir(wish["cwd"])
    os.environ.clear()
    os.environ.update(wish["env"])
    sys.argv = [wish["module"], *wish["args"]]
    sys.path[0] = wish["cwd"]
    # Imported for what it imports; run_module warns of a module that is there already.
    sys.modules.pop(wish["module"], None)
    runpy.run_module(wish["module"], run_name="__main__", alter_sys=True)


def main() -> None:
    """Serve until standard input ends; a fork goes on as the program that it is for."""
    forking = _Forking()
    wish = forking.serve()
    if wish is not None:
        forking.leave()
        _become(wish)


if __name__ == "__main__":
    main()
