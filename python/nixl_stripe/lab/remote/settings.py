# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Which variables and backend parameters a peer may choose for a process of this host.

An allow list: UCX has variables that run a command (UCX_GDB_COMMAND), load code (UCX_MODULE_DIR)
or write files (UCX_LOG_FILE, UCX_PROTO_INFO_DIR), and every release adds some. What is not in the
tables below is refused by name, and no accepted value can hold a path.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from nixl_stripe.untrusted import RefusedError, one_line

#: Characters of one value at most; 64 devices of 16 characters fit.
_MAX_VALUE = 1100


@dataclass(frozen=True)
class Shape:
    """What a value must look like, as a pattern for all of it and in words."""

    pattern: re.Pattern[str]
    words: str

    def fits(self, value: str) -> bool:
        """Return whether the value has this shape."""
        return len(value) <= _MAX_VALUE and self.pattern.fullmatch(value) is not None


def _shape(pattern: str, words: str) -> Shape:
    return Shape(re.compile(pattern, re.ASCII), words)


def _list(item: str) -> str:
    return f"(?:{item})(?:,(?:{item})){{0,127}}"


_NAME = "[A-Za-z0-9_]{1,32}"
_DEVICE = r"[A-Za-z0-9_.\-]{1,64}(?::[0-9]{1,3})?"
_AMOUNT = r"[0-9]{1,15}(?:\.[0-9]{1,6})?"
#: UCX's transports and the names that stand for several of them; the part behind ":" is the
#: auxiliary one.
_TRANSPORTS = (
    *("all", "tcp", "self", "sm", "shm", "mm", "posix", "sysv", "cma", "knem", "xpmem"),
    *("ib", "rc", "rc_v", "rc_verbs", "rc_x", "rc_mlx5", "dc", "dc_x", "dc_mlx5", "ud", "ud_v"),
    *("ud_verbs", "ud_x", "ud_mlx5", "srd", "gga", "gga_mlx5"),
    *("cuda", "cuda_copy", "cuda_ipc", "gdr_copy", "rocm", "rocm_copy", "rocm_ipc", "rocm_gdr"),
    *("ze", "ze_copy", "ze_ipc", "gaudi_gdr"),
)
_TRANSPORT = "(?:" + "|".join(_TRANSPORTS) + ")"
_MODULE = "(?:all|ib|efa|mlx5|gga|cuda|gdrcopy|rocm|ze|gaudi|cma|knem|xpmem|rdmacm|ud|uct|ucm)"

COUNT = _shape("[0-9]{1,5}|inf|auto", "a number, inf or auto")
FLAG = _shape("y|n|yes|no|on|off|try|auto|0|1", "y, n, try or auto")
SIZE = _shape(f"{_AMOUNT}[kKmMgGtT]?[bB]?|inf|auto", "a size such as 8k, inf or auto")
SIZES = _shape(
    _list(f"(?:{_NAME}:)?(?:{_AMOUNT}[kKmMgGtT]?[bB]?|inf|auto)"), "sizes such as 8k, inter:inf"
)
NUMBER = _shape(f"{_AMOUNT}|inf|auto", "a number")
RATES = _shape(
    _list(f"(?:{_NAME}:)?(?:{_AMOUNT}[kKmMgGtT]?[bB]?[sS]?|inf|auto)"), "rates such as 1000GBs"
)
TIME = _shape(f"{_AMOUNT}(?:m|ms|us|ns|s)?|inf|auto", "a time such as 500ms, inf or auto")
WORD = _shape("[a-z0-9_]{1,32}", "a word")
TRANSPORTS = _shape(
    r"\^?" + _list(f"{_TRANSPORT}(?::{_TRANSPORT})?"), "UCX transports, separated by commas"
)
MODULES = _shape(r"\^?" + _list(_MODULE), "UCX modules, separated by commas")
DEVICES = _shape(r"\^?" + _list(_DEVICE), "device names, separated by commas")
PREFIX = _shape("[0-9a-fA-F:]{1,39}(?:/[0-9]{1,3})?|", "an InfiniBand subnet prefix")
WISH = _shape(r"[A-Za-z0-9_.:^=,\- ]{0,1024}", "letters, digits and _.:^=,- without a path")

