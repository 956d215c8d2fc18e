# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Debian packages of another machine or release, unpacked into a folder: no root, no installation.

apt gets a configuration of its own (lists, cache, an empty package database), so that the system's
is neither read nor changed; only where the packages come from, and the keys, are the system's.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_APT = Path("/etc/apt")
_KEYS = "/usr/share/keyrings/debian-archive-keyring.gpg"

#: Machine as in wheel tags: Debian's architecture, its multiarch triplet.
ARCHITECTURES = {
    "x86_64": ("amd64", "x86_64-linux-gnu"),
    "aarch64": ("arm64", "aarch64-linux-gnu"),
}


class DebianError(RuntimeError):
    """Packages of Debian cannot be had here; the message says why."""


@dataclass(frozen=True)
class DebianRelease:
    """One release of Debian for one machine, its packages and folders kept below `cache`."""

    cache: Path
    suite: str
    machine: str

    def root(self, name: str, packages: Sequence[str]) -> Path:
        """Return a folder with `packages` and all that they depend on unpacked in it.

        name: of the folder; what is there already under it is taken as it is.
        Raises DebianError, with apt's own words, where they cannot be had.
        """
        folder = self._folder / name
        with _alone(self._folder):
            if folder.is_dir():
                return folder
            downloads = self._downloads(name)
            (downloads / "partial").mkdir(exist_ok=True)
            self._apt(
                *("-o", f"Dir::Cache::Archives={downloads}"),
                *("install", "--yes", "--no-install-recommends", "--download-only"),
                *packages,
            )
            return _unpack(sorted(downloads.glob("*.deb")), folder)

    def alone(self, package: str) -> Path:
        """Return a folder with `package` unpacked in it, without what it depends on."""
        folder = self._folder / package
        with _alone(self._folder):
            if not folder.is_dir():
                downloads = self._downloads(package)
                self._apt("download", package, cwd=downloads)
                _unpack(sorted(downloads.glob("*.deb")), folder)
        return folder

    def _downloads(self, name: str) -> Path:
        folder = self._folder / "downloads" / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    @property
    def _folder(self) -> Path:
        return self.cache / f"{self.suite}-{self.machine}"

    def _apt(self, *arguments: str, cwd: Path | None = None) -> None:
        apt = self._folder / "apt"
        first = not (apt / "ready").exists()
        if first:
            _require_apt()
            (apt / "lists/partial").mkdir(parents=True, exist_ok=True)
            (apt / "cache/archives/partial").mkdir(parents=True, exist_ok=True)
            (apt / "status").write_text("")
            line = f"deb [signed-by={_KEYS}] {debian_source()} {self.suite} main\n"
            (apt / "sources.list").write_text(line)
        options = {
            "APT::Architecture": ARCHITECTURES[self.machine][0],
            "APT::Architectures": ARCHITECTURES[self.machine][0],
            "APT::Sandbox::User": "root" if os.geteuid() == 0 else "",
            "Acquire::Languages": "none",
            "Debug::NoLocking": "1",
            "Dir::Cache": apt / "cache",
            "Dir::Etc::SourceList": apt / "sources.list",
            "Dir::Etc::SourceParts": "/dev/null",
            "Dir::State": apt,
            "Dir::State::Lists": apt / "lists",
            "Dir::State::Status": apt / "status",
        }
        command = ["apt-get", "--quiet=2"]
        for key, value in options.items():
            command += ["-o", f"{key}={value}"]
        if first:
            self._run([*command, "update"], None)
            (apt / "ready").write_text("")
        self._run([*command, *arguments], cwd)

    def _run(self, command: Sequence[str], cwd: Path | None) -> None:
        done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
        if done.returncode != 0 or "\nE: " in f"\n{done.stderr}":
            errors = [line for line in done.stderr.splitlines() if line.startswith("E:")]
            raise DebianError(
                f"Debian {self.suite} for {self.machine}: {' '.join(errors) or done.stderr.strip()}"
            )


def debian_source() -> str:
    """Return the address of the Debian archive that this system's apt uses.

    Raises DebianError on a system that has none, such as another distribution.
    """
    files = [_APT / "sources.list", *sorted((_APT / "sources.list.d").glob("*"))]
    for file in files:
        text = file.read_text(encoding="utf-8") if file.is_file() else ""
        # Either format: `deb [options] ADDRESS suite main`, or `URIs: ADDRESS`.
        for found in re.finditer(
            r"(?m)^(?:deb\s+(?:\[[^]]*\]\s+)?|URIs:\s*)(\S+/debian)/?(?=\s|$)", text
        ):
            return found[1]
    raise DebianError("apt has no Debian archive among its sources: this needs Debian")


def _require_apt() -> None:
    for program in ("apt-get", "dpkg-deb"):
        if shutil.which(program) is None:
            raise DebianError(f"there is no {program}: this needs Debian")


def _unpack(packages: Sequence[Path], folder: Path) -> Path:
    """Unpack into `folder` at once: it is there whole or not at all."""
    draft = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    for package in packages:
        subprocess.run(["dpkg-deb", "-x", str(package), str(draft)], check=True)
    draft.rename(folder)
    return folder


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep other processes from filling `folder` at the same time."""
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
