# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Every NIC for NIXL: rail count and NIC set as backend parameters, and proof of their use."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nixl_stripe._core import Machine, __version__
    from nixl_stripe.agents.agent import nixl_agent, nixl_agent_config
    from nixl_stripe.planning import traps
    from nixl_stripe.planning.nic_pin import from_env
    from nixl_stripe.planning.planner import plan
    from nixl_stripe.planning.stripe_plan import StripePlan
    from nixl_stripe.proof.striped import assert_striped
    from nixl_stripe.proof.traffic import counters
    from nixl_stripe.topo.capture import capture
    from nixl_stripe.topo.machine import machine

__all__ = [
    "Machine",
    "StripePlan",
    "__version__",
    "assert_striped",
    "capture",
    "counters",
    "from_env",
    "machine",
    "nixl_agent",
    "nixl_agent_config",
    "plan",
    "traps",
]

#: Names by their modules, which are imported when a name is first used: some of them need NIXL,
#: importing nixl_stripe must not, and no module of ours ever meets a half-imported package.
_HOMES = {
    "Machine": "_core",
    "StripePlan": "planning.stripe_plan",
    "__version__": "_core",
    "assert_striped": "proof.striped",
    "capture": "topo.capture",
    "counters": "proof.traffic",
    "from_env": "planning.nic_pin",
    "machine": "topo.machine",
    "nixl_agent": "agents.agent",
    "nixl_agent_config": "agents.agent",
    "plan": "planning.planner",
    "traps": "planning",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = f"{__name__}.{_HOMES[name]}"
    if name == "traps":
        return importlib.import_module(f"{home}.{name}")
    return getattr(importlib.import_module(home), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
