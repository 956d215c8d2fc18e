# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""A root file system as a container has it: this system's, a stock NIXL, and nothing of ours.

In namespaces of its own: what is mounted there goes with the process.
"""

from __future__ import annotations

import importlib.util
import os
import shlex
import subprocess
import sys
import zipfile
from pathlib import Path

#: Where a container finds things; the rest is this system's.
SITE, NUMPY, WHEELS, VOLUME = "/image/site", "/image/numpy", "/wheels", "/nixl-stripe"
_SYSTEM = ("usr", "bin", "sbin", "lib", "lib64", "etc")


def package_folder(name: str) -> Path:
    """Return the folder of an installed package."""
    spec = importlib.util.find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


def write_wheels(folder: Path) -> None:
    """Write what Dockerfile.wheels carries, with the build of ours that is installed here."""
    folder.mkdir()
    abi = f"cp{sys.version_info.major}{sys.version_info.minor}"
    tags = {
        "nixl_stripe": f"{abi}-{abi}-linux_{os.uname().machine}",
        "click": "py3-none-any",
        "packaging": "py3-none-any",
    }
    for name, tag in tags.items():
        package = package_folder(name)
        with zipfile.ZipFile(folder / f"{name}-1-{tag}.whl", "w") as wheel:
            for path in sorted(package.rglob("*")):
                if path.is_file() and "__pycache__" not in path.parts:
                    wheel.write(path, path.relative_to(package.parent))


class Image:
    """One image with a stock NIXL, and one volume that its containers share."""

    def __init__(self, folder: Path, stock: Path) -> None:
        self.root, self.volume, self.wheels = (folder / n for n in ("root", "volume", "wheels"))
        for each in (self.root, self.volume):
            each.mkdir()
        write_wheels(self.wheels)
        self.root.joinpath("proc").mkdir()
        numpy = package_folder("numpy")
        self._binds = {
            **{name: Path("/", name) for name in _SYSTEM if Path("/", name).is_dir()},
            **{name: Path("/", name) for name in ("dev", "sys")},
            sys.base_prefix.lstrip("/"): Path(sys.base_prefix),
            SITE[1:]: stock,
            f"{NUMPY[1:]}/numpy": numpy,
            WHEELS[1:]: self.wheels,
            VOLUME[1:]: self.volume,
        }
        if (bundled := numpy.with_name("numpy.libs")).is_dir():
            self._binds[f"{NUMPY[1:]}/numpy.libs"] = bundled
        for name in self._binds:
            (self.root / name).mkdir(parents=True, exist_ok=True)
        (self.root / "tmp").mkdir()

    def run(
        self, command: list[str], env: list[dict[str, str]] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a container's command with its `env`, as a manifest writes both."""
        lines = ["set -e"]
        for name, source in self._binds.items():
            where = shlex.quote(str(self.root / name))
            lines.append(f"mount --rbind {shlex.quote(str(source))} {where}")
        lines.append(f"mount --rbind /proc {shlex.quote(str(self.root / 'proc'))}")
        lines.append(f'exec chroot {shlex.quote(str(self.root))} "$@"')
        said = {each["name"]: each["value"] for each in env or []}
        return subprocess.run(
            ["unshare", "--map-root-user", "--mount", "sh", "-c", "\n".join(lines), "sh", *command],
            env={
                "PATH": f"{sys.base_prefix}/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                "PYTHONPATH": f"{SITE}:{NUMPY}",
                "PYTHONDONTWRITEBYTECODE": "1",
                "UCX_MODULES": "^ib",  # stock NIXL's exit without an RDMA stack
                **said,
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=200,
        )
