# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What the agents of a host say of themselves, from the files of `stripe_metrics`.

Whoever may write into the folder may write anything: a file is read within limits and by the form
that the plugin writes (`nixl_patch/plugin/metrics_text.cpp`); one that has another form is refused
with a reason. So is one that another user wrote than the process that it names has, where that is
of our own PID namespace: nobody speaks for the jobs of others. Files of processes that have ended
are passed over: by their number and start in our own PID namespace, and wherever they are by age,
since a live process writes its file anew every two seconds. Only living ones count for the limits,
which hold for a whole look too, half of each for one user: whatever stands in the folder, a look
ends soon, and one user's files do not crowd out those of others.
"""

from __future__ import annotations

import functools
import itertools
import os
import re
import stat
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from nixl_stripe.proof.hidden import is_hidden
from nixl_stripe.untrusted import RefusedError, one_line, open_file

PREFIX = "nixl_stripe_agent_"
MAX_FILES, MAX_BYTES, MAX_LINES = 256, 1 << 20, 20_000
MAX_NAMES, MAX_ALL_BYTES, MAX_ALL_LINES = 4096, 4 << 20, 20_000
"""Of all files of a look: names that end in .prom, bytes and lines that are read."""
MAX_SEEN = 1 << 16
"""Names of any kind in the folder."""
OLD_S = 60.0
"""Seconds after which a file is nobody's any more; one from further ahead than that is refused."""

#: The labels of each sample behind `agent_name`, in the order in which they are written.
SAMPLES: Mapping[str, tuple[str, ...]] = {
    "info": ("host", "pid", "pid_namespace", "start_ticks", "ucx", "version"),
    "planned_nics": (),
    "rails": (),
    "nic_planned": ("nic",),
    "ucx_setting_info": ("key", "value"),
    "intended_bytes_total": ("nic", "direction"),
    "elsewhere_bytes_total": ("direction",),
    "operations_total": (),
    "transfers_total": (),
    "errors_total": (),
    "resumes_total": (),
    "nic_losses_total": ("nic",),
    "nic_returns_total": ("nic",),
    "peers": (),
    "narrow_peers": (),
}
#: A quoted value is read without looking back: every character but a quote and a backslash, or an
#: escape.
_VALUE = r'"((?:[^"\\\n]|\\["\\])*)"'


def _series_of(name: str) -> re.Pattern[str]:
    labels = ",".join(f"{label}={_VALUE}" for label in ("agent_name", *SAMPLES[name]))
    return re.compile(rf"{re.escape(PREFIX + name)}\{{{labels}\}}")


_SERIES = {name: _series_of(name) for name in SAMPLES}
_NAME = re.compile(re.escape(PREFIX) + r"([a-z_]{1,40})\{")


class Sample(NamedTuple):
    """One value. labels: behind the agent's name, as in SAMPLES."""

    name: str
    agent: str
    labels: tuple[str, ...]
    value: int


@dataclass(frozen=True)
class AgentFile:
    """One process's file. pid, start_ticks, pid_namespace: who wrote it."""

    process: str
    pid: int
    start_ticks: int
    pid_namespace: int
    samples: tuple[Sample, ...]

    @property
    def agents(self) -> tuple[str, ...]:
        """The agents' names."""
        return tuple(each.agent for each in self.samples if each.name == "info")


@dataclass(frozen=True)
class AgentFiles:
    """Those of a folder. refused: file and why; dead: how many were of processes that ended."""

    live: tuple[AgentFile, ...] = ()
    refused: Mapping[str, str] = field(default_factory=dict)
    dead: int = 0

    def names(self) -> dict[int, str]:
        """Return the agents' names by process of our own PID namespace."""
        here = _own_namespace()
        return {
            each.pid: ", ".join(each.agents) for each in self.live if each.pid_namespace == here
        }


