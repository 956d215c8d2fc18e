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
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

from nixl_stripe.planning.peer import peer_problems
from nixl_stripe.planning.plan_schema import PLAN
from nixl_stripe.planning.stripe_plan import StripePlan
from nixl_stripe.untrusted import Limits, RefusedError, read_json, schema

_VERSION = 1
_MAGIC = b"nixl-stripe-plan"
#: Checksum and length of the compressed text before it, then the magic: the last bytes of all.
_TAIL = struct.Struct(f"<II{len(_MAGIC)}s")
#: Bytes of the compressed text; 64 NICs with all their ports need a tenth.
_MAX_BODY = 1 << 16
_LIMITS = Limits(size=1 << 18, depth=6, items=20_000)
_VERSIONED = schema.record({"version": schema.whole(1, 1_000_000)}, others=True)
_INTRODUCTION = schema.record(
    {
        "agent": schema.text(256),
        "host": schema.text(256),
        "patched": schema.flag,
        "plan": PLAN,
    },
    others=True,
)


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


def _no_note(text: str) -> None:
    del text


def detach(
    metadata: bytes, note: Callable[[str], None] = _no_note
) -> tuple[bytes, Introduction | None]:
    """Return NIXL's own metadata and the introduction behind it.

    None where there is none, it is damaged, or nothing that we accept: bytes that are not ours stay
    where they are. note: is told, in one line, why an introduction is passed over.
    """
    if len(metadata) < _TAIL.size:
        return metadata, None
    checksum, size, magic = _TAIL.unpack(metadata[-_TAIL.size :])
    start = len(metadata) - _TAIL.size - size
    if magic != _MAGIC or start < 0:
        return metadata, None
    if size > _MAX_BODY:
        note(f"an introduction of {size} bytes: accepted are at most {_MAX_BODY}")
        return metadata, None
    body = metadata[start : -_TAIL.size]
    if zlib.crc32(body) != checksum:
        return metadata, None
    try:
        return metadata[:start], _read(body)
    except RefusedError as error:
        note(str(error))
        return metadata[:start], None


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


def _read(body: bytes) -> Introduction:
    """Return the introduction; RefusedError for what is none.

    Hosts are not upgraded all at once: one of another version counts if it says what ours does.
    """
    decompressor = zlib.decompressobj()
    try:
        text = decompressor.decompress(body, _LIMITS.size + 1)
    except zlib.error as error:
        raise RefusedError(f"an introduction that cannot be decompressed: {error}") from None
    data = read_json(text, _LIMITS)
    version = _VERSIONED(data, "introduction")["version"]
    try:
        found = _INTRODUCTION(data, "introduction")
        plan = StripePlan.from_dict(found["plan"])
    except ValueError as error:
        raise RefusedError(str(error)) from None
    except RefusedError as error:
        if version == _VERSION:
            raise
        raise RefusedError(
            f"version {version} of introductions, this nixl-stripe knows {_VERSION}: {error}"
        ) from None
    return Introduction(found["agent"], found["host"], found["patched"], plan)
