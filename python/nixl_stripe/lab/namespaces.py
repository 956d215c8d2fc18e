# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Anonymous Linux namespaces, held by descriptors: they vanish with the process that made them.

Python has `os.unshare` and `os.setns` only from 3.12 on, so libc is called.
"""

from __future__ import annotations

import ctypes
import errno
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_libc = ctypes.CDLL(None, use_errno=True)

CLONE_NEWNS = 0x00020000
CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
_MS_REC_PRIVATE = 0x4000 | (1 << 18)
_PR_SET_PDEATHSIG = 1


class NamespaceError(OSError):
    """The kernel refused a step; `step` names it."""

    def __init__(self, step: str, number: int, detail: str = "") -> None:
        super().__init__(number, f"{step}: {detail or os.strerror(number)}")
        self.step = step


@contextmanager
def step(name: str) -> Iterator[None]:
    """Turn an OSError inside into a NamespaceError of step `name`."""
    try:
        yield
    except NamespaceError:
        raise
    except OSError as error:
        raise NamespaceError(name, error.errno or 0, error.strerror or str(error)) from error


def _call(name: str, *arguments: object) -> None:
    if getattr(_libc, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def die_with_parent() -> None:
    """Have the kernel kill this process when the thread that started it ends."""
    _call("prctl", _PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def enter_user_namespace() -> None:
    """Become root of a fresh user namespace; the caller must have one thread only."""
    uid, gid = os.geteuid(), os.getegid()
    with step("user namespace"):
        _call("unshare", CLONE_NEWUSER)
    with step("user id map"):
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"0 {uid} 1")
        Path("/proc/self/gid_map").write_text(f"0 {gid} 1")


@dataclass(frozen=True)
class NetNamespace:
    """A network namespace with a mount namespace that shows its /sys, as open descriptors."""

    net: int
    mount: int

    @classmethod
    def create(cls) -> NetNamespace:
        """Make one and leave the caller in it; `lo` is still down.

        UCX lists network interfaces from /sys/class/net, which shows the namespace that mounted it:
        hence a sysfs of its own.
        """
        with step("network namespace"):
            _call("unshare", CLONE_NEWNET | CLONE_NEWNS)
        with step("private mounts"):
            _call("mount", None, b"/", None, ctypes.c_ulong(_MS_REC_PRIVATE), None)
        with step("sysfs"):
            _call("mount", b"sysfs", b"/sys", b"sysfs", ctypes.c_ulong(0), None)
        return cls(
            os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC),
            os.open("/proc/self/ns/mnt", os.O_RDONLY | os.O_CLOEXEC),
        )

    def enter(self) -> None:
        """Move the calling thread into it."""
        with step("enter network namespace"):
            _call("setns", self.net, CLONE_NEWNET)
        with step("enter mount namespace"):
            _call("setns", self.mount, CLONE_NEWNS)


def isolate(user_namespace: bool | None) -> bool:
    """Get the right to make network namespaces; return whether a user namespace was needed.

    user_namespace: True forces one, False forbids it, None uses one where this process may not make
    network namespaces without. NamespaceError where neither works.
    """
    if user_namespace is None:
        user_namespace = not _may_unshare()
    if user_namespace:
        enter_user_namespace()
    return user_namespace


def _may_unshare() -> bool:
    """Try a network namespace in a child, so that a refusal leaves no trace here."""
    child = os.fork()
    if child == 0:
        try:
            _call("unshare", CLONE_NEWNET | CLONE_NEWNS)
        except OSError as error:
            os._exit(min(error.errno or errno.EPERM, 255))
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return status == 0
