# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What to do with our parameters where NIXL still has its stock UCX plugin.

The stock plugin accepts unknown keys and ignores them without a word, and reads `device_list` in a
way of its own: entries separated by a comma and a space, `:1` appended to each.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from packaging.version import InvalidVersion, Version

from nixl_stripe import _core
from nixl_stripe.agents.backend_params import Params
from nixl_stripe.errors import StripeError
from nixl_stripe.planning.planner import plan_for
from nixl_stripe.planning.stripe_plan import StripePlan

OnUnpatched = Literal["error", "warn", "stock"]
CHOICES: tuple[OnUnpatched, ...] = ("error", "warn", "stock")

#: A plugin that advertises this key is ours.
MARKER = "max_rma_rails"
#: Parameters that only our plugin has; `device_list` the stock one has too, with other rules.
OWN_KEYS = tuple(info.key for info in _core.parameter_table() if not info.is_in_stock)
_MAX_RAILS = 64
#: The first NIXL whose UCX backend reads `engine_config`.
_ENGINE_CONFIG_SINCE = Version("0.10")
#: No setting of the stock plugin comes near it.
_LOSS = "on_nic_loss"


class UnpatchedPluginError(StripeError):
    """Parameters of ours were given to a NIXL whose UCX plugin does not know them."""


class UnpatchedPluginWarning(UserWarning):
    """Some parameters have no effect, because NIXL's UCX plugin is the stock one."""


@dataclass(frozen=True)
class Fallback:
    """What the stock plugin is given, and what of the wish is lost, one sentence each."""

    params: Params
    lost: tuple[str, ...]


def check_choice(on_unpatched: str) -> OnUnpatched:
    """Return the choice; ValueError names what is accepted."""
    for choice in CHOICES:
        if on_unpatched == choice:
            return choice
    raise ValueError(f"on_unpatched={on_unpatched!r}: accepted are {', '.join(CHOICES)}")


def needs_patch(params: Mapping[str, str], sysfs: Path = Path("/sys")) -> tuple[str, ...]:
    """Return the keys whose meaning the stock plugin would miss; empty when there are none."""
    keys = [key for key in OWN_KEYS if params.get(key, "") not in ("", "off")]
    devices = params.get("device_list", "")
    if devices and _stock_devices(devices, sysfs) != devices:
        keys.append("device_list")
    return tuple(keys)


def asks_for_ours(params: Mapping[str, str], environment: Mapping[str, str]) -> bool:
    """Whether parameters or variables say something that only our plugin understands."""
    variables = [info.variable for info in _core.parameter_table()]
    return bool(needs_patch(params)) or any(environment.get(name) for name in variables)


def without_ours(params: Mapping[str, str], sysfs: Path = Path("/sys")) -> Params:
    """Return the parameters that mean the same to the stock plugin."""
    dropped = {*OWN_KEYS, *needs_patch(params, sysfs)}
    return {key: value for key, value in params.items() if key not in dropped}


def stock_fallback(
    params: Mapping[str, str],
    nixl_version: str | None,
    environment: Mapping[str, str] | None = None,
    sysfs: Path = Path("/sys"),
) -> Fallback:
    """Say it in the stock plugin's words, as far as it has them.

    What `stripe` asks for is worked out here, as our plugin would, and given as devices and
    settings. ValueError for a value that our plugin would refuse, or where `engine_config` sets
    another rail count.
    """
    if params.get("stripe", "") not in ("", "off"):
        return _planned(params, nixl_version, environment, sysfs)
    lost: list[str] = []
    lost += _unspread(params)
    result = without_ours(params, sysfs)
    devices = params.get("device_list", "")
    if devices:
        stock = _stock_devices(devices, sysfs)
        if stock is None:
            lost.append(f"device_list={devices!r}: it can name only port 1 of RDMA devices")
        else:
            result["device_list"] = stock
    rails = _rails(params.get("max_rma_rails", ""), devices, lost)
    if rails is not None:
        _set_rails(result, rails, nixl_version, environment, lost)
    return Fallback(result, tuple(lost))


