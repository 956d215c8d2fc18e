# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Rails without hardware: N rate limited veth pairs between two network namespaces.

    with Rails(count=4, mbit=800) as rails:
        outcome = rails.transfer(sizes=[64 << 20], backend_params={"max_rma_rails": "4"})
        print(outcome.require().gbps, outcome.rails_used, outcome.lanes)

Needs pyroute2 and numpy (`pip install nixl-stripe[lab]`), no root: a user namespace does. Two cores
move about 3.2 Gbit/s: keep `count * mbit` below that where rates matter.
"""

from __future__ import annotations

import dataclasses
import functools
import importlib.util
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from nixl_stripe.lab.availability import LabUnavailableError
from nixl_stripe.lab.job import Allocator, Job, Memory, Nixl, Op, Role
from nixl_stripe.lab.outcome import Outcome, SideError, SideReport
from nixl_stripe.lab.rails.holder import Holder, LabError
from nixl_stripe.lab.rails.rail_spec import RailSpec

Environment = Mapping[str, str | None]

#: Seconds beyond a case's own limit for the holder to clear up and answer.
_GRACE_S = 10.0
_ROLES: tuple[Role, Role] = ("initiator", "target")
_NVIDIA_DRIVER = Path("/dev/nvidiactl")


@dataclass(frozen=True)
class Finished:
    """A program that ran at one end: exit status (negative: the signal), output of both kinds."""

    status: int
    timed_out: bool
    output: str


class Rails:
    """A bed of rails; use it in a `with` statement, or `close()` it.

    count: rails, 1..64. mbit: limit of each in Mbit/s, both directions; None for none. mtu: bytes.
    user_namespace: True forces one (what happens without root), False forbids it, None decides.
    Making it takes about half a second; LabUnavailableError says why this machine cannot.
    """

    def __init__(
        self,
        count: int = 4,
        mbit: float | None = 800,
        *,
        mtu: int = 9000,
        user_namespace: bool | None = None,
    ) -> None:
        if not 1 <= count <= 64:
            raise ValueError(f"count={count}: accepted are 1..64 rails")
        if mbit is not None and mbit <= 0:
            raise ValueError(f"mbit={mbit}: accepted are rates above 0 Mbit/s, or None")
        _require_libraries()
        self.spec = RailSpec(count, mbit, mtu)
        self._cases = 0
        self._holder = Holder(self.spec, user_namespace)
        self.user_namespace: bool = self._holder.made["user_namespace"]
        self._scratch = Path(self._holder.made["scratch"])

    def __enter__(self) -> Rails:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Take the bed away; harmless when done twice."""
        self._holder.close()

    @property
    def devices(self) -> tuple[str, ...]:
        """The rails' interface names, the same on both sides."""
        return self.spec.names

    @property
    def capacity_gbps(self) -> float | None:
        """Sum of the rails' limits in Gbit/s; None without limits."""
        return None if self.spec.mbit is None else self.spec.mbit * self.spec.count * 1e-3

    @property
    def holder_pid(self) -> int:
        """The process whose end takes the bed away."""
        return self._holder.pid

    def set_state(self, rail: int | str, up: bool, sides: Sequence[Role] = _ROLES) -> None:
        """Bring a rail up or down at the given ends."""
        change = {"do": "state", "rail": self._name(rail), "up": up}
        self._holder.order({**change, "sides": list(sides)})

    def set_limit(self, rail: int | str, mbit: float, sides: Sequence[Role] = _ROLES) -> None:
        """Change one rail's limit to `mbit` Mbit/s at the given ends."""
        change = {"do": "limit", "rail": self._name(rail), "mbit": mbit}
        self._holder.order({**change, "sides": list(sides)})

    def transfer(
        self,
        *,
        sizes: Sequence[int],
        op: Op = "WRITE",
        memory: Memory = "dram",
        allocator: Allocator = "driver",
        repeats: int = 1,
        nixl: str | Path | Sequence[str | Path] | Nixl | None = None,
        backend_params: Mapping[str, str] | None = None,
        environment: Environment | None = None,
        agent_config: Mapping[str, Any] | None = None,
        peer_nixl: str | Path | Sequence[str | Path] | Nixl | None = None,
        peer_params: Mapping[str, str] | None = None,
        peer_environment: Environment | None = None,
        peer_memory: Memory | None = None,
        corrupt: bool = False,
        shim: bool = False,
        interpreter: Sequence[str | Path] | None = None,
        limit_s: float = 20.0,
    ) -> Outcome:
        """Run one case in two fresh processes and return what it showed, errors included.

        sizes: bytes of each buffer. allocator: whose GPU memory, the CUDA driver's ("driver") or
        torch's ("torch", tensors on the current device, compared there). repeats: transfers, each
        with its own payload, all verified.
        nixl: a folder that holds an installed or unpacked NIXL, a package name, both in a sequence,
        or None for whichever is importable. backend_params, environment: of the initiator; the
        target has the same unless peer_params, peer_environment say otherwise (a value None takes a
        variable away). UCX_* and NIXL_* of the caller do not reach the sides. agent_config: for
        NIXL's nixl_agent_config. corrupt: one byte is changed before it is sent, so that the
        verification must fail. shim: agents of nixl_stripe's classes. interpreter: the command
        of another Python for both sides, such as an emulated one; it must find nixl_stripe.
        limit_s: seconds for each wait and each transfer; the whole case ends after
        `limit_s * (repeats + 2)` at the latest.
        """
        mine = Job(
            role="initiator",
            op=op,
            sizes=tuple(sizes),
            memory=memory,
            allocator=allocator,
            repeats=repeats,
            nixl=Nixl.find(nixl),
            backend_params=dict(backend_params or {}),
            agent_config=dict(agent_config or {}),
            counters=self.devices,
            corrupt=corrupt,
            shim=shim,
            limit_s=limit_s,
        )
        theirs = dataclasses.replace(
            mine,
            role="target",
            memory=peer_memory or memory,
            nixl=mine.nixl if peer_nixl is None else Nixl.find(peer_nixl),
            backend_params=mine.backend_params if peer_params is None else dict(peer_params),
        )
        base = {**rail_environment(mine.memory, theirs.memory), **(environment or {})}
        peer_base = {**base, **(peer_environment or {})}
        return self.run(mine, theirs, base, peer_base, interpreter)

    def run(
        self,
        initiator: Job,
        target: Job,
        environment: Environment,
        peer_environment: Environment,
        interpreter: Sequence[str | Path] | None = None,
    ) -> Outcome:
        """Run two jobs against each other; the environments are added to a clean one."""
        folder = self._new_folder()
        for job in (initiator, target):
            (folder / f"{job.role}.job").write_text(job.to_json())
        limit = initiator.limit_s * (initiator.repeats + 2)
        order = {
            "do": "run",
            "folder": str(folder),
            "limit_s": limit,
            "interpreter": [str(part) for part in interpreter or ()],
            "environment": {
                "initiator": clean_environment(environment),
                "target": clean_environment(peer_environment),
            },
        }
        done = self._holder.order(order, limit + _GRACE_S)
        mine, theirs = (self._report(folder, role, done, limit) for role in _ROLES)
        return Outcome.of(initiator, mine, theirs, done["seconds"])

    def run_programs(
        self, programs: Mapping[Role, Sequence[str]], *, limit_s: float = 60.0
    ) -> dict[Role, Finished]:
        """Run a program at each end of the rails, both at the same time, and return how they ended.

        They have this process's environment. Whoever still runs after `limit_s` seconds is killed.
        The target is 10.77.<rail>.2 for the initiator, which is 10.77.<rail>.1.
        """
        if set(programs) != set(_ROLES):
            raise ValueError(
                f"programs of {sorted(programs)}: accepted is one for each of {_ROLES}"
            )
        folder = self._new_folder()
        order = {
            "do": "run",
            "folder": str(folder),
            "limit_s": limit_s,
            "programs": {role: list(programs[role]) for role in _ROLES},
            "environment": {role: dict(os.environ) for role in _ROLES},
        }
        done = self._holder.order(order, limit_s + _GRACE_S)
        return {
            role: Finished(
                done["exits"][role],
                role in done["late"],
                (folder / f"{role}.log").read_text(errors="replace"),
            )
            for role in _ROLES
        }

    def _new_folder(self) -> Path:
        self._cases += 1
        folder = self._scratch / f"{self._cases:04d}"
        folder.mkdir()
        return folder

    def _report(self, folder: Path, role: Role, done: Any, limit: float) -> SideReport:
        files = folder / f"{role}.result", folder / f"{role}.log"
        report = SideReport.collect(role, *files, done["exits"][role])
        if role in done["late"] and not files[0].exists():
            text = f"killed: it did not end within {limit:g} s"
            report = dataclasses.replace(report, error=SideError(role, "TimeoutError", text))
        return report

    def _name(self, rail: int | str) -> str:
        name = self.devices[rail] if isinstance(rail, int) else rail
        if name not in self.devices:
            raise ValueError(f"rail {name!r}: accepted are {', '.join(self.devices)}")
        return name


