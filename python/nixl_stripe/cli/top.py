# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""`nixl-stripe top`: what each NIC carries now, one line a NIC."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

from nixl_stripe.cli.command import App, Option
from nixl_stripe.cli.watching import check_times, say, term_as_interrupt
from nixl_stripe.cli.words import json_text
from nixl_stripe.errors import StripeError, UsageError
from nixl_stripe.planning.planner import load, plan
from nixl_stripe.proof.names import nics_to_watch, require_there
from nixl_stripe.proof.sources import SYSFS, host
from nixl_stripe.proof.striped import due_shares
from nixl_stripe.proof.watch import NicRate, Sample, Watch
from nixl_stripe.terminal import Cell, Live, Screen, table

_HEAD = ("NIC", "out Gbit/s", "in Gbit/s", "share", "planned", "errors", "discards", "source")


def register(app: App) -> None:
    """Add the verb to `app`."""
    app.command("top", example="nixl-stripe top --interval 2 --for 60")(top_command)


def top_command(
    stripe: Annotated[
        str,
        Option(metavar="POLICY", help="Whose NICs count as planned; as for `plan`."),
    ] = "all",
    gpu: Annotated[
        str | None, Option(metavar="GPU", help="The GPU of that plan; as for `plan`.")
    ] = None,
    nic: Annotated[
        str | None,
        Option(
            "--devices",
            "--nics",
            metavar="NAMES",
            help="Watch these, separated by commas. Default: every RDMA device, or every network "
            "interface where there is none.",
        ),
    ] = None,
    interval: Annotated[
        float, Option(metavar="SECONDS", help="Between two looks, 0.1 and more.")
    ] = 1.0,
    duration: Annotated[
        float | None, Option("--for", metavar="SECONDS", help="Stop after that time.")
    ] = None,
    processes: Annotated[
        bool,
        Option("--processes", help="Say also which process carries how much (RDMA only)."),
    ] = False,
    agents: Annotated[
        Path | None,
        Option(
            metavar="FOLDER",
            help="Name their agents too, from the files of stripe_metrics there (*.prom).",
        ),
    ] = None,
    as_json: Annotated[
        bool, Option("--json", help="A line of JSON for each look and one for the summary.")
    ] = False,
    sysfs: Annotated[
        Path, Option(metavar="PATH", help="Root of another sysfs.", hidden=True)
    ] = SYSFS,
) -> None:
    """Show what each NIC carries: Gbit/s, share of all bytes, errors since the start.

    It watches what NICs count, whichever process uses them, and asks nothing of the job. Ctrl-C
    ends it with a summary. --processes divides a NIC's bytes by the packets of each process's queue
    pairs: inferred, not counted.
    """
    check_times(interval, duration)
    if agents is not None and not processes:
        raise UsageError("--agents: it names the agents of --processes, which is missing")
    watch = _watch(stripe, gpu, nic, sysfs, processes, agents)
    with term_as_interrupt():
        _show(watch, _samples(watch, interval, duration), as_json)


def _show(watch: Watch, samples: Iterator[Sample], as_json: bool) -> None:
    if as_json:
        _follow(watch, samples, lambda sample: say(json_text({"sample": sample.to_dict()}, None)))
        say(json_text({"summary": watch.summary().to_dict()}, None))
    elif Screen(sys.stdout).is_live:
        _show_live(watch, samples)
    else:
        say(_row(_HEAD))
        _follow(watch, samples, lambda sample: say("\n".join(_plain(sample))))
        say("\n".join(["", *_summary_lines(watch.summary())]))


def _watch(
    stripe: str,
    gpu: str | None,
    nics: str | None,
    sysfs: Path,
    by_process: bool,
    agents: Path | None,
) -> Watch:
    try:
        made = plan(stripe, gpu, load(None if sysfs == SYSFS else sysfs))
    except ValueError as error:
        raise UsageError(str(error)) from error
    names = nics_to_watch(made.devices, nics, sysfs)
    if nics is not None:
        require_there(names, host(sysfs), sysfs)
    try:
        return Watch(names, due_shares(made), sysfs, by_process=by_process, agents=agents)
    except NotADirectoryError as error:
        raise UsageError(f"--agents {agents}: {error.strerror}") from error
    except FileNotFoundError as error:
        if isinstance(error, StripeError):
            raise
        raise UsageError(f"--agents {agents}: {error.strerror}") from error
    except PermissionError as error:
        raise StripeError(f"--agents {agents}: {error.strerror}") from error


