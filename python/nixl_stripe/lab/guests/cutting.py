# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Cuts NICs of the guests in the middle of a case."""

from __future__ import annotations

import contextlib
import dataclasses
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from nixl_stripe.lab.cut import Cut, CutMade
from nixl_stripe.lab.guests.control import GuestError
from nixl_stripe.lab.job import Role
from nixl_stripe.lab.side import Finished

#: Ends when the netdev has sent so many bytes more, or the case is over; the guest looks by itself,
#: twenty times a second, because asking it that often from here would be what takes its time.
_WATCH = """
file=/sys/class/net/$0/statistics/tx_bytes
read start < $file
while read now < $file && [ $((now - start)) -lt $1 ] && [ ! -e $2 ]; do sleep 0.05; done
"""


class Cuttable(Protocol):
    """What is needed of the guests; see `Guests`."""

    cut: Cut | None
    cut_made: CutMade

    @property
    def devices(self) -> tuple[str, ...]: ...  # noqa: D102
    def new_folder(self) -> Path: ...  # noqa: D102
    def run(  # noqa: D102
        self, commands: Mapping[Role, Sequence[str]], *, limit_s: float = 60
    ) -> dict[Role, Finished]: ...
    def set_link(self, nic: int, up: bool, sides: Sequence[Role]) -> None: ...  # noqa: D102
    def call(  # noqa: D102
        self, operation: str, *, sides: Sequence[Role], **fields: Any
    ) -> dict[Role, Any]: ...


@contextlib.contextmanager
def cut_during(bed: Cuttable, limit_s: float) -> Iterator[None]:
    """Make `bed.cut` while the body runs, and all NICs whole behind it; `limit_s`: of the body."""
    cut, bed.cut_made = bed.cut, CutMade()
    if cut is None:
        yield
        return
    worker = _Cutting(bed, cut, limit_s)
    worker.start()
    try:
        yield
    finally:
        bed.cut_made = worker.ended()


class _Cutting(threading.Thread):
    def __init__(self, bed: Cuttable, cut: Cut, limit_s: float) -> None:
        super().__init__(name="cutting", daemon=True)
        self._bed = bed
        self._cut = cut
        self._limit_s = limit_s
        self._over = threading.Event()
        self._sign = bed.new_folder() / "over"
        self._start = time.monotonic()
        self._made = CutMade()
        self._error: GuestError | None = None

    def run(self) -> None:
        try:
            self._watch_and_cut()
        except GuestError as error:
            self._error = error

    def _watch_and_cut(self) -> None:
        cut, bed = self._cut, self._bed
        name = bed.devices[cut.nics[0]]
        watch = ["sh", "-c", _WATCH, name, str(cut.after_bytes), str(self._sign)]
        watched = bed.run({cut.sender: watch}, limit_s=self._limit_s)[cut.sender]
        if watched.timed_out or self._over.is_set():
            return
        for nic in cut.nics:
            self._change(nic, whole=False)
        self._made = dataclasses.replace(self._made, at_s=time.monotonic() - self._start)
        if cut.back_after_s is not None and not self._over.wait(cut.back_after_s):
            self._mend()
            self._made = dataclasses.replace(self._made, back_s=time.monotonic() - self._start)

    def ended(self) -> CutMade:
        """Make all NICs whole and return what happened; GuestError if that failed."""
        self._over.set()
        self._sign.touch()
        self.join(self._limit_s)
        if self._made.at_s is not None and self._made.back_s is None:
            self._mend()
        if self._error is not None:
            raise self._error
        return self._made

    def _mend(self) -> None:
        for nic in self._cut.nics:
            self._change(nic, whole=True)

    def _change(self, nic: int, *, whole: bool) -> None:
        bed, sides = self._bed, self._cut.sides
        if self._cut.kind == "down":
            bed.set_link(nic, whole, sides)
        else:
            bed.call("silence", sides=sides, nics=[nic], silent=not whole)
