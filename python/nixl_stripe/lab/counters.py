# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Byte counters of NICs, from sysfs."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from nixl_stripe.lab.job import Direction

#: InfiniBand counts in words of four bytes.
_IB_WORD = 4


def read_bytes(
    devices: Iterable[str], direction: Direction, sysfs: Path = Path("/sys")
) -> dict[str, int]:
    """Return the bytes that each device has sent (`tx`) or received (`rx`) since it came up.

    An RDMA device is read from `port_{xmit,rcv}_data` over all its ports, a network interface from
    its statistics. Soft-RoCE has no such counters: name the network interface below it.
    FileNotFoundError for a device with neither.
    """
    return {name: _bytes_of(name, direction, sysfs) for name in devices}


def _bytes_of(name: str, direction: Direction, sysfs: Path) -> int:
    word = "port_xmit_data" if direction == "tx" else "port_rcv_data"
    ports = sorted((sysfs / "class/infiniband" / name / "ports").glob(f"*/counters/{word}"))
    if ports:
        return sum(int(path.read_text()) for path in ports) * _IB_WORD
    return int((sysfs / f"class/net/{name}/statistics/{direction}_bytes").read_text())
