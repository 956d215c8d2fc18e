# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""`nixl-stripe tune`: measures which NICs carry most together, for `stripe=best`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from nixl_stripe.cli import link
from nixl_stripe.cli.command import App, Option
from nixl_stripe.cli.link import MaxBytes, TokenFile
from nixl_stripe.cli.stopping import stoppable
from nixl_stripe.cli.words import json_text
from nixl_stripe.errors import StripeError, UsageError
from nixl_stripe.terminal import echo, progress

if TYPE_CHECKING:
    from nixl_stripe import _core


def register(app: App) -> None:
    """Add the verb to `app`."""
    app.command("tune", example="nixl-stripe tune --connect HOST")(tune)


def tune(
    listen: Annotated[
        str | None, Option(metavar="HOST:PORT", help="Be the target of one run.")
    ] = None,
    connect: Annotated[
        str | None,
        Option(metavar="HOST:PORT", help="Measure this host, with the one that listens."),
    ] = None,
    budget: Annotated[int, Option(metavar="N", help="Most measurements.")] = 200,
    out: Annotated[
        Path | None,
        Option(
            "--out", metavar="FILE", help="The calibration [~/.config/nixl-stripe/calibration]."
        ),
    ] = None,
    token_file: TokenFile = None,
    max_bytes: MaxBytes = None,
    as_json: Annotated[bool, Option("--json", help="Print JSON, no table.")] = False,
) -> None:
    """Measure what NICs carry alone and together, and keep it for `stripe=best`.

    Host memory is measured, by transfers of NIXL to a host that is built the same: its NICs have
    the same names. Each measurement is a fresh pair of processes and takes some seconds.
    """
    if (listen is None) == (connect is None):
        raise UsageError("tune: accepted is one of --listen and --connect")
    if listen is not None:
        _serve(listen, token_file, link.max_bytes(max_bytes), as_json)
        return
    from nixl_stripe.wheel.written import own_calibration

    place = (out or own_calibration()).absolute()
    data = _measured(connect or "", token_file, budget, place)
    echo(json_text(data) if as_json else _text(data, place))


def _serve(listen: str, token_file: Path | None, most: int, as_json: bool) -> None:
    from nixl_stripe.bench.hosts import serve
    from nixl_stripe.lab.remote import Address

    where = Address.parse(listen, "--listen")
    with stoppable(), progress() as say:
        cases = serve(where, link.listener_token(token_file), say, max_bytes=most)
    echo(json_text({"cases": cases}, None) if as_json else f"{cases} measurements")


def _measured(connect: str, token_file: Path | None, budget: int, place: Path) -> dict[str, Any]:
    """Measure, write the calibration, and return it as JSON data."""
    from nixl_stripe.bench import hosts, tune
    from nixl_stripe.lab.remote import Address
    from nixl_stripe.planning.planner import load

    address = Address.parse(connect, "--connect")
    token = link.connecting_token(token_file)
    machine = load(None)
    with stoppable(), progress() as say:
        try:
            with hosts.connect(address, token) as bed:
                made, count = tune.measure(bed, machine, say, budget)
        except ValueError as error:
            raise UsageError(f"--budget {budget}: {error}") from error
    _write(place, made, count)
    return {**tune.document(machine, made), "measurements": count, "file": str(place)}


def _write(place: Path, made: _core.Calibration, count: int) -> None:
    from nixl_stripe._core import __version__
    from nixl_stripe.proof.replacing import replace

    first, _, rest = made.text().partition("\n")
    day = time.strftime("%Y-%m-%d", time.gmtime())
    text = f"{first}\n# nixl-stripe {__version__}, {day}, {count} measurements\n{rest}"
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        replace(place, text.encode(), 0o644)
    except OSError as error:
        raise StripeError(f"{place}: {error.strerror}") from error


def _text(data: dict[str, Any], place: Path) -> str:
    """Return each NIC alone, the best set and all NICs, a line each."""
    rows = {tuple(row["devices"]): row for row in data["measured"]}
    lines = [f"  {', '.join(nics)}: {_rate(row)}" for nics, row in rows.items() if len(nics) == 1]
    every = max(rows, key=len)
    best = data["sets"]["host"]
    lines.append(f"  together {len(every)} NICs: {_rate(rows[every])}")
    lines.append(
        f"  best {len(best['devices'])} NICs: {best['gbps']:.3g} Gbit/s over "
        f"{', '.join(best['devices'])}"
    )
    title = f"host memory, {data['measurements']} measurements; stripe=best reads {place}"
    return "\n".join([title, *lines])


def _rate(row: dict[str, Any]) -> str:
    read = row["read_gbps"]
    write = f"WRITE {row['write_gbps']:.3g}"
    return f"{write} Gbit/s" if read is None else f"{write}, READ {read:.3g} Gbit/s"
