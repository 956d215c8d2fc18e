# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Two folders with a NIXL each, of which one is patched."""

from __future__ import annotations

from pathlib import Path

from nixl_stripe.versions import NEWEST_REQUIREMENT


def sites(cache: Path) -> tuple[Path, Path]:
    """Return the patched and the stock one; pip fetches them where the cache has none."""
    from nixl_stripe.wheel.installs import prepare

    made = prepare(cache.resolve(), NEWEST_REQUIREMENT, None, print)
    return made.patched, made.stock
