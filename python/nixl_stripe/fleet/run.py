# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""One rank's part in a run, from its first word to its verdict."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nixl_stripe.errors import StripeError, UsageError
from nixl_stripe.fleet import compare
from nixl_stripe.fleet.facts import is_tcp
from nixl_stripe.fleet.hub import Hub, check_reachable
from nixl_stripe.fleet.member import Member
from nixl_stripe.fleet.messages import MAX_LIMIT_S, MAX_RANKS, MAX_SIZE, Request
from nixl_stripe.fleet.outputs import Outputs
from nixl_stripe.fleet.rank import Rank
from nixl_stripe.fleet.report import to_dict
from nixl_stripe.fleet.schedule import rounds_for
from nixl_stripe.fleet.sweep import Plan, sweep
from nixl_stripe.lab.job import Nixl
from nixl_stripe.lab.remote import Token, checked_params

Say = Callable[[str], None]
#: Of a run that looks for so many bad hosts in a sample of the pairs: that it misses one.
MISSED = 0.001


@dataclass(frozen=True)
class Wish:
    """What rank 0 is asked for. ops: None for those that stripe; culprits: None for all pairs."""

    ops: Sequence[str] | None
    size: int
    memory: str
    params: Mapping[str, str]
    limit_s: float = 20.0
    wait_s: float = 120.0
    culprits: int | None = None
    seed: int = 0
    outputs: Outputs = field(default_factory=Outputs)
    compare: Path | None = None
    """What an earlier run printed."""

    def __post_init__(self) -> None:
        if self.size > MAX_SIZE:
            raise UsageError(f"--size {self.size}: accepted are at most {MAX_SIZE} bytes")
        if self.limit_s > MAX_LIMIT_S:
            raise UsageError(f"--timeout {self.limit_s:g}: accepted are at most {MAX_LIMIT_S:g} s")

    def plan(self, facts: Sequence[Any]) -> Plan:
        """Return what the run does with these hosts."""
        ops = self.ops or (("WRITE",) if facts and all(map(is_tcp, facts)) else ("READ", "WRITE"))
        rounds = None
        if self.culprits is not None:
            rounds = rounds_for(len(facts), self.culprits, MISSED)
        return Plan(ops, self.size, self.limit_s, rounds, self.seed)


def take_part(me: Rank, token: Token, nixl: Nixl, wish: Wish, say: Say) -> dict[str, Any]:
    """Be one rank of a run; rank 0 returns all of the result, others whether it was `ok`."""
    if me.ranks > MAX_RANKS:
        raise UsageError(f"--ranks {me.ranks}: accepted are at most {MAX_RANKS}")
    key = token.key()
    if me.number:
        return {"ok": Member(me, key, nixl, say).serve(wish.wait_s)}
    checked_params(wish.params)
    problem = check_reachable(me.hub)
    if problem:
        raise StripeError(problem)
    wish.outputs.require_writable()
    old = None if wish.compare is None else compare.read(wish.compare)
    request = Request(wish.size, wish.memory, wish.params, secrets.token_hex(16))
    with Hub(me.hub, key, me.ranks, request, say) as hub:
        own = _Own(me, key, nixl)
        hub.gather(wish.wait_s, lambda: len(hub.hosts) == me.ranks or bool(own.why))
        if own.why:
            raise StripeError(own.why)
        plan = wish.plan([hub.facts[host] for host in hub.hosts])
        if plan.rounds is not None:
            say(f"of all pairs so many that a bad host is missed with probability {MISSED:g}")
        facts = {host: hub.facts[host] for host in hub.hosts}
        result = sweep(hub, facts, lambda host: hub.cards[host], plan, say, hub.absent)
        hub.say_goodbye(result.ok)
        own.thread.join(5.0)
    data = to_dict(result)
    return data if old is None else {**data, "changes": compare.changes(old, data)}


def _quiet(text: str) -> None:
    del text


class _Own:
    """Rank 0's own worker: a member as any other, in a thread; why: it ended before the run."""

    def __init__(self, me: Rank, key: bytes, nixl: Nixl) -> None:
        self.why = ""
        self._member = Member(me, key, nixl, _quiet)
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self) -> None:
        try:
            self._member.serve(30.0)
        except StripeError as error:
            self.why = str(error)
