# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The prebuilt x86-64 plugin with the published NIXL on the oldest Debian that can be had.

Debian 11: glibc 2.31 and libstdc++ of GCC 10, older than anything our code would need if it were
linked in the ordinary way (2.34, GCC 11). Its Python is too old for NIXL's module, so a few lines
of C++ create the engines. Symbols newer than glibc 2.28 and GCC 8 are auditwheel's to find.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from arm_machine import cache_dir
from debian_root import DebianRelease
from fake_wheels import write_wheel
from nixl_stripe.versions import NEWEST
from nixl_stripe.wheel import PLUGIN, build_wheel, find_in, patch_folder, plugin_path
from nixl_wheels import ROOT, plugin_folder, unpack, wheel_file
from released_files import Released
from wheel_check import auditwheel_tag

pytestmark = pytest.mark.release

WheelOf = Callable[[str, str], Path]

WHEEL = b"Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: cp311-cp311-manylinux_2_28_x86_64\n"

#: For the old Python: loads plugin and host, creates one engine for each pair of its arguments.
PROGRAM = """
import ctypes, json, sys
plugin, host, pairs = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
init = ctypes.CDLL(plugin, mode=ctypes.RTLD_LOCAL).nixl_plugin_init
create = ctypes.CDLL(host).createEngine
text = ctypes.create_string_buffer(2000)
done = []
for key, value in pairs:
    code = create(init, key.encode(), value.encode(), text, len(text))
    done.append([code, text.value.decode()])
sys.stderr.flush()
version = ctypes.CDLL(None).gnu_get_libc_version
version.restype = ctypes.c_char_p
print("OUTCOME", json.dumps([version().decode(), done]), flush=True)
"""


@pytest.fixture(scope="module")
def patched_prebuilt(
    released: Released, unpacked: WheelOf, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    site = tmp_path_factory.mktemp("prebuilt") / "site"
    shutil.copytree(unpacked("nixl-cu12", NEWEST), site, copy_function=os.link)
    for folder in find_in(site):
        patch_folder(folder, released.plugin)
    return site


@pytest.fixture(scope="module")
def host(released: Released, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("host") / "host.so"
    command = [os.environ.get("CXX", "c++"), "-std=c++17", "-shared", "-fPIC", "-o", str(out)]
    command += ["-fvisibility-inlines-hidden", f"-I{ROOT / 'nixl_patch'}"]
    command += [str(Path(__file__).with_name("old_host.cpp"))]
    command += map(str, released.compat)
    subprocess.run(command, check=True)
    return out


@pytest.fixture(scope="module")
def old_python() -> tuple[str, ...]:
    """Debian 11's Python with Debian 11's C library, by way of its own loader: no chroot."""
    packages = ["python3.9-minimal", "libpython3.9-stdlib", "libstdc++6"]
    root = DebianRelease(cache_dir(), "bullseye", "x86_64").root("python", packages)
    folders = [root / "lib/x86_64-linux-gnu", root / "usr/lib/x86_64-linux-gnu"]
    loader = folders[0] / "ld-linux-x86-64.so.2"
    path = ":".join(map(str, folders))
    return (str(loader), "--library-path", path, str(root / "usr/bin/python3.9"))


def run(
    python: tuple[str, ...], site: Path, host: Path, pairs: list[tuple[str, str]]
) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("UCX_", "NIXL_"))}
    plugin = plugin_folder(site, "nixl-cu12") / PLUGIN
    return subprocess.run(
        [*python, "-c", PROGRAM, str(plugin), str(host), json.dumps(pairs)],
        env={
            **kept,
            "PYTHONHOME": str(Path(python[-1]).parents[1]),
            "UCX_MODULES": "^ib",
            "NIXL_LOG_LEVEL": "INFO",
        },
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def needs_newer() -> None:
    """Skip where the plugin that was compiled here needs nothing newer than an old system has."""
    if b"GLIBC_2.34\0" not in plugin_path().read_bytes():
        pytest.skip("this system's compiler links nothing newer than the old system has")


def test_rails_and_errors_on_the_old_system(
    old_python: tuple[str, ...], patched_prebuilt: Path, host: Path
) -> None:
    """Its std::invalid_argument is caught as one by another library of the same process."""
    pairs = [("", ""), ("max_rma_rails", "4"), ("max_rma_rails", "65"), ("max_rma_rails", "3")]
    done = run(old_python, patched_prebuilt, host, pairs)
    lines = [line for line in done.stdout.splitlines() if line.startswith("OUTCOME ")]
    assert lines, done.stdout + done.stderr
    glibc, outcomes = json.loads(lines[-1].removeprefix("OUTCOME "))
    assert glibc == "2.31"
    assert [code for code, _ in outcomes] == [0, 0, 1, 0]
    assert "max_rma_rails='65': accepted: a whole number from 1 to 64" in outcomes[2][1]
    applied = [line.split("] ", 1)[1] for line in done.stderr.splitlines() if "MAX_RMA" in line]
    assert applied == ["MAX_RMA_RAILS 4", "MAX_RMA_RAILS 3"]


def test_the_ordinary_plugin_does_not_load_there(
    old_python: tuple[str, ...], patched: WheelOf, host: Path
) -> None:
    """The bad flow: linked on a newer system, it needs that system's libraries."""
    needs_newer()
    done = run(old_python, patched("nixl-cu12", NEWEST), host, [])
    assert done.returncode != 0
    assert re.search(r"version `GLIBC(XX)?_[\d.]+' not found", done.stderr)


def test_a_patched_wheel_keeps_the_tag_of_the_published_one(
    released: Released, tmp_path: Path
) -> None:
    source = wheel_file("nixl-cu12", NEWEST)
    built = build_wheel(source, tmp_path, released.plugin)
    assert built.path.name.endswith("manylinux_2_28_x86_64.whl")
    unpack(built.path, tmp_path / "site")


def test_auditwheel_notices_an_ordinary_build(released: Released, tmp_path: Path) -> None:
    """The same small wheel with the prebuilt plugin, and with the one compiled on this system."""
    needs_newer()
    tags = []
    for number, plugin in enumerate((released.plugin, plugin_path())):
        name = f"n{number}-1-cp311-cp311-manylinux_2_28_x86_64.whl"
        files = {f"n/{PLUGIN}": plugin.read_bytes(), f"n{number}-1.dist-info/WHEEL": WHEEL}
        tags.append(auditwheel_tag(write_wheel(tmp_path / name, files)))
    assert tags[0] == "manylinux_2_28_x86_64"
    assert tags[1] != "manylinux_2_28_x86_64"
