# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Agents in the workers of torchrun and Ray: one value for every rank."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from nixl_wheels import environment

pytestmark = pytest.mark.timeout(240)

RANK = """
import json, os, sys
import nixl_stripe

def agent(rank):
    params = {"stripe": "all", "max_rma_rails": 2 + rank}
    config = nixl_stripe.nixl_agent_config(backend_params=params)
    made = nixl_stripe.nixl_agent(f"rank{rank}", config)
    return made.applied_backend_params["UCX"]
"""

TORCHRUN = (
    RANK
    + """
rank = int(os.environ["RANK"])
with open(os.path.join(sys.argv[1], f"{rank}.json"), "w") as out:
    json.dump(agent(rank), out)
"""
)

RAY = (
    RANK
    + """
import ray
ray.init(num_cpus=2, include_dashboard=False, object_store_memory=80 << 20, log_to_driver=False)
found = ray.get([ray.remote(agent).remote(rank) for rank in range(2)])
for rank, params in enumerate(found):
    with open(os.path.join(sys.argv[1], f"{rank}.json"), "w") as out:
        json.dump(params, out)
ray.shutdown()
"""
)


def run(folder: Path, script: str, nixl: Path, *launcher: str) -> list[dict[str, str]]:
    program = folder / "program.py"
    program.write_text(script)
    variables = {"UCX_MODULES": "^ib", "UCX_TLS": "tcp", "RAY_USAGE_STATS_ENABLED": "0"}
    done = subprocess.run(
        [sys.executable, *launcher, str(program), str(folder)],
        env=environment(nixl, OMP_NUM_THREADS="1", **variables),
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return [json.loads((folder / f"{rank}.json").read_text()) for rank in range(2)]


def assert_each_its_own(found: list[dict[str, str]]) -> None:
    for rank, params in enumerate(found):
        assert params["stripe"] == "all"
        assert params["max_rma_rails"] == str(2 + rank)


def test_torchrun(tmp_path: Path, striped: Path) -> None:
    launcher = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2")
    assert_each_its_own(run(tmp_path, TORCHRUN, striped, *launcher))


def test_ray_workers(tmp_path: Path, striped: Path) -> None:
    assert_each_its_own(run(tmp_path, RAY, striped))


def test_torchrun_on_stock_fails_with_the_reason_bad_flow(tmp_path: Path, stock: Path) -> None:
    launcher = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2")
    with pytest.raises(AssertionError, match="UnpatchedPluginError"):
        run(tmp_path, TORCHRUN, stock, *launcher)
