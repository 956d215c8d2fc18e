# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Who listens and who connects, from the variables of torchrun, Slurm or Kubernetes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from nixl_stripe.errors import UsageError
from nixl_stripe.lab.remote.address import DEFAULT_PORT, Address
from nixl_stripe.lab.remote.launchers import first_node, whole_number

#: These win over what launchers say.
HOST_VARIABLE, PORT_VARIABLE = "NIXL_STRIPE_BENCH_HOST", "NIXL_STRIPE_BENCH_PORT"
_RANK_VARIABLES = {
    "RANK": "WORLD_SIZE",  # torchrun, PyTorchJob
    "SLURM_PROCID": "SLURM_NTASKS",
    "JOB_COMPLETION_INDEX": None,  # indexed Job of Kubernetes, which does not tell the number
}


@dataclass(frozen=True)
class Rendezvous:
    """Rank 0 listens, rank 1 connects to it."""

    rank: int
    address: Address


def rendezvous(environ: Mapping[str, str]) -> Rendezvous:
    """Read the launcher's variables; UsageError where they are missing or not for two ranks."""
    name = next((each for each in _RANK_VARIABLES if each in environ), None)
    if name is None:
        raise UsageError(
            f"--ranks: no rank in the environment; accepted are {', '.join(_RANK_VARIABLES)} "
            "(torchrun, srun, an indexed Job), or use --listen and --connect"
        )
    rank, world = whole_number(environ, name), 2
    count = _RANK_VARIABLES[name]
    if count is not None and count in environ:
        world = whole_number(environ, count)
    if world != 2 or rank not in (0, 1):
        raise UsageError(
            f"--ranks: {name}={rank} of {world}; a benchmark is for two ranks, one on each host"
        )
    return Rendezvous(rank, Address(_host(environ), _port(environ)))


def _host(environ: Mapping[str, str]) -> str:
    for name in (HOST_VARIABLE, "MASTER_ADDR"):
        if environ.get(name):
            return environ[name]
    for name in ("SLURM_STEP_NODELIST", "SLURM_JOB_NODELIST"):
        if environ.get(name):
            return first_node(environ[name])
    raise UsageError(
        f"--ranks: nothing says where rank 0 is; set {HOST_VARIABLE} or MASTER_ADDR to its host"
    )


def _port(environ: Mapping[str, str]) -> int:
    if PORT_VARIABLE in environ:
        return whole_number(environ, PORT_VARIABLE)
    # The launcher itself listens at MASTER_PORT.
    return whole_number(environ, "MASTER_PORT") + 1 if "MASTER_PORT" in environ else DEFAULT_PORT
