# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""`nixl-stripe bench`: a command for each benchmark of `nixl_stripe.bench`, and their plots."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from nixl_stripe.cli.bench_run import Run
from nixl_stripe.cli.command import App, Argument, Option
from nixl_stripe.cli.link import MaxBytes, TokenFile
from nixl_stripe.cli.words import size_option
from nixl_stripe.errors import UsageError
from nixl_stripe.terminal import echo
from nixl_stripe.versions import NEWEST_REQUIREMENT

Say = Callable[[str], None]
PeerName = Annotated[
    str | None,
    Option("--peer", metavar="mooncake", help="Beside NIXL in the same run; --bed rdma."),
]
_NIXL = NEWEST_REQUIREMENT
#: The build that needs no CUDA; the extra `peer` names it too.
_MOONCAKE = "mooncake-transfer-engine-non-cuda==0.3.13.post1"


def register(app: App) -> None:
    """Add the verb to `app`."""
    about = "Measure striping on a test bed of this machine, or between two hosts."
    bench = App("bench", about, "nixl-stripe bench rails --nics 8")
    for function in (rails, refit, sizes, latency, many, peers, registration, agent, fail):
        name = _name(function)
        bench.command(name, _EXAMPLES[name])(_with_common(function))
    bench.command("plot", "nixl-stripe bench plot rails.json --out pictures")(plot)
    app.add(bench)


_EXAMPLES = {
    "rails": "nixl-stripe bench rails --nics 8 --mbit 400 --save rails.json",
    "refit": "nixl-stripe bench refit --bed rdma --op read",
    "sizes": "nixl-stripe bench sizes --start-size 64K --size 256M",
    "latency": "nixl-stripe bench latency --size 4096",
    "many": "nixl-stripe bench many --tensors 290",
    "peers": "nixl-stripe bench peers --bed rdma",
    "register": "nixl-stripe bench register --size 1G",
    "agent": "nixl-stripe bench agent --agents 15",
    "fail": "nixl-stripe bench fail --cuts 20 --seed 1 --resume rows.json",
}


def _name(function: Callable[..., Any]) -> str:
    return "register" if function is registration else function.__name__


def _common(
    *,
    bed: Annotated[
        str, Option(metavar="tcp|rdma", help="veth rails, or QEMU guests with Soft-RoCE.")
    ] = "tcp",
    nics: Annotated[int, Option(help="NICs of the bed, 1 to 64 (tcp) or 8 (rdma).")] = 4,
    mbit: Annotated[
        float | None, Option(help="Limit of each NIC, Mbit/s; 0: none. [tcp 800, rdma 20]")
    ] = None,
    op: Annotated[
        list[str] | None,
        Option(metavar="read|write|both", help="May be repeated. Default: both; over TCP write."),
    ] = None,
    rounds: Annotated[int, Option(help="Fresh process pairs of each case.")] = 3,
    repeats: Annotated[int, Option(help="Measured transfers in each.")] = 5,
    warmup: Annotated[int, Option(help="Transfers before them.")] = 1,
    memory: Annotated[str, Option(metavar="dram|vram", help="Where the buffers are.")] = "",
    nixl: Annotated[
        str,
        Option(
            "--nixl-wheel",
            "--nixl",
            help="What pip downloads and nixl-stripe patches, or a wheel file.",
        ),
    ] = _NIXL,
    stock: Annotated[
        Path | None,
        Option(
            "--stock-folder", "--stock", help="An unpacked stock NIXL, instead of --nixl-wheel."
        ),
    ] = None,
    patched: Annotated[
        Path | None,
        Option("--patched-folder", "--patched", help="The same NIXL, patched."),
    ] = None,
    mooncake: Annotated[
        str, Option(help="The same for a peer, unless it is installed; or a wheel file.")
    ] = _MOONCAKE,
    cache: Annotated[
        Path | None,
        Option(help="For downloads and installs [~/.cache/nixl-stripe/bench]."),
    ] = None,
    listen: Annotated[
        str | None,
        Option(metavar="HOST:PORT", help="Two hosts: be the target of one run."),
    ] = None,
    connect: Annotated[
        str | None,
        Option(metavar="HOST:PORT", help="Two hosts: lead a run with the one that listens."),
    ] = None,
    ranks: Annotated[
        bool,
        Option("--ranks", help="The same, roles by torchrun's, Slurm's or Kubernetes' rank."),
    ] = False,
    token_file: TokenFile = None,
    max_bytes: MaxBytes = None,
    save: Annotated[Path | None, Option(metavar="FILE", help="Write the JSON here.")] = None,
    as_json: Annotated[bool, Option("--json", help="Print JSON, no table.")] = False,
) -> None:
    """Carry the options of every benchmark: a signature, never called."""


