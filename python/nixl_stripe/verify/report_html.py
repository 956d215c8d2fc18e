# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""A verification as one page of HTML that needs no network: verdict first, then the evidence.

What it shows may come from the other host, so every text is escaped and nothing is a link.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from nixl_stripe.proof.text import bytes_text
from nixl_stripe.verify.result import Figures
from nixl_stripe.verify.verdict import headline, reservation

Data = Mapping[str, Any]

_STYLE = """
:root { --page: #ffffff; --text: #1f2328; --dim: #59636e; --line: #d1d9e0; --due: #c8d1da;
  --good: #1a7f37; --bad: #cf222e; --bar: #0969da; color-scheme: light dark; }
@media (prefers-color-scheme: dark) {
  :root { --page: #0d1117; --text: #f0f6fc; --dim: #9198a1; --line: #3d444d; --due: #3d444d;
    --good: #3fb950; --bad: #f85149; --bar: #4493f8; } }
body { background: var(--page); color: var(--text); font: 16px/1.5 system-ui, sans-serif;
  max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.8rem; margin: 0; } h2 { font-size: 1.2rem; margin: 2.5rem 0 .5rem; }
.good { color: var(--good); } .bad { color: var(--bad); } .dim { color: var(--dim); }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .35rem .6rem; border-bottom: 1px solid var(--line); }
td.number, th.number { text-align: right; }
figure { margin: 0; padding: .5rem; background: #ffffff; border: 1px solid var(--line);
  border-radius: 6px; } figure svg { width: 100%; height: auto; }
svg { display: block; } code { font-size: .9em; overflow-wrap: anywhere; }
.due { fill: var(--due); } .fill { fill: var(--bar); } .short { fill: var(--bad); }
"""


def page(data: Data, context: Mapping[str, str], picture: str = "") -> str:
    """Return the page. data: as `verify --json` prints. context: facts about the run, by name.

    picture: SVG of the machine, of our own drawing: it is put in as it is.
    """
    results = list(data.get("results", ()))
    facts = {"Where": str(data.get("where", "")), **context}
    body = [
        _verdict(data, results),
        *(_operation(result) for result in results),
        f"<h2>Machine of the initiator</h2><figure>{picture}</figure>" if picture else "",
        "<h2>Circumstances</h2>",
        _table(("", ""), ([escape(name), escape(text)] for name, text in facts.items())),
        *(f'<p class="dim">{escape(str(note))}</p>' for note in data.get("notes", ())),
    ]
    title = f"NIXL stripe: {headline(data)[0].lower()}"
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{_STYLE}</style></head><body>\n"
        + "\n".join(body)
        + "\n</body></html>\n"
    )


def _verdict(data: Data, results: list[Data]) -> str:
    words, kind = headline(data)
    lines = [f'<h1 class="{kind}">{escape(words)}</h1>']
    if data.get("error"):
        lines.append(f'<p class="bad">{escape(str(data["error"]))}</p>')
    if held_back := reservation(data):
        lines.append(f"<p>{escape(held_back)}</p>")
    for result in results:
        planned = list(result.get("planned", ()))
        short = set(result.get("short", ()))
        carried = len(planned) - len(short) if not result.get("error") else 0
        text = f"{result.get('op')}: {carried} of {len(planned)} planned NICs carried their share"
        if left_out := _left_out(result):
            text += f", {len(left_out)} not planned"
        text += f", {_number(result.get('gbps'), 3)} Gbit/s"
        if result.get("ceiling_gbps"):
            text += f" of at most {_number(result['ceiling_gbps'], 3)}"
        stock = result.get("stock") or {}
        if stock.get("gbps") and result.get("proof") == "bytes" and len(planned) > 1:
            times = float(result.get("gbps", 0)) / float(stock["gbps"])
            text += f", {times:.2f} times what NIXL does without nixl-stripe"
        lines.append(f"<p>{escape(text)}</p>")
    return "\n".join(lines)


