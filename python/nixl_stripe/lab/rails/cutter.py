# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Cuts rails in the middle of a case: in the holder's own loop, since it has the namespaces."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from nixl_stripe.lab.cut import Cut, CutMade
from nixl_stripe.lab.side import ROLES

if TYPE_CHECKING:
    from nixl_stripe.lab.rails.veth import End

#: Seconds between two looks at a rail's counter: a hundredth of the shortest transfer cut.
_LOOK_S = 0.01
#: Seconds that a carrier may take to be back: the kernel's second, and a busy machine.
_CARRIER_S = 5.0


class Cutter:
    """One cut, from now on; call `step` again and again, and `restore` at the end."""

    def __init__(
        self, ends: Mapping[str, End], cut: Cut, names: tuple[str, ...], mbit: float | None
    ) -> None:
        self._ends = ends
        self._cut = cut
        self._rails = [names[nic] for nic in cut.nics]
        self._mbit = mbit
        self._start = time.monotonic()
        self._sent = self._count()
        self._at: float | None = None
        self._at_unix_s: float | None = None
        self._back: float | None = None

    def _count(self) -> int:
        return self._ends[self._cut.sender].sent_bytes(self._rails[0])

    def step(self) -> float | None:
        """Do what is due; return the seconds until the next look, None where nothing is left."""
        now = time.monotonic() - self._start
        if self._at is None:
            if self._count() - self._sent < self._cut.after_bytes:
                return _LOOK_S
            self._apply(whole=False)
            self._at = time.monotonic() - self._start
            self._at_unix_s = time.time()
            now = self._at
        if self._back is not None or self._cut.back_after_s is None:
            return None
        left = self._at + self._cut.back_after_s - now
        if left > 0:
            return left
        self._apply(whole=True)
        self._back = time.monotonic() - self._start
        return None

    def restore(self) -> CutMade:
        """Make all rails whole again, for the next case too, and return what happened."""
        if self._at is not None and self._back is None:
            self._apply(whole=True)
        if self._at is not None and self._cut.kind == "down":
            self._wait_for_carriers()
        return CutMade(self._at, self._back, self._at_unix_s)

    def _wait_for_carriers(self) -> None:
        """Wait until programs see them: an agent that is made before would leave NICs out."""
        end = time.monotonic() + _CARRIER_S
        while time.monotonic() < end:
            if all(each.is_up(name) for each in self._ends.values() for name in self._rails):
                return
            time.sleep(_LOOK_S)

    def _apply(self, *, whole: bool) -> None:
        for role in ROLES:
            if role in self._cut.sides:
                for name in self._rails:
                    self._change(self._ends[role], name, whole=whole)

    def _change(self, end: End, name: str, *, whole: bool) -> None:
        if self._cut.kind == "down":
            end.set_state(name, whole)
        elif not whole:
            end.drop_all(name)
        elif self._mbit is None:
            end.unlimit(name)
        else:
            end.limit(name, self._mbit)
