# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Metrics as a file for node_exporter's textfile collector, which reads it as another user."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from nixl_stripe.proof.exposition import PLAIN, text_of


def replace(path: Path, text: bytes, mode: int | None = None) -> None:
    """Put a text into place in one step, as a new file of ours; OSError where that cannot be.

    Where others may write into the folder they may have planted a link, a pipe or a file of their
    own under the draft's name, which can be guessed: it is taken away, never written through.
    mode: of the file; None is what the umask leaves.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    try:
        with os.fdopen(os.open(draft, flags, 0o666), "wb") as stream:
            if mode is not None:
                os.fchmod(stream.fileno(), mode)
            stream.write(text)
        draft.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            draft.unlink()
        raise


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
