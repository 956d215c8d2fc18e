# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Draws what the Grafana board would show, from a real Prometheus that scrapes a real `export`.

    python tools/board_picture.py docs/img/board.png

Grafana itself is not needed: matplotlib draws the answers to the board's own questions. The host is
a tree of files, four NICs of a GB200 at work for two agents; one NIC is cut half-way. Needs the
extras `test` and `plot`, and Prometheus (Debian's package).
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "tests" / "support")]

from agent_texts import agent_text  # noqa: E402
from counter_trees import CounterTree  # noqa: E402
from grafana_board import PANELS, WINDOW, Panel  # noqa: E402
from prometheus_programs import program  # noqa: E402
from sysfs_machines import MACHINES  # noqa: E402
from sysfs_trees import write  # noqa: E402

NICS = ("mlx5_0", "mlx5_1", "mlx5_2", "mlx5_3")
CUT = "mlx5_2"
SECONDS = 70
RATE = 12_000_000_000
"""Bytes a second of each NIC."""
_EXPORT, _PROMETHEUS = 19827, 19828


class Host:
    """Counters and agents' files of a host at work."""

    def __init__(self, folder: Path) -> None:
        self.tree = CounterTree(write(MACHINES["gb200"](), folder / "host").sys)
        self.agents = folder / "agents"
        self.agents.mkdir()
        self._bytes = dict.fromkeys(NICS, 0)
        for nic in NICS:
            self.tree.infiniband(nic)
        self.work(0)

    def work(self, seconds: float, cut: bool = False) -> None:
        """Let time pass."""
        for nic in NICS:
            if not (cut and nic == CUT):
                self._bytes[nic] += int(RATE * seconds)
            words = int(self._bytes[nic] * 1.03) // 4  # with headers
            self._put(f"{nic}/ports/1/counters/port_xmit_data", str(words))
        if cut:
            self._put(f"{CUT}/ports/1/state", "1: DOWN")
        for number, (agent, part) in enumerate((("prefill-0", 0.75), ("decode-0", 0.25))):
            amounts = {nic: int(each * part) for nic, each in self._bytes.items()}
            text = agent_text(agent, out=amounts, narrow=int(cut and agent == "decode-0"))
            draft = self.agents / f"{number}.draft"
            draft.write_text(text)
            draft.replace(self.agents / f"{number}.prom")

    def _put(self, path: str, text: str) -> None:
        """In one step: a reader must not see an empty file."""
        file = (self.tree.root / "class/infiniband" / path).resolve()
        draft = self.tree.root / "draft"
        draft.write_text(f"{text}\n")
        draft.replace(file)


@contextlib.contextmanager
def watched(host: Host, folder: Path) -> Iterator[None]:
    """Run `export` and a Prometheus that asks it every second."""
    config = folder / "prometheus.yml"
    job = {"job_name": "nixl-stripe", "static_configs": [{"targets": [f"127.0.0.1:{_EXPORT}"]}]}
    settings = {"global": {"scrape_interval": "1s"}, "scrape_configs": [job]}
    config.write_text(json.dumps(settings))  # JSON is YAML
    ours = "from nixl_stripe.cli import main; raise SystemExit(main())"
    export = [sys.executable, "-c", ours, "export", "--listen", f"127.0.0.1:{_EXPORT}"]
    export += ["--sysfs", str(host.tree.root), "--agents", str(host.agents)]
    server = [program("prometheus"), f"--config.file={config}"]
    server += [f"--storage.tsdb.path={folder / 'data'}"]
    server += [f"--web.listen-address=127.0.0.1:{_PROMETHEUS}"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    running = [subprocess.Popen(each, **quiet) for each in (export, server)]  # type: ignore[call-overload]
    try:
        yield
    finally:
        for each in running:
            each.terminate()
            each.wait()


def answers(panel: Panel, start: float, end: float) -> list[dict[str, Any]]:
    """Return the lines of a panel."""
    query = panel.query.replace(WINDOW, "6s").replace("$instance", ".*")
    fields = {"query": query, "start": start, "end": end, "step": "1s"}
    url = f"http://127.0.0.1:{_PROMETHEUS}/api/v1/query_range?{urllib.parse.urlencode(fields)}"
    with urllib.request.urlopen(url, timeout=30) as got:
        rows: list[dict[str, Any]] = json.load(got)["data"]["result"]
    return rows


def legend(panel: Panel, labels: dict[str, str]) -> str:
    """Return the name of a line; the one host of the picture needs none."""
    text = panel.legend.replace(" {{instance}}", "").replace("{{instance}}", "this host")
    for name, value in labels.items():
        text = text.replace(f"{{{{{name}}}}}", value)
    return text


def draw(found: dict[str, list[dict[str, Any]]], start: float, path: Path) -> None:
    """Draw the panels in the board's order, two a row."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(-(-len(PANELS) // 2), 2, figsize=(13, 15))
    for axis, panel in zip(axes.flat, PANELS, strict=True):
        axis.set_title(panel.title, fontsize=10, loc="left")
        rows = found[panel.title]
        if panel.as_table:
            axis.axis("off")
            cells = [
                [each["metric"][name] for name in ("agent_name", "key", "value")] for each in rows
            ]
            axis.table(cells, colLabels=["agent", "key", "value"], loc="upper left", edges="B")
            continue
        scale, unit = (1e-9, "Gbit/s") if panel.unit == "bps" else (1, "")
        for row in sorted(rows, key=lambda row: legend(panel, row["metric"])):
            at = [float(when) - start for when, _ in row["values"]]
            values = [scale * float(value) for _, value in row["values"]]
            axis.plot(at, values, label=legend(panel, row["metric"]))
        axis.set_ylabel(unit)
        axis.set_ylim(bottom=0)
        axis.set_xlim(10, SECONDS)
        axis.grid(alpha=0.3)
        axis.legend(fontsize=7, loc="lower left", ncols=2)
    figure.suptitle("The board's panels, drawn by matplotlib; seconds", fontsize=11)
    figure.tight_layout()
    figure.savefig(path, dpi=70)


def main(path: Path) -> None:
    """Run for a minute, ask, draw."""
    with tempfile.TemporaryDirectory(prefix="nixl-stripe-board-") as scratch:
        host = Host(Path(scratch))
        with watched(host, Path(scratch)):
            start = last = time.time()
            while (now := time.time()) < start + SECONDS:
                host.work(now - last, cut=now > start + SECONDS / 2)
                last = now
                time.sleep(0.25)
            found = {panel.title: answers(panel, start, now) for panel in PANELS}
    draw(found, start, path)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
