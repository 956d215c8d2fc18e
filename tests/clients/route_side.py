# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""One side of a transfer whose agent a client made by its own route, as a program.

The initiator writes into the target's memory, the target compares every byte.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from clients.client_code import ROUTES
from clients.client_side import Given, counted, main, since
from nixl_stripe.lab.channel import Channel, ask
from nixl_stripe.lab.job import Role

LIMIT_S = 60.0
SIZE = 16 << 20


def payload() -> Any:
    words = np.arange(1, SIZE // 8 + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    return words.view(np.uint8)


def write(agent: Any, local: Any, peer: dict[str, Any], names: list[str]) -> dict[str, int]:
    remote = agent.add_remote_agent(bytes.fromhex(peer["metadata"]))
    there = agent.get_xfer_descs([(peer["address"], SIZE, 0)], "DRAM")
    before = counted(names, "tx")
    handle = agent.initialize_xfer("WRITE", local, there, remote, b"", backends=["UCX"])
    state = agent.transfer(handle)
    deadline = time.monotonic() + LIMIT_S
    while state == "PROC" and time.monotonic() < deadline:
        time.sleep(0.001)
        state = agent.check_xfer_state(handle)
    if state != "DONE":
        raise RuntimeError(f"the transfer ended in state {state}")
    agent.release_xfer_handle(handle)
    return since(before, "tx")


def run(role: Role, given: Given, channel: Channel) -> Given:
    agent = ROUTES[given["client"]]()
    sends = role == "initiator"
    memory = payload().copy() if sends else np.zeros(SIZE, np.uint8)
    address = int(memory.ctypes.data)
    agent.register_memory([(address, SIZE, 0, "")], "DRAM", backends=["UCX"])
    hello = {"kind": "hello", "metadata": agent.get_agent_metadata().hex(), "address": address}
    channel.send(hello)
    peer = ask(channel, LIMIT_S, "hello")
    done: dict[str, Any] = {}
    if sends:
        local = agent.get_xfer_descs([(address, SIZE, 0)], "DRAM")
        done["rails"] = write(agent, local, peer, given["counters"])
        channel.send({"kind": "written"})
        ask(channel, LIMIT_S, "bye")
    else:
        ask(channel, LIMIT_S, "written")
        done["wrong"] = int(np.count_nonzero(memory != payload()))
        channel.send({"kind": "bye"})
    return done


if __name__ == "__main__":
    raise SystemExit(main(__doc__ or "", run))
