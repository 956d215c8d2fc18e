# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""One host of a fleet: a NIXL agent with a buffer, that meets others and moves and checks bytes."""

from __future__ import annotations

import contextlib
import importlib.metadata
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nixl_stripe.agents.unpatched import MARKER, without_ours
from nixl_stripe.fleet.echo import Echo
from nixl_stripe.fleet.facts import facts_of, interfaces_of
from nixl_stripe.fleet.hall import Message
from nixl_stripe.fleet.model import HostFacts
from nixl_stripe.fleet.moving import Moved, move
from nixl_stripe.lab.buffers import Payload, Store, open_store
from nixl_stripe.lab.job import Memory, Nixl
from nixl_stripe.lab.loaded_ucx import loaded_ucx
from nixl_stripe.lab.outcome import PayloadMismatchError
from nixl_stripe.lab.proto_info import payload_lanes
from nixl_stripe.lab.worker import import_nixl
from nixl_stripe.planning.planner import plan_for
from nixl_stripe.planning.stripe_plan import StripePlan
from nixl_stripe.proof.sources import host as counter_host
from nixl_stripe.proof.traffic import Counters

_BACKEND = "UCX"
#: Buffers that an unfinished transfer may still write to: they stay, and new ones are taken.
_MOST_LEFT = 64


