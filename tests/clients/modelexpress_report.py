# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What ModelExpress moves over each of four rails, as JSON; `tools/docs.py` makes the table.

    scripts/test-clients --report docs/results/modelexpress.json

Every payload is compared byte by byte before its row counts.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from clients.modelexpress_runs import Run, run
from nixl_stripe.bench.provenance import Origin
from nixl_stripe.lab import Rails, fake_cuda
from nixl_stripe.versions import NEWEST
from nixl_stripe.wheel import find_in, patch_folder
from nixl_wheels import unpack, wheel_file

MBIT = 200
CACHE = Path(__file__).parents[2] / ".cache" / "clients"
PINNED = {"MX_RDMA_NIC_PIN": "rail0,rail0"}

#: Row, whether NIXL is patched, whether `enable()` is called, environment.
CASES: tuple[tuple[str, bool, bool, dict[str, str]], ...] = (
    ("stock", False, False, {}),
    ("stock, pinned by ModelExpress", False, False, PINNED),
    ("NIXL_UCX_STRIPE=all", True, False, {"NIXL_UCX_STRIPE": "all"}),
    ("NIXL_UCX_STRIPE=all, pinned", True, False, {"NIXL_UCX_STRIPE": "all", **PINNED}),
    ("enable(), MX_RDMA_NIC_PIN=stripe", True, True, {"MX_RDMA_NIC_PIN": "stripe"}),
    ("enable(), MX_RDMA_NIC_PIN=rail2,rail0", True, True, {"MX_RDMA_NIC_PIN": "rail2,rail0"}),
)


def row_of(name: str, done: Run) -> dict[str, Any]:
    if done.error is not None or done.wrong:
        raise SystemExit(f"{name}: {done.error or done.wrong}\n{done.log}")
    rails = {key: sum(row["rails"][key] for row in done.rows) for key in done.rows[0]["rails"]}
    return {
        "case": name,
        "gbps": round(done.gbps, 3),
        "payload_bytes": done.receiver["payload"],
        "tensors": done.rows[0]["tensors"],
        "transfers": len(done.rows),
        "bytes": rails,
        "net_devices": done.receiver["net_devices"],
        "verified": True,
    }


def main() -> int:
    origin = Origin(["scripts/test-clients", "--report"])
    gpu = fake_cuda.environment(fake_cuda.build(CACHE), ["0000:00:05.0"])
    with tempfile.TemporaryDirectory() as name, Rails(count=4, mbit=MBIT) as rails:
        stock = unpack(wheel_file("nixl-cu12", NEWEST), Path(name) / "stock")
        striped = Path(name) / "striped"
        shutil.copytree(stock, striped, copy_function=os.link)
        for folder in find_in(striped):
            patch_folder(folder)
        rows = [
            row_of(
                label,
                run(rails, striped if patched else stock, gpu, variables=variables, enable=on),
            )
            for label, patched, on, variables in CASES
        ]
    result = {
        **origin.taken(),
        "versions": {"modelexpress": "0.7.0", "nixl": NEWEST},
        "rail_mbit": MBIT,
        "rows": rows,
    }
    Path(sys.argv[1]).write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    for row in rows:
        print(f"{row['case']}: {row['gbps']:.2f} Gbit/s")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
