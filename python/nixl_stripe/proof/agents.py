# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What the agents of a host say of themselves, from the files of `stripe_metrics`.

Whoever may write into the folder may write anything: a file is read within limits and by the form
that the plugin writes (`nixl_patch/plugin/metrics_text.cpp`); one that has another form is refused
with a reason. Files of processes that have ended are passed over: by their number and start where
they are of our own PID namespace, and wherever they are by age, since a live process writes its
file anew every two seconds.
"""

from __future__ import annotations

import functools
import os
import re
import stat
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from nixl_stripe.untrusted import RefusedError, one_line

PREFIX = "nixl_stripe_agent_"
MAX_FILES, MAX_BYTES, MAX_LINES = 256, 1 << 20, 20_000
OLD_S = 60.0
"""Seconds after which a file is nobody's any more."""

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
    """Return what stands in the `*.prom` files of a folder; an OSError where there is none."""
    live: list[AgentFile] = []
    refused: dict[str, str] = {}
    dead = 0
    names = sorted(each.name for each in os.scandir(folder) if each.name.endswith(".prom"))
    for name in names[MAX_FILES:]:
        refused[one_line(name)] = f"accepted are {MAX_FILES} files"
    for name in names[:MAX_FILES]:
        try:
            text, age = _read(folder / name)
            if age > OLD_S:
                dead += 1
                continue
            found = parse(text, name.removesuffix(".prom"))
        except (OSError, RefusedError) as error:
            refused[one_line(name)] = one_line(str(error))
            continue
        if _is_alive(found, proc):
            live.append(found)
        else:
            dead += 1
    return AgentFiles(tuple(live), refused, dead)


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


def _read(path: Path) -> tuple[bytes, float]:
    """Return the bytes of a regular file, one more than accepted at most, and its age in seconds.

    No link is followed, and nothing is waited for (a pipe may stand there).
    """
    file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(file, "rb") as stream:
        state = os.fstat(stream.fileno())
        if not stat.S_ISREG(state.st_mode):
            raise RefusedError("no regular file")
        return stream.read(MAX_BYTES + 1), time.time() - state.st_mtime


def _own_namespace() -> int:
    """Return this process's PID namespace; -1 where a sandbox does not tell."""
    try:
        return Path("/proc/self/ns/pid").stat().st_ino
    except OSError:
        return -1


def _is_alive(found: AgentFile, proc: Path) -> bool:
    """Whether the process lives; of another PID namespace the file's age alone tells."""
    if found.pid_namespace != _own_namespace():
        return True
    try:
        text = (proc / str(found.pid) / "stat").read_text("utf-8", "replace")
    except OSError:
        return False
    return text.rpartition(")")[2].split()[19:20] == [str(found.start_ticks)]
