# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""One transfer through NIXL, watched: how long, how long each NIC was at work, what went wrong."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nixl_stripe.proof.traffic import Counters

#: A NIC has ended when so much of its part has passed: what comes after it are its last packets.
_DONE = 0.9
#: Seconds without a byte after which the peer's NICs are asked whether they answer; TCP's own
#: patience for a lost packet is 0.2 s and more.
_STANDS_S = 1.0
#: Looks at the counters of one transfer, at the most frequent.
_LOOK_S, _LOOKS = 0.002, 100

Ends = tuple[Any, Any, str]
"""Descriptors here and there, and the agent there."""


@dataclass
class Moved:
    """What a transfer showed; unreachable: NICs by place whose counterpart does not answer."""

    seconds: float = 0.0
    busy_s: dict[str, float] = field(default_factory=dict)
    error: str = ""
    unreachable: list[int] = field(default_factory=list)


class _Watch:
    """How many bytes each NIC has carried, and when."""

    def __init__(self, counters: Counters) -> None:
        self._counters = counters
        self._begun = time.perf_counter()
        self._looks: list[tuple[float, Mapping[str, int]]] = []
        self._grew = self._begun

    def look(self, now: float) -> None:
        rows = {name: row.bytes for name, row in self._counters.by_nic().items()}
        if not self._looks or sum(rows.values()) > sum(self._looks[-1][1].values()):
            self._grew = now
        self._looks.append((now - self._begun, rows))

    def stands_s(self, now: float) -> float:
        """Return for how long nothing has moved."""
        return now - self._grew

    def busy_s(self) -> dict[str, float]:
        """Return when each NIC had carried most of its part."""
        last = self._looks[-1][1]
        return {
            name: next(at for at, rows in self._looks if rows[name] >= _DONE * total)
            for name, total in last.items()
        }


def move(
    agent: Any,
    op: str,
    ends: Ends,
    counters: Counters,
    silent: Callable[[], Sequence[int]],
    limit_s: float,
) -> Moved:
    """Transfer, and return what it showed. silent: asks the peer's NICs; see `echo`.

    A transfer that stands still although a NIC of the peer does not answer is given up at once.
    """
    made, handle, watch = Moved(), None, _Watch(counters)
    begun = time.perf_counter()
    try:
        handle = agent.initialize_xfer(op, *ends, b"")
        begun = time.perf_counter()
        state = agent.transfer(handle)
        asked = False
        while state == "PROC":
            now = time.perf_counter()
            watch.look(now)
            if now - begun > limit_s:
                made.error = f"TimeoutError: it was still going on after {limit_s:g} s"
                break
            if watch.stands_s(now) > _STANDS_S and not asked:
                asked, made.unreachable = True, list(silent())
                if made.unreachable:
                    made.error = f"it stood still for {_STANDS_S:g} s"
                    break
            time.sleep(max(_LOOK_S, (now - begun) / _LOOKS))
            state = agent.check_xfer_state(handle)
        made.seconds = time.perf_counter() - begun
        watch.look(time.perf_counter())
        if state not in ("DONE", "PROC"):
            made.error = f"the transfer ended in state {state}"
    except Exception as error:
        made.error = f"{type(error).__name__}: {error}"[:2000]
    if made.error and not made.unreachable:
        made.unreachable = list(silent())
    if not made.error:
        made.busy_s = watch.busy_s()
    if handle is not None:
        with contextlib.suppress(Exception):  # one that has not ended may refuse
            agent.release_xfer_handle(handle)
    return made
