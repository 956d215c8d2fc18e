# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""A run as one page of HTML that needs no network: findings first, then the matrix.

A click on a cell shows what each NIC carried. Every text comes from hosts of the fleet: in the page
it is escaped, and the script writes it as text alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from nixl_stripe.fleet.heat import picture
from nixl_stripe.fleet.report import figures

Data = Mapping[str, Any]

_STYLE = """
:root { --page: #ffffff; --text: #1f2328; --dim: #59636e; --line: #d1d9e0; --good: #1a7f37;
  --bad: #cf222e; color-scheme: light dark; }
@media (prefers-color-scheme: dark) {
  :root { --page: #0d1117; --text: #f0f6fc; --dim: #9198a1; --line: #3d444d; --good: #3fb950;
    --bad: #f85149; } }
body { background: var(--page); color: var(--text); font: 16px/1.5 system-ui, sans-serif;
  max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.8rem; margin: 0; } h2 { font-size: 1.2rem; margin: 2rem 0 .5rem; }
.good { color: var(--good); } .bad { color: var(--bad); } .dim { color: var(--dim); }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .35rem .6rem; border-bottom: 1px solid var(--line);
  vertical-align: top; }
code { font-size: .9em; overflow-wrap: anywhere; } #matrix { cursor: pointer; }
svg { width: 100%; max-width: 48rem; height: auto; display: block; }
"""

_SCRIPT = """
const run = JSON.parse(document.getElementById("run").textContent);
const show = document.getElementById("pair");
const matrix = document.getElementById("matrix");
function line(tag, cells, body) {
  const row = body.insertRow();
  for (const text of cells) {
    const cell = document.createElement(tag);
    cell.textContent = text;
    row.append(cell);
  }
}
matrix.addEventListener("click", (event) => {
  const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(
    matrix.getScreenCTM().inverse());
  const one = run.hosts[Math.floor(at.y)], other = run.hosts[Math.floor(at.x)];
  show.replaceChildren();
  const met = run.pairs.filter((each) =>
    (each[0] === one && each[1] === other) || (each[0] === other && each[1] === one));
  const body = show.createTBody();
  line("th", ["from", "to", "operation", "seconds", "bytes sent", "bytes received", ""], body);
  for (const each of met) line("td", each, body);
  if (!met.length) line("td", [one, other, "", "", "", "", "did not meet"], body);
});
"""


def page(data: Data) -> str:
    """Return the page; data: as `fleet --json` prints."""
    found: Sequence[Data] = data["findings"]
    count = len(data["hosts"])
    verdict = f"{len(found)} finding(s) in {count} hosts" if found else f"{count} hosts are healthy"
    body = [
        f'<h1 class="{"bad" if found else "good"}">{verdict}</h1>',
        f'<p class="dim">{escape(figures(data))}</p>',
        _findings(found),
        _changes(data.get("changes")),
        "<h2>Pairs: sender down, receiver across</h2>",
        picture(data),
        '<p class="dim">A click on a cell shows what each NIC carried.</p>',
        '<table id="pair"></table>',
        f'<script type="application/json" id="run">{_embedded(data)}</script>',
        f"<script>{_SCRIPT}</script>",
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>NIXL fleet: {verdict}</title><style>{_STYLE}</style></head><body>\n"
        + "\n".join(body)
        + "\n</body></html>\n"
    )


def _findings(found: Sequence[Data]) -> str:
    if not found:
        return ""
    rows = "".join(
        f"<tr><td>{escape(each['kind'])}</td><td>{escape(each['culprit'])}</td>"
        f"<td>{escape(each['evidence'])}</td><td><code>{escape(each['fix'])}</code></td></tr>"
        for each in found
    )
    heads = "".join(f"<th>{name}</th>" for name in ("kind", "culprit", "evidence", "fix"))
    return f"<table><tr>{heads}</tr>{rows}</table>"


def _changes(changes: Data | None) -> str:
    if changes is None:
        return ""
    rows = "".join(
        f"<tr><td>{escape(name)}</td><td>{escape(', '.join(map(str, each)) or 'none')}</td></tr>"
        for name, each in changes.items()
    )
    return f"<h2>Since the run that it is compared with</h2><table>{rows}</table>"


def _embedded(data: Data) -> str:
    """Return what the script shows, as JSON that cannot end its element."""
    rows = [
        [
            each["sender"],
            each["receiver"],
            each["op"] + (", again" if each["repeat"] else ""),
            f"{each['seconds']:.4g}",
            _by_nic(each["sent"]),
            _by_nic(each["received"]),
            each["error"],
        ]
        for each in data["pairs"]
    ]
    hosts = [each["host"] for each in data["hosts"]]
    return json.dumps({"hosts": hosts, "pairs": rows}).replace("<", "\\u003c")


def _by_nic(carried: Mapping[str, int]) -> str:
    return ", ".join(f"{nic} {count}" for nic, count in carried.items())
