# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Checks of what this process may do: device nodes, limits, what a container leaves out."""

from __future__ import annotations

import os
import re
from pathlib import Path

from nixl_stripe.doctor.check import Check, Verdict, fail, ok, skip, warn
from nixl_stripe.doctor.surroundings import Surroundings, text_of

#: Below this, not even NIXL's own queues and buffers can be registered.
_LEAST_MEMLOCK = 1 << 20
#: Files that UCX opens for a NIC and a handful of peers.
_LEAST_FILES = 1024
_CAP_IPC_LOCK = 14
_MIB = 1 << 20
#: What Linux writes: a mask of processors, a count, one range of a list. No machine has more.
_MASK, _COUNT = re.compile(r"[0-9A-Fa-f]{1,4096}"), re.compile(r"[0-9]{1,18}")
_RANGE = re.compile(r"([0-9]{1,4})(?:-([0-9]{1,4}))?")


def _verbs(at: Surroundings) -> Verdict:
    nics = at.machine.nics
    if not nics:
        return skip("no RDMA device")
    missing = [nic for nic in nics if nic.access == "no node"]
    denied = [nic for nic in nics if nic.access == "denied"]
    parts = [
        f"{', '.join(nic.uverbs or nic.name for nic in some)} {what}"
        for some, what in ((missing, "not in /dev/infiniband"), (denied, "may not be opened"))
        if some
    ]
    if not parts:
        return ok(f"{len(nics)} verbs device(s) can be opened")
    fix = (
        "pass the devices in: docker run --device=/dev/infiniband, or Kubernetes' RDMA device "
        "plugin; outside a container: modprobe ib_uverbs"
        if missing
        else "chmod 666 /dev/infiniband/uverbs* (a udev rule of rdma-core does it at boot)"
    )
    text = "; ".join(parts)
    return fail(text, fix) if len(missing) + len(denied) == len(nics) else warn(text, fix)


def _memlock(at: Surroundings) -> Verdict:
    limit = at.limits.memlock
    fix = (
        "ulimit -l unlimited (permanently: memlock in /etc/security/limits.conf, LimitMEMLOCK= of "
        "the systemd unit, docker run --ulimit memlock=-1)"
    )
    if limit < 0:
        return ok("locked memory is unlimited")
    if _has_capability(at, _CAP_IPC_LOCK):
        return ok(f"limit {limit / _MIB:g} MiB, lifted by the capability IPC_LOCK")
    if not at.machine.nics:
        return skip(f"limit {limit / _MIB:g} MiB; TCP locks no memory")
    detail = f"locked memory is limited to {limit / _MIB:g} MiB; registered buffers must fit"
    return fail(detail, fix) if limit < _LEAST_MEMLOCK else warn(detail, fix)


def _has_capability(at: Surroundings, number: int) -> bool:
    for line in text_of(at.proc / "self/status").splitlines():
        name, _, value = line.partition(":")
        if name == "CapEff":
            return bool(int(value, 16) >> number & 1)
    return False


def _files(at: Surroundings) -> Verdict:
    limit = at.limits.nofile
    if 0 <= limit < _LEAST_FILES:
        return warn(
            f"{limit} open files; every NIC and peer needs some",
            "ulimit -n 65536 (permanently: nofile in /etc/security/limits.conf)",
        )
    return ok("open files are unlimited" if limit < 0 else f"{limit} open files")


def _processors(at: Surroundings) -> Verdict:
    """Cores that this process may use, by affinity and by cgroup quota."""
    cores = float(_affinity(at))
    quota = _quota(at)
    if quota is not None and quota < cores:
        cores = quota
    need = 2
    if cores < need:
        return warn(
            f"{cores:g} CPU core(s) for this process; UCX's progress and the application share "
            "them, and one core does not drive several NICs",
            f"give the container at least {need} (docker run --cpus, resources.limits.cpu); with "
            "one, UCX_USE_MT_MUTEX=y keeps threads from spinning on the lock of UCX's worker",
        )
    return ok(f"{cores:g} CPU core(s)")


def _affinity(at: Surroundings) -> int:
    for line in text_of(at.proc / "self/status").splitlines():
        name, _, value = line.partition(":")
        mask = value.strip().replace(",", "")
        if name == "Cpus_allowed" and _MASK.fullmatch(mask):
            return int(mask, 16).bit_count()
    return os.cpu_count() or 1


def _quota(at: Surroundings) -> float | None:
    """Return the cores that a cgroup allows (version 2, then 1); None without a limit."""
    group = at.root / "sys/fs/cgroup"
    quota, _, period = text_of(group / "cpu.max").partition(" ")
    if not quota:
        quota = text_of(group / "cpu/cpu.cfs_quota_us")
        period = text_of(group / "cpu/cpu.cfs_period_us")
    if not _COUNT.fullmatch(quota) or not _COUNT.fullmatch(period) or int(period) == 0:
        return None
    return int(quota) / int(period)


def _memory_nodes(at: Surroundings) -> Verdict:
    """NUMA nodes that this process may take memory from, against the nodes of the NICs."""
    allowed = None
    for line in text_of(at.proc / "self/status").splitlines():
        name, _, value = line.partition(":")
        if name == "Mems_allowed_list":
            allowed = _numbers(value.strip())
    wanted = {nic.numa_node for nic in at.planned if nic.numa_node >= 0}
    if allowed is None or not wanted:
        return skip("no NIC of the plan has a known NUMA node")
    if wanted <= allowed:
        return ok(f"memory of NUMA node(s) {_listed(allowed)}, NICs on {_listed(wanted)}")
    return warn(
        f"memory comes from NUMA node(s) {_listed(allowed)} only, NICs are on {_listed(wanted)}: "
        "the others reach it across sockets",
        "widen the container's cpuset (docker run --cpuset-mems, Kubernetes topology manager)",
    )


def _numbers(text: str) -> set[int] | None:
    """Read a kernel list, "0-3,8"; None where it is none."""
    found: set[int] = set()
    for part in filter(None, text.split(",")):
        match = _RANGE.fullmatch(part)
        if match is None:
            return None
        found.update(range(int(match[1]), int(match[2] or match[1]) + 1))
    return found


def _listed(numbers: set[int]) -> str:
    return ",".join(str(number) for number in sorted(numbers))


def _shared_memory(at: Surroundings) -> Verdict:
    """Docker's default /dev/shm of 64 MiB is less than UCX wants between processes of a host."""
    folder = at.root / "dev/shm"
    size = _size_of(folder)
    if size is None:
        return skip("no /dev/shm")
    least = 256
    if size < least * _MIB:
        return warn(
            f"shared memory: {size / _MIB:g} MiB; UCX allocates its buffers there and takes "
            "slower ones without",
            "docker run --shm-size=1g (or --ipc=host); Kubernetes: an emptyDir with medium Memory",
        )
    return ok(f"shared memory: {size / _MIB:.0f} MiB")


def _size_of(folder: Path) -> int | None:
    try:
        about = os.statvfs(folder)
    except OSError:
        return None
    return about.f_blocks * about.f_frsize


CHECKS = (
    Check("verbs-nodes", "device nodes of RDMA devices and their permissions", _verbs),
    Check("memlock", "limit of locked memory", _memlock),
    Check("open-files", "limit of open files", _files),
    Check("cpus", "cores that a container leaves", _processors),
    Check("memory-nodes", "NUMA nodes that a container leaves", _memory_nodes),
    Check("shared-memory", "size of /dev/shm", _shared_memory),
)
