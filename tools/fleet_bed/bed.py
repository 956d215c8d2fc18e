# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Hosts with rate limited rails in network namespaces: one switch a rail, and one for control.

The process that makes a bed has one thread then and stays in the namespace of its switches
(10.99.0.254); the bed goes with it. Host `h<i>` is 10.99.0.<i+1> there, and 10.77.<r>.<i+1> on
`rail<r>`.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nixl_stripe.lab.namespaces import NetNamespace, die_with_parent, isolate
from nixl_stripe.lab.rails import queues
from pyroute2 import IPRoute

_MTU = 9000
#: Where the switches' own process is reached.
SWITCH = "10.99.0.254"


@dataclass
class End:
    """A namespace and its netlink socket."""

    space: NetNamespace
    ip: Any

    @classmethod
    def create(cls) -> End:
        """Make one and leave the caller in it."""
        space = NetNamespace.create()
        made = cls(space, IPRoute())
        made.ip.link("set", index=made.index("lo"), state="up")
        return made

    def index(self, name: str) -> int:
        """Return an interface's number."""
        return int(self.ip.link_lookup(ifname=name)[0])

    def up(self, name: str, up: bool = True) -> None:
        """Bring an interface up or down."""
        self.ip.link("set", index=self.index(name), state="up" if up else "down")

    def limit(self, name: str, mbit: float) -> None:
        """Limit what an interface sends."""
        queues.limit(self.ip, self.index(name), mbit)

    def drop_all(self, name: str) -> None:
        """Let nothing that an interface sends get through; `limit` ends it."""
        queues.remove(self.ip, self.index(name))
        queues.drop_all(self.ip, self.index(name))

    def undrop(self, name: str, mbit: float) -> None:
        """Undo `drop_all`."""
        queues.remove(self.ip, self.index(name))
        self.limit(name, mbit)

    def is_up(self, name: str) -> bool:
        """Return whether an interface has a carrier, as programs see it."""
        (link,) = self.ip.get_links(self.index(name))
        return bool(link.get_attr("IFLA_OPERSTATE") == "UP")


class Bed:
    """Hosts, rails, and the programs that run on hosts; mbit: of each rail, each way."""

    def __init__(self, hosts: int, rails: int, mbit: float, folder: Path) -> None:
        isolate(None)
        self.rails, self.mbit, self._folder = rails, mbit, folder
        self.switch = End.create()
        for name in ("ctl", *(f"br{at}" for at in range(rails))):
            self.switch.ip.link("add", ifname=name, kind="bridge")
            self.switch.up(name)
        self.switch.ip.addr("add", index=self.switch.index("ctl"), address=SWITCH, prefixlen=24)
        self.hosts = [End.create() for _ in range(hosts)]
        self.switch.space.enter()
        for number in range(hosts):
            self._wire(number)
        for number in range(hosts):
            for rail in range(rails):
                self.set_neighbours(number, rail)
        self.settle()

    def _wire(self, number: int) -> None:
        host = self.hosts[number]
        cables = [("ctl", f"c{number}", "ctl", f"10.99.0.{number + 1}")]
        cables += [
            (f"rail{at}", port(number, at), f"br{at}", f"10.77.{at}.{number + 1}")
            for at in range(self.rails)
        ]
        for at, (name, plug, bridge, address) in enumerate(cables):
            mac = _mac(number, at - 1)
            peer = {"ifname": name, "net_ns_fd": host.space.net, "mtu": _MTU, "address": mac}
            self.switch.ip.link("add", ifname=plug, kind="veth", mtu=_MTU, peer=peer)
            self.plug(number, plug, bridge)
            self.switch.up(plug)
            host.ip.addr("add", index=host.index(name), address=address, prefixlen=24)
            host.up(name)
            if name != "ctl":
                host.limit(name, self.mbit)
                self.switch.limit(plug, self.mbit)

    def plug(self, number: int, plug: str, bridge: str) -> None:
        """Put a host's cable into a switch."""
        del number
        ip = self.switch
        ip.ip.link("set", index=ip.index(plug), master=ip.index(bridge))

    def set_neighbours(self, number: int, rail: int) -> None:
        """Tell a NIC all others of its switch for good: the kernel has one table for all hosts."""
        host = self.hosts[number]
        for other in range(len(self.hosts)):
            if other != number:
                host.ip.neigh(
                    "replace",
                    dst=f"10.77.{rail}.{other + 1}",
                    lladdr=_mac(other, rail),
                    ifindex=host.index(f"rail{rail}"),
                    state=0x80,
                )

    def settle(self, limit_s: float = 10.0) -> None:
        """Wait until every NIC has its carrier; TimeoutError."""
        end = time.monotonic() + limit_s
        for number, host in enumerate(self.hosts):
            for rail in range(self.rails):
                while not host.is_up(f"rail{rail}"):
                    if time.monotonic() > end:
                        raise TimeoutError(f"h{number} rail{rail} has no carrier")
                    time.sleep(0.02)

    def start(
        self, number: int, command: Sequence[str | Path], environment: Mapping[str, str], log: str
    ) -> subprocess.Popen[bytes]:
        """Start a program on a host; it dies with this process. log: a file's name."""
        space = self.hosts[number].space
        name = f"h{number}"

        def enter() -> None:
            die_with_parent()
            space.enter()

        with (
            (self._folder / f"{log}.out").open("wb") as out,
            (self._folder / f"{log}.err").open("wb") as err,
        ):
            return subprocess.Popen(
                ["unshare", "--uts", "sh", "-c", f'hostname {name} && exec "$@"', "sh", *command],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                env={"HOSTNAME": name, **environment},
                preexec_fn=enter,
                start_new_session=True,
            )


def port(number: int, rail: int) -> str:
    """Return the name of the switch's port of a host's rail."""
    return f"h{number}r{rail}"


def _mac(number: int, rail: int) -> str:
    return f"02:00:00:{number >> 8:02x}:{number & 255:02x}:{rail + 1:02x}"


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return this process's without UCX's and NIXL's, for TCP alone."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("UCX_", "NIXL_"))}
    return {**kept, "UCX_TLS": "tcp", "UCX_MODULES": "^ib", **(more or {})}