def read_folder(folder: Path, proc: Path = Path("/proc")) -> AgentFiles:
    """Return what stands in the `*.prom` files of a folder; an OSError where there is none.

    By name, so that of too many the same ones are taken at each look.
    """
    with os.scandir(folder) as entries:
        every = itertools.islice(entries, MAX_SEEN)
        found = list(
            itertools.islice((each for each in every if each.name.endswith(".prom")), MAX_NAMES + 1)
        )
        is_more = len(found) > MAX_NAMES or next(every, next(entries, None)) is not None
    written = {each.name: _written(each) for each in found[:MAX_NAMES]}
    now = time.time()
    old = {
        name for name, at in written.items() if at is None or (at.is_file and now - at.time > OLD_S)
    }
    look = _Look(proc, {at.user for name, at in written.items() if at and name not in old})
    look.dead = len(old)  # of many, none is opened
    if is_more:
        look.refused["*"] = f"accepted are {MAX_NAMES} names that end in .prom, {MAX_SEEN} in all"
    for name in sorted(written.keys() - old):
        try:
            look.take(folder / name)
        except FileNotFoundError:  # noqa: PERF203 - its process ended just now
            look.dead += 1
        except (OSError, RefusedError) as error:
            look.refused[one_line(name)] = one_line(str(error))
    return AgentFiles(tuple(look.live), look.refused, look.dead)


class _Written(NamedTuple):
    time: float
    user: int
    is_file: bool


def _written(entry: os.DirEntry[str]) -> _Written | None:
    """Return when and by whom a name was written; None where it has gone just now."""
    try:
        found = entry.stat(follow_symlinks=False)
    except OSError:
        return None
    return _Written(found.st_mtime, found.st_uid, stat.S_ISREG(found.st_mode))


