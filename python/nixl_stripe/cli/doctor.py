# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""`nixl-stripe doctor`: what keeps this machine from using every NIC, and what fixes it."""

from __future__ import annotations

import shutil
import sys
import textwrap
from typing import Annotated

from nixl_stripe.cli.command import App, Exit, Option
from nixl_stripe.cli.words import Source, json_text
from nixl_stripe.doctor import CHECKS, Report, Row, Surroundings, check_named, examine
from nixl_stripe.errors import UsageError
from nixl_stripe.terminal import Screen, echo

_WIDTH = max(len(check.name) for check in CHECKS)
#: Where the text starts: behind the status, the name and the spaces between.
_MARGIN = len("warn  ") + _WIDTH + 2
_LEAST_ROOM = 40


def register(app: App) -> None:
    """Add the verb to `app`."""
    app.command("doctor", example="nixl-stripe doctor --expect-nics 8 --strict")(doctor)


def doctor(
    source: Source = None,
    only: Annotated[
        list[str] | None,
        Option(metavar="NAME", help="Only this check; may be given several times."),
    ] = None,
    strict: Annotated[bool, Option("--strict", help="Warnings are failures: exit code 1.")] = False,
    expect_nics: Annotated[
        int | None,
        Option(
            metavar="N", min=0, help="Fail with fewer RDMA NICs in the plan, as in a pod's init."
        ),
    ] = None,
    hosts: Annotated[
        int | None,
        Option(metavar="N", min=1, help="Hosts of the job, for the check neighbours."),
    ] = None,
    list_checks: Annotated[bool, Option("--list", help="List the checks and run none.")] = False,
    as_json: Annotated[bool, Option("--json", help="Print the answers as JSON.")] = False,
) -> None:
    """Look for what keeps NIXL from using every NIC, and say the line that fixes it.

    Run it where NIXL runs: in the same container, with the same environment. Exit code 1 when a
    check fails; warnings count with --strict. With --source, what concerns the process is skipped.
    """
    asked_by = {"nics-expected": expect_nics, "neighbours": hosts}
    wanted = [*(only or ()), *(name for name, value in asked_by.items() if value is not None)]
    checks = CHECKS if not only else tuple(check_named(name) for name in dict.fromkeys(wanted))
    if list_checks:
        rows = [{"name": check.name, "about": check.about} for check in checks]
        lines = (f"{row['name']:<{_WIDTH}}  {row['about']}" for row in rows)
        echo(json_text({"checks": rows}) if as_json else "\n".join(lines))
        return
    surroundings = Surroundings(source=source, expected_nics=expect_nics, hosts=hosts)
    if source is not None:
        try:
            _ = surroundings.machine
        except ValueError as error:
            raise UsageError(f"--source {error}") from error
    report = examine(surroundings, checks, None if as_json else _show, strict=strict)
    if as_json:
        echo(json_text(report.to_dict()))
    else:
        echo(_ending(report))
    if not report.ok:
        raise Exit(1)


def _show(row: Row) -> None:
    screen = Screen(sys.stdout)
    mark = screen.styled(f"{row.status:<4}", _COLOURS[row.status])
    screen.say(_filled(f"{mark}  {row.name:<{_WIDTH}}  ", row.detail))
    if row.fix:
        screen.say(_filled(" " * _MARGIN, f"-> {row.fix}"))


def _filled(start: str, text: str) -> str:
    """Return the text in lines of the terminal's width, in a column of its own."""
    room = max(shutil.get_terminal_size().columns - _MARGIN, _LEAST_ROOM)
    lines = textwrap.wrap(text, room, break_long_words=False, break_on_hyphens=False)
    return start + f"\n{' ' * _MARGIN}".join(lines)


_COLOURS = {"ok": "green", "warn": "yellow", "fail": "red", "skip": "grey"}


def _ending(report: Report) -> str:
    advice = "" if report.ok else "; fix what failed first"
    return f"{report.summary()}{advice}"
