# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What a check is and what it may say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from nixl_stripe.doctor.surroundings import Surroundings

Status = Literal["ok", "warn", "fail", "skip"]


@dataclass(frozen=True)
class Verdict:
    """What a check found, and for `warn` and `fail` the line that fixes it."""

    status: Status
    detail: str
    fix: str = ""


@dataclass(frozen=True)
class Check:
    """One question about the machine."""

    name: str
    about: str
    """What it looks at, for `--list` and the docs."""
    run: Callable[[Surroundings], Verdict]
    needs: Literal["machine", "sysfs", "host"] = "host"
    """`machine`: any description will do. `sysfs`: its files. `host`: the machine it runs on."""


def ok(detail: str) -> Verdict:
    """Say that nothing is wrong."""
    return Verdict("ok", detail)


def warn(detail: str, fix: str) -> Verdict:
    """Say that bandwidth is lost, or may be; transfers work."""
    return Verdict("warn", detail, fix)


def fail(detail: str, fix: str) -> Verdict:
    """Say that striping does not work like this."""
    return Verdict("fail", detail, fix)


def skip(detail: str) -> Verdict:
    """Say why the question does not arise here, or cannot be answered."""
    return Verdict("skip", detail)
