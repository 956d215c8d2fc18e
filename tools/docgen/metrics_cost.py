# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What `stripe_metrics` costs: the figures of `tools/metrics_cost.py`."""

from __future__ import annotations

from docgen.files import result, table


def rate() -> str:
    """Return the ratios of a transfer's time to one without metrics in the same round."""
    rows = []
    for row in result("metrics-cost")["rows"]:
        ratio = row["ratio"]
        spread = f"{ratio['median']:.3f} ({ratio['low']:.3f} to {ratio['high']:.3f})"
        rows.append([row["mode"], f"{row['seconds'] * 1e3:.0f} ms", spread])
    return table(["transfer", "median", "time over that without, its 95 % interval"], rows)


def account() -> str:
    """Return the nanoseconds of processor time that the account adds to a put."""
    rows = [
        [
            str(row["nics"]),
            "4 KiB" if row["bytes"] == 4096 else f"{row['bytes'] >> 20} MiB",
            f"{row['ns_with'] - row['ns_without']:.0f} ns",
        ]
        for row in result("account-cost")["rows"]
    ]
    return table(["NICs", "buffer", "more a put"], rows)
