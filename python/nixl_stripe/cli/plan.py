# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""`nixl-stripe plan`: which NICs, how many rails and which UCX settings, for each GPU."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

from nixl_stripe import _core
from nixl_stripe.cli.command import App, Exit, Option
from nixl_stripe.cli.explain import explained
from nixl_stripe.cli.words import Example, Source, json_text, machine_source
from nixl_stripe.errors import StripeError, UsageError
from nixl_stripe.planning.emit import CLIENTS, emit
from nixl_stripe.planning.plan_schema import PLAN
from nixl_stripe.planning.planner import load, plan
from nixl_stripe.planning.stripe_plan import StripePlan
from nixl_stripe.planning.together import together
from nixl_stripe.terminal import echo
from nixl_stripe.untrusted import Limits, RefusedError, read_file, read_json, schema

#: What `--gpu` says instead of a GPU.
_MEMORY = "none"
#: Of another host's plans: 50 times what 8 GPUs with 32 NICs take, forecasts and all.
_LIMITS = Limits(size=16 << 20, depth=12, items=1_000_000)
_PLANS = schema.sequence(PLAN, 256)
#: GPUs times NICs of plans that are made at once, with the least that a GPU counts as: 16 GPUs with
#: 128 NICs, or 128 GPUs. So many take less than a second; with --explain a quarter of them.
MOST_PAIRS, _LEAST_NICS = 2048, 16


def register(app: App) -> None:
    """Add the verb to `app`."""
    app.command("plan", example="nixl-stripe plan --stripe nearest --gpu 0 --explain")(plan_command)


