# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Checks of variables: what the user set that undoes, narrows or misspells the plan."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from nixl_stripe import _core
from nixl_stripe.doctor.check import Check, Verdict, fail, ok, skip, warn
from nixl_stripe.doctor.surroundings import Surroundings
from nixl_stripe.planning import traps
from nixl_stripe.untrusted import RefusedError, read_file

_RAILS, _DEVICES = "UCX_MAX_RMA_RAILS", "UCX_NET_DEVICES"
_EXPERIMENTS = "NIXL_STRIPE_EXPERIMENTAL"
_UNSET = frozenset({"0", "off", "false", "no", ""})
_NICS_TO_STRIPE = 2
#: Bytes of a ucx.conf: `ucx_info -cafi`, which lists every setting with its text, prints 200 KiB.
_MOST_CONFIG = 1 << 20


def _parameters(at: Surroundings) -> Verdict:
    """Whether the parameters in the environment make a plan at all."""
    try:
        plan = at.make_plan()
    except ValueError as error:
        return fail(str(error), "correct the value that the message names")
    given = {
        info.variable: at.environ[info.variable]
        for info in _core.parameter_table()
        if at.environ.get(info.variable)
    }
    text = ", ".join(f"{name}={value}" for name, value in given.items()) or "none set (stripe=all)"
    asked = "" if plan.active else "; nothing changes"
    return ok(f"{text}{asked}")


def _kill_switch(at: Surroundings) -> Verdict:
    reason = _core.disabled_by(dict(at.environ))
    if not reason:
        return ok("NIXL_STRIPE_DISABLE is not on")
    return warn(f"{reason}: NIXL runs as without nixl-stripe", "unset NIXL_STRIPE_DISABLE")


def _traps(at: Surroundings) -> Verdict:
    if traps.nics_meant(at.plan) < _NICS_TO_STRIPE:
        return skip("fewer than two NICs: nothing to undo")
    return _verdict(_traps_in(at.environ, at), "")


def _traps_in(settings: Mapping[str, str], at: Surroundings) -> tuple[traps.Trap, ...]:
    return traps.find(settings, plan=at.plan, gpu=bool(at.machine.gpus), machine=at.machine)


def _verdict(found: tuple[traps.Trap, ...], where: str) -> Verdict:
    if not found:
        return ok("none of the settings that undo striping is set")
    details = "; ".join(f"{where}{each.key}={each.value}: {each.effect}" for each in found)
    return fail(details, "; ".join(dict.fromkeys(each.fix for each in found)))


def _config_files(at: Surroundings) -> Verdict:
    """Look where UCX reads a ucx.conf: beside the wheel, HOME, UCX_CONFIG_DIR, working folder."""
    found = [path for path in _config_paths(at) if path.is_file()]
    if not found:
        return ok("no ucx.conf")
    settings: dict[str, str] = {}
    for path in found:
        read, why = _read_config(path)
        if why:
            return warn(f"{path}: cannot be looked at: {why}", f"remove or repair {path}")
        settings.update(read)
    # Variables, which are looked at by themselves, and the plan's own settings win over a file.
    stronger = {*at.environ, *(f"UCX_{key}" for key in at.plan.ucx_settings)}
    only_here = {key: value for key, value in settings.items() if key not in stronger}
    files = ", ".join(str(path) for path in found)
    hurts = _traps_in(only_here, at)
    if hurts:
        return _verdict(hurts, f"{files}: ")
    return ok(f"{files}: {len(settings)} setting(s), none undoes striping")


def _config_paths(at: Surroundings) -> list[Path]:
    named = (at.environ.get("HOME"), at.environ.get("UCX_CONFIG_DIR"))
    folders = [folder.path.parents[1] / "etc/ucx" for folder in at.folders]
    folders += [*(Path(each) for each in named if each), at.working]
    return list(dict.fromkeys(folder / "ucx.conf" for folder in folders))


def _read_config(path: Path) -> tuple[dict[str, str], str]:
    """Return the settings, or why there are none: it may be any file, of the working folder too."""
    try:
        text = read_file(path, _MOST_CONFIG).decode("utf-8", "replace")
    except (OSError, RefusedError) as error:
        return {}, (isinstance(error, OSError) and error.strerror) or str(error)
    settings = {}
    for line in text.splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.lstrip().startswith(("#", "[")):
            settings[name.strip()] = value.strip()
    return settings, ""


def _names(at: Surroundings) -> Verdict:
    """Misspelt variables: a plugin cannot tell them from what is somebody else's."""
    ours = [info.variable for info in _core.parameter_table()]
    settings = (*traps.keys(), *(rule.key for rule in _core.setting_table()))
    ucx = sorted({f"UCX_{key}" for key in settings})
    wrong = {}
    for name in sorted(at.environ):
        if name.startswith("NIXL_UCX_"):
            meant = _core.meant_key(name, ours)
        elif name.startswith("UCX_"):
            meant = _core.meant_key(name, ucx, 1)  # UCX has hundreds, some of them much alike
        else:
            continue
        if meant:
            wrong[name] = meant
    if not wrong:
        return ok("no variable looks misspelt")
    listed = ", ".join(f"{name} (like {right})" for name, right in wrong.items())
    return warn(
        f"nobody reads {listed}",
        "; ".join(f"export {right}=... in place of {name}" for name, right in wrong.items()),
    )


