# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Makes plans: gathers the inputs, asks the C++ that the patched backend runs too."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from nixl_stripe import _core
from nixl_stripe.planning.forecast import KNOWN_SETTINGS, ports_of
from nixl_stripe.planning.parts import PlannedNic, PlannedSetting
from nixl_stripe.planning.stripe_plan import MachineRef, StripePlan
from nixl_stripe.planning.subnets import interface_subnet, subnets_of
from nixl_stripe.topo import machine as topology

#: What `machine` may be: one that was read, a source to read, or None for this machine.
MachineSource = _core.Machine | str | Path | None


def plan(
    stripe: str | int | None = "all",
    gpu: int | str | None = None,
    machine: MachineSource = None,
    min_rate_gbps: float | str | None = None,
    device_list: str | Iterable[str] | None = None,
    max_rma_rails: int | str | None = None,
    small: str | None = None,
    calibration: str | Path | None = None,
    on_nic_loss: str | None = None,
    environment: Mapping[str, str] | None = None,
    engine_config: Mapping[str, str] | None = None,
) -> StripePlan:
    """Work out what the patched backend would do with these parameters.

    stripe: policy, count or list; None leaves it to the environment (NIXL_UCX_STRIPE).
    gpu: whose affinity counts: a CUDA ordinal, a PCI address, or None for the current CUDA
        context. Where `machine` is not this one, a number is the n-th GPU by PCI address.
    machine: a machine, or what `nixl_stripe.machine` reads one from; None is this machine.
    min_rate_gbps: usable NICs have at least this port rate, Gbit/s; None is that of the NICs
        that carry most together.
    device_list: explicit devices, network interfaces too; they win over `stripe`'s choice.
    max_rma_rails: 1..64 or "auto".
    small: "spread" or "off" for buffers too small for UCX to divide; None is "spread" with
        `stripe`.
    calibration: for "best": a file that `nixl-stripe tune` wrote, "off", or None for the default
        places, which count for this machine only.
    on_nic_loss: "error", "failover", "resume" or "auto"; None is "error".
    environment: variables whose UCX_* and NIXL_UCX_* count; None is this process's own for this
        machine and none for another.
    engine_config: settings of NIXL's parameter of that name, without UCX_.

    ValueError names the parameter, the value and what is accepted.
    """
    given = {
        "stripe": stripe,
        "stripe_gpu": gpu,
        "stripe_min_rate_gbps": min_rate_gbps,
        "stripe_calibration": calibration,
        "stripe_small": small,
        "on_nic_loss": on_nic_loss,
        "device_list": _listed(device_list),
        "max_rma_rails": max_rma_rails,
    }
    parameters = {key: str(value) for key, value in given.items() if value is not None}
    return plan_for(parameters, machine, environment=environment, engine_config=engine_config or {})


def plan_for(
    params: Mapping[str, str],
    machine: MachineSource = None,
    *,
    environment: Mapping[str, str] | None = None,
    engine_config: Mapping[str, str] | None = None,
) -> StripePlan:
    """Work out what the patched backend makes of the parameters that `create_backend` is given.

    params: those of NIXL itself may be among them. engine_config: None takes that parameter's.
    machine, environment: as in `plan`, and so are errors.
    """
    host = load(machine)
    ours = [info.key for info in _core.parameter_table()]
    parameters = {key: params[key] for key in ours if key in params}
    if environment is None:
        environment = os.environ if host.is_live else {}
    if engine_config is None:
        engine_config = _core.parse_engine_config(params.get("engine_config", ""))
    native = _core.make_plan(
        host,
        parameters,
        dict(environment),
        dict(engine_config),
        None if host.is_live else _gpu_finder(host),
    )
    made = _plan_of(host, parameters, native, dict(environment), dict(engine_config))
    gpu = parameters.get("stripe_gpu")
    if made.gpu is not None or gpu is None:
        return made
    # Nothing in the parameters needed the GPU, so a wrong one is no error; a forecast can use it.
    find = _core.find_gpu_pci if host.is_live else _gpu_finder(host)
    try:
        address = find("gpu", gpu)
    except ValueError:
        return made
    return replace(made, gpu=address, ports=ports_of(host, address, _subnets(host)))


