# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What commands read back or look up: settings, kernel files, saved plans, RECORDs."""

from __future__ import annotations

import contextlib
import functools
import json
import tempfile
from pathlib import Path

from nixl_stripe import plan
from nixl_stripe.cli.plan import _read_plans
from nixl_stripe.doctor import access, variables
from nixl_stripe.doctor.surroundings import Limits, NotKnownError, Surroundings
from nixl_stripe.proof import agents
from nixl_stripe.topo import machine as topology
from nixl_stripe.wheel.record import Entry, Record

TESTS = Path(__file__).parents[1]
TOPOLOGY = TESTS / "data/topologies/hwloc-aws-p4d.24xl.xml"
#: What of access.py reads files of the kernel.
_KERNEL = ("_processors", "_memory_nodes")


@functools.cache
def _folder() -> Path:
    """Return a folder of this process's, which is removed with it."""
    made = tempfile.TemporaryDirectory(prefix="nixl-stripe-fuzz-")
    _KEPT.append(made)
    return Path(made.name)


_KEPT: list[tempfile.TemporaryDirectory[str]] = []


@functools.cache
def _machine() -> object:
    return topology.machine(TOPOLOGY)


def _patient(environ: dict[str, str]) -> Surroundings:
    """Return a process on a machine with several NICs, which is read once."""
    folder = _folder()
    at = Surroundings(
        root=folder, environ=environ, search_path=[], working=folder, limits=Limits(65536, 1024)
    )
    vars(at)["machine"] = _machine()
    return at


def settings() -> list[bytes]:
    """Return environments that doctor has something to say about."""
    return [
        b"UCX_NET_DEVICES=mlx5_0:1,^eth0\nUCX_MAX_RMA_RAILS=2\nMX_RDMA_NIC_PIN=1\n",
        b"NIXL_UCX_STRIPE=fair\nNIXL_UCX_STRIPE_GPU=0\nUCX_TLS=^rc,tcp\nUCX_MAX_RMA_RAIL=4\n",
        b"NIXL_STRIPE_DISABLE=1\nNIXL_UCX_MAX_RMA_RAILS=auto\nNIXL_UCX_STIRPE==mlx5_0\n",
    ]


def read_settings(data: bytes) -> None:
    """Have doctor check an environment."""
    lines = data.decode("utf-8", "replace").replace("\0", "").splitlines()
    pairs = (line.partition("=") for line in lines)
    at = _patient({name: value for name, equals, value in pairs if equals and name})
    for check in variables.CHECKS:
        with contextlib.suppress(NotKnownError):
            check.run(at)


def ucx_conf() -> list[bytes]:
    """Return configuration files of UCX."""
    return [b"[section]\n# a comment\nUCX_TLS=rc,ud\nUCX_MAX_RMA_RAILS = 1\n", b"UCX_PROTOS=x\r\n"]


def read_ucx_conf(data: bytes) -> None:
    """Have doctor check a file of UCX settings."""
    (_folder() / "ucx.conf").write_bytes(data)
    try:
        variables._config_files(_patient({}))
    finally:
        (_folder() / "ucx.conf").unlink()


def kernel_files() -> list[bytes]:
    """Return what Linux says of a process's cores and memory, then of its cgroup."""
    status = b"Name:\tx\nCpus_allowed:\tff,00000003\nMems_allowed_list:\t0-1,3\n"
    return [status + b"\x1c150000 100000\n", status + b"\x1cmax 100000\n"]


def read_kernel_files(data: bytes) -> None:
    """Have doctor check a process's limits."""
    status, _, quota = data.partition(b"\x1c")
    for name, text in (("proc/self/status", status), ("sys/fs/cgroup/cpu.max", quota)):
        path = _folder() / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text)
    for check in access.CHECKS:
        if check.run.__name__ in _KERNEL:
            check.run(_patient({}))


def peers() -> list[bytes]:
    """Return what `plan --json` prints, and one plan alone."""
    alone = json.loads(plan("fair", 0, TOPOLOGY, environment={}).to_json())
    return [json.dumps(each).encode() for each in ({"plans": [alone, alone]}, alone)]


def read_peers(data: bytes) -> None:
    """Read the file that `plan --peer` names."""
    path = _folder() / "peer.json"
    path.write_bytes(data)
    _read_plans(path)


def agent_files() -> list[bytes]:
    """Return what processes write for `stripe_metrics`."""
    return [file.read_bytes() for file in sorted((TESTS / "fuzz/seeds/agents").glob("*.prom"))]


def read_agents(data: bytes) -> None:
    """Read one as `export --agents` does; what it shows of it can do nothing but be read."""
    for sample in agents.parse(data, "process").samples:
        for text in (sample.agent, *sample.labels):
            if not text.isprintable():
                raise AssertionError(repr(text))


def records() -> list[bytes]:
    """Return RECORDs with the rows that patching touches."""
    lines = (
        b"x/a.so,sha256=abc,12\r\nx/RECORD,,\r\n",
        b'"x,b.py",,3\nx/a.so,md5=1,\n',
        b"x/a.so,,",
    )
    return list(lines)


def edit_record(data: bytes) -> None:
    """Patch and undo a RECORD: every other byte stays."""
    record = Record.parse(data)
    for entry in record.entries().values():
        entry.vouches_for(b"content")
    first = next(iter(record.paths()), None)
    if first is None or "nixl-stripe-new" in record.paths():
        return
    edited = record.put("nixl-stripe-new", Entry.of(b"content"), after=first)
    if Record.parse(edited.data) != edited:
        raise AssertionError(f"written as {edited.data!r}, read as something else")
    undone = edited.without("nixl-stripe-new")
    if undone.data.rstrip(b"\n") != record.data.rstrip(b"\n"):
        raise AssertionError(f"{record.data!r} became {undone.data!r}")
