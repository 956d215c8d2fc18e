# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""One side of a weight transfer by ModelExpress, as a program: its manager, a model's state dict.

The target holds the weights, the initiator receives them with `receive_from_source` and compares
every byte with a model made from the same seed. ModelExpress is used as published. What stands in
for a GPU is handed in where it takes such things: an accelerator and an arena.
"""

from __future__ import annotations

import ctypes
import dataclasses
import os
from dataclasses import dataclass
from typing import Any

import torch
from clients.client_side import Given, counted, main, since
from nixl_stripe.lab.channel import Channel, ask
from nixl_stripe.lab.job import Role

LIMIT_S = 60.0
_ALIGN = 256


@dataclass(frozen=True)
class HostedGpu:
    """An accelerator for ModelExpress whose memory is the fake driver's."""

    name: str = "cuda"
    torch_device_type: str = "cpu"
    nixl_mem_type: str = "VRAM"

    def set_device(self, device_id: int) -> None:
        """There is one device."""

    def current_device(self) -> int:
        return 0

    def synchronize(self, device_id: int | None = None) -> None:
        """The fake driver finishes each copy before it returns."""

    def supports_rdma_p2p(self) -> bool:
        return True

    def supports_pool_reg(self) -> bool:
        return False

    def supports_vmm(self) -> bool:
        return True


class Arena:
    """All weights in one allocation of GPU memory, as ModelExpress's VMM arena has them."""

    live_allocation_count = 1

    def __init__(self, model: dict[str, torch.Tensor]) -> None:
        sizes = [-(-weight.nbytes // _ALIGN) * _ALIGN for weight in model.values()]
        self._used = sum(sizes)
        self._base = _allocate(self._used)
        self.tensors: dict[str, torch.Tensor] = {}
        offset = 0
        for (name, weight), size in zip(model.items(), sizes, strict=True):
            memory = (ctypes.c_uint8 * weight.nbytes).from_address(self._base + offset)
            flat = torch.frombuffer(memory, dtype=weight.dtype)
            self.tensors[name] = flat.reshape(weight.shape)
            offset += size

    def registered_range(self) -> tuple[int, int]:
        return self._base, self._used


def _allocate(size: int) -> int:
    cuda = ctypes.CDLL("libcuda.so.1")
    device, context, address = ctypes.c_int(), ctypes.c_void_p(), ctypes.c_uint64()
    for name, arguments in (
        ("cuInit", (0,)),
        ("cuDeviceGet", (ctypes.byref(device), 0)),
        ("cuDevicePrimaryCtxRetain", (ctypes.byref(context), device)),
        ("cuCtxSetCurrent", (context,)),
        ("cuMemAlloc_v2", (ctypes.byref(address), ctypes.c_size_t(size))),
    ):
        status = getattr(cuda, name)(*arguments)
        if status:
            raise RuntimeError(f"{name} returned {status}")
    return address.value


def model_state(seed: int) -> dict[str, torch.Tensor]:
    """Return the state dict of a small transformer in the mix of types that checkpoints have."""
    torch.manual_seed(seed)
    embedding = torch.nn.Embedding(8192, 512).to(torch.bfloat16)
    layer = torch.nn.TransformerEncoderLayer(512, 8, 1536, batch_first=True)
    body = torch.nn.TransformerEncoder(layer, 3, enable_nested_tensor=False)
    for parameter in body.parameters():  # layers are copies of each other, and biases are zero
        torch.nn.init.normal_(parameter)
    norm = torch.nn.BatchNorm1d(512)  # its counter is an int64 without dimensions
    parts = {"embedding": embedding, "body": body, "norm": norm}
    return {
        f"{part}.{name}": weight.detach().contiguous()
        for part, module in parts.items()
        for name, weight in module.state_dict().items()
    }


def as_bytes(weight: torch.Tensor) -> torch.Tensor:
    return weight.reshape(-1).view(torch.uint8)


def differing(got: dict[str, torch.Tensor], want: dict[str, torch.Tensor]) -> list[str]:
    """Return the names of tensors whose bytes are not the same."""
    return [
        name
        for name, weight in want.items()
        if not torch.equal(as_bytes(got[name]), as_bytes(weight))
    ]


def make_manager(job: dict[str, Any]) -> Any:
    """Make and initialise ModelExpress's own manager."""
    from modelexpress.nixl_transfer import NixlTransferManager

    if job["enable"]:
        from nixl_stripe.integrations import modelexpress

        modelexpress.enable()
        if job["disable"]:
            modelexpress.disable()
    manager = NixlTransferManager(job["role"], 0, accelerator_backend=HostedGpu())
    manager.initialize()
    return manager


def serve(job: dict[str, Any], channel: Channel) -> dict[str, Any]:
    state = model_state(job["seed"])
    arena = Arena(state)
    for name, weight in state.items():
        arena.tensors[name].copy_(weight)
    if job["corrupt"]:
        as_bytes(arena.tensors[list(state)[-2]])[-1] ^= 1
    manager = make_manager(job)
    metadata = manager.register_arena(arena, arena.tensors)
    told = [dataclasses.asdict(each) for each in manager.tensor_descriptors]
    channel.send({"kind": "weights", "metadata": metadata.hex(), "tensors": told})
    ask(channel, LIMIT_S, "bye")
    return about(manager)


def receive(job: dict[str, Any], channel: Channel) -> dict[str, Any]:
    from modelexpress.types import TensorDescriptor

    state = model_state(job["seed"])
    arena = Arena(state)
    manager = make_manager(job)
    manager.register_arena(arena, arena.tensors)
    peer = ask(channel, LIMIT_S, "weights")
    sources = [TensorDescriptor(**each) for each in peer["tensors"]]
    remote = manager.add_remote_agent(bytes.fromhex(peer["metadata"]))
    rows = []
    for _ in range(job["repeats"]):
        for weight in arena.tensors.values():
            weight.zero_()
        before = counted(job["counters"], "rx")
        moved, count, seconds = manager.receive_from_source(
            b"", sources, LIMIT_S, remote, require_exact_match=True
        )
        rows.append(
            {
                "bytes": moved,
                "tensors": count,
                "seconds": seconds,
                "rails": since(before, "rx"),
                "wrong": differing(arena.tensors, state),
            }
        )
    channel.send({"kind": "bye"})
    return {**about(manager), "rows": rows, "payload": sum(each.nbytes for each in state.values())}


def about(manager: Any) -> dict[str, Any]:
    """Return how the agent was made."""
    agent = manager._agent
    return {
        "net_devices": os.environ.get("UCX_NET_DEVICES"),
        "applied": dict(getattr(agent, "applied_backend_params", {})),
        "agent": f"{type(agent).__module__}.{type(agent).__qualname__}",
    }


def run(role: Role, given: Given, channel: Channel) -> Given:
    return (receive if role == "initiator" else serve)({**given, "role": role}, channel)


if __name__ == "__main__":
    raise SystemExit(main(__doc__ or "", run))
