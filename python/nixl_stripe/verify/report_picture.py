# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The machine of a verification as a picture for its page."""

from __future__ import annotations

from dataclasses import replace

from nixl_stripe._core import Machine
from nixl_stripe.errors import StripeError
from nixl_stripe.lab.beds.base import Bed
from nixl_stripe.lab.guests import Guests
from nixl_stripe.topo.layout import draw
from nixl_stripe.topo.machine import machine
from nixl_stripe.topo.model import picture_of
from nixl_stripe.topo.svg import to_svg


def _drawn(found: Machine, name: str) -> str:
    """Draw it under a name that tells nothing of the host's folders."""
    return to_svg(draw(replace(picture_of(found), source=name)))


def picture(bed: Bed) -> str:
    """Return the initiator's machine as SVG.

    "" where there is none to be shown: rails have no hardware of their own.
    """
    try:
        if isinstance(bed, Guests):
            return _drawn(bed.machine("initiator"), "a guest of the bed")
        if bed.name in ("processes", "hosts"):
            return _drawn(machine(), "this host")
    except StripeError:
        pass  # a picture is not worth a report
    return ""