def rail_environment(*memories: Memory) -> dict[str, str | None]:
    """Return what makes UCX use the rails and say so.

    UCX_TLS: only TCP, or both sides, which share a host, would use shared memory. NIXL refuses TCP
    alone where there is a GPU, whatever memory is meant: it needs the copies of GPU memory too.
    UCX_MODULES: no RDMA module is wanted, and the wheel's bundled one can crash at exit on machines
    without RDMA.
    """
    has_gpu = "vram" in memories or _NVIDIA_DRIVER.exists()
    transports = "tcp,cuda_copy" if has_gpu else "tcp"
    return {"UCX_TLS": transports, "UCX_MODULES": "^ib", "UCX_PROTO_INFO": "y"}


def clean_environment(changes: Environment) -> dict[str, str]:
    """Return this environment without UCX_* and NIXL_*, `changes` applied (None: removed)."""
    kept: dict[str, str | None] = {
        key: value for key, value in os.environ.items() if not key.startswith(("UCX_", "NIXL_"))
    }
    return {key: value for key, value in {**kept, **changes}.items() if value is not None}


@functools.cache
def why_not(user_namespace: bool | None = None) -> str | None:
    """Return why this machine cannot make rails, in one line; None where it can. Tried once."""
    try:
        with Rails(1, 800, user_namespace=user_namespace):
            return None
    except (LabUnavailableError, LabError) as error:
        return str(error)


def _require_libraries() -> None:
    for library in ("pyroute2", "numpy"):
        if importlib.util.find_spec(library) is None:
            raise LabUnavailableError(
                f"rails need {library}, which is not installed: pip install 'nixl-stripe[lab]'"
            )
