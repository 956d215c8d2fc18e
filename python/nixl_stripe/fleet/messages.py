# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What a fleet's hub and its hosts say to each other, each message with its schema.

An order names what to do and is answered once, by its number. What a host is asked for holds only
what a peer may choose; which NIXL it uses, and where, is its own.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nixl_stripe.fleet.model import HostFacts
from nixl_stripe.lab.job import MEMORIES, OPS
from nixl_stripe.lab.remote.settings import checked_params
from nixl_stripe.untrusted import schema
from nixl_stripe.untrusted.of_class import record_of

Message = dict[str, Any]

#: Seconds for one transfer at most, as a run may ask for them; bytes of its buffer.
MAX_LIMIT_S, MAX_SIZE = 3600.0, 1 << 40
#: Hosts of a fleet: one file descriptor each at the hub, and rounds.
MAX_RANKS = 10_000
_KIND = schema.text(16)
_NAME = schema.text(253)
_NUMBER = schema.whole(0, 1 << 53)
_HEX = schema.text(1 << 20, "(?:[0-9a-f]{2})+", "bytes in hexadecimal digits")
_SECRET = schema.text(64, "[0-9a-f]{32}", "32 hexadecimal digits")
_NIC = schema.text(256)
_PLACE = schema.record(
    {"address": schema.text(64, "[0-9a-fA-F.:]*", "an IP address"), "port": schema.whole(0, 65535)}
)
_SECONDS = schema.number(0, 1e9)
_ERROR = schema.text(4096)
CARD = schema.record(
    {
        "version": schema.whole(0, 1 << 31),
        "agent": schema.text(512),
        "metadata": _HEX,
        "descs": _HEX,
        "places": schema.sequence(_PLACE, 256),
    }
)
_ORDER = {"kind": _KIND, "number": _NUMBER}

#: What a host may be told.
TO_HOST: Mapping[str, schema.Schema] = {
    "hello": schema.record(
        {
            "kind": _KIND,
            "host": _NAME,
            "boot": schema.text(64),
            "size": schema.whole(1, MAX_SIZE),
            "memory": schema.choice(*MEMORIES),
            "params": lambda value, _: checked_params(value),
            "secret": _SECRET,
            "name": _NAME,
        }
    ),
    "facts": schema.record(_ORDER),
    "ready": schema.record(
        {
            **_ORDER,
            "op": schema.choice(*OPS),
            "initiates": schema.flag,
            "stamp": _NUMBER,
            "peer": schema.maybe(CARD),
        }
    ),
    "move": schema.record({**_ORDER, "limit_s": schema.number(0.001, MAX_LIMIT_S)}),
    "check": schema.record({**_ORDER, "failed": schema.flag}),
    "bye": schema.record({"kind": _KIND, "ok": schema.flag}),
}

_FACTS = record_of(
    HostFacts,
    host=_NAME,
    nics=schema.sequence(_NIC, 256),
    down=schema.sequence(_NIC, 256),
    alike=schema.mapping(schema.text(8192), 256),
    switches=schema.mapping(schema.text(1024), 256),
    limits=schema.mapping(schema.whole(0, 1 << 62), 16),
)
_BY_NIC = schema.mapping(schema.sequence(schema.whole(0, 1 << 62), 2), 256)
#: What the hub may be told.
TO_HUB: Mapping[str, schema.Schema] = {
    "hello": schema.record(
        {
            "kind": _KIND,
            "verb": schema.choice("fleet"),
            "rank": schema.whole(0, MAX_RANKS),
            "ranks": schema.whole(2, MAX_RANKS),
            "host": _NAME,
        }
    ),
    "facts": schema.record({"kind": _KIND, "facts": _FACTS, "card": CARD}),
    "answer": schema.record(
        {"kind": _KIND, "number": _NUMBER, "error": _ERROR},
        {
            "seconds": _SECONDS,
            "busy_s": schema.mapping(_SECONDS, 256),
            "unreachable": schema.sequence(schema.whole(0, 255), 256),
            "carried": _BY_NIC,
            "down": schema.sequence(_NIC, 256),
            "lanes": schema.mapping(schema.number(0, 64), 256),
            "card": CARD,
        },
    ),
    "ended": schema.record({"kind": _KIND, "text": schema.lines(4096)}),
}


@dataclass(frozen=True)
class Request:
    """What a run asks of every host. size: bytes of a transfer; params: of NIXL's UCX backend."""

    size: int
    memory: str
    params: Mapping[str, str]
    secret: str
    """Of the datagrams that look whether a NIC answers: 16 bytes as hexadecimal digits."""

    def hello(self) -> Message:
        """Return the hub's first message."""
        return {
            "kind": "hello",
            "host": socket.gethostname(),
            "boot": boot(),
            "size": self.size,
            "memory": self.memory,
            "params": dict(self.params),
            "secret": self.secret,
        }


def boot() -> str:
    """Return what tells whether two ranks run on one host; "" where nothing does."""
    file = Path("/proc/sys/kernel/random/boot_id")
    return file.read_text("ascii").strip() if file.exists() else ""
