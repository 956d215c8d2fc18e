# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What is known of hosts and of their transfers, and what is said in the end."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum


@dataclass(frozen=True)
class HostFacts:
    """What a host says of itself before any byte moves.

    alike: what has to be the same everywhere, such as versions and settings, by name. nics: of the
    plan, in its order; rails: how many of them an operation uses. patched: NIXL has our plugin.
    down: NICs that have no link and so are not in the plan. limits: this host's, by name; see
    `facts.limits`.
    """

    host: str
    nics: tuple[str, ...] = ()
    rails: int = 0
    patched: bool = True
    down: tuple[str, ...] = ()
    limits: Mapping[str, int] = field(default_factory=dict)
    alike: Mapping[str, str] = field(default_factory=dict)
    switches: Mapping[str, str] = field(default_factory=dict)
    """The switch that a NIC is on, where somebody tells."""


@dataclass(frozen=True)
class Transfer:
    """One transfer between two hosts, payload compared.

    sent, received: bytes by NIC at the end that sent and the one that received. unreachable: NICs,
    by their place in the plan, whose counterpart did not answer; down: NICs of a host that report
    no link, as (host, NIC). busy_s: how long a NIC of the sender was at work. error: "" if all went
    well; lost: names hosts that went away meanwhile.
    """

    number: int
    sender: str
    receiver: str
    op: str
    sent: Mapping[str, int] = field(default_factory=dict)
    received: Mapping[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    busy_s: Mapping[str, float] = field(default_factory=dict)
    unreachable: Sequence[int] = ()
    down: Sequence[tuple[str, str]] = ()
    lost: Sequence[str] = ()
    error: str = ""
    is_repeat: bool = False
    lanes: Mapping[str, float] = field(default_factory=dict)
    """UCX's own shares at the sender; {} where it has told them for an earlier pair."""

    @functools.cached_property
    def hosts(self) -> frozenset[str]:
        """Both ends."""
        return frozenset((self.sender, self.receiver))


class Kind(str, Enum):
    """What is wrong, from the most certain to the least."""

    HOST_DEAD = "host_dead"
    UNPATCHED = "unpatched"
    OTHER_RAILS = "other_rails"
    OTHER_VERSION = "other_version"
    NIC_DOWN = "nic_down"
    SWAPPED_CABLES = "swapped_cables"
    ROUTE = "route"
    LIMIT = "limit"
    WRONG_BYTES = "wrong_bytes"
    NIC_SLOW = "nic_slow"
    HOST_SLOW = "host_slow"
    FAILED = "failed"


@dataclass(frozen=True)
class Finding:
    """A culprit. hosts: one, or two for a route; nics: at them; fix: what mends it, one line."""

    kind: Kind
    hosts: tuple[str, ...]
    nics: tuple[str, ...]
    evidence: str
    fix: str

    @property
    def culprit(self) -> str:
        """Return it as text: "h3", "h3 rail2", "h1-h4 rail0"."""
        return " ".join(["-".join(self.hosts), *([",".join(self.nics)] if self.nics else [])])
