# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""One process of a soak: cycles of agents that meet, move small buffers, and go in rude ways.

Run as a program with a job in JSON as its argument; prints samples as its last line. `peer` as the
first argument makes it the other end of one meeting, which waits to be killed.
"""

from __future__ import annotations

import base64
import ctypes
import gc
import importlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

BYTES = 1 << 20
BATCH = 128
SMALL = (1024, 1536, 2048, 3072, 4096)


class Side:
    """One agent with one registered buffer."""

    def __init__(self, name: str, module: str, params: dict[str, str]) -> None:
        nixl = importlib.import_module(f"{module}._api")
        self.agent: Any = nixl.nixl_agent(name, nixl.nixl_agent_config(backends=[]))
        self.agent.create_backend("UCX", params)
        self.memory = ctypes.create_string_buffer(BYTES)
        self.address = ctypes.addressof(self.memory)
        self.registered: Any = self.agent.register_memory([(self.address, BYTES, 0, "")], "DRAM")

    def pieces(self, address: int, first: int, count: int) -> Any:
        """Return descriptors of small pieces, `first` of which decides their sizes."""
        sizes = [SMALL[(first + i) % len(SMALL)] for i in range(count)]
        rows = [(address + i * max(SMALL), size, 0) for i, size in enumerate(sizes)]
        return self.agent.get_xfer_descs(rows, "DRAM")


def move(here: Side, peer: str, address: int, requests: int) -> int:
    """Write batches of small buffers, every twentieth descriptor in a request of its own."""
    moved = 0
    for number in range(requests):
        for count in (BATCH, *[1] * (BATCH // 19)):
            theirs, ours = (here.pieces(a, number, count) for a in (address, here.address))
            handle = here.agent.initialize_xfer("WRITE", ours, theirs, peer, b"")
            state = here.agent.transfer(handle)
            while state == "PROC":
                state = here.agent.check_xfer_state(handle)
            if state != "DONE":
                raise RuntimeError(f"a transfer ended as {state}")
            here.agent.release_xfer_handle(handle)
            moved += count
    return moved


def meet_and_part(job: dict[str, Any], number: int) -> int:
    """Two agents of this process; the target's memory goes while the other still has its key."""
    one, two = (Side(f"{side}{number}", job["module"], job["params"]) for side in "ab")
    two.memory.raw = bytes(BYTES)
    ctypes.memset(one.address, 1 + number % 255, BYTES)
    peer = one.agent.add_remote_agent(two.agent.get_agent_metadata())
    moved = move(one, peer, two.address, job["requests"])
    if two.memory.raw[:1024] != one.memory.raw[:1024]:
        raise RuntimeError("the target has other bytes than were sent")
    two.agent.deregister_memory(two.registered)
    one.agent.remove_remote_agent(peer)
    one.agent.deregister_memory(one.registered)
    return moved


@contextmanager
def other_process(job: dict[str, Any]) -> Iterator[subprocess.Popen[str]]:
    """Start a peer that can be killed; it is gone afterwards in any case."""
    command = [sys.executable, __file__, "peer", json.dumps(job)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as peer:
        try:
            yield peer
        finally:
            peer.kill()


def lose_a_peer(job: dict[str, Any], number: int) -> int:
    """Move to another process and kill it while this one holds keys to its memory."""
    here = Side(f"k{number}", job["module"], job["params"])
    with other_process(job) as other:
        assert other.stdout is not None  # noqa: S101 - it is a pipe
        said = json.loads(next(line for line in other.stdout if line.startswith("{")))
        peer = here.agent.add_remote_agent(base64.b64decode(said["metadata"]))
        moved = move(here, peer, said["address"], 1)
        os.kill(other.pid, signal.SIGKILL)
        other.wait()
    here.agent.remove_remote_agent(peer)
    here.agent.deregister_memory(here.registered)
    return moved


def fork_while_creating(job: dict[str, Any], number: int) -> None:
    """Fork from one thread while another creates a backend; the child only leaves."""
    creating = threading.Thread(target=Side, args=(f"f{number}", job["module"], job["params"]))
    creating.start()
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    creating.join()


def sample(cycle: int, moved: int) -> dict[str, int]:
    """Return what this process holds."""
    gc.collect()
    status = Path("/proc/self/status").read_text()
    values = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    return {
        "cycle": cycle,
        "descriptors": moved,
        "rss_kib": int(values["VmRSS"].split()[0]),
        "threads": int(values["Threads"]),
        "fds": sum(1 for _ in Path("/proc/self/fd").iterdir()),
    }


def soak(job: dict[str, Any]) -> dict[str, Any]:
    """Go on for the job's seconds; every third cycle forks, every third loses a peer."""
    end, moved, cycle, samples = time.monotonic() + job["seconds"], 0, 0, []
    while time.monotonic() < end or cycle < job["least"]:
        moved += meet_and_part(job, cycle)
        if cycle % 3 == 1:
            fork_while_creating(job, cycle)
        if cycle % 3 == 2:
            moved += lose_a_peer(job, cycle)
            samples.append(sample(cycle, moved))
        cycle += 1
    return {"samples": samples, "cycles": cycle, "descriptors": moved}


def wait_to_be_killed(job: dict[str, Any]) -> None:
    """Be the peer of lose_a_peer()."""
    side = Side("peer", job["module"], job["params"])
    metadata = base64.b64encode(side.agent.get_agent_metadata()).decode()
    print(json.dumps({"metadata": metadata, "address": side.address}), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    asked = json.loads(sys.argv[-1])
    sys.path.insert(0, asked["site"])
    if sys.argv[1] == "peer":
        wait_to_be_killed(asked)
    else:
        print(json.dumps(soak(asked)), flush=True)
        os._exit(0)
