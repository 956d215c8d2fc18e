# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Whose GPU is it: CUDA ordinals, PCI addresses and contexts, asked of the plugin in use."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

#: Runs with the patched NIXL in sys.argv[1]. What torch says is the reference.
_PROGRAM = """
import json, sys
sys.path.insert(0, sys.argv[1])
import nixl_stripe
from nixl_stripe.agents.nixl_api import import_api
from nixl_stripe import _core

out = {}

def ask(name, gpu):
    try:
        plan = nixl_stripe.plan(stripe="nearest", gpu=gpu)
        out[name] = {"gpu": plan.gpu}
    except ValueError as error:
        out[name] = {"error": str(error)}
    params = {"stripe": "nearest", "stripe_gpu": "" if gpu is None else str(gpu)}
    try:
        agent = api.nixl_agent(name, api.nixl_agent_config(backends=[]))
        agent.create_backend("UCX", params)
        out[name]["plugin"] = "created"
    except ValueError as error:
        out[name]["plugin"] = str(error)

api = import_api(json.loads(sys.argv[2]))
ask("no context", None)
ask("ordinal 0", 0)
ask("ordinal 99", 99)
ask("garbage", "GPU0")
try:
    import torch
    if torch.cuda.device_count():
        torch.zeros(1, device="cuda")
        about = torch.cuda.get_device_properties(0)
        out["torch"] = {
            "gpu": f"{about.pci_domain_id:04x}:{about.pci_bus_id:02x}:{about.pci_device_id:02x}.0",
            "name": about.name,
        }
        ask("context", None)
        ask("address", out["torch"]["gpu"])
except ImportError:
    pass
print("LOOKUPS " + json.dumps(out))
"""


def lookups(patched: Path, packages: list[str]) -> dict[str, Any]:
    """Return the answers for each CUDA_VISIBLE_DEVICES that makes a difference.

    Keys: "unset", "index 0", "uuid", "hidden" (no GPU is visible) and "index 99" (none such).
    """
    first = _first_uuid()
    visible: dict[str, str | None] = {"unset": None, "index 0": "0", "hidden": "", "index 99": "99"}
    if first:
        visible["uuid"] = first
    return {name: _ask(patched, packages, value, first) for name, value in visible.items()}


def _ask(
    patched: Path, packages: list[str], visible: str | None, uuid: str | None
) -> dict[str, Any]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("UCX_", "NIXL_", "CUDA_VIS"))}
    # No RDMA module: the wheel's bundled one can crash at exit on machines without RDMA.
    variables = {**clean, "UCX_MODULES": "^ib"}
    if visible is not None:
        variables["CUDA_VISIBLE_DEVICES"] = visible
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, str(patched), json.dumps(packages)],
        env=variables,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    for line in done.stdout.splitlines():
        if line.startswith("LOOKUPS "):
            # Errors quote CUDA_VISIBLE_DEVICES; a card's identity is for nobody else.
            text = line.removeprefix("LOOKUPS ").replace(uuid or "\0", "<UUID>")
            answers: dict[str, Any] = json.loads(text)
            return answers
    last = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
    return {"error": last}


def _first_uuid() -> str | None:
    try:
        done = subprocess.run(
            ["nvidia-smi", "--query-gpu=uuid", "--format=csv,noheader"],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    except OSError:
        return None
    return done.stdout.strip().splitlines()[0] if done.stdout.strip() else None
