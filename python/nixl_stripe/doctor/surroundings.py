# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Everything that checks look at, so that a test can put another machine in its place."""

from __future__ import annotations

import os
import resource
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from nixl_stripe import _core
from nixl_stripe.planning.planner import plan
from nixl_stripe.planning.stripe_plan import StripePlan
from nixl_stripe.topo import machine as topology
from nixl_stripe.untrusted import RefusedError, read_file
from nixl_stripe.wheel.locate import PluginFolder, find_installed

#: A parameter in the environment that says which NICs; without any, `stripe=all` is examined.
_CHOOSES = ("NIXL_UCX_STRIPE", "NIXL_UCX_DEVICE_LIST", "NIXL_UCX_MAX_RMA_RAILS")


class NotKnownError(Exception):
    """What a check needs could not be worked out; another check says why."""


@dataclass(frozen=True)
class Limits:
    """Soft limits of a process; -1 is unlimited."""

    memlock: int = -1
    """Bytes that may be locked."""
    nofile: int = -1
    """Files that may be open."""

    @classmethod
    def here(cls) -> Limits:
        """Return those of this process."""
        soft = [resource.getrlimit(what)[0] for what in (_MEMLOCK, _NOFILE)]
        return cls(*(-1 if each == resource.RLIM_INFINITY else each for each in soft))


_MEMLOCK, _NOFILE = resource.RLIMIT_MEMLOCK, resource.RLIMIT_NOFILE


@dataclass(frozen=True)
class Surroundings:
    """A machine and the process that will run NIXL on it; by default those of this process."""

    source: Path | None = None
    """Another machine: a copied sysfs root, a capture, an hwloc or NCCL XML. None: this one."""
    root: Path = Path("/")
    """Where `sys`, `proc` and `dev` are."""
    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    search_path: Sequence[str] | None = None
    """Where Python looks for NIXL; None: as this interpreter does."""
    limits: Limits = field(default_factory=Limits.here)
    working: Path = field(default_factory=Path.cwd)
    """The process's working folder."""
    expected_nics: int | None = None
    """RDMA NICs that the plan must have at least; None: not said."""
    hosts: int | None = None
    """Hosts that will talk to each other; None: not said."""

    @property
    def is_host(self) -> bool:
        """Whether the process runs on the machine that is looked at."""
        return self.source is None

    @property
    def sys(self) -> Path | None:
        """The sysfs root; None where the source is a file and so has none."""
        if self.source is None:
            return self.root / "sys"
        return self.source if self.source.is_dir() else None

    @property
    def proc(self) -> Path:
        """The root of procfs."""
        return self.root / "proc"

    @cached_property
    def machine(self) -> _core.Machine:
        """The machine; ValueError or StripeError where it cannot be read."""
        if self.source is not None or self.root == Path("/"):
            return topology.machine(self.source)
        return _core.read_sysfs(str(self.root / "sys"), str(self.root / "dev"))

    @cached_property
    def plan(self) -> StripePlan:
        """What the patched backend would do here; NotKnownError where `make_plan` fails."""
        try:
            return self.make_plan()
        except ValueError as error:
            raise NotKnownError("no plan: see the check parameters") from error

    def make_plan(self) -> StripePlan:
        """Work out the plan; ValueError where a parameter is refused.

        It is made of the NIXL_UCX_* variables, or of `stripe=all` where none says which NICs, for
        the first GPU where the policy asks for one and nothing names it.
        """
        mine = self.environ if self.is_host else {}
        chooses = any(mine.get(name) for name in _CHOOSES)
        gpus = self.machine.gpus
        gpu = gpus[0].pci if gpus and not mine.get("NIXL_UCX_STRIPE_GPU") else None
        return plan(
            stripe=None if chooses else "all", gpu=gpu, machine=self.machine, environment=mine
        )

    @cached_property
    def planned(self) -> tuple[_core.RdmaNic, ...]:
        """The RDMA devices that the plan uses."""
        names = {device.partition(":")[0] for device in self.plan.devices}
        return tuple(nic for nic in self.machine.nics if nic.name in names)

    @cached_property
    def folders(self) -> tuple[PluginFolder, ...]:
        """The plugin folders of every NIXL that is installed."""
        return tuple(find_installed(self.search_path))

    @property
    def has_nvidia_gpu(self) -> bool:
        """Whether there is an NVIDIA GPU."""
        return any(gpu.vendor == "NVIDIA" for gpu in self.machine.gpus)


def text_of(path: Path) -> str:
    """Return a file's text without the white space around it; "" where it cannot be read.

    It may be of a copied sysfs, where anything may lie: no pipe is waited for, nor more than 1 MiB
    read.
    """
    try:
        return read_file(path, 1 << 20).decode("utf-8", "replace").strip()
    except (OSError, RefusedError):
        return ""
