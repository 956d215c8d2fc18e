# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Which UCX a process has loaded, by its own mapped files."""

from __future__ import annotations

from pathlib import Path

import pytest
from cpp_programs import compile_cpp
from nixl_stripe.lab.loaded_ucx import loaded_ucx


def library(folder: Path, name: str, version: str) -> Path:
    source = folder / f"{name}.cpp"
    source.write_text(f'extern "C" const char *ucp_get_version_string() {{ return "{version}"; }}')
    return compile_cpp(folder / f"{name}.so", [source])


def mapped(folder: Path, *files: Path) -> Path:
    maps = folder / "maps"
    line = "7f0000000000-7f0000001000 r--p 00000000 fe:00 1234    {}\n"
    anonymous = "7ffd00000000-7ffd00001000 rw-p 00000000 00:00 0 \n"
    maps.write_text(anonymous + "".join(line.format(file) * 2 for file in files))
    return maps


def test_each_ucx_is_named_once(tmp_path: Path) -> None:
    folder = tmp_path / "a b"
    folder.mkdir()
    old, new = library(folder, "libucp-1", "1.9.0"), library(folder, "libucp-2", "1.23.0")
    assert loaded_ucx(mapped(tmp_path, new, Path("/lib/libc.so.6"))) == "1.23.0"
    assert loaded_ucx(mapped(tmp_path, new, old)) == "1.23.0, 1.9.0"


@pytest.mark.parametrize("name", ["libc.so.6", "libucp.so.0 (deleted)", "libucp.txt"])
def test_a_process_without_ucx_bad_flow(name: str, tmp_path: Path) -> None:
    (tmp_path / "libucp.txt").write_text("no library")
    assert loaded_ucx(mapped(tmp_path, tmp_path / name)) is None
    assert loaded_ucx(tmp_path / "absent") is None
