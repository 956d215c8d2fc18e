# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Writes every generated table and figure of the documents; `docgen.marks` has the grammar.

python tools/docs.py            # writes; pages of raw figures in docs/results too
python tools/docs.py --check    # exit 1, and which documents are out of date
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from docgen import bench, code, files, forecast, gpu, machines, metrics_cost, posting, reliability
from docgen.files import ROOT
from docgen.marks import MarkError, filled

TEXTS: Mapping[str, Callable[..., str]] = {
    "account-cost": metrics_cost.account,
    "agent-ms": gpu.agent,
    "checks": code.checks,
    "create-ms": gpu.create,
    "demo": machines.demo,
    "forecast-grid": forecast.grid,
    "forecast-summary": forecast.summary,
    "fuzz": reliability.fuzz,
    "gpu": gpu.part,
    "gpu-rate": gpu.rate,
    "many-nics": machines.many_nics,
    "measured": files.measured,
    "median": bench.median,
    "metrics-cost": metrics_cost.rate,
    "modelexpress": machines.modelexpress,
    "modelexpress-rate": machines.modelexpress_rate,
    "origin": files.origin,
    "overview": files.overview,
    "parameters": code.parameters,
    "policies": code.policies,
    "posting": posting.ratio,
    "posting-rows": posting.rows,
    "posting-summary": posting.summary,
    "ratio": bench.ratio,
    "rows": bench.rows,
    "rules": code.rules,
    "share": bench.share,
    "soak": reliability.soak,
    "source": files.source,
    "topologies": machines.topologies,
    "topology": machines.topology,
    "topology-sources": machines.topology_sources,
    "traps": code.traps,
    "variables": code.variables,
    "verification": machines.verification,
    "versions": machines.versions,
}

PAGE = """# {name}: figures

<!-- docs: origin {name} -->
<!-- /docs -->

<!-- docs: rows {name} -->
<!-- /docs -->
"""


def documents(root: Path = ROOT) -> list[Path]:
    """Return all documents that may hold marks."""
    folders = ("docs", "docs/results")
    found = [path for folder in folders for path in sorted((root / folder).glob("*.md"))]
    return [root / "README.md", *found]


def pages() -> dict[Path, str]:
    """Return the pages of raw figures that every benchmark's result has, not yet filled."""
    return {files.RESULTS / f"{name}.md": PAGE.format(name=name) for name in bench.bench_names()}


def fresh() -> Iterator[tuple[Path, str | None, str]]:
    """Yield every document, its text as it is (None: it is not there) and as it should be."""
    made = pages()
    for path in sorted({*documents(), *made}):
        text = path.read_text("utf-8") if path.exists() else None
        try:
            yield path, text, filled(made.get(path, text or ""), TEXTS)
        except MarkError as error:
            raise MarkError(f"{path.relative_to(ROOT)}: {error}") from error


def main(argv: Sequence[str] | None = None) -> int:
    """Write what is out of date, or say it; see the module."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing")
    options = parser.parse_args(argv)
    try:
        stale = [(path, text) for path, old, text in fresh() if old != text]
    except MarkError as error:
        print(f"docs: {error}", file=sys.stderr)
        return 2
    for path, text in stale:
        name = path.relative_to(ROOT)
        if options.check:
            print(f"docs: {name} is out of date: python tools/docs.py", file=sys.stderr)
        else:
            path.write_text(text, "utf-8")
            print(name)
    return 1 if options.check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