@dataclass
class _Left:
    """What may still be read."""

    files: int
    bytes: int
    lines: int

    @classmethod
    def part(cls, share: int) -> _Left:
        return cls(MAX_FILES // share, MAX_ALL_BYTES // share, MAX_ALL_LINES // share)


_HALF = ", half of them of one user where there are several"


class _Look:
    """One look at a folder, within the limits of all files together and of one user's."""

    def __init__(self, proc: Path, users: Collection[int]) -> None:
        self._proc = proc
        self.live: list[AgentFile] = []
        self.refused: dict[str, str] = {}
        self.dead = 0
        share = 1 if len(users) < 2 else 2
        self._left = {user: _Left.part(share) for user in users}
        self._left_of_all = _Left.part(1)

    def take(self, path: Path) -> None:
        """Read one file; RefusedError, or OSError where it cannot be read."""
        with open_file(path, os.O_NOFOLLOW) as stream:
            about = os.fstat(stream.fileno())
            if about.st_mtime - time.time() > OLD_S:
                raise RefusedError("its time is in the future")
            budgets = (self._left_of_all, self._left.get(about.st_uid, self._left_of_all))
            if min(each.files for each in budgets) <= 0:
                raise RefusedError(f"accepted are {MAX_FILES} files of living processes{_HALF}")
            if min(each.bytes for each in budgets) <= 0:
                raise RefusedError(f"accepted are {MAX_ALL_BYTES} bytes in all files{_HALF}")
            text = stream.read(MAX_BYTES + 1)
        lines = text.count(b"\n")
        self._spend(about.st_uid, _Left(0, len(text), 0))
        if MAX_LINES >= lines > min(each.lines for each in budgets):
            raise RefusedError(f"accepted are {MAX_ALL_LINES} lines in all files{_HALF}")
        if lines <= MAX_LINES:  # more than that are not read
            self._spend(about.st_uid, _Left(0, 0, lines))
        found = parse(text, path.name.removesuffix(".prom"))
        if not _is_alive(found, self._proc):
            self.dead += 1
            return
        if not _is_of(found, about.st_uid, self._proc):
            raise RefusedError("another user's than the process that it names")
        self._spend(about.st_uid, _Left(1, 0, 0))
        self.live.append(found)

    def _spend(self, user: int, what: _Left) -> None:
        for left in filter(None, (self._left_of_all, self._left.get(user))):
            left.files -= what.files
            left.bytes -= what.bytes
            left.lines -= what.lines


def parse(text: bytes, process: str) -> AgentFile:
    """Return what a file says; RefusedError names the first line that is not accepted.

    process: what tells its process from others, the file's name without its ending.
    """
    if len(text) > MAX_BYTES:
        raise RefusedError(f"more than {MAX_BYTES} bytes")
    try:
        lines = text.decode("utf-8").split("\n")
    except UnicodeDecodeError:
        raise RefusedError("not UTF-8") from None
    if len(lines) > MAX_LINES or lines[-2:] != ["# EOF", ""]:
        raise RefusedError(f"accepted are at most {MAX_LINES} lines, the last one '# EOF'")
    samples = [
        _sample(number, line)
        for number, line in enumerate(lines[:-2], 1)
        if not line.startswith("# ")
    ]
    keys = {(each.name, each.agent, each.labels) for each in samples}
    if len(keys) != len(samples):
        raise RefusedError("a sample that comes twice")
    writers = {each.labels[1:4] for each in samples if each.name == "info"}
    if len(writers) != 1:
        raise RefusedError("accepted are the agents of one process")
    (writer,) = writers
    pid, namespace, start = (_number(each) for each in writer)
    agents = {each.agent for each in samples if each.name == "info"}
    if {each.agent for each in samples} != agents:
        raise RefusedError("an agent without its info")
    return AgentFile(one_line(process), pid, start, namespace, tuple(samples))


def _sample(number: int, line: str) -> Sample:
    series, _, value = line.rpartition(" ")
    found = _read_series(series) if len(series) <= _KEPT_CHARACTERS else _series_in(series)
    if found is None or not (value.isascii() and value.isdecimal() and len(value) <= 20):
        raise RefusedError(f"line {number}: {one_line(line, 80)!r} is none that agents write")
    return Sample(*found, int(value))


def _series_in(text: str) -> tuple[str, str, tuple[str, ...]] | None:
    """Return metric, agent and labels of what stands before a value; None where it is no series."""
    named = _NAME.match(text)
    pattern = _SERIES.get(named[1]) if named else None
    found = pattern.fullmatch(text) if pattern else None
    if named is None or found is None:
        return None
    agent, *rest = map(_label, found.groups())
    return named[1], agent, tuple(rest)


#: They are the same at each look, only the values change. Long ones are not kept: of 300 characters
#: at most, all together take a few MiB, whatever a file holds.
_read_series = functools.lru_cache(maxsize=16384)(_series_in)
_KEPT_CHARACTERS = 300


def _label(text: str) -> str:
    if "\\" in text:
        text = text.replace('\\"', '"').replace("\\\\", "\\")
    return one_line(text)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 20):
        raise RefusedError(f"{one_line(text, 40)!r} is no number of a process")
    return int(text)


def _own_namespace() -> int:
    """Return this process's PID namespace; -1 where a sandbox does not tell."""
    try:
        return Path("/proc/self/ns/pid").stat().st_ino
    except OSError:
        return -1


def _is_of(found: AgentFile, user: int, proc: Path) -> bool:
    """Whether that user's process may have written it; as far as /proc tells, and nothing else."""
    if found.pid_namespace != _own_namespace():
        return True
    try:
        text = (proc / str(found.pid) / "status").read_text("utf-8", "replace")
    except OSError:
        return True  # hidden (hidepid), or gone just now
    users = next((line.split()[1:] for line in text.splitlines() if line.startswith("Uid:")), [])
    return not users or str(user) in users


def _is_alive(found: AgentFile, proc: Path) -> bool:
    """Whether the process lives; of another PID namespace the file's age alone tells.

    So it does of a process of another user that /proc does not show (mounted with hidepid).
    """
    if found.pid_namespace != _own_namespace():
        return True
    try:
        text = (proc / str(found.pid) / "stat").read_text("utf-8", "replace")
    except OSError:
        return is_hidden(found.pid)
    return text.rpartition(")")[2].split()[19:20] == [str(found.start_ticks)]
