# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Guests whose clocks run too fast are booted again, and at last refused; here without a guest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from nixl_stripe.lab.guests import Guests, assets, bed
from nixl_stripe.lab.guests.control import GuestError


def guests(monkeypatch: pytest.MonkeyPatch, uptimes: list[float]) -> list[float]:
    """Make guests that boot in 20 s and say they are up for so long; return the boots left."""
    closed: list[float] = []

    def boot(self: Any, *_: object) -> None:
        self.boot_s, self.machines = 20.0, {"initiator": {"uptime_s": uptimes.pop(0)}}

    monkeypatch.setattr(assets, "prepare", lambda *_: None)
    monkeypatch.setattr(bed, "_accelerator", lambda *_: "tcg")
    monkeypatch.setattr(Guests, "_boot", boot)
    monkeypatch.setattr(Guests, "close", lambda self: closed.append(self.boot_s))
    Guests(1, cache=Path("/nowhere"))
    return closed


def test_a_clock_that_is_right_needs_one_boot(monkeypatch: pytest.MonkeyPatch) -> None:
    assert guests(monkeypatch, [19.0]) == []


def test_the_next_boot_may_be_right(monkeypatch: pytest.MonkeyPatch) -> None:
    assert guests(monkeypatch, [60.0, 18.0]) == [20.0]


def test_after_three_boots_it_is_refused_bad_flow(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(GuestError, match=r"guest initiator: its clock runs 3.0 times too fast"):
        guests(monkeypatch, [60.0, 61.0, 60.0])
