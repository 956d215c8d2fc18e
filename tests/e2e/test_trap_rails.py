# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What the table of traps says of TCP rails is what happens on them, and the plugin says it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from nixl_stripe.lab import Outcome, Rails, fake_cuda
from nixl_stripe.planning import traps
from nixl_wheels import NIXL_IDS, NIXL_VERSIONS

pytestmark = pytest.mark.rails

SIZE = 4 << 20

#: Setting, a value that undoes striping, one that does not.
CASES = [
    ("RNDV_THRESH", "8k", "inf"),
    ("RNDV_THRESH", "auto", "intra:inf,inter:inf"),
    ("PROTO_ENABLE", "n", "y"),
    ("TCP_PUT_ENABLE", "n", "y"),
    ("MAX_RMA_RAILS", "1", "4"),
    ("MULTI_LANE_MAX_RATIO", "0.5", "1"),
    ("MIN_RMA_CHUNK_SIZE", "4m", "64k"),
    ("TLS", "self,sm", "tcp"),
]


def write(rails: Rails, nixl: Path, key: str, value: str, **params: str) -> Outcome:
    return rails.transfer(
        nixl=nixl,
        backend_params=params or {"stripe": "all"},
        sizes=[SIZE],
        environment={f"UCX_{key}": value},
        limit_s=15,
    )


def warned(outcome: Outcome, key: str) -> list[str]:
    """Return the plugin's warnings of the initiator that name `key`."""
    lines = outcome.initiator.log.splitlines()
    return [line for line in lines if line.startswith("W") and f"nixl-stripe] UCX_{key}=" in line]


@pytest.mark.parametrize(("key", "bad", "good"), CASES)
def test_a_trap_undoes_striping_and_is_named_once(
    rails: Rails, striped: Path, key: str, bad: str, good: str
) -> None:
    outcome = write(rails, striped, key, bad)
    assert not (outcome.ok and outcome.rails_used == 4)
    (line,) = warned(outcome, key)
    assert "unset" in line
    assert [trap.key for trap in traps.find({f"UCX_{key}": bad})] == [f"UCX_{key}"]


@pytest.mark.parametrize(("key", "bad", "good"), CASES)
def test_the_harmless_value_stripes_on_and_is_not_named(
    rails: Rails, striped: Path, key: str, bad: str, good: str
) -> None:
    outcome = write(rails, striped, key, good).require()
    assert outcome.rails_used == 4
    assert warned(outcome, key) == []


def test_a_pinned_device_hurts_rails_and_not_stripe(rails: Rails, striped: Path) -> None:
    one = rails.devices[0]
    pinned = write(rails, striped, "NET_DEVICES", one, max_rma_rails="4").require()
    assert pinned.rails_used == 1
    assert len(warned(pinned, "NET_DEVICES")) == 1
    free = write(rails, striped, "NET_DEVICES", one).require()
    assert free.rails_used == 4
    assert warned(free, "NET_DEVICES") == []


def test_without_parameters_of_ours_nothing_is_said(rails: Rails, striped: Path) -> None:
    outcome = rails.transfer(
        nixl=striped, sizes=[SIZE], environment={"UCX_RNDV_THRESH": "8k"}
    ).require()
    assert warned(outcome, "RNDV_THRESH") == []


def move_gpu_memory(rails: Rails, nixl: list[str | Path], libraries: Path) -> Outcome:
    return rails.transfer(
        nixl=nixl,
        memory="vram",
        backend_params={"stripe": "all"},
        sizes=[SIZE],
        environment={
            **fake_cuda.environment(libraries, ["0000:00:03.0"]),
            "LD_PRELOAD": str(libraries / "libcuda.so.1"),
        },
    )


UNTOLD = "UCX could not load its module libucm_cuda, so it takes GPU memory for host memory"


def test_the_runtime_of_another_cuda_is_named(
    rails: Rails, striped: Path, fake_driver: Path, tmp_path: Path
) -> None:
    """nixl-cu12 where only the runtime of CUDA 13 is installed.

    With a real driver NIXL then refuses GPU memory ("detected as host"): the cache of memory types,
    which the fake one has switched off, hears of no allocation.
    """
    for library in fake_driver.iterdir():
        if library.name != "libcudart.so.12":
            (tmp_path / library.name).symlink_to(library)
    outcome = move_gpu_memory(rails, [striped], tmp_path)
    assert outcome.initiator.log.count(UNTOLD) == 1


@pytest.mark.parametrize(("name", "version"), NIXL_VERSIONS, ids=NIXL_IDS)
def test_the_right_runtime_is_no_matter(
    rails: Rails,
    patched: Callable[[str, str], Path],
    fake_torch: Path,
    fake_driver: Path,
    name: str,
    version: str,
) -> None:
    nixl: list[str | Path] = [patched(name, version), fake_torch, name.replace("-", "_")]
    outcome = move_gpu_memory(rails, nixl, fake_driver).require()
    assert UNTOLD not in outcome.initiator.log
