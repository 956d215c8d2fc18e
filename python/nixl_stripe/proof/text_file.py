# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Metrics as a file for node_exporter's textfile collector, which reads it as another user."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from nixl_stripe.proof.exposition import PLAIN, text_of
from nixl_stripe.proof.replacing import replace


class TextFile:
    """Replaces a file in one step. interval_s: seconds between two, told in it with its time."""

    def __init__(self, path: Path, metrics: Collector, interval_s: float) -> None:
        self._path, self._metrics, self._interval_s = path, metrics, interval_s

    def write(self) -> str:
        """Write it anew; return what the system has against it, or ""."""
        text = text_of([*self._metrics.collect(), *self._times()], PLAIN)
        try:
            replace(self._path, text, 0o644)
        except OSError as error:
            return error.strerror or str(error)
        return ""

    def _times(self) -> Iterator[Metric]:
        yield GaugeMetricFamily(
            "nixl_stripe_written_timestamp_seconds", "When this was.", value=time.time()
        )
        yield GaugeMetricFamily(
            "nixl_stripe_write_interval_seconds", "Between two files.", value=self._interval_s
        )
