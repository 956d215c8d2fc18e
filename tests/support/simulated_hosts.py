# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Machines whose NICs carry what nobody but a measurement can tell, drawn at random.

What a set of NICs carries is worked out here from links that are drawn here; nothing of the model
that `best` goes by is used. The machine's sysfs says where devices are, and nothing of that.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from sysfs_trees import Function, Host, Port, Root, bridge, gpu, mlx5

#: One measurement is off by so much, as a part of it (standard deviation).
NOISE = 0.02


@dataclass(frozen=True)
class Nic:
    """gbps: what it carries alone where nothing else limits it."""

    socket: int
    switch: int
    gbps: float


@dataclass(frozen=True)
class Gpu:
    """pci: its address. bridge_gbps: what it sends to devices below other switches, in all."""

    pci: str
    socket: int
    switch: int
    bridge_gbps: float


@dataclass
class Truth:
    """What is drawn of a machine.

    uplinks: of a switch, Gbit/s. sockets: between a socket's switches and memory. between: from one
    socket to the other, for GPU memory. shared: NICs on one limit. disturbed: factor on each of two
    NICs where both are used. mixed: factor on far NICs where near ones are used too, for GPUs.
    """

    host: Host
    nics: list[Nic]
    gpus: list[Gpu]
    uplinks: dict[int, float] = field(default_factory=dict)
    sockets: dict[int, float] = field(default_factory=dict)
    between: float = 1e9
    shared: list[tuple[frozenset[int], float]] = field(default_factory=list)
    disturbed: dict[frozenset[int], float] = field(default_factory=dict)
    mixed: float = 1.0

    def gbps(self, gpu_pci: str | None, used: Iterable[int]) -> float:
        """Return what NICs carry that share each buffer evenly, from a GPU or host memory."""
        nics = frozenset(used)
        if not nics:
            return 0.0
        source = next((each for each in self.gpus if each.pci == gpu_pci), None)
        slowest = min(self._alone(source, nic, nics) for nic in nics)
        for limit, gbps in self._limits(source):
            crowd = len(limit & nics)
            if crowd:
                slowest = min(slowest, gbps / crowd)
        return slowest * len(nics)

    def best(self, gpu_pci: str | None, every: Sequence[int]) -> tuple[float, tuple[int, ...]]:
        """Return the most that any set of these NICs carries, by trying all, and the set."""
        sets = (each for size in range(1, len(every) + 1) for each in combinations(every, size))
        return max((self.gbps(gpu_pci, each), each) for each in sets)

    def best_alone(self, gpu_pci: str | None, every: Sequence[int]) -> float:
        """Return what the best of these NICs carries alone."""
        return max(self.gbps(gpu_pci, [nic]) for nic in every)

    def _alone(self, source: Gpu | None, nic: int, nics: frozenset[int]) -> float:
        gbps = self.nics[nic].gbps
        for pair, factor in self.disturbed.items():
            if nic in pair and pair <= nics:
                gbps *= factor
        near = self._near(source)
        if nic not in near and near & nics:
            gbps *= self.mixed
        return gbps

    def _near(self, source: Gpu | None) -> frozenset[int]:
        if source is None or source.switch < 0:
            return frozenset()
        return frozenset(i for i, nic in enumerate(self.nics) if nic.switch == source.switch)

    def _limits(self, source: Gpu | None) -> Iterable[tuple[frozenset[int], float]]:
        near = self._near(source)
        away = frozenset(range(len(self.nics))) - near
        for switch, gbps in self.uplinks.items():
            yield frozenset(i for i in away if self.nics[i].switch == switch), gbps
        yield from self.shared
        if source is None:
            for socket, gbps in self.sockets.items():
                yield frozenset(i for i, nic in enumerate(self.nics) if nic.socket == socket), gbps
            return
        yield away, min(source.bridge_gbps, self.uplinks.get(source.switch, source.bridge_gbps))
        yield frozenset(i for i in away if self.nics[i].socket != source.socket), self.between


