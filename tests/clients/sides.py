# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Starts one of the `*_side` programs of this folder on both ends of the rails."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nixl_stripe.lab import Rails
from nixl_stripe.lab.job import Role
from nixl_wheels import environment

HERE = Path(__file__).parent
ROLES: tuple[Role, Role] = ("initiator", "target")


@dataclass(frozen=True)
class Sides:
    """What both sides said, as their programs wrote it, and all that they printed."""

    initiator: dict[str, Any]
    target: dict[str, Any]
    log: str

    @property
    def error(self) -> tuple[str, str] | None:
        """Type and text of the error of the side that failed first."""
        errors = [side["error"] for side in (self.initiator, self.target) if "error" in side]
        first = [each for each in errors if each[0] != "PeerFailedError"]
        return (first[0][0], first[0][1]) if first else None


def start(
    rails: Rails,
    program: str,
    job: Mapping[str, Any],
    nixl: Sequence[Path],
    variables: Mapping[str, str],
) -> Sides:
    """Run `program` on both sides over TCP, with `nixl` first on the path."""
    settings = {"UCX_TLS": "tcp", "UCX_MODULES": "^ib", "OMP_NUM_THREADS": "1", **variables}
    full = environment(*nixl, HERE.parent / "support", **settings)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        programs: dict[Role, list[str]] = {}
        for role in ROLES:
            text = json.dumps({**job, "role": role, "counters": list(rails.devices)})
            (folder / f"{role}.job").write_text(text)
            programs[role] = ["env", "-i", *(f"{key}={value}" for key, value in full.items())]
            programs[role] += [sys.executable, str(HERE / f"{program}.py")]
            programs[role] += ["--job", str(folder / f"{role}.job"), "--channel", f"dir:{folder}"]
            programs[role] += ["--result", str(folder / f"{role}.result")]
        ended = rails.run_programs(programs, limit_s=120)
        log = "\n".join(f"== {role}\n{ended[role].output}" for role in ROLES)
        results = [folder / f"{role}.result" for role in ROLES]
        for result in results:
            assert result.exists(), f"no {result.name}: {ended}\n{log}"
        said = [json.loads(result.read_text()) for result in results]
    return Sides(said[0], said[1], log)


def share(counted: Mapping[str, int]) -> dict[str, float]:
    """Return the fraction of all bytes per rail."""
    total = sum(counted.values())
    return {name: n / total for name, n in counted.items()}


def assert_even(counted: Mapping[str, int], rails: Rails) -> None:
    """Each rail carried its share."""
    assert set(counted) == set(rails.devices)
    for part in share(counted).values():
        assert abs(part - 1 / len(rails.devices)) < 0.025, counted
