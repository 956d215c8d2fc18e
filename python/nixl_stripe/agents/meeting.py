# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Compares plans when two agents of ours meet, and warns once of what costs them bandwidth.

Nothing here may keep agents from working: what goes wrong is a line at level DEBUG of the logger
`nixl_stripe.meeting`, and the agents meet as if we were not there.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Mapping
from dataclasses import replace

from nixl_stripe import _core
from nixl_stripe.agents.introduction import Introduction, attach, detach, differences
from nixl_stripe.planning.parts import PlannedSetting
from nixl_stripe.planning.peer import no_shared_subnet
from nixl_stripe.planning.planner import plan_for
from nixl_stripe.planning.stripe_plan import StripePlan
from nixl_stripe.untrusted import one_line

_log = logging.getLogger("nixl_stripe.meeting")
#: Characters of a line about a peer, and such lines of one agent.
_MAX_LINE, _MAX_SAID = 4000, 200
_PREFIXES = ("UCX_", "NIXL_UCX_", "NCCL_TOPO_FILE")


class Meetings:
    """One agent's introductions: its own, and those of the agents that it met."""

    def __init__(self, agent: str) -> None:
        self._agent = agent
        self._made: tuple[dict[str, str], dict[str, str], bool] | None = None
        self._mine: Introduction | None = None
        self._said: set[int] = set()

    def backend_created(self, params: Mapping[str, str], *, patched: bool) -> None:
        """Note what the UCX backend was created with; the plan is worked out when it is needed."""
        variables = {key: value for key, value in os.environ.items() if key.startswith(_PREFIXES)}
        self._made, self._mine = (dict(params), variables, patched), None

    def introduce(self, metadata: bytes) -> bytes:
        """Return NIXL's metadata with our introduction; as it is without a UCX backend."""
        mine = self._introduction()
        return metadata if mine is None else attach(metadata, mine)

    def meet(self, metadata: bytes) -> tuple[bytes, Introduction | None]:
        """Return what NIXL is to be given and the other end's introduction.

        A peer whose introduction is not accepted counts as one that made none.
        """
        try:
            return detach(metadata, self._passed_over)
        except Exception as error:
            _log.debug("an introduction cannot be read: %s", type(error).__name__)
            return metadata, None

    def compare(self, theirs: Introduction | None) -> None:
        """Warn of what costs bandwidth between us and them; once for each peer and finding."""
        mine = self._introduction() if theirs is not None else None
        if mine is None or theirs is None:
            return
        try:
            found = one_line("; ".join(differences(mine, theirs)), _MAX_LINE)
            there = one_line(str(theirs))
        except Exception as error:
            _log.debug("a peer's plan cannot be compared: %s", one_line(repr(error)))
            return
        if found and self._is_new(theirs.agent, found):
            _log.warning("%s (here) and %s (there) lose bandwidth: %s", mine, there, found)

    def why_unreachable(self, theirs: Introduction | None) -> str:
        """Return why they and we cannot reach each other, where the plans tell; else "".

        To be asked when NIXL has failed: a route may join what has no subnet in common.
        """
        mine = self._introduction() if theirs is not None else None
        if mine is None or theirs is None:
            return ""
        try:
            found = no_shared_subnet(mine.plan, theirs.plan)
            there = one_line(str(theirs))
        except Exception as error:
            _log.debug("a peer's plan cannot be compared: %s", one_line(repr(error)))
            return ""
        return found and one_line(
            f"{mine} (here) and {there} (there) cannot reach each other: {found}; choose NICs of "
            "the same networks at both ends, as stripe=all does where stripe=fair gives shares of "
            "different networks",
            _MAX_LINE,
        )

    def _passed_over(self, why: str) -> None:
        if self._is_new("", why):
            _log.warning(
                "a peer's introduction is not accepted, so its plan is not compared: %s",
                one_line(why, _MAX_LINE),
            )

    def _is_new(self, agent: str, text: str) -> bool:
        """Whether to say it: what was said is not said again, and what peers say has an end."""
        said = hash((agent, text))
        if said in self._said or len(self._said) > _MAX_SAID:
            return False
        self._said.add(said)
        if len(self._said) > _MAX_SAID:
            _log.warning("%d findings about peers: no more of them are logged", _MAX_SAID)
            return False
        return True

    def _introduction(self) -> Introduction | None:
        if self._mine is None and self._made is not None:
            params, variables, patched = self._made
            try:
                planned = _plan(params, variables) if patched else _stock()
                self._mine = Introduction(self._agent, socket.gethostname(), patched, planned)
            except Exception as error:
                self._made = None  # it would fail again
                _log.debug("no plan to show to peers: %r", error)
        return self._mine


def _plan(params: Mapping[str, str], variables: Mapping[str, str]) -> StripePlan:
    config = _core.parse_engine_config(params.get("engine_config", ""))
    found = plan_for(params, environment=variables, engine_config=config)
    return replace(found, settings=(*found.settings, *_kept(found, variables, config)))


def _kept(
    found: StripePlan, variables: Mapping[str, str], config: Mapping[str, str]
) -> list[PlannedSetting]:
    """Return settings that the user made and the plan respects: they are in force as well."""
    if not found.active:
        return []
    mine = {**config, **{key[4:]: value for key, value in variables.items() if key[:4] == "UCX_"}}
    return [
        PlannedSetting(rule.key, mine[rule.key], rule.scope, rule.side)
        for rule in _core.setting_table()
        if rule.key in mine and rule.key not in found.ucx_settings
    ]


def _stock() -> StripePlan:
    return StripePlan("/sys", {}, active=False, devices=(), rails=None)
