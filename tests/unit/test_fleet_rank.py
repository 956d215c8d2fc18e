# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Who a process is in a fleet, from options and from what engines set."""

from __future__ import annotations

import pytest
from nixl_stripe.errors import UsageError
from nixl_stripe.fleet.rank import Rank, find
from nixl_stripe.lab.remote import DEFAULT_PORT, Address

TORCHRUN = {"RANK": "3", "WORLD_SIZE": "8", "MASTER_ADDR": "10.0.0.1", "MASTER_PORT": "29500"}
SLURM = {
    "SLURM_PROCID": "2",
    "SLURM_NTASKS": "4",
    "SLURM_JOB_NODELIST": "gpu[07-10]",
    "SLURM_JOB_ID": "17",
    "SLURM_STEP_ID": "1",
}
INDEXED = {
    "JOB_COMPLETION_INDEX": "1",
    "HOSTNAME": "fleet-check-1",
    "NIXL_STRIPE_FLEET_RANKS": "4",
    "NIXL_STRIPE_FLEET_SERVICE": "rails",
}


def test_torchrun() -> None:
    assert find(TORCHRUN) == Rank(3, 8, Address("10.0.0.1", 18900), "torchrun")
    assert find({**TORCHRUN, "MASTER_ADDR": "fe80::1"}).hub == Address("fe80::1", 18900)


def test_slurm_and_a_step_of_it() -> None:
    assert find(SLURM) == Rank(2, 4, Address("gpu07", 18771), "Slurm")
    step = find({**SLURM, "SLURM_STEP_NODELIST": "gpu09,gpu10", "SLURM_STEP_NUM_TASKS": "3"})
    assert (step.hub.host, step.ranks) == ("gpu09", 3)


def test_two_jobs_of_a_host_have_two_ports() -> None:
    assert find(SLURM).hub.port != find({**SLURM, "SLURM_STEP_ID": "2"}).hub.port


def test_an_indexed_job() -> None:
    found = find(INDEXED)
    assert found == Rank(
        1, 4, Address("fleet-check-0.rails", DEFAULT_PORT), "Kubernetes Indexed Job"
    )


def test_slurm_wins_over_torchrun_that_it_has_started_nothing_of() -> None:
    """srun of a shell with torchrun's variables left over: one engine says all three."""
    assert find({**TORCHRUN, **SLURM}).engine == "Slurm"


def test_options_win_each_by_itself() -> None:
    assert find({}, 0, 2, "h:5") == Rank(0, 2, Address("h", 5))
    assert find(TORCHRUN, hub="other:7").hub == Address("other", 7)
    assert find(TORCHRUN, rank=0).number == 0


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({}, "--rank, --ranks and --hub: say all three, or .*SLURM_PROCID or"),
        ({**TORCHRUN, "RANK": "x"}, "RANK='x': accepted is a whole number"),
        ({**TORCHRUN, "RANK": "8"}, "--rank 8: accepted are 0 to 7"),
        ({**TORCHRUN, "WORLD_SIZE": "1"}, "--ranks 1: accepted are 2 and more"),
        ({**TORCHRUN, "WORLD_SIZE": ""}, r"torchrun does not tell .* \(WORLD_SIZE not set\)"),
        ({**TORCHRUN, "MASTER_ADDR": " "}, "--hub: MASTER_ADDR is not set"),
        ({**SLURM, "SLURM_JOB_NODELIST": "[1-2]/x"}, "names no host"),
        ({**INDEXED, "HOSTNAME": "pod"}, "HOSTNAME='pod': accepted is NAME-INDEX"),
        ({**INDEXED, "NIXL_STRIPE_FLEET_RANKS": ""}, "NIXL_STRIPE_FLEET_RANKS not set"),
        ({**INDEXED, "NIXL_STRIPE_FLEET_SERVICE": ""}, "NIXL_STRIPE_FLEET_SERVICE is not set"),
    ],
)
def test_what_is_missing_is_named_bad_flow(environ: dict[str, str], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        find(environ)