def _with_common(function: Callable[..., dict[str, Any]]) -> Any:
    """Return a command with the function's options and the common ones, which prints its result."""
    common = inspect.signature(_common, eval_str=True).parameters
    own = {
        name: parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        for name, parameter in inspect.signature(function, eval_str=True).parameters.items()
        if name != "run"
    }

    def run_it(**given: Any) -> None:
        mine = {name: given.pop(name) for name in own}
        run = Run(**given)
        if run.served():
            return
        run.print(function(run, **mine), _name(function))

    signature = inspect.Signature([*own.values(), *common.values()])
    command: Any = run_it
    command.__doc__ = function.__doc__
    command.__signature__ = signature
    command.__annotations__ = {p.name: p.annotation for p in signature.parameters.values()}
    return command


def rails(
    run: Run,
    size: Annotated[int | None, size_option("--size", "Of one transfer.")] = None,
    peer: PeerName = None,
) -> dict[str, Any]:
    """Gbit/s and bytes by NIC for 1, 2, ... N NICs, and for stock NIXL."""
    return run.measure("rails", peer, size=size)


def refit(
    run: Run,
    scale: Annotated[float | None, Option(help="Factor on 8.04 GB. [by the bed's rates]")] = None,
    peer: PeerName = None,
) -> dict[str, Any]:
    """290 tensors of Qwen3-4B, three cycles: allocation, registration and pull, cold and warm."""
    return run.measure("refit", peer, scale=scale)


def sizes(
    run: Run,
    start: Annotated[int, size_option("--start-size", "Smallest buffer.")] = 4096,
    stop: Annotated[int | None, size_option("--size", "Largest buffer.")] = None,
) -> dict[str, Any]:
    """Bandwidth and latency of one buffer, 4 KiB to 256 MiB, striped against one NIC."""
    return run.measure("sizes", start=start, stop=stop)


def latency(
    run: Run,
    size: Annotated[int, size_option("--size", "Of one transfer.")] = 4096,
    with_resume: Annotated[
        bool, Option(help="Compare all with and without on_nic_loss=resume instead.")
    ] = False,
) -> dict[str, Any]:
    """Latency of one small transfer: one rail, two and all, in turn in one process."""
    return run.measure("latency", size=size, with_resume=with_resume)


def many(
    run: Run,
    setting: Annotated[
        list[str] | None,
        Option(metavar="KEY=VALUE", help="One more case: striped with this UCX setting."),
    ] = None,
    tensors: Annotated[int, Option(help="How many at once.")] = 290,
    peer: PeerName = None,
) -> dict[str, Any]:
    """Many small tensors at once: how evenly the NICs share them, and the rate."""
    return run.measure("many", peer, settings=tuple(setting or ()), count=tensors)


def peers(
    run: Run,
    tensors: Annotated[int, Option(help="How many small ones at once.")] = 290,
) -> dict[str, Any]:
    """Do the same work by stripe, NIXL's own settings and Mooncake; needs --bed rdma."""
    return run.measure("peers", "mooncake", count=tensors)


def registration(
    run: Run,
    total: Annotated[int, size_option("--size", "Registered in all.")] = 64 << 20,
) -> dict[str, Any]:
    """Time to register memory against NICs, regions and bytes."""
    return run.measure("register", total=total)


def fail(
    run: Run,
    cuts: Annotated[int, Option(help="Of each mode.")] = 20,
    seed: Annotated[int, Option(help="Of the cuts: the same ones for the same seed.")] = 0,
    mode: Annotated[
        list[str] | None,
        Option(metavar="stock|error|failover|resume", help="May be repeated. [stock, error]"),
    ] = None,
    resume: Annotated[
        Path | None,
        Option(metavar="FILE", help="Keep rows here after each cut, and go on from them."),
    ] = None,
) -> dict[str, Any]:
    """NICs are lost in the middle of transfers: what arrives, what ends in an error, what hangs."""
    modes = tuple(mode or ("stock", "error"))
    return run.measure("fail", cuts=cuts, seed=seed, modes=modes, resume=resume)


def agent(
    run: Run,
    agents: Annotated[int, Option(help="Backends a process.")] = 15,
    module: Annotated[str, Option(help="Import name of the NIXLs.")] = "nixl_cu12",
) -> dict[str, Any]:
    """Time to create a UCX backend, stock against patched; needs no bed."""
    from nixl_stripe.bench import agent as creation

    options = run.options
    if agents < 1:
        raise UsageError(f"--agents {agents}: accepted are 1 and more")
    with run.progress() as say:
        stock, patched = run.folders(say)
        return creation.measure(stock, patched, module, options.rounds, agents, say)


def plot(
    files: Annotated[list[Path], Argument(help="What `bench ... --save` wrote.")],
    out: Annotated[Path, Option("--out", help="Folder of the pictures.")] = Path(),
) -> None:
    """Draw results: scaling, cold and warm cycles, shares by NIC, size sweep."""
    from nixl_stripe.bench.plots import draw_file

    for file in files:
        for path in draw_file(file, out):
            echo(path)