def _samples(watch: Watch, interval: float, duration: float | None) -> Iterator[Sample]:
    """Yield a sample for each interval."""
    start = time.monotonic()
    end = None if duration is None else start + duration
    due = start
    while end is None or due < end - 1e-6:
        due += interval
        if end is not None:
            due = min(due, end)
        time.sleep(max(0.0, due - time.monotonic()))
        yield watch.sample()


def _follow(watch: Watch, samples: Iterator[Sample], show: Callable[[Sample], None]) -> None:
    """Show the samples; a Ctrl-C ends them with what was counted until then."""
    try:
        for sample in samples:
            show(sample)
    except KeyboardInterrupt:
        watch.sample()


def _cells(row: NicRate) -> tuple[str, ...]:
    return (
        row.nic,
        f"{row.gbps_out:.2f}",
        f"{row.gbps_in:.2f}",
        f"{row.share:.1%}",
        "yes" if row.planned else "no",
        str(row.errors),
        str(row.discards),
        (row.source or "none") if row.kind == "counted" else f"{row.source} ({row.kind})",
    )


def _total(sample: Sample) -> tuple[str, ...]:
    return ("all", f"{sample.gbps_out:.2f}", f"{sample.gbps_in:.2f}", *[""] * 5)


def _row(cells: tuple[str, ...]) -> str:
    head, *rest, source = cells
    line = f"{head:<14}" + "".join(f"{cell:>11}" for cell in rest) + f"  {source}"
    return line.rstrip()


def _plain(sample: Sample) -> list[str]:
    """Return the lines of a sample for a file or a pipe: its time, then a line a NIC."""
    rows = [_row(_cells(row)) + (f"  {row.problem}" if row.problem else "") for row in sample.nics]
    return [f"-- {sample.at:.1f} s", *rows, _row(_total(sample)), *_process_lines(sample)]


def _process_lines(sample: Sample) -> list[str]:
    """Return who carried how much, and of which NICs that cannot be told."""
    lines = [
        f"process {row.pid} {row.command}{_agent_text(row.agent)}: "
        f"{sum(row.gbps.values()):.2f} Gbit/s, {row.share:.1%} "
        f"({row.kind}), on {', '.join(sorted(row.gbps))}"
        for row in sample.processes
    ]
    return lines + [f"processes on {nic}: {why}" for nic, why in sample.untold.items()]


def _agent_text(agent: str) -> str:
    return f" (agent {agent})" if agent else ""


def _summary_lines(sample: Sample) -> list[str]:
    lines = [f"-- summary of {sample.at:.1f} s: averages", _row(_HEAD)]
    lines += [_row(_cells(row)) for row in sample.nics]
    lines += [_row(_total(sample)), *_process_lines(sample), *_balance(sample)]
    if sample.idle:
        lines.append(
            f"idle although planned: {', '.join(sample.idle)} (less than half of what is due); "
            "nixl-stripe verify says why"
        )
    lines += [f"{row.nic}: {row.problem}" for row in sample.nics if row.problem]
    return lines


def _balance(sample: Sample) -> list[str]:
    ratios = [ratio for _, ratio in sample.of_due]
    if not ratios:
        return []
    name = f"balance of the {len(ratios)} planned NIC(s): "
    due = [row.due for row, _ in sample.of_due]
    if max(due) - min(due) > 1e-9:
        return [f"{name}{min(ratios):.1%} to {max(ratios):.1%} of what each is due"]
    even = 1 / len(ratios)
    return [f"{name}{min(ratios) * even:.1%} to {max(ratios) * even:.1%}, even is {even:.1%}"]


def _show_live(watch: Watch, samples: Iterator[Sample]) -> None:
    screen = Screen(sys.stdout)
    with Live(screen) as live:
        live.show(_lines(screen, watch.summary()))
        _follow(watch, samples, lambda sample: live.show(_lines(screen, sample)))
    say("\n".join(_summary_lines(watch.summary())))


def _lines(screen: Screen, sample: Sample) -> list[str]:
    """Return a sample's table for a terminal, with a bar for each NIC."""
    most = max((row.share for row in sample.nics), default=0.0)
    rows = []
    for row in sample.nics:
        idle = row.nic in sample.idle
        bar = "█" * round(12 * row.share / most) if most else ""
        style = "red" if idle or row.problem else ("" if row.planned else "grey")
        note = row.problem or ("idle" if idle else bar)
        rows.append([Cell(text, style) for text in (*_cells(row), note)])
    rows.append([Cell(text, "bold") for text in (*_total(sample), "")])
    caption = f"{sample.at:.0f} s, Ctrl-C for the summary"
    return [*table(screen, (*_HEAD, ""), rows, left=("NIC", "")), caption, *_process_lines(sample)]