#: UCX settings without UCX_: those that the plugin sets or warns of, and the common ones that
#: choose a route.
SETTINGS: Mapping[str, Shape] = {
    "DISTANCE_BW": RATES,
    "IB_GID_INDEX": COUNT,
    "IB_ROCE_LOCAL_SUBNET": FLAG,
    "IB_ROCE_REACHABILITY_MODE": WORD,
    "IB_SL": COUNT,
    "IB_SUBNET_PREFIX": PREFIX,
    "IB_TRAFFIC_CLASS": COUNT,
    "KEEPALIVE_INTERVAL": TIME,
    "MAX_COMPONENT_MDS": COUNT,
    "MAX_EAGER_RAILS": COUNT,
    "MAX_HCA_PER_GPU": COUNT,
    "MAX_RMA_RAILS": COUNT,
    "MAX_RNDV_RAILS": COUNT,
    "MIN_RMA_CHUNK_SIZE": SIZE,
    "MIN_RNDV_CHUNK_SIZE": SIZE,
    "MODULES": MODULES,
    "MULTI_LANE_MAX_RATIO": NUMBER,
    "NET_DEVICES": DEVICES,
    "PROTO_ENABLE": FLAG,
    "PROTO_INFO": FLAG,
    "RC_RETRY_COUNT": COUNT,
    "RC_TIMEOUT": TIME,
    "RMA_PPLN_ENABLE": FLAG,
    "RNDV_SCHEME": WORD,
    "RNDV_THRESH": SIZES,
    "SINGLE_NET_DEVICE": FLAG,
    "TCP_KEEPIDLE": TIME,
    "TCP_KEEPINTVL": TIME,
    "TCP_PUT_ENABLE": FLAG,
    "TCP_USER_TIMEOUT": TIME,
    "TLS": TRANSPORTS,
    "ZCOPY_THRESH": SIZES,
}

#: Backend parameters; each of ours has a variable NIXL_UCX_<KEY> too.
_OURS: Mapping[str, Shape] = {
    "max_rma_rails": _shape("[0-9]{0,3}|auto", "1..64, 'auto', ''"),
    "stripe": WISH,
    "stripe_gpu": _shape("[0-9a-fA-F:.]{0,16}", "a CUDA ordinal, a PCI address, ''"),
    "stripe_min_rate_gbps": _shape(f"{_AMOUNT}|", "a finite number >= 0, ''"),
    # Nor may a peer have files of this machine read.
    "stripe_calibration": _shape("off|", "'off', ''"),
    "stripe_small": _shape("spread|off|", "'spread', 'off', ''"),
    # It names a file, and so nothing that a peer may choose.
    "stripe_metrics": _shape("", "''"),
    "on_nic_loss": _shape(
        "error|failover|resume|auto|", "'error', 'failover', 'resume', 'auto', ''"
    ),
    "device_list": WISH,
}
_STOCK: Mapping[str, Shape] = {
    "num_threads": _shape("[0-9]|[1-5][0-9]|6[0-4]", "0..64"),
    "num_workers": _shape("[1-9]|[1-5][0-9]|6[0-4]", "1..64"),
    "ucx_error_handling_mode": _shape("none|peer", "none, peer"),
}
_ENGINE_CONFIG = "engine_config"
PARAMS: Mapping[str, Shape] = {**_OURS, **_STOCK}
VARIABLES: Mapping[str, Shape] = {
    **{f"UCX_{key}": shape for key, shape in SETTINGS.items()},
    # The one of stripe_metrics is the operator's: empty or taken away it would end what he watches,
    # while an empty parameter changes nothing.
    **{f"NIXL_UCX_{k.upper()}": shape for k, shape in _OURS.items() if k != "stripe_metrics"},
}


def checked_environment(given: object) -> dict[str, str | None]:
    """Return the variables that a peer asks for; RefusedError names one that it may not choose.

    None as a value takes the variable away here.
    """
    found: dict[str, str | None] = {}
    for key, value in _items("environment", given):
        if value is None and key in VARIABLES:
            found[key] = None
        else:
            found[key] = _checked("variable", VARIABLES, key, value)
    return found


def checked_params(given: object) -> dict[str, str]:
    """Return the backend parameters that a peer asks for; RefusedError as above."""
    return {
        key: _checked_config(value)
        if key == _ENGINE_CONFIG
        else _checked("parameter", PARAMS, key, value)
        for key, value in _items("parameters", given)
    }


def _items(what: str, given: object) -> list[tuple[str, object]]:
    if not isinstance(given, Mapping) or len(given) > 64:
        raise RefusedError(f"{what}: accepted is a JSON object of at most 64 keys")
    for key in given:
        if not isinstance(key, str):
            raise RefusedError(f"{what}: accepted are keys that are text")
    return list(given.items())


def _checked_config(value: object) -> str:
    """Accept `KEY=VALUE,KEY=VALUE` without commas in values, whichever way NIXL splits it."""
    if not isinstance(value, str) or len(value) > _MAX_VALUE:
        raise RefusedError(f"parameter {_ENGINE_CONFIG}: accepted is KEY=VALUE,KEY=VALUE")
    for part in value.split(",") if value else ():
        key, _, text = part.strip(" ").partition("=")
        _checked(f"{_ENGINE_CONFIG} key", SETTINGS, key, text)
    return value


def _checked(what: str, table: Mapping[str, Shape], key: str, value: object) -> str:
    shape = table.get(key)
    if shape is None:
        raise _unknown(what, table, key)
    if not isinstance(value, str) or not shape.fits(value):
        raise RefusedError(f"{what} {key}={_short(value)}: accepted is {shape.words}")
    return value


def _unknown(what: str, table: Mapping[str, Shape], key: str) -> RefusedError:
    return RefusedError(
        f"{what} {_short(key)}: refused, a peer may choose {', '.join(sorted(table))}"
    )


def _short(value: object) -> str:
    """Return the value for a message: escaped, and not all of a long one."""
    return repr(one_line(value, 80)) if isinstance(value, str) else type(value).__name__
