# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Rails between two network namespaces: veth pairs, a subnet each, rate limited on both ends."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pyroute2 import IPRoute
from pyroute2.netlink.exceptions import NetlinkError

from nixl_stripe.lab.namespaces import NamespaceError, NetNamespace
from nixl_stripe.lab.rails import queues
from nixl_stripe.lab.rails.rail_spec import RailSpec


class End:
    """One namespace's end of all rails; its netlink socket stays in that namespace."""

    def __init__(self, host: int, namespace: NetNamespace) -> None:
        namespace.enter()
        self.namespace = namespace
        self._host = host
        self._ip: Any = IPRoute()

    def connect(self, spec: RailSpec, other: NetNamespace) -> None:
        """Make the veth pairs; their other ends appear in `other`."""
        for name in spec.names:
            with _netlink("veth pair"):
                peer = {"ifname": name, "net_ns_fd": other.net}
                self._ip.link("add", ifname=name, kind="veth", peer=peer)

    def configure(self, spec: RailSpec) -> None:
        """Give each rail its address, MTU and limit, and bring everything up, `lo` included.

        NIXL connects to itself when a backend is created, hence `lo`.
        """
        with _netlink("interfaces"):
            self._ip.link("set", index=self._index("lo"), state="up")
            for i, name in enumerate(spec.names):
                index = self._index(name)
                self._ip.addr("add", index=index, address=f"10.77.{i}.{self._host}", prefixlen=24)
                self._ip.link("set", index=index, mtu=spec.mtu, state="up")
        if spec.mbit is not None:
            for name in spec.names:
                self.limit(name, spec.mbit)

    def limit(self, name: str, mbit: float) -> None:
        """Limit what rail `name` sends to `mbit` Mbit/s; a limit in force is replaced."""
        with _netlink("tbf rate limit"):
            queues.limit(self._ip, self._index(name), mbit)

    def drop_all(self, name: str) -> None:
        """Let nothing that rail `name` sends get through; its carrier stays."""
        with _netlink("queue without room"):
            queues.drop_all(self._ip, self._index(name))

    def unlimit(self, name: str) -> None:
        """Take away what `drop_all` or `limit` has done."""
        with _netlink("queue"):
            queues.remove(self._ip, self._index(name))

    def sent_bytes(self, name: str) -> int:
        """Return what rail `name` has sent since it was made, in bytes."""
        with _netlink("interfaces"):
            (link,) = self._ip.get_links(self._index(name))
            return int(link.get_attr("IFLA_STATS64")["tx_bytes"])

    def set_state(self, name: str, up: bool) -> None:
        """Bring rail `name` up or down at this end."""
        with _netlink("interface state"):
            self._ip.link("set", index=self._index(name), state="up" if up else "down")

    def is_up(self, name: str) -> bool:
        """Return whether rail `name` has a carrier at this end, as programs see it.

        The kernel says so up to a second after both ends were brought up.
        """
        with _netlink("interface state"):
            (link,) = self._ip.get_links(self._index(name))
            return bool(link.get_attr("IFLA_OPERSTATE") == "UP")

    def _index(self, name: str) -> int:
        found = self._ip.link_lookup(ifname=name)
        if not found:
            raise NamespaceError("interfaces", errno.ENODEV, f"no interface {name}")
        return int(found[0])


@contextmanager
def _netlink(name: str) -> Iterator[None]:
    """Turn a refusal by the kernel into a NamespaceError of step `name`."""
    try:
        yield
    except NetlinkError as error:
        raise NamespaceError(name, error.code, str(error.args[-1])) from error
