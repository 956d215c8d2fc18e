# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""A hall whose hosts answer by a function, in an order that a seed draws; no sockets, no time."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from nixl_stripe.fleet.hall import Message

Answer = Callable[[str, Message], "Message | None"]


class FakeHall:
    """answer: what a host says to an order; None: it dies of it. told: all orders, as they came."""

    def __init__(self, answer: Answer, seed: int = 0) -> None:
        self._answer = answer
        self._chance = random.Random(seed)
        self._waiting: list[tuple[str, Message]] = []
        self.told: list[tuple[str, Message]] = []
        self.most_at_once = 0

    def tell(self, host: str, order: Message) -> None:
        self.told.append((host, order))
        self._waiting.append((host, order))
        self.most_at_once = max(self.most_at_once, len(self._waiting))

    def hear(self, limit_s: float) -> list[tuple[str, Message | None]]:
        del limit_s
        if not self._waiting:
            return []
        host, order = self._waiting.pop(self._chance.randrange(len(self._waiting)))
        said = self._answer(host, order)
        if said is None:
            return [(host, None)]
        return [(host, {"kind": "answer", "number": order["number"], "error": "", **said})]

    def why_gone(self, host: str) -> str:
        return f"{host} fell"


def healthy(nics: int = 4, size: int = 4 << 20) -> Answer:
    """Return what good hosts say."""
    carried: dict[str, Any] = {f"rail{at}": [size // nics, size // nics] for at in range(nics)}

    def answer(host: str, order: Message) -> Message:
        del host
        if order["kind"] == "move":
            return {"seconds": 0.1, "busy_s": {}, "unreachable": []}
        return {"carried": carried, "down": []} if order["kind"] == "check" else {"down": []}

    return answer
