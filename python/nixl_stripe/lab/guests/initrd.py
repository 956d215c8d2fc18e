# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The guests' initial RAM disk: a cpio archive ("newc") of busybox, kernel modules and an init."""

from __future__ import annotations

import stat
from collections.abc import Iterable, Mapping
from pathlib import Path

# What init itself calls; everything after the change of root is the host's own programs.
APPLETS = ("sh", "mount", "mkdir", "insmod", "chroot", "poweroff", "cat", "echo", "ln")
FOLDERS = ("bin", "proc", "sys", "dev", "modules", "host", "rw", "root")


def cpio(entries: Iterable[tuple[str, int, bytes]]) -> bytes:
    """Return a "newc" archive of (path, mode with file type, content or link target).

    Format: Documentation/driver-api/early-userspace/buffer-format.rst of the kernel.
    """
    out = bytearray()

    def add(name: str, mode: int, data: bytes, inode: int) -> None:
        path = name.encode() + b"\0"
        fields = (inode, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(path), 0)
        out.extend(b"070701" + b"".join(b"%08X" % field for field in fields) + path)
        out.extend(b"\0" * (-len(out) % 4))
        out.extend(data)
        out.extend(b"\0" * (-len(out) % 4))

    inode = 0
    for inode, (name, mode, data) in enumerate(entries, start=1):
        add(name, mode, data, inode)
    add("TRAILER!!!", 0, b"", inode + 1)
    return bytes(out)


def build_initrd(busybox: Path, modules: Mapping[str, bytes], init: bytes) -> bytes:
    """Return the RAM disk: `modules` (file name -> content) are loaded in their order by `init`.

    Not compressed: the guests run without hardware virtualisation, where unpacking costs seconds.
    """
    files: list[tuple[str, int, bytes]] = [(name, stat.S_IFDIR | 0o755, b"") for name in FOLDERS]
    files.append(("bin/busybox", stat.S_IFREG | 0o755, busybox.read_bytes()))
    files += [(f"bin/{name}", stat.S_IFLNK | 0o777, b"busybox") for name in APPLETS]
    files += [
        (f"modules/{name}", stat.S_IFREG | 0o644, content) for name, content in modules.items()
    ]
    order = "".join(f"{name}\n" for name in modules).encode()
    files.append(("modules/order", stat.S_IFREG | 0o644, order))
    files.append(("init", stat.S_IFREG | 0o755, init))
    return cpio(files)
