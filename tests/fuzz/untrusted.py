# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Fuzzes what peers send: introductions behind metadata, messages of listeners, workers' lines.

    PYTHONPATH=tests .venv/bin/python tests/fuzz/untrusted.py --target introduction --tries 1000000

It ends with 1 at the first input that raises what it must not, shows what a terminal would act
upon, or takes more than a second of CPU, and prints that input.
"""

from __future__ import annotations

import argparse
import functools
import json
import logging
import sys
import time
import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from fuzz.mutator import Mutator
from nixl_stripe.agents.introduction import _MAGIC, _TAIL, Introduction
from nixl_stripe.agents.meeting import Meetings
from nixl_stripe.bench import messages as bench
from nixl_stripe.fleet import messages as fleet_messages
from nixl_stripe.fleet.hub import facts_from
from nixl_stripe.fleet.outliers import outliers
from nixl_stripe.lab.job import Nixl
from nixl_stripe.lab.remote.link import LIMITS
from nixl_stripe.lab.remote.worker_lines import checked_line
from nixl_stripe.planning.stripe_plan import StripePlan
from nixl_stripe.untrusted import RefusedError, read_json
from nixl_stripe.verify import messages as verify

SEEDS = Path(__file__).parent / "seeds"
MAX_CPU_S = 1.0


class UnsafeTextError(Exception):
    """Something came out that a terminal would act upon."""


class _Lines(logging.Handler):
    """Looks at each line that is logged."""

    def emit(self, record: logging.LogRecord) -> None:
        if not record.getMessage().isprintable():
            raise UnsafeTextError(repr(record.getMessage()))

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        del record
        raise


def seeds(target: str) -> list[Any]:
    """Return the valid inputs of a target."""
    return [json.loads(file.read_text()) for file in sorted((SEEDS / target).glob("*.json"))]


def metadata_with(text: bytes) -> bytes:
    """Return metadata with an introduction of this text, its checksum right."""
    body = zlib.compress(text, 1)
    return b"nixlSerDes|Agent" + body + _TAIL.pack(zlib.crc32(body), len(body), _MAGIC)


@functools.cache
def _here() -> Introduction:
    data = json.loads((SEEDS / "introduction" / "gb200.json").read_text())
    return Introduction("here", "this-host", True, StripePlan.from_dict(data["plan"]))


def introduce(mutator: Mutator, seed: Any) -> str:
    """Have an agent meet a peer with a changed introduction."""
    made = metadata_with(mutator.text(seed))
    if mutator.random.random() < 0.2:
        made = mutator.changed_bytes(made)
    meetings = Meetings("here")
    meetings._mine = _here()  # striped, so that the whole comparison is reached
    plain, theirs = meetings.meet(made)
    if not made.startswith(plain):
        raise UnsafeTextError("NIXL's own bytes were changed")
    meetings.compare(theirs)
    return "accepted" if theirs is not None else "passed over"


def message(mutator: Mutator, seed: Any) -> str:
    """Read a changed message as a listener does, up to the job that it makes of it."""
    text = mutator.text(seed)
    try:
        data, kind = _message_of(text)
        for table in (verify.TO_LISTENER, bench.TO_LISTENER, verify.TO_CONNECTOR):
            if kind in table:
                _own(kind, table[kind](data, kind))
                return "accepted"
    except RefusedError as error:
        return _refused(error)
    return "refused"


def _message_of(text: Any) -> tuple[Any, str]:
    data = read_json(text, LIMITS)
    kind = data.get("kind") if isinstance(data, dict) else None
    if not isinstance(kind, str):
        raise RefusedError("a message has a kind")
    return data, kind


def _own(kind: str, checked: Any) -> None:
    if kind == "case":
        verify.own_job(checked["job"], Nixl(), None, 1 << 38)
    elif kind == "run":
        bench.own_job(checked["job"], 1 << 38)


def fleet(mutator: Mutator, seed: Any) -> str:
    """Read a changed message as a fleet's hub and its hosts do, and compare the facts in it."""
    text = mutator.text(seed)
    try:
        data, kind = _message_of(text)
        # A hub's hello and a host's have one kind.
        of_host = kind in fleet_messages.TO_HUB and (kind != "hello" or "verb" in data)
        table = fleet_messages.TO_HUB if of_host else fleet_messages.TO_HOST
        if kind not in table:
            return "refused"
        _compared(kind, table[kind](data, kind))
    except RefusedError as error:
        return _refused(error)
    return "accepted"


def _compared(kind: str, checked: Any) -> None:
    if kind == "facts" and "facts" in checked:
        facts = facts_from("h1", checked["facts"])
        others = [replace(facts, host=f"h{at}", rails=4, down=()) for at in (2, 3, 4)]
        for each in outliers([facts, *others]):
            if not f"{each.culprit} {each.evidence} {each.fix}".isprintable():
                raise UnsafeTextError(repr(each))


def line(mutator: Mutator, seed: Any) -> str:
    """Read a changed line of a worker."""
    try:
        checked_line(mutator.text(seed))
    except RefusedError as error:
        return _refused(error)
    return "accepted"


def _refused(error: RefusedError) -> str:
    if not str(error).isprintable():
        raise UnsafeTextError(repr(str(error)))
    return "refused"


TARGETS: dict[str, Callable[[Mutator, Any], str]] = {
    "introduction": introduce,
    "message": message,
    "line": line,
    "fleet": fleet,
}


def run(target: str, tries: int, seed: int = 0) -> Counter[str]:
    """Try so many inputs; return how they ended. Whatever is raised is a finding."""
    log = logging.getLogger("nixl_stripe.meeting")
    handler, before = _Lines(), log.propagate
    log.addHandler(handler)
    log.propagate = False
    mutator, valid, ended = Mutator(seed), seeds(target), Counter[str]()
    try:
        for _ in range(tries):
            state, start = mutator.random.getstate(), time.process_time()
            chosen = mutator.random.choice(valid)
            try:
                ended[TARGETS[target](mutator, chosen)] += 1
            except BaseException:
                mutator.random.setstate(state)
                mutator.random.choice(valid)
                print(f"{target}, seed {seed}, after {ended.total()}:", mutator.text(chosen)[:4000])
                raise
            if time.process_time() - start > MAX_CPU_S:
                raise TimeoutError(f"{target}: input {ended.total()} took over {MAX_CPU_S} s")
    finally:
        log.removeHandler(handler)
        log.propagate = before
    return ended


def main(argv: Sequence[str] | None = None) -> int:
    """Fuzz one target."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--target", choices=TARGETS, required=True)
    parser.add_argument("--tries", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(argv)
    start = time.process_time()
    ended = run(options.target, options.tries, options.seed)
    spent = time.process_time() - start
    print(f"{options.target}: {ended.total()} inputs, {dict(ended)}, {spent:.0f} s of CPU")
    return 0


if __name__ == "__main__":
    sys.exit(main())
