# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The one grammar of generated text in Markdown.

A block stands between two lines, a figure within one:

    <!-- docs: NAME ARGUMENT... -->
    generated
    <!-- /docs -->

    ... takes <!-- docs: NAME ARGUMENT... -->0.71<!-- /docs --> Gbit/s ...

Arguments are words as a shell reads them. Every NAME has one function that returns the text.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass

_MARK = re.compile(r"<!-- docs: ([^\n]*?) -->(\n?)(.*?)(\n?)<!-- /docs -->", re.DOTALL)
_EDGE = re.compile(r"<!-- /?docs\b")


class MarkError(ValueError):
    """A mark that cannot be filled: its document, its words and what is wrong with them."""


@dataclass(frozen=True)
class Mark:
    """One mark: its words, whether it is a block of lines, and the text that stands in it."""

    words: tuple[str, ...]
    is_block: bool
    text: str


def marks(document: str) -> list[Mark]:
    """Return a document's marks in order; MarkError for one that is not opened or not closed."""
    found = [_mark(match) for match in _MARK.finditer(document)]
    edges = len(_EDGE.findall(document))
    if edges != 2 * len(found):
        raise MarkError(f"{edges} edges of marks make no pairs <!-- docs: ... --> <!-- /docs -->")
    return found


def filled(document: str, texts: Mapping[str, Callable[..., str]]) -> str:
    """Return the document with every mark's text made anew by `texts[NAME](*arguments)`."""
    marks(document)

    def fresh(match: re.Match[str]) -> str:
        mark = _mark(match)
        edge = "\n" if mark.is_block else ""
        return f"<!-- docs: {match[1]} -->{edge}{_made(mark, texts)}{edge}<!-- /docs -->"

    return _MARK.sub(fresh, document)


def _mark(match: re.Match[str]) -> Mark:
    words = tuple(shlex.split(match[1]))
    if not words:
        raise MarkError("a mark <!-- docs: --> has no name")
    return Mark(words, match[2] == "\n", match[3])


def _made(mark: Mark, texts: Mapping[str, Callable[..., str]]) -> str:
    name, *arguments = mark.words
    if name not in texts:
        raise MarkError(f"{' '.join(mark.words)}: accepted are {', '.join(sorted(texts))}")
    try:
        text = texts[name](*arguments)
    except (KeyError, TypeError, StopIteration, LookupError, ValueError) as error:
        raise MarkError(f"{' '.join(mark.words)}: {type(error).__name__}: {error}") from error
    if not mark.is_block and "\n" in text:
        raise MarkError(f"{' '.join(mark.words)}: gives lines, so the mark needs lines of its own")
    return text
