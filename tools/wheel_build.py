# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Wheels of nixl-stripe for machines and Pythons other than the one that builds them.

meson-python builds for the Python that runs it. Here one build a machine makes the plugin and an
extension module for each Python, which need that Python's headers and no interpreter; the rest of a
wheel is the same everywhere. Everything is linked for manylinux_2_28 (-Dmanylinux=true).
"""

from __future__ import annotations

import base64
import hashlib
import importlib.metadata
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import Any

from debian_root import ARCHITECTURES, DebianRelease
from sbom import sbom

PLATFORM = "manylinux_2_28"
MACHINES = tuple(ARCHITECTURES)
PYTHONS = ("3.10", "3.11", "3.12", "3.13", "3.14")
#: The Pythons that Debian's releases have: headers for every machine.
DEBIAN_PYTHONS = {"3.11": "bookworm", "3.13": "trixie", "3.14": "forky"}
_EPOCH = (1980, 1, 1, 0, 0, 0)


class BuildError(RuntimeError):
    """A wheel cannot be built; the message says why."""


@dataclass(frozen=True)
class Target:
    """What a wheel is for: `x86_64` or `aarch64`, and a Python such as `3.11`."""

    machine: str
    python: str

    @property
    def tag(self) -> str:
        """The wheel's tag: `cp311-cp311-manylinux_2_28_aarch64`."""
        cpython = "cp" + self.python.replace(".", "")
        return f"{cpython}-{cpython}-{PLATFORM}_{self.machine}"

    @property
    def abi(self) -> str:
        """What names the extension module's file: `cpython-311-aarch64-linux-gnu`."""
        return f"cpython-{self.python.replace('.', '')}-{ARCHITECTURES[self.machine][1]}"


def python_headers(target: Target, cache: Path) -> list[Path] | None:
    """Return the include folders of the target's Python; None where it cannot be had here.

    An interpreter of this machine on the PATH serves, else Debian's headers. For the other machine
    it is the other way round: headers differ in pyconfig.h alone, and there, between two machines
    of 64 bits and one byte order, in nothing that a module is laid out by (Debian's for 3.14 differ
    in what CPython itself is compiled with).
    """
    native = target.machine == platform.machine()
    installed = _installed_headers(target.python)
    suite = DEBIAN_PYTHONS.get(target.python)
    if suite is None or (native and installed is not None):
        return installed
    release = DebianRelease(cache, suite, target.machine)
    headers = release.alone(f"libpython{target.python}-dev") / "usr/include"
    return [headers / f"python{target.python}", headers]


def _installed_headers(python: str) -> list[Path] | None:
    if python == f"{sys.version_info.major}.{sys.version_info.minor}":
        folders = {sysconfig.get_path("include"), sysconfig.get_path("platinclude")}
    else:
        code = (
            "import sysconfig as s; print(s.get_path('include')); print(s.get_path('platinclude'))"
        )
        try:
            done = subprocess.run(
                [f"python{python}", "-c", code], capture_output=True, text=True, check=True
            )
        except (OSError, subprocess.CalledProcessError):
            return None
        folders = set(done.stdout.split())
    paths = [Path(folder) for folder in sorted(folders)]
    return paths if any((path / "Python.h").is_file() for path in paths) else None


def build_sdist(root: Path, out: Path) -> Path:
    """Build the source distribution of the commit checked out in `root` into `out`."""
    out.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "build", "--sdist", "--no-isolation"]
    _run([*command, "--outdir", str(out), str(root)])
    return max(out.glob("nixl_stripe-*.tar.gz"), key=lambda path: path.stat().st_mtime)


def unpack_sdist(sdist: Path, folder: Path) -> Path:
    """Unpack `sdist` below `folder`; return the source tree in it."""
    # Our own archive; Python 3.11.2, which Debian 12 has, knows no filters.
    how: dict[str, Any] = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, **how)  # noqa: S202
    return folder / sdist.name.removesuffix(".tar.gz")


def compile_for(machine: str, headers: dict[Target, list[Path]], source: Path) -> Path:
    """Compile the plugin and the extension modules of `headers` for `machine`.

    Returns the build folder. It lies in `source` and the options are those of meson-python, so that
    a compiler's cache knows what `pip install` has compiled.
    """
    import pybind11

    build = source / f"build-{machine}"
    cores = [
        f"{target.abi}={':'.join(map(str, [*folders, pybind11.get_include()]))}"
        for target, folders in headers.items()
    ]
    command = ["meson", "setup", str(build), str(source), "-Dpython=false", "-Dmanylinux=true"]
    command += ["-Dbuildtype=release", "-Db_ndebug=if-release", "-Dcpp_link_args=-s"]
    command.append(f"-Dcores={','.join(cores)}")
    if machine != platform.machine():
        cross = source / "cross" / f"{ARCHITECTURES[machine][1]}.ini"
        if not cross.is_file():
            raise BuildError(f"there is no cross file for {machine} on {platform.machine()}")
        command += ["--cross-file", str(cross), *_cached_compiler(machine, source.parent)]
    _run(command)
    _run(["ninja", "-C", str(build), "--quiet"])
    return build


