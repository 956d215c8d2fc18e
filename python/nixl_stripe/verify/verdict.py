# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""How much a verification proves, in one line: a success with little behind it says so first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Data = Mapping[str, Any]

NOTHING = "one NIC is planned: there is nothing to stripe over, and nothing was proven"
LANES = (
    "judged by UCX's lanes alone: the NICs did not count this payload (on one host it never passes "
    "a NIC's counter); --connect and --bed give proof by bytes"
)


def reservation(data: Data) -> str:
    """Return what a success does not prove, "" where bytes of several NICs prove it.

    data: as `verify --json` prints. A failure needs none: it says why.
    """
    results = list(data.get("results", ()))
    if not data.get("ok"):
        return ""
    if any(len(result.get("planned", ())) < 2 for result in results):
        return NOTHING
    return LANES if any(result.get("proof") != "bytes" for result in results) else ""


def headline(data: Data) -> tuple[str, str]:
    """Return the verdict in a few words, and whether it is good, bad or neither ("dim")."""
    if data.get("error"):
        return "Not run", "bad"
    if not data.get("ok"):
        return "Failed", "bad"
    held_back = reservation(data)
    if held_back == NOTHING:
        return "Nothing proven", "dim"
    return ("Passed by UCX's report, no byte counted", "dim") if held_back else ("Passed", "good")
