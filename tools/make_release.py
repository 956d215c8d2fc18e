# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Builds and checks what is released, and publishes nothing.

That is the source distribution, and a wheel for each machine and Python whose headers can be had.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from debian_root import DebianError
from wheel_build import (
    MACHINES,
    PYTHONS,
    BuildError,
    Target,
    build_sdist,
    compile_for,
    metadata_of,
    package_files,
    plugin_of,
    python_headers,
    unpack_sdist,
    write_wheel_of,
)
from wheel_check import CheckError, check_contents, check_machine, check_tag

ROOT = Path(__file__).parents[1]


def release(
    out: Path, cache: Path, machines: Iterable[str] = MACHINES, pythons: Iterable[str] = PYTHONS
) -> list[Path]:
    """Build and check everything; return the files, the source distribution first.

    Everything is built from the unpacked source distribution, so that it is known to be complete.
    cache: a folder for headers, kept between runs, and for what is compiled, made anew each time.
    Raises BuildError or DebianError where something cannot be built and CheckError where it must
    not be published.
    """
    sdist = build_sdist(ROOT, out)
    check_contents(sdist)
    source = unpack_sdist(sdist, _emptied(cache / "source"))
    common = {**package_files(source), **metadata_of(source)}
    made = [sdist]
    for machine in machines:
        headers = {}
        for python in pythons:
            target = Target(machine, python)
            folders = python_headers(target, cache)
            if folders is None:
                say(f"LEFT OUT: Python {python} on {machine}: no headers (no python{python})")
            else:
                headers[target] = folders
        if not headers:
            raise BuildError(f"{machine}: no Python left to build for")
        say(f"compiling for {machine}: {', '.join(each.python for each in headers)}")
        build = compile_for(machine, headers, source)
        made += [write_wheel_of(target, common, build, out) for target in headers]
        plugin = out / "plugins" / machine / plugin_of(build).name
        plugin.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(plugin_of(build), plugin)
    for wheel in made[1:]:
        check_contents(wheel)
        check_machine(wheel)
        say(f"{wheel.name}: auditwheel says {check_tag(wheel)}; nothing foreign in it")
    return made


def release_twice(
    out: Path, cache: Path, machines: Sequence[str], pythons: Sequence[str]
) -> list[Path]:
    """Do as `release`, then once more from nothing at another place, and compare every byte.

    The second time no compiler's cache helps. Raises CheckError where a file differs.
    """
    made = release(out, cache, machines, pythons)
    os.environ["CCACHE_DISABLE"] = "1"
    with tempfile.TemporaryDirectory() as folder:
        again = release(Path(folder, "out"), Path(folder, "cache"), machines, pythons)
        differing = [
            one.name
            for one, other in zip(made, again, strict=True)
            if one.read_bytes() != other.read_bytes()
        ]
    if differing:
        raise CheckError(f"built twice, these differ: {', '.join(differing)}")
    say(f"built twice: {len(made)} files, the same in every byte")
    return made


def _emptied(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def say(text: str) -> None:
    """Tell the user on standard error, which leaves standard output to the results."""
    print(f"==> {text}", file=sys.stderr, flush=True)


def main() -> None:
    """Build what the command line asks for and print the paths."""
    parser = argparse.ArgumentParser(description=__doc__, prog="scripts/release")
    parser.add_argument("--out", type=Path, default=ROOT / "dist")
    parser.add_argument("--cache", type=Path, default=ROOT / ".cache" / "release")
    parser.add_argument("--machine", action="append", choices=MACHINES, help="default: every one")
    parser.add_argument("--python", action="append", choices=PYTHONS, help="default: every one")
    parser.add_argument("--twice", action="store_true", help="build again elsewhere, and compare")
    options = parser.parse_args()
    build = release_twice if options.twice else release
    try:
        made = build(
            options.out.resolve(),
            options.cache.resolve(),
            options.machine or MACHINES,
            options.python or PYTHONS,
        )
    except (BuildError, CheckError, DebianError) as error:
        raise SystemExit(f"release: {error}") from error
    for path in made:
        print(path)


if __name__ == "__main__":
    main()
