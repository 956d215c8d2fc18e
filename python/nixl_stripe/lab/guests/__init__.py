# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Real RDMA verbs without hardware: two QEMU guests with Soft-RoCE NICs, and stand-ins for GPUs.

with Guests(nics=4, numa_nodes=2, gpus="PHNS") as bed:
outcome = bed.transfer(sizes=[4 << 20], op="READ", gpu="N", nixl="/folder/of/a/wheel")
print(outcome.require().share, outcome.lanes)
"""

from nixl_stripe.lab.guests.assets import Assets, prepare, why_not
from nixl_stripe.lab.guests.bed import Guests
from nixl_stripe.lab.guests.control import GuestError
from nixl_stripe.lab.guests.layout import GpuPlace, LayoutName
from nixl_stripe.lab.side import Finished

__all__ = [
    "Assets",
    "Finished",
    "GpuPlace",
    "GuestError",
    "Guests",
    "LayoutName",
    "prepare",
    "why_not",
]
