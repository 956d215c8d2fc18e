# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Which networks a NIC's port is in, from its GIDs and its interface's addresses."""

from __future__ import annotations

import fcntl
import ipaddress
import socket
import struct

from nixl_stripe import _core

_SIOCGIFADDR = 0x8915
_SIOCGIFNETMASK = 0x891B

#: A GID holds an address without its mask; this one is assumed where no interface tells it.
_ASSUMED_PREFIX = 24


def subnets_of(port: _core.Port, *, is_live: bool) -> tuple[str, ...]:
    """Return the networks of a port: IPv4 and IPv6 ones of RoCE, the subnet prefix of InfiniBand.

    IPv4 masks come from the port's interface on this machine and are assumed to be /24 for another.
    """
    addresses = [ipaddress.IPv6Address(gid) for gid in port.gids]
    if port.link_layer == "InfiniBand":
        return tuple(dict.fromkeys(_network(str(address), 64) for address in addresses[:1]))
    if port.link_layer != "Ethernet":
        return ()
    known = interface_subnet(port.netdev) if is_live and port.netdev else None
    found = []
    for address in addresses:
        if address.ipv4_mapped is not None:
            found.append(known or _network(str(address.ipv4_mapped), _ASSUMED_PREFIX))
        elif not address.is_link_local:
            found.append(_network(str(address), 64))
    return tuple(dict.fromkeys(found))


def interface_subnet(name: str) -> str | None:
    """Return the IPv4 network of an interface of this machine; None when it has no address."""
    try:
        return str(interface_address(name).network)
    except OSError:
        return None


def interface_address(name: str) -> ipaddress.IPv4Interface:
    """Return the IPv4 address and mask of an interface of this machine; OSError without one."""
    request = struct.pack("256s", name.encode()[:15])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        address = fcntl.ioctl(probe, _SIOCGIFADDR, request)[20:24]
        mask = fcntl.ioctl(probe, _SIOCGIFNETMASK, request)[20:24]
    return ipaddress.IPv4Interface(f"{socket.inet_ntoa(address)}/{socket.inet_ntoa(mask)}")


def _network(address: str, prefix: int) -> str:
    return str(ipaddress.ip_interface(f"{address}/{prefix}").network)
