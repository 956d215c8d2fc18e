# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What the agents of a host say of themselves as metrics, beside what its NICs count.

`agent_name` is the label of NIXL's own exporters, so that dashboards can join both. `process` is
the name of the agent's file: agents of two jobs may have the same name. The extra `metrics`
(prometheus_client) is needed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from nixl_stripe.errors import StripeError
from nixl_stripe.proof.agents import (
    PREFIX,
    SAMPLES,
    AgentFile,
    AgentFiles,
    Sample,
    read_folder,
)

#: What serves to find out whether a process lives is of no use to a dashboard.
_UNSEEN = {"pid_namespace", "start_ticks"}

#: Whoever writes into the folder cannot fill a log.
_MOST_SAID = 1000

HELP: Mapping[str, str] = {
    "info": "An agent, its process and its UCX.",
    "planned_nics": "NICs that the agent's plan uses.",
    "rails": "Rails of the agent's plan; 0 = UCX's default.",
    "nic_planned": "1 for each NIC of the agent's plan.",
    "ucx_setting_info": "UCX settings in force, by the plan or the user.",
    "intended_bytes_total": "Payload handed to UCX for the NIC: intended, not counted.",
    "elsewhere_bytes_total": "Payload handed to UCX for shared memory, or for lanes not told.",
    "operations_total": "Puts and gets that UCX took.",
    "transfers_total": "Flushes that ended well, one a transfer and worker.",
    "errors_total": "Operations that UCX refused, and flushes that failed.",
    "resumes_total": "Times that a transfer went on over the NICs that were left.",
    "nic_losses_total": "Times that transfers to a peer went on without the NIC, which had died.",
    "nic_returns_total": "Times that transfers to a peer took the NIC again.",
    "peers": "Open endpoints that have carried an operation.",
    "narrow_peers": "Those of them with fewer NICs than rails.",
}


class AgentCollector(Collector):
    """Reads the files of `stripe_metrics` in a folder at each scrape.

    say: is told once of each file that is refused, and why. StripeError: the folder cannot be read.
    """

    def __init__(self, folder: Path, say: Callable[[str, str], None] | None = None) -> None:
        self._folder = folder
        self._say = say
        self._said: set[str] = set()
        self._lock = threading.Lock()
        self.read()

    def read(self) -> AgentFiles:
        """Return what stands in the folder now."""
        try:
            found = read_folder(self._folder)
        except OSError as error:
            raise StripeError(f"--agents {self._folder}: {error.strerror}") from error
        for name, why in found.refused.items():
            if self._say and name not in self._said and len(self._said) < _MOST_SAID:
                self._said.add(name)
                self._say(name, why)
        return found

    def collect(self) -> Iterator[Metric]:
        """Return all metrics as they are now; a folder that went away has no agents."""
        try:
            with self._lock:
                found = self.read()
        except StripeError:
            found = AgentFiles()
        yield from _families(found.live)
        yield GaugeMetricFamily(
            PREFIX + "files_refused",
            "Files that are not as agents write them.",
            value=len(found.refused),
        )
        yield GaugeMetricFamily(
            PREFIX + "files_left", "Files of processes that ended.", value=found.dead
        )


def _families(files: tuple[AgentFile, ...]) -> Iterator[Metric]:
    rows: dict[str, list[tuple[str, Sample]]] = {name: [] for name in SAMPLES}
    for file in files:
        for sample in file.samples:
            rows[sample.name].append((file.process, sample))
    for name, found in rows.items():
        kept = [place for place, label in enumerate(SAMPLES[name]) if label not in _UNSEEN]
        labels = ["agent_name", "process", *(SAMPLES[name][place] for place in kept)]
        kind = CounterMetricFamily if name.endswith("_total") else GaugeMetricFamily
        made = kind(PREFIX + name.removesuffix("_total"), HELP[name], labels=labels)
        for process, sample in found:
            values = [sample.agent, process, *(sample.labels[place] for place in kept)]
            made.add_metric(values, sample.value)
        yield made
