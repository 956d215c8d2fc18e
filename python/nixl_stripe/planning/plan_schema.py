# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What a plan of another host must look like before anything is done with it.

Keys that this version does not know are passed over: hosts are not upgraded all at once.
"""

from __future__ import annotations

from typing import Any

from nixl_stripe.planning.forecast import UcxPort
from nixl_stripe.planning.parts import PlannedNic, PlannedSetting
from nixl_stripe.untrusted import schema
from nixl_stripe.untrusted.of_class import fields_of

_NAME = schema.text(256)
#: A list of 256 devices fits, and the path of a file.
_TEXT = schema.text(8192)
_NAMES = schema.sequence(_NAME, 256)
_TEXTS = schema.sequence(_TEXT, 256)
_BY_NAME = schema.mapping(_TEXT, 256, _NAME)
_RATE = schema.number(0, 1e6)


def _record(cls: type[Any], *required: str, **given: schema.Schema) -> schema.Schema:
    fields = fields_of(cls, **given)
    needed = {name: fields.pop(name) for name in required}
    return schema.record(needed, fields, others=True)


_NIC = _record(
    PlannedNic, "device", device=_NAME, rate_gbps=_RATE, link_layer=_NAME, subnets=_NAMES
)
_SETTING = _record(PlannedSetting, "key", "value", key=_NAME, value=_TEXT, reason=_TEXT)
_PORT = _record(
    UcxPort,
    "device",
    device=_NAME,
    distance=schema.choice("near", "phb", "node", "sys"),
    hops=schema.whole(0, 4096),
    subnets=_NAMES,
)

#: Every field of `StripePlan`, which reads its own JSON by this and so cannot be imported here.
PLAN = schema.record(
    {
        "source": _TEXT,
        "parameters": _BY_NAME,
        "active": schema.flag,
        "devices": _NAMES,
        "rails": schema.maybe(schema.whole(0, 4096)),
    },
    {
        "gpu": schema.maybe(_NAME),
        "excluded": _BY_NAME,
        "settings": schema.sequence(_SETTING, 64),
        "nics": schema.sequence(_NIC, 256),
        "ceiling_gbps": schema.maybe(_RATE),
        "spreads_small": schema.flag,
        "on_nic_loss": _NAME,
        "warnings": _TEXTS,
        "kept": _TEXTS,
        "user_settings": _BY_NAME,
        "ports": schema.sequence(_PORT, 256),
        "excluded_by": _BY_NAME,
        "limits": _TEXTS,
        "machine": schema.nothing,
    },
    others=True,
)
