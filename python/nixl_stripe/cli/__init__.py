# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The command `nixl-stripe`: one module per verb, which registers itself on the application."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence

from nixl_stripe.cli.streams import EXIT_INTERRUPTED, make_usable

__all__ = ["main", "program"]


def program() -> int:
    """Be the process of the command: what is done stays done, whatever comes while Python ends."""
    try:
        code = main()
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    except KeyboardInterrupt:
        return _interrupted()
    return code


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code; `app.main` does it, whose import takes a while."""
    try:
        make_usable()
        from nixl_stripe.cli import app

        return app.main(argv)
    except KeyboardInterrupt:
        return _interrupted()
    except Exception as error:
        if not _came_of_ctrl_c(error):
            raise
        return _interrupted()


def _interrupted() -> int:
    print("nixl-stripe: interrupted", file=sys.stderr)
    return EXIT_INTERRUPTED


def _came_of_ctrl_c(error: BaseException) -> bool:
    """Whether a Ctrl-C lies behind an error, as where an extension module was being imported."""
    cause = error.__cause__
    return cause is not None and (isinstance(cause, KeyboardInterrupt) or _came_of_ctrl_c(cause))
