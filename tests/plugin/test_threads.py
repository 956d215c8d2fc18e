# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Threads of one process that make agents at the same time, some of them with bad parameters."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from nixl_stripe.versions import NEWEST

WheelOf = Callable[[str, str], Path]

THREADS, ROUNDS = 8, 6
GOOD: tuple[dict[str, str], ...] = (
    {},
    {"stripe": "all"},
    {"max_rma_rails": "4"},
    {"max_rma_rails": "2", "stripe_small": "off"},
)
BAD = ({"device_list": ",,,"}, {"stripe_min_rate_gbps": "nan"})
#: Every thread has its turn at each. Where it stalls, the stacks of all threads are printed.
CODE = f"""
import faulthandler, json, sys, threading
faulthandler.dump_traceback_later(250, exit=True)
from nixl_cu12._api import nixl_agent, nixl_agent_config

cases, made, refused = json.loads(sys.argv[1]), [], []

def work(number):
    for turn in range({ROUNDS}):
        which = (number + turn) % len(cases)
        config = nixl_agent_config(enable_prog_thread=turn % 2 == 0, backends=[])
        agent = nixl_agent(f"a{{number}}-{{turn}}", config)
        try:
            agent.create_backend("UCX", cases[which])
            made.append(which)
        except Exception as error:
            refused.append(which)

threads = [threading.Thread(target=work, args=(number,)) for number in range({THREADS})]
for each in threads:
    each.start()
for each in threads:
    each.join()
print(json.dumps([sorted(made), sorted(refused)]))
"""


def test_each_gets_what_its_own_parameters_ask_for(patched: WheelOf) -> None:
    """The bad ones are refused, each time, and nobody else is."""
    cases = [*GOOD, *BAD]
    environment = {**os.environ, "PYTHONPATH": str(patched("nixl-cu12", NEWEST))}
    environment |= {"UCX_TLS": "tcp", "UCX_MODULES": "^ib", "NIXL_LOG_LEVEL": "FATAL"}
    done = subprocess.run(
        [sys.executable, "-c", CODE, json.dumps(cases)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    made, refused = json.loads(done.stdout.splitlines()[-1])
    times = THREADS * ROUNDS // len(cases)
    assert made == sorted(list(range(len(GOOD))) * times)
    assert refused == sorted(list(range(len(GOOD), len(cases))) * times)
