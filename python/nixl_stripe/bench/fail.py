# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""`bench fail`: NICs are lost in the middle of transfers; what arrives, what ends, and when."""

from __future__ import annotations

import json
import platform
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from nixl_stripe._core import __version__
from nixl_stripe.bench import runner
from nixl_stripe.bench.fail_log import detected_s, said
from nixl_stripe.bench.fail_plan import Fault, faults, sizes
from nixl_stripe.bench.options import Options, Sides
from nixl_stripe.errors import UsageError
from nixl_stripe.lab.beds.base import Bed
from nixl_stripe.lab.cut import CutMade
from nixl_stripe.lab.job import OPS, Nixl
from nixl_stripe.lab.outcome import Outcome
from nixl_stripe.lab.transfer import Transfer

COLUMNS = (
    *("mode", "op", "load", "kind", "lost", "ok", "wrong_bytes", "seconds", "undisturbed_s"),
    "error",
)
MODES = ("stock", "error", "failover", "resume")

#: Seconds that a transfer takes on all NICs: so long that a cut in it is one, and no longer.
_SECONDS = {"tcp": 1.0, "rdma": 3.0}
#: Seconds until a transfer counts as one that hangs.
_LIMIT_S = 30.0
#: Payloads are compared at DONE, and again so many seconds later: late bytes must change nothing.
_LATER_S = 2.0
_WRONG = re.compile(r"(\d+) bytes in all buffers")


def measure(
    bed: Bed,
    sides: Sides,
    options: Options,
    say: runner.Say,
    cuts: int = 20,
    seed: int = 0,
    modes: tuple[str, ...] = ("stock", "error"),
    resume: Path | None = None,
) -> dict[str, Any]:
    """Run the benchmark; see the module.

    cuts: of each mode, the same ones. resume: a file that holds the rows after each cut; those that
    it has already are not done again. UsageError where it is of another run.
    """
    check(options, cuts, seed, modes, resume)
    run = _Run(bed, sides, options, say)
    settings = {
        **options.to_dict(),
        "ops": list(options.ops or OPS),
        "seed": seed,
        "transfer_bytes": run.total_bytes,
    }
    rows = _rows_of(resume, settings)
    done = {(row["mode"], row["number"]) for row in rows}
    for fault in _faults(cuts, seed, options):
        for mode in modes:
            if (mode, fault.number) not in done:
                rows.append(run.row(mode, fault))
                _keep(resume, settings, rows)
    return _document(bed, settings, rows)


def check(
    options: Options, cuts: int, seed: int, modes: tuple[str, ...], resume: Path | None
) -> None:
    """Raise UsageError for what `measure` refuses, before anything is made for it."""
    unknown = [mode for mode in modes if mode not in MODES]
    if unknown:
        raise UsageError(f"--mode {unknown[0]}: accepted are {', '.join(MODES)}")
    if cuts < 1:
        raise UsageError(f"--cuts {cuts}: accepted are 1 and more")
    try:
        next(_faults(1, seed, options))
    except ValueError as error:
        raise UsageError(f"--nics {options.nics}: {error}") from error
    _read_rows(resume)


def _faults(cuts: int, seed: int, options: Options) -> Iterator[Fault]:
    """Yield the cuts of a run. Over TCP a READ takes one NIC: no other is worth a cut."""
    ops = options.ops or OPS
    reads_over = (0,) if options.bed == "tcp" else ()
    return faults(cuts, seed, ops, options.nics, reads_over)


