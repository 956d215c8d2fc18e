# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Whether a stream takes colours and lines that are written over, and how wide it is."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from typing import TextIO

import click

from nixl_stripe.untrusted import several_lines

#: ECMA-48, Select Graphic Rendition.
_CODES = {
    "bold": "1",
    "red": "31",
    "green": "32",
    "yellow": "33",
    "cyan": "36",
    "grey": "90",
}
#: What `styled` writes before and after a text, and nothing else that a terminal obeys.
_STYLE = re.compile(rf"(\x1b\[(?:0|(?:{'|'.join(_CODES.values())})(?:;[0-9]{{1,2}})?)m)")


def echo(text: object, *, err: bool = False) -> None:
    """Print lines on standard output or error; what a terminal would obey is shown as an escape.

    Names come from files, wheels, other processes and hosts: no printed text is trusted.
    """
    click.echo(several_lines(str(text), None), err=err)


class Screen:
    """A stream with what can be done on it.

    has_colour: a terminal that is not dumb, and no NO_COLOR (no-color.org: any text but an empty
    one). is_live: a line may be written over. width: columns; that of a file is not limited.
    """

    def __init__(self, stream: TextIO, environ: Mapping[str, str] = os.environ) -> None:
        self.stream = stream
        self.is_live = stream.isatty() and environ.get("TERM") != "dumb"
        self.has_colour = self.is_live and not environ.get("NO_COLOR")
        columns = shutil.get_terminal_size().columns
        self.width = columns if stream.isatty() else None

    def styled(self, text: str, style: str) -> str:
        """Return the text in the style ("bold green"), in none where there is no colour.

        What a terminal would obey in the text itself becomes an escape.
        """
        text = several_lines(text, None)
        if not self.has_colour or not style:
            return text
        codes = ";".join(_CODES[word] for word in style.split())
        return f"\x1b[{codes}m{text}\x1b[0m"

    def say(self, text: str) -> None:
        """Write lines; only what `styled` has put there moves or colours anything."""
        parts = _STYLE.split(text) if self.has_colour else [text]
        shown = (part if i % 2 else several_lines(part, None) for i, part in enumerate(parts))
        print("".join(shown), file=self.stream, flush=True)
