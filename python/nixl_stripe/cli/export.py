# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""`nixl-stripe export`: what NICs carry, for Prometheus."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from nixl_stripe.cli.command import App, Option
from nixl_stripe.cli.watching import check_times, term_as_interrupt
from nixl_stripe.errors import StripeError, UsageError
from nixl_stripe.lab.remote.address import Address
from nixl_stripe.planning.planner import load, plan
from nixl_stripe.planning.stripe_plan import StripePlan
from nixl_stripe.proof.names import named_nics
from nixl_stripe.proof.sources import SYSFS
from nixl_stripe.terminal import echo

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

#: Loopback: whoever may reach a host's NIC counters is for its administrator to say.
DEFAULT_PORT = 9817
DEFAULT_LISTEN = f"127.0.0.1:{DEFAULT_PORT}"


def register(app: App) -> None:
    """Add the verb to `app`."""
    app.command("export", example="nixl-stripe export --listen 127.0.0.1:9817")(export)


def export(
    listen: Annotated[
        str | None,
        Option(metavar="ADDRESS:PORT", help=f"Serve /metrics there [{DEFAULT_LISTEN}]."),
    ] = None,
    textfile: Annotated[
        Path | None,
        Option(metavar="FILE", help="Write a file for node_exporter's collector instead."),
    ] = None,
    interval: Annotated[
        float, Option(metavar="SECONDS", help="Between two files, 0.1 and more.")
    ] = 15.0,
    duration: Annotated[
        float | None, Option("--for", metavar="SECONDS", help="Stop after that time.")
    ] = None,
    stripe: Annotated[
        str, Option(metavar="POLICY", help="Whose NICs count as planned; as for `plan`.")
    ] = "all",
    gpu: Annotated[
        str | None, Option(metavar="GPU", help="The GPU of that plan; as for `plan`.")
    ] = None,
    nic: Annotated[
        str | None,
        Option("--devices", "--nics", metavar="NAMES", help="Only these, separated by commas."),
    ] = None,
    agents: Annotated[
        Path | None,
        Option(
            metavar="FOLDER", help="Join the files of stripe_metrics there (*.prom), each agent's."
        ),
    ] = None,
    expect_nics: Annotated[
        int | None,
        Option("--expect-nics", metavar="N", help="Planned NICs with a link, at least: an alert."),
    ] = None,
    expect_stripe: Annotated[
        bool,
        Option(
            "--expect-stripe",
            help="The planned NICs serve striped NIXL alone: one that is left out is an alert.",
        ),
    ] = False,
    sysfs: Annotated[
        Path, Option(metavar="PATH", help="Root of another sysfs.", hidden=True)
    ] = SYSFS,
) -> None:
    """Export bytes, errors and state of each NIC, the plan and agents, for Prometheus.

    Needs no rights. It listens on loopback unless told otherwise: there is no encryption and no
    password. Ctrl-C ends it. NICs may come and go, and there may be none.
    """
    if listen is not None and textfile is not None:
        raise UsageError("--listen and --textfile: give one of them")
    if textfile is not None and textfile.suffix != ".prom":
        raise UsageError(f"--textfile {textfile}: accepted are names that end in .prom")
    if expect_nics is not None and expect_nics < 1:
        raise UsageError(f"--expect-nics {expect_nics}: accepted are 1 and more")
    check_times(interval, duration)
    where = Address.parse(listen or DEFAULT_LISTEN, "--listen", DEFAULT_PORT, least=0)
    end = None if duration is None else time.monotonic() + duration
    with term_as_interrupt():
        # Interrupted before it serves it has not done what was asked: 130, as for other verbs.
        registry = _registry(stripe, gpu, nic, sysfs, (expect_nics, expect_stripe))
        if agents is not None:
            _join(registry, agents)
        try:
            if textfile is None:
                _serve(registry, where, end)
            else:
                _write(registry, textfile, interval, end)
        except KeyboardInterrupt:
            pass


def _registry(
    stripe: str,
    gpu: str | None,
    nics: str | None,
    sysfs: Path,
    expected: tuple[int | None, bool],
) -> CollectorRegistry:
    try:
        from prometheus_client import CollectorRegistry
    except ImportError:
        raise StripeError(
            "export needs prometheus_client, which is not installed: "
            "pip install 'nixl-stripe[metrics]'"
        ) from None
    from nixl_stripe.proof.metrics import Expected, NicCollector

    def make_plan() -> StripePlan:
        return plan(stripe, gpu, load(None if sysfs == SYSFS else sysfs))

    given = None if nics is None else named_nics(nics)
    try:
        collector = NicCollector(make_plan, given, sysfs, Expected(*expected))
    except ValueError as error:
        raise UsageError(str(error)) from error
    registry = CollectorRegistry()
    registry.register(collector)
    return registry


def _join(registry: CollectorRegistry, folder: Path) -> None:
    from nixl_stripe.proof.agent_metrics import AgentCollector

    def say(name: str, why: str) -> None:
        echo(f"--agents: {name} is refused: {why}", err=True)

    registry.register(AgentCollector(folder, say))


def _serve(registry: CollectorRegistry, where: Address, end: float | None) -> None:
    from nixl_stripe.proof.metrics_server import MetricsServer

    try:
        server = MetricsServer(registry, where.host, where.port)
    except OSError as error:
        raise StripeError(f"--listen {where}: {error.strerror}") from error
    echo(f"http://{Address(where.host, server.port)}/metrics", err=True)
    try:
        server.thread.join(None if end is None else max(0.0, end - time.monotonic()))
    finally:
        server.stop()


def _write(registry: CollectorRegistry, textfile: Path, interval: float, end: float | None) -> None:
    """Write the file again and again; after the first time no full disk ends it."""
    from nixl_stripe.proof.text_file import TextFile

    file = TextFile(textfile, registry, interval)
    pause = threading.Event()
    has_written, problem = False, ""
    while True:
        before, problem = problem, file.write()
        if problem and not has_written:
            raise StripeError(f"--textfile {textfile}: {problem}")
        if problem != before:
            what = problem or "it is written again"
            echo(f"--textfile {textfile}: {what}", err=True)
        has_written = True
        left = interval if end is None else min(interval, end - time.monotonic())
        if left <= 0:
            return
        pause.wait(left)
