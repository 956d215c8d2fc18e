# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Files that look like plugins to whoever reads them, and a NIXL installation made of them.

For tests of what patching does to files; nothing here can be loaded.
"""

from __future__ import annotations

import struct
from pathlib import Path

from nixl_stripe.wheel.locate import PluginFolder, find_in
from nixl_stripe.wheel.record import Entry, Record

X86_64, AARCH64 = 62, 183
PREFIX = ".nixl_cu12.mesonpy.libs/plugins"


def shared_object(
    content: bytes = b"", version: str | None = None, machine: int = X86_64, entry: bool = True
) -> bytes:
    """Return the bytes of a 64-bit ELF shared object; `version` makes it one of nixl-stripe's."""
    header = struct.pack("<4sBBBB8xHH", b"\x7fELF", 2, 1, 1, 0, 3, machine).ljust(64, b"\0")
    names = b"\0nixl_plugin_init\0" if entry else b"\0other_init\0"
    marker = f"nixl-stripe-plugin-version:{version}\0".encode() if version else b""
    return header + names + b"GLIBC_2.17\0GLIBC_2.28\0" + marker + content


STOCK_BYTES = shared_object(b"stock")
OURS_BYTES = shared_object(b"ours", version="0.1.0")


def write_ours(path: Path, version: str = "0.1.0", content: bytes = b"ours") -> Path:
    """Write one of our plugins to `path`; return it."""
    path.write_bytes(shared_object(content, version=version))
    return path


def install_nixl(
    site: Path, version: str = "1.5.1", stock: bytes = STOCK_BYTES, line_end: str = "\r\n"
) -> PluginFolder:
    """Lay a NIXL made of fakes into `site` as pip would, RECORD included."""
    files = {
        f"{PREFIX}/libplugin_POSIX.so": shared_object(b"posix"),
        f"{PREFIX}/libplugin_UCX.so": stock,
        "nixl_cu12/__init__.py": b"",
        f"nixl_cu12-{version}.dist-info/METADATA": (
            f"Metadata-Version: 2.1\nName: nixl-cu12\nVersion: {version}\n".encode()
        ),
        f"nixl_cu12-{version}.dist-info/INSTALLER": b"pip\n",
    }
    rows = []
    for name, data in files.items():
        path = site / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        entry = Entry.of(data)
        rows.append(f"{name},{entry.digest},{entry.size}{line_end}")
    rows.append(f"nixl_cu12-{version}.dist-info/RECORD,,{line_end}")
    record = site / f"nixl_cu12-{version}.dist-info" / "RECORD"
    record.write_bytes("".join(rows).encode())
    (folder,) = find_in(site)
    return folder


def contents(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Return mode and content of every file below `folder`, by its path relative to it."""
    return {
        path.relative_to(folder).as_posix(): (path.stat().st_mode, path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def untrue_rows(folder: PluginFolder) -> list[str]:
    """Return the paths of RECORD rows that do not hold, and of files that no row lists."""
    if folder.record is None:
        raise ValueError("no RECORD")
    site = folder.record.parents[1]
    record = Record.parse(folder.record.read_bytes())
    rows = record.entries()
    wrong = [
        name
        for name, row in rows.items()
        if not (site / name).is_file() or not row.vouches_for((site / name).read_bytes())
    ]
    here = {f"{folder.prefix}/{path.name}" for path in folder.path.iterdir()}
    return sorted(wrong) + sorted(here - set(rows))
