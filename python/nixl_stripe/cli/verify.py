# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""`nixl-stripe verify`: a real transfer, then proof that every planned NIC carried its share."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from nixl_stripe.cli import link
from nixl_stripe.cli.command import App, Argument, Exit, Option
from nixl_stripe.cli.link import MaxBytes, TokenFile
from nixl_stripe.cli.nixl_options import pairs, which_nixl
from nixl_stripe.cli.stopping import stoppable
from nixl_stripe.cli.words import json_text, size_option
from nixl_stripe.errors import UsageError
from nixl_stripe.terminal import echo, progress

if TYPE_CHECKING:
    from nixl_stripe.lab.beds.base import Bed
    from nixl_stripe.lab.job import Nixl, Op
    from nixl_stripe.verify import Request


class BedChoice(str, Enum):
    """A test bed of the lab."""

    TCP = "tcp"
    RDMA = "rdma"


class MemoryChoice(str, Enum):
    """Which memory both ends use."""

    DRAM = "dram"
    VRAM = "vram"


class OpChoice(str, Enum):
    """Which operations."""

    READ = "read"
    WRITE = "write"
    BOTH = "both"


class Place(str, Enum):
    """Where the bed's GPU sits, seen from the first NIC."""

    SWITCH = "P"
    ROOT = "H"
    NODE = "N"
    SYS = "S"


Say = Callable[[str], None]

_SIZES = {None: 64 << 20, BedChoice.TCP: 64 << 20, BedChoice.RDMA: 4 << 20}


def register(app: App) -> None:
    """Add the verb to `app`."""
    app.command("verify", example="nixl-stripe verify --bed tcp --nics 4")(verify_command)


