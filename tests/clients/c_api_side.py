# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""One side of a transfer by the C example: starts it and reads the rails' counters around it."""

from __future__ import annotations

import subprocess
import sys

from clients.client_side import Given, counted, main, since
from nixl_stripe.lab.channel import Channel
from nixl_stripe.lab.job import Role

#: The target's address on the first rail (see `nixl_stripe.lab.rails.rail_spec`).
ADDRESS, PORT, MIB = "10.77.0.2", "7311", "16"


def run(role: Role, given: Given, _: Channel) -> Given:
    where = ["send", ADDRESS] if role == "initiator" else ["serve"]
    before = counted(given["counters"], "tx")
    done = subprocess.run(
        [given["program"], *where, PORT, MIB, *given["parameters"]],
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    sys.stderr.write(done.stderr)
    said = done.stdout.strip()
    return {"status": done.returncode, "said": said, "rails": since(before, "tx")}


if __name__ == "__main__":
    raise SystemExit(main(__doc__ or "", run))
