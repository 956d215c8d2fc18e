# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""From the transfers of a fleet to the culprits, ranked, with evidence and what mends it.

Bytes and links accuse first: a NIC that no peer of its host reaches, two NICs that nobody reaches
though both have a link, a pair that does not reach each other on one NIC. A rate accuses last, and
only against other hosts of the run (`slowness`). What one finding explains accuses nobody else.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from nixl_stripe.fleet.model import Finding, HostFacts, Kind, Transfer
from nixl_stripe.fleet.outliers import outliers
from nixl_stripe.fleet.slowness import slow, suspects

Place = tuple[str, int]
"""A host, and a NIC of it by its place in the plan."""

#: Of a host's pairs in which a NIC is silent: as many make it the NIC's own fault, not a route's.
#: Two thirds, as a fault of two NICs at two hosts hides in each other's pairs.
_MOST = 2 / 3
#: Of an even share: a NIC that carries less is silent. Control messages of UCX are below it.
_SILENT = 0.1
#: What is found before any byte moves and does not change which NICs carry how much.
_JUDGED_ALL_THE_SAME = (Kind.OTHER_VERSION, Kind.LIMIT)


def findings(
    facts: Sequence[HostFacts], transfers: Sequence[Transfer], absent: Sequence[str] = ()
) -> list[Finding]:
    """Return all that is wrong, the most certain first. absent: hosts that never came."""
    dead = [*absent, *sorted({host for each in transfers for host in each.lost} - set(absent))]
    found = [_dead(host, host in absent) for host in dead]
    set_up = outliers(facts, len(facts) + len(absent))
    found += set_up
    odd = {host for each in set_up for host in each.hosts if each.kind not in _JUDGED_ALL_THE_SAME}
    alive = [each for each in transfers if not each.hosts & set(dead)]
    by_host = {each.host: each for each in facts}
    found += _wrong_bytes(alive)
    judged = [each for each in alive if not each.hosts & odd]
    silences = _Silences(by_host, judged)
    links = silences.findings(_links_down(alive))
    found += links
    failed = [each for each in judged if each.error and not each.is_repeat]
    explained = {(host, nic) for each in links for host in each.hosts for nic in each.nics}
    found += _unexplained(failed, silences, {host for host, _ in explained})
    found += slow(by_host, silences.clean(judged))
    order = list(Kind)
    return sorted(found, key=lambda each: (order.index(each.kind), each.hosts, each.nics))


def worth_repeating(facts: Sequence[HostFacts], transfers: Sequence[Transfer]) -> list[Transfer]:
    """Return transfers of hosts that would be called slow, and others to compare them with.

    And those of two hosts of which alone it would be said that they do not reach each other.
    """
    set_up = outliers(facts)
    odd = {host for each in set_up for host in each.hosts if each.kind not in _JUDGED_ALL_THE_SAME}
    judged = [each for each in transfers if not each.hosts & odd and not each.lost]
    silences = _Silences({each.host: each for each in facts}, judged)
    return [*silences.of_pairs(judged), *suspects(silences.clean(judged))]


def _dead(host: str, never_came: bool) -> Finding:
    if never_came:
        return Finding(
            Kind.HOST_DEAD, (host,), (), "never came", "look whether the host and its worker run"
        )
    return Finding(
        Kind.HOST_DEAD,
        (host,),
        (),
        "came, and went away during the run",
        "look at the host's log and its worker's",
    )


def _wrong_bytes(transfers: Sequence[Transfer]) -> list[Finding]:
    return [
        Finding(
            Kind.WRONG_BYTES,
            (each.sender, each.receiver),
            (),
            f"{each.op} in round {each.number}: {each.error}",
            "stop the job: what arrives is not what was sent",
        )
        for each in transfers
        if each.error.startswith("PayloadMismatchError")
    ]


def _links_down(transfers: Sequence[Transfer]) -> set[tuple[str, str]]:
    return {(host, nic) for each in transfers for host, nic in each.down}