def load(machine: MachineSource) -> _core.Machine:
    """Return `machine`, read from its source if it is one; None is this machine."""
    return machine if isinstance(machine, _core.Machine) else topology.machine(machine)


def _listed(devices: str | Iterable[str] | None) -> str | None:
    return devices if devices is None or isinstance(devices, str) else ",".join(devices)


def _gpu_finder(host: _core.Machine) -> Callable[[str, str], str | None]:
    """Return the lookup of GPUs on a machine that is not this one: no CUDA, order of addresses."""

    def find(key: str, text: str) -> str | None:
        if not text:
            return None
        address = _core.normal_pci_address(text)
        if address is not None:
            return address
        if not text.isdecimal() or int(text) >= len(host.gpus):
            raise ValueError(
                f"{key}='{text}': accepted: 0 to {len(host.gpus) - 1} (GPUs of {host.source} in "
                "the order of their PCI addresses) or a PCI address"
                if host.gpus
                else f"{key}='{text}': {host.source} has no GPU"
            )
        return host.gpus[int(text)].pci

    return find


def _plan_of(
    host: _core.Machine,
    parameters: dict[str, str],
    native: _core.NativePlan,
    environment: Mapping[str, str],
    engine_config: Mapping[str, str],
) -> StripePlan:
    gpu = native.gpu if native.gpu in {each.pci for each in host.gpus} else None
    devices = tuple(native.devices)
    subnets, ports = _subnets(host), _known_ports(host)
    return StripePlan(
        source=host.source,
        parameters=parameters,
        active=native.active,
        devices=devices,
        rails=_rails_of(native, environment),
        gpu=native.gpu,
        excluded=dict(native.excluded),
        excluded_by=dict(native.excluded_by),
        settings=tuple(
            PlannedSetting(each.key, each.value, each.scope, each.side, each.reason)
            for each in native.settings
        ),
        nics=tuple(_nic_of(host, device, ports, subnets) for device in devices),
        ceiling_gbps=_core.ceiling_gbps(host, list(devices), gpu) if devices else None,
        spreads_small=native.spreads_small,
        on_nic_loss=native.on_nic_loss,
        limits=tuple(native.limits),
        warnings=tuple(native.warnings),
        kept=tuple(native.kept),
        user_settings=_user_settings(environment, engine_config),
        ports=ports_of(host, gpu, subnets),
        machine=MachineRef(host, environment, native.measured),
    )


def _user_settings(
    environment: Mapping[str, str], engine_config: Mapping[str, str]
) -> dict[str, str]:
    """Return what the user set himself; the environment beats engine_config, as in NIXL."""
    said = {key: environment.get(f"UCX_{key}", engine_config.get(key)) for key in KNOWN_SETTINGS}
    return {key: value for key, value in said.items() if value is not None}


def _subnets(host: _core.Machine) -> dict[str, tuple[str, ...]]:
    return {
        f"{nic.name}:{port.number}": subnets_of(port, is_live=host.is_live)
        for nic in host.nics
        for port in nic.ports
    }


def _rails_of(native: _core.NativePlan, environment: Mapping[str, str]) -> int | None:
    if native.rails:
        return native.rails
    own = environment.get("UCX_MAX_RMA_RAILS", "")
    if native.active and own.isdecimal():
        return int(own)
    return 1 if len(native.devices) == 1 else None


def _known_ports(host: _core.Machine) -> dict[str, _core.Port]:
    return {f"{nic.name}:{port.number}": port for nic in host.nics for port in nic.ports}


def _nic_of(
    host: _core.Machine,
    device: str,
    ports: Mapping[str, _core.Port],
    subnets: Mapping[str, tuple[str, ...]],
) -> PlannedNic:
    if (port := ports.get(device)) is not None:
        return PlannedNic(device, port.rate_gbps, port.link_layer, subnets[device])
    rate = next((each.rate_gbps for each in host.net_interfaces if each.name == device), 0.0)
    network = interface_subnet(device) if host.is_live else None
    return PlannedNic(device, rate, "Ethernet", (network,) if network else ())
