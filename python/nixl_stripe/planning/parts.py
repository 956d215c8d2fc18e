# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What a plan is made of: its NICs and its UCX settings, and how another module reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class PlannedNic:
    """A device of a plan with what its counterpart on another host must match."""

    device: str
    """As UCX names it: "mlx5_0:1", or a network interface."""
    rate_gbps: float = 0.0
    """Port rate, Gbit/s; 0 = unknown."""
    link_layer: str = "unknown"
    """"InfiniBand", "Ethernet", "EFA" or "unknown"."""
    subnets: tuple[str, ...] = ()
    """Networks that it is in: "192.168.1.0/24", or an InfiniBand subnet prefix "fe80::/64"."""


@dataclass(frozen=True)
class PlannedSetting:
    """One UCX setting: the value, whom it reaches and why it is there."""

    key: str
    """Without UCX_."""
    value: str
    scope: str = "context"
    """"context", or "process": every UCX user of the process has it."""
    side: str = "both"
    """The end of a transfer that must have it: "initiator", "target" or "both"."""
    reason: str = ""


class Planned(Protocol):
    """What two hosts compare of their plans; see `StripePlan` for what each means."""

    @property
    def source(self) -> str: ...  # noqa: D102
    @property
    def active(self) -> bool: ...  # noqa: D102
    @property
    def devices(self) -> Sequence[str]: ...  # noqa: D102
    @property
    def rails(self) -> int | None: ...  # noqa: D102
    @property
    def on_nic_loss(self) -> str: ...  # noqa: D102
    @property
    def nics(self) -> Sequence[PlannedNic]: ...  # noqa: D102
    @property
    def settings(self) -> Sequence[PlannedSetting]: ...  # noqa: D102
    @property
    def ucx_settings(self) -> Mapping[str, str]: ...  # noqa: D102


def gbps_text(rate: float | None) -> str:
    """Return a rate for people: "400 Gbit/s", "0.1 Gbit/s", or "unknown"; never 0."""
    if rate is None or rate <= 0:
        return "unknown"
    return f"{rate:.0f} Gbit/s" if rate >= 10 else f"{rate:.1g} Gbit/s"
