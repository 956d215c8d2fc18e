# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The command `nixl-stripe`: one module per verb, which registers itself on the application."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from nixl_stripe.cli.streams import EXIT_INTERRUPTED, make_usable

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code; `app.main` does it, whose import takes a while."""
    try:
        make_usable()
        from nixl_stripe.cli import app

        return app.main(argv)
    except KeyboardInterrupt:
        print("nixl-stripe: interrupted", file=sys.stderr)
        return EXIT_INTERRUPTED
