# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What changed since an earlier run of a fleet, from the JSON that it printed."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nixl_stripe.errors import StripeError
from nixl_stripe.untrusted import Limits, RefusedError, read_file, read_json, schema

Data = Mapping[str, Any]
#: A pair is told as slower, or quicker, beyond this factor of what it was, each against the median
#: of its own run: another day's load is everybody's.
_CHANGED = 1.5
_LIMITS = Limits(size=1 << 29, depth=8, items=50_000_000)
_NAME = schema.text(1024)
_OLD = schema.record(
    {
        "hosts": schema.sequence(schema.record({"host": _NAME}, others=True), 10_000),
        "findings": schema.sequence(
            schema.record({"kind": _NAME, "culprit": _NAME}, others=True), 1_000_000
        ),
        "pairs": schema.sequence(
            schema.record(
                {
                    "sender": _NAME,
                    "receiver": _NAME,
                    "op": _NAME,
                    "ok": schema.flag,
                    "seconds": schema.number(0, 1e9),
                },
                others=True,
            ),
            100_000_000,
        ),
    },
    others=True,
)


def read(path: Path) -> Data:
    """Return an earlier run; StripeError names the file where it holds none."""
    try:
        found: Data = _OLD(read_json(read_file(path, _LIMITS.size), _LIMITS), "run")
    except OSError as error:
        raise StripeError(f"--compare {path}: {error.strerror}") from None
    except RefusedError as error:
        raise StripeError(f"--compare {path}: {error}; give what fleet --json printed") from None
    return found


def changes(old: Data, new: Data) -> dict[str, list[str]]:
    """Return findings and hosts that are new or gone, and pairs that got slower or quicker."""
    return {
        "new findings": _without(_findings(new), _findings(old)),
        "findings gone": _without(_findings(old), _findings(new)),
        "new hosts": _without(_hosts(new), _hosts(old)),
        "hosts gone": _without(_hosts(old), _hosts(new)),
        **_rates(_relative(old), _relative(new)),
    }


def _rates(old: Mapping[str, float], new: Mapping[str, float]) -> dict[str, list[str]]:
    both = {name: new[name] / old[name] for name in old if name in new and old[name]}
    return {
        "slower pairs": [f"{name} ({by:.2f} times)" for name, by in both.items() if by > _CHANGED],
        "quicker pairs": [
            f"{name} ({1 / by:.2f} times)" for name, by in both.items() if 0 < by < 1 / _CHANGED
        ],
    }


def _relative(data: Data) -> dict[str, float]:
    """Return each pair's quickest time over the median of its operation."""
    times: dict[str, dict[str, float]] = defaultdict(dict)
    for each in data["pairs"]:
        if each["ok"] and each["seconds"]:
            name = f"{each['op']} {each['sender']}-{each['receiver']}"
            known = times[each["op"]].get(name, each["seconds"])
            times[each["op"]][name] = min(known, each["seconds"])
    found = {}
    for by_name in times.values():
        middle = statistics.median(by_name.values())
        found.update({name: seconds / middle for name, seconds in by_name.items()})
    return found


def _findings(data: Data) -> list[str]:
    return [f"{each['kind']}: {each['culprit']}" for each in data["findings"]]


def _hosts(data: Data) -> list[str]:
    return [each["host"] for each in data["hosts"]]


def _without(these: Sequence[str], those: Sequence[str]) -> list[str]:
    known = set(those)
    return [each for each in these if each not in known]
