# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Who this process is in a fleet: told by options, or by the engine that started it.

Every engine says the same three things in its own variables: the rank, how many there are, and
where rank 0 is. One row an engine below; the first whose rank is set counts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from nixl_stripe.errors import UsageError
from nixl_stripe.lab.remote.address import DEFAULT_PORT, Address
from nixl_stripe.lab.remote.launchers import first_node, whole_number

#: Ports that a job's number chooses from, so that two jobs of a host do not meet.
_FIRST_PORT, _PORTS = 18600, 400
#: What Kubernetes does not tell its pods: the manifest says it.
RANKS_VARIABLE, SERVICE_VARIABLE = "NIXL_STRIPE_FLEET_RANKS", "NIXL_STRIPE_FLEET_SERVICE"
Variables = Mapping[str, str]


@dataclass(frozen=True)
class Rank:
    """number: 0 is where the hub is. ranks: how many. hub: its address. engine: who said so."""

    number: int
    ranks: int
    hub: Address
    engine: str = "options"

    def __post_init__(self) -> None:
        if self.ranks < 2:
            raise UsageError(f"--ranks {self.ranks}: accepted are 2 and more, one a host")
        if not 0 <= self.number < self.ranks:
            raise UsageError(f"--rank {self.number}: accepted are 0 to {self.ranks - 1}")


@dataclass(frozen=True)
class Engine:
    """What starts the ranks. rank: the variable whose presence tells it.

    ranks: variables, one of which holds how many there are. hub: finds the host of rank 0. job:
    variables that make the port.
    """

    name: str
    rank: str
    ranks: tuple[str, ...]
    hub: Callable[[Variables], str]
    job: tuple[str, ...] = ()


def find(
    environ: Variables, rank: int | None = None, ranks: int | None = None, hub: str | None = None
) -> Rank:
    """Return who this is; options win over variables, each by itself. UsageError names both."""
    engine = next((each for each in ENGINES if environ.get(each.rank)), None)
    if engine is None and (rank is None or ranks is None or hub is None):
        raise UsageError(
            "--rank, --ranks and --hub: say all three, or start it by an engine that sets "
            + " or ".join(each.rank for each in ENGINES)
        )
    name = "options" if engine is None else engine.name
    if rank is None:
        rank = whole_number(environ, engine.rank if engine else "")
    if ranks is None:
        ranks = _ranks(environ, engine)
    if hub is None and engine is not None:
        hub = f"{_bracketed(engine.hub(environ))}:{_port(environ, engine.job)}"
    return Rank(rank, ranks, Address.parse(hub or "", "--hub"), name)


def _ranks(environ: Variables, engine: Engine | None) -> int:
    for name in engine.ranks if engine else ():
        if environ.get(name):
            return whole_number(environ, name)
    raise UsageError(
        f"--ranks: {engine.name if engine else 'nobody'} does not tell how many ranks there are "
        f"({', '.join(engine.ranks if engine else ())} not set); say it"
    )


def _port(environ: Variables, names: tuple[str, ...]) -> int:
    """Return a port that all ranks of a job agree on without a word; the default one, of pods."""
    if not names:
        return DEFAULT_PORT
    digits = "".join(re.sub("[^0-9]", "", environ.get(name, "")) for name in names)
    return _FIRST_PORT + int(digits[-9:] or 0) % _PORTS


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _of_torchrun(environ: Variables) -> str:
    return _given(environ, "MASTER_ADDR")


def _of_slurm(environ: Variables) -> str:
    names = environ.get("SLURM_STEP_NODELIST") or _given(environ, "SLURM_JOB_NODELIST")
    return first_node(names)


def _of_indexed_job(environ: Variables) -> str:
    """Return the DNS name of the Job's pod 0; Kubernetes sets a pod's host name to NAME-INDEX."""
    pod = _given(environ, "HOSTNAME")
    job, dash, index = pod.rpartition("-")
    if not dash or not index.isdecimal():
        raise UsageError(f"HOSTNAME={pod!r}: accepted is NAME-INDEX, as an Indexed Job sets it")
    return f"{job}-0.{_given(environ, SERVICE_VARIABLE)}"


def _given(environ: Variables, name: str) -> str:
    found = environ.get(name, "").strip()
    if not found:
        raise UsageError(f"--hub: {name} is not set; say where rank 0 is")
    return found


ENGINES: tuple[Engine, ...] = (
    Engine(
        "Slurm",
        "SLURM_PROCID",
        ("SLURM_STEP_NUM_TASKS", "SLURM_NTASKS"),
        _of_slurm,
        ("SLURM_JOB_ID", "SLURM_STEP_ID"),
    ),
    Engine(
        "Kubernetes Indexed Job",
        "JOB_COMPLETION_INDEX",
        (RANKS_VARIABLE,),
        _of_indexed_job,
    ),
    Engine("torchrun", "RANK", ("WORLD_SIZE",), _of_torchrun, ("MASTER_PORT",)),
)
