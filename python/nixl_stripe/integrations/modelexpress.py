# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""ModelExpress 0.4 to 0.7 with `MX_RDMA_NIC_PIN=stripe`: every NIC for its NIXL agents.

    from nixl_stripe.integrations import modelexpress

    modelexpress.enable()  # once in each process that makes a NixlTransferManager, before it does

After it MX_RDMA_NIC_PIN means, for agents that are made from then on:

- `stripe`, `all`: every usable NIC (MX_RDMA_NIC_PIN_MIN_RATE_GBPS counts);
- everything else: what ModelExpress makes of it, by its own code.

The choice reaches NIXL as a backend parameter of that one agent. UCX_NET_DEVICES, which
ModelExpress sets for the whole process, stays as it is; only on an unpatched NIXL, which could not
be told otherwise, ModelExpress sets it as ever.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import inspect
import logging
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from packaging.version import InvalidVersion, Version

from nixl_stripe.agents.unpatched import MARKER, OnUnpatched, check_choice
from nixl_stripe.errors import StripeError
from nixl_stripe.planning.nic_pin import PIN, asks_for_every_nic, from_env

#: Versions of ModelExpress whose way to NIXL is known: from the first to below the second.
KNOWN = (Version("0.4"), Version("0.8"))
#: What `NixlTransferManager.initialize` must use for our stand-ins to be reached.
_USED_NAMES = ("apply_nic_pin_for_device", "nixl_agent_config", "NixlAgent")
_OTHER_WAY = "NIXL_UCX_STRIPE=all in the environment needs no such call"

logger = logging.getLogger("nixl_stripe")


class UnknownModelExpressError(StripeError):
    """A ModelExpress that reaches NIXL in a way that is not known here."""


@dataclass(frozen=True)
class _Enabled:
    """What was put aside, to be put back by `disable()`."""

    undo: tuple[Callable[[], None], ...]


_lock = threading.Lock()
_enabled: _Enabled | None = None


def enable(on_unpatched: OnUnpatched = "error") -> None:
    """Give `MX_RDMA_NIC_PIN=stripe` its meaning in this process; harmless when done twice.

    on_unpatched: for `stripe` and `all` where NIXL's UCX plugin is the stock one: `error` raises
    UnpatchedPluginError when a manager is initialised, `warn` and `stock` go on without, with a
    warning. Imports ModelExpress, and with it torch and NIXL.

    UnknownModelExpressError: not 0.4 to 0.7, or not built as these are. StripeError: no NIXL.
    """
    global _enabled
    check_choice(on_unpatched)
    with _lock:
        if _enabled is not None:
            return
        transfer = _import()
        _check(transfer)
        _enabled = _Enabled(_install(transfer, on_unpatched))
    logger.info("ModelExpress: %s=stripe stands for every NIC", PIN)


def disable() -> None:
    """Undo `enable()`; agents that exist keep their NICs. Harmless when not enabled."""
    global _enabled
    with _lock:
        if _enabled is not None:
            for step in _enabled.undo:
                step()
        _enabled = None


def is_enabled() -> bool:
    """Return whether `enable()` is in force in this process."""
    return _enabled is not None


def _import() -> Any:
    """Import the module of ModelExpress that makes the agents."""
    try:
        return importlib.import_module("modelexpress.nixl_transfer")
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "modelexpress":
            raise
        raise UnknownModelExpressError(
            f"ModelExpress: {error.name} is not there (pip install 'modelexpress==0.7.0')"
        ) from error


def _check(transfer: Any) -> None:
    """Raise where our stand-ins would not be reached, or would be reached in another sense."""
    found = _version()
    if found is None or not KNOWN[0] <= found < KNOWN[1]:
        raise UnknownModelExpressError(
            f"ModelExpress {found or 'of unknown version'}: accepted are {KNOWN[0]} to below "
            f"{KNOWN[1]}; {_OTHER_WAY}"
        )
    pinning = getattr(transfer, "ucx_utils", None)
    manager = getattr(transfer, "NixlTransferManager", None)
    code = getattr(getattr(manager, "initialize", None), "__code__", None)
    used = code.co_names if code is not None else ()
    missing = [f"{name} in NixlTransferManager.initialize" for name in _USED_NAMES]
    missing = [text for text, name in zip(missing, _USED_NAMES, strict=True) if name not in used]
    for name in ("_resolve_nic_pin", "apply_nic_pin_for_device"):
        if not _takes_device(getattr(pinning, name, None)):
            missing.append(f"ucx_utils.{name}(device_id)")
    if missing:
        raise UnknownModelExpressError(
            f"ModelExpress {found} is not as published: without {', '.join(missing)}; {_OTHER_WAY}"
        )
    if not getattr(transfer, "NIXL_AVAILABLE", False):
        raise StripeError("ModelExpress found no NIXL (pip install nixl)")


