# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""How many of the injected faults were named, and how many others were: by kind and in all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

_WANTED = 0.98
_Named = tuple[str, tuple[str, ...], tuple[str, ...]]


class Tally:
    """Adds runs up. A fault is found where its kind, its hosts and its NICs are all named."""

    def __init__(self, rows: Iterable[Mapping[str, Any]]) -> None:
        self._right: Counter[str] = Counter()
        self._missed: Counter[str] = Counter()
        self._wrong: Counter[str] = Counter()
        self.runs = self.healthy = self.accused = self.doubles = 0
        for row in rows:
            self._add(_named(row["injected"]), _named(row["found"]))

    def _add(self, injected: set[_Named], found: set[_Named]) -> None:
        self.runs += 1
        self.healthy += not injected
        self.doubles += len(injected) > 1
        self.accused += bool(found and not injected)
        self._right.update(kind for kind, *_ in injected & found)
        self._missed.update(kind for kind, *_ in injected - found)
        self._wrong.update(kind for kind, *_ in found - injected)

    @property
    def ok(self) -> bool:
        """Whether precision and recall are what is wanted, and no healthy fleet was accused."""
        figures = self.to_dict()
        return self.accused == 0 and min(figures["precision"], figures["recall"]) >= _WANTED

    def to_dict(self) -> dict[str, Any]:
        """Return precision and recall in all, and the counts of each kind."""
        right, missed, wrong = (sum(c.values()) for c in (self._right, self._missed, self._wrong))
        kinds = sorted({*self._right, *self._missed, *self._wrong})
        return {
            "runs": self.runs,
            "faults": right + missed,
            "runs_with_two": self.doubles,
            "healthy_runs": self.healthy,
            "healthy_runs_accused": self.accused,
            "precision": _part(right, wrong),
            "recall": _part(right, missed),
            "kinds": {
                kind: {
                    "found": self._right[kind],
                    "missed": self._missed[kind],
                    "wrong": self._wrong[kind],
                }
                for kind in kinds
            },
        }


def _part(right: int, others: int) -> float:
    return round(right / (right + others), 4) if right + others else 1.0


def _named(rows: Sequence[Sequence[Any]]) -> set[_Named]:
    return {(kind, tuple(hosts), tuple(nics)) for kind, hosts, nics in rows}