def verify_command(
    address: Annotated[
        str | None, Argument(metavar="[HOST:PORT]", help="Where --listen listens.")
    ] = None,
    bed: Annotated[
        BedChoice | None, Option(help="Transfer in a bed of the lab that is made for it.")
    ] = None,
    listen: Annotated[
        bool, Option("--listen", help="Be the target for a host that connects [loopback].")
    ] = False,
    connect: Annotated[
        str | None,
        Option(metavar="HOST:PORT", help="Be the initiator towards a host that listens."),
    ] = None,
    stripe: Annotated[
        str | None,
        Option(metavar="POLICY", help="Backend parameter stripe of both ends [all]."),
    ] = None,
    param: Annotated[
        list[str] | None,
        Option("--param", metavar="KEY=VALUE", help="Another backend parameter."),
    ] = None,
    op: Annotated[
        OpChoice | None,
        Option(case_sensitive=False, help="Default: both; over TCP write, read never stripes."),
    ] = None,
    memory: Annotated[MemoryChoice, Option(help="Of both ends.")] = MemoryChoice.DRAM,
    size: Annotated[
        int | None,
        size_option("--size", "Of a buffer: 4096, 64K, 16M, 1G [64M; 4M on --bed rdma]."),
    ] = None,
    buffers: Annotated[int, Option(min=1, help="Of that size, in one transfer.")] = 1,
    repeats: Annotated[int, Option(min=1, max=1000, help="Transfers.")] = 3,
    nics: Annotated[int, Option("--nics", min=1, help="NICs of a bed.")] = 4,
    mbit: Annotated[
        float | None, Option(help="Rate of each NIC of a bed, Mbit/s [tcp 800, rdma 20].")
    ] = None,
    gpu_place: Annotated[
        Place,
        Option(help="GPU of --bed rdma: same switch, same root, same NUMA node, other node."),
    ] = Place.NODE,
    stock: Annotated[
        bool, Option("--stock/--no-stock", help="Also without parameters, for comparison.")
    ] = True,
    nixl: Annotated[
        list[str] | None,
        Option(metavar="WHERE", help="A package name or a folder with an unpacked wheel."),
    ] = None,
    env: Annotated[
        list[str] | None, Option("--env", metavar="KEY=VALUE", help="For both ends.")
    ] = None,
    peer_env: Annotated[
        list[str] | None, Option("--peer-env", metavar="KEY=VALUE", help="For the target.")
    ] = None,
    token_file: TokenFile = None,
    max_bytes: MaxBytes = None,
    timeout: Annotated[
        float, Option(metavar="SECONDS", help="For each transfer and each wait.")
    ] = 60.0,
    report: Annotated[
        Path | None,
        Option(
            metavar="FILE",
            help="Write it too: FILE.html, FILE.json, FILE.junit.xml or FILE.nvsentinel.json.",
        ),
    ] = None,
    expect_nics: Annotated[
        int | None,
        Option("--expect-nics", min=1, metavar="N", help="Fail with fewer NICs in the plan."),
    ] = None,
    as_json: Annotated[bool, Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Transfer for real and prove that every planned NIC carried its share.

    Every byte is compared. UCX's protocol report gives the lanes, the NICs' own counters the bytes;
    exit code 1 when a planned NIC carried less than half of its share, with the likely cause and
    what fixes it. Without --bed, --listen and --connect: two processes of this host.
    """
    chosen = [
        name for name, on in (("--bed", bed), ("--listen", listen), ("--connect", connect)) if on
    ]
    if len(chosen) > 1:
        raise UsageError(f"{' and '.join(chosen)}: accepted is one of them")
    if address is not None and not listen:
        raise UsageError(f"{address!r}: an address stands behind --listen or --connect only")
    if listen and expect_nics is not None:
        raise UsageError(
            "--expect-nics with --listen: it is the connecting side's plan that counts"
        )
    if report is not None:
        from nixl_stripe.verify.report import require_writable

        require_writable(report, is_of_this_host=bed is None and not listen)
    with stoppable(), progress("verify: ") as say, _reported(report):
        parameters = {**({"stripe": stripe} if stripe else {}), **pairs("--param", param)}
        which = which_nixl(nixl, "verify")
        if listen:
            ended = _listen(
                address or "", token_file, link.max_bytes(max_bytes), which, parameters or None, say
            )
            # The initiator's machine is the other one: there is no picture of it here.
            _finish(ended["report"], str(ended["text"]), as_json, report, "")
            return
        request = _request(
            {
                "size": size or _SIZES[bed],
                "buffers": buffers,
                "memory": memory.value,
                "ops": _ops(op),
                "params": parameters or {"stripe": "all"},
                "repeats": repeats,
                "stock": stock,
                "nixl": which,
                "environment": pairs("--env", env),
                "peer_environment": pairs("--peer-env", peer_env),
                "limit_s": timeout,
                "expected_nics": expect_nics,
            }
        )
        if connect is not None:
            place: Bed = _two_hosts(connect, token_file, say)
        else:
            place = _bed(bed, nics, mbit, gpu_place.value, say)
        data, text, picture = _run(request, place, say, report)
    _finish(data, text, as_json, report, picture)


def _run(
    request: Request, bed: Bed, say: Say, report_to: Path | None
) -> tuple[dict[str, Any], str, str]:
    from nixl_stripe.verify import TwoHosts, verify

    with bed:
        report = verify(request, bed, say)
        data, text = report.to_dict(), report.describe()
        if isinstance(bed, TwoHosts):
            bed.finish(data, text)
        picture = "" if report_to is None else _picture(bed)
    return data, text, picture


def _reported(report: Path | None) -> contextlib.AbstractContextManager[None]:
    from nixl_stripe.verify.report import reported

    return reported(report)


def _picture(bed: Bed) -> str:
    from nixl_stripe.verify.report_picture import picture

    return picture(bed)


def _bed(bed: BedChoice | None, nics: int, mbit: float | None, gpu: str, say: Say) -> Bed:
    from nixl_stripe.lab.beds.opening import open_bed
    from nixl_stripe.verify import TwoProcesses

    if bed is None:
        return TwoProcesses()
    if bed is BedChoice.RDMA:
        say("starting two guests (half a minute; the first time, what they need is fetched)")
    return open_bed(bed.value, nics, mbit, gpus=gpu)


def _two_hosts(text: str, token_file: Path | None, say: Say) -> Bed:
    from nixl_stripe.lab.remote import Address
    from nixl_stripe.verify import TwoHosts

    address, token = Address.parse(text, "--connect"), link.connecting_token(token_file)
    say(f"connecting to {address}")
    return TwoHosts(address, token)


def _listen(
    text: str,
    token_file: Path | None,
    most: int,
    nixl: Nixl,
    params: dict[str, str] | None,
    say: Say,
) -> dict[str, Any]:
    from nixl_stripe.lab.remote import Address
    from nixl_stripe.verify import Listener

    address = Address.parse(text, "--listen")
    with Listener(address, link.listener_token(token_file), say, most) as listener:
        say(f"listening on {address}; Ctrl-C ends it")
        return listener.serve(nixl, params)


def _finish(
    data: dict[str, Any], text: str, as_json: bool, report: Path | None, picture: str
) -> None:
    echo(json_text(data) if as_json else text)
    if report is not None:
        from nixl_stripe.verify.report import write

        write(report, data, picture)
    if not data["ok"]:
        raise Exit(1)


def _request(fields: dict[str, Any]) -> Request:
    from nixl_stripe.verify import Request

    if fields["limit_s"] <= 0:
        raise UsageError(f"--timeout {fields['limit_s']:g}: accepted are times above 0 seconds")
    try:
        return Request(**fields)
    except ValueError as error:
        raise UsageError(str(error)) from error


def _ops(choice: OpChoice | None) -> tuple[Op, ...] | None:
    both: tuple[Op, ...] = ("READ", "WRITE")
    if choice is None:
        return None
    return both if choice is OpChoice.BOTH else tuple(o for o in both if o.lower() == choice.value)
