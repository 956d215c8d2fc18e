# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Files of `stripe_metrics` without a plugin, in its words."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

FEW = {"mlx5_0": 400, "mlx5_1": 600}


def start_ticks(pid: int) -> int:
    text = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    return int(text.rpartition(")")[2].split()[19])


def agent_text(
    *names: str,
    pid: int | None = None,
    start: int | None = None,
    namespace: int | None = None,
    out: Mapping[str, int] = FEW,
    narrow: int = 0,
    resumes: int | None = None,
) -> str:
    """Return what agents of one process write, each of them.

    out: bytes by NIC. resumes: None where they do not resume.
    """
    pid = os.getpid() if pid is None else pid
    start = start_ticks(pid) if start is None else start
    namespace = Path("/proc/self/ns/pid").stat().st_ino if namespace is None else namespace
    setting = "nixl_stripe_agent_ucx_setting_info"
    lines = []
    for name in names or ("w0",):
        agent = f'agent_name="{name}"'
        nic = f"nixl_stripe_agent_intended_bytes_total{{{agent},nic="
        lines += [
            f'nixl_stripe_agent_info{{{agent},host="h",pid="{pid}",pid_namespace="{namespace}",'
            f'start_ticks="{start}",ucx="1.23.0",version="1"}} 1',
            f"nixl_stripe_agent_planned_nics{{{agent}}} {len(out)}",
            f"nixl_stripe_agent_rails{{{agent}}} {len(out)}",
            *(f'nixl_stripe_agent_nic_planned{{{agent},nic="{each}"}} 1' for each in out),
            f'{setting}{{{agent},key="MAX_RMA_RAILS",value="{len(out)}"}} 1',
            *(f'{nic}"{each}",direction="out"}} {value}' for each, value in out.items()),
            *(f'{nic}"{each}",direction="in"}} 0' for each in out),
            f'nixl_stripe_agent_elsewhere_bytes_total{{{agent},direction="out"}} 7',
            f"nixl_stripe_agent_operations_total{{{agent}}} 3",
            f"nixl_stripe_agent_transfers_total{{{agent}}} 2",
            f"nixl_stripe_agent_errors_total{{{agent}}} 0",
            *([] if resumes is None else _losses(agent, resumes)),
            f"nixl_stripe_agent_peers{{{agent}}} 1",
            f"nixl_stripe_agent_narrow_peers{{{agent}}} {narrow}",
        ]
    return "\n".join([*lines, "# EOF", ""])


def _losses(agent: str, resumes: int) -> list[str]:
    return [
        f"nixl_stripe_agent_resumes_total{{{agent}}} {resumes}",
        f'nixl_stripe_agent_nic_losses_total{{{agent},nic="eth0"}} {resumes}',
        f'nixl_stripe_agent_nic_returns_total{{{agent},nic="eth0"}} 1',
    ]
