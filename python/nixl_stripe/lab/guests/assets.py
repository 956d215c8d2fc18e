# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What the guests are made of: the host's programs, a distribution kernel and a RAM disk.

Nothing is built and the host's own kernel is left alone: the kernel package is only unpacked into
the cache.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from nixl_stripe.errors import StripeError
from nixl_stripe.lab.guests import initrd, kernel
from nixl_stripe.wheel.written import cache_folder

GUEST_FILES = Path(__file__).parent / "guest"
KERNEL_PACKAGE = "linux-image-amd64"
BUSYBOX = Path("/bin/busybox")
PROVIDERS = Path("/etc/libibverbs.d/rxe.driver")
LIBRARY_FOLDERS = ("/usr/lib/x86_64-linux-gnu", "/usr/lib64", "/usr/lib")


@dataclass(frozen=True)
class Assets:
    """Files that a guest boots from."""

    kernel: Path
    initrd: Path
    version: str
    """Version of the kernel."""


@dataclass(frozen=True)
class Need:
    """A program or file of the host, and the Debian package that brings it."""

    what: str
    package: str

    @property
    def there(self) -> bool:
        """Whether the host has it."""
        if self.what.startswith("/"):
            return Path(self.what).exists()
        return shutil.which(self.what) is not None


NEEDS = (
    Need("qemu-system-x86_64", "qemu-system-x86"),
    Need(str(BUSYBOX), "busybox-static"),
    Need("ip", "iproute2"),
    Need("tc", "iproute2"),
    Need("rdma", "iproute2"),
    Need("setpriv", "util-linux"),
    Need(str(PROVIDERS), "ibverbs-providers"),
)


def default_cache() -> Path:
    """Return where kernel and RAM disk are kept: `$NIXL_STRIPE_CACHE` or `~/.cache/nixl-stripe`."""
    return cache_folder() / "guests"


def system_verbs() -> Path | None:
    """Return the host's own libibverbs, the one that can load its Soft-RoCE provider."""
    found = (Path(folder) / "libibverbs.so.1" for folder in LIBRARY_FOLDERS)
    return next((path for path in found if path.exists()), None)


def missing() -> list[Need]:
    """Return what the host lacks."""
    lacking = [need for need in NEEDS if not need.there]
    if system_verbs() is None:
        lacking.append(Need("libibverbs.so.1", "libibverbs1"))
    return lacking


def why_not(cache: Path | None = None) -> str | None:
    """Return why guests cannot be booted here as things stand, None when they can.

    Downloads and installs nothing; `prepare` does, where it may.
    """
    if os.uname().machine != "x86_64":
        return f"guests are x86-64 machines, this one is {os.uname().machine}"
    if lacking := missing():
        packages = " ".join(dict.fromkeys(need.package for need in lacking))
        return f"guests need {lacking[0].what}; as root: apt-get install {packages}"
    if _kernel_folder(cache or default_cache()) is None:
        return "no guest kernel yet; python -m nixl_stripe.lab.guests prepare fetches one"
    return None


def prepare(cache: Path | None = None, install: bool = True) -> Assets:
    """Get all that guests need and return what they boot from; quick when it is there already.

    With `install`, as root, missing packages are installed with apt-get. The kernel is the package
    that `linux-image-amd64` stands for, downloaded (no root needed) and unpacked into `cache`.

    Raises:
        StripeError: something is missing and cannot be got here.

    """
    cache = cache or default_cache()
    if os.uname().machine != "x86_64":
        raise StripeError(str(why_not(cache)))
    if missing():
        if not install or os.geteuid() != 0 or shutil.which("apt-get") is None:
            raise StripeError(str(why_not(cache)))
        _run(["apt-get", "update", "-qq"])
        packages = dict.fromkeys(need.package for need in missing())
        _run(["apt-get", "install", "-y", "--no-install-recommends", *packages])
    cache.mkdir(parents=True, exist_ok=True)
    with _alone(cache):
        folder = _kernel_folder(cache) or _fetch_kernel(cache)
        return Assets(folder / "kernel", _make_initrd(folder), folder.name.partition("-")[2])


@contextmanager
def _alone(cache: Path) -> Iterator[None]:
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _run(command: list[str], cwd: Path | None = None) -> str:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}
    done = subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines() or ["no output"]
        raise StripeError(f"{' '.join(command)} failed: {lines[-1]}")
    return done.stdout


def _kernel_folder(cache: Path) -> Path | None:
    """Return the folder of the newest kernel in the cache: `kernel` and `modules/`."""
    found = [path for path in cache.glob("kernel-*") if path.is_dir()]
    return max(found, key=lambda path: path.stat().st_mtime, default=None)


def _fetch_kernel(cache: Path) -> Path:
    """Download and unpack the kernel package; keep the kernel and the modules that are needed."""
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise StripeError("guests need a Debian kernel package: apt-get and dpkg-deb are not here")
    with tempfile.TemporaryDirectory(dir=cache) as work:
        folder = Path(work)
        _run(["apt-get", "download", _kernel_package()], cwd=folder)
        package = next(folder.glob("linux-image-*.deb"))
        _run(["dpkg-deb", "-x", str(package), str(folder / "tree")])
        image = next((folder / "tree/boot").glob("vmlinuz-*"))
        version = image.name.partition("-")[2]
        tree = folder / "tree/lib/modules" / version
        if not tree.is_dir():
            tree = folder / "tree/usr/lib/modules" / version
        made = folder / "made"
        (made / "modules").mkdir(parents=True)
        content = image.read_bytes()
        (made / "kernel").write_bytes(kernel.bare_kernel(content) or content)
        for number, (name, module) in enumerate(kernel.modules(tree).items()):
            (made / "modules" / f"{number:02d}-{name}").write_bytes(module)
        return made.rename(cache / f"kernel-{version}")


def _kernel_package() -> str:
    """Return the newest kernel package by name: what the meta package depends on."""
    try:
        text = _run(["apt-cache", "depends", KERNEL_PACKAGE])
    except StripeError:
        text = ""
    found = re.search(r"Depends: (linux-image-\S+)", text)
    if found is None:
        raise StripeError(
            f"apt knows no {KERNEL_PACKAGE}; as root: apt-get update, with Debian's main archive"
        )
    return found.group(1)


def _make_initrd(folder: Path) -> Path:
    """Build the RAM disk unless one of exactly these parts is there."""
    init = (GUEST_FILES / "init").read_bytes()
    digest = hashlib.sha256(init + BUSYBOX.read_bytes()).hexdigest()[:16]
    path = folder / f"initrd-{digest}"
    if not path.exists():
        found = sorted((folder / "modules").iterdir())
        modules = {file.name.partition("-")[2]: file.read_bytes() for file in found}
        draft = path.with_suffix(".new")
        draft.write_bytes(initrd.build_initrd(BUSYBOX, modules, init))
        draft.rename(path)
    return path
