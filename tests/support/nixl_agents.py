# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Runs NIXL in a process of its own: UCX reads its environment once, when it is loaded."""

from __future__ import annotations

import fcntl
import json
import socket
import struct
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nixl_wheels import environment, module_name

_SIOCGIFADDR = 0x8915


def network_interface() -> str:
    """Return an interface with an IPv4 address: UCX 1.20 finds no route through lo alone."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        for _, name in socket.if_nameindex():
            if name == "lo":
                continue
            try:
                fcntl.ioctl(probe, _SIOCGIFADDR, struct.pack("256s", name.encode()))
            except OSError:
                continue
            return name
    return "lo"


#: Reads a job on stdin, creates one agent a step, prints what happened as the last line.
PROGRAM = r"""
import ctypes, importlib, json, os, sys, threading
job = json.load(sys.stdin)
for library in job["preload"]:
    ctypes.CDLL(library, mode=ctypes.RTLD_GLOBAL)
nixl = importlib.import_module(job["module"] + "._api")

def create(agent, params):
    try:
        agent.create_backend("UCX", params)
        if job["register"]:
            memory = ctypes.create_string_buffer(4096)
            address = ctypes.addressof(memory)
            registered.append((memory, agent.register_memory([(address, 4096, 0, "")], "DRAM")))
        return {"error": None, "params": dict(agent.get_backend_params("UCX"))}
    except Exception as error:
        return {"error": [type(error).__name__, str(error)], "params": None}

registered = []

def fresh(name):
    return nixl.nixl_agent(name, nixl.nixl_agent_config(backends=[]))

kept = [fresh("first")]
outcome = {"advertised": dict(kept[0].get_plugin_params("UCX")), "steps": []}
if job["threads"]:
    agents = [fresh(f"t{i}") for i in range(len(job["steps"]))]
    outcome["steps"] = [None] * len(agents)
    gate = threading.Barrier(len(agents))
    def work(i):
        gate.wait()
        outcome["steps"][i] = create(agents[i], job["steps"][i])
    workers = [threading.Thread(target=work, args=(i,)) for i in range(len(agents))]
    [w.start() for w in workers]
    [w.join() for w in workers]
else:
    agent = fresh("a")
    for i, params in enumerate(job["steps"]):
        variables = job["variables"][i] if job["variables"] else {}
        os.environ.update(variables)
        done = create(agent, params)
        for variable in variables:
            del os.environ[variable]
        outcome["steps"].append(done)
        if done["error"] is None:  # an agent whose creation failed is used again
            kept.append(agent)
            agent = fresh(f"a{i}")
sys.stderr.flush()
print("OUTCOME " + json.dumps(outcome), flush=True)
"""


@dataclass(frozen=True)
class Step:
    """What one `create_backend` did."""

    error: tuple[str, str] | None
    params: dict[str, str] | None


@dataclass(frozen=True)
class Outcome:
    """What a process did: advertised parameters, one step an agent, and everything it logged."""

    advertised: dict[str, str]
    steps: list[Step]
    log: str

    @property
    def applied(self) -> list[str]:
        """The plugin's lines about what it handed to UCX and read back."""
        return [
            line.split("] ", 1)[1]
            for line in self.log.splitlines()
            if " nixl-stripe] " in line and line.startswith("I")
        ]

    @property
    def warnings(self) -> list[str]:
        """The plugin's warnings."""
        return [
            line.split("] ", 1)[1]
            for line in self.log.splitlines()
            if " nixl-stripe] " in line and line.startswith("W")
        ]


def run_agents(
    site: Path,
    name: str,
    steps: list[dict[str, str]],
    *,
    torch: Path,
    threads: bool = False,
    register: bool = False,
    preload: list[Path] | None = None,
    step_variables: list[dict[str, str]] | None = None,
    python: Sequence[str | Path] = (sys.executable,),
    **variables: str,
) -> Outcome:
    """Create one agent a step from the NIXL in `site`; `variables` are the environment's.

    python: the interpreter that runs them, an emulator before it or not.
    register: each agent registers 4 KiB of host memory.
    step_variables: variables that exist during one step only (UCX's own are read at load).
    """
    job = {
        "module": module_name(name),
        "steps": steps,
        "threads": threads,
        "register": register,
        "variables": step_variables,
        "preload": [str(path) for path in preload or []],
    }
    # Without an RDMA stack the stock wheel crashes in its own libnl unless ib is left out.
    settings = {"UCX_MODULES": "^ib", "NIXL_LOG_LEVEL": "INFO", **variables}
    done = subprocess.run(
        [*python, "-c", PROGRAM],
        input=json.dumps(job),
        env=environment(site, torch, **settings),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("OUTCOME ")]
    assert lines, f"exit status {done.returncode}\n{done.stdout}\n{done.stderr}"
    outcome: dict[str, Any] = json.loads(lines[-1].removeprefix("OUTCOME "))
    return Outcome(
        advertised=outcome["advertised"],
        steps=[
            Step(tuple(step["error"]) if step["error"] else None, step["params"])
            for step in outcome["steps"]
        ],
        log=done.stderr + done.stdout,
    )
