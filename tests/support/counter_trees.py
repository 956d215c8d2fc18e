# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Trees of sysfs with the counters of NICs that are not here, for tests."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from sysfs_machines import MACHINES
from sysfs_trees import write


class CounterTree:
    """A sysfs whose counters can be set."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, path: str, value: int | str) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{value}\n")

    def infiniband(self, nic: str, out: int = 0, into: int = 0, port: int = 1) -> None:
        """`out` and `into` are words of four bytes, as the device counts them."""
        folder = f"class/infiniband/{nic}/ports/{port}"
        self.write(f"{folder}/state", "4: ACTIVE")
        self.write(f"{folder}/counters/port_xmit_data", out)
        self.write(f"{folder}/counters/port_rcv_data", into)

    def hw_counters(self, nic: str, values: Mapping[str, int]) -> None:
        self.write(f"class/infiniband/{nic}/ports/1/state", "4: ACTIVE")
        for name, value in values.items():
            self.write(f"class/infiniband/{nic}/ports/1/hw_counters/{name}", value)

    def interface(self, name: str, out: int = 0, into: int = 0) -> None:
        folder = f"class/net/{name}"
        self.write(f"{folder}/operstate", "up")
        for file, value in (
            ("tx_bytes", out),
            ("rx_bytes", into),
            *((f"{way}_{what}", 0) for way in ("tx", "rx") for what in ("errors", "dropped")),
        ):
            self.write(f"{folder}/statistics/{file}", value)

    def soft_roce(self, nic: str, interface: str) -> None:
        """As rxe does: packets in hw_counters, no bytes; its GID table names the interface."""
        self.hw_counters(nic, {"sent_pkts": 0, "rcvd_pkts": 0, "retry_exceeded_err": 0})
        self.write(f"class/infiniband/{nic}/ports/1/gid_attrs/ndevs/0", interface)


def tree_of(folder: Path, machine: str) -> CounterTree:
    """Return a machine of `sysfs_machines` whose RDMA devices have counted nothing yet."""
    tree = CounterTree(write(MACHINES[machine](), folder).sys)
    for nic in (tree.root / "class/infiniband").iterdir():
        tree.infiniband(nic.name)
    return tree
