# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Runs checks; what they say together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from nixl_stripe.doctor.check import Check, Status, Verdict, fail, skip
from nixl_stripe.doctor.surroundings import NotKnownError, Surroundings
from nixl_stripe.errors import StripeError
from nixl_stripe.untrusted import one_line

#: Characters of one text of a verdict.
_LONGEST = 16_384
_ORDER: tuple[Status, ...] = ("fail", "warn", "ok", "skip")


@dataclass(frozen=True)
class Row:
    """One check's answer."""

    name: str
    status: Status
    detail: str
    fix: str

    @classmethod
    def of(cls, check: Check, verdict: Verdict) -> Row:
        """Put a name to a verdict.

        Its texts hold variables, file names and what libraries say: here they become texts that can
        do nothing but be read, whichever check made them.
        """
        texts = (one_line(text, _LONGEST) for text in (verdict.detail, verdict.fix))
        return cls(check.name, verdict.status, *texts)


@dataclass(frozen=True)
class Report:
    """Every answer, in the order of the checks."""

    rows: tuple[Row, ...]
    strict: bool = False
    """Warnings count as failures."""

    @property
    def ok(self) -> bool:
        """Whether nothing failed; warnings count only in a strict report."""
        bad = ("fail", "warn") if self.strict else ("fail",)
        return all(row.status not in bad for row in self.rows)

    def count(self, status: Status) -> int:
        """How many checks answered `status`."""
        return Counter(row.status for row in self.rows)[status]

    def to_dict(self) -> dict[str, Any]:
        """Return what `nixl-stripe doctor --json` prints."""
        return {"ok": self.ok, "checks": [asdict(row) for row in self.rows]}

    def summary(self) -> str:
        """Return one line: how many of which."""
        counts = [f"{self.count(status)} {status}" for status in _ORDER if self.count(status)]
        return ", ".join(counts) or "no checks"


def examine(
    surroundings: Surroundings,
    checks: Sequence[Check],
    progress: Callable[[Row], None] | None = None,
    *,
    strict: bool = False,
) -> Report:
    """Run `checks`. One that raises is a failure that names the error, never the end of the run."""
    rows = []
    for check in checks:
        rows.append(Row.of(check, _run(check, surroundings)))
        if progress is not None:
            progress(rows[-1])
    return Report(tuple(rows), strict)


def _run(check: Check, surroundings: Surroundings) -> Verdict:
    if check.needs == "host" and not surroundings.is_host:
        return skip("about the process, not about a copied machine")
    if check.needs == "sysfs" and surroundings.sys is None:
        return skip(f"{surroundings.source} is no sysfs tree")
    try:
        return check.run(surroundings)
    except NotKnownError as reason:
        return skip(str(reason))
    except (StripeError, ValueError) as error:
        return fail(str(error), "fix what the message names")
    except Exception as error:
        text = f"{type(error).__name__}: {error}"
        return fail(
            f"the check itself failed: {text}",
            f"run the others (nixl-stripe doctor --only NAME) and report this one: {check.name}",
        )
