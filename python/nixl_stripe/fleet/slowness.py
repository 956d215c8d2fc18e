# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Who is slow, learned from the run itself: each host against all others.

There are no thresholds of seconds. A host stands for the quickest of its transfers: what is slow is
never quick, while a machine that is busy now and then has a quick one among several; and as every
host is in every round, a time at which all were slow accuses nobody. How far healthy hosts stray is
the median absolute deviation of all hosts. What is accused is measured again, and both have to say
so.
"""

from __future__ import annotations

import itertools
import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from nixl_stripe.fleet.model import Finding, HostFacts, Kind, Transfer

#: 1.4826 of the median absolute deviation is a normal distribution's sigma; of these, three: who is
#: beyond them is measured again, and that decides.
_STRAYING = 3 * 1.4826
#: A host is not called slow for less, however well the others agree: nobody mends a quarter.
_LEAST = 0.25


def slow(facts: Mapping[str, HostFacts], transfers: Sequence[Transfer]) -> list[Finding]:
    """Return hosts and NICs that are slow. transfers: those that ended well over all NICs."""
    first = [each for each in transfers if not each.is_repeat]
    again = [each for each in transfers if each.is_repeat]
    accused = _accused(first, _ratios(first))
    usual = [each.seconds for each in again if not each.hosts & set(accused)]
    return [
        _named(facts[host], [each for each in first if host in each.hosts], ratio)
        for host, ratio in accused.items()
        if _is_confirmed(host, transfers, again, usual)
    ]


def suspects(transfers: Sequence[Transfer]) -> list[Transfer]:
    """Return those that are worth a repeat: of each host that would be accused.

    And as many of other hosts, from the same round where it has one: what the first are compared
    with is to be measured at the same time.
    """
    accused = set(_accused(transfers, _ratios(transfers)))
    theirs = [each for each in transfers if each.hosts & accused]
    others = [each for each in transfers if not each.hosts & accused]
    by_round = {(each.number, each.op): each for each in others}
    fallback = itertools.cycle(others)
    beside = [by_round.get((each.number, each.op)) or next(fallback, None) for each in theirs]
    return [*theirs, *(each for each in beside if each is not None)]


def _ratios(transfers: Sequence[Transfer]) -> list[float]:
    """Return each transfer's time over the median of its operation."""
    groups: dict[str, list[float]] = defaultdict(list)
    for each in transfers:
        groups[each.op].append(each.seconds)
    medians = {key: statistics.median(times) for key, times in groups.items()}
    return [each.seconds / (medians[each.op] or 1.0) for each in transfers]


def _accused(transfers: Sequence[Transfer], ratios: Sequence[float]) -> dict[str, float]:
    """Return hosts beyond what healthy ones stray, and by how much, the worst first.

    What one explains accuses nobody else: its transfers are left out when the next is looked for.
    """
    left = list(zip(transfers, ratios, strict=True))
    found: dict[str, float] = {}
    while True:
        best = _quickest(left)
        worst = max(best, key=lambda host: (best[host], host), default=None)
        if worst is None or best[worst] <= _limit(best.values()) or len(best) < 3:
            return found
        found[worst] = best[worst] / statistics.median(best.values())
        left = [(each, ratio) for each, ratio in left if worst not in each.hosts]


def _quickest(left: Iterable[tuple[Transfer, float]]) -> dict[str, float]:
    mine: dict[str, list[float]] = defaultdict(list)
    for each, ratio in left:
        for host in each.hosts:
            mine[host].append(ratio)
    # Of one pair alone it cannot be told whose fault it is.
    return {host: min(each) for host, each in mine.items() if len(each) > 1}


def _limit(best: Iterable[float]) -> float:
    values = list(best)
    middle = statistics.median(values)
    spread = statistics.median(abs(each - middle) for each in values)
    return middle + max(_LEAST * middle, _STRAYING * spread)


def _is_confirmed(
    host: str,
    transfers: Sequence[Transfer],
    again: Sequence[Transfer],
    usual: Sequence[float],
) -> bool:
    """Return whether it was slow in its repeats too, every time, against others' repeats."""
    mine = [each.seconds for each in transfers if host in each.hosts]
    is_repeated = any(host in each.hosts for each in again)
    return bool(usual and is_repeated and min(mine) > (1 + _LEAST) * statistics.median(usual))


def _named(facts: HostFacts, mine: Sequence[Transfer], ratio: float) -> Finding:
    took = f"transfers all took long, the quickest {ratio:.2f} times other hosts'"
    nic = _slow_nic(facts, mine)
    if nic is None:
        return Finding(
            Kind.HOST_SLOW,
            (facts.host,),
            (),
            f"its {len(mine)} {took}, on no NIC more than on others",
            f"on {facts.host}: nixl-stripe doctor; look at its load",
        )
    return Finding(
        Kind.NIC_SLOW,
        (facts.host,),
        (nic,),
        f"its host's {len(mine)} {took}, and {nic} was the last to end",
        f"on {facts.host}: the rate of {nic} (ethtool, ibstat), its errors and its switch port",
    )


def _slow_nic(facts: HostFacts, mine: Sequence[Transfer]) -> str | None:
    """Return the NIC that went on when the others of its transfers had ended, in most of them."""
    told = [each for each in mine if len(each.busy_s) == len(facts.nics) > 1]
    if not told:
        return None
    # NICs of two hosts correspond by their place in the plan, whatever their names.
    columns = zip(*(each.busy_s.values() for each in told), strict=True)
    medians = [statistics.median(column) for column in columns]
    slowest = medians.index(max(medians))
    others = medians[:slowest] + medians[slowest + 1 :]
    if medians[slowest] <= (1 + _LEAST) * statistics.median(others):
        return None
    return facts.nics[slowest]
