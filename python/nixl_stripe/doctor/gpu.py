# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Checks of the way between GPU memory and NICs."""

from __future__ import annotations

import ctypes
import struct
from pathlib import Path

from nixl_stripe.doctor.check import Check, Verdict, fail, ok, skip, warn
from nixl_stripe.doctor.surroundings import Surroundings, text_of
from nixl_stripe.untrusted import RefusedError, read_file

#: Extended capability of PCI Express, and the bits of its control register that send traffic
#: between two devices up to the root complex (PCIe base specification, 7.7.11).
_ACS, _ACS_REDIRECTS = 0x000D, 0x04 | 0x08 | 0x10
_CONFIG_HEADER, _CONFIG_EXTENDED, _CONFIG_SIZE = 64, 256, 4096
#: The first kernel with the dma-buf interface that RDMA drivers take GPU memory through.
_DMA_BUF_SINCE = (5, 12)


def _gpu_direct(at: Surroundings) -> Verdict:
    if not at.has_nvidia_gpu or not at.planned:
        return skip("needs an NVIDIA GPU and an RDMA NIC")
    for module in ("nvidia_peermem", "nv_peer_mem"):
        if (at.root / "sys/module" / module).is_dir():
            return ok(f"{module} is loaded")
    is_open = "open kernel module" in text_of(at.proc / "driver/nvidia/version").lower()
    kernel = _kernel(text_of(at.proc / "sys/kernel/osrelease"))
    if is_open and kernel >= _DMA_BUF_SINCE:
        return ok(f"dma-buf: NVIDIA's open kernel modules on Linux {kernel[0]}.{kernel[1]}")
    return fail(
        "NICs cannot reach GPU memory: neither nvidia-peermem nor dma-buf (NVIDIA's open kernel "
        "modules and Linux 5.12)",
        "modprobe nvidia-peermem (on the host), or install the driver's open kernel modules",
    )


def _kernel(release: str) -> tuple[int, int]:
    parts = release.split(".")
    try:
        return int(parts[0]), int(parts[1])
    except (ValueError, IndexError):
        return 0, 0


def _iommu(at: Surroundings) -> Verdict:
    groups = at.root / "sys/kernel/iommu_groups"
    wanted = {*(gpu.pci for gpu in at.machine.gpus), *(nic.pci for nic in at.planned)} - {""}
    if not at.machine.gpus or not at.planned:
        return skip("needs a GPU and an RDMA NIC")
    translated = sorted(
        device.name
        for kind in groups.glob("*/type")
        if text_of(kind) in ("DMA", "DMA-FQ")
        for device in (kind.parent / "devices").glob("*")
        if device.name in wanted
    )
    if not translated:
        return ok("the IOMMU does not translate for GPUs and NICs")
    return warn(
        f"the IOMMU translates for {', '.join(translated)}: traffic between GPU and NIC goes "
        "through the root complex",
        "boot with iommu=pt, where the GPUs are not handed to virtual machines",
    )


def _acs(at: Surroundings) -> Verdict:
    """Bridges above GPUs and NICs that send their traffic to the root complex."""
    tree = at.machine.pci
    ends = [*(gpu.pci for gpu in at.machine.gpus), *(nic.pci for nic in at.planned)]
    if not at.machine.gpus or not at.planned:
        return skip("needs a GPU and an RDMA NIC")
    bridges: dict[str, None] = {}
    for end in ends:
        parent = tree[end].parent if end in tree else ""
        while parent:
            bridges[parent] = None
            parent = tree[parent].parent if parent in tree else ""
    controls = {name: _acs_control(at.root / "sys/bus/pci/devices" / name) for name in bridges}
    if bridges and all(control is None for control in controls.values()):
        return skip("only root may read the bridges' registers")
    on = [name for name, control in controls.items() if control and control & _ACS_REDIRECTS]
    if not on:
        return ok(f"no bridge of {len(bridges)} redirects traffic between GPUs and NICs")
    return warn(
        f"ACS is on at {', '.join(on)}: traffic between GPU and NIC takes the way through the root "
        "complex",
        "turn ACS off in the BIOS, or for each bridge: setpci -s ADDRESS ECAP_ACS+0x6.w=0000",
    )


def _acs_control(function: Path) -> int | None:
    """Return the ACS control register, 0 where there is none; None where it cannot be read."""
    try:
        config = read_file(function / "config", _CONFIG_SIZE)
    except (OSError, RefusedError):
        return None
    if len(config) <= _CONFIG_HEADER:
        return None
    offset, seen = _CONFIG_EXTENDED, set()
    while offset and offset not in seen and offset + 8 <= len(config):
        seen.add(offset)
        (header,) = struct.unpack_from("<I", config, offset)
        if header & 0xFFFF == _ACS:
            return int(struct.unpack_from("<H", config, offset + 6)[0])
        offset = header >> 20
    return 0


def _cuda_runtime(at: Surroundings) -> Verdict:
    """UCX's CUDA modules in the wheel need the CUDA runtime of the wheel's own major version."""
    names = [folder.distribution for folder in at.folders if folder.distribution]
    majors_of = {name: name.rpartition("-cu")[2] for name in names}
    flavours = {name: major for name, major in majors_of.items() if major.isdecimal()}
    if not at.has_nvidia_gpu or not flavours:
        return skip("needs an NVIDIA GPU and a NIXL wheel")
    found = {major for major in flavours.values() if _has_runtime(at, major)}
    lacking = [name for name, major in flavours.items() if major not in found]
    if not lacking:
        return ok(f"CUDA runtime for {', '.join(flavours)}")
    majors = ", ".join(f"libcudart.so.{flavours[name]}" for name in lacking)
    detail = (
        f"{', '.join(lacking)} needs {majors}, which is not installed: UCX then takes GPU memory "
        "for host memory"
    )
    fix = (
        f"pip install nvidia-cuda-runtime-cu{flavours[lacking[0]]}, or the NIXL wheel of your CUDA"
    )
    return fail(detail, fix) if len(lacking) == len(flavours) else warn(detail, fix)


def _has_runtime(at: Surroundings, major: str) -> bool:
    name = f"libcudart.so.{major}"
    folders = [Path(each) for each in at.environ.get("LD_LIBRARY_PATH", "").split(":") if each]
    folders += [
        at.root / each for each in (f"usr/local/cuda-{major}/lib64", "usr/local/cuda/lib64")
    ]
    folders += [folder.path.parents[1] / "nvidia/cuda_runtime/lib" for folder in at.folders]
    folders += [folder.path.parents[1] / f"nvidia/cu{major}/lib" for folder in at.folders]
    if any((folder / name).exists() for folder in folders):
        return True
    return at.root == Path("/") and _is_loadable(name)


def _is_loadable(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


CHECKS = (
    Check("gpu-direct", "nvidia-peermem or dma-buf for GPU memory", _gpu_direct),
    Check("iommu", "an IOMMU that translates for GPUs and NICs", _iommu),
    Check("acs", "PCIe bridges that redirect GPU-NIC traffic", _acs),
    Check("cuda-runtime", "the CUDA runtime that the wheel's flavour needs", _cuda_runtime),
)
