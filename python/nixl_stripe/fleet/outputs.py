# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Files that a run leaves: JUnit's XML for whoever gates a cluster by it, and a page."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nixl_stripe.errors import StripeError, UsageError
from nixl_stripe.fleet.page import page
from nixl_stripe.proof.replacing import replace

Data = Mapping[str, Any]


@dataclass(frozen=True)
class Outputs:
    """Where to; None: not at all."""

    junit: Path | None = None
    html: Path | None = None

    def require_writable(self) -> None:
        """UsageError where a file cannot be written: said before the run, not after it."""
        for option, path in (("--junit", self.junit), ("--html", self.html)):
            if path is not None and not path.absolute().parent.is_dir():
                raise UsageError(f"{option} {path}: there is no folder {path.parent}")

    def write(self, data: Data) -> None:
        """Write all of them in one piece each; StripeError where that is not possible."""
        if self.junit is not None:
            _write("--junit", self.junit, as_junit(data))
        if self.html is not None:
            _write("--html", self.html, page(data))


def _write(option: str, path: Path, text: str) -> None:
    try:
        replace(path, text.encode("utf-8", "replace"))
    except OSError as error:
        raise StripeError(f"{option} {path}: {error.strerror}") from error


def as_junit(data: Data) -> str:
    """Return a test suite with a case for each host and each pair's culprit; see docs/fleet.md."""
    by_host: dict[str, list[Data]] = {each["host"]: [] for each in data["hosts"]}
    for name in data["absent"]:
        by_host.setdefault(name, [])
    for each in data["findings"]:
        by_host.setdefault("-".join(each["hosts"]), []).append(each)
    suite = ElementTree.Element(
        "testsuite",
        name="nixl-stripe fleet",
        tests=str(len(by_host)),
        failures=str(sum(bool(found) for found in by_host.values())),
        errors="0",
    )
    for name, found in by_host.items():
        case = ElementTree.SubElement(
            suite, "testcase", classname="nixl_stripe.fleet", name=_xml(name)
        )
        if found:
            texts = [f"{e['kind']}: {e['culprit']}: {e['evidence']}" for e in found]
            fixes = [f"{text}\nfix: {e['fix']}" for text, e in zip(texts, found, strict=True)]
            ElementTree.SubElement(case, "failure", message=_xml(texts[0])).text = _xml(
                "\n".join(fixes)
            )
    ElementTree.indent(suite)
    return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def _xml(text: str) -> str:
    """Return the text without characters that XML 1.0 cannot hold."""
    return "".join(c if c in "\t\n" or _is_xml(c) else f"\\x{ord(c):02x}" for c in text)


def _is_xml(character: str) -> bool:
    return " " <= character < "\ud800" or "\ue000" <= character < "\ufffe" or character > "\uffff"