class _Silences:
    """In which transfers which NIC carried nothing, and whose fault that is."""

    def __init__(self, facts: Mapping[str, HostFacts], transfers: Sequence[Transfer]) -> None:
        self._facts = facts
        #: Pairs of a host, and those of them in which a NIC of its was silent.
        self._met: dict[str, set[frozenset[str]]] = defaultdict(set)
        self._silent: dict[Place, set[frozenset[str]]] = defaultdict(set)
        self._of = {id(each): self._places(each) for each in transfers}
        #: Of a pair that was tried again, what is silent every time.
        always: dict[tuple[frozenset[str], str], set[int]] = {}
        for each in transfers:
            for host in each.hosts:
                self._met[host].add(each.hosts)
            silent = self.of(each)
            always[each.hosts, each.op] = always.get((each.hosts, each.op), silent) & silent
        for (hosts, _), places in always.items():
            for place in places:
                for host in hosts:
                    self._silent[host, place].add(hosts)

    def of(self, transfer: Transfer) -> set[int]:
        """Return the places of NICs that carried nothing, or that did not answer."""
        return self._of[id(transfer)]

    def _places(self, transfer: Transfer) -> set[int]:
        nics = self._facts[transfer.sender].nics
        places = set(transfer.unreachable)
        total = sum(transfer.sent.get(nic, 0) for nic in nics)
        # With fewer rails than NICs some carry nothing, and that is right.
        if total and not transfer.error and self._facts[transfer.sender].rails >= len(nics):
            even = total / len(nics)
            places |= {
                at for at, nic in enumerate(nics) if transfer.sent.get(nic, 0) < _SILENT * even
            }
        return places

    def clean(self, transfers: Sequence[Transfer]) -> list[Transfer]:
        """Return those that went well over every NIC: their times can be compared."""
        return [each for each in transfers if not each.error and not self.of(each)]

    def of_pairs(self, transfers: Sequence[Transfer]) -> list[Transfer]:
        """Return those in which a NIC was silent that is not so in most of its host's pairs."""
        guilty = self._guilty()
        return [
            each
            for each in transfers
            if any(
                not any((host, place) in guilty for host in each.hosts) for place in self.of(each)
            )
        ]

    def findings(self, down: set[tuple[str, str]]) -> list[Finding]:
        """Return NICs that are down, swapped cables and missing routes."""
        guilty = self._guilty()
        found = []
        for host in sorted({host for host, _ in guilty}):
            places = sorted(at for name, at in guilty if name == host)
            found += self._of_host(host, places, down)
        return found + self._routes(guilty)

    def _guilty(self) -> set[Place]:
        """Return NICs that are silent in most of their host's pairs.

        One after the other, the most silent first: a pair that one explains accuses no other.
        """
        left = {place: set(pairs) for place, pairs in self._silent.items()}
        guilty: set[Place] = set()
        while left:
            place = max(left, key=lambda each: (self._part(each, left[each]), each))
            pairs = left.pop(place)
            if self._part(place, pairs) < _MOST or len(self._met[place[0]]) < 2:
                break
            guilty.add(place)
            for other in left:
                if other[1] == place[1]:
                    left[other] -= {pair for pair in left[other] if place[0] in pair}
        return guilty

    def _part(self, place: Place, pairs: set[frozenset[str]]) -> float:
        return len(pairs) / max(1, len(self._met[place[0]]))

    def _of_host(
        self, host: str, places: Sequence[int], down: set[tuple[str, str]]
    ) -> list[Finding]:
        nics = self._facts[host].nics
        names = [nics[at] for at in places]
        linked = [name for name in names if (host, name) not in down]
        found = [
            Finding(
                Kind.NIC_DOWN,
                (host,),
                (name,),
                "no link, and none of its peers reached it",
                f"on {host}: look at the cable and the port of {name}",
            )
            for name in names
            if name not in linked
        ]
        if len(linked) == 2:
            return [
                *found,
                Finding(
                    Kind.SWAPPED_CABLES,
                    (host,),
                    tuple(linked),
                    "both have a link, and no peer is reached over either",
                    f"on {host}: are the cables of {linked[0]} and {linked[1]} swapped?",
                ),
            ]
        return found + [
            Finding(
                Kind.NIC_DOWN,
                (host,),
                (name,),
                "it has a link, and none of its peers reached it",
                f"on {host}: look at the address, the cable and the switch port of {name}",
            )
            for name in linked
        ]

    def _routes(self, guilty: set[Place]) -> list[Finding]:
        left: set[tuple[frozenset[str], int]] = set()
        for (host, at), pairs in self._silent.items():
            for pair in pairs:
                if not any((one, at) in guilty for one in pair) and host == min(pair):
                    left.add((pair, at))
        found = []
        for pair, at in sorted(left, key=lambda each: (sorted(each[0]), each[1])):
            one, other = sorted(pair)
            nic = self._facts[one].nics[at]
            found.append(
                Finding(
                    Kind.ROUTE,
                    (one, other),
                    (nic,),
                    f"{one} and {other} do not reach each other over {nic}, others do",
                    f"look at the route between their subnets, and at filters, for {nic}",
                )
            )
        return found


def _unexplained(
    failed: Sequence[Transfer], silences: _Silences, explained: set[str]
) -> list[Finding]:
    """Return transfers that failed although every NIC answers and no host is known to be bad."""
    found = {}
    for each in failed:
        known = each.hosts & explained or silences.of(each)
        if not known and not each.error.startswith("PayloadMismatchError"):
            found[each.hosts] = Finding(
                Kind.FAILED,
                tuple(sorted(each.hosts)),
                (),
                f"{each.op} in round {each.number}: {each.error}",
                f"nixl-stripe verify between {each.sender} and {each.receiver} says more",
            )
    return list(found.values())
