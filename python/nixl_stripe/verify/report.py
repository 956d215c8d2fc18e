# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""A verification as a file to hand on: a page, JSON, or JUnit's XML, by the file's name."""

from __future__ import annotations

import contextlib
import json
import platform
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from nixl_stripe._core import __version__
from nixl_stripe.errors import StripeError, UsageError
from nixl_stripe.proof.replacing import replace
from nixl_stripe.verify.report_health import as_health_events
from nixl_stripe.verify.report_html import page
from nixl_stripe.verify.verdict import NOTHING, reservation
from nixl_stripe.versions import JSON_SCHEMA

Data = Mapping[str, Any]
Writer = Callable[[Data, Mapping[str, str]], str]


def circumstances(data: Data) -> dict[str, str]:
    """Return date and versions of a verification that has just ended; no host's name."""
    results = list(data.get("results", ()))

    def of_initiator(what: str) -> str:
        found = {str(result.get(f"{what}_version") or "unknown") for result in results}
        return ", ".join(sorted(found)) or "unknown"

    return {
        "Date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "nixl-stripe": __version__,
        "NIXL": of_initiator("nixl"),
        "UCX": of_initiator("ucx"),
        "Python": platform.python_version(),
        "System": f"{platform.system()} {platform.machine()}",
    }


def as_json(data: Data, context: Mapping[str, str]) -> str:
    """Return what `verify --json` prints, with the circumstances."""
    return (
        json.dumps({"schema": JSON_SCHEMA, **data, "circumstances": dict(context)}, indent=2) + "\n"
    )


def as_junit(data: Data, context: Mapping[str, str]) -> str:
    """Return a JUnit test suite with a case for each operation.

    A verification that did not run is an error; one that proves nothing is skipped, not green.
    """
    results = list(data.get("results", ()))
    bad = [result for result in results if not result.get("ok")]
    not_run = str(data.get("error") or ("" if results else "no operation was tried"))
    held_back = reservation(data)
    nothing = held_back == NOTHING
    suite = ElementTree.Element(
        "testsuite",
        name="nixl-stripe verify",
        tests=str(len(results) or 1),
        failures=str(len(bad)),
        errors=str(int(bool(not_run))),
        skipped=str(len(results) if nothing else 0),
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
        elif nothing:
            ElementTree.SubElement(case, "skipped", message=_xml(NOTHING))
        elif held_back:
            ElementTree.SubElement(case, "system-out").text = _xml(held_back)
    if not_run:
        case = ElementTree.SubElement(
            suite, "testcase", classname="nixl_stripe.verify", name="verify"
        )
        ElementTree.SubElement(case, "error", message=_xml(not_run))
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


def require_writable(path: Path, is_of_this_host: bool) -> None:
    """UsageError where the name says no format, or one that would blame this host for others' NICs.

    is_of_this_host: the initiator, whose NICs are judged, runs on this host itself.
    """
    if format_of(path) is as_health_events and not is_of_this_host:
        raise UsageError(
            f"--report {path}: the events name this node, and the NICs are the connecting side's "
            "or a bed's; accepted are it without --listen and --bed, or FILE.json"
        )


def write(path: Path, data: Data, picture: str = "") -> None:
    """Write the report in one piece; StripeError where that is not possible.

    picture: SVG of the machine, ours and nobody else's, for the page.
    """
    writer = format_of(path)
    found = circumstances(data)
    text = page(data, found, picture) if writer is page else writer(data, found)
    try:
        replace(path, text.encode("utf-8", "replace"))  # half a surrogate pair is no text
    except OSError as error:
        raise StripeError(f"--report {path}: {error.strerror}") from error


@contextlib.contextmanager
def reported(path: Path | None) -> Iterator[None]:
    """Take an older report away, and have one that says so where the verification does not run.

    Whoever collects the file would take yesterday's for today's. Nothing where `path` is None.
    """
    if path is None:
        yield
        return
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise StripeError(f"--report {path}: {error.strerror}") from error
    try:
        yield
    except StripeError as error:
        write(path, {"ok": False, "where": "", "results": [], "notes": [], "error": str(error)})
        raise


def _xml(text: str) -> str:
    """Return the text without characters that XML 1.0 cannot hold."""
    return "".join(c if c in "\t\n" or _is_xml(c) else f"\\x{ord(c):02x}" for c in text)


def _is_xml(character: str) -> bool:
    return " " <= character < "\ud800" or "\ue000" <= character < "\ufffe" or character > "\uffff"
