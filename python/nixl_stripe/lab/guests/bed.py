# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Two guests with RDMA NICs, kept running while many cases are executed."""

from __future__ import annotations

import dataclasses
import itertools
import json
import sys
import tempfile
import threading
import time
import weakref
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, cast

from nixl_stripe import _core
from nixl_stripe.lab import fake_cuda
from nixl_stripe.lab.beds.base import Bed, merged
from nixl_stripe.lab.guests import accelerator, assets, life, qemu
from nixl_stripe.lab.guests.control import ControlPort, GuestError, Monitor, connect
from nixl_stripe.lab.guests.cutting import cut_during
from nixl_stripe.lab.guests.environment import BASE_ENVIRONMENT, nixl_folders, ways_in
from nixl_stripe.lab.guests.layout import GpuPlace, LayoutName, arrange, verbs_device
from nixl_stripe.lab.job import OPS, Nixl, Op, Role
from nixl_stripe.lab.side import ROLES, Ended, Environment, Finished, SideJob, command, read
from nixl_stripe.lab.transfer import Transfer
from nixl_stripe.topo import machine as topology

MTU = 9000
#: What `limit_rate` of the guests' agent gives tbf.
_BUCKET = 32 << 10
#: Boots before guests whose clocks are wrong are given up.
_BOOTS = 3
# What QEMU says of every function (2.5 GT/s x1) would make UCX rate the NICs below TCP.
PCI_LINK = ("16.0 GT/s PCIe", "16")


