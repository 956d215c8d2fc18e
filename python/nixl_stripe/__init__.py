# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Every NIC for NIXL: rail count and NIC set as backend parameters, and proof of their use."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from nixl_stripe._core import Machine, __version__
from nixl_stripe.nic_pin import from_env
from nixl_stripe.planner import plan
from nixl_stripe.stripe_plan import StripePlan
from nixl_stripe.sysfs_capture import capture
from nixl_stripe.topology import machine

if TYPE_CHECKING:
    from nixl_stripe.agent import nixl_agent, nixl_agent_config
    from nixl_stripe.proof.striped import assert_striped
    from nixl_stripe.proof.traffic import counters

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
]

#: Names by their modules, which are imported when a name is first used: some of them need NIXL,
#: and importing nixl_stripe must not.
_LATER = {
    "assert_striped": "nixl_stripe.proof",
    "counters": "nixl_stripe.proof",
    "nixl_agent": "nixl_stripe.agent",
    "nixl_agent_config": "nixl_stripe.agent",
}


def __getattr__(name: str) -> Any:
    if name in _LATER:
        return getattr(importlib.import_module(_LATER[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER})