class Host:
    """The agent of this host. log: the file that UCX's report of lanes goes to.

    environ: variables that this host's owner has set.
    """

    def __init__(
        self,
        name: str,
        nixl: Nixl,
        memory: Memory,
        size: int,
        params: Mapping[str, str],
        secret: str,
        environ: Mapping[str, str],
        log: Path,
    ) -> None:
        self._environ = environ
        self._name, self._memory, self._size, self._params = name, memory, size, dict(params)
        api = import_nixl(nixl)
        self._package = api.__name__.partition(".")[0]
        self._agent_name = f"{name} {secrets.token_hex(4)}"
        self._agent: Any = api.nixl_agent(self._agent_name, api.nixl_agent_config(backends=[]))
        self.patched = MARKER in self._agent.get_plugin_params(_BACKEND)
        given = self._params if self.patched else without_ours(self._params)
        self._stores: list[Store] = []
        self._payload = Payload([size])
        first = open_store(memory, [size])  # a GPU's context is there when the plan asks for it
        self._agent.create_backend(_BACKEND, given)
        self.plan = self._planned()
        self.nics = tuple(each.partition(":")[0] for each in self.plan.devices)
        self._counters = Counters(self.nics)
        self._echo = Echo(interfaces_of(self.plan), bytes.fromhex(secret))
        self._log, self._read = log, 0
        self._known: dict[str, tuple[int, str]] = {}
        self._version = 0
        self._take(first)
        self._order: Message = {}
        self._before: dict[str, tuple[int, int]] = {}

    def _planned(self) -> StripePlan:
        return plan_for(self._params)

    def facts(self) -> HostFacts:
        """Return what this host says of itself now."""
        versions = {"UCX": loaded_ucx() or "unknown"}
        for package in (self._package, f"{self._package}_cu12", f"{self._package}_cu13"):
            with contextlib.suppress(importlib.metadata.PackageNotFoundError):
                name = package.replace("_", "-")
                versions["NIXL"] = f"{name} {importlib.metadata.version(name)}"
                break
        return facts_of(
            self._name, self.plan, patched=self.patched, versions=versions, environ=self._environ
        )

    def card(self) -> Message:
        """Return what others need in order to reach this host's buffer."""
        return {
            "version": self._version,
            "agent": self._agent_name,
            "metadata": self._agent.get_agent_metadata().hex(),
            "descs": self._agent.get_serialized_descs(self._descs).hex(),
            "places": self._echo.places,
        }

    def ready(self, order: Message) -> Message:
        """Prepare for one transfer: meet the other end, fill or clear the buffer, count."""
        self._order = order
        silent = [] if order["peer"] is None else self._meet(order["peer"])
        if silent:
            text = "NICs of the peer do not answer, and NIXL would wait for them without a limit"
            return {"error": text, "unreachable": silent, "down": self._down()}
        if self._sends:
            self._payload.fill(self._stores[-1], order["stamp"])
        else:
            self._payload.clear(self._stores[-1])
        self._counters.start()
        return {"down": self._down()}

    @property
    def _sends(self) -> bool:
        return bool(self._order["initiates"] == (self._order["op"] == "WRITE"))

    def _meet(self, card: Message) -> list[int]:
        """Load the peer's metadata, which connects; returns NICs, by place, that do not answer."""
        agent, version = card["agent"], card["version"]
        if self._known.get(agent, (-1, ""))[0] == version:
            return []
        silent = self._echo.silent(card["places"])
        if silent and self._echo.works:
            return silent
        self._forget(agent)
        name = self._agent.add_remote_agent(bytes.fromhex(card["metadata"]))
        text = name.decode() if isinstance(name, bytes) else str(name)
        self._known[agent] = version, text
        return []

    def _forget(self, agent: str) -> None:
        known = self._known.pop(agent, None)
        if known is not None:
            self._agent.remove_remote_agent(known[1])

    def move(self, order: Message) -> Message:
        """Transfer as the initiator; what went wrong stands under `error`."""
        card = self._order["peer"]
        theirs = self._agent.deserialize_descs(bytes.fromhex(card["descs"]))
        moved = move(
            self._agent,
            self._order["op"],
            (self._descs, theirs, self._known[card["agent"]][1]),
            self._counters,
            lambda: self._silent(card),
            order["limit_s"],
        )
        if moved.error:
            self._forget(card["agent"])
        return self._told(moved)

    def _silent(self, card: Message) -> list[int]:
        silent = self._echo.silent(card["places"])
        return silent if self._echo.works else []

    def _told(self, moved: Moved) -> Message:
        lanes = {} if moved.error else self._lanes()
        return {
            "error": moved.error,
            "seconds": moved.seconds,
            "busy_s": moved.busy_s,
            "unreachable": moved.unreachable,
            **({"lanes": lanes} if lanes else {}),
        }

    def _lanes(self) -> dict[str, float]:
        """Return what UCX has reported since the last time; it does so once a configuration."""
        with self._log.open("rb") as log:
            log.seek(self._read)
            text = log.read()
            self._read += len(text)
        found = payload_lanes(text.decode("utf-8", "replace"), self._order["op"], self._size)
        return dict(found.share) if found else {}

    def check(self, order: Message) -> Message:
        """Compare the payload where it arrives; tell what NICs carried and which have no link.

        failed: the transfer did not end well. What is still under way may be written later, so the
        receiving end takes another buffer then, and keeps the old one.
        """
        rows = self._counters.by_nic()
        carried = {name: [row.bytes_out, row.bytes_in] for name, row in rows.items()}
        answer: Message = {"carried": carried, "down": self._down()}
        if self._sends:
            return answer
        if not order["failed"]:
            with contextlib.suppress(PayloadMismatchError):
                self._payload.check(self._stores[-1], self._order["stamp"])
                return answer
            return answer | {"error": f"PayloadMismatchError: {self._mismatch()}"}
        if len(self._stores) > _MOST_LEFT:
            raise RuntimeError(f"{_MOST_LEFT} transfers into this host have not ended")
        self._take(open_store(self._memory, [self._size]))
        return answer | {"card": self.card()}

    def _mismatch(self) -> str:
        try:
            self._payload.check(self._stores[-1], self._order["stamp"])
        except PayloadMismatchError as error:
            return str(error)
        return "the bytes were wrong, and right a moment later"

    def _take(self, store: Store) -> None:
        self._stores.append(store)
        address = store.addresses[0]
        self._agent.register_memory([(address, self._size, 0, "")], store.segment)
        self._descs = self._agent.get_xfer_descs([(address, self._size, 0)], store.segment)
        self._version += 1

    def _down(self) -> list[str]:
        place = counter_host("/sys")
        return [name for name in self.nics if not place.is_up(name)]
