# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Machines for `doctor` to look at: a sysfs tree, /proc and variables, healthy unless changed."""

from __future__ import annotations

import dataclasses
import shutil
import struct
from collections.abc import Callable
from pathlib import Path

from nixl_stripe.doctor import Limits, Row, Surroundings, check_named, examine
from sysfs_machines import MACHINES
from sysfs_trees import Host, write

STATUS = """Name:\tpython3
CapEff:\t0000000000000000
Cpus_allowed:\tffff
Mems_allowed_list:\t0-1
"""
OPEN_MODULE = "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.95.05"


@dataclasses.dataclass
class Patient:
    """A machine in a folder, with the process that will run NIXL on it."""

    root: Path
    surroundings: Surroundings

    @classmethod
    def of(cls, folder: Path, host: Host | str = "gb200", **variables: str) -> Patient:
        """Write a host with what a healthy one has in /proc and /sys beside its devices."""
        write(MACHINES[host]() if isinstance(host, str) else host, folder)
        limits = Limits(memlock=-1, nofile=65536)
        surroundings = Surroundings(
            root=folder,
            environ=variables,
            search_path=[str(folder / "site-packages")],
            limits=limits,
            working=folder / "work",
        )
        patient = cls(folder, surroundings)
        patient.put("proc/self/status", STATUS)
        patient.put("proc/sys/kernel/osrelease", "6.8.0-45-generic")
        patient.put("proc/driver/nvidia/version", OPEN_MODULE)
        return patient

    def put(self, path: str, content: str | bytes) -> Patient:
        """Write a file below the root."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            file.write_bytes(content)
        else:
            file.write_text(content + "\n")
        return self

    def replaced(self, path: str, old: str, new: str) -> Patient:
        """Change a file's text."""
        file = self.root / path
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))
        return self

    def removed(self, path: str) -> Patient:
        """Take a file or a folder away."""
        target = self.root / path
        if target.is_dir() and not target.is_symlink():
            shutil.rmtree(target)
        else:
            target.unlink()
        return self

    def limited(self, **limits: int) -> Patient:
        """Change limits of the process."""
        changed = dataclasses.replace(self.surroundings.limits, **limits)
        self.surroundings = dataclasses.replace(self.surroundings, limits=changed)
        return self

    def with_variables(self, **variables: str) -> Patient:
        """Set variables."""
        environ = {**self.surroundings.environ, **variables}
        self.surroundings = dataclasses.replace(self.surroundings, environ=environ)
        return self

    def answer(self, name: str) -> Row:
        """Run one check on the machine as it is now."""
        fresh = dataclasses.replace(self.surroundings)
        (row,) = examine(fresh, [check_named(name)]).rows
        return row


Arrange = Callable[[Patient], object]


def acs_config(control: int) -> bytes:
    """Return a bridge's configuration space with one capability before the ACS one."""
    config = bytearray(4096)
    struct.pack_into("<I", config, 0x100, 0x0001 | 1 << 16 | 0x140 << 20)
    struct.pack_into("<I", config, 0x140, 0x000D | 1 << 16)
    struct.pack_into("<H", config, 0x146, control)
    return bytes(config)
