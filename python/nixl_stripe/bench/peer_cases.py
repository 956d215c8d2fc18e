# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Mooncake's Transfer Engine as cases of a benchmark: as it comes, and with its settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from nixl_stripe.bench.options import Options
from nixl_stripe.bench.peer_install import Peer
from nixl_stripe.bench.runner import Case
from nixl_stripe.bench.work import Work
from nixl_stripe.errors import UsageError
from nixl_stripe.lab.beds.base import Bed

#: Bytes of the requests that the caller makes of a long buffer: Mooncake's own slice, 64 KiB.
CUT = 64 << 10


@runtime_checkable
class HasVerbs(Protocol):
    """A bed of RDMA devices, by their names."""

    @property
    def verbs(self) -> tuple[str, ...]:
        """The devices in the order of the bed's counters."""


def mooncake_cases(
    peer: Peer | None, bed: Bed, options: Options, works: tuple[Work, ...], **labels: Any
) -> list[Case]:
    """Return the cases, none without a `peer`; UsageError for what Mooncake is not measured with.

    As it comes it uses the NICs of the memory's NUMA node. `all NICs`: all of them in its topology.
    `in turn, cut`: requests in turn over all of them, long buffers cut by the caller.
    """
    if peer is None:
        return []
    if not isinstance(bed, HasVerbs):
        raise UsageError(f"--bed {bed.name}: Mooncake is compared over RDMA; accepted is rdma")
    if options.memory != "dram":
        raise UsageError(f"--memory {options.memory}: Mooncake is compared with dram")
    # Each NIC has a subnet of its own here: requests must go to the peer's NIC of that name.
    base = {"LD_PRELOAD": str(peer.preload), "MC_ENABLE_DEST_DEVICE_AFFINITY": "1"}
    every = {"MC_CUSTOM_TOPO_JSON": str(peer.topology(bed.verbs))}

    def case(mode: str, params: Mapping[str, str], environment: Mapping[str, str]) -> Case:
        full = {**base, **environment}
        return Case({"mode": mode, **labels}, works, peer.site, params, full, "mooncake")

    return [
        case("Mooncake", {}, {}),
        case("Mooncake, all NICs", {}, every),
        case("Mooncake, in turn, cut", {"cut": str(CUT)}, {**every, "MC_PATH_ROUNDROBIN": "1"}),
    ]
