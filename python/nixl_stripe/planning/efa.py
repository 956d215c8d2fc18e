# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What UCX can do over EFA, by its source (src/uct/ib/efa, 1.19 to 1.23); not run on such NICs."""

from __future__ import annotations

from packaging.version import InvalidVersion, Version

#: The first UCX that reads and writes remote memory over EFA.
FIRST_UCX = Version("1.20")

ALTERNATIVE = (
    "NIXL's LIBFABRIC backend, which is in the same wheel, is written for EFA and stripes by itself"
)

WHAT_UCX_DOES = (
    "EFA: UCX reads and writes with its transport srd from 1.20 on (NIXL 0.8): READ where the "
    "device has RDMA read (p4d and later), WRITE where it has RDMA write (p5 and later), else in "
    "software; GPU memory needs the GPU's peer memory or dma-buf; nothing of this was measured on "
    f"EFA. {ALTERNATIVE}"
)


def problem(ucx_version: str) -> str:
    """Return what an older UCX cannot do over EFA; "" for one that can, or of unknown version."""
    try:
        version = Version(ucx_version)
    except InvalidVersion:
        return ""
    if version >= FIRST_UCX:
        return ""
    return (
        f"UCX {ucx_version} has no RDMA over EFA (srd with messages only in 1.19, nothing reliable "
        "before): READ and WRITE are emulated in software"
    )
