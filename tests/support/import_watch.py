# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Agents that come and go in one process, and where the stock plugin's imports lead meanwhile."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cpp_programs import ROOT, compile_cpp
from nixl_stripe.wheel import STOCK
from nixl_wheels import environment, plugin_folder

#: Every import of the stock plugin that stages stand in for while an engine asks for one.
PATH = (
    "ucp_worker_create",
    "ucp_worker_destroy",
    "ucp_ep_create",
    "ucp_ep_close_nbx",
    "ucp_ep_flush_nbx",
    "ucp_rkey_pack",
    "ucp_ep_rkey_unpack",
    "ucp_rkey_destroy",
    "ucp_put_nbx",
    "ucp_get_nbx",
    "ucp_request_free",
)

#: And what is looked at as well while an engine fails over.
REQUESTS = ("ucp_request_check_status",)

#: Agents come and go as its job says; after each step it says where the imports lead.
PROGRAM = r"""
import ctypes, json, sys
from nixl_cu12._api import nixl_agent, nixl_agent_config

job = json.load(sys.stdin)
text = ctypes.create_string_buffer(4096)
helper = ctypes.CDLL(job["helper"])

def target(symbol):
    found = helper.targetOf(job["stock"].encode(), symbol.encode(), text, len(text))
    said = text.value.decode()
    assert found & 0xff, said
    return said.rsplit("/", 1)[-1]

def pull(agent, op):
    memory = ctypes.create_string_buffer(bytes(range(256)) * 256, 65536)
    copy = ctypes.create_string_buffer(65536)
    spans = [ctypes.addressof(memory), ctypes.addressof(copy)]
    for span in spans:
        agent.register_memory([(span, 65536, 0, "")], "DRAM")
    ours, theirs = ([(s + i * 1024, 1024, 0) for i in range(64)] for s in spans)
    if op == "READ":
        ours, theirs = theirs, ours
    peer = agent.name
    descs = [agent.get_xfer_descs(d, "DRAM") for d in (ours, theirs)]
    handle = agent.initialize_xfer(op, *descs, peer)
    state = agent.transfer(handle)
    while state == "PROC":
        state = agent.check_xfer_state(handle)
    assert state == "DONE" and copy.raw == memory.raw, state
    agent.release_xfer_handle(handle)

agents, seen = {}, []
for name, params in job["steps"]:
    if params is None:
        del agents[name]
    else:
        agents[name] = nixl_agent(name, nixl_agent_config(backends=[]))
        agents[name].create_backend("UCX", params)
    for op in job["ops"]:
        for agent in agents.values():
            pull(agent, op)
    agent = None
    seen.append({symbol: target(symbol) for symbol in job["path"]})
print("SEEN " + json.dumps(seen), flush=True)
"""


Steps = list[tuple[str, dict[str, str] | None]]


def run(
    helper: Path, site: Path, steps: Steps, **variables: str
) -> tuple[list[dict[str, str]], str]:
    """Return where the imports lead after each step, and everything that was printed."""
    return watch(helper, site, steps, PATH, ("WRITE", "READ"), variables)


def watch(
    helper: Path,
    site: Path,
    steps: Steps,
    path: tuple[str, ...],
    ops: tuple[str, ...],
    variables: Mapping[str, str],
) -> tuple[list[dict[str, str]], str]:
    """Do the same for the imports `path`, with transfers of the operations `ops`."""
    stock = plugin_folder(site, "nixl-cu12") / STOCK
    job: dict[str, Any] = {"helper": str(helper), "path": path, "steps": steps, "ops": ops}
    job["stock"] = str(stock if stock.exists() else stock.with_name(STOCK.removesuffix(".stock")))
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        input=json.dumps(job),
        env=environment(site, UCX_MODULES="^ib", UCX_TLS="tcp", **variables),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    printed = done.stdout + done.stderr
    assert done.returncode == 0, printed
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("SEEN "))
    return json.loads(line.removeprefix("SEEN ")), printed


def leads_to_ucx(seen: dict[str, str]) -> bool:
    """Whether every import holds UCX's own function; raises where some do and others do not."""
    own = [
        where.startswith("libucp") and where.endswith(f" {name}") for name, where in seen.items()
    ]
    assert all(own) or not any(own), seen
    return all(own)


def compile_helper(folder: Path) -> Path:
    """Return the library that tells where an import leads."""
    here = ROOT / "tests" / "plugin" / "host" / "import_slots.cpp"
    sources = [here, ROOT / "nixl_patch" / "plugin" / "import_slot.cpp"]
    return compile_cpp(folder / "import_slots.so", sources)
