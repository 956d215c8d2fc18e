# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The application, its exit codes and how errors are printed."""

from __future__ import annotations

import importlib
import io
import re
import sys
from collections.abc import Sequence
from typing import Any

import click

from nixl_stripe._core import __version__
from nixl_stripe.cli.command import App
from nixl_stripe.cli.streams import EXIT_INTERRUPTED, give_up
from nixl_stripe.cli.words import canonical
from nixl_stripe.errors import StripeError
from nixl_stripe.terminal import Screen, echo
from nixl_stripe.untrusted import one_line

#: What README.md says too, each a paragraph.
WORDS = """**NIC**: a network device of the machine, such as `mlx5_0` or `eth1`.

**rail**: a NIC as one part of a stripe; "four rails" are four NICs that share a transfer.

**lane**: UCX's path to a peer over one NIC.

**port**: where a NIC's cable goes in; most NICs have one (`mlx5_0:1`)."""

EXIT_FAILED = 1
EXIT_USAGE = 2
#: Characters of an error: of a device list with all that is accepted, not of a hostile file.
_LONGEST = 16_384

#: Modules of this package whose `register(app)` adds a verb; the order is that of `--help`.
VERBS: tuple[str, ...] = (
    # one a line, in the order of --help
    "topo",
    "plan",
    "wheel",
    "patch",
    "doctor",
    "verify",
    "top",
    "export",
    "bench",
    "tune",
    "fleet",
)


def build_app() -> click.Group:
    """Return the command with every verb registered."""
    app = App(
        "nixl-stripe",
        "Make NIXL's UCX backend use every NIC, and prove that it did.",
        "nixl-stripe doctor",
        epilog=re.sub(r"[*`]", "", WORDS),
        context_settings={
            "token_normalize_func": canonical,
            "help_option_names": ["-h", "--help"],
        },
    )
    for verb in VERBS:
        importlib.import_module(f"nixl_stripe.cli.{verb}").register(app)
    click.version_option(__version__, message="nixl-stripe %(version)s")(app.group)
    return app.group


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; an expected failure is one line on standard error.

    Exit codes: docs/stability.md has the table.
    """
    try:
        command = build_app()
        done = command.main(args=argv, prog_name="nixl-stripe", standalone_mode=False, **_look())
        sys.stdout.flush()
    except click.ClickException as error:
        said = io.StringIO()
        error.show(said)
        # Words of the command line are behind that mark: a line end among them makes no line.
        usage, mark, what = said.getvalue().partition("Error: ")
        echo(f"{usage}{mark}{' '.join(what.split())}", err=True)
        return error.exit_code
    except StripeError as error:
        print(f"nixl-stripe: {one_line(str(error), _LONGEST)}", file=sys.stderr)
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        print("nixl-stripe: interrupted", file=sys.stderr)
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # Whoever read has gone, as in `nixl-stripe topo | head`: no message, no second error.
        give_up()
        return EXIT_FAILED
    except OSError as error:
        # Of a file it names the file; what is left is what is written to.
        give_up()
        place = error.filename or "standard output"
        print(f"nixl-stripe: {one_line(f'{place}: {error.strerror or error}')}", file=sys.stderr)
        return EXIT_FAILED
    return done if isinstance(done, int) else 0


def _look() -> dict[str, Any]:
    """Return how click's own text looks: in colours where they are wanted."""
    return {"color": None if Screen(sys.stdout).has_colour else False}
