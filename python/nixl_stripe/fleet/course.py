# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What two hosts do when they meet, step by step: pure, it asks and is told answers.

A course yields orders (host -> order) and is sent the answers to all of them (host -> answer). An
answer with `lost` says that the host is gone, or was late: the course goes on with what it knows.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from nixl_stripe.fleet.hall import Message
from nixl_stripe.fleet.model import Transfer
from nixl_stripe.fleet.schedule import Pair

Orders = dict[str, Message]
Answers = Mapping[str, Message]
Course = Generator[Orders, Answers, list[Transfer]]
#: Transfers of each operation when two hosts meet.
_TRIES = 2
CardOf = Callable[[str], Message]


@dataclass
class Terms:
    """How pairs meet. ops: READ, WRITE; limit_s: of one transfer; card_of: see `Host.card`.

    Each operation is done twice. Of a first meeting the second is told, as the first connects the
    two; of a repeat both are.
    """

    ops: Sequence[str]
    limit_s: float
    card_of: CardOf
    stamps: Iterator[int] = field(default_factory=itertools.count)


def course(pair: Pair, number: int, terms: Terms, *, is_repeat: bool = False) -> Course:
    """Have a pair do each operation; returns its transfers. The first of a pair initiates."""
    found = []
    for op in terms.ops:
        lanes: Mapping[str, float] = {}
        for _ in range(_TRIES):
            made = yield from _once(pair, number, op, terms, is_repeat)
            lanes = made.lanes or lanes
            made = replace(made, lanes=lanes)
            if made.error:
                break
            if is_repeat:
                found.append(made)
        if not is_repeat or made.error:
            found.append(made)
        if made.lost:
            break
    return found


def _once(
    pair: Pair, number: int, op: str, terms: Terms, is_repeat: bool
) -> Generator[Orders, Answers, Transfer]:
    initiator, target = pair
    sender, receiver = pair if op == "WRITE" else (target, initiator)
    stamp = next(terms.stamps)
    ready = {"kind": "ready", "op": op, "stamp": stamp}
    before = yield {
        initiator: {**ready, "initiates": True, "peer": terms.card_of(target)},
        target: {**ready, "initiates": False, "peer": None},
    }
    moved: Message = {}
    after: Answers = {}
    if not _error(before):
        moved = (yield {initiator: {"kind": "move", "limit_s": terms.limit_s}})[initiator]
        there = [host for host in pair if host != initiator or not moved.get("lost")]
        after = yield {host: {"kind": "check", "failed": bool(moved["error"])} for host in there}
    ends = (before, {initiator: moved}, after)
    return Transfer(
        number,
        sender,
        receiver,
        op,
        sent=_carried(after, sender, 0),
        received=_carried(after, receiver, 1),
        seconds=moved.get("seconds", 0.0),
        busy_s=moved.get("busy_s", {}),
        unreachable=[at for each in ends for at in each.get(initiator, {}).get("unreachable", ())],
        down=_down(pair, after or before),
        lost=[host for host in pair if any(each.get(host, {}).get("lost") for each in ends)],
        error=next((text for each in ends if (text := _error(each))), ""),
        is_repeat=is_repeat,
        lanes=moved.get("lanes", {}),
    )


def _down(pair: Pair, answers: Answers) -> list[tuple[str, str]]:
    return [(host, nic) for host in pair for nic in answers.get(host, {}).get("down", ())]


def _error(answers: Answers) -> str:
    return next((each["error"] for each in answers.values() if each.get("error")), "")


def _carried(answers: Answers, host: str, direction: int) -> dict[str, int]:
    rows = answers.get(host, {}).get("carried", {})
    return {nic: row[direction] for nic, row in rows.items()}
