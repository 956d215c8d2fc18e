# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""A verification as NVSentinel's HealthEvents, in the JSON form of its protocol buffers.

Source: NVIDIA/NVSentinel, data-models/protobufs/health_event.proto (HealthEvents version 1). The
field names are those of proto3's JSON mapping. Events are STORE_ONLY: what to do with a node is its
operator's decision, not that of one transfer.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator, Mapping
from typing import Any

from nixl_stripe.verify.verdict import reservation

Data = Mapping[str, Any]

AGENT, COMPONENT, CHECK = "nixl-stripe", "NIC", "NixlStripeShare"
_VERSION = 1

#: NVSentinel's own monitors take a node's name from it: in a pod the host's name is the pod's.
NODE_NAME = "NODE_NAME"


def as_health_events(data: Data, context: Mapping[str, str]) -> str:
    """Return one event for each NIC that was planned, over all operations."""
    events = list(_events(data, context))
    return json.dumps({"version": _VERSION, "events": events}, indent=2) + "\n"


def _events(data: Data, context: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Yield an event for each NIC, and one of none for what is no single NIC's fault."""
    results = list(data.get("results", ()))
    nics = dict.fromkeys(str(nic) for result in results for nic in result.get("planned", ()))
    faults = {nic: [why for result in results for why in _faults(result, nic)] for nic in nics}
    fine = reservation(data) or "it carried its share"
    for nic, found in faults.items():
        yield _event(context, nic, not found, "; ".join(found) or fine)
    if not nics or (not data.get("ok") and not any(faults.values())):
        yield _event(context, None, bool(data.get("ok")), _why(data))


def _why(data: Data) -> str:
    found = [f"{each.get('op')}: {each['why']}" for each in data["results"] if each.get("why")]
    return str(data.get("error") or "; ".join(found) or "no NIC was planned, nothing is proven")


def _faults(result: Data, nic: str) -> Iterator[str]:
    if nic not in result.get("planned", ()) or result.get("ok"):
        return
    op = str(result.get("op"))
    if result.get("error") or not result.get("verified"):
        yield f"{op}: {result.get('error') or 'the payload did not arrive whole'}"
    elif result.get("proof") == "none":
        yield f"{op}: nobody says which way the payload went"
    elif nic in result.get("short", ()):
        share = float((result.get("share") or {}).get(nic, 0.0))
        due = float((result.get("due") or {}).get(nic, 0.0))
        yield f"{op}: {share:.1%} of the bytes, {due:.1%} were due"


def _event(
    context: Mapping[str, str], nic: str | None, healthy: bool, message: str
) -> dict[str, Any]:
    return {
        "version": _VERSION,
        "agent": AGENT,
        "componentClass": COMPONENT,
        "checkName": CHECK,
        "isFatal": False,
        "isHealthy": healthy,
        "message": message,
        "recommendedAction": "NONE" if healthy else "CONTACT_SUPPORT",
        "errorCode": [] if healthy else ["NIXL_STRIPE_SHARE"],
        "entitiesImpacted": [] if nic is None else [{"entityType": "NIC", "entityValue": nic}],
        "metadata": {name: value for name, value in context.items() if name != "Date"},
        "generatedTimestamp": context.get("Date", "").replace("+00:00", "Z"),
        "nodeName": os.environ.get(NODE_NAME) or socket.gethostname(),
        "processingStrategy": "STORE_ONLY",
    }
