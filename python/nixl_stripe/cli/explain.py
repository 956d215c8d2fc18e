# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What `nixl-stripe plan --explain` adds: lanes that UCX will use, and `all` beside `best`."""

from __future__ import annotations

from typing import Any

from nixl_stripe.planning.forecast import Forecast, Memory
from nixl_stripe.planning.parts import gbps_text
from nixl_stripe.planning.sets import SetRate, compared_sets
from nixl_stripe.planning.stripe_plan import StripePlan


def explained(here: StripePlan, there: StripePlan, stock: StripePlan) -> dict[str, Any]:
    """Return forecasts of READ and WRITE from `here` to `there`, and of stock NIXL, as JSON data.

    `text` has the same for people. Memory is the GPU's where the plans have one.
    """
    memory: Memory = "vram" if here.gpu is not None and there.gpu is not None else "dram"
    if not here.ports or not there.ports:
        side = here if not here.ports else there
        return {"text": f"no forecast: {side.source} has no usable network device"}
    read, write = here.forecast(memory, "read", there), here.forecast(memory, "write", there)
    bare = stock.forecast(memory, "write")
    data: dict[str, Any] = {
        "read": read.to_dict(),
        "write": write.to_dict(),
        "stock": bare.to_dict(),
    }
    title = f"GPU {here.gpu}" if here.gpu else "host memory"
    parts = [f"forecast for {title} ({_rate(write)}; stock NIXL {_rate(bare)})", write.describe()]
    if (read.lanes, read.protocol) != (write.lanes, write.protocol):
        parts.append(read.describe())
    parts.append(f"without the plan: {bare.describe()}")
    parts += [f"UCX's limit of {line}" for line in here.limits]
    sets = compared_sets(here)
    parts += _set_lines(sets, here)
    data["sets"] = [each.to_dict() for each in sets]
    return {**data, "limits": list(here.limits), "text": "\n".join(parts)}


def _set_lines(sets: tuple[SetRate, ...], plan: StripePlan) -> list[str]:
    """Return what each policy takes and carries; why NICs are left out unless the plan says it."""
    if not sets:
        return []
    by = "as measured" if any(each.measured for each in sets) else "by the model of its links"
    lines = [f"divided over the NICs as UCX does, {by}:"]
    for each in sets:
        lines.append(f"  {each.describe()}")
        if plan.devices != each.devices:
            lines += [f"    not {nics}: {why}" for nics, why in each.reasons()]
    return lines


def _rate(forecast: Forecast) -> str:
    count = f"{len(forecast.lanes)} NIC(s)"
    gbps = forecast.ceiling_gbps
    return count if gbps is None else f"{count}, at most {gbps_text(gbps)}"
