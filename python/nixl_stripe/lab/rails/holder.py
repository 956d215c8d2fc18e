# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The caller's handle on the process that holds a bed; see `bed` for that process itself."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import tempfile
import time
import weakref
from collections.abc import Mapping
from typing import IO, Any

from nixl_stripe.errors import StripeError
from nixl_stripe.lab.availability import LabUnavailableError, explain
from nixl_stripe.lab.rails.rail_spec import RailSpec

_MAKE_LIMIT_S = 60.0
_STOP_LIMIT_S = 5.0


class LabError(StripeError):
    """The bed itself failed, not a transfer on it."""


class Holder:
    """A running bed. It ends with `close()`, with this object, and with this process.

    made: what the bed said when it was ready. LabUnavailableError where it cannot be made here.
    """

    def __init__(self, spec: RailSpec, user_namespace: bool | None) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed by _stop()
        self._process = _start(spec, user_namespace, self._errors)
        self._finalizer = weakref.finalize(self, _stop, self._process, self._errors)
        self.pid = self._process.pid
        try:
            self.made = self._reply(_MAKE_LIMIT_S)
            if not self.made["ok"]:
                raise LabUnavailableError(explain(self.made["step"], self.made["text"]))
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Take the bed away; harmless when done twice."""
        self._finalizer()

    def order(self, message: Mapping[str, Any], limit_s: float = _STOP_LIMIT_S) -> Any:
        """Send one order and return the answer; LabError after `limit_s` seconds without."""
        stdin = self._process.stdin
        if stdin is None or stdin.closed:
            raise LabError("rails: the bed is closed")
        try:
            stdin.write(json.dumps(message).encode() + b"\n")
            stdin.flush()
        except BrokenPipeError:
            raise LabError(self._obituary()) from None
        reply = self._reply(limit_s)
        if not reply["ok"]:
            raise LabError(f"rails: {reply['text']}")
        return reply

    def _reply(self, limit_s: float) -> Any:
        out = self._process.stdout
        if out is None:
            raise LabError("rails: the bed is closed")
        data, deadline = b"", time.monotonic() + limit_s
        while not data.endswith(b"\n"):
            left = max(0.0, deadline - time.monotonic())
            if not select.select([out], [], [], left)[0]:
                self._process.kill()
                self.close()
                raise LabError(f"rails: no answer for {limit_s:g} s; the bed was taken away")
            piece = os.read(out.fileno(), 1 << 16)
            if not piece:
                raise LabError(self._obituary())
            data += piece
        return json.loads(data)

    def _obituary(self) -> str:
        status = self._process.wait(_STOP_LIMIT_S)
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        return f"rails: the holder of the bed ended with {status}: {lines[-1] if lines else ''}"


def _start(
    spec: RailSpec, user_namespace: bool | None, errors: IO[bytes]
) -> subprocess.Popen[bytes]:
    wish = {None: "auto", True: "yes", False: "no"}[user_namespace]
    command = [sys.executable, "-m", "nixl_stripe.lab.rails.bed", "--count", str(spec.count)]
    command += ["--mtu", str(spec.mtu), "--user-namespace", wish]
    if spec.mbit is not None:
        command += ["--mbit", str(spec.mbit)]
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        cwd="/",
        start_new_session=True,  # Ctrl-C is for the caller, who then closes the bed
    )


def _stop(process: subprocess.Popen[bytes], errors: IO[bytes]) -> None:
    if process.stdin is not None:
        try:
            process.stdin.close()
        except BrokenPipeError:
            process.kill()
    try:
        process.wait(_STOP_LIMIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()
    errors.close()
