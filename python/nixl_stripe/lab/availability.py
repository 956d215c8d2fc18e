# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Why a bed of rails cannot be made on this machine, and what would change that."""

from __future__ import annotations

import os
from pathlib import Path

from nixl_stripe.errors import StripeError


class LabUnavailableError(StripeError):
    """The lab cannot make its bed on this machine: which step failed, and what to do."""


def explain(step: str, text: str, proc_sys: Path = Path("/proc/sys")) -> str:
    """Return one line: what the kernel refused, as which user, and the way out."""
    who = "root" if os.geteuid() == 0 else f"uid {os.geteuid()}"
    return f"rails need network namespaces; refused to {who} at {text}. {_advice(step, proc_sys)}"


def _advice(step: str, proc_sys: Path) -> str:
    if step == "user namespace":
        return _user_namespace_advice(proc_sys)
    if step in ("network namespace", "private mounts", "interfaces", "veth pair") and _is(
        proc_sys / "kernel/apparmor_restrict_unprivileged_userns", "1"
    ):
        return (
            "AppArmor takes the rights away from user namespaces: "
            "run as root, or sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"
        )
    return {
        "user id map": "root needs CAP_SETFCAP for that: run as another user, or with all rights",
        "private mounts": "in a chroot, enter it as a container does (pivot_root, systemd-nspawn); "
        "elsewhere run as root, or in a container started with --privileged",
        "sysfs": "parts of /sys are masked, as in a container: start it with --privileged",
        "veth pair": "the kernel needs the module veth (modprobe veth)",
        "tbf rate limit": "the kernel needs the module sch_tbf (modprobe sch_tbf)",
    }.get(step, "run as root, or in a container started with --privileged")


def _user_namespace_advice(proc_sys: Path) -> str:
    if _is(proc_sys / "kernel/unprivileged_userns_clone", "0"):
        return "run as root, or sysctl -w kernel.unprivileged_userns_clone=1"
    if _is(proc_sys / "user/max_user_namespaces", "0"):
        return "run as root, or sysctl -w user.max_user_namespaces=10000"
    return (
        "run as root with CAP_SYS_ADMIN; in a container: --privileged, or "
        "--cap-add SYS_ADMIN --cap-add NET_ADMIN --security-opt seccomp=unconfined"
    )


def _is(path: Path, value: str) -> bool:
    return path.exists() and path.read_text().strip() == value
