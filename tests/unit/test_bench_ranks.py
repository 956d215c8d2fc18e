# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Roles of a benchmark between two hosts."""

from __future__ import annotations

import pytest
from nixl_stripe.bench.ranks import Rendezvous, rendezvous
from nixl_stripe.cli import main
from nixl_stripe.errors import UsageError
from nixl_stripe.lab.remote import DEFAULT_PORT, Address
from nixl_stripe.lab.remote.launchers import first_node

TORCHRUN = {"RANK": "1", "WORLD_SIZE": "2", "MASTER_ADDR": "a", "MASTER_PORT": "29500"}
SLURM = {"SLURM_PROCID": "0", "SLURM_NTASKS": "2", "SLURM_STEP_NODELIST": "gpu[07-09]"}


def test_launchers() -> None:
    assert rendezvous(TORCHRUN) == Rendezvous(1, Address("a", 29501))
    assert rendezvous(SLURM) == Rendezvous(0, Address("gpu07", DEFAULT_PORT))
    job = {"JOB_COMPLETION_INDEX": "1", "NIXL_STRIPE_BENCH_HOST": "bench-0.bench"}
    assert rendezvous(job) == Rendezvous(1, Address("bench-0.bench", DEFAULT_PORT))
    assert rendezvous({**TORCHRUN, "NIXL_STRIPE_BENCH_PORT": "7"}).address.port == 7


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({}, "no rank in the environment"),
        ({**TORCHRUN, "WORLD_SIZE": "4"}, "RANK=1 of 4; a benchmark is for two ranks"),
        ({**TORCHRUN, "RANK": "one"}, "RANK='one': accepted is a whole number"),
        ({"RANK": "0", "WORLD_SIZE": "2"}, "nothing says where rank 0 is"),
        ({"JOB_COMPLETION_INDEX": "2", "MASTER_ADDR": "a"}, "JOB_COMPLETION_INDEX=2 of 2"),
    ],
)
def test_launchers_bad_flow(environ: dict[str, str], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        rendezvous(environ)


@pytest.mark.parametrize(
    ("nodes", "first"),
    [("gpu07", "gpu07"), ("a,b", "a"), ("n[01-04,7]", "n01"), ("r[1]-x,b", "r1-x")],
)
def test_node_lists(nodes: str, first: str) -> None:
    assert first_node(nodes) == first


def test_ranks_need_a_token_bad_flow(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both start together, so none can be printed by one for the other."""
    for rank in "01":
        for key, value in {**TORCHRUN, "RANK": rank, "MASTER_ADDR": "127.0.0.1"}.items():
            monkeypatch.setenv(key, value)
        assert main(["bench", "rails", "--ranks", "--stock", ".", "--patched", "."]) == 2
        assert "no token" in capsys.readouterr().err


def test_one_role_only(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "rails", "--listen", "7", "--connect", "h:7"]) == 2
    assert "--listen and --connect: give one of them" in capsys.readouterr().err