class Guests(Bed):
    """Two guests joined by `nics` RDMA NICs; use it in a `with` statement, or `close()` it.

    Args:
        nics: 1 to 32 Soft-RoCE devices `rxe0`..., each on a netdev `rail0`... with its own subnet.
        numa_nodes: 1 to 4.
        layout: how NICs lie on NUMA nodes (see `layout.arrange`).
        rate_mbit: what each NIC sends at most, Mbit/s; 0 for no limit (then the processor is it).
        gpus: places of PCI functions that stand for GPUs (see `layout.GpuPlace`).
        accelerator: `auto` takes hardware virtualisation where it really works.
        boot_limit_s: seconds until both guests must be ready.
        cache: folder of kernel and RAM disk (see `assets.prepare`).
        warm: start sides as forks of a Python that has imported numpy and the lab (see
            `guest/warm.py`): quicker by seconds, which a benchmark of starting must not be.

    Raises:
        StripeError: something is missing here, or a guest does not start.
        ValueError: a parameter is out of range.

    """

    name = "rdma"
    notes = (
        "Soft-RoCE in emulated guests proves mechanism and ratios; its rates say nothing of real "
        "NICs",
    )
    limit_s = 40.0

    def __init__(
        self,
        nics: int = 4,
        *,
        numa_nodes: int = 2,
        layout: LayoutName | Sequence[int] = "even",
        rate_mbit: float = 20,
        gpus: Iterable[GpuPlace] | str = (),
        accelerator: Literal["auto", "kvm", "tcg"] = "auto",
        boot_limit_s: float = 90,
        cache: Path | None = None,
        warm: bool = False,
    ) -> None:
        if rate_mbit < 0:
            raise ValueError(f"rate_mbit: {rate_mbit} is not accepted; 0 (no limit) or more")
        self.layout = arrange(nics, numa_nodes, layout, gpus)
        limit = f" of {rate_mbit:g} Mbit/s" if rate_mbit else ""
        self.where = f"over {nics} Soft-RoCE NICs{limit} between two guests"
        self.limit_mbit = rate_mbit or None
        self.bucket_bytes = _BUCKET if rate_mbit else 0
        #: Netdevs below the RDMA devices, in order: their counters see every byte.
        self.counters = tuple(f"rail{nic.index}" for nic in self.layout.nics)
        self.warm = warm
        self.within: dict[Role, Sequence[str]] = {}
        """Commands that start a side's program, such as `environment.POD`."""
        self.machines: dict[Role, dict[str, Any]] = {}
        self._numbers = itertools.count(1)
        self._cache = (cache or assets.default_cache()).resolve()
        self._with_system_verbs: set[Path] = set()
        self._swapping = threading.Lock()
        self._machines: dict[Role, _core.Machine] = {}
        files = assets.prepare(self._cache)
        self.accelerator = _accelerator(accelerator, files)
        for _ in range(_BOOTS):
            self._boot(files, rate_mbit, boot_limit_s)
            fast = life.fast_clocks(self.machines, self.boot_s)
            if not fast:
                break
            self.close()
        else:
            raise GuestError(f"{fast}; this machine is too busy to boot guests")

    def _boot(self, files: assets.Assets, rate_mbit: float, limit_s: float) -> None:
        start = time.monotonic()
        self.folder = Path(tempfile.mkdtemp(prefix="nixl-stripe-guests-"))
        plans = [self._plan(side, files) for side in ROLES]
        self._describe(plans[0], rate_mbit)
        self._keeper = life.start_keeper(self.folder, plans)
        self._ports: dict[Role, ControlPort] = {}
        self._monitors: dict[Role, Monitor] = {}
        self._finalizer = weakref.finalize(
            self, life.stop, self._keeper, self.folder, self._ports, self._monitors
        )
        try:
            self._meet(plans, start + limit_s)
        except BaseException:
            self.close()
            raise
        self.boot_s = time.monotonic() - start

    def close(self) -> None:
        """Stop the guests and remove their folder; harmless when done twice."""
        self._finalizer()

    @property
    def share(self) -> Path:
        """A folder that the host and both guests can write, under the same path everywhere."""
        return self.folder / "share"

    def gpu(self, side: Role, place: GpuPlace) -> str:
        """Return the PCI address of a guest's GPU."""
        try:
            return str(self.machines[side]["gpus"][place]["pci"])
        except KeyError:
            there = ", ".join(self.layout.gpus) or "none"
            raise ValueError(f"gpu: no GPU at {place!r}; this bed has {there}") from None

    def call(
        self, operation: str, *, sides: Sequence[Role] = ROLES, **fields: Any
    ) -> dict[Role, Any]:
        """Have the agents of `sides` do `operation` at the same time; return their values."""
        calls = {side: self._ports[side].send(operation, **fields) for side in sides}
        return {side: self._ports[side].wait(call, 30) for side, call in calls.items()}

    def run(
        self,
        commands: Mapping[Role, Sequence[str]],
        *,
        environment: Mapping[Role, Mapping[str, str]] | None = None,
        limit_s: float = 60,
        warm: bool = False,
    ) -> dict[Role, Finished]:
        """Run a program in each named guest at the same time and return how they ended.

        warm: `[PYTHON, "-m", MODULE, ...]` starts as in `warm` of the constructor.

        A program that runs longer than `limit_s` seconds is killed with all that it started.
        Paths are the host's: its root is the guests' root, changes there stay in the guest, except
        for those in `share`.
        """
        number = next(self._numbers)
        calls: dict[Role, int] = {}
        outputs: dict[Role, Path] = {}
        for side, argv in commands.items():
            outputs[side] = self.share / f"{number:04d}.{side}.out"
            calls[side] = self._ports[side].send(
                "run",
                argv=list(argv),
                env=dict((environment or {}).get(side, {})),
                limit_s=limit_s,
                output=str(outputs[side]),
                warm=warm,
            )
        ended: dict[Role, Finished] = {}
        for side, call in calls.items():
            value = self._ports[side].wait(call, limit_s + life.STOP_LIMIT_S)
            text = outputs[side].read_text(errors="replace")
            outputs[side].unlink()
            ended[side] = Finished(output=text, **value)
        return ended

    def prepared(self, wish: Transfer) -> Transfer:
        """Add each side's GPU: its memory is `vram` then, and the bed's first GPU serves `vram`.

        Without a GPU the processes see no CUDA at all. peer_gpu: the target's, as `gpu` when not
        given.
        """
        memory = wish.memory or ("vram" if wish.gpu else "dram")
        gpu = wish.gpu or (next(iter(self.layout.gpus), None) if memory == "vram" else None)
        places: dict[Role, str | None] = {"initiator": gpu, "target": wish.peer_gpu or gpu}
        mine, theirs = (
            self.cuda_environment(role, cast("GpuPlace | None", places[role]), wish.context_current)
            for role in ROLES
        )
        given = wish.environment or {}
        return dataclasses.replace(
            wish,
            memory=memory,
            environment={**mine, **given},
            peer_environment={**theirs, **given, **(wish.peer_environment or {})},
        )

    def sides(
        self,
        jobs: Mapping[Role, SideJob],
        changes: Mapping[Role, Environment],
        interpreter: Sequence[str | Path] = (),
    ) -> dict[Role, Ended]:
        """Run both jobs in their guests."""
        folder = self.new_folder()
        commands = {}
        for role, job in jobs.items():
            if job.needs_verbs:
                self.use_system_verbs(job.nixl)
            starter = self.within.get(role, ())
            commands[role] = [*starter, *command(job, folder, f"dir:{folder}", interpreter)]
        if self.within:
            folder.chmod(0o777)
            for role in self.within:
                self.open_to_all(role, jobs[role].nixl)
        full = {role: merged(BASE_ENVIRONMENT, changes[role]) for role in jobs}
        limit = max(job.total_limit_s for job in jobs.values())
        with cut_during(self, limit):
            warm = self.warm and not (self.within or interpreter)
            done = self.run(commands, environment=full, limit_s=limit, warm=warm)
        return {
            role: read(
                folder,
                role,
                ended.status,
                log=ended.output,
                late_s=limit if ended.timed_out else None,
                wall_s=ended.wall_s,
            )
            for role, ended in done.items()
        }

    def open_to_all(self, side: Role, nixl: Nixl | None = None) -> None:
        """Let whoever a program runs as come to what it needs; in the guest only."""
        self.run({side: ["chmod", "o+x", *ways_in(self.share, nixl)]})

    def ops(self) -> tuple[Op, ...]:
        """Return READ and WRITE."""
        return OPS

    def describe(self) -> dict[str, object]:
        """Return NICs, limit and how the guests are executed."""
        return {**super().describe(), "accelerator": self.accelerator}

    @property
    def devices(self) -> tuple[str, ...]:
        """Netdevs below the RDMA devices, in order."""
        return self.counters

    @property
    def verbs(self) -> tuple[str, ...]:
        """The RDMA devices, in the order of `devices`."""
        return tuple(verbs_device(name) for name in self.devices)

    def machine(self, side: Role) -> _core.Machine:
        """Return a guest as `nixl_stripe.machine` reads it there, read once."""
        if side not in self._machines:
            folder = self.new_folder() / "sysfs"
            script = "import sys, nixl_stripe as n; n.capture(sys.argv[1], keep_addresses=True)"
            ended = self.run(
                {side: [sys.executable, "-c", script, str(folder)]},
                environment={side: BASE_ENVIRONMENT},
            )[side]
            if ended.status != 0:
                raise GuestError(f"guest {side}: {ended.output.strip().splitlines()[-1]}")
            self._machines[side] = topology.machine(folder)
        return self._machines[side]

    def new_folder(self) -> Path:
        """Return a new folder in `share`."""
        folder = self.share / f"{next(self._numbers):04d}"
        folder.mkdir()
        return folder

    def cuda_environment(
        self, side: Role, place: GpuPlace | None, context_current: bool = False
    ) -> dict[str, str]:
        """Return what makes a program in a guest see a GPU at `place`, nothing for None."""
        if place is None:
            return {}
        folder = fake_cuda.build(self._cache)
        return fake_cuda.environment(folder, [self.gpu(side, place)], context_current)

    def use_system_verbs(self, nixl: Nixl) -> None:
        """Have a NIXL use the system's libibverbs in both guests (see `guest/agent.py`)."""
        with self._swapping:  # transfers may begin at the same time
            for folder in nixl_folders(nixl):
                if folder not in self._with_system_verbs:
                    self.call("swap_verbs", folder=str(folder))
                    self._with_system_verbs.add(folder)

    def set_link(self, nic: int, up: bool, sides: Sequence[Role] = ("initiator",)) -> None:
        """Pull the cable of a NIC at the given ends (its guest sees the carrier go), or plug it."""
        for side in sides:
            self._monitors[side].set_link(f"nic{self._checked(nic)}", up)
        if up:
            self.call("wait_active", sides=sides, nics=[nic])

    def set_rate(self, mbit: float, nics: Sequence[int] | None = None) -> None:
        """Change the limit of the NICs `nics` (None: all) to `mbit` Mbit/s, 0 for none."""
        which = None if nics is None else [self._checked(nic) for nic in nics]
        self.call("rate", nics=which, mbit=mbit)

    def _checked(self, nic: int) -> int:
        if not 0 <= nic < len(self.layout.nics):
            raise ValueError(f"nic: {nic} is not accepted; 0 to {len(self.layout.nics) - 1}")
        return nic

    def _plan(self, side: Role, files: assets.Assets) -> qemu.GuestPlan:
        return qemu.GuestPlan(
            side=side,
            layout=self.layout,
            folder=self.folder,
            kernel=files.kernel,
            initrd=files.initrd,
            python=str(Path(sys.executable).resolve()),
            agent=assets.GUEST_FILES / "agent.py",
            accelerator=self.accelerator,
        )

    def _describe(self, plan: qemu.GuestPlan, rate_mbit: float) -> None:
        """Write what the agents need to know."""
        roots = qemu.gpu_roots(self.layout)
        nics = [
            {"index": nic.index, "mac": {side: qemu.mac(side, nic.index) for side in ROLES}}
            for nic in self.layout.nics
        ]
        text = {
            "port": qemu.CONTROL_PORT,
            "mtu": MTU,
            "rate_mbit": rate_mbit,
            "nics": nics,
            "gpus": {
                place: {"root": root, "behind_switch": place == "P"}
                for place, root in roots.items()
            },
            "pci_link": PCI_LINK,
            "libibverbs": str(assets.system_verbs()),
        }
        plan.share.mkdir()
        (plan.share / "bed.json").write_text(json.dumps(text))

    def _meet(self, plans: Sequence[qemu.GuestPlan], end: float) -> None:
        """Connect to both guests and wait for their agents' first words."""
        for plan in plans:
            self._ports[plan.side] = ControlPort(plan.side, connect(plan.control, 10))
            self._monitors[plan.side] = Monitor(connect(plan.monitor, 10))
        for plan in plans:
            self.machines[plan.side] = self._first_words(plan, end)

    def _first_words(self, plan: qemu.GuestPlan, end: float) -> dict[str, Any]:
        try:
            told: dict[str, Any] = self._ports[plan.side].wait(0, max(0.1, end - time.monotonic()))
        except GuestError as error:
            text = plan.console.read_text(errors="replace") if plan.console.exists() else ""
            last = text.strip().splitlines()[-1].strip() if text.strip() else "nothing"
            raise GuestError(f"{error}; last on its console: {last}") from error
        return told


def _accelerator(wish: Literal["auto", "kvm", "tcg"], files: assets.Assets) -> qemu.Accelerator:
    return accelerator.choose(files) if wish == "auto" else wish
