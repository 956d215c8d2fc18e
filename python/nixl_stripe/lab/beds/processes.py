# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Two processes of this host, in the user's own environment."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from nixl_stripe.lab import side
from nixl_stripe.lab.beds.base import Bed, merged
from nixl_stripe.lab.job import Role
from nixl_stripe.lab.namespaces import die_with_parent
from nixl_stripe.lab.side import Ended, Environment, SideJob
from nixl_stripe.scratch import Scratch

#: Shared memory and the like: with them nothing of a transfer on one host passes a NIC.
WITHOUT_SHARED_MEMORY = {"UCX_TLS": "^sm,cuda_ipc"}


def user_environment(changes: Environment, one_host: bool) -> dict[str, str]:
    """Return this process's environment with what a verification needs, then `changes`.

    UCX_PROTO_INFO: UCX says which lanes it uses. Between processes of one host shared memory is
    ruled out, unless UCX_TLS is set already.
    """
    added = {"UCX_PROTO_INFO": "y"}
    if one_host and "UCX_TLS" not in os.environ:
        added |= WITHOUT_SHARED_MEMORY
    return merged(os.environ, added, changes)


class Process:
    """A side that runs on this host; use it in a `with` statement, which ends it."""

    def __init__(
        self,
        job: SideJob,
        folder: Path,
        channel: socket.socket,
        environment: Mapping[str, str],
        interpreter: Sequence[str | Path] = (),
    ) -> None:
        self._job = job
        self._folder = folder
        self._start = time.monotonic()
        with (folder / f"{job.role}.log").open("wb") as log:
            self.process = subprocess.Popen(
                side.command(job, folder, f"fd:{channel.fileno()}", interpreter),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=dict(environment),
                pass_fds=[channel.fileno()],
                preexec_fn=die_with_parent,  # a Ctrl-C or a kill of ours must not leave it behind
                start_new_session=True,
            )

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def wait(self) -> bool:
        """Wait for its end, which comes at its limit at the latest; whether it came by itself."""
        left = self._start + self._job.total_limit_s - time.monotonic()
        try:
            self.process.wait(max(0.1, left))
        except subprocess.TimeoutExpired:
            self.kill()
            return False
        return True

    def kill(self) -> None:
        """End it with all that it started; harmless when it has ended."""
        if self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, 9)
            self.process.wait()

    def ended(self, late: bool = False) -> Ended:
        """Return what it left; late: it was killed for not having ended in time."""
        return side.read(
            self._folder,
            self._job.role,
            self.process.returncode,
            late_s=self._job.total_limit_s if late else None,
            wall_s=time.monotonic() - self._start,
        )


class TwoProcesses(Bed):
    """Two processes of this host, in the caller's environment, shared memory ruled out."""

    name = "processes"
    where = "between two processes of this host"
    notes = (
        "on one host UCX would use shared memory: it was ruled out (UCX_TLS=^sm,cuda_ipc) unless "
        "UCX_TLS was set",
    )

    def __init__(self) -> None:
        self._scratch = Scratch("sides")

    def close(self) -> None:
        """Remove its files."""
        self._scratch.close()

    def sides(
        self,
        jobs: Mapping[Role, SideJob],
        changes: Mapping[Role, Environment],
        interpreter: Sequence[str | Path] = (),
    ) -> dict[Role, Ended]:
        """Run both jobs here."""
        folder = self._scratch.folder()
        with contextlib.ExitStack() as stack:
            running: dict[Role, Process] = {}
            pair = socket.socketpair()
            with pair[0], pair[1]:
                for role, channel in zip(side.ROLES, pair, strict=True):
                    full = user_environment(changes[role], one_host=True)
                    made = Process(jobs[role], folder, channel, full, interpreter)
                    running[role] = stack.enter_context(made)
            in_time = {role: process.wait() for role, process in running.items()}
            return {role: p.ended(late=not in_time[role]) for role, p in running.items()}
