# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Links, anchors and line lengths of the documents, without the tool that builds the site."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from docgen.files import ROOT

WIDTH = 100
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_INLINE = re.compile(r"<!-- docs: [^\n]*? -->(.*?)<!-- /docs -->")
_EXTERNAL = ("http://", "https://", "mailto:")


def documents() -> list[Path]:
    """Return every document of the repository."""
    top = sorted(ROOT.glob("*.md"))
    return [*top, *sorted((ROOT / "docs").rglob("*.md")), *sorted((ROOT / "examples").glob("*.md"))]


def broken(document: Path) -> list[str]:
    """Return a document's links to files or anchors that are not there, as they are written."""
    return [link for link in _links(document) if not _leads_somewhere(document, link)]


def _links(document: Path) -> Iterator[str]:
    for line in _prose(document.read_text("utf-8")):
        for link in _LINK.findall(re.sub(r"`[^`]*`", "", line)):
            if not link.startswith(_EXTERNAL):
                yield link


def _leads_somewhere(document: Path, link: str) -> bool:
    name, _, anchor = link.partition("#")
    target = document.parent / name if name else document
    if not target.exists():
        return False
    return not anchor or (target.suffix == ".md" and anchor in anchors(target.read_text("utf-8")))


def anchors(text: str) -> set[str]:
    """Return the anchors of a document's headings, as GitHub makes them."""
    found: dict[str, int] = {}
    names = set()
    for line in _prose(text):
        if heading := re.match(r"#+\s+(.*)", line):
            words = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading[1]).strip().lower()
            name = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
            count = found[name] = found.get(name, -1) + 1
            names.add(f"{name}-{count}" if count else name)
    return names


def long_lines(text: str) -> list[str]:
    """Return lines of prose over WIDTH, or that begin with a figure's mark, with their numbers.

    Tables, code, generated blocks and the marks of figures do not count. A line that begins with a
    mark would end its paragraph: Markdown takes it for HTML.
    """
    found = []
    in_block = False
    code = _code(text)
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("<!-- docs: ") and "<!-- /docs -->" not in line:
            in_block = True
        elif line.startswith("<!-- /docs -->"):
            in_block = False
        elif not in_block and number not in code and not line.lstrip().startswith("|"):
            begins = line.lstrip().startswith("<!-- docs: ")
            if begins or (len(_INLINE.sub(r"\1", line)) > WIDTH and not _is_one_word(line)):
                found.append(f"{number}: {line}")
    return found


def _is_one_word(line: str) -> bool:
    """Whether a line cannot be wrapped: one long word, such as a link or code."""
    bare = re.sub(r"`[^`]*`|\[[^]]*\]\([^)]*\)", "x", line.strip())
    return len(bare.split()) <= 2


def _prose(text: str) -> Iterator[str]:
    code = _code(text)
    for number, line in enumerate(text.splitlines(), 1):
        if number not in code:
            yield line


def _code(text: str) -> set[int]:
    """Return the numbers of lines that are code: fenced, or indented by four after an empty one."""
    numbers: set[int] = set()
    fenced = is_code = False
    before = ""
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("```"):
            fenced = not fenced
            numbers.add(number)
        elif fenced:
            numbers.add(number)
        elif line.startswith("    "):
            is_code = is_code or not before.strip()
            if is_code:
                numbers.add(number)
        elif line.strip():
            is_code = False
        before = line
    return numbers
