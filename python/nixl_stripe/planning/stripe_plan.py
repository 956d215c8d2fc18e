# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What a plan is: NICs, rails and UCX settings for one process, as data that can be kept."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import groupby
from types import MappingProxyType
from typing import Any

from nixl_stripe import _core
from nixl_stripe.errors import StripeError
from nixl_stripe.planning import efa
from nixl_stripe.planning.forecast import (
    NIXL_VERSION,
    Forecast,
    GpuPlace,
    LaneEnd,
    Memory,
    Op,
    UcxPort,
    forecast_lanes,
    orders_by_gpu,
    stock_settings,
)
from nixl_stripe.planning.parts import PlannedNic, PlannedSetting, gbps_text
from nixl_stripe.planning.peer import peer_problems
from nixl_stripe.planning.plan_schema import PLAN
from nixl_stripe.planning.ranges import MANY, ranges, short_list
from nixl_stripe.untrusted import RefusedError, one_line

#: Keys of a plan in JSON that name something else than a field of StripePlan.
_DERIVED = ("ucx_settings",)

#: Of its ceiling a set that UCX divides buffers over well reaches this part.
_AS_GOOD = 0.99

#: `on_nic_loss` where nothing is asked for.
_STOCK_LOSS = "error"


class MachineRef:
    """What a plan was made from and is no part of its data: copies share it.

    environment: variables that counted. measured: the calibration that the plan went by.
    """

    def __init__(
        self,
        machine: _core.Machine,
        environment: Mapping[str, str] = MappingProxyType({}),
        measured: _core.Calibration | None = None,
    ) -> None:
        self.machine = machine
        self.environment = environment
        self.measured = measured

    def __deepcopy__(self, memo: Any) -> MachineRef:
        return self