def drawn(seed: int, most_gpus: int = 8) -> Truth:
    """Draw a machine of 2 to 10 NICs and up to `most_gpus` GPUs."""
    draw = random.Random(seed)
    sockets = draw.choice([1, 2, 2])
    rate = draw.choice([100.0, 200.0, 400.0])
    count, gpus = (
        draw.randint(2, 10),
        draw.choice([each for each in (0, 1, 2, 4, 8) if each <= most_gpus]),
    )
    switches = draw.randint(sockets, max(sockets, min(count, 5)))
    # A switch number below 0 is a root port of its own.
    homes = [draw.randrange(switches) if draw.random() < 0.8 else -1 - i for i in range(count)]
    places = {home: (home if home >= 0 else draw.randrange(sockets)) % sockets for home in homes}
    nics = [Nic(places[home], home, _carries(draw, rate)) for home in sorted(homes)]
    found = []
    for index in range(gpus):
        switch = draw.randrange(switches)
        limit = rate * draw.choice([0.4, 0.6, 1.0, 2.0, 8.0])
        found.append(Gpu(f"0000:{0xA0 + index:02x}:00.0", switch % sockets, switch, limit))
    truth = Truth(_host(nics, found, sockets, rate), nics, found)
    _limit(truth, draw, rate)
    return truth


def _carries(draw: random.Random, rate: float) -> float:
    slow = draw.random() < 0.15
    return rate * (draw.choice([0.1, 0.25, 0.5, 0.75]) if slow else draw.uniform(0.93, 0.99))


def _limit(truth: Truth, draw: random.Random, rate: float) -> None:
    """Draw what NICs share, and what they do to each other."""
    every = range(len(truth.nics))
    for switch in sorted({nic.switch for nic in truth.nics} | {each.switch for each in truth.gpus}):
        if switch >= 0 and draw.random() < 0.5:
            truth.uplinks[switch] = rate * draw.uniform(0.6, 2.5)
    for socket in range(2):
        if draw.random() < 0.3:
            truth.sockets[socket] = rate * draw.uniform(0.8, 4)
    if draw.random() < 0.7:
        truth.between = rate * draw.uniform(0.3, 3)
    if draw.random() < 0.25:
        truth.shared.append((frozenset(draw.sample(every, 2)), rate * draw.uniform(0.5, 1.5)))
    for _ in range(draw.choice([0, 0, 1, 2])):
        truth.disturbed[frozenset(draw.sample(every, 2))] = draw.uniform(0.2, 0.8)
    if draw.random() < 0.6:
        truth.mixed = draw.uniform(0.1, 0.6)


def _host(nics: Sequence[Nic], gpus: Sequence[Gpu], sockets: int, rate: float) -> Host:
    """Return the machine as its sysfs shows it: names in the order of `nics`."""
    roots: list[Root] = []
    homes = sorted({nic.switch for nic in nics} | {each.switch for each in gpus})
    for place, home in enumerate(homes):
        bus = 0x10 * (place + 1)
        below = [
            mlx5(f"0000:{bus + 2 + index:02x}:00.0", f"mlx5_{index}", Port(rate=rate))
            for index, nic in enumerate(nics)
            if nic.switch == home
        ]
        below += [gpu(each.pci) for each in gpus if each.switch == home]
        sockets_here = [nic.socket for nic in nics if nic.switch == home]
        sockets_here += [each.socket for each in gpus if each.switch == home]
        roots.append(
            Root(f"pci{place:04x}:{bus:02x}", (_below(bus, home, below),), sockets_here[0])
        )
    return Host(tuple(roots), numa_nodes=tuple(range(sockets)))


def _below(bus: int, home: int, devices: Sequence[Function]) -> Function:
    if home < 0:
        return bridge(f"0000:{bus:02x}:01.0", *devices)
    ports = [
        bridge(f"0000:{bus + 1:02x}:{slot:02x}.0", device) for slot, device in enumerate(devices)
    ]
    return bridge(f"0000:{bus:02x}:01.0", bridge(f"0000:{bus + 1:02x}:1f.0", *ports))
