# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The cases in which forecasts are compared with what NICs count: pure data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from nixl_stripe.lab.guests.layout import GpuPlace, LayoutName
from nixl_stripe.lab.job import Memory

RAILS = "MAX_RMA_RAILS=4"
REGISTERED = "MAX_HCA_PER_GPU=inf"
DISTANCE = "DISTANCE_BW=1000GBs"
CURE = f"{RAILS},{REGISTERED},{DISTANCE}"


@dataclass(frozen=True)
class BedSpec:
    """What a case needs of a bed; cases of one bed share one boot."""

    nics: int = 4
    layout: LayoutName = "even"
    gpus: str = "PHNS"


@dataclass(frozen=True)
class GridCase:
    """A setting of machine, memory and parameters; both operations are done and counted.

    params, peer_params: backend parameters at the initiator and the target (None: the same).
    environment: variables of both. patched: with the patched wheel, else the stock one. buffers,
    size: how many and of how many bytes each.
    """

    bed: BedSpec
    gpu: GpuPlace | None
    params: Mapping[str, str]
    peer_gpu: GpuPlace | None = None
    peer_params: Mapping[str, str] | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    memory: Memory = "vram"
    context: bool = True
    patched: bool = False
    buffers: int = 1
    size: int = 1 << 20

    @property
    def places(self) -> tuple[GpuPlace | None, GpuPlace | None]:
        """Places of the GPUs at the initiator and at the target."""
        return self.gpu, self.peer_gpu or self.gpu

    @property
    def title(self) -> str:
        """The case in a line, the same in every run."""
        here, there = self.places
        place = f"{here}" if here == there else f"{here}:{there}"
        words = [f"{self.bed.nics} NICs {self.bed.layout}", f"GPU {place}", self.memory]
        if self.memory == "dram":
            words.append("context" if self.context else "no context")
        words.append("patched" if self.patched else "stock")
        words += [f"{key}={value}" for key, value in self.params.items()]
        if self.peer_params is not None:
            said = " ".join(f"{key}={value}" for key, value in self.peer_params.items())
            words.append(f"peer {said or 'nothing'}")
        words += [f"{key}={value}" for key, value in self.environment.items()]
        if self.buffers > 1:
            words.append(f"{self.buffers} x {self.size >> 10} KiB")
        return ", ".join(words)


def engine(settings: str = "") -> dict[str, str]:
    """Return NIXL's parameter for UCX settings, none for an empty text."""
    return {"engine_config": settings} if settings else {}


EVEN = BedSpec()
NEAR = BedSpec(layout="near", gpus="NH")
MIXED = BedSpec(layout="mixed", gpus="N")
EIGHT = BedSpec(nics=8, gpus="NS")


def _stock(bed: BedSpec, gpu: GpuPlace, *settings: str) -> list[GridCase]:
    return [GridCase(bed, gpu, engine(each)) for each in settings]


def _plateau() -> list[GridCase]:
    """Return the settings one by one, at every place."""
    ratio = "MULTI_LANE_MAX_RATIO=1000"
    slow = f"{RAILS},{REGISTERED},DISTANCE_BW=4000MBs"
    return [
        *_stock(EVEN, "N", "", RAILS, "MAX_RMA_RAILS=8", f"{RAILS},{REGISTERED}"),
        *_stock(EVEN, "N", f"{RAILS},{DISTANCE}", f"{REGISTERED},{DISTANCE}", CURE),
        *_stock(EVEN, "N", f"{RAILS},{REGISTERED},{ratio}"),
        *_stock(EVEN, "N", f"{RAILS},MAX_HCA_PER_GPU=3,{DISTANCE}"),
        *_stock(EVEN, "P", RAILS, f"{RAILS},{REGISTERED}", CURE, slow),
        *_stock(EVEN, "H", RAILS, f"{RAILS},{REGISTERED}", CURE),
        *_stock(EVEN, "S", RAILS, CURE),
    ]


