# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What an interface may send, by the kernel's queues. ip: pyroute2's socket of its namespace."""

from __future__ import annotations

from typing import Any

from nixl_stripe.lab.rails.rail_spec import bucket_bytes

_ROOT = 0xFFFFFFFF
_WAIT = "50ms"


def limit(ip: Any, index: int, mbit: float) -> None:
    """Limit what interface `index` sends to `mbit` Mbit/s; a limit in force is replaced."""
    ip.tc(
        "replace",
        "tbf",
        index=index,
        handle="1:",
        parent=_ROOT,
        rate=round(mbit * 1e6 / 8),
        latency=_WAIT,
        burst=bucket_bytes(mbit),
    )


def drop_all(ip: Any, index: int) -> None:
    """Let nothing that it sends get through; its carrier stays."""
    ip.tc("replace", "pfifo", index=index, parent=_ROOT, limit=0)


def remove(ip: Any, index: int) -> None:
    """Take away what the others have done."""
    ip.tc("del", index=index, parent=_ROOT)
