# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""`nixl-stripe export`: what NICs carry, for Prometheus."""

from __future__ import annotations

import ipaddress
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import click

from nixl_stripe.cli.command import App, Option
from nixl_stripe.errors import StripeError, UsageError
from nixl_stripe.planning.planner import load, plan
from nixl_stripe.proof.sources import SYSFS
from nixl_stripe.proof.watch import nics_to_watch

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

#: Loopback: whoever may reach a host's NIC counters is for its administrator to say.
DEFAULT_LISTEN = "127.0.0.1:9817"


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
    sysfs: Annotated[
        Path, Option(metavar="PATH", help="Root of another sysfs.", hidden=True)
    ] = SYSFS,
) -> None:
    """Export bytes, errors and state of each NIC, the plan and agents, for Prometheus.

    Needs no rights. It listens on loopback unless told otherwise: there is no encryption and no
    password. Ctrl-C ends it.
    """
    if listen is not None and textfile is not None:
        raise UsageError("--listen and --textfile: give one of them")
    if interval < 0.1:
        raise UsageError(f"--interval {interval:g}: accepted are 0.1 seconds and more")
    if duration is not None and duration <= 0:
        raise UsageError(f"--for {duration:g}: accepted are times above 0 seconds")
    address, port = _address(listen or DEFAULT_LISTEN)
    registry = _registry(stripe, gpu, nic, sysfs)
    if agents is not None:
        _join(registry, agents)
    end = None if duration is None else time.monotonic() + duration
    try:
        if textfile is None:
            _serve(registry, address, port, end)
        else:
            _write(registry, textfile, interval, end)
    except KeyboardInterrupt:
        return


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    try:
        address = str(ipaddress.ip_address(host.strip("[]")))
        number = int(port) if port.isascii() and port.isdigit() else -1
    except ValueError:
        number = -1
    if not 0 <= number <= 65535:
        raise UsageError(
            f"--listen {text!r}: accepted are ADDRESS:PORT, such as {DEFAULT_LISTEN}, "
            "0.0.0.0:9817 or [::]:9817"
        )
    return address, number


def _registry(stripe: str, gpu: str | None, nics: str | None, sysfs: Path) -> CollectorRegistry:
    try:
        from prometheus_client import CollectorRegistry
    except ImportError:
        raise StripeError(
            "export needs prometheus_client, which is not installed: "
            "pip install 'nixl-stripe[metrics]'"
        ) from None
    from nixl_stripe.proof.metrics import NicCollector

    try:
        found = plan(stripe, gpu, load(None if sysfs == SYSFS else sysfs))
    except ValueError as error:
        raise UsageError(str(error)) from error
    registry = CollectorRegistry()
    registry.register(NicCollector(nics_to_watch(found.devices, nics, sysfs), found, sysfs))
    return registry


def _join(registry: CollectorRegistry, folder: Path) -> None:
    from nixl_stripe.proof.agent_metrics import AgentCollector

    collector = AgentCollector(folder)
    for name, why in collector.read().refused.items():
        click.echo(f"--agents: {name} is refused: {why}", err=True)
    registry.register(collector)


def _serve(registry: CollectorRegistry, address: str, port: int, end: float | None) -> None:
    from nixl_stripe.proof.metrics_server import MetricsServer

    try:
        server = MetricsServer(registry, address, port)
    except OSError as error:
        raise StripeError(f"--listen {address}:{port}: {error.strerror}") from error
    shown = f"[{address}]" if ":" in address else address
    click.echo(f"http://{shown}:{server.port}/metrics", err=True)
    try:
        server.thread.join(None if end is None else max(0.0, end - time.monotonic()))
    finally:
        server.stop()


def _write(registry: CollectorRegistry, textfile: Path, interval: float, end: float | None) -> None:
    from prometheus_client import write_to_textfile

    pause = threading.Event()
    while True:
        try:
            write_to_textfile(str(textfile), registry)
        except OSError as error:
            raise StripeError(f"--textfile {textfile}: {error.strerror}") from error
        left = interval if end is None else min(interval, end - time.monotonic())
        if left <= 0:
            return
        pause.wait(left)
