# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Sphinx's configuration: the site is made from the documents where they are.

The source folder is the root of the repository, so that the links of README.md, docs/ and examples/
lead to each other as they do on a forge. `scripts/docs` runs it.
"""

from __future__ import annotations

import re
import sys
import types
from pathlib import Path, PurePosixPath
from typing import Any

import nixl_stripe

# The classes of agents are made from NIXL's, which need not be installed to read about them.
_NIXL = types.ModuleType("nixl_cu12._api")
_NIXL.__dict__.update({name: type(name, (), {}) for name in ("nixl_agent", "nixl_agent_config")})
sys.modules.setdefault("nixl_cu12", types.ModuleType("nixl_cu12"))
sys.modules.setdefault("nixl_cu12._api", _NIXL)

ROOT = Path(__file__).parents[2]
INDEX = "docs/README"

project = "nixl-stripe"
author = "The nixl-stripe authors"
copyright = "2026, The nixl-stripe authors"
release = version = nixl_stripe.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc"]
root_doc = INDEX
include_patterns = ["*.md", "docs/**", "examples/*.md"]
html_theme = "furo"
smartquotes = False  # what the documents say is literal
html_title = f"nixl-stripe {version}"
html_show_sourcelink = False
html_copy_source = False
myst_heading_anchors = 4

autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_default_options = {"members": True, "undoc-members": False}


def _toctrees(text: str) -> str:
    """Return hidden trees of contents from the index: one for each group, with its links."""
    trees = []
    for group in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        links = re.findall(r"^- \[[^]]*\]\(([^)#]+)\.md\)", group, re.MULTILINE)
        pages = ["/" + str(_normal(PurePosixPath("docs") / link)) for link in links]
        caption = group.partition("\n")[0]
        trees.append(
            "\n".join(["```{toctree}", ":hidden:", f":caption: {caption}", "", *pages, "```"])
        )
    return "\n\n".join(trees)


def _is_listed(page: Path, index: str) -> bool:
    """Whether a page of the root stands in one of the index's groups."""
    return re.search(rf"^- \[[^]]*\]\(\.\./{page.name}\)", index, re.MULTILINE) is not None


def _normal(path: PurePosixPath) -> PurePosixPath:
    parts: list[str] = []
    for part in path.parts:
        if part == "..":
            parts.pop()
        else:
            parts.append(part)
    return PurePosixPath(*parts)


def _hidden(pages: list[str]) -> str:
    return "\n".join(["```{toctree}", ":hidden:", "", *pages, "```"])


def _with_api(text: str) -> str:
    """Put the docstrings of a module under every heading that names one."""

    def documented(found: re.Match[str]) -> str:
        module = found[1]
        members = ":members:" if module == "nixl_stripe" else ""
        lines = [f".. automodule:: {module}", f"   {members}".rstrip()]
        if module == "nixl_stripe":
            lines.append("   :imported-members:")
        body = "\n".join(line for line in lines if line.strip())
        return f"{found[0]}\n\n```{{eval-rst}}\n{body}\n```"

    return re.sub(r"^## `([\w.]+)`$", documented, text, flags=re.MULTILINE)


def _restructured(lines: list[str]) -> list[str]:
    """Return a docstring of ours, which is plain text with `code`, as reStructuredText.

    Lines that are indented after an empty one are code; others that are indented go on.
    """
    made: list[str] = []
    is_code = False
    for line in lines:
        indented = line.startswith("    ")
        after_gap = not made or not made[-1].strip()
        if indented and (is_code or after_gap):
            if not is_code:
                made += ["::", ""]
            is_code = True
            made.append(line)
        elif line.strip():
            if is_code:
                made.append("")
            is_code = False
            made.append(_inline(line.strip()))
        else:
            made.append("")
    return made


def _inline(text: str) -> str:
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(
        f"`{part}`" if part.startswith("`") else re.sub(r"([*_|\\])", r"\\\1", part)
        for part in parts
    )


def _docstring(_app: Any, _what: str, _name: str, _of: Any, _how: Any, lines: list[str]) -> None:
    lines[:] = _restructured(lines)


def _read(_app: Any, name: str, source: list[str]) -> None:
    if name == INDEX:
        linked = [f"/{p.stem}" for p in sorted(ROOT.glob("*.md")) if not _is_listed(p, source[0])]
        source[0] += "\n\n" + _hidden(linked) + "\n\n" + _toctrees(source[0])
    elif name == "docs/api":
        source[0] = _with_api(source[0])
    elif name == "docs/results/README":
        pages = sorted((ROOT / "docs/results").glob("*.md"))
        source[0] += "\n\n" + _hidden([p.stem for p in pages if p.stem != "README"])
    elif name == "docs/results":
        source[0] += "\n\n" + _hidden(["/docs/results/README"])
    elif name == "docs/clients":
        source[0] += "\n\n" + _hidden(["/examples/README"])


def setup(app: Any) -> None:
    """Let what is generated for the site alone be added as each page is read."""
    app.connect("source-read", _read)
    app.connect("autodoc-process-docstring", _docstring)
