# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Neighbouring tensors become one region, and nothing else does."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nixl_stripe.memory.registration import Span, coalesce, register

PAGE = 4096


def test_neighbours_become_one() -> None:
    assert coalesce([(0, 100), (512, 100), (1024, PAGE)]) == [(0, 1024 + PAGE)]


def test_a_page_between_keeps_them_apart() -> None:
    assert coalesce([(0, 100), (2 * PAGE, 100)]) == [(0, 100), (2 * PAGE, 100)]
    assert coalesce([(0, PAGE), (PAGE, 100)]) == [(0, PAGE + 100)]


def test_a_block_is_taken_whole_and_alone() -> None:
    blocks = [(0, PAGE), (PAGE, PAGE), (2 * PAGE, PAGE)]
    assert coalesce([(10, 20), (PAGE, 8)], blocks) == [(0, PAGE), (PAGE, PAGE)]


def test_a_span_out_of_its_block_bad_flow() -> None:
    with pytest.raises(ValueError, match="reaches out of the block"):
        coalesce([(PAGE - 8, 16)], [(0, PAGE)])


@pytest.mark.parametrize("span", [(0, 0), (5, -1), (-1, 5)])
def test_a_span_without_bytes_bad_flow(span: Span) -> None:
    with pytest.raises(ValueError, match="needs an address"):
        coalesce([span])


@given(
    st.lists(
        st.tuples(st.integers(0, 40 * PAGE), st.integers(1, 3 * PAGE)), min_size=1, max_size=40
    )
)
def test_regions_cover_all_and_no_page_more(spans: list[Span]) -> None:
    regions = coalesce(spans)
    for address, length in spans:
        assert any(r <= address and address + length <= r + n for r, n in regions)
    assert pages(regions) == pages(spans)
    ends = [r + n for r, n in regions]
    assert all(end < r for end, (r, _) in zip(ends, regions[1:], strict=False))


def pages(spans: list[Span]) -> set[int]:
    return {p for a, n in spans for p in range(a // PAGE, (a + n - 1) // PAGE + 1)}


class Agent:
    """Notes what is registered."""

    def __init__(self) -> None:
        self.now: list[Any] = []

    def register_memory(self, regions: list[Any], memory: str) -> list[Any]:
        self.now.append((regions, memory))
        return regions

    def deregister_memory(self, regions: list[Any]) -> None:
        self.now = [(kept, memory) for kept, memory in self.now if kept is not regions]


def test_registered_until_closed() -> None:
    agent = Agent()
    with register(agent, [(0, 10), (16, 10)], "DRAM", device=3) as made:
        assert agent.now == [([(0, 26, 3, "")], "DRAM")]
        assert made.regions == ((0, 26),)
    assert agent.now == []
