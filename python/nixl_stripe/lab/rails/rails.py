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
from pathlib import Path
from typing import Any

from nixl_stripe.lab import side
from nixl_stripe.lab.availability import LabUnavailableError
from nixl_stripe.lab.beds.base import WRITE_ONLY, Bed, merged
from nixl_stripe.lab.cut import CutMade
from nixl_stripe.lab.job import Memory, Op, Role
from nixl_stripe.lab.rails.holder import Holder, LabError
from nixl_stripe.lab.rails.rail_spec import RailSpec
from nixl_stripe.lab.side import ROLES, Ended, Environment, Finished, SideJob

#: Seconds beyond a case's own limit for the holder to clear up and answer.
_GRACE_S = 10.0
_NVIDIA_DRIVER = Path("/dev/nvidiactl")


class Rails(Bed):
    """Rate limited rails; use them in a `with` statement, or `close()` it.

    count: rails, 1..64. mbit: limit of each in Mbit/s, both directions; None for none. mtu: bytes.
    user_namespace: True forces one (what happens without root), False forbids it, None decides.
    Making it takes about half a second; LabUnavailableError says why this machine cannot.
    """

    name = "tcp"
    notes = (
        "a bed of veth rails proves mechanism and ratios; its rates say nothing of real NICs",
        "UCX stripes only WRITE over TCP: READ is emulated, on one rail",
    )

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
        limit = f" of {mbit:g} Mbit/s" if mbit else ""
        self.where = f"over {count} TCP rails{limit} between two namespaces"
        self.limit_mbit = mbit
        self.spec = RailSpec(count, mbit, mtu)
        self.counters = self.spec.names
        self.bucket_bytes = self.spec.bucket_bytes
        self._cases = 0
        self._holder = Holder(self.spec, user_namespace)
        self.user_namespace: bool = self._holder.made["user_namespace"]
        self._scratch = Path(self._holder.made["scratch"])

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
        return self.ceiling_gbps

    def ops(self) -> tuple[Op, ...]:
        """Return WRITE: READ over TCP never stripes."""
        return WRITE_ONLY

    def describe(self) -> dict[str, object]:
        """Return rails, limit and MTU."""
        return {**super().describe(), "mtu": self.spec.mtu}

    @property
    def holder_pid(self) -> int:
        """The process whose end takes the bed away."""
        return self._holder.pid

    def set_state(self, rail: int | str, up: bool, sides: Sequence[Role] = ROLES) -> None:
        """Bring a rail up or down at the given ends."""
        change = {"do": "state", "rail": self._name(rail), "up": up}
        self._holder.order({**change, "sides": list(sides)})

    def set_limit(self, rail: int | str, mbit: float, sides: Sequence[Role] = ROLES) -> None:
        """Change one rail's limit to `mbit` Mbit/s at the given ends."""
        change = {"do": "limit", "rail": self._name(rail), "mbit": mbit}
        self._holder.order({**change, "sides": list(sides)})

    def sides(
        self,
        jobs: Mapping[Role, SideJob],
        changes: Mapping[Role, Environment],
        interpreter: Sequence[str | Path] = (),
    ) -> dict[Role, Ended]:
        """Run both jobs in their namespaces, in a clean environment."""
        folder = self._new_folder()
        base = rail_environment(*(job.memory for job in jobs.values()))
        limit = max(job.total_limit_s for job in jobs.values())
        done = self._order(
            folder,
            {role: side.command(jobs[role], folder, interpreter=interpreter) for role in ROLES},
            {role: clean_environment({**base, **changes[role]}) for role in ROLES},
            limit,
        )
        return {
            role: side.read(
                folder,
                role,
                done["exits"][role],
                late_s=limit if role in done["late"] else None,
                wall_s=done["seconds"],
            )
            for role in ROLES
        }

    def run_programs(
        self, programs: Mapping[Role, Sequence[str]], *, limit_s: float = 60.0
    ) -> dict[Role, Finished]:
        """Run a program at each end of the rails, both at the same time, and return how they ended.

        They have this process's environment. Whoever still runs after `limit_s` seconds is killed.
        The target is 10.77.<rail>.2 for the initiator, which is 10.77.<rail>.1.
        """
        if set(programs) != set(ROLES):
            raise ValueError(f"programs of {sorted(programs)}: accepted is one for each of {ROLES}")
        folder = self._new_folder()
        commands = {role: list(programs[role]) for role in ROLES}
        done = self._order(folder, commands, {role: dict(os.environ) for role in ROLES}, limit_s)
        return {
            role: Finished(
                done["exits"][role],
                role in done["late"],
                (folder / f"{role}.log").read_text(errors="replace"),
                done["seconds"],
            )
            for role in ROLES
        }

    def _order(
        self,
        folder: Path,
        commands: Mapping[Role, list[str]],
        environment: Mapping[Role, Mapping[str, str]],
        limit_s: float,
    ) -> Any:
        cut = None if self.cut is None else dataclasses.asdict(self.cut)
        order = {"do": "run", "folder": str(folder), "limit_s": limit_s, "cut": cut}
        sides = {"commands": dict(commands), "environment": dict(environment)}
        done = self._holder.order({**order, **sides}, limit_s + _GRACE_S)
        self.cut_made = CutMade(**done["cut"])
        return done

    def _new_folder(self) -> Path:
        self._cases += 1
        folder = self._scratch / f"{self._cases:04d}"
        folder.mkdir()
        return folder

    def _name(self, rail: int | str) -> str:
        name = self.devices[rail] if isinstance(rail, int) else rail
        if name not in self.devices:
            raise ValueError(f"rail {name!r}: accepted are {', '.join(self.devices)}")
        return name


def has_gpu() -> bool:
    """Return whether NIXL sees a GPU's driver here."""
    return _NVIDIA_DRIVER.exists()


def rail_environment(*memories: Memory) -> dict[str, str | None]:
    """Return what makes UCX use the rails and say so.

    UCX_TLS: only TCP, or both sides, which share a host, would use shared memory. NIXL refuses TCP
    alone where there is a GPU, whatever memory is meant: it needs the copies of GPU memory too.
    UCX_MODULES: no RDMA module is wanted, and the wheel's bundled one can crash at exit on machines
    without RDMA.
    """
    transports = "tcp,cuda_copy" if "vram" in memories or has_gpu() else "tcp"
    return {"UCX_TLS": transports, "UCX_MODULES": "^ib", "UCX_PROTO_INFO": "y"}


def clean_environment(changes: Environment) -> dict[str, str]:
    """Return this environment without UCX_* and NIXL_*, `changes` applied (None: removed)."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("UCX_", "NIXL_"))}
    return merged(kept, changes)


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
