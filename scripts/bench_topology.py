# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Times `nixl_stripe`'s reading of a machine and ModelExpress's probe, side by side.

Every tree lies in a tmpfs and is mounted over /sys (and its device nodes over /dev/infiniband) in a
mount namespace: both programs run unchanged and take turns. ModelExpress's probe answers for one
GPU; a second column asks it for every GPU of the host, which one reading of ours answers. The floor
is the least that any program must read: the class of every PCI function (which are GPUs) and every
port's state and rate, by bare system calls.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests/support"))

from modelexpress_reference import VERSION, _import_pinning, _torch_with  # noqa: E402
from nixl_stripe._core import __version__, read_sysfs  # noqa: E402
from nixl_stripe.bench.provenance import Origin  # noqa: E402
from nixl_wheels import unpack, wheel_file  # noqa: E402
from sysfs_machines import MACHINES  # noqa: E402
from sysfs_trees import write  # noqa: E402

HOSTS = ("gb200", "amd_mi300x", "dgx_h100", "p5")
TMPFS = Path("/dev/shm")  # noqa: S108
MOUNT = """
set -e
mkdir -p /dev/infiniband
mount --bind "$1/dev/infiniband" /dev/infiniband
mount --rbind "$1/sys" /sys
shift
exec "$@"
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, prog="bench-topology")
    parser.add_argument("--json", type=Path, help="write the result to this file")
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--inside", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.inside:
        print(json.dumps(measure(Path(arguments.inside), arguments.rounds)))
        return
    if os.geteuid() != 0:
        parser.error("needs root, to mount each tree over /sys in a mount namespace")
    origin = Origin(["scripts/bench-topology", "--rounds", str(arguments.rounds)])
    rows = [row(name, arguments.rounds) for name in HOSTS]
    result = {
        **origin.taken(),
        "machine": {"cpu": cpu(), "cores": os.cpu_count(), "kernel": platform.release()},
        "versions": {"nixl_stripe": __version__, "modelexpress": VERSION},
        "unit": "ms",
        "rows": rows,
    }
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=2) + "\n")
    for each in rows:
        one, all_gpus = each["modelexpress"], each["modelexpress_all_gpus"]
        print(
            f"{each['host']:12} {each['nics']:3} NICs {each['gpus']:2} GPUs  "
            f"ours {each['ours']['median']:.2f} ms  "
            f"ModelExpress {one['median']:.2f} ms ({each['ratio']:.1f}x), "
            f"all GPUs {all_gpus['median']:.2f} ms ({each['ratio_all_gpus']:.1f}x); "
            f"floor {each['floor']['median']:.2f} ms"
        )


def row(name: str, rounds: int) -> dict[str, Any]:
    """Return the measurements of one host."""
    with tempfile.TemporaryDirectory(dir=TMPFS, prefix="bench-topology-") as top:
        tree = write(MACHINES[name](), Path(top))
        site = unpack(wheel_file("modelexpress", VERSION), Path(top) / "modelexpress")
        inside = [sys.executable, __file__, "--inside", str(site), "--rounds", str(rounds)]
        command = ["unshare", "--mount", "sh", "-c", MOUNT, "sh", str(tree.sys.parent), *inside]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise SystemExit(f"bench-topology: {name}: {done.stderr.strip()}")
    return {"host": name, **json.loads(done.stdout)}


def measure(site: Path, rounds: int) -> dict[str, Any]:
    """Return medians and spreads of this mount namespace's /sys."""
    host = read_sysfs("/sys")
    module: Any = _import_pinning(site / "modelexpress")
    module.torch = _torch_with([gpu.pci for gpu in host.gpus])
    probe = module.probe_nic_pin_for_device
    if probe(0) is None or not host.is_live:
        raise SystemExit("the tree is not over /sys, or ModelExpress finds no NIC in it")
    needed = least_files()
    jobs: dict[str, Callable[[], object]] = {
        "ours": lambda: read_sysfs("/sys"),
        "floor": lambda: read_files(needed),
        "modelexpress": lambda: probe(0),
        "modelexpress_all_gpus": lambda: [probe(index) for index in range(len(host.gpus))],
    }
    times: dict[str, list[float]] = {name: [] for name in jobs}
    for _ in range(rounds):
        for name, job in jobs.items():
            start = time.perf_counter()
            job()
            times[name].append((time.perf_counter() - start) * 1e3)
    spread = {name: summary(values) for name, values in times.items()}
    ours = spread["ours"]["median"]
    return {
        "nics": len(host.nics),
        "gpus": len(host.gpus),
        "pci_functions": len(list(Path("/sys/bus/pci/devices").iterdir())),
        "rounds": rounds,
        **spread,
        "ratio": spread["modelexpress"]["median"] / ours,
        "ratio_all_gpus": spread["modelexpress_all_gpus"]["median"] / ours,
    }


def least_files() -> list[str]:
    """Return the files that no program can do without, whatever it does with them."""
    functions = Path("/sys/bus/pci/devices").iterdir()
    ports = Path("/sys/class/infiniband").glob("*/ports/*")
    wanted = [each / "class" for each in functions]
    wanted += [port / name for port in ports for name in ("state", "rate")]
    return [str(path) for path in wanted if path.exists()]


def read_files(paths: list[str]) -> None:
    for path in paths:
        number = os.open(path, os.O_RDONLY)
        os.read(number, 4096)
        os.close(number)


def summary(values: list[float]) -> dict[str, float]:
    low, median, high = statistics.quantiles(values, n=4)
    return {"median": median, "lower_quartile": low, "upper_quartile": high, "min": min(values)}


def cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


if __name__ == "__main__":
    main()
