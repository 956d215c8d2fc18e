# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Which NICs UCX will use for an operation, with which shares, and why it drops the others."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any, Literal

from nixl_stripe import _core
from nixl_stripe.planning.parts import gbps_text
from nixl_stripe.planning.ranges import MANY, natural, ranges
from nixl_stripe.versions import NEWEST

Memory = Literal["dram", "vram"]
Op = Literal["read", "write"]

#: UCX settings that a forecast depends on, without UCX_.
KNOWN_SETTINGS = tuple(_core.forecast_settings())

#: The NIXL that a forecast is for when none is named.
NIXL_VERSION = NEWEST


@dataclass(frozen=True)
class UcxPort:
    """A network device as UCX rates it against one GPU.

    bandwidth: bytes/s of the device alone, 0 = unknown. distance: UCX's own word ("near", "phb",
    "node", "sys"). hops: steps of the two PCI paths apart. subnets: empty = takes part in all.
    """

    device: str
    is_rdma: bool = True
    bandwidth: float = 0.0
    distance: str = "near"
    hops: int = 0
    subnets: tuple[str, ...] = ()


@dataclass(frozen=True)
class GpuPlace:
    """What orders equal NICs from UCX 1.23 on.

    ordinal: rank of the GPU among those that the process sees, by PCI address. addresses: PCI
    address of each device, "" where it has none.
    """

    ordinal: int
    addresses: Mapping[str, str]


@dataclass(frozen=True)
class LaneEnd:
    """One end of a transfer: every device that UCX could open and the settings in force there.

    has_context: a CUDA context is current when the backend is created. place: of the GPU whose
    memory it is; None for UCX before 1.23, and where it is not known.
    """

    ports: tuple[UcxPort, ...]
    settings: Mapping[str, str]
    is_gpu_memory: bool = False
    has_context: bool = False
    place: GpuPlace | None = None

    def native(self) -> _core.LaneEnd:
        """Return the same for the C++ that works it out."""
        addresses = {} if self.place is None else self.place.addresses
        ports = [
            _core.LanePort(
                each.device,
                each.is_rdma,
                each.bandwidth,
                each.distance,
                each.hops,
                list(each.subnets),
                addresses.get(each.device, ""),
            )
            for each in self.ports
        ]
        ordinal = None if self.place is None else self.place.ordinal
        settings = dict(self.settings)
        return _core.LaneEnd(ports, settings, self.is_gpu_memory, self.has_context, ordinal)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> LaneEnd:
        """Return the end that `dataclasses.asdict` gave."""
        ports = tuple(
            UcxPort(**{**each, "subnets": tuple(each.get("subnets", ()))}) for each in data["ports"]
        )
        place = data.get("place")
        return cls(**{**data, "ports": ports, "place": place and GpuPlace(**place)})


@dataclass(frozen=True)
class Lane:
    """A NIC with the NIC of the peer that it talks to, and its share of the payload (0 to 1)."""

    nic: str
    peer: str
    share: float
    gbps: float
    """What UCX rates the lane at, Gbit/s."""


