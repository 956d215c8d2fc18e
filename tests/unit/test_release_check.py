# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What scripts/release refuses, and what its wheels are called; no compiler needed."""

from __future__ import annotations

import hashlib
import importlib.metadata
import io
import json
import tarfile
import zipfile
from pathlib import Path

import pytest
from fake_plugins import shared_object
from fake_wheels import check_wheel, nixl_wheel_file, write_wheel
from nixl_wheels import ROOT
from wheel_build import PYTHONS, BuildError, Target, compile_for, package_files, write_wheel_of
from wheel_check import CheckError, check_contents, check_machine, shared_contents

TAG = "cp311-cp311-manylinux_2_28_x86_64"
CORE = "nixl_stripe/_core.cpython-311-x86_64-linux-gnu.so"
PLUGIN = "nixl_stripe/plugin/libplugin_UCX.so"
RIGHT = b"Copyright"  # this file goes into the source distribution and must pass


def wheel(folder: Path, files: dict[str, bytes]) -> Path:
    return write_wheel(folder / f"nixl_stripe-0.1.0-{TAG}.whl", files)


def sdist(folder: Path, files: dict[str, bytes]) -> Path:
    path = folder / "nixl_stripe-0.1.0.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path


GOOD = {CORE: shared_object(), PLUGIN: shared_object(), "nixl_stripe/__init__.py": b"ours = 1\n"}


def test_what_is_ours_passes(tmp_path: Path) -> None:
    check_contents(wheel(tmp_path, GOOD))
    check_machine(wheel(tmp_path, GOOD))
    check_contents(sdist(tmp_path, {"nixl_stripe-0.1.0/a.cpp": b"int a;\n"}))


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("nixl_stripe.libs/libucp-1.so.0", b"\x7fELF", "is built, and not ours"),
        ("nixl_stripe/plugin/libplugin_UCX.so.stock", b"\x7fELF", "is built, and not ours"),
        ("nixl_stripe/_data", b"\x7fELF", "is built, and not ours"),
        (PLUGIN, b"\x7fELF\0libucp.so.0\0", "names libucp.so.0"),
        ("nixl_stripe/a.py", b"# %s (c) 2025 NVIDIA CORPORATION\n" % RIGHT, "NVIDIA"),
        ("nixl_stripe/a.c", b"/* %s (C) Mellanox Technologies */\n" % RIGHT, "Mellanox"),
    ],
)
def test_what_is_not_ours_is_refused(tmp_path: Path, name: str, data: bytes, said: str) -> None:
    with pytest.raises(CheckError, match=said):
        check_contents(wheel(tmp_path, {**GOOD, name: data}))


def test_a_source_distribution_holds_nothing_built(tmp_path: Path) -> None:
    with pytest.raises(CheckError, match="is built, and not ours"):
        check_contents(sdist(tmp_path, {f"nixl_stripe-0.1.0/{PLUGIN}": shared_object()}))


def test_files_of_a_nixl_wheel_are_found_by_content(tmp_path: Path) -> None:
    theirs = nixl_wheel_file(tmp_path)
    with zipfile.ZipFile(theirs) as archive:
        plugin = next(n for n in archive.namelist() if n.endswith("libplugin_UCX.so"))
        copied = archive.read(plugin)
    assert shared_contents(wheel(tmp_path, GOOD), theirs) == []
    found = shared_contents(wheel(tmp_path, {**GOOD, "nixl_stripe/x.bin": copied}), theirs)
    assert found == ["nixl_stripe/x.bin"]


def test_a_wheel_for_another_machine_is_refused(tmp_path: Path) -> None:
    other = shared_object(machine=183)
    with pytest.raises(CheckError, match=r"libplugin_UCX.so is for aarch64"):
        check_machine(wheel(tmp_path, {**GOOD, PLUGIN: other}))


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_wheels_hold_the_package_and_a_true_record(tmp_path: Path, machine: str) -> None:
    target = Target(machine, "3.13")
    build = tmp_path / "build"
    for name in (f"python/_core.{target.abi}.so", "nixl_patch/plugin/libplugin_UCX.so"):
        (build / name).parent.mkdir(parents=True, exist_ok=True)
        (build / name).write_bytes(shared_object(machine=183 if machine == "aarch64" else 62))
    info = {"nixl_stripe-0.1.0.dist-info/METADATA": b"Name: nixl-stripe\nVersion: 0.1.0\n"}
    path = write_wheel_of(target, {**package_files(ROOT), **info}, build, tmp_path)
    assert path.name == f"nixl_stripe-0.1.0-cp313-cp313-manylinux_2_28_{machine}.whl"
    files = check_wheel(path)
    assert f"nixl_stripe/_core.cpython-313-{machine}-linux-gnu.so" in files
    assert "nixl_stripe/py.typed" in files
    assert b"Tag: cp313-cp313-manylinux_2_28_" in files["nixl_stripe-0.1.0.dist-info/WHEEL"]
    check_contents(path)
    check_machine(path)


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_a_wheel_lists_what_is_in_it(tmp_path: Path, machine: str) -> None:
    target, info = Target(machine, "3.13"), "nixl_stripe-0.1.0.dist-info"
    for name in (f"python/_core.{target.abi}.so", "nixl_patch/plugin/libplugin_UCX.so"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(shared_object(name.encode()))
    common = {f"{info}/METADATA": b"Name: nixl-stripe\nVersion: 0.1.0\n"}
    first, second = (
        write_wheel_of(target, common, tmp_path, tmp_path / out).read_bytes() for out in ("a", "b")
    )
    assert first == second
    files = check_wheel(tmp_path / "a" / f"nixl_stripe-0.1.0-{target.tag}.whl")
    found = json.loads(files[f"{info}/sboms/nixl_stripe.cdx.json"])
    assert (found["bomFormat"], found["specVersion"]) == ("CycloneDX", "1.6")
    whole = found["metadata"]["component"]
    assert (whole["purl"], whole["version"]) == ("pkg:pypi/nixl-stripe@0.1.0", "0.1.0")
    listed = {each["name"]: each for each in found["components"]}
    assert {name for name in listed if name.endswith(".so")} == {
        name for name in files if name.endswith(".so")
    }
    for name, each in listed.items():
        if each["type"] == "file":
            (digest,) = each["hashes"]
            assert digest["content"] == hashlib.sha256(files[name]).hexdigest()
    assert listed["pybind11"]["version"] == importlib.metadata.version("pybind11")
    references = {whole["bom-ref"], *(each["bom-ref"] for each in found["components"])}
    for each in found["dependencies"]:
        assert {each["ref"], *each["dependsOn"]} <= references


def test_the_metadata_names_every_python_that_is_released() -> None:
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    for python in PYTHONS:
        assert f'"Programming Language :: Python :: {python}"' in project


def test_a_compiler_that_fails_is_an_error_in_its_words(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=r"(?s)meson setup .*failed"):
        compile_for("x86_64", {}, tmp_path / "nothing")
