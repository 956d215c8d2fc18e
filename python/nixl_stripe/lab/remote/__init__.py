# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The one guard against what comes over the network, for every command that listens.

`Door` lets in who has the `Token`, `connect` is the other side of it, and `Link` carries messages
that are checked against schemas. `settings` lists what a peer may choose for a process here.
"""

from nixl_stripe.lab.remote.address import DEFAULT_PORT, LOOPBACK, Address
from nixl_stripe.lab.remote.door import Door, connect
from nixl_stripe.lab.remote.link import Link, LinkLostError
from nixl_stripe.lab.remote.settings import checked_environment, checked_params
from nixl_stripe.lab.remote.token import Token
from nixl_stripe.untrusted import RefusedError

__all__ = [
    "DEFAULT_PORT",
    "LOOPBACK",
    "Address",
    "Door",
    "Link",
    "LinkLostError",
    "RefusedError",
    "Token",
    "checked_environment",
    "checked_params",
    "connect",
]
