# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""One side in a process of its own: makes two agents, then posts whenever it is told to.

Reads one JSON object a line and answers with one: `open` makes the agents, `prepare` a request,
`post` posts it and says what each time took. It runs against any NIXL and imports nothing of ours.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import sys
import time
from typing import Any

_ROOM = 290 * 28 * 1024


class Side:
    """The agents of one cell, and its prepared request."""

    def __init__(self, nixl: Any, job: dict[str, Any]) -> None:
        self._op = ""
        self._handle: Any = None
        self._agents = [
            self._agent(nixl, "initiator", job["progress_thread"], job["params"]),
            # The other side makes progress by itself: READ over TCP needs it to.
            self._agent(nixl, "target", True, job["params"]),
        ]
        self._memory = [ctypes.create_string_buffer(os.urandom(_ROOM), _ROOM) for _ in range(2)]
        for agent, memory in zip(self._agents, self._memory, strict=True):
            agent.register_memory([(ctypes.addressof(memory), _ROOM, 0, "")], "DRAM")
        self._agents[0].add_remote_agent(self._agents[1].get_agent_metadata())

    @staticmethod
    def _agent(nixl: Any, name: str, progress: bool, params: dict[str, str]) -> Any:
        agent = nixl.nixl_agent(
            name, nixl.nixl_agent_config(enable_prog_thread=progress, backends=[])
        )
        agent.create_backend("UCX", params)
        return agent

    def prepare(self, count: int, size: int, operation: str) -> None:
        """Make the request: `count` descriptors of `size` bytes. Moves it once and compares."""
        self.release()
        agent = self._agents[0]
        spans = [
            agent.get_xfer_descs(
                [(ctypes.addressof(memory) + i * size, size, 0) for i in range(count)], "DRAM"
            )
            for memory in self._memory
        ]
        self._handle = agent.initialize_xfer(operation, *spans, "target")
        source, sink = self._memory if operation == "WRITE" else reversed(self._memory)
        ctypes.memset(sink, 0, count * size)
        self.post()
        if source.raw[: count * size] != sink.raw[: count * size]:
            raise RuntimeError("what arrived is not what was sent")

    def post(self) -> tuple[int, int]:
        """Return nanoseconds that posting took on the clock, and of this thread's own CPU."""
        agent = self._agents[0]
        start, start_cpu = time.perf_counter_ns(), time.thread_time_ns()
        state = agent.transfer(self._handle)
        posted, posted_cpu = time.perf_counter_ns(), time.thread_time_ns()
        while state == "PROC":
            state = agent.check_xfer_state(self._handle)
        if state != "DONE":
            raise RuntimeError(f"the transfer ended as {state}")
        return posted - start, posted_cpu - start_cpu

    def release(self) -> None:
        """Give the prepared request back."""
        if self._handle is not None:
            self._agents[0].release_xfer_handle(self._handle)
            self._handle = None


def main() -> None:
    """Serve until the input ends."""
    nixl = importlib.import_module(sys.argv[1] + "._api")
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # NIXL writes its log there too
    side: Side | None = None
    for line in sys.stdin:
        job = json.loads(line)
        answer: Any = None
        if job["do"] == "open":
            side = None
            side = Side(nixl, job)
        elif side is not None and job["do"] == "prepare":
            side.prepare(job["descriptors"], job["bytes"], job["operation"])
        elif side is not None:
            answer = [side.post() for _ in range(job["times"])]
        print(json.dumps(answer), file=answers)


if __name__ == "__main__":
    main()
