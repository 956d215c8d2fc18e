# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""One side of a transfer as a process of this host, in the user's own environment."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from nixl_stripe.lab.job import Job
from nixl_stripe.lab.namespaces import die_with_parent
from nixl_stripe.lab.outcome import SideError, SideReport

#: Shared memory and the like: with them nothing of a transfer on one host passes a NIC.
WITHOUT_SHARED_MEMORY = {"UCX_TLS": "^sm,cuda_ipc"}


def user_environment(changes: Mapping[str, str | None], one_host: bool) -> dict[str, str]:
    """Return this process's environment with what a verification needs, then `changes`.

    UCX_PROTO_INFO: UCX says which lanes it uses. Between processes of one host shared memory is
    ruled out, unless UCX_TLS is set already.
    """
    added = {"UCX_PROTO_INFO": "y"}
    if one_host and "UCX_TLS" not in os.environ:
        added |= WITHOUT_SHARED_MEMORY
    merged: dict[str, str | None] = {**os.environ, **added, **changes}
    return {key: value for key, value in merged.items() if value is not None}


class Side:
    """A running worker; use it in a `with` statement, which ends it."""

    def __init__(
        self, job: Job, folder: Path, channel: socket.socket, environment: Mapping[str, str]
    ) -> None:
        self._job = job
        self._stem = folder / job.role
        file = self._stem.with_suffix(".job")
        file.write_text(job.to_json())
        command = [sys.executable, "-m", "nixl_stripe.lab.worker", "--job", str(file)]
        command += ["--channel", f"fd:{channel.fileno()}"]
        command += ["--result", str(self._stem.with_suffix(".result"))]
        with self._stem.with_suffix(".log").open("wb") as log:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=dict(environment),
                pass_fds=[channel.fileno()],
                preexec_fn=die_with_parent,  # a Ctrl-C or a kill of ours must not leave it behind
                start_new_session=True,
            )

    def __enter__(self) -> Side:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()

    def kill(self) -> None:
        """End it with all that it started; harmless when it has ended."""
        if self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, 9)
            self.process.wait()

    def report(self, late: bool = False) -> SideReport:
        """Return what it wrote; `late`: it was killed for not having ended in time."""
        result, log = self._stem.with_suffix(".result"), self._stem.with_suffix(".log")
        found = SideReport.collect(self._job.role, result, log, self.process.returncode)
        if late and not result.exists():
            problem = SideError(self._job.role, "TimeoutError", "killed: it did not end in time")
            return SideReport(self._job.role, error=problem, log=found.log)
        return found


def time_limit(job: Job) -> float:
    """Return the seconds after which a side that has not ended is killed."""
    return job.limit_s * (job.repeats + 2)
