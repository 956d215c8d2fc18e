# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""ModelExpress's variables, MX_RDMA_NIC_PIN and MX_RDMA_NIC_PIN_MIN_RATE_GBPS, as a plan."""

from __future__ import annotations

import dataclasses
import logging
import os
from collections.abc import Mapping

from nixl_stripe import _core
from nixl_stripe.planning.planner import MachineSource, plan
from nixl_stripe.planning.stripe_plan import StripePlan
from nixl_stripe.untrusted import one_line

PIN = "MX_RDMA_NIC_PIN"
MIN_RATE = "MX_RDMA_NIC_PIN_MIN_RATE_GBPS"

_OFF = frozenset({"", "off", "0", "false", "no"})
_ALL = frozenset({"stripe", "all"})
_AUTO = frozenset({"auto", "1", "true", "yes", "on"})

#: Characters of a warning, with a list of NICs in it.
_LONGEST = 8192

logger = logging.getLogger("nixl_stripe")


def asks_for_every_nic(environment: Mapping[str, str]) -> bool:
    """Return whether MX_RDMA_NIC_PIN is `stripe` or `all`."""
    return environment.get(PIN, "").strip().lower() in _ALL


def from_env(
    environment: Mapping[str, str] | None = None,
    *,
    machine: MachineSource = None,
    gpu: int | str | None = None,
) -> StripePlan:
    """Make the plan that ModelExpress's variables ask for.

    MX_RDMA_NIC_PIN is `stripe` or `all` (every usable NIC), `auto` (one NIC by affinity, as is any
    of ModelExpress's words for yes), a list with one NIC for each CUDA device (a list of one is
    for every device), or `off`, which is the default. MX_RDMA_NIC_PIN_MIN_RATE_GBPS is the lowest
    port rate; one that is not finite and >= 0 is reported and the fastest rate present counts.

    gpu: as in `plan`; `auto` and a list of several need it.
    ValueError: a GPU that is needed and not known, or a device that does not exist.
    """
    variables = os.environ if environment is None else environment
    raw = variables.get(PIN, "").strip()
    warnings: list[str] = []
    if raw.lower() in _OFF:
        stripe = "off"
    elif asks_for_every_nic(variables):
        stripe = "all"
    elif raw.lower() in _AUTO:
        stripe = "auto"
    else:
        stripe = _device_of(raw, gpu, warnings)
    is_policy = stripe in ("all", "auto")
    min_rate = _min_rate(variables.get(MIN_RATE, ""), warnings) if is_policy else None
    made = plan(stripe, gpu, machine, min_rate_gbps=min_rate, environment=variables)
    shown = [one_line(each, _LONGEST) for each in warnings]  # they repeat what the variables hold
    for warning in shown:
        logger.warning("%s", warning)
    return dataclasses.replace(made, warnings=(*shown, *made.warnings))


def _device_of(raw: str, gpu: int | str | None, warnings: list[str]) -> str:
    """Return `stripe` for the entry that is the GPU's own."""
    entries = [entry.strip() for entry in raw.split(",") if entry.strip()]
    if len(entries) == 1:
        return f"={entries[0]}"
    if gpu is None or not str(gpu).isdecimal():
        raise ValueError(
            f"{PIN}='{raw}' has one NIC for each CUDA device; accepted with it: gpu=0 to "
            f"{len(entries) - 1}, the ordinal of this process's device"
        )
    if int(gpu) >= len(entries):
        warnings.append(f"{PIN}='{raw}' has no entry for CUDA device {gpu}: nothing is pinned")
        return "off"
    return f"={entries[int(gpu)]}"


def _min_rate(raw: str, warnings: list[str]) -> float | None:
    text = raw.strip()
    if not text:
        return None
    try:
        return _core.parse_min_rate(MIN_RATE, text)
    except ValueError as error:
        warnings.append(f"{error}; the fastest rate present counts")
        return None
