# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What one agent tells another about its plan, at the end of NIXL's own metadata.

NIXL reads its metadata from the front and never looks behind its last section, in every version
from 0.10 to 1.5: an end without nixl-stripe takes bytes with an introduction as it takes any
other. Our own end takes the introduction off before NIXL sees the bytes.
"""

from __future__ import annotations

import json
import struct
import zlib
from dataclasses import asdict, dataclass, replace
from typing import Any

from nixl_stripe.planning.peer import peer_problems
from nixl_stripe.planning.stripe_plan import StripePlan

_VERSION = 1
_MAGIC = b"nixl-stripe-plan"
#: Checksum and length of the compressed text before it, then the magic: the last bytes of all.
_TAIL = struct.Struct(f"<II{len(_MAGIC)}s")
_MAX_BYTES = 1 << 20


@dataclass(frozen=True)
class Introduction:
    """One agent: who it is and what its UCX backend was made to do."""

    agent: str
    host: str
    patched: bool
    """Whether its NIXL has our UCX plugin."""
    plan: StripePlan

    def __str__(self) -> str:
        return f"agent {self.agent!r} on {self.host}"


def attach(metadata: bytes, introduction: Introduction) -> bytes:
    """Return NIXL's metadata with the introduction behind it."""
    data = {**asdict(introduction), "version": _VERSION, "plan": _short(introduction.plan)}
    body = zlib.compress(json.dumps(data, separators=(",", ":")).encode())
    return metadata + body + _TAIL.pack(zlib.crc32(body), len(body), _MAGIC)


def detach(metadata: bytes) -> tuple[bytes, Introduction | None]:
    """Return NIXL's own metadata and the introduction behind it.

    None where there is none, it is damaged, or of a version that we do not know: bytes that are
    not ours stay where they are.
    """
    if len(metadata) < _TAIL.size:
        return metadata, None
    checksum, size, magic = _TAIL.unpack(metadata[-_TAIL.size :])
    start = len(metadata) - _TAIL.size - size
    if magic != _MAGIC or start < 0:
        return metadata, None
    body = metadata[start : -_TAIL.size]
    if zlib.crc32(body) != checksum:
        return metadata, None
    return metadata[:start], _read(body)


def differences(here: Introduction, there: Introduction) -> list[str]:
    """Return what costs transfers between two agents bandwidth, a line each; [] when all fits."""
    mine, theirs = here.plan, there.plan
    if mine.active != theirs.active:
        stock, striped = (here, there) if theirs.active else (there, here)
        why = "" if stock.patched else ", its NIXL is not patched"
        count = len(striped.plan.devices) or striped.plan.rails
        return [
            f"{striped} stripes over {count} NICs, {stock} is on stock settings{why}: GPU memory "
            "then uses the nearest NICs only; give both the same `stripe`"
        ]
    if not _subnets(mine) & _subnets(theirs):
        # A routed fabric, where every NIC may have a network of its own: nothing to compare.
        mine, theirs = _without_subnets(mine), _without_subnets(theirs)
    return peer_problems(replace(mine, source=str(here)), replace(theirs, source=str(there)))


def _subnets(plan: StripePlan) -> set[str]:
    return {subnet for nic in plan.nics for subnet in nic.subnets}


def _without_subnets(plan: StripePlan) -> StripePlan:
    return replace(plan, nics=tuple(replace(nic, subnets=()) for nic in plan.nics))


def _short(plan: StripePlan) -> dict[str, Any]:
    """Return the plan without what is for people: reasons, exclusions, warnings."""
    settings = tuple(replace(setting, reason="") for setting in plan.settings)
    return replace(plan, settings=settings, excluded={}, warnings=()).to_dict()


def _read(body: bytes) -> Introduction | None:
    try:
        decompressor = zlib.decompressobj()
        data = json.loads(decompressor.decompress(body, _MAX_BYTES))
        if data["version"] != _VERSION:
            return None
        plan = StripePlan.from_dict(data["plan"])
        return Introduction(str(data["agent"]), str(data["host"]), bool(data["patched"]), plan)
    except (zlib.error, ValueError, KeyError, TypeError, AttributeError):
        return None
