# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Fuzzes what is read from files and programs: captures, RECORDs, logs, settings, results.

    PYTHONPATH=tests:tests/support .venv/bin/python tests/fuzz/readers.py --reader capture

It ends with 1 at the first input that raises what its reader does not promise, or that takes more
than a second of CPU, and prints that input.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from fuzz import command_readers as command
from fuzz.mutator import Mutator
from nixl_stripe import capture, plan
from nixl_stripe._core import (
    find_gpu_pci,
    normal_pci_address,
    parse_engine_config,
    parse_min_rate,
    parse_stripe,
)
from nixl_stripe.errors import StripeError, UsageError
from nixl_stripe.lab import proto_info
from nixl_stripe.planning.stripe_plan import StripePlan
from nixl_stripe.proof.text import parse_size
from nixl_stripe.topo.tar_reader import read_archive
from nixl_stripe.wheel.record import Record
from sysfs_machines import MACHINES
from sysfs_trees import write

MAX_CPU_S = 1.0
DATA = Path(__file__).parents[1] / "data"


@dataclass(frozen=True)
class Reader:
    """seeds: valid inputs. read: reads one. refusals: what it promises to raise for others."""

    seeds: Callable[[], list[bytes]]
    read: Callable[[bytes], object]
    refusals: tuple[type[Exception], ...] = ()


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _archives() -> list[bytes]:
    with tempfile.TemporaryDirectory() as folder:
        tree = write(MACHINES["soft_roce"](), Path(folder))
        packed = capture(Path(folder) / "host.tar.gz", source=tree.sys).read_bytes()
    return [packed, gzip.decompress(packed)]


def _read_archive(data: bytes) -> None:
    with tempfile.NamedTemporaryFile(
        suffix=".tar.gz" if data[:2] == b"\x1f\x8b" else ".tar"
    ) as file:
        file.write(data)
        file.flush()
        for _ in read_archive(Path(file.name)):
            pass


def _plans() -> list[bytes]:
    sources = ("hwloc-aws-p4d.24xl", "nccl-azure-ndv4")
    return [
        plan("fair", 0, DATA / f"topologies/{name}.xml", environment={}).to_json().encode()
        for name in sources
    ]


def _read_plan(data: bytes) -> None:
    StripePlan.from_json(_text(data))


def _read_gpu(text: str) -> None:
    if not text.strip().isdigit():  # an ordinal would start CUDA, where there is one
        find_gpu_pci("stripe_gpu", text)


def _lines(*lines: str) -> Callable[[], list[bytes]]:
    return lambda: [line.encode() for line in lines]


READERS: dict[str, Reader] = {
    "capture": Reader(_archives, _read_archive, (StripeError,)),
    "plan": Reader(_plans, _read_plan, (ValueError, StripeError)),
    "RECORD": Reader(
        _lines("a/b.so,sha256=abc,12\r\na/RECORD,,\r\n", '"a,b.py",,3\n', "x.py,sha256=z,1\n"),
        Record.parse,
        (StripeError,),
    ),
    "protocols": Reader(
        lambda: [path.read_bytes() for path in sorted((DATA / "proto_info").glob("*.log"))],
        lambda data: proto_info.parse(_text(data)),
    ),
    "engine config": Reader(
        _lines("MAX_RMA_RAILS=4, UCX_TLS=rc", "TLS=^tcp,x"),
        lambda data: parse_engine_config(_text(data)),
    ),
    "stripe": Reader(
        _lines("fair", "=mlx5_0:1,mlx5_1", "^mlx5", "8", "mlx5_0 mlx5_1:2"),
        lambda data: parse_stripe("stripe", _text(data)),
        (ValueError,),
    ),
    "rate": Reader(
        _lines("100", "0.5", "1e3"),
        lambda data: parse_min_rate("stripe_min_rate_gbps", _text(data)),
        (ValueError,),
    ),
    "PCI address": Reader(
        _lines("0000:1b:00.0", "1b:00.0", "00000000:1B:00.0"),
        lambda data: normal_pci_address(_text(data)),
    ),
    "GPU": Reader(
        _lines("0000:1b:00.0", "1b:00.0"),
        lambda data: _read_gpu(_text(data)),
        (ValueError,),
    ),
    "size": Reader(
        _lines("64K", "8 MiB", "1G"), lambda data: parse_size(_text(data)), (ValueError,)
    ),
    "RECORD, edited": Reader(command.records, command.edit_record, (StripeError,)),
    "settings of doctor": Reader(command.settings, command.read_settings),
    "ucx.conf": Reader(command.ucx_conf, command.read_ucx_conf),
    "files of the kernel": Reader(command.kernel_files, command.read_kernel_files),
    "files of agents": Reader(command.agent_files, command.read_agents, (StripeError,)),
    "plan of a peer": Reader(command.peers, command.read_peers, (UsageError,)),
}


def run(name: str, tries: int, seed: int = 0, seconds: float = float("inf")) -> Counter[str]:
    """Try so many inputs, or for so long; return how they ended. What is raised is a finding."""
    reader, mutator, ended = READERS[name], Mutator(seed), Counter[str]()
    seeds = reader.seeds()
    end = time.monotonic() + seconds
    while ended.total() < tries and time.monotonic() < end:
        data = mutator.random.choice(seeds)
        if ended.total() >= len(seeds):  # the seeds themselves first
            data = mutator.changed_bytes(data)
        began = time.process_time()
        try:
            reader.read(data)
            ended["read"] += 1
        except reader.refusals as error:
            if not str(error) or "\n" in str(error):
                raise AssertionError(f"{name}: a refusal is one line: {error!r}") from error
            ended["refused"] += 1
        except BaseException:
            print(f"{name}, seed {seed}, input {ended.total()}:", data[:4000], file=sys.stderr)
            raise
        if time.process_time() - began > MAX_CPU_S:
            raise TimeoutError(f"{name}: input {ended.total()} took over {MAX_CPU_S} s of CPU")
    return ended


def main(argv: Sequence[str] | None = None) -> int:
    """Fuzz one reader."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--reader", choices=READERS, required=True)
    parser.add_argument("--tries", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(argv)
    ended = run(options.reader, options.tries, options.seed, options.seconds)
    print(json.dumps({"reader": options.reader, "tries": ended.total(), **ended}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
