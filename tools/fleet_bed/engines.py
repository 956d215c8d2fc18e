# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Runs the real command on every host of a bed, with what an engine sets, and shows the verdicts.

    python -m fleet_bed.engines --engine torchrun --hosts 4 --striped FOLDER [--stock FOLDER]

--stock: the last host has that NIXL, which is not patched. One line of JSON: of each rank its exit
status and standard error, and what rank 0 printed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from nixl_stripe.lab.remote import Token

from fleet_bed.bed import Bed, environment
from fleet_bed.keeper import PARAMS

Variables = Callable[[int, int], Mapping[str, str]]
_LIMIT_S = 120.0


def _torchrun(rank: int, ranks: int) -> Mapping[str, str]:
    return {
        "RANK": str(rank),
        "LOCAL_RANK": "0",
        "WORLD_SIZE": str(ranks),
        "MASTER_ADDR": "10.99.0.1",
        "MASTER_PORT": "29500",
    }


def _slurm(rank: int, ranks: int) -> Mapping[str, str]:
    return {
        "SLURM_PROCID": str(rank),
        "SLURM_NTASKS": str(ranks),
        "SLURM_JOB_ID": "17",
        "SLURM_STEP_ID": "0",
        "SLURM_JOB_NODELIST": f"h[0-{ranks - 1}]",
    }


def _indexed(rank: int, ranks: int) -> Mapping[str, str]:
    return {
        "JOB_COMPLETION_INDEX": str(rank),
        "HOSTNAME": f"fleet-{rank}",
        "NIXL_STRIPE_FLEET_RANKS": str(ranks),
        "NIXL_STRIPE_FLEET_SERVICE": "rails",
    }


ENGINES: Mapping[str, Variables] = {"torchrun": _torchrun, "slurm": _slurm, "indexed": _indexed}


def names(hosts: int) -> str:
    """Return /etc/hosts as the engines' name services would have it."""
    fleet = [f"10.99.0.{n + 1} h{n} fleet-{n} fleet-{n}.rails\n" for n in range(hosts)]
    return "127.0.0.1 localhost\n" + "".join(fleet)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one engine's contract."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--engine", choices=sorted(ENGINES), required=True)
    parser.add_argument("--hosts", type=int, default=4)
    parser.add_argument("--striped", type=Path, required=True)
    parser.add_argument("--stock", type=Path)
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="fleet-") as text:
        folder = Path(text)
        bed = Bed(options.hosts, 4, 40.0, folder)
        hosts_file = folder / "hosts"
        hosts_file.write_text(names(options.hosts))
        token = Token.generate().text
        ranks: list[subprocess.Popen[bytes]] = []
        for rank in range(options.hosts):
            last = rank == options.hosts - 1
            nixl = options.stock if last and options.stock else options.striped
            tool = [sys.executable, "-m", "nixl_stripe", "fleet", "--nixl", str(nixl)]
            tool += ["--stripe", PARAMS["stripe"], "--size", "4M", "--json", "--wait", "60"]
            given = ENGINES[options.engine](rank, options.hosts)
            bound = ["sh", "-c", 'mount --bind "$0" /etc/hosts && exec "$@"', str(hosts_file)]
            more = environment({"NIXL_STRIPE_TOKEN": token, **given})
            ranks.append(bed.start(rank, [*bound, *tool], more, f"rank{rank}"))
        statuses = [each.wait(_LIMIT_S) for each in ranks]
        shown = {
            "statuses": statuses,
            "errors": [(folder / f"rank{n}.err").read_text() for n in range(options.hosts)],
            "output": (folder / "rank0.out").read_text(),
        }
    print(json.dumps(shown))
    return 0


if __name__ == "__main__":
    sys.exit(main())
