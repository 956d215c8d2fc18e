# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The wheels to patch: a file, or what the user's own pip downloads."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from nixl_stripe.errors import StripeError, UsageError
from nixl_stripe.versions import NEWEST, NEWEST_REQUIREMENT
from nixl_stripe.wheel import headers
from nixl_stripe.wheel.locate import find_installed
from nixl_stripe.wheel.members import LARGEST_TEXT, open_wheel, read_member

_META = "nixl"
#: Lines of Requires-Dist of that package, which has a handful.
_MOST_REQUIRED = 1000
_ACCEPTED = f"nixl, nixl=={NEWEST}, nixl-cu12, {NEWEST_REQUIREMENT}, nixl-cu13, ... or a wheel file"


def default_sources() -> list[str]:
    """Return what to build from when nothing is named.

    The NIXL installed for this interpreter, in its version, for the patched wheel is to take its
    place; else what `pip install nixl` would install now.
    """
    installed = {folder.distribution: folder.version for folder in find_installed()}
    pins = [f"{name}=={str(version).partition('+')[0]}" for name, version in installed.items()]
    return pins or [_META]


def fetch_wheels(source: str, folder: Path, pip_options: Sequence[str] = ()) -> list[Path]:
    """Return the wheels that `source` stands for, downloaded into `folder` unless it is a file.

    source: a wheel file, or a requirement on `nixl-cu12`, `nixl-cu13` or `nixl`, which stands for
        the flavours that it requires.
    pip_options: for `pip download`, such as `--platform`.
    Raises UsageError for anything else and StripeError, in pip's words, where pip cannot get it.
    """
    file = _file(source)
    if file is not None:
        return [file]
    requirement = _requirement(source)
    wheel = download(str(requirement), folder, pip_options)
    if canonicalize_name(requirement.name) != _META:
        return [wheel]
    flavours = _flavours(wheel)
    if not flavours:
        raise StripeError(f"--from {source}: {wheel.name} requires no nixl-cu12 or nixl-cu13")
    return [download(flavour, folder, pip_options) for flavour in flavours]


def check_sources(sources: Sequence[str]) -> None:
    """Raise UsageError for the first that `fetch_wheels` would refuse; nothing is downloaded."""
    for source in sources:
        if _file(source) is None:
            _requirement(source)


def check_one_flavour(source: str, option: str) -> None:
    """Raise UsageError unless `source` is a wheel file or a requirement on one flavour of NIXL.

    Nothing is downloaded. option: what the user gave it to.
    """
    if _file(source, option) is not None:
        return
    requirement = _requirement(source, option)
    if canonicalize_name(requirement.name) == _META:
        raise UsageError(
            f"{option} {source}: both flavours; accepted is one, such as {NEWEST_REQUIREMENT}, "
            "or a wheel file"
        )
    if requirement.url is not None:
        raise UsageError(f"{option} {source}: an address; download the wheel and name the file")


def _file(source: str, option: str = "--from") -> Path | None:
    """Return the wheel file that `source` names, None where it is a requirement."""
    file = Path(source).expanduser()
    if file.is_file():
        return file
    if file.suffix == ".whl":
        raise UsageError(f"{option} {source}: no such file")
    return None


def _requirement(source: str, option: str = "--from") -> Requirement:
    try:
        requirement = Requirement(source)
    except InvalidRequirement as error:
        raise UsageError(
            f"{option} {source}: neither a file nor a requirement: {_ACCEPTED}"
        ) from error
    name = canonicalize_name(requirement.name)
    if name != _META and not name.startswith(f"{_META}-cu"):
        raise UsageError(f"{option} {source}: not NIXL; accepted are {_ACCEPTED}")
    return requirement


def _flavours(meta: Path) -> list[str]:
    """Return the flavours of NIXL that its meta package requires, extras left out."""
    with open_wheel(meta) as (_, archive):
        names = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        if len(names) != 1:
            raise StripeError(f"{meta} has {len(names) or 'no'} .dist-info/METADATA; one is wanted")
        metadata = read_member(meta, archive, names[0], LARGEST_TEXT)
    lines = headers.values_of(metadata, "Requires-Dist")
    if len(lines) > _MOST_REQUIRED:
        raise StripeError(
            f"{meta}: {len(lines)} Requires-Dist, up to {_MOST_REQUIRED} are accepted"
        )
    required = [_required(meta, line) for line in lines]
    return [
        str(requirement)
        for requirement in required
        if canonicalize_name(requirement.name).startswith(f"{_META}-cu") and not requirement.marker
    ]


def _required(meta: Path, line: str) -> Requirement:
    try:
        return Requirement(line)
    except InvalidRequirement as error:
        raise StripeError(f"{meta}: Requires-Dist: {line[:80]!a} is no requirement") from error


def download(requirement: str, folder: Path, pip_options: Sequence[str]) -> Path:
    """Have this interpreter's pip download one wheel, so that the user's index settings hold."""
    if find_spec("pip") is None:
        raise StripeError(
            f"{sys.executable} has no pip to download {requirement} with: run `{sys.executable} "
            "-m ensurepip`, or download the wheel yourself and name it: --from FILE"
        )
    before = set(folder.iterdir())
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:"]
    command += ["--disable-pip-version-check", "--dest", str(folder), *pip_options, requirement]
    if not sys.stderr.isatty():
        command.append("--quiet")
    # pip draws its progress bar on standard output; ours is kept for results.
    done = subprocess.run(
        command, stdout=sys.stderr, stderr=subprocess.PIPE, text=True, check=False
    )
    if done.returncode != 0:
        errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR:")]
        reason = " ".join(line.removeprefix("ERROR:").strip() for line in errors)
        raise StripeError(
            f"pip cannot download {requirement}: {reason or ' '.join(done.stderr.split())}"
        )
    return next(iter(set(folder.iterdir()) - before))
