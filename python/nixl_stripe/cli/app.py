# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The typer application, its exit codes and how errors are printed."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

import typer

from nixl_stripe._core import __version__
from nixl_stripe.cli.words import canonical
from nixl_stripe.errors import StripeError

#: What README.md says too, each a paragraph.
WORDS = """**NIC**: a network device of the machine, such as `mlx5_0` or `eth1`.

**rail**: a NIC as one part of a stripe; "four rails" are four NICs that share a transfer.

**lane**: UCX's path to a peer over one NIC.

**port**: where a NIC's cable goes in; most NICs have one (`mlx5_0:1`)."""

EXIT_FAILED = 1
EXIT_USAGE = 2

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
)


def _show_version(value: bool) -> None:
    if value:
        typer.echo(f"nixl-stripe {__version__}")
        raise typer.Exit


def build_app() -> typer.Typer:
    """Return the application with every verb registered."""
    app = typer.Typer(
        name="nixl-stripe",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode="markdown",  # paragraphs of help are filled to the width
        context_settings={"token_normalize_func": canonical},
        epilog=WORDS,
        help="Make NIXL's UCX backend use every NIC, and prove that it did.",
    )

    @app.callback()
    def _root(
        version: bool = typer.Option(
            False, "--version", callback=_show_version, is_eager=True, help="Print the version."
        ),
    ) -> None:
        del version

    for verb in VERBS:
        importlib.import_module(f"nixl_stripe.cli.{verb}").register(app)
    return app


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; an expected failure is one line on stderr and exit code 1 (2: usage)."""
    try:
        build_app()(args=argv, prog_name="nixl-stripe", standalone_mode=True)
    except SystemExit as done:
        return done.code if isinstance(done.code, int) else EXIT_FAILED
    except StripeError as error:
        print(f"nixl-stripe: {error}", file=sys.stderr)
        return error.exit_code
    return 0
