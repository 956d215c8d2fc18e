# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Small wheels laid out like NIXL's, made of fake plugins: installed and read in no time."""

from __future__ import annotations

import zipfile
from pathlib import Path

from fake_plugins import STOCK_BYTES, shared_object
from nixl_stripe.wheel.record import Entry, Record

TIME = (2026, 2, 28, 3, 12, 38)


def write_wheel(path: Path, files: dict[str, bytes]) -> Path:
    """Write the wheel `path` with `files` and the RECORD that they call for; return it."""
    stem = "-".join(path.name.split("-")[:2])
    rows = [f"{name},{Entry.of(data).digest},{len(data)}\r\n" for name, data in files.items()]
    record = f"{stem}.dist-info/RECORD"
    whole = {**files, record: "".join([*rows, f"{record},,\r\n"]).encode()}
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in whole.items():
            info = zipfile.ZipInfo(name, TIME)
            info.external_attr = 0o100644 << 16
            archive.writestr(info, data, zipfile.ZIP_DEFLATED)
    return path


def nixl_files(
    name: str, version: str, stock: bytes | None = STOCK_BYTES, platform: str = "linux_x86_64"
) -> dict[str, bytes]:
    """Return what a wheel of `name` holds, RECORD left out; `stock` None: no UCX plugin."""
    module = name.replace("-", "_")
    stem = f"{module}-{version}"
    plugins = f".{module}.mesonpy.libs/plugins"
    files = {
        f"{plugins}/libplugin_POSIX.so": shared_object(b"posix"),
        f"{plugins}/libplugin_UCX.so": stock or b"",
        f"{stem}.data/scripts/{module}_example": b"#!python\n",
        f"{stem}.dist-info/METADATA": (
            f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n\nVersion: a word\n"
        ).encode(),
        f"{stem}.dist-info/WHEEL": (
            f"Wheel-Version: 1.0\nGenerator: meson\nRoot-Is-Purelib: false\n"
            f"Tag: py3-none-{platform}\n\n"
        ).encode(),
        f"{module}.libs/nixl/libplugin_UCX.so": shared_object(b"second copy"),
        f"{module}/__init__.py": b"",
    }
    if stock is None:
        del files[f"{plugins}/libplugin_UCX.so"]
    return files


def nixl_wheel_file(
    folder: Path,
    name: str = "nixl-cu12",
    version: str = "1.5.1",
    stock: bytes | None = STOCK_BYTES,
    platform: str = "linux_x86_64",
) -> Path:
    """Write a wheel of one flavour of NIXL into `folder`; return it."""
    file = folder / f"{name.replace('-', '_')}-{version}-py3-none-{platform}.whl"
    return write_wheel(file, nixl_files(name, version, stock, platform))


def meta_wheel_file(folder: Path, version: str = "1.5.1") -> Path:
    """Write a wheel of the meta package, which requires both flavours; return it."""
    stem = f"nixl-{version}"
    requires = [f"nixl-cu12=={version}", f"nixl-cu13=={version}"]
    requires.append(f'nixl-cu12=={version}; extra == "cu12"')
    lines = [f"Requires-Dist: {line}\n" for line in requires]
    metadata = f"Metadata-Version: 2.1\nName: nixl\nVersion: {version}\n{''.join(lines)}"
    tags = "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    return write_wheel(
        folder / f"{stem}-py3-none-any.whl",
        {
            "nixl/__init__.py": b"",
            f"{stem}.dist-info/METADATA": metadata.encode(),
            f"{stem}.dist-info/WHEEL": tags.encode(),
        },
    )


def check_wheel(path: Path) -> dict[str, bytes]:
    """Return the members of a wheel; AssertionError unless its RECORD is true and complete."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
        assert len(members) == len(archive.namelist()), "a member is there twice"
    stem = "-".join(path.name.split("-")[:2])
    record = Record.parse(members[f"{stem}.dist-info/RECORD"])
    assert sorted(record.paths()) == sorted(members)
    rows = record.entries()
    for name, data in members.items():
        row = rows[name]
        assert row.vouches_for(data), name
        assert row.digest or name.endswith("/RECORD"), name
    return members