@dataclass(frozen=True)
class StripePlan:
    """What the patched backend does for one process, worked out by the same code."""

    source: str
    """Machine: "/sys" or the file or folder that it was read from."""
    parameters: Mapping[str, str]
    """Backend parameters that the plan was made for."""
    active: bool
    """False: nothing was asked for or no NIC is usable, so the stock behaviour stays."""
    devices: tuple[str, ...]
    """For NET_DEVICES; empty: devices are left alone."""
    rails: int | None
    """NICs per RMA operation; None: not for this plan to say."""
    gpu: str | None = None
    """PCI address of the GPU that the plan is for; None: host memory."""
    excluded: Mapping[str, str] = field(default_factory=dict)
    """NIC -> why it is not used."""
    settings: tuple[PlannedSetting, ...] = ()
    nics: tuple[PlannedNic, ...] = ()
    ceiling_gbps: float | None = None
    """The most that the NICs can carry together, Gbit/s one way; None = unknown."""
    spreads_small: bool = False
    """Buffers that UCX cannot divide evenly take turns at the NICs (over RDMA)."""
    on_nic_loss: str = "error"
    """What happens when a NIC dies in a transfer: "error", "failover" or "resume"."""
    warnings: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    """Settings of the user's own that the plan respects."""
    user_settings: Mapping[str, str] = field(default_factory=dict)
    """UCX settings from the environment and engine_config, as far as a forecast needs them."""
    ports: tuple[UcxPort, ...] = ()
    """Every device that UCX could open here and its way to the GPU, planned or not."""
    excluded_by: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)
    """NIC -> id of the rule that left it out (`_core.usable_rules`); not in JSON."""
    limits: tuple[str, ...] = field(default=(), repr=False, compare=False)
    """How much of each of UCX's built-in limits the plan takes, a line each; not in JSON."""
    machine: MachineRef | None = field(default=None, repr=False, compare=False)
    """What the plan was made from; None for a plan that was read from JSON."""

    @property
    def ucx_settings(self) -> dict[str, str]:
        """UCX settings by key, without UCX_."""
        return {setting.key: setting.value for setting in self.settings}

    @property
    def even_gbps(self) -> float | None:
        """What the NICs carry when UCX divides every buffer over them, Gbit/s one way.

        None where that is unknown, and for a plan that was read from JSON.
        """
        if self.machine is None or not self.devices:
            return None
        host = self.machine.machine
        gpu = self.gpu if self.gpu in {each.pci for each in host.gpus} else None
        return _core.even_gbps(host, list(self.devices), gpu, self.machine.measured)

    def backend_params(self, *, resolved: bool = False) -> dict[str, str]:
        """Return parameters for `create_backend("UCX", ...)` of a patched NIXL.

        They are what the plan was asked for: a value that every rank can share and that the
        backend resolves where it runs. With `resolved` they are this plan's very devices, for a
        process that cannot see the machine that the plan was made from.
        """
        if not resolved or not self.devices:
            return dict(self.parameters)
        params = {"stripe": "=" + ",".join(self.devices)}
        if any(":" not in device for device in self.devices):
            params = {"device_list": ",".join(self.devices), "stripe": "all"}
        for key in ("max_rma_rails", "stripe_small", "on_nic_loss"):
            if key in self.parameters:
                params[key] = self.parameters[key]
        return params

    def stock_params(self) -> dict[str, str]:
        """Return parameters with which an unpatched NIXL >= 0.10 comes as near as it can.

        StripeError when stock NIXL cannot name the devices: it puts ":1" behind each of them, so
        neither another port nor a network interface can be said; `environment()` can.
        """
        params = {}
        names = [device.removesuffix(":1") for device in self.devices]
        if any(":" in name or f"{name}:1" not in self.devices for name in names):
            raise StripeError(
                f"stock NIXL's device_list cannot name {', '.join(self.devices)} (it adds :1 to "
                f"each); set UCX_NET_DEVICES={','.join(self.devices)} in the environment instead"
            )
        if names:
            params["device_list"] = ", ".join(names)
        config = [
            f"{setting.key}={setting.value}"
            for setting in self.settings
            if setting.key != "NET_DEVICES"
        ]
        if config:
            params["engine_config"] = ",".join(config)
        return params

    def environment(self) -> dict[str, str]:
        """Return the UCX_* variables that say the same to any program that uses UCX."""
        return {f"UCX_{setting.key}": setting.value for setting in self.settings}

    @property
    def made_up(self) -> tuple[str, ...]:
        """Devices whose names the source does not have: they follow from PCI addresses."""
        if self.machine is None:
            return ()
        names = {nic.name for nic in self.machine.machine.nics if nic.is_name_made_up}
        return tuple(each for each in self.devices if each.partition(":")[0] in names)

    def describe(self) -> str:
        """Return the plan as text for people, several lines."""
        asked = ", ".join(f"{key}={value}" for key, value in self.parameters.items()) or "nothing"
        lines = [f"{asked} on {self.source}: {self._summary()}"]
        rows = [("device", text, "") for text in _device_texts(self.nics)]
        rows += [("setting", f"{s.key}={_value_text(s)}", s.reason) for s in self.settings]
        if self.spreads_small:
            rows += [("small", "buffers take turns at the NICs", "UCX would prefer the first ones")]
        if self.on_nic_loss != _STOCK_LOSS:
            rows += [("lost NIC", self.on_nic_loss, "the transfer goes on over the other NICs")]
        rows += [("excluded", name, reason) for name, reason in self.excluded.items()]
        rows += [("kept", text, "") for text in self.kept]
        rows += [("warning", text, "") for text in self.warnings]
        rows += [("note", text, "") for text in self._notes()]
        lines += [f"  {kind:<9} {what}{': ' if why else ''}{why}" for kind, what, why in rows]
        return "\n".join(lines)

    def _notes(self) -> list[str]:
        notes = [efa.WHAT_UCX_DOES] if any(nic.link_layer == "EFA" for nic in self.nics) else []
        if self.made_up:
            names = ", ".join(self.made_up)
            notes.append(f"{self.source} has no device names; made up from PCI addresses: {names}")
        return notes

    def _summary(self) -> str:
        if not self.active:
            return "nothing changes, stock behaviour"
        of = f"GPU {self.gpu}" if self.gpu else "host memory"
        ceiling = gbps_text(self.ceiling_gbps)
        rails = "rails as set elsewhere" if self.rails is None else f"{self.rails} rail(s)"
        text = f"{len(self.devices)} NIC(s), {rails}, ceiling from {of} {ceiling}"
        even = self.even_gbps
        if even is None or self.ceiling_gbps is None or even > _AS_GOOD * self.ceiling_gbps:
            return text
        return f"{text}, {gbps_text(even)} as UCX divides buffers"

    def check_peer(self, other: StripePlan) -> list[str]:
        """Return what keeps transfers between this host and `other` from using every NIC."""
        return peer_problems(self, other)

    def forecast(
        self,
        memory: Memory = "vram",
        op: Op = "write",
        peer: StripePlan | None = None,
        *,
        peer_memory: Memory | None = None,
        context: bool | None = None,
        nixl: str = NIXL_VERSION,
        size: int = 0,
        sees_all_gpus: bool = True,
    ) -> Forecast:
        """Predict the NICs that UCX will use for an operation that this host starts.

        memory, peer_memory: "dram" or "vram" here and at the peer (None: as here).
        op: "read" or "write".
        peer: the other host's plan; None: a host like this one with the same plan.
        context: whether a CUDA context is current when each backend is created; None: where the
            plan has a GPU.
        nixl: version whose own settings hold where nothing else is set.
        size: bytes of one buffer, since UCX does not cut small ones; 0: a large one.
        sees_all_gpus: whether the processes see every GPU of their host, by which UCX 1.23 orders
            equal NICs, or their own alone (CUDA_VISIBLE_DEVICES).

        ValueError when a value is not accepted, or GPU memory is asked for and a plan has no GPU.
        """
        other = self if peer is None else peer
        how: Any = {"context": context, "nixl": nixl, "sees_all_gpus": sees_all_gpus}
        here = self.lane_end(memory, **how)
        there = other.lane_end(peer_memory or memory, **how)
        found = forecast_lanes(here, there, op, memory, size)
        return replace(
            found,
            dropped={nic: self._why(nic, reason) for nic, reason in found.dropped.items()},
            ceiling_gbps=self._ceiling(found, memory),
        )

    def lane_end(
        self,
        memory: Memory,
        *,
        context: bool | None = None,
        nixl: str = NIXL_VERSION,
        sees_all_gpus: bool = True,
    ) -> LaneEnd:
        """Return this host as one end of a transfer; parameters as in `forecast`."""
        if memory not in ("dram", "vram"):
            raise ValueError(f"memory={memory!r}: accepted: dram, vram")
        if memory == "vram" and self.gpu is None:
            raise ValueError(
                f"memory='vram': the plan of {self.source} has no GPU; make it with plan(gpu=...)"
            )
        return LaneEnd(
            self.ports,
            {**self._stock(nixl), **self.user_settings, **self.ucx_settings},
            memory == "vram",
            self.gpu is not None if context is None else context,
            self._place(sees_all_gpus) if memory == "vram" and orders_by_gpu(nixl) else None,
        )

    def _stock(self, nixl: str) -> dict[str, str]:
        """Return what NIXL sets by itself; on EFA it opens twice as many devices."""
        nics = () if self.machine is None else self.machine.machine.nics
        has_efa = any(port.link_layer == "EFA" for nic in nics for port in nic.ports)
        return {**stock_settings(nixl), **({"MAX_COMPONENT_MDS": "32"} if has_efa else {})}

    def _place(self, sees_all_gpus: bool) -> GpuPlace | None:
        """Return the GPU's place among those that are seen; None where the machine is unknown."""
        if self.machine is None:
            return None
        host = self.machine.machine
        addresses = {each.device: each.pci for each in _core.lane_ports(host, None)}
        gpus = sorted(each.pci for each in host.gpus)
        if self.gpu not in gpus:
            return None
        return GpuPlace(gpus.index(self.gpu) if sees_all_gpus else 0, addresses)

    def _why(self, nic: str, reason: str) -> str:
        excluded = self.excluded.get(nic.partition(":")[0])
        return f"not in the plan: {excluded}" if excluded and "NET_DEVICES" in reason else reason

    def _ceiling(self, found: Forecast, memory: Memory) -> float | None:
        """Return the least of what the split and the PCIe links of its NICs allow, Gbit/s."""
        limits = [] if found.ceiling_gbps is None else [found.ceiling_gbps]
        if self.machine is not None and found.pairs:
            named = {port.device.partition(":")[0]: port.device for port in self.ports}
            devices = [named.get(lane.nic, lane.nic) for lane in found.pairs]
            gpu = self.gpu if memory == "vram" else None
            links = _core.ceiling_gbps(self.machine.machine, devices, gpu)
            if links is None:
                return None  # a rate that nobody knows; UCX's own guess for it is no limit
            limits.append(links)
        return min(limits, default=None)

    def to_dict(self) -> dict[str, Any]:
        """Return the plan as plain data, as `nixl-stripe plan --json` prints it."""
        data = asdict(replace(self, machine=None))
        for name in ("machine", "excluded_by", "limits"):
            del data[name]  # older readers refuse what they do not know
        if self.on_nic_loss == _STOCK_LOSS:
            del data["on_nic_loss"]
        return {**data, "ucx_settings": self.ucx_settings}

    def to_json(self) -> str:
        """Return the plan as JSON that `from_json` reads back."""
        return json.dumps(self.to_dict(), indent=2)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> StripePlan:
        """Return the plan that `to_dict` gave; ValueError when it is none.

        Every value is of its kind then, and no text can do anything but be read.
        """
        try:
            rest = {key: value for key, value in data.items() if key not in _DERIVED}
            rest.update(PLAN(rest, "plan"))
            rest["settings"] = tuple(PlannedSetting(**each) for each in rest.get("settings", ()))
            for key, kind in (("nics", PlannedNic), ("ports", UcxPort)):
                rest[key] = tuple(
                    kind(**{**each, "subnets": tuple(each.get("subnets", ()))})
                    for each in rest.get(key, ())
                )
            for key in ("devices", "warnings", "kept", "limits"):
                rest[key] = tuple(rest.get(key, ()))
            return cls(**rest)
        except (AttributeError, TypeError, ValueError, RefusedError) as error:
            # the text may hold a key of the data, whatever that is
            raise ValueError(f"not a plan of nixl-stripe: {one_line(str(error))}") from error

    @classmethod
    def from_json(cls, text: str) -> StripePlan:
        """Return the plan that `to_json` gave; ValueError when it is none."""
        try:
            data = json.loads(text)
        except RecursionError as error:
            raise ValueError("not a plan of nixl-stripe: nested too deep") from error
        if not isinstance(data, dict):
            raise ValueError("not a plan of nixl-stripe: not a JSON object")
        return cls.from_dict(data)


def _device_texts(nics: Sequence[PlannedNic]) -> list[str]:
    """Return a line for each NIC; where there are many, for each range of equal ones."""
    if len(nics) <= MANY:
        return [_device_text(nic) for nic in nics]
    lines = []
    for about, alike in groupby(nics, _about):
        for text, members in ranges([nic.device for nic in alike]):
            number = f"{len(members)} NICs" if len(members) > 1 else ""
            known = [each for each in (number, about) if each]
            lines.append(f"{text} ({', '.join(known)})" if known else text)
    return lines


def _value_text(setting: PlannedSetting) -> str:
    if setting.key != "NET_DEVICES":
        return setting.value
    return short_list(setting.value.split(","))


def _device_text(nic: PlannedNic) -> str:
    about = _about(nic)
    return f"{nic.device} ({about})" if about else nic.device


def _about(nic: PlannedNic) -> str:
    known = [nic.link_layer] if nic.link_layer != "unknown" else []
    known += [f"{nic.rate_gbps:g} Gbit/s"] if nic.rate_gbps else []
    known += list(nic.subnets)
    return ", ".join(known)
