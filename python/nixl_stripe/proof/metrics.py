# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What NICs carry as metrics for Prometheus, beside the plan that it is to be compared with.

Labels are the NIC's name, a direction, and what is fixed for each NIC: no process, peer or
transfer, so that the number of series is a small multiple of the number of NICs. The extra
`metrics` (prometheus_client) is needed.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
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
from nixl_stripe.proof.sources import SYSFS, NicTraffic
from nixl_stripe.proof.striped import base, due_shares

_PREFIX = "nixl_stripe_"


class NicCollector(Collector):
    """Reads the counters of `nics` at each scrape; totals begin with 0 when it is made.

    NicNotFoundError: one of them is not there or cannot be counted, why, and what to enable.
    """

    def __init__(self, nics: Iterable[str], plan: StripePlan, sysfs: Path = SYSFS) -> None:
        self._place = sources.host(sysfs)
        self._sources = [sources.find_source(nic, self._place) for nic in nics]
        self._plan = plan
        self._due = due_shares(plan)
        self._lock = threading.Lock()  # scrapes come in threads, a source is for one at a time
        self._last = [source.read() for source in self._sources]
        self._sums = [source.nothing() for source in self._sources]

    def collect(self) -> Iterator[Metric]:
        """Return all metrics as they are now."""
        with self._lock:
            rows = self._count()
            up = {row.nic: self._place.is_up(row.nic) for row in rows}
        yield from _traffic(rows)
        yield from self._of_nics(rows, up)
        yield from self._of_plan()

    def _count(self) -> list[NicTraffic]:
        readings = [source.read() for source in self._sources]
        rows = zip(self._sources, self._last, readings, strict=True)
        gained = [source.between(before, after) for source, before, after in rows]
        self._sums = [total.plus(more) for total, more in zip(self._sums, gained, strict=True)]
        self._last = readings
        return self._sums

    def _of_nics(self, rows: Iterable[NicTraffic], up: Mapping[str, bool]) -> Iterator[Metric]:
        found = list(rows)
        due = {row.nic: self._due.get(base(row.nic), 0.0) for row in found}
        gauges: Mapping[str, tuple[str, Mapping[str, float]]] = {
            "nic_up": ("Whether the NIC has a link.", up),
            "nic_trusted": (
                "0 where its counters went away or stand still.",
                {row.nic: not row.problem for row in found},
            ),
            "nic_planned": (
                "Whether the plan uses the NIC.",
                {name: share > 0 for name, share in due.items()},
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
            _PREFIX + "planned_nics", "NICs that the plan uses.", value=len(self._due)
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
