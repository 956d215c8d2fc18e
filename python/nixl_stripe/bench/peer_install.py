# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What a comparison with Mooncake needs: its wheel, and a longer ACK timeout for slow NICs."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from nixl_stripe.errors import StripeError, UsageError
from nixl_stripe.lab.job import Nixl
from nixl_stripe.wheel.fetch import download
from nixl_stripe.wheel.installs import Say, install

_SOURCE = Path(__file__).with_name("ack_timeout.c")
_FLAGS = ("-std=gnu11", "-O1", "-fPIC", "-shared", "-Wall", "-Wextra", "-Werror")


@dataclass(frozen=True)
class Peer:
    """Where Mooncake is; `preload`: the library that lengthens its ACK timeout."""

    site: Nixl
    preload: Path
    folder: Path

    def topology(self, devices: Sequence[str]) -> Path:
        """Return a file for MC_CUSTOM_TOPO_JSON: all `devices` preferred, from either NUMA node."""
        text = json.dumps({f"cpu:{node}": [list(devices), []] for node in range(2)})
        path = self.folder / f"topology-{hashlib.sha256(text.encode()).hexdigest()[:16]}.json"
        path.write_text(text)
        return path


def check_source(source: str) -> None:
    """Raise UsageError for what `prepare` takes for no Mooncake; nothing is downloaded."""
    file = Path(source).expanduser()
    if file.is_file():
        return
    accepted = "accepted are mooncake-transfer-engine-non-cuda==VERSION and the like, or a wheel"
    if file.suffix == ".whl":
        raise UsageError(f"--mooncake {source}: no such file")
    try:
        requirement = Requirement(source)
    except InvalidRequirement as error:
        raise UsageError(f"--mooncake {source}: {accepted}") from error
    if requirement.url or not canonicalize_name(requirement.name).startswith("mooncake-"):
        raise UsageError(f"--mooncake {source}: {accepted}")


def prepare(cache: Path, source: str, say: Say) -> Peer:
    """Get Mooncake and compile what is preloaded, both kept below `cache`.

    source: a requirement for the user's own pip, or a wheel file; an installed Mooncake (the extra
    `peer`) goes first unless it is a file. StripeError where something cannot be had.
    """
    folder = cache.resolve() / "peer"
    folder.mkdir(parents=True, exist_ok=True)
    return Peer(_site(folder, source, say), preload(folder), folder)


def _site(folder: Path, source: str, say: Say) -> Nixl:
    check_source(source)
    if (file := Path(source).expanduser()).is_file():
        return Nixl((str(install(folder, file, say)),))
    if importlib.util.find_spec("mooncake") is not None:
        return Nixl()
    kept = folder / source.replace("==", "-")
    if not any(kept.glob("*.whl")):
        say(f"downloading {source} (about 46 MB, once)")
        kept.mkdir(exist_ok=True)
        try:
            download(source, kept, ())
        except StripeError as error:
            raise StripeError(
                f"{error}; install it by hand: pip install 'nixl-stripe[peer]', or name a wheel "
                "file: --mooncake FILE"
            ) from error
    return Nixl((str(install(folder, next(iter(sorted(kept.glob("*.whl")))), say)),))


def preload(folder: Path) -> Path:
    """Return the compiled `ack_timeout.c`; StripeError without a compiler or where it fails."""
    compiler = next((path for name in ("cc", "gcc", "clang") if (path := shutil.which(name))), None)
    if compiler is None:
        raise StripeError(
            "no C compiler (cc, gcc or clang) for what Mooncake needs on slow NICs; "
            "apt-get install gcc libc6-dev"
        )
    digest = hashlib.sha256(_SOURCE.read_bytes() + repr(_FLAGS).encode()).hexdigest()[:16]
    done = folder / f"ack_timeout-{digest}.so"
    if done.exists():
        return done
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        draft = Path(scratch) / "ack_timeout.so"
        command = [compiler, *_FLAGS, "-o", str(draft), str(_SOURCE), "-ldl"]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        if ended.returncode:
            raise StripeError(f"{_SOURCE.name}: {ended.stderr.strip().splitlines()[0]}")
        draft.replace(done)
    return done