def _rails(at: Surroundings) -> Verdict:
    plan = at.plan
    count = len(plan.devices)
    if not plan.active or not count:
        return skip("the plan sets no rails")
    rails = count if plan.rails is None else plan.rails
    origin = f"{_RAILS} or max_rma_rails"
    if rails < count:
        return warn(
            f"{rails} rail(s) for {count} NICs: the others idle",
            f"unset {_RAILS} and NIXL_UCX_MAX_RMA_RAILS, or set the latter to auto",
        )
    if rails > count:
        return warn(
            f"{rails} rails for {count} NICs: {origin} exceeds what is there, the rest has no use",
            "set NIXL_UCX_MAX_RMA_RAILS=auto",
        )
    return ok(f"{rails} rail(s), {count} NIC(s)")


def _net_devices(at: Surroundings) -> Verdict:
    named = at.environ.get(_DEVICES, "all")
    allowed = _core.UcxAllowList(named)
    if not named or allowed.is_all:
        return ok(f"{_DEVICES} is not set")
    unset = f"unset {_DEVICES}: `stripe` chooses the NICs"
    if allowed.respelt:
        spaced = [each for each in allowed.entries if each != each.strip()]
        return warn(
            f"{_DEVICES}={named}: to UCX a space is a part of the name, so that "
            f"{', '.join(map(repr, spaced))} is no device",
            f"export {_DEVICES}={allowed.respelt}, or {unset}",
        )
    devices = _devices(at.machine)
    known = {name for names in devices for name in names}
    absent = [each for each in allowed.entries if each not in known]
    if absent:
        return warn(f"{_DEVICES}={named}: this machine has no {', '.join(absent)}", unset)
    count = sum(allowed.admits(names) for names in devices)
    return warn(
        f"{_DEVICES}={named} pins NIXL to {count} device(s); `stripe` overrides it, "
        "max_rma_rails alone does not",
        unset,
    )


def _devices(machine: _core.Machine) -> list[list[str]]:
    """Return every device that UCX knows here, by each of its names."""
    ports = [[f"{nic.name}:{at.number}", nic.name] for nic in machine.nics for at in nic.ports]
    nets = [[each.name] for each in machine.net_interfaces if each.kind != "loopback"]
    return ports + nets


def _nic_pin(at: Surroundings) -> Verdict:
    value = at.environ.get("MX_RDMA_NIC_PIN", "")
    if value.lower() in _UNSET:
        return ok("MX_RDMA_NIC_PIN does not pin a NIC")
    if value.lower() == "stripe":
        return ok("MX_RDMA_NIC_PIN=stripe: pass it on with nixl_stripe.from_env()")
    return warn(
        f"MX_RDMA_NIC_PIN={value}: ModelExpress pins each rank to one NIC through {_DEVICES}",
        "export MX_RDMA_NIC_PIN=stripe with nixl_stripe.from_env(), or unset it",
    )


def _nic_loss(at: Surroundings) -> Verdict:
    plan = at.plan
    if plan.on_nic_loss == "error":
        return ok("a NIC that dies ends its transfers with an error, as in stock NIXL")
    if not at.environ.get(_EXPERIMENTS):
        return ok(
            f"on_nic_loss={plan.on_nic_loss}: a NIC that dies is left out, and what had not "
            "arrived goes again"
        )
    return warn(
        f"on_nic_loss={plan.on_nic_loss} is on trial here ({_EXPERIMENTS}="
        f"{at.environ.get(_EXPERIMENTS, '')}): it was not shown to lose no bytes",
        f"unset {_EXPERIMENTS} and NIXL_UCX_ON_NIC_LOSS",
    )


CHECKS = (
    Check("kill-switch", "NIXL_STRIPE_DISABLE, which turns striping off", _kill_switch),
    Check("parameters", "NIXL_UCX_* parameters, whether they make a plan", _parameters),
    Check("ucx-variables", "UCX_* variables that undo striping", _traps),
    Check("ucx-conf", "ucx.conf files that do the same", _config_files),
    Check("variable-names", "misspelt NIXL_UCX_* and UCX_* variables", _names),
    Check("rails", "rails against the number of NICs", _rails),
    Check("net-devices", "UCX_NET_DEVICES naming few or absent devices", _net_devices),
    Check("nic-loss", "what happens when a NIC dies in a transfer", _nic_loss),
    Check("nic-pin", "ModelExpress' MX_RDMA_NIC_PIN", _nic_pin),
)
