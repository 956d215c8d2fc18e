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

from nixl_stripe.backend_params import Params
from nixl_stripe.errors import StripeError

OnUnpatched = Literal["error", "warn", "stock"]
CHOICES: tuple[OnUnpatched, ...] = ("error", "warn", "stock")

#: A plugin that advertises this key is ours.
MARKER = "max_rma_rails"
#: Parameters that only our plugin has; `device_list` the stock one has too, with other rules.
OWN_KEYS = ("max_rma_rails", "stripe", "stripe_gpu", "stripe_min_rate_gbps")
_MAX_RAILS = 64
#: The first NIXL whose UCX backend reads `engine_config`.
_ENGINE_CONFIG_SINCE = Version("0.10")


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

    ValueError for a rail count that no plugin accepts, or where `engine_config` sets another one.
    """
    lost: list[str] = []
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
    for key in ("stripe", "stripe_gpu", "stripe_min_rate_gbps"):
        value = params.get(key, "")
        if value not in ("", "off"):
            lost.append(f"{key}={value!r}: it chooses no devices")
    return Fallback(result, tuple(lost))


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
    theirs = (os.environ if environment is None else environment).get("UCX_MAX_RMA_RAILS")
    if theirs is not None and theirs != str(rails):
        lost.append(f"max_rma_rails={rails}: UCX_MAX_RMA_RAILS={theirs} in the environment wins")


def _older(version: str, than: Version) -> bool:
    try:
        return Version(version) < than
    except InvalidVersion:
        return False
