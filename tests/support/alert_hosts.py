# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Series of a host for promtool, as `nixl-stripe export` has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

END_S = 1200
MB = 1_000_000

Series = list[dict[str, str]]


class Host:
    """The series of a host, scraped every `interval_s` seconds.

    A rate is in MB/s, or several of them with the seconds from which each holds.
    """

    def __init__(self, interval_s: int, scrape_job: str = "", end_s: int = END_S) -> None:
        self.interval_s, self.end_s = interval_s, end_s
        self.series: Series = []
        self._more = {"job": scrape_job} if scrape_job else {}
        self.gauge("build_info", 1)

    def gauge(self, name: str, *steps: float | tuple[int, float | None], **labels: str) -> None:
        """Add a gauge: a value, or (from which second, which value; None is no sample)."""
        plain = [step if isinstance(step, tuple) else (0, step) for step in steps]
        words = []
        for place, (start, value) in enumerate(plain):
            end = plain[place + 1][0] if place + 1 < len(plain) else self.end_s + self.interval_s
            count = (end - start) // self.interval_s
            words.append(f"{'_' if value is None else value}x{count - (value is not None)}")
        self._add(f"nixl_stripe_{name}", " ".join(words), labels)

    def counter(self, name: str, *steps: float | tuple[int, float], **labels: str) -> None:
        """Add a counter that grows by `steps` MB/s."""
        plain = [step if isinstance(step, tuple) else (0, step) for step in steps]
        values, total = [], 0.0
        for second in range(0, self.end_s + 1, self.interval_s):
            values.append(str(round(total)))
            rate = [value for start, value in plain if start <= second][-1]
            total += rate * MB * self.interval_s
        self._add(f"nixl_stripe_{name}", " ".join(values), labels)

    def nics(self, *rates: Any, direction: str = "out", due: Mapping[int, float] = {}) -> Host:
        """Add planned NICs that are up, due an even share, with what each carries."""
        for number, rate in enumerate(rates):
            nic = f"mlx5_{number}"
            steps = rate if isinstance(rate, list) else [rate]
            self.counter("nic_bytes_total", *steps, nic=nic, direction=direction)
            self.gauge("nic_due_share", due.get(number, 1 / len(rates)), nic=nic)
            for name in ("planned", "up", "trusted"):
                self.gauge(f"nic_{name}", 1, nic=nic)
        self.gauge("planned_nics", len(rates))
        return self

    def agent(self, *rates: Any, name: str = "w0", direction: str = "out", rails: int = 0) -> Host:
        """Add an agent that plans NICs, with what it hands to each."""
        own = {"agent_name": name, "process": f"h-{name}"}
        for number, rate in enumerate(rates):
            steps = rate if isinstance(rate, list) else [rate]
            nic = {"nic": f"mlx5_{number}", **own}
            self.counter("agent_intended_bytes_total", *steps, direction=direction, **nic)
            self.gauge("agent_nic_planned", 1, **nic)
        self.gauge("agent_planned_nics", len(rates), **own)
        self.gauge("agent_rails", rails or len(rates), **own)
        return self

    def replaced(self, name: str, nic: str, *steps: tuple[int, float | None]) -> Host:
        """Let a gauge of a NIC go another way."""
        self.series = [
            row
            for row in self.series
            if f'"{nic}"' not in row["series"] or f"_{name}{{" not in row["series"]
        ]
        self.gauge(name, *steps, nic=nic)
        return self

    def _add(self, name: str, values: str, labels: Mapping[str, str]) -> None:
        all_labels = {"instance": "a", **labels, **self._more}
        text = ",".join(f'{key}="{value}"' for key, value in all_labels.items())
        self.series.append({"series": f"{name}{{{text}}}", "values": values})
