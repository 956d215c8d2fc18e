# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What must hold for a wheel or source distribution of ours before anybody gets it.

Nothing of NVIDIA's or UCX's in it, and wheels that run where their tag says.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from nixl_stripe.wheel.elf import read_shared_object

#: The only shared objects: our extension module and our plugin.
_OURS = re.compile(r"nixl_stripe/(_core\.cpython-\d+-\w+-linux-gnu|plugin/libplugin_UCX)\.so")
#: Owners of code that must not be here, as a copyright line would name them.
_FOREIGN = re.compile(
    rb"Copyright[^\n]{0,60}"
    rb"(NVIDIA|Mellanox|UT-Battelle|UChicago|Advanced Micro Devices)",
    re.IGNORECASE,
)
#: A second UCX, NIXL or CUDA in the process, whether contained or asked for.
_LIBRARIES = re.compile(
    rb"\0(lib(?:uc[pstm]|nixl|cuda|cudart|ibverbs|mlx5|doca)[\w.-]*\.so[\w.]*)\0"
)
#: dlopen'ed, with care, where they exist: names alone.
_NAMES_ALONE = {b"libcuda.so", b"libcuda.so.1"}


class CheckError(Exception):
    """A file must not be published; the message says why."""


def files_of(path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of every file in a wheel or source distribution."""
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as wheel:
            for name in wheel.namelist():
                yield name, wheel.read(name)
        return
    with tarfile.open(path) as sdist:
        for member in sdist.getmembers():
            stream = sdist.extractfile(member) if member.isfile() else None
            if stream is not None:
                yield member.name, stream.read()


def check_contents(path: Path) -> None:
    """Raise CheckError where `path` holds anything that is not ours."""
    for name, data in files_of(path):
        if data[:4] == b"\x7fELF" or name.endswith((".so", ".a", ".o", ".whl")) or ".so." in name:
            if path.suffix != ".whl" or not _OURS.fullmatch(name):
                raise CheckError(f"{path.name}: {name} is built, and not ours")
            foreign = set(_LIBRARIES.findall(data)) - _NAMES_ALONE
            if foreign:
                raise CheckError(f"{path.name}: {name} names {min(foreign).decode()}")
        found = _FOREIGN.search(data)
        if found:
            raise CheckError(f"{path.name}: {name} has {found[0].decode(errors='replace')!r}")


def shared_contents(path: Path, theirs: Path) -> list[str]:
    """Return the files of `path` whose content is also that of a file in `theirs`; empty ones not.

    theirs: a wheel of NIXL.
    """
    known = {hashlib.sha256(data).digest() for _, data in files_of(theirs) if data.strip()}
    return [name for name, data in files_of(path) if hashlib.sha256(data).digest() in known]


def check_machine(wheel: Path) -> None:
    """Raise CheckError unless every shared object is for the machine that the wheel's tag names."""
    machine = wheel.stem.split("manylinux_2_28_")[-1]
    for name, data in files_of(wheel):
        facts = read_shared_object(data) if name.endswith(".so") else None
        if facts is not None and facts.machine != machine:
            raise CheckError(f"{wheel.name}: {name} is for {facts.machine}")


def auditwheel_tag(wheel: Path) -> str:
    """Return the platform tag that auditwheel finds the wheel consistent with.

    Raises CheckError, with auditwheel's words, where it finds none.
    """
    command = [sys.executable, "-m", "auditwheel", "show", str(wheel)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    said = " ".join(f"{done.stdout} {done.stderr}".split())
    found = re.search(r'consistent with the following platform tag: "(\w+)"', said)
    if done.returncode != 0 or found is None:
        raise CheckError(f"{wheel.name}: auditwheel says: {said}")
    return found[1]


def check_tag(wheel: Path) -> str:
    """Return auditwheel's tag; raise CheckError where it is not in the wheel's own name."""
    tag = auditwheel_tag(wheel)
    if not wheel.stem.endswith(tag):
        raise CheckError(f"{wheel.name}: auditwheel finds {tag}")
    return tag
