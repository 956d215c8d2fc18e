# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What NICs carried since they were first seen; they may come, go, and be without counters."""

from __future__ import annotations

from collections.abc import Iterable

from nixl_stripe import _core
from nixl_stripe.proof import sources
from nixl_stripe.proof.sources import NicSource, NicTraffic


class NicTotals:
    """Counts from the first look at each NIC on. Not for several threads at once."""

    def __init__(self, place: _core.CounterHost) -> None:
        self._place = place
        self._sources: dict[str, NicSource] = {}
        self._last: dict[str, _core.NicReading] = {}
        self._sums: dict[str, NicTraffic] = {}
        self.uncounted: dict[str, str] = {}
        """NICs that are watched and have no counters that can be read here, and why."""

    def watch(self, names: Iterable[str]) -> None:
        """Watch these from now on and no others; those that were watched go on."""
        wanted = tuple(dict.fromkeys(names))
        for name in set(self._sources) - set(wanted):
            del self._sources[name], self._last[name], self._sums[name]
        new = [name for name in wanted if name not in self._sources]
        found, self.uncounted = sources.find_sources(new, self._place)
        for source in found:
            self._sources[source.nic] = source
            self._last[source.nic] = source.read()
            self._sums[source.nic] = source.nothing()

    def look(self) -> list[NicTraffic]:
        """Return what each NIC that can be counted has carried until now."""
        for name, source in self._sources.items():
            now = source.read()
            self._sums[name] = self._sums[name].plus(source.between(self._last[name], now))
            self._last[name] = now
        return list(self._sums.values())
