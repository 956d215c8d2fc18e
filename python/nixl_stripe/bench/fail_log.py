# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What the plugin said of a lost NIC in a side's log, and when."""

from __future__ import annotations

import re
import time

_SAID = re.compile(r"on_nic_loss: (?P<text>.*)")
#: glog's head of a line: severity, month and day, local time, thread.
_LOST = re.compile(
    r"^[IWEF](?P<day>\d{4}) (?P<second>\d\d:\d\d:\d\d)\.(?P<micro>\d{6}).*on_nic_loss: lost "
)
#: Lines that a row keeps.
_MOST = 12


def said(log: str) -> list[str]:
    """Return what the plugin said of lost NICs, the first lines of it, without time and thread."""
    found = (_SAID.search(line) for line in log.splitlines())
    return [each["text"][:300] for each in found if each is not None][:_MOST]


def detected_s(log: str, cut_unix_s: float | None) -> float | None:
    """Return the seconds from a cut to the first line that says which NIC was lost.

    cut_unix_s: the moment of the cut by the clock that the log has, too. None where it is not
    known, and where nothing was said after it.
    """
    if cut_unix_s is None:
        return None
    year = time.localtime(cut_unix_s).tm_year
    for line in log.splitlines():
        found = _LOST.match(line)
        if found is None:
            continue
        moment = time.strptime(f"{year}{found['day']} {found['second']}", "%Y%m%d %H:%M:%S")
        seconds = time.mktime(moment) + int(found["micro"]) / 1e6 - cut_unix_s
        if seconds >= 0:
            return round(seconds, 3)
    return None
