# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The command `python -m nixl_stripe.lab.guests`: get what guests need, or say what is missing."""

from __future__ import annotations

import sys

from nixl_stripe.errors import StripeError
from nixl_stripe.lab.guests.assets import prepare, why_not

USAGE = "usage: python -m nixl_stripe.lab.guests prepare | why-not"


def main(arguments: list[str]) -> int:
    """Run one of the two commands; 1 when guests cannot be booted, 2 for another command."""
    if arguments == ["prepare"]:
        try:
            print(f"guest kernel {prepare().version} is ready")
        except StripeError as error:
            print(error, file=sys.stderr)
            return 1
        return 0
    if arguments == ["why-not"]:
        reason = why_not()
        print(reason or "guests can be booted here")
        return 1 if reason else 0
    print(USAGE, file=sys.stderr)
    return 2


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
