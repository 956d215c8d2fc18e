# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What NICs carry as metrics for Prometheus, beside the plan that it is to be compared with.

Labels are the NIC's name, a direction, and what is fixed for each NIC: no process, peer or
transfer, so that the number of series is a small multiple of the number of NICs. The extra
`metrics` (prometheus_client) is needed.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from nixl_stripe._core import __version__
from nixl_stripe.planning.stripe_plan import StripePlan
from nixl_stripe.proof import sources
from nixl_stripe.proof.meant import meant_nics
from nixl_stripe.proof.names import lasting_nics, require_there, with_planned
from nixl_stripe.proof.nic_totals import NicTotals
from nixl_stripe.proof.sources import SYSFS, NicTraffic
from nixl_stripe.proof.striped import base, due_shares

_PREFIX = "nixl_stripe_"

#: Seconds after which the plan is made anew though neither NICs nor links have changed.
PLAN_S = 300.0


@dataclass(frozen=True)
class Expected:
    """What an operator says of a host, for alert rules. nics: planned NICs with a link, at least.

    stripe: the planned NICs serve striped NIXL alone.
    """

    nics: int | None = None
    stripe: bool = False


class NicCollector(Collector):
    """Reads the counters of NICs at each scrape; totals begin with 0 when a NIC is first seen.

    make_plan: makes the host's plan anew, when NICs or their links have changed and now and then;
    a plan that cannot be made any more leaves the last one. given: NICs that a user names; None:
    those of the machine, new ones too. NicNotFoundError: a NIC of that name is not there. What
    make_plan raises the first time is the caller's.
    """

    def __init__(
        self,
        make_plan: Callable[[], StripePlan],
        given: tuple[str, ...] | None = None,
        sysfs: Path = SYSFS,
        expected: Expected = Expected(),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._place = sources.host(sysfs)
        self._make_plan, self._given, self._expected = make_plan, given, expected
        self._clock = clock
        self._lock = threading.Lock()  # scrapes come in threads, a source is for one at a time
        self._plan = make_plan()
        self._made = clock()
        if given is not None:
            require_there(given, self._place, sysfs)
        self._totals = NicTotals(self._place)
        self._meant: frozenset[str] = frozenset()
        self._seen: object = None
        self._follow_plan()

    def collect(self) -> Iterator[Metric]:
        """Return all metrics as they are now."""
        with self._lock:
            up = self._refresh()
            rows = self._totals.look()
            uncounted = dict(self._totals.uncounted)
            families = [*_traffic(rows), *self._of_nics(rows, uncounted, up), *self._of_plan()]
        yield from families

    def _refresh(self) -> dict[str, bool]:
        """Make the plan anew where NICs or links have changed; return who has a link."""
        up, seen = self._look_at_links()
        if seen == self._seen and self._clock() - self._made < PLAN_S:
            return up
        with contextlib.suppress(ValueError, OSError):  # a NIC that it names is gone, or sysfs is
            self._plan = self._make_plan()
        self._made = self._clock()
        self._follow_plan()
        return self._look_at_links()[0]

    def _look_at_links(self) -> tuple[dict[str, bool], object]:
        up = {name: self._place.is_up(name) for name in self._names}
        return up, (tuple(self._place.nics()), tuple(up.values()))

    def _follow_plan(self) -> None:
        self._meant = meant_nics(self._plan, self._meant)
        self._due = due_shares(self._plan)
        names = self._given
        if names is None:
            names = with_planned(lasting_nics(self._plan, self._place), sorted(self._meant))
        self._names = names
        self._totals.watch(names)
        self._seen = self._look_at_links()[1]

    def _of_nics(
        self, rows: Iterable[NicTraffic], uncounted: Iterable[str], up: Mapping[str, bool]
    ) -> Iterator[Metric]:
        found = list(rows)
        due = {name: self._due.get(base(name), 0.0) for name in up}
        trusted = {row.nic: not row.problem for row in found}
        gauges: Mapping[str, tuple[str, Mapping[str, float]]] = {
            "nic_up": ("Whether the NIC has a link.", up),
            "nic_trusted": (
                "0 where its counters cannot be read, went away or stand still.",
                {**dict.fromkeys(uncounted, False), **trusted},
            ),
            "nic_planned": (
                "Whether the plan means the NIC, with a link or without.",
                {name: base(name) in self._meant for name in up},
            ),
            "nic_due_share": ("Fraction of the plan's bytes that the NIC should carry.", due),
        }
        for name, (text, values) in gauges.items():
            family = GaugeMetricFamily(_PREFIX + name, text, labels=["nic"])
            for nic, value in values.items():
                family.add_metric([nic], float(value))
            yield family
        info = InfoMetricFamily(
            _PREFIX + "nic_source", "Whose figures these are.", labels=["nic", "source", "kind"]
        )
        for row in found:
            info.add_metric([row.nic, row.source, row.kind], {})
        yield info

    def _of_plan(self) -> Iterator[Metric]:
        plan = self._plan
        yield GaugeMetricFamily(
            _PREFIX + "planned_nics", "NICs that the plan uses now.", value=len(self._due)
        )
        if self._expected.nics is not None:
            yield GaugeMetricFamily(
                _PREFIX + "expected_nics", "What it should be.", value=self._expected.nics
            )
        yield GaugeMetricFamily(
            _PREFIX + "expect_stripe",
            "Whether the planned NICs serve striped NIXL alone.",
            value=float(self._expected.stripe),
        )
        yield GaugeMetricFamily(
            _PREFIX + "rails", "Rails of the plan; 0 = UCX's default.", value=plan.rails or 0
        )
        settings = InfoMetricFamily(
            _PREFIX + "ucx_setting", "UCX settings of the plan.", labels=["key", "value"]
        )
        for key, value in plan.ucx_settings.items():
            settings.add_metric([key, value], {})
        yield settings
        yield InfoMetricFamily(_PREFIX + "build", "This program.", value={"version": __version__})


def _traffic(rows: Iterable[NicTraffic]) -> Iterator[Metric]:
    found = list(rows)
    moved = CounterMetricFamily(
        _PREFIX + "nic_bytes", "Bytes that the NIC carried.", labels=["nic", "direction"]
    )
    frames = CounterMetricFamily(
        _PREFIX + "nic_bad_frames", "Frames that were bad or dropped.", labels=["nic", "what"]
    )
    for row in found:
        moved.add_metric([row.nic, "out"], row.bytes_out)
        moved.add_metric([row.nic, "in"], row.bytes_in)
        frames.add_metric([row.nic, "errors"], row.errors)
        frames.add_metric([row.nic, "discards"], row.discards)
    yield moved
    yield frames