def _version() -> Version | None:
    try:
        return Version(importlib.metadata.version("modelexpress"))
    except (importlib.metadata.PackageNotFoundError, InvalidVersion):
        return None


def _takes_device(function: Any) -> bool:
    return callable(function) and list(inspect.signature(function).parameters) == ["device_id"]


def _install(transfer: Any, on_unpatched: OnUnpatched) -> tuple[Callable[[], None], ...]:
    """Put our functions in the places that `initialize` looks up; return how to take them out."""
    stock_agent, stock_config = transfer.NixlAgent, transfer.nixl_agent_config
    agents = _agents_of(transfer)
    pinning: Any = transfer.ucx_utils
    # `initialize` pins, then makes configuration and agent, all in one thread.
    chosen = threading.local()

    def apply_nic_pin_for_device(device_id: int) -> None:
        chosen.params = _choose(pinning, resolve_and_set, device_id, patched)

    def nixl_agent_config(*args: Any, backends: Any = ("UCX",), **kwargs: Any) -> Any:
        params = chosen.__dict__.pop("params", None)
        if not params or "UCX" not in backends:
            return stock_config(*args, backends=backends, **kwargs)
        kwargs.update(backend_params=params, on_unpatched=on_unpatched)
        return agents.nixl_agent_config(*args, backends=backends, **kwargs)

    def nixl_agent(name: str, config: Any, *args: Any, **kwargs: Any) -> Any:
        ours = isinstance(config, agents.nixl_agent_config)
        return (agents.nixl_agent if ours else stock_agent)(name, config, *args, **kwargs)

    def patched() -> bool:
        probe = stock_agent("nixl-stripe probe", stock_config(backends=[]))
        return MARKER in probe.get_plugin_params("UCX")

    resolve_and_set = pinning.apply_nic_pin_for_device
    return (
        _replace(pinning, "apply_nic_pin_for_device", apply_nic_pin_for_device),
        _replace(transfer, "nixl_agent_config", nixl_agent_config),
        _replace(transfer, "NixlAgent", nixl_agent),
    )


def _agents_of(transfer: Any) -> Any:
    """Return `nixl_stripe.agents.agent`, which must stand on the NIXL that ModelExpress loaded."""
    agents = importlib.import_module("nixl_stripe.agents.agent")
    if not issubclass(agents.nixl_agent, transfer.NixlAgent):
        theirs, ours = transfer.NixlAgent.__module__, agents.nixl_agent.__base__.__module__
        raise StripeError(
            f"ModelExpress uses {theirs} and nixl_stripe {ours}: two NIXL in one process do not "
            "mix; import modelexpress before anything else that imports NIXL"
        )
    return agents


def _choose(
    pinning: Any,
    resolve_and_set: Callable[[int], None],
    device_id: int,
    patched: Callable[[], bool],
) -> dict[str, str]:
    """Return the backend parameters for this device; none where nothing is asked for."""
    if asks_for_every_nic(os.environ):
        plan = from_env()
        logger.info("ModelExpress device %d: %s", device_id, plan.describe())
        return plan.backend_params()
    nic = pinning._resolve_nic_pin(device_id)
    if not nic:
        return {}
    if not patched():
        resolve_and_set(device_id)
        return {}
    logger.info("ModelExpress device %d: pinned to %s, its own choice", device_id, nic)
    return {"device_list": nic}


def _replace(module: ModuleType, name: str, new: Any) -> Callable[[], None]:
    old = getattr(module, name)
    setattr(module, name, new)
    return lambda: setattr(module, name, old)