@dataclass(frozen=True)
class Forecast:
    """What UCX will do with one operation."""

    op: Op
    memory: Memory
    protocol: str
    """"zero-copy", "pipeline" or "software emulation"."""
    pairs: tuple[Lane, ...]
    dropped: Mapping[str, str]
    """NIC -> the rule that drops it, with its numbers."""
    ceiling_gbps: float | None = None
    """The most that this split can carry, Gbit/s one way; None = unknown."""

    @property
    def lanes(self) -> dict[str, float]:
        """NIC -> share of the payload, 0 to 1; NICs with no share are not in it."""
        return {lane.nic: lane.share for lane in self.pairs if lane.share > 0}

    def describe(self) -> str:
        """Return the forecast as text for people, several lines."""
        ceiling = "" if self.ceiling_gbps is None else f", at most {gbps_text(self.ceiling_gbps)}"
        lines = [
            f"{self.op.upper()} of {self.memory}: {self.protocol} over {len(self.lanes)} "
            f"NIC(s){ceiling}"
        ]
        used = [lane for lane in self.pairs if lane.share > 0]
        lines += [f"  {'lane':<9} {text}" for text in _lane_texts(used)]
        lines += [f"  {'dropped':<9} {text}" for text in _dropped_texts(self.dropped)]
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Return the forecast as plain data."""
        return {**asdict(self), "lanes": self.lanes}

    def to_json(self) -> str:
        """Return the forecast as JSON."""
        return json.dumps(self.to_dict(), indent=2)


def _lane_texts(lanes: Sequence[Lane]) -> list[str]:
    """Return a line for each lane; where there are many, for each range of like ones."""
    if len(lanes) <= MANY:
        return [f"{lane.nic}: {100 * lane.share:.0f} %, to {lane.peer}" for lane in lanes]
    lines = []
    for (share, is_alike), like in groupby(
        lanes, lambda lane: (f"{100 * lane.share:.0f} %", lane.nic == lane.peer)
    ):
        some = list(like)
        if is_alike:
            found = ranges([lane.nic for lane in some])
            lines += [f"{text}: {share} each, to the same ones" for text, _ in found]
        else:
            lines += [f"{lane.nic}: {share}, to {lane.peer}" for lane in some]
    return lines


def _dropped_texts(dropped: Mapping[str, str]) -> list[str]:
    """Return a line for each NIC; where there are many, for each range with one reason."""
    if len(dropped) <= MANY:
        return [f"{nic}: {reason}" for nic, reason in dropped.items()]
    reasons: dict[str, list[str]] = {}
    for nic, reason in dropped.items():
        reasons.setdefault(reason, []).append(nic)
    return [
        f"{text}: {reason}" for reason, nics in reasons.items() for text, _ in ranges(natural(nics))
    ]


def stock_settings(nixl: str = NIXL_VERSION) -> dict[str, str]:
    """Return what NIXL of that version sets by itself: 2 rails, and from 1.2 on nearest NICs only.

    ValueError when it is not a version such as "1.5.1".
    """
    settings = {"MAX_RMA_RAILS": "2"}
    if _version(nixl) >= (1, 2):
        settings["MAX_HCA_PER_GPU"] = "auto"
    return settings


def orders_by_gpu(nixl: str = NIXL_VERSION) -> bool:
    """Whether that NIXL's UCX lets the GPU's place decide among equal NICs: 1.23, in 1.5."""
    return _version(nixl) >= (1, 5)


def _version(nixl: str) -> tuple[int, int]:
    parts = nixl.split("+")[0].split(".")
    if len(parts) < 2 or not all(part.isdecimal() for part in parts[:2]):
        raise ValueError(f"nixl={nixl!r}: accepted: a version such as {NIXL_VERSION}")
    return int(parts[0]), int(parts[1])


def ports_of(
    machine: _core.Machine, gpu: str | None, subnets: Mapping[str, Sequence[str]]
) -> tuple[UcxPort, ...]:
    """Return every device that UCX could open on a machine, and its way to `gpu`."""
    return tuple(
        UcxPort(
            each.device,
            each.is_rdma,
            each.bandwidth,
            each.distance,
            each.hops,
            tuple(subnets.get(each.device, ())),
        )
        for each in _core.lane_ports(machine, gpu)
    )


def forecast_lanes(
    initiator: LaneEnd,
    target: LaneEnd,
    op: Op = "write",
    memory: Memory | None = None,
    size: int = 0,
) -> Forecast:
    """Forecast one operation between two ends.

    size: bytes of one buffer, since UCX does not cut small ones; 0: a large one.
    ValueError names what is not accepted.
    """
    if op not in ("read", "write"):
        raise ValueError(f"op={op!r}: accepted: read, write")
    if size < 0:
        raise ValueError(f"size={size}: accepted: 0 (large) or more bytes")
    native = _core.forecast_lanes(initiator.native(), target.native(), op == "read", size)
    named = _names([each.device for each in initiator.ports])
    theirs = _names([each.device for each in target.ports])
    pairs = tuple(
        Lane(named[lane.device], theirs[lane.peer], lane.share, lane.bandwidth * 8e-9)
        for lane in native.lanes
    )
    alone = {named[each.device]: each.bandwidth * 8e-9 for each in initiator.ports}
    limits = [alone[lane.nic] / lane.share for lane in pairs if lane.share > 0]
    return Forecast(
        op=op,
        memory=memory or ("vram" if initiator.is_gpu_memory else "dram"),
        protocol=native.protocol,
        pairs=pairs,
        dropped={named[device]: reason for device, reason in native.dropped.items()},
        ceiling_gbps=min(limits) if limits and min(limits) > 0 else None,
    )


def _names(devices: Sequence[str]) -> dict[str, str]:
    """Return NIC names for devices: without the port where a NIC has one only."""
    count = Counter(device.partition(":")[0] for device in devices)
    return {
        device: name if count[name := device.partition(":")[0]] == 1 else device
        for device in devices
    }