def _ends() -> list[GridCase]:
    """Return GPUs at different places, and settings at one end only."""
    listed = {"device_list": "rxe0, rxe1, rxe2, rxe3"}
    apart: list[tuple[Mapping[str, str], Mapping[str, str] | None]] = [
        (engine(), None),
        (engine(RAILS), None),
        (engine(f"{RAILS},{REGISTERED}"), None),
        (engine(CURE), None),
        (listed | engine(RAILS), None),
        (listed | engine(f"{RAILS},{REGISTERED}"), None),
    ]
    one_sided: list[tuple[Mapping[str, str], Mapping[str, str]]] = [
        (engine(CURE), {}),
        ({}, engine(CURE)),
        (engine(f"{RAILS},{DISTANCE}"), engine(f"{REGISTERED},{DISTANCE}")),
        (engine("MAX_RMA_RAILS=3," + CURE.partition(",")[2]), engine(CURE)),
    ]
    return [
        *(GridCase(EVEN, "N", mine, "S", theirs) for mine, theirs in apart),
        GridCase(EVEN, "S", engine(CURE), "N"),
        *(GridCase(EVEN, "N", mine, None, theirs) for mine, theirs in one_sided),
    ]


def _other_rules() -> list[GridCase]:
    """Return host memory, named devices, and the switches that undo striping."""
    mixed_distance = {
        "UCX_MAX_RMA_RAILS": "4",
        "UCX_MAX_HCA_PER_GPU": "inf",
        "UCX_DISTANCE_BW": "auto,sys:16500MBs",
    }
    no_distance = {"UCX_MAX_RMA_RAILS": "4", "UCX_TOPO_PRIO": "default"}
    pair = {"device_list": "rxe0, rxe2"}
    return [
        GridCase(EVEN, "N", engine(RAILS), memory="dram", context=True),
        GridCase(EVEN, "N", engine(RAILS), memory="dram", context=False),
        GridCase(EVEN, "N", engine("MAX_RMA_RAILS=3"), memory="dram", context=False),
        GridCase(EVEN, "N", engine(CURE), memory="dram", context=True),
        GridCase(EVEN, "N", pair),
        GridCase(EVEN, "N", pair | engine(CURE)),
        GridCase(EVEN, "N", engine(f"{CURE},SINGLE_NET_DEVICE=y")),
        GridCase(EVEN, "H", {}, environment=mixed_distance),
        GridCase(EVEN, "N", {}, environment=no_distance),
    ]


def _small_buffers() -> list[GridCase]:
    """Return buffers that UCX does not cut, or not evenly."""
    return [
        GridCase(EVEN, "N", engine(CURE), buffers=256, size=kib << 10) for kib in (4, 16, 28, 48)
    ]


def _layouts() -> list[GridCase]:
    eight = CURE.replace("RAILS=4", "RAILS=8")
    return [
        *_stock(NEAR, "N", "", RAILS),
        *_stock(NEAR, "H", RAILS, f"{RAILS},{REGISTERED}", CURE),
        *_stock(MIXED, "N", RAILS, CURE),
        *_stock(EIGHT, "N", "MAX_RMA_RAILS=8", eight),
        *_stock(EIGHT, "S", "MAX_RMA_RAILS=8"),
    ]


def _patched() -> list[GridCase]:
    """Return what `stripe` makes of the same machines."""
    every = {"stripe": "all"}
    return [
        *(GridCase(EVEN, place, every, patched=True) for place in ("P", "H", "N", "S")),
        GridCase(EVEN, "N", every, "S", patched=True),
        GridCase(EVEN, "N", every, peer_params={}, patched=True),
        GridCase(EVEN, "N", every, peer_params={"stripe": "numa"}, patched=True),
        GridCase(EVEN, "N", {"stripe": "numa"}, patched=True),
        GridCase(EVEN, "S", {"stripe": "nearest"}, patched=True),
        GridCase(EVEN, "N", {"stripe": "3"}, patched=True),
        GridCase(EVEN, "N", every, memory="dram", context=True, patched=True),
        GridCase(NEAR, "H", every, patched=True),
        GridCase(MIXED, "N", every, patched=True),
        GridCase(EIGHT, "N", every, patched=True),
    ]


CASES: tuple[GridCase, ...] = (
    *_plateau(),
    *_ends(),
    *_other_rules(),
    *_small_buffers(),
    *_layouts(),
    *_patched(),
)
