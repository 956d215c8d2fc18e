# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""`nixl-stripe fleet`: every pair of a job's hosts through NIXL, and from that to the culprit."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from nixl_stripe.cli.command import App, Exit, Option
from nixl_stripe.cli.link import TokenFile
from nixl_stripe.cli.nixl_options import pairs, which_nixl
from nixl_stripe.cli.stopping import stoppable
from nixl_stripe.cli.verify import MemoryChoice, OpChoice
from nixl_stripe.cli.words import json_text, size_option
from nixl_stripe.errors import UsageError
from nixl_stripe.terminal import echo, progress

if TYPE_CHECKING:
    from nixl_stripe.fleet.run import Wish
    from nixl_stripe.lab.remote import Token

_SIZE = 64 << 20


def register(app: App) -> None:
    """Add the verb to `app`."""
    app.command("fleet", example="nixl-stripe fleet --rank 0 --ranks 8 --hub HOST:18517")(
        fleet_command
    )


def fleet_command(
    rank: Annotated[
        int | None, Option(min=0, metavar="N", help="Of this host; 0 is the hub [the engine's].")
    ] = None,
    ranks: Annotated[
        int | None, Option(min=2, metavar="N", help="Hosts of the fleet [the engine's].")
    ] = None,
    hub: Annotated[
        str | None, Option(metavar="HOST:PORT", help="Where rank 0 listens [the engine's].")
    ] = None,
    stripe: Annotated[
        str | None, Option(metavar="POLICY", help="Backend parameter stripe of all hosts [all].")
    ] = None,
    param: Annotated[
        list[str] | None, Option("--param", metavar="KEY=VALUE", help="Another parameter.")
    ] = None,
    op: Annotated[
        OpChoice | None,
        Option(case_sensitive=False, help="Default: both; write where all NICs are TCP's."),
    ] = None,
    memory: Annotated[MemoryChoice, Option(help="Of all hosts.")] = MemoryChoice.DRAM,
    size: Annotated[int | None, size_option("--size", "Of a transfer: 16M, 1G [64M].")] = None,
    sample: Annotated[
        int | None,
        Option(min=1, metavar="CULPRITS", help="Only rounds enough to find so many bad hosts."),
    ] = None,
    seed: Annotated[int, Option(min=0, metavar="N", help="Of the order that --sample draws.")] = 0,
    nixl: Annotated[
        list[str] | None,
        Option(metavar="WHERE", help="A package name or a folder with an unpacked wheel."),
    ] = None,
    token_file: TokenFile = None,
    timeout: Annotated[float, Option(metavar="SECONDS", help="For each transfer.")] = 20.0,
    wait: Annotated[
        float, Option(metavar="SECONDS", help="For all hosts to come; then without the others.")
    ] = 120.0,
    junit: Annotated[
        Path | None, Option(metavar="FILE", help="Rank 0: write the findings as JUnit's XML too.")
    ] = None,
    html: Annotated[
        Path | None, Option(metavar="FILE", help="Rank 0: write a page with a heat map too.")
    ] = None,
    compare: Annotated[
        Path | None, Option(metavar="OLD.json", help="Rank 0: say what changed since that run.")
    ] = None,
    as_json: Annotated[bool, Option("--json", help="Rank 0: print the result as JSON.")] = False,
) -> None:
    """Check every pair of a job's hosts through NIXL, and name what is wrong.

    One worker a host, started by Slurm, torchrun, a Kubernetes Indexed Job or by hand. Before any
    byte, versions, patches, plans and settings of all hosts are compared; then each two of them
    meet once, bytes are compared and counted for each NIC, and what is slow is measured again. Exit
    code 1 when something was found. All ranks need the same token (NIXL_STRIPE_TOKEN); what is to
    be moved is rank 0's to say.
    """
    from nixl_stripe.fleet import rank as ranks_of
    from nixl_stripe.fleet.outputs import Outputs
    from nixl_stripe.fleet.run import Wish, take_part

    me = ranks_of.find(os.environ, rank, ranks, hub)
    for name, seconds in (("--timeout", timeout), ("--wait", wait)):
        if seconds <= 0:
            raise UsageError(f"{name} {seconds:g}: accepted are times above 0 seconds")
    parameters = {**({"stripe": stripe} if stripe else {}), **pairs("--param", param)}
    wish = Wish(
        ops=None if op is None else ("READ", "WRITE") if op is OpChoice.BOTH else (op.upper(),),
        size=size or _SIZE,
        memory=memory.value,
        params=parameters or {"stripe": "all"},
        limit_s=timeout,
        wait_s=wait,
        culprits=sample,
        seed=seed,
        outputs=Outputs(junit, html),
        compare=compare,
    )
    with stoppable(), progress(f"fleet, rank {me.number}: ") as say:
        data = take_part(me, _token(token_file), which_nixl(nixl, "fleet"), wish, say)
    _finish(data, wish, as_json)


def _token(file: Path | None) -> Token:
    from nixl_stripe.lab.remote import Token

    found = Token.find(file)
    if found is None:
        raise UsageError(
            "no token: give every rank the same one, by NIXL_STRIPE_TOKEN=... or --token-file "
            "FILE; make one with: openssl rand -base64 24"
        )
    return found


def _finish(data: dict[str, Any], wish: Wish, as_json: bool) -> None:
    """Show rank 0's result; the others end with its verdict."""
    from nixl_stripe.fleet.report import text_of

    if "findings" in data:
        wish.outputs.write(data)
        echo(json_text(data) if as_json else text_of(data))
    if not data["ok"]:
        raise Exit(1)
