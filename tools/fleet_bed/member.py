# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""A host's member of a fleet whose hub is nobody's rank 0, but the program that injects faults.

NIXL_STRIPE_TOKEN=... python -m fleet_bed.member RANK RANKS HUB NIXL
"""

from __future__ import annotations

import sys

from nixl_stripe.errors import StripeError
from nixl_stripe.fleet.member import Member
from nixl_stripe.fleet.rank import Rank
from nixl_stripe.lab.job import Nixl
from nixl_stripe.lab.remote import Address, Token


def main() -> int:
    """Take part until the hub ends it."""
    rank, ranks, hub, nixl = sys.argv[1:]
    me = Rank(int(rank), int(ranks), Address.parse(hub))
    token = Token.require(None)
    try:
        Member(me, token.key(), Nixl.find(nixl), print).serve(60.0)
    except StripeError as error:
        print(error, flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
