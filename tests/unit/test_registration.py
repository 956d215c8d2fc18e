# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Neighbouring tensors become one region, and nothing else does."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nixl_stripe.memory import blocks
from nixl_stripe.memory.blocks import Span, blocks_of
from nixl_stripe.memory.registration import coalesce, regions_of, register, sliced

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


def test_a_long_region_is_cut_between_tensors() -> None:
    spans = [(0, 30), (40, 30), (80, 30)]
    assert sliced([(0, 120)], spans, 70) == [(0, 80), (80, 40)]
    assert sliced([(0, 120)], spans, 1000) == [(0, 120)]
    gib = 1 << 30
    tensors = [(n * gib, gib) for n in range(8)]
    assert [n for _, n in regions_of(tensors, "DRAM")] == [3 * gib, 3 * gib, 2 * gib]


def test_a_tensor_longer_than_a_slice_stays_whole() -> None:
    assert sliced([(0, 100)], [(0, 90), (90, 10)], 50) == [(0, 90), (90, 10)]
    assert sliced([(0, 100)], [(0, 60), (50, 50)], 50) == [(0, 100)]


def test_slices_of_nothing_bad_flow() -> None:
    with pytest.raises(ValueError, match="limit=0: accepted are 1 and more"):
        sliced([(0, 1)], [(0, 1)], 0)


@given(
    st.lists(
        st.tuples(st.integers(0, 40 * PAGE), st.integers(1, 3 * PAGE)), min_size=1, max_size=40
    ),
    st.integers(1, 9 * PAGE),
)
def test_slices_cover_the_same_and_cut_no_tensor(spans: list[Span], limit: int) -> None:
    regions = coalesce(spans)
    slices = sliced(regions, spans, limit)
    assert coalesce(slices) == regions
    assert sum(n for _, n in slices) == sum(n for _, n in regions)
    for address, length in spans:
        assert any(r <= address and address + length <= r + n for r, n in slices)
    for start, length in slices:
        inside = [s for s in spans if start <= s[0] < start + length]
        later = [s for s in inside if s[0] > start and all(sum(o) <= s[0] for o in inside if o < s)]
        assert all(sum(s) - start <= limit for s in later)


class Cuda:
    """Stands for torch.cuda with these segments."""

    def __init__(self, *segments: dict[str, Any], ready: bool = True) -> None:
        self._segments = segments
        self.is_initialized = lambda: ready

    def memory_snapshot(self) -> list[dict[str, Any]]:
        return list(self._segments)


def segment(address: int, size: int, **more: Any) -> dict[str, Any]:
    return {"address": address, "total_size": size, **more}


def test_torch_is_asked_once_and_cuda_for_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Span] = []

    def allocations(spans: Any) -> list[Span]:
        asked.extend(spans)
        return [(5000, 5000)]

    cuda = Cuda(segment(0, 4000), segment(4000, 900, is_expandable=True))
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=cuda))
    monkeypatch.setattr(blocks, "allocations", allocations)
    assert blocks_of([(0, 10), (3000, 1000)]) == [(0, 4000)]
    assert asked == []
    assert blocks_of([(0, 10), (4000, 10), (3990, 20)]) == [(0, 4000), (5000, 5000)]
    assert asked == [(4000, 10), (3990, 20)]


@pytest.mark.parametrize(
    "torch",
    [SimpleNamespace(cuda=Cuda(segment(0, 9), ready=False)), SimpleNamespace(cuda=Cuda({})), None],
)
def test_a_torch_that_cannot_say_leaves_it_to_cuda_bad_flow(
    monkeypatch: pytest.MonkeyPatch, torch: Any
) -> None:
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setattr(blocks, "allocations", lambda spans: list(spans))
    assert blocks_of([(0, 4)]) == [(0, 4)]
