# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""NIXL's agent and configuration with one field more: `backend_params`.

    from nixl_stripe import nixl_agent, nixl_agent_config

    agent = nixl_agent("w0", nixl_agent_config(backend_params={"max_rma_rails": 4}))

Both are subclasses of NIXL's own and take everything that theirs take. Importing this module
imports NIXL; importing `nixl_stripe` does not.
"""

from __future__ import annotations

import importlib.metadata
import os
import sys
import warnings
from collections.abc import Mapping
from typing import Any

from nixl_stripe import _core
from nixl_stripe.agents.backend_params import DEFAULT_BACKEND, Params, normalise, normalise_one
from nixl_stripe.agents.meeting import Meetings
from nixl_stripe.agents.nixl_api import PACKAGES, import_api
from nixl_stripe.agents.plugin_version import warn_of_another_version
from nixl_stripe.agents.unpatched import (
    MARKER,
    OnUnpatched,
    UnpatchedPluginError,
    UnpatchedPluginWarning,
    asks_for_ours,
    check_choice,
    needs_patch,
    patch_command,
    stock_fallback,
    without_ours,
)

# A NIXL that the process has already must be the one: two in one process do not mix.
_api: Any = import_api(sorted(PACKAGES, key=lambda name: name not in sys.modules))


class nixl_agent_config(_api.nixl_agent_config):  # type: ignore[misc]  # noqa: N801
    """NIXL's configuration, plus parameters for the backends.

    backend_params: for UCX when the values are scalars, per backend when it is a dict of dicts; see
    `backend_params.normalise`. They also apply to a backend that is created later,
    where `create_backend`'s own parameters win.
    on_unpatched: what happens to parameters of ours when NIXL's UCX plugin is the stock one:
    `error` refuses before a backend is created, `warn` leaves them out with a warning, `stock`
    says what the stock plugin understands and warns of what is lost. Where the operator has set
    NIXL_STRIPE_DISABLE, every parameter goes to the stock plugin as it is.
    """

    def __init__(
        self,
        *args: Any,
        backend_params: Mapping[str, Any] | None = None,
        on_unpatched: OnUnpatched = "error",
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.backend_params = normalise(backend_params)
        self.on_unpatched = check_choice(on_unpatched)


class nixl_agent(_api.nixl_agent):  # type: ignore[misc]  # noqa: N801
    """NIXL's agent, which gives each backend the configuration's `backend_params`.

    Takes NIXL's own configuration too. ValueError with the plugin's text for a value that it
    refuses; UnpatchedPluginError where the plugin does not know a parameter of ours.
    """

    def __init__(self, agent_name: str, nixl_conf: Any = None, *args: Any, **kwargs: Any) -> None:
        self._configured: dict[str, Params] = dict(getattr(nixl_conf, "backend_params", {}))
        self._on_unpatched: OnUnpatched = getattr(nixl_conf, "on_unpatched", "error")
        self._constructing = True
        self._applied: dict[str, Params] = {}
        self._meetings = Meetings(agent_name)
        super().__init__(agent_name, nixl_conf, *args, **kwargs)
        self._constructing = False
        self._check_names(getattr(nixl_conf, "backends", []))

    @property
    def applied_backend_params(self) -> dict[str, dict[str, str]]:
        """What each backend of this agent was created with."""
        return {backend: dict(params) for backend, params in self._applied.items()}

    def create_backend(self, backend: str, initParams: Mapping[str, Any] | None = None) -> None:  # noqa: N803
        """Create a backend with `initParams` over the configuration's parameters for it.

        After an error the agent is as before, and another call may succeed.
        """
        given, configured = normalise_one(initParams), self._configured.get(backend, {})
        # NIXL's constructor passes num_threads of the configuration, which is less specific.
        params = {**given, **configured} if self._constructing else {**configured, **given}
        patched, asks = True, False
        if backend == DEFAULT_BACKEND:
            asks = asks_for_ours(params, os.environ)
            patched = not asks or self._is_patched()
            params = self._for_plugin(params)
        super().create_backend(backend, params)
        self._applied[backend] = params
        if asks:
            warn_of_another_version(_patch_command())
        if backend == DEFAULT_BACKEND:
            self._meetings.backend_created(params, patched=patched)

    def _is_patched(self) -> bool:
        return MARKER in self.get_plugin_params(DEFAULT_BACKEND)

    def get_agent_metadata(self) -> bytes:
        """Return NIXL's metadata, with this agent's plan behind it for agents of this class.

        NIXL itself passes over what is behind its own data, with and without nixl-stripe.
        """
        return self._meetings.introduce(super().get_agent_metadata())

    def add_remote_agent(self, metadata: bytes) -> Any:
        """Load another agent's metadata as NIXL does, and warn where the two plans lose bandwidth.

        One line of the logger `nixl_stripe.meeting`; transfers are never touched. NIXL's error,
        with the reason behind it where the two plans have no network in common.
        """
        plain, theirs = self._meetings.meet(metadata)
        try:
            name = super().add_remote_agent(plain)
        except Exception as error:
            failed = type(error).__name__ == "nixlBackendError"
            why = self._meetings.why_unreachable(theirs) if failed else ""
            if not why:
                raise
            raise type(error)(f"{error}: {why}") from error
        self._meetings.compare(theirs)
        return name

    def _for_plugin(self, params: Params) -> Params:
        keys = needs_patch(params)
        if not keys or _core.disabled_by(dict(os.environ)) or self._is_patched():
            return params
        version = _version()
        stock = f"the UCX plugin of {_api.__name__.partition('.')[0]} {version or ''}".rstrip()
        fix = _patch_command()
        names = ", ".join(f"{key}={params[key]!r}" for key in keys)
        if self._on_unpatched == "error":
            raise UnpatchedPluginError(
                f"{names}: {stock} is the stock one, which would not honour that. Run: {fix} "
                "(or choose on_unpatched='stock' or 'warn')"
            )
        if self._on_unpatched == "warn":
            _warn(f"{names}: no effect, because {stock} is the stock one. Run: {fix}")
            return without_ours(params)
        fallback = stock_fallback(params, version)
        if fallback.lost:
            lost = "; ".join(fallback.lost)
            _warn(f"{stock} is the stock one, so these are lost: {lost}. Run: {fix}")
        return fallback.params

    def _check_names(self, backends: Any) -> None:
        known = {*self.get_plugin_list(), *backends}
        for backend in self._configured:
            if backend not in known:
                raise ValueError(
                    f"backend_params: NIXL has no backend {backend!r}; it has "
                    f"{', '.join(sorted(self.get_plugin_list()))}"
                )


def _patch_command() -> str:
    return patch_command(_api.__file__, os.environ.get("NIXL_PLUGIN_DIR"))


def _version() -> str | None:
    package = _api.__name__.partition(".")[0].replace("_", "-")
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _warn(text: str) -> None:
    warnings.warn(text, UnpatchedPluginWarning, stacklevel=4)
