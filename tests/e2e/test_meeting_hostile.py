# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""A real agent of ours is given metadata with hostile introductions: it works as a stock one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from nixl_wheels import environment

SCRIPT = """
import importlib, zlib
from nixl_stripe import nixl_agent, nixl_agent_config
from nixl_stripe.agents.introduction import _MAGIC, _TAIL

api = importlib.import_module("nixl_cu12._api")
stock = api.nixl_agent("stock", api.nixl_agent_config(backends=["UCX"]))
ours = nixl_agent("ours", nixl_agent_config(backends=["UCX"]))
texts = [b"[" * 200000, b"{}", b'{"version":' + b"9" * 5000 + b"}", b" " * (9 << 20)]
for number, text in enumerate(texts):
    body = zlib.compress(text)
    tail = body + _TAIL.pack(zlib.crc32(body), len(body), _MAGIC)
    name = ours.add_remote_agent(stock.get_agent_metadata() + tail)
    assert name in (b"stock", "stock"), name
    ours.remove_remote_agent("stock")
print("all met")
"""


def test_agents_meet_whatever_is_behind_the_metadata_bad_flow(striped: Path) -> None:
    variables = {"UCX_MODULES": "^ib", "UCX_TLS": "tcp", "NIXL_LOG_LEVEL": "FATAL"}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env=environment(striped, **variables),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "all met" in done.stdout
    assert done.stderr.count("a peer's introduction is not accepted") == 4, done.stderr
