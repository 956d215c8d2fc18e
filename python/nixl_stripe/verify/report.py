# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""A verification as a file to hand on: a page, JSON, or JUnit's XML, by the file's name."""

from __future__ import annotations

import contextlib
import json
import platform
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from nixl_stripe._core import __version__
from nixl_stripe.errors import StripeError, UsageError
from nixl_stripe.verify.report_health import as_health_events
from nixl_stripe.verify.report_html import page

Data = Mapping[str, Any]
Writer = Callable[[Data, Mapping[str, str]], str]


def circumstances(data: Data) -> dict[str, str]:
    """Return date and versions of a verification that has just ended; no host's name."""
    found = {str(result.get("nixl_version") or "unknown") for result in data.get("results", ())}
    return {
        "Date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "nixl-stripe": __version__,
        "NIXL": ", ".join(sorted(found)) or "unknown",
        "Python": platform.python_version(),
        "System": f"{platform.system()} {platform.machine()}",
    }


def as_json(data: Data, context: Mapping[str, str]) -> str:
    """Return what `verify --json` prints, with the circumstances."""
    return json.dumps({**data, "circumstances": dict(context)}, indent=2) + "\n"


def as_junit(data: Data, context: Mapping[str, str]) -> str:
    """Return a JUnit test suite with a case for each operation."""
    results = list(data.get("results", ()))
    bad = [result for result in results if not result.get("ok")]
    suite = ElementTree.Element(
        "testsuite",
        name="nixl-stripe verify",
        tests=str(len(results)),
        failures=str(len(bad)),
        errors="0",
        timestamp=context.get("Date", "").partition("+")[0],
    )
    properties = ElementTree.SubElement(suite, "properties")
    for name, value in {"where": str(data.get("where", "")), **context}.items():
        ElementTree.SubElement(properties, "property", name=name, value=_xml(value))
    for result in results:
        nics = ", ".join(map(str, result.get("planned", ()))) or "no NIC"
        name = _xml(f"{result.get('op')} over {nics}")
        case = ElementTree.SubElement(suite, "testcase", classname="nixl_stripe.verify", name=name)
        if not result.get("ok"):
            why = _xml(str(result.get("why", "")))
            causes = (f"{c.get('text')}\nfix: {c.get('fix')}" for c in result.get("causes", ()))
            ElementTree.SubElement(case, "failure", message=why).text = _xml("\n".join(causes))
    ElementTree.indent(suite)
    return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


#: By the end of the file's name, the longer ones first where one ends like another.
FORMATS: Mapping[str, Writer] = {
    ".html": page,
    ".nvsentinel.json": as_health_events,
    ".json": as_json,
    ".junit.xml": as_junit,
}


def format_of(path: Path) -> Writer:
    """Return what writes a file of that name; UsageError where the name says nothing known.

    Asked before the transfer: its result must not be lost to a slip of the keyboard.
    """
    for ending, writer in FORMATS.items():
        if path.name.endswith(ending) and path.name != ending:
            if path.parent.is_dir():
                return writer
            raise UsageError(f"--report {path}: there is no folder {path.parent}")
    raise UsageError(f"--report {path}: accepted are FILE{', FILE'.join(FORMATS)}")


def write(path: Path, data: Data, picture: str = "") -> None:
    """Write the report in one piece; StripeError where that is not possible.

    picture: SVG of the machine, ours and nobody else's, for the page.
    """
    writer = format_of(path)
    found = circumstances(data)
    text = page(data, found, picture) if writer is page else writer(data, found)
    draft = path.with_name(f".{path.name}.draft")
    try:
        draft.unlink(missing_ok=True)
        with draft.open("x", encoding="utf-8") as file:  # "x" follows no link that others planted
            file.write(text)
        draft.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            draft.unlink()
        raise StripeError(f"--report {path}: {error.strerror}") from error


def _xml(text: str) -> str:
    """Return the text without characters that XML 1.0 cannot hold."""
    return "".join(c if c in "\t\n" or c >= " " else f"\\x{ord(c):02x}" for c in text)