class _Run:
    """The bed with what was measured on it without a fault."""

    def __init__(self, bed: Bed, sides: Sides, options: Options, say: runner.Say) -> None:
        self._bed = bed
        self._sides = sides
        self._options = options
        self._say = say
        self._undisturbed: dict[tuple[str, str, str], float | None] = {}
        mbit = bed.limit_mbit or 1000.0
        seconds = _SECONDS.get(bed.name, 1.0)
        self.total_bytes = round(mbit * 1e6 / 8 * options.nics * seconds / 4096) * 4096

    def row(self, mode: str, fault: Fault) -> dict[str, Any]:
        """Cut NICs in one transfer and say what came of it."""
        undisturbed = self._time_of(mode, fault)
        buffers = self._sizes(fault)
        self._say(f"cut {fault.number + 1}, {mode}: {fault.op} {fault.load}, {fault.kind}")
        self._bed.cut = fault.cut(sum(buffers), self._nics_of(fault))
        try:
            outcome = self._transfer(mode, fault, buffers)
            return _row(self._bed, mode, fault, outcome, self._bed.cut_made, undisturbed)
        finally:
            self._bed.cut = None

    def _time_of(self, mode: str, fault: Fault) -> float | None:
        """Return what the same transfer takes when nothing fails, measured once."""
        key = (mode, fault.op, fault.load)
        if key not in self._undisturbed:
            self._say(f"{mode}: {fault.op} {fault.load}, nothing cut")
            outcome = self._transfer(mode, fault, self._sizes(fault))
            self._undisturbed[key] = round(outcome.seconds[0], 3) if outcome.ok else None
        return self._undisturbed[key]

    def _nics_of(self, fault: Fault) -> int:
        """Return how many NICs carry it while nothing fails."""
        return 1 if self._bed.name == "tcp" and fault.op == "READ" else self._options.nics

    def _sizes(self, fault: Fault) -> tuple[int, ...]:
        return sizes(fault.load, self.total_bytes * self._nics_of(fault) // self._options.nics)

    def _transfer(self, mode: str, fault: Fault, buffers: tuple[int, ...]) -> Outcome:
        nixl, params, variables = self._mode(mode)
        wish = Transfer(
            sizes=buffers,
            op=fault.op,
            memory=self._options.memory if self._options.memory != "dram" else None,
            nixl=nixl,
            backend_params=params,
            environment={"UCX_PROTO_INFO": None, **variables},
            look_again_s=_LATER_S,
            corrupt=self._options.corrupt,
            limit_s=_LIMIT_S,
        )
        return self._bed.transfer(wish)

    def _mode(self, mode: str) -> tuple[Nixl, dict[str, str], dict[str, str]]:
        if mode == "stock":
            # As many rails as NICs: a cut of a NIC that carries nothing would show nothing.
            rails = f"MAX_RMA_RAILS={self._options.nics}"
            return self._sides.stock, {"engine_config": rails}, {}
        params = {"stripe": "all", "on_nic_loss": mode}
        if mode in ("error", "resume"):
            return self._sides.patched, params, {}
        words = "failover,failover-over-tcp" if self._bed.name == "tcp" else "failover"
        return self._sides.patched, params, {"NIXL_STRIPE_EXPERIMENTAL": words}


def _row(
    bed: Bed,
    mode: str,
    fault: Fault,
    outcome: Outcome,
    made: CutMade,
    undisturbed: float | None,
) -> dict[str, Any]:
    error = outcome.error
    text = "" if error is None else f"{error.type}: {error.text}"
    wrong = _WRONG.search(text)
    at = None if made.at_s is None else round(made.at_s, 3)
    return {
        "bed": bed.name,
        "mode": mode,
        "number": fault.number,
        "op": fault.op,
        "memory": outcome.memory,
        "load": fault.load,
        "kind": fault.kind,
        "lost": len(fault.nics),
        "cut": {
            "nics": [bed.counters[nic] for nic in fault.nics],
            "side": fault.where,
            "after": fault.at,
            "at_s": at,
            "kind": fault.kind,
            "back_after_s": fault.back_after_s,
        },
        "ok": outcome.ok,
        "wrong_bytes": int(wrong[1]) if wrong else 0,
        "error": text[:300] or None,
        "hang": error is not None and error.type == TimeoutError.__name__,
        "seconds": round(outcome.seconds[0], 3) if outcome.seconds else None,
        "undisturbed_s": undisturbed,
        "detected_s": detected_s(outcome.initiator.log, made.at_unix_s),
        "said": said(outcome.initiator.log),
        "share_after": outcome.share,
    }


def summary(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return, by mode, what became of the transfers that a cut met."""
    found = []
    for mode in dict.fromkeys(row["mode"] for row in rows):
        mine = [row for row in rows if row["mode"] == mode and row["cut"]["at_s"] is not None]
        wrong = [row for row in mine if row["wrong_bytes"]]
        hangs = [row for row in mine if row["hang"] and not row["wrong_bytes"]]
        errors = [row for row in mine if not row["ok"] and row not in wrong and row not in hangs]
        found.append(
            {
                "bed": rows[0]["bed"],
                "mode": mode,
                "cuts": len(mine),
                "wrong": len(wrong),
                "errors": len(errors),
                "hangs": len(hangs),
            }
        )
    return found


def _document(bed: Bed, settings: dict[str, Any], rows: list[dict[str, Any]]) -> dict[str, Any]:
    found = summary(rows)
    return {
        "bench": "fail",
        "machine": {**runner.machine(), **bed.describe()},
        "versions": {"nixl_stripe": __version__, "python": platform.python_version()},
        "options": settings,
        "rows": rows,
        "summary": found,
        "ratios": {
            f"{each['mode']}: {each[key]} {key} of {each['cuts']} cuts": each[key] / each["cuts"]
            for each in found
            if each["cuts"]
            for key in ("wrong", "errors", "hangs")
        },
    }


def _rows_of(file: Path | None, settings: Mapping[str, Any]) -> list[dict[str, Any]]:
    rows, options = _read_rows(file)
    if options is not None and options != dict(settings):
        raise UsageError(f"--resume {file}: of a run with other options or another seed")
    return rows


def _read_rows(file: Path | None) -> tuple[list[dict[str, Any]], Any]:
    """Return the rows of a file and the options that they were measured with; None: no file."""
    if file is None or not file.exists():
        return [], None
    try:
        kept = json.loads(file.read_text(encoding="utf-8"))
        return list(kept["rows"]), kept["options"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"--resume {file}: no result of this benchmark ({error})") from error


def _keep(file: Path | None, settings: Mapping[str, Any], rows: list[dict[str, Any]]) -> None:
    if file is not None:
        draft = file.with_suffix(".tmp")
        text = json.dumps({"options": dict(settings), "rows": rows}, indent=1)
        draft.write_text(text + "\n", encoding="utf-8")
        draft.replace(file)
