# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Talking to a guest's agent and to QEMU's monitor, over Unix sockets."""

from __future__ import annotations

import contextlib
import json
import queue
import socket
import threading
import time
from pathlib import Path
from typing import Any

from nixl_stripe.errors import StripeError


class GuestError(StripeError):
    """A guest did not start, did not answer, or could not do what it was asked."""


def connect(path: Path, limit_s: float) -> socket.socket:
    """Connect to a socket that a starting QEMU is about to make."""
    end = time.monotonic() + limit_s
    while True:
        link = socket.socket(socket.AF_UNIX)
        try:
            link.connect(str(path))
        except (FileNotFoundError, ConnectionRefusedError) as error:
            link.close()
            if time.monotonic() > end:
                raise GuestError(f"QEMU did not open {path.name} within {limit_s:g} s") from error
            time.sleep(0.02)
        else:
            return link


class ControlPort:
    """Calls to the agent in a guest; several may be under way at once, from several threads."""

    def __init__(self, name: str, link: socket.socket) -> None:
        self._name = name
        self._link = link
        self._lock = threading.Lock()
        self._last = 0
        self._answers: dict[int, queue.SimpleQueue[dict[str, Any]]] = {0: queue.SimpleQueue()}
        self._reader = threading.Thread(target=self._read, name=f"guest {name}", daemon=True)
        self._reader.start()

    def _read(self) -> None:
        rest = b""
        while chunk := self._receive():
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                answer = json.loads(line)
                with self._lock:
                    waiting = self._answers.get(answer["id"])
                if waiting is not None:
                    waiting.put(answer)
        self.fail("the guest is gone")

    def _receive(self) -> bytes:
        try:
            return self._link.recv(1 << 16)
        except OSError:
            return b""  # closed on this side, or QEMU is gone

    def fail(self, why: str) -> None:
        """End every call under way with the error `why`."""
        with self._lock:
            waiting = list(self._answers.values())
        for answers in waiting:
            answers.put({"ok": False, "error": why})

    def wait(self, call: int, limit_s: float) -> Any:
        """Return the value of call number `call` (0: the agent's own first message).

        Raises:
            GuestError: no answer within `limit_s` seconds, or the agent reports an error.

        """
        try:
            answer = self._answers[call].get(timeout=limit_s)
        except queue.Empty:
            raise GuestError(f"guest {self._name}: no answer within {limit_s:g} s") from None
        finally:
            with self._lock:
                del self._answers[call]
        if not answer["ok"]:
            raise GuestError(f"guest {self._name}: {answer['error'].strip().splitlines()[-1]}")
        return answer["value"]

    def send(self, operation: str, **fields: Any) -> int:
        """Ask the agent for `operation` (see `guest/agent.py`); return the call's number."""
        with self._lock:
            self._last += 1
            call = self._last
            self._answers[call] = queue.SimpleQueue()
            line = json.dumps({"id": call, "op": operation, **fields}).encode() + b"\n"
            try:
                self._link.sendall(line)
            except OSError as error:
                raise GuestError(f"guest {self._name}: {error.strerror}") from error
        return call

    def call(self, operation: str, limit_s: float = 20, **fields: Any) -> Any:
        """Ask and wait."""
        return self.wait(self.send(operation, **fields), limit_s)

    def close(self) -> None:
        """Hang up, upon which the guest powers off."""
        with contextlib.suppress(OSError):
            self._link.shutdown(socket.SHUT_RDWR)  # wakes the reader
        self._reader.join()
        self._link.close()


class Monitor:
    """QEMU's own control of a guest (QMP)."""

    def __init__(self, link: socket.socket, limit_s: float = 10) -> None:
        self._link = link
        self._link.settimeout(limit_s)
        self._stream = link.makefile("rb")
        self._stream.readline()  # the greeting
        self.execute("qmp_capabilities")

    def execute(self, command: str, **arguments: Any) -> Any:
        """Run one command and return its value; GuestError when QEMU refuses it."""
        self._link.sendall(json.dumps({"execute": command, "arguments": arguments}).encode())
        while line := self._stream.readline():
            answer = json.loads(line)
            if "error" in answer:
                raise GuestError(f"QEMU: {command}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]
        raise GuestError(f"QEMU: {command}: the monitor is gone")

    def set_link(self, device: str, up: bool) -> None:
        """Plug or pull the cable of a NIC, seen by the guest as its carrier."""
        self.execute("set_link", name=device, up=up)

    def close(self) -> None:
        """Let go of the monitor."""
        self._stream.close()
        self._link.close()
