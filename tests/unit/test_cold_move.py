# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Registration in portions, each moving while the next one is registered."""

from __future__ import annotations

from enum import Enum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nixl_stripe.errors import StripeError
from nixl_stripe.memory.blocks import Span
from nixl_stripe.memory.cold_move import portions_of, register_and_move
from nixl_stripe.memory.registration import coalesce

KIB = 1 << 10


def test_a_block_is_cut_between_spans() -> None:
    spans = [(0, 100), (512, 100), (1024, 100), (1536, 100)]
    found = portions_of(spans, [(0, 4096)], 2)
    assert [portion.region for portion in found] == [(0, 1024), (1024, 3072)]
    assert [portion.indices for portion in found] == [(0, 1), (2, 3)]


def test_order_of_the_spans_is_kept_by_index() -> None:
    (found,) = portions_of([(512, 8), (0, 8)], [(0, 520)], 1)
    assert found.indices == (1, 0)


def test_no_portions_bad_flow() -> None:
    with pytest.raises(ValueError, match="portions=0: accepted are 1 and more"):
        portions_of([(0, 8)], [(0, 8)], 0)


@given(
    st.lists(
        st.tuples(st.integers(0, 200 * KIB), st.integers(1, 30 * KIB)), min_size=1, max_size=40
    ),
    st.integers(1, 12),
)
def test_every_span_lies_in_its_portion(spans: list[Span], count: int) -> None:
    regions = coalesce(spans)
    found = portions_of(spans, regions, count)
    assert sorted(i for portion in found for i in portion.indices) == list(range(len(spans)))
    for portion in found:
        start, length = portion.region
        for address, size in (spans[i] for i in portion.indices):
            assert start <= address
            assert address + size <= start + length
    assert len(found) <= count + len(regions)
    covered = {k for start, length in regions for k in range(start, start + length, 97)}
    within = [portion.region for portion in found]
    assert all(any(s <= k < s + n for s, n in within) for k in covered)


class Kind(Enum):
    """NIXL's memory types, by name."""

    DRAM_SEG = 0


class Descs(list[tuple[int, int, int]]):
    """NIXL's list of descriptors."""

    def descCount(self) -> int:  # noqa: N802
        return len(self)

    def getType(self) -> Kind:  # noqa: N802
        return Kind.DRAM_SEG


class Agent:
    """Notes what is done in order; each transfer takes `looks` looks and ends in `last`."""

    def __init__(self, looks: int = 2, last: str = "DONE") -> None:
        self.done: list[tuple[str, Any]] = []
        self.registered: list[Any] = []
        self.handles: dict[int, int] = {}
        self._looks = looks
        self._last = last

    def register_memory(self, regions: list[Any], memory: str) -> list[Any]:
        assert memory == "DRAM"
        self.done.append(("register", regions))
        self.registered.append(regions)
        return regions

    def deregister_memory(self, regions: list[Any]) -> None:
        self.registered.remove(regions)

    def get_xfer_descs(self, rows: list[Any], memory: str) -> list[Any]:
        assert memory == "DRAM"
        return rows

    def initialize_xfer(self, op: str, mine: list[Any], theirs: list[Any], *_: Any) -> int:
        self.done.append((op, (mine, theirs)))
        handle = len(self.done)
        self.handles[handle] = self._looks
        return handle

    def transfer(self, handle: int) -> str:
        return self.check_xfer_state(handle)

    def check_xfer_state(self, handle: int) -> str:
        self.handles[handle] -= 1
        return "PROC" if self.handles[handle] > 0 else self._last

    def release_xfer_handle(self, handle: int) -> None:
        del self.handles[handle]


SPANS = [(0, 512), (512, 512), (1024, 512)]
PEER = Descs([(9000, 512, 0), (9512, 512, 0), (1 << 20, 512, 0)])


def move(agent: Agent, **changes: Any) -> Any:
    given = {"peer_descs": PEER, "portions": 3, **changes}
    return register_and_move(agent, "READ", SPANS, "DRAM", "peer", **given)


def test_each_portion_moves_before_the_next_is_registered() -> None:
    agent = Agent()
    made = move(agent)
    assert [what for what, _ in agent.done] == ["register", "READ"] * 3
    assert agent.done[5] == ("READ", ([(1024, 512, 0)], [(1 << 20, 512, 0)]))
    assert made.regions == ((0, 512), (512, 512), (1024, 512))
    assert not agent.handles
    assert len(agent.registered) == 3
    made.close()
    assert not agent.registered


@pytest.mark.parametrize(
    ("agent", "changes", "error", "words"),
    [
        (Agent(last="ERR"), {}, StripeError, "1 spans in 512 bytes at 0x0 ended in state ERR"),
        (Agent(looks=1, last="ERR"), {}, StripeError, "ended in state ERR"),
        (Agent(looks=1 << 60), {"limit_s": 0.02}, TimeoutError, "after 0.02 s"),
        (Agent(), {"portions": -1}, ValueError, "portions=-1: accepted are 1 and more"),
        (Agent(), {"peer_descs": Descs(PEER[:2])}, ValueError, "3 spans here, 2 at the peer"),
        (
            Agent(),
            {"peer_descs": Descs([*PEER[:2], (0, 511, 0)])},
            ValueError,
            "span 2: 512 bytes here, 511 at the peer",
        ),
    ],
)
def test_nothing_is_left_after_a_failure_bad_flow(
    agent: Agent, changes: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        move(agent, **changes)
    assert not agent.registered
    assert not agent.handles