def _planned(
    params: Mapping[str, str],
    nixl_version: str | None,
    environment: Mapping[str, str] | None,
    sysfs: Path,
) -> Fallback:
    """Return what the plan of these parameters comes to in the stock plugin's words."""
    variables = dict(os.environ if environment is None else environment)
    given = params.get("engine_config", "")
    planned = plan_for(
        {
            key: value
            for key, value in params.items()
            if (value or key == "stripe") and key != _LOSS
        },
        None if sysfs == Path("/sys") else sysfs,
        environment=variables,
    )
    result = dict(without_ours(params, sysfs))
    result.pop("device_list", None)
    lost = [] if planned.active else [f"stripe={params['stripe']!r}: {_why_idle(planned)}"]
    stock, unsaid = _stock_words(planned)
    lost += unsaid
    lost += _unspread(params)
    settings = stock.pop("engine_config", "")
    if settings and nixl_version and _older(nixl_version, _ENGINE_CONFIG_SINCE):
        lost.append(f"{settings}: NIXL {nixl_version} has no engine_config (0.10 has)")
        settings = ""
    if "MAX_RMA_RAILS=" in settings:
        lost += _beaten(str(planned.rails), variables)
    config = ",".join(filter(None, [given, settings]))
    return Fallback(
        {**result, **stock, **({"engine_config": config} if config else {})}, tuple(lost)
    )


def _unspread(params: Mapping[str, str]) -> list[str]:
    """Return what is lost of explicit wishes; what `stripe` implies is not worth a warning."""
    wishes = {"stripe_small": ("spread",), _LOSS: ("failover", "resume")}
    lost = [
        f"{key}={params[key]!r}" for key, values in wishes.items() if params.get(key, "") in values
    ]
    if params.get("stripe_metrics"):
        lost.append(f"stripe_metrics={params['stripe_metrics']!r}")
    return [f"{wish}: only the patched backend can" for wish in lost]


def _why_idle(planned: StripePlan) -> str:
    return "; ".join(planned.warnings) or "there is nothing to stripe over"


def _stock_words(planned: StripePlan) -> tuple[Params, list[str]]:
    """Return the stock plugin's parameters, and what of the plan has no words there."""
    try:
        return planned.stock_params(), []
    except StripeError as error:
        settings = [f"{s.key}={s.value}" for s in planned.settings if s.key != "NET_DEVICES"]
        return ({"engine_config": ",".join(settings)} if settings else {}), [str(error)]


def patch_command(api_file: str | None, plugin_dir: str | None = None) -> str:
    """Return the command that patches the NIXL in use, whose API is in `api_file`."""
    if plugin_dir:
        return f"nixl-stripe patch {plugin_dir}"
    site = Path(api_file).parents[1] if api_file else None
    if site is None or site.name in ("site-packages", "dist-packages"):
        return "nixl-stripe patch"
    return f"nixl-stripe patch {site}"


def _stock_devices(text: str, sysfs: Path) -> str | None:
    """Return a device list in the stock plugin's syntax; None where it cannot say it."""
    names = []
    for entry in re.split(r"[,\s]+", text.strip(", \t")):
        name, _, port = entry.partition(":")
        interface = (sysfs / "class/net" / name).exists()
        if port not in ("", "1") or (
            interface and not (sysfs / "class/infiniband" / name).exists()
        ):
            return None
        names.append(name)
    return ", ".join(names)


def _rails(text: str, devices: str, lost: list[str]) -> int | None:
    if text == "":
        return None
    if text == "auto":
        if devices:
            return len(re.split(r"[,\s]+", devices.strip(", \t")))
        lost.append("max_rma_rails='auto': it cannot count NICs; give a number or a device_list")
        return None
    if not re.fullmatch(r"[0-9]+", text) or not 1 <= int(text) <= _MAX_RAILS:
        raise ValueError(f"max_rma_rails={text!r}: accepted are 1..{_MAX_RAILS}, 'auto', ''")
    return int(text)


def _set_rails(
    result: Params,
    rails: int,
    nixl_version: str | None,
    environment: Mapping[str, str] | None,
    lost: list[str],
) -> None:
    given = result.get("engine_config", "")
    if "MAX_RMA_RAILS" in given:
        raise ValueError(
            f"max_rma_rails={rails} and engine_config={given!r} both set MAX_RMA_RAILS: keep one"
        )
    if nixl_version and _older(nixl_version, _ENGINE_CONFIG_SINCE):
        lost.append(f"max_rma_rails={rails}: NIXL {nixl_version} has no engine_config (0.10 has)")
        return
    result["engine_config"] = ",".join(filter(None, [given, f"MAX_RMA_RAILS={rails}"]))
    lost += _beaten(str(rails), os.environ if environment is None else environment)


def _beaten(rails: str, environment: Mapping[str, str]) -> list[str]:
    """Return what is lost to UCX_MAX_RMA_RAILS, which beats `engine_config`."""
    theirs = environment.get("UCX_MAX_RMA_RAILS")
    if theirs is None or theirs == rails:
        return []
    return [f"max_rma_rails={rails}: UCX_MAX_RMA_RAILS={theirs} in the environment wins"]


def _older(version: str, than: Version) -> bool:
    try:
        return Version(version) < than
    except InvalidVersion:
        return False