def plan_command(
    source: Source = None,
    example: Example = None,
    stripe: Annotated[
        str,
        Option(
            metavar="POLICY",
            help=f"{', '.join(policy.word for policy in _core.policy_table())}, a count, or a list "
            "as in NCCL_IB_HCA.",
        ),
    ] = "all",
    gpu: Annotated[
        str | None,
        Option(
            metavar="GPU",
            help="A CUDA ordinal (of another machine: the n-th GPU), a PCI address, or 'none' for "
            "host memory. Default: a plan for each GPU.",
        ),
    ] = None,
    min_rate: Annotated[
        str | None,
        Option(
            "--min-rate-gbps", metavar="GBPS", help="Default: that of the NICs that carry most."
        ),
    ] = None,
    device_list: Annotated[
        str | None, Option(metavar="DEVICES", help="Explicit devices; they win.")
    ] = None,
    calibration: Annotated[
        str | None,
        Option(
            metavar="FILE",
            help="For best: what `nixl-stripe tune` wrote, or off. Default: this machine's own.",
        ),
    ] = None,
    max_rma_rails: Annotated[
        str | None, Option(metavar="RAILS", help="1 to 64 or auto, which is the default.")
    ] = None,
    client: Annotated[
        str | None,
        Option("--emit", metavar="CLIENT", help=f"Print configuration: {', '.join(CLIENTS)}"),
    ] = None,
    peer: Annotated[
        Path | None,
        Option(
            metavar="FILE", help="The other host's `plan --json`; exit code 1 if they do not fit."
        ),
    ] = None,
    explain: Annotated[
        bool,
        Option(
            "--explain",
            help="Forecast the lanes that UCX will use, with the plan and without it, and why it "
            "drops the other NICs. With --peer towards that host, else towards one like this.",
        ),
    ] = False,
    as_json: Annotated[bool, Option("--json", help="Print the plans as JSON.")] = False,
) -> None:
    """Show what the patched backend would do: NICs, rails and UCX settings, for each GPU.

    It is worked out by the code that the backend runs. UCX_* and NIXL_UCX_* in the environment
    count as they would there, unless --source or --example names another machine.
    """
    if client is not None and client not in CLIENTS:
        raise UsageError(f"--emit {client}: accepted: {', '.join(CLIENTS)}")
    try:
        machine = load(machine_source(source, example))
        plans = [
            plan(
                stripe, each, machine, min_rate, device_list, max_rma_rails, calibration=calibration
            )
            for each in _gpus(machine, gpu, MOST_PAIRS // 4 if explain else MOST_PAIRS)
        ]
    except ValueError as error:
        raise UsageError(str(error)) from error
    if example is not None:
        plans = [replace(each, source=f"example {example}") for each in plans]
    others = plans if peer is None else _peer_plans(plans, peer)
    problems = None if peer is None else _problems(plans, others)
    result: dict[str, Any] = {"plans": [each.to_dict() for each in plans]}
    stock = [plan("off", each.gpu, machine, environment=_users_own(machine)) for each in plans]
    result.update(_together(plans, stock))
    if explain:
        for row, mine, theirs, bare in zip(result["plans"], plans, others, stock, strict=True):
            row["forecast"] = explained(mine, theirs, bare)
    if client is not None:
        result["emit"] = emit(plans, client)
    if problems is not None:
        result["peer"] = {"ok": not problems, "problems": problems}
    echo(json_text(result) if as_json else _text(plans, result))
    if problems:
        raise Exit(1)


def _together(plans: list[StripePlan], stock: list[StripePlan]) -> dict[str, Any]:
    """Return what ranks of all GPUs load on each NIC, with the plans and without; {} for one."""
    nics = dict.fromkeys(
        device.partition(":")[0] for each in plans for device in each.devices
    )  # in the plans' order
    mine = together(plans, tuple(nics))
    if mine.ranks < 2:
        return {}
    bare = together(stock, tuple(nics))
    alone = together(stock, tuple(nics), sees_all_gpus=False)
    text = (
        f"together, {mine.ranks} ranks, one for each GPU, load the NICs with (1 = one rank's "
        f"bytes)\n  plan      {mine.describe()}\n  stock     {bare.describe()}"
    )
    if alone != bare:
        text += f"\n  stock     {alone.describe()} where each sees its own GPU alone"
    return {
        "together": {
            "ranks": mine.ranks,
            "plan": dict(mine.loads),
            "stock": dict(bare.loads),
            "stock_own_gpu_alone": dict(alone.loads),
            "text": text,
        }
    }


def _users_own(machine: _core.Machine) -> dict[str, str] | None:
    """Return the environment without our variables: what a stock NIXL would go by."""
    if not machine.is_live:
        return None
    return {key: value for key, value in os.environ.items() if not key.startswith("NIXL_UCX_")}


def _gpus(machine: _core.Machine, wanted: str | None, most: int) -> list[str | None]:
    if wanted == _MEMORY or (wanted is None and not machine.gpus):
        return [None]
    if wanted is not None:
        return [wanted]
    gpus, nics = len(machine.gpus), len(machine.nics)
    if gpus * max(nics, _LEAST_NICS) > most:
        raise UsageError(
            f"a plan for each of {gpus} GPUs and {nics} NICs: accepted: up to {most} pairs, "
            f"and {most // _LEAST_NICS} GPUs; name one GPU with --gpu"
        )
    return [each.pci for each in machine.gpus]


def _text(plans: list[StripePlan], result: dict[str, Any]) -> str:
    parts = [result["emit"]] if "emit" in result else [each.describe() for each in plans]
    parts += [each["forecast"]["text"] for each in result["plans"] if "forecast" in each]
    if "together" in result and "emit" not in result:
        parts.append(result["together"]["text"])
    if "peer" in result:
        problems = result["peer"]["problems"]
        parts.append("\n".join(f"peer: {each}" for each in problems) or "peer: fits")
    return "\n".join(parts)


def _peer_plans(plans: list[StripePlan], path: Path) -> list[StripePlan]:
    others = _read_plans(path)
    if len(plans) != len(others):
        raise StripeError(
            f"--peer {path}: {len(others)} plan(s) there, {len(plans)} here; make both with the "
            "same --stripe and --gpu"
        )
    return others


def _problems(plans: list[StripePlan], others: list[StripePlan]) -> list[str]:
    found = [
        problem
        for here, there in zip(plans, others, strict=True)
        for problem in here.check_peer(there)
    ]
    return list(dict.fromkeys(found))


def _read_plans(path: Path) -> list[StripePlan]:
    try:
        data = read_json(read_file(path, _LIMITS.size), _LIMITS)
        if isinstance(data, dict) and "plans" in data:
            plans = _PLANS(data["plans"], "plans")
        else:
            plans = [PLAN(data, "plan")]
        return [StripePlan.from_dict(each) for each in plans]
    except OSError as error:
        raise UsageError(f"--peer {path}: {error.strerror}") from error
    except (RefusedError, ValueError) as error:
        raise UsageError(
            f"--peer {path}: not what `nixl-stripe plan --json` prints: {error}"
        ) from error
