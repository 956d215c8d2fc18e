# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""One side of a transfer by the C example: starts it and reads the rails' counters around it."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

from clients.route_side import sent

#: The target's address on the first rail (see `nixl_stripe.lab.rails.rail_spec`).
ADDRESS, PORT, MIB = "10.77.0.2", "7311", "16"


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--job", type=Path)
    parser.add_argument("--channel")
    parser.add_argument("--result", type=Path)
    options = parser.parse_args()
    job = json.loads(options.job.read_text())
    where = ["send", ADDRESS] if job["role"] == "initiator" else ["serve"]
    before = sent(job["counters"])
    done = subprocess.run(
        [job["program"], *where, PORT, MIB, *job["parameters"]],
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    after = sent(job["counters"])
    sys.stderr.write(done.stderr)
    result = {
        "status": done.returncode,
        "said": done.stdout.strip(),
        "rails": {name: after[name] - before[name] for name in after},
    }
    options.result.write_text(json.dumps(result))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