def _operation(result: Data) -> str:
    head = (
        f"{result.get('op')} of {result.get('buffers')} x {bytes_text(int(result.get('size', 0)))} "
        f"{result.get('memory')} memory, {result.get('repeats')} time(s)"
    )
    parts = [f"<h2>{escape(head)}</h2>"]
    if result.get("error"):
        parts.append(f'<p class="bad">The transfer failed: {escape(str(result["error"]))}</p>')
    parts.append(_nics(result))
    if not result.get("ok"):
        parts.append(f'<p class="bad">{escape(str(result.get("why", "")))}</p>')
    parts += [
        f"<p>Likely cause: {escape(str(cause.get('text', '')))}<br>"
        f"To fix it: <code>{escape(str(cause.get('fix', '')))}</code></p>"
        for cause in result.get("causes", ())
    ]
    parts += [
        f'<p class="dim">{escape(f"{name} is not planned: {why}")}</p>'
        for name, why in _left_out(result).items()
    ]
    settings = result.get("ucx_settings") or {}
    if settings:
        listed = ", ".join(f"{key}={value}" for key, value in settings.items())
        parts.append(f'<p class="dim">UCX settings of the plan: <code>{escape(listed)}</code></p>')
    return "\n".join(parts)


def _left_out(result: Data) -> dict[str, str]:
    return {
        str(name): str(why) for name, why in (result.get("excluded") or {}).items() if name != "lo"
    }


def _nics(result: Data) -> str:
    by_lanes = result.get("proof") == "lanes"
    shares = result.get("lanes" if by_lanes else "share") or {}
    due, counted, sources = (result.get(name) or {} for name in ("due", "bytes", "source"))
    if by_lanes and not result.get("lanes_complete", True):
        shares = Figures(lanes=shares, lanes_complete=False).lane_shares(due)
    short = set(result.get("short", ()))
    planned = list(result.get("planned", ()))
    names = dict.fromkeys([*planned, *(nic for nic, part in shares.items() if part >= 0.005)])
    rows = []
    for nic in names:
        source = sources.get(nic) or {}
        named = [source[key] for key in ("name", "kind") if key in source]
        who = "UCX's lanes" if by_lanes or not named else ", ".join(named)
        share, wanted = float(shares.get(nic, 0.0)), float(due.get(nic, 0.0))
        rows.append(
            [
                escape(str(nic)),
                _bar(share, wanted, max(map(float, [*shares.values(), *due.values(), 1e-9])),
                     nic in short),
                f'<span class="bad">{share:.1%}</span>' if nic in short else f"{share:.1%}",
                f"{wanted:.1%}" if nic in due else "not planned",
                escape(bytes_text(int(counted.get(nic, 0)))),
                escape(who),
            ]
        )  # fmt: skip
    return _table(("NIC", "carried, due behind it", "share", "due", "bytes", "source"), rows, 2)


def _bar(share: float, due: float, most: float, short: bool) -> str:
    width = 240
    kind = "short" if short else "fill"
    return (
        f'<svg width="{width}" height="18" role="img" aria-label="{share:.1%} of {due:.1%} due">'
        f'<rect class="due" width="{width * due / most:.1f}" height="18" rx="2"/>'
        f'<rect class="{kind}" y="4" width="{width * share / most:.1f}" height="10" rx="2"/></svg>'
    )


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]], numbers_from: int = 99) -> str:
    def cells(tag: str, row: Iterable[str]) -> str:
        return "".join(
            f'<{tag} class="number">{cell}</{tag}>'
            if numbers_from <= at < numbers_from + 3
            else f"<{tag}>{cell}</{tag}>"
            for at, cell in enumerate(row)
        )

    names = list(heads)
    head = f"<tr>{cells('th', names)}</tr>" if any(names) else ""
    body = "".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    return f"<table>{head}{body}</table>"


def _number(value: object, digits: int) -> str:
    return f"{value:.{digits}g}" if isinstance(value, (int, float)) else "?"