def _cached_compiler(machine: str, folder: Path) -> list[str]:
    """Return options for ccache, which meson uses by itself for this machine's compiler alone."""
    if shutil.which("ccache") is None:
        return []
    triplet = ARCHITECTURES[machine][1]
    file = folder / f"ccache-{machine}.ini"
    file.write_text(
        f"[binaries]\nc = ['ccache', '{triplet}-gcc']\ncpp = ['ccache', '{triplet}-g++']\n", "utf-8"
    )
    return ["--cross-file", str(file)]


def plugin_of(build: Path) -> Path:
    """Return the plugin that a build made."""
    return build / "nixl_patch/plugin/libplugin_UCX.so"


def metadata_of(source: Path) -> dict[str, bytes]:
    """Return the files of .dist-info, WHEEL and RECORD left out, as meson-python writes them.

    A source distribution brings its metadata; entry points are those of the nixl-stripe that is
    installed beside this tool, which must be the same version. Raises BuildError where it is not.
    """
    metadata = (source / "PKG-INFO").read_bytes()
    headers = BytesHeaderParser().parsebytes(metadata)
    installed = importlib.metadata.distribution("nixl-stripe")
    if installed.version != headers["Version"]:
        raise BuildError(f"nixl-stripe {installed.version} is installed, not {headers['Version']}")
    info = f"nixl_stripe-{headers['Version']}.dist-info"
    return {
        f"{info}/METADATA": metadata,
        f"{info}/entry_points.txt": (installed.read_text("entry_points.txt") or "").encode(),
        **{
            f"{info}/licenses/{name}": (source / name).read_bytes()
            for name in headers.get_all("License-File", [])
        },
    }


def package_files(source: Path) -> dict[str, bytes]:
    """Return the package's own files, as `pip install` installs them."""
    top = source / "python"
    return {
        str(path.relative_to(top)): path.read_bytes()
        for path in sorted((top / "nixl_stripe").rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


def write_wheel_of(target: Target, common: dict[str, bytes], build: Path, out: Path) -> Path:
    """Write the wheel of `target` from `common` and what `build` made; return it."""
    info = next(name.partition("/")[0] for name in common if ".dist-info/" in name)
    name, _, version = info.removesuffix(".dist-info").partition("-")
    objects = {
        f"nixl_stripe/_core.{target.abi}.so": (
            build / f"python/_core.{target.abi}.so"
        ).read_bytes(),
        "nixl_stripe/plugin/libplugin_UCX.so": plugin_of(build).read_bytes(),
    }
    files = {
        **common,
        **objects,
        f"{info}/WHEEL": (
            "Wheel-Version: 1.0\n"
            "Generator: nixl-stripe release\n"
            "Root-Is-Purelib: false\n"
            f"Tag: {target.tag}\n"
        ).encode(),
        f"{info}/sboms/{name}.cdx.json": sbom(name.replace("_", "-"), version, target.tag, objects),
    }
    rows = [f"{name},{_digest(data)},{len(data)}\n" for name, data in files.items()]
    files[f"{info}/RECORD"] = "".join([*rows, f"{info}/RECORD,,\n"]).encode()
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"{info.removesuffix('.dist-info')}-{target.tag}.whl"
    draft = path.with_suffix(".partial")
    with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            member = zipfile.ZipInfo(name, _EPOCH)
            member.compress_type = zipfile.ZIP_DEFLATED
            member.external_attr = (0o100755 if name.endswith(".so") else 0o100644) << 16
            archive.writestr(member, data)
    draft.replace(path)
    return path


def _digest(data: bytes) -> str:
    value = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=")
    return f"sha256={value.decode()}"


def _run(command: Sequence[str], cwd: Path | None = None) -> None:
    tools = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    try:
        done = subprocess.run(
            command,
            cwd=cwd,
            env={**os.environ, "PATH": tools},
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError as error:
        raise BuildError(
            f"{' '.join(command[:4])} ... failed: {command[0]} is not installed "
            "(pip install 'nixl-stripe[release]')"
        ) from error
    if done.returncode != 0:
        raise BuildError(f"{' '.join(command[:4])} ... failed:\n{done.stdout}\n{done.stderr}")
