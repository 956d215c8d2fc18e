# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What `nixl-stripe plan --explain` adds: lanes that UCX will use, with a plan and without it."""

from __future__ import annotations

from typing import Any

from nixl_stripe.planning.forecast import Forecast, Memory
from nixl_stripe.planning.parts import gbps_text
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
    data = {"read": read.to_dict(), "write": write.to_dict(), "stock": bare.to_dict()}
    title = f"GPU {here.gpu}" if here.gpu else "host memory"
    parts = [f"forecast for {title} ({_rate(write)}; stock NIXL {_rate(bare)})", write.describe()]
    if (read.lanes, read.protocol) != (write.lanes, write.protocol):
        parts.append(read.describe())
    parts.append(f"without the plan: {bare.describe()}")
    parts += [f"UCX's limit of {line}" for line in here.limits]
    return {**data, "limits": list(here.limits), "text": "\n".join(parts)}


def _rate(forecast: Forecast) -> str:
    count = f"{len(forecast.lanes)} NIC(s)"
    gbps = forecast.ceiling_gbps
    return count if gbps is None else f"{count}, at most {gbps_text(gbps)}"
