# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""One side of a transfer as a program: how it is called, its `main`, and what it leaves behind.

Every bed starts sides by the same command line, wherever it starts them:

    PYTHON -m MODULE --job JOB --channel fd:N|dir:FOLDER --result RESULT

The result file appears in one piece; standard output and error are the log.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from nixl_stripe.lab.channel import Channel, open_channel
from nixl_stripe.lab.job import Memory, Nixl, Role

Environment = Mapping[str, str | None]

ROLES: tuple[Role, Role] = ("initiator", "target")

#: In a command, for the address of the channel that a bed makes: only it knows that.
CHANNEL = "{channel}"


class SideJob(Protocol):
    """What a bed must know of a job to have it done; plain data that crosses borders as JSON."""

    @property
    def role(self) -> Role:
        """The side that it is for."""

    @property
    def program(self) -> str:
        """The module that does it."""

    @property
    def memory(self) -> Memory:
        """Where its buffers are."""

    @property
    def nixl(self) -> Nixl:
        """Which NIXL it uses."""

    @property
    def needs_verbs(self) -> bool:
        """Whether that NIXL brings a libibverbs of its own to the transfer."""

    @property
    def total_limit_s(self) -> float:
        """Seconds after which a side that has not ended is killed."""

    def to_json(self) -> str:
        """Return it as one line of JSON."""


class Report(Protocol):
    """What a side writes."""

    def to_json(self) -> str:
        """Return it as one line of JSON."""


JobT = TypeVar("JobT", bound=SideJob)


@dataclass(frozen=True)
class Ended:
    """A side's program that has ended, or was killed after `late_s` seconds.

    status: as from `subprocess` (negative: the signal that ended it; None: unknown). result: what
    it wrote, None for nothing.
    """

    status: int | None
    log: str
    result: str | None = None
    late_s: float | None = None
    wall_s: float = 0.0

    @property
    def failure(self) -> tuple[str, str] | None:
        """Type and text of the error of a side that left no result."""
        if self.result is not None:
            return None
        if self.late_s is not None:
            return "TimeoutError", f"killed: it did not end within {self.late_s:g} s"
        last = next((line for line in reversed(self.log.splitlines()) if line.strip()), "no output")
        why = f"left no result (exit status {self.status}); last line of its log: {last}"
        return "SideDied", why


@dataclass(frozen=True)
class Finished:
    """A program that ran at one end of a bed; output: of both kinds.

    status: exit status, negative for the signal that ended it.
    """

    status: int
    timed_out: bool
    output: str
    wall_s: float = 0.0


def command(
    job: SideJob, folder: Path, channel: str = CHANNEL, interpreter: Sequence[str | Path] = ()
) -> list[str]:
    """Write a job to `folder` and return the command line that does it.

    interpreter: the command of a Python that finds nixl_stripe; () is this one.
    """
    file = folder / f"{job.role}.job"
    file.write_text(job.to_json())
    python = [str(part) for part in interpreter] or [sys.executable]
    files = ["--job", str(file), "--result", str(folder / f"{job.role}.result")]
    return [*python, "-m", job.program, *files, "--channel", channel]


def read(
    folder: Path,
    role: Role,
    status: int | None,
    *,
    log: str | None = None,
    late_s: float | None = None,
    wall_s: float = 0.0,
) -> Ended:
    """Read what a side left in `folder`; log: None for the file that is there."""
    result, file = folder / f"{role}.result", folder / f"{role}.log"
    if log is None:
        log = file.read_text(errors="replace") if file.exists() else ""
    return Ended(status, log, result.read_text() if result.exists() else None, late_s, wall_s)


def main(
    about: str,
    job_of: Callable[[str], JobT],
    run: Callable[[JobT, Channel], Report],
    argv: Sequence[str] | None = None,
) -> int:
    """Do the job of a file; 0 whenever a result was written, which may be an error."""
    parser = argparse.ArgumentParser(description=about.partition("\n")[0])
    parser.add_argument("--job", type=Path, required=True)
    parser.add_argument("--channel", required=True, help="fd:N or dir:FOLDER")
    parser.add_argument("--result", type=Path, required=True)
    options = parser.parse_args(argv)
    job = job_of(options.job.read_text())
    report = run(job, open_channel(options.channel, job.role))
    draft = options.result.with_suffix(".tmp")
    draft.write_text(report.to_json())
    draft.replace(options.result)
    sys.stdout.flush()
    sys.stderr.flush()
    return 0
