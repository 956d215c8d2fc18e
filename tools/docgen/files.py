# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Result files, where they come from, and Markdown tables."""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nixl_stripe.bench.provenance import is_busy

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "docs/results"

#: What every result file says about itself; `from_history` names those that it did not record.
ORIGIN = ("command", "date", "versions", "commit", "load")


def result(name: str) -> Any:
    """Return docs/results/NAME.json; KeyError where there is none."""
    try:
        return _loaded(RESULTS / f"{name}.json")
    except OSError as error:
        raise KeyError(f"docs/results/{name}.json: {error.strerror}") from error


@functools.cache
def _loaded(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


def source(path: str) -> str:
    """Return a source file of the repository as a block of code, without its licence lines."""
    text = (ROOT / path).read_text("utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("# SPDX-")]
    language = {".py": "python", ".c": "c", ".sh": "sh"}[Path(path).suffix]
    return "\n".join([f"```{language}", *lines, "```"])


def names() -> list[str]:
    """Return the names of all result files."""
    return sorted(path.stem for path in RESULTS.glob("*.json"))


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def has_page(name: str) -> bool:
    """Return whether a result has a page with all its figures."""
    return "bench" in result(name) or (RESULTS / f"{name}.md").exists()


def measured(name: str) -> str:
    """Return a result's command, date, commit, machine and load, and links to its figures."""
    found = result(name)
    links = [f"[JSON](results/{name}.json)"]
    if has_page(name):
        links.insert(0, f"[table](results/{name}.md)")
    return "\n".join(
        [
            f"- Command: `{found['command']}`",
            f"- {date_text(found)}; {machine_text(found)}; {load_text(found)}",
            f"- All figures: {', '.join(links)}",
        ]
    )


def origin(name: str) -> str:
    """Return the same for the page of a result's figures, with the versions."""
    found = result(name)
    versions = ", ".join(f"{key} {text}" for key, text in found["versions"].items())
    return "\n".join(
        [
            f"- Command: `{found['command']}`",
            f"- {date_text(found)}",
            f"- {machine_text(found)}; {load_text(found)}",
            f"- {versions}",
            f"- File: [{name}.json]({name}.json)",
        ]
    )


def overview() -> str:
    """Return one row for every result file."""
    rows = []
    for name in names():
        found = result(name)
        page = f"[{name}]({name}.md)" if has_page(name) else name
        date = found["date"][:10] + (" \\*" if "date" in found.get("from_history", ()) else "")
        cells = [f"{page} ([JSON]({name}.json))", f"`{found['command']}`", date]
        cells.append(found["commit"] or "none")
        rows.append([*cells, f"{machine_text(found)}; {load_text(found)}"])
    return table(["result", "command", "date", "commit", "machine and load"], rows)


def date_text(found: Any) -> str:
    """Return day and commit, and whether the file itself recorded them."""
    commit = found["commit"]
    at = "not from a checkout" if commit is None else f"commit {commit}"
    note = ", both from the history" if "date" in found.get("from_history", ()) else ""
    return f"{found['date'][:10]}, {at}{note}"


def machine_text(found: Any) -> str:
    """Return the machine in a few words."""
    about = found.get("machine")
    if not isinstance(about, dict):
        return "machine not recorded" if about is None else str(about)
    cores = about.get("cores", about.get("cpus"))
    gpu = f"{about['gpu']}, " if "gpu" in about else ""
    cpu = about.get("cpu")
    return f"{gpu}{cores} cores" + (f" ({cpu})" if cpu and cpu != "x86_64" else "")


def load_text(found: Any) -> str:
    """Return the load before and after, as far as it was recorded, and what a high one means."""
    load = found["load"]
    if load is None:
        return "load not recorded"
    parts = [f"{load[key]:.1f} {key}" for key in ("before", "after") if load.get(key) is not None]
    nice = f", nice {load['nice']}" if load.get("nice") else ""
    busy = " (busy: lower rates and ratios)" if is_busy(found) else ""
    return f"load {', '.join(parts)}{nice}{busy}"
