# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Both ends of a soak: cycles of agents that meet, move small buffers, and go in rude ways.

Run as a program with `soak` or `peers` and a job in JSON. `soak` prints its samples as its last
line. `peers` is the other end: it makes a process with an agent when asked, and kills it with -9.
They meet in a folder of the job's that both see: `want-N`, `peer-N`, `kill-N`, `gone-N`, `end`.
"""

from __future__ import annotations

import base64
import ctypes
import gc
import importlib
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

BYTES = 1 << 20
BATCH = 128
#: Requests of one buffer after each batch: 5 % of all descriptors.
ALONE = BATCH // 19
SMALL = (1024, 1536, 2048, 3072, 4096)
#: Which of each `rude` cycles forks, and which loses a peer.
FORKS, LOSES = 1, 2
#: Seconds that one end waits for the other, which may be an emulated machine.
WAIT_S = 300.0
_PR_SET_PDEATHSIG = 1


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


def write(here: Side, peer: str, ours: Any, theirs: Any) -> None:
    """Do one WRITE request."""
    handle = here.agent.initialize_xfer("WRITE", ours, theirs, peer, b"")
    state = here.agent.transfer(handle)
    while state == "PROC":
        state = here.agent.check_xfer_state(handle)
    if state != "DONE":
        raise RuntimeError(f"a transfer ended as {state}")
    here.agent.release_xfer_handle(handle)


def move(here: Side, peer: str, address: int, requests: int) -> int:
    """Write small buffers, every twentieth in a request of its own, then the memory as a whole.

    The last is cut over all NICs on any bed: over TCP small buffers take one.
    """
    both = (here.address, address)
    kinds = {
        (first, count): [here.pieces(each, first, count) for each in both]
        for first in range(len(SMALL))
        for count in (BATCH, 1)
    }
    moved = 0
    for number in range(requests):
        for count in (BATCH, *[1] * ALONE):
            write(here, peer, *kinds[number % len(SMALL), count])
            moved += count
    whole = ([(each, BYTES, 0)] for each in both)
    write(here, peer, *(here.agent.get_xfer_descs(rows, "DRAM") for rows in whole))
    return moved + 1


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


def say(job: dict[str, Any], name: str, value: object = None) -> None:
    """Leave a message in the folder where both ends meet."""
    draft = Path(job["folder"]) / f".{name}"
    draft.write_text(json.dumps(value))
    draft.rename(Path(job["folder"]) / name)


def heard(job: dict[str, Any], *names: str) -> tuple[str, Any]:
    """Wait for one of these messages and take it; RuntimeError when none comes."""
    end = time.monotonic() + WAIT_S
    while time.monotonic() < end:
        for name in names:
            path = Path(job["folder"]) / name
            if path.exists():
                value = json.loads(path.read_text())
                path.unlink()
                return name, value
        time.sleep(0.01)
    raise RuntimeError(f"none of {', '.join(names)} within {WAIT_S:g} s")


def lose_a_peer(job: dict[str, Any], number: int) -> int:
    """Move to a process at the other end, which is killed while this one holds its keys."""
    say(job, f"want-{number}")
    here = Side(f"k{number}", job["module"], job["params"])
    _, said = heard(job, f"peer-{number}")
    peer = here.agent.add_remote_agent(base64.b64decode(said["metadata"]))
    moved = move(here, peer, said["address"], job["requests"])
    say(job, f"kill-{number}")
    heard(job, f"gone-{number}")
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


def sent(devices: list[str]) -> list[int]:
    """Return the bytes that each network interface has sent."""
    rows = (line.split(":") for line in Path("/proc/self/net/dev").read_text().splitlines()[2:])
    table = {name.strip(): int(counts.split()[8]) for name, counts in rows}
    return [table[name] for name in devices]


def soak(job: dict[str, Any]) -> dict[str, Any]:
    """Go on for the job's seconds; of each `rude` cycles one forks and one loses a peer."""
    before, first = sent(job["devices"]), time.monotonic()
    end, moved, cycle, samples = first + job["seconds"], 0, 0, []
    while time.monotonic() < end or cycle < job["least"]:
        moved += meet_and_part(job, cycle)
        if cycle % job["rude"] == FORKS:
            fork_while_creating(job, cycle)
        if cycle % job["rude"] == LOSES:
            moved += lose_a_peer(job, cycle)
        samples.append(sample(cycle, moved))
        cycle += 1
    after = sent(job["devices"])
    return {
        "samples": samples,
        "cycles": cycle,
        "descriptors": moved,
        "seconds": round(time.monotonic() - first, 1),
        "sent_bytes": [b - a for a, b in zip(before, after, strict=True)],
    }


def give_peers(job: dict[str, Any]) -> None:
    """Be the other end: one process with an agent at a time, until the soak has ended.

    They are forked from a process that has only imported NIXL, which saves the import.
    """
    importlib.import_module(f"{job['module']}._api")
    number = LOSES
    while heard(job, f"want-{number}", "end")[0] != "end":
        child = os.fork()
        if child == 0:
            be_a_peer(job, number)
        try:
            heard(job, f"kill-{number}")
        finally:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        say(job, f"gone-{number}")
        number += job["rude"]


def be_a_peer(job: dict[str, Any], number: int) -> None:
    """Make an agent, say so, and wait to be killed."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    side = Side(f"peer{number}", job["module"], job["params"])
    metadata = base64.b64encode(side.agent.get_agent_metadata()).decode()
    say(job, f"peer-{number}", {"metadata": metadata, "address": side.address})
    while True:
        signal.pause()


def main(what: str, text: str) -> None:
    """Be one end; exit handlers are left out, where the wheels' network library can crash."""
    job = json.loads(text)
    sys.path.insert(0, job["site"])
    if what == "peers":
        give_peers(job)
    else:
        try:
            print(json.dumps(soak(job)), flush=True)
        finally:
            say(job, "end")
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
