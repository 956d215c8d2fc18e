# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Looks for what a built site would load from the network when it is viewed.

python tools/site_check.py FOLDER
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path

#: Elements that load what they name, and the attribute that names it.
_LOADING = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src"}
_REMOTE = ("http:", "https:", "//")


class _Loads(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.remote: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element that loads something remote."""
        named = dict(attrs).get(_LOADING.get(tag, "")) or ""
        if named.startswith(_REMOTE):
            self.remote.append(named)


def remote(folder: Path) -> list[str]:
    """Return each page and style sheet that loads from the network, and what."""
    found = []
    for page in sorted(folder.rglob("*.html")):
        parser = _Loads()
        parser.feed(page.read_text("utf-8"))
        found += [f"{page.relative_to(folder)}: {name}" for name in parser.remote]
    for sheet in sorted(folder.rglob("*.css")):
        text = sheet.read_text("utf-8")
        if any(f"url({quote}{start}" in text for quote in ("", '"', "'") for start in _REMOTE):
            found.append(f"{sheet.relative_to(folder)}: a remote url()")
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Exit with 1 where something is loaded from the network, 2 where there is no site."""
    (folder,) = (Path(name) for name in (sys.argv[1:] if argv is None else argv))
    if not any(folder.rglob("*.html")):
        print(f"site: {folder} holds no pages", file=sys.stderr)
        return 2
    found = remote(folder)
    for line in found:
        print(f"site: loaded from the network: {line}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
