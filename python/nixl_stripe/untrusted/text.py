# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The one way in which text of others reaches a terminal, a log or an error message."""

from __future__ import annotations

import functools
import unicodedata

#: Printable by their class, and yet nothing is seen of them: fillers of Hangul, empty Braille.
_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")


def one_line(text: str, limit: int = 200) -> str:
    """Return the text as one line of at most `limit` characters that can do nothing but be read.

    What is not printable (controls, what ends a line, surrogates, what Unicode does not assign),
    has no width of its own, or changes the direction of the text around it is written as an escape.
    """
    shown = _shown(text[: limit + 1], keep="")
    return shown if len(shown) <= limit else shown[: max(0, limit - 3)] + "..."


def several_lines(text: str, limit: int | None = 1 << 20) -> str:
    """Return the same for a text of several lines: newlines and tabs stay, `limit` counts all.

    limit: None for what is our own, with names of others in it: the end of a JSON must not go.
    """
    return _shown(text[:limit], keep="\n\t")


def _shown(text: str, keep: str) -> str:
    bare = text.translate(dict.fromkeys(map(ord, keep))) if keep else text
    if bare.isascii() and bare.isprintable():
        return text  # JSON of megabytes, as a rule
    return "".join(c if c in keep else _character(c) for c in text)


@functools.lru_cache(maxsize=4096)  # megabytes may come, of few different characters
def _character(character: str) -> str:
    return character if _is_plain(character) else _escaped(character)


def _is_plain(character: str) -> bool:
    """Whether it takes a place of its own, in the order in which it was written."""
    if character.isascii() or not character.isprintable():
        return character.isprintable()
    return (
        character not in _BLANK
        and unicodedata.category(character) not in ("Mn", "Me")
        and unicodedata.bidirectional(character) not in ("R", "AL", "AN")
    )


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
