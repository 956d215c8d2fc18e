# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Makes Soft-RoCE devices look like PCI devices, and a PCI function like a GPU, in a guest's sysfs.

The kernel registers `rxe0` as a virtual device: no `device` link, no place in the PCI tree, so UCX
cannot tell a near NIC from a far one. Here read-only overlays of sysfs over itself add what a
hardware driver would show; what the kernel shows stays live underneath:

- `<PCI function>/infiniband/rxe0`, the device's own attributes with a `device` link;
- `/sys/class/infiniband/rxe0`, a link to that place. UCX and libibverbs resolve this path;
- `<PCI function>/{current,max}_link_{speed,width}`: QEMU's functions always say 2.5 GT/s x1, which
  UCX would take for a slow NIC;
- class, vendor and device of a data-centre GPU, in its own files and in `uevent`, on the functions
  that stand for GPUs;
- `/sys/kernel/mm/memory_peers/nv_mem/version`, by which UCX knows that GPUDirect RDMA works.
"""

from __future__ import annotations

import ctypes
import os
import pathlib
from typing import Any

NET = pathlib.Path("/sys/class/net")
VERBS = pathlib.Path("/sys/class/infiniband")
PCI = pathlib.Path("/sys/bus/pci/devices")
STAGE = pathlib.Path("/run/sysfs_cover")
TEST_DEVICE = ("0x1b36", "0x0005")  # vendor and device of QEMU's pci-testdev
GPU = {"class": "0x030200", "vendor": "0x10de", "device": "0x2330"}  # an H100 on SXM5
GPU_UEVENT = "DRIVER=nvidia\nPCI_CLASS=30200\nPCI_ID=10DE:2330\nPCI_SLOT_NAME={}"
MS_RDONLY = 1

_libc = ctypes.CDLL(None, use_errno=True)


def mount(source: str, target: pathlib.Path, kind: str, options: str, flags: int = 0) -> None:
    """Attach a file system to `target`; OSError when the kernel refuses."""
    words = [os.fsencode(word) for word in (source, str(target), kind)]
    if _libc.mount(*words, ctypes.c_ulong(flags), os.fsencode(options)):
        code = ctypes.get_errno()
        raise OSError(code, f"mount {kind} {options}: {os.strerror(code)}", str(target))


def overlay(target: pathlib.Path, *layers: pathlib.Path) -> None:
    """Show the layers in `target`, the first in front. PCI addresses' colons need escaping."""
    lower = ":".join(str(layer).replace(":", "\\:") for layer in layers)
    mount("overlay", target, "overlay", f"lowerdir={lower}", MS_RDONLY)


def lay_over(target: pathlib.Path, extra: pathlib.Path) -> None:
    """Show the files of `extra` in `target`, in front of what is there."""
    overlay(target, extra, target)


def staged(name: str, files: dict[str, str]) -> pathlib.Path:
    """Make a folder with these small files, folders on the way included."""
    folder = STAGE / name
    folder.mkdir(parents=True)
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text + "\n")
    return folder


def pci_function(netdev: str) -> pathlib.Path:
    """Return the PCI function of a netdev (for virtio one level above its device)."""
    path = (NET / netdev / "device").resolve()
    while not (path / "vendor").exists() or path.name.startswith("virtio"):
        path = path.parent
    return path


def link_files(config: dict[str, Any]) -> dict[str, str]:
    """Return the PCI link attributes of every covered function."""
    speed, width = config["pci_link"]
    return {
        f"{which}_link_{what}": value
        for which in ("current", "max")
        for what, value in (("speed", speed), ("width", width))
    }


def cover_nic(index: int, config: dict[str, Any]) -> dict[str, Any]:
    """Give `rxe<index>` its place in the PCI tree."""
    name = f"rxe{index}"
    function = pci_function(f"rail{index}")
    real = (VERBS / name).resolve()
    extra = staged(f"{name}.function", link_files(config))
    (extra / "infiniband" / name).mkdir(parents=True)
    lay_over(function, extra)
    place = function / "infiniband" / name
    links = staged(f"{name}.verbs", {})
    (links / "device").symlink_to(f"../../../{function.name}")
    (links / "subsystem").symlink_to(VERBS)
    overlay(place, links, real)
    numa = int((function / "numa_node").read_text())
    return {
        "name": name,
        "netdev": f"rail{index}",
        "pci": function.name,
        "numa": numa,
        "path": str(place),
    }


def cover_class(nics: list[dict[str, Any]]) -> None:
    """Point `/sys/class/infiniband/*` at the covered places."""
    mount("tmpfs", VERBS, "tmpfs", "mode=755")
    for nic in nics:
        (VERBS / nic["name"]).symlink_to(os.path.relpath(nic["path"], VERBS))


def find_gpus(places: dict[str, dict[str, Any]]) -> dict[str, pathlib.Path]:
    """Return place -> PCI function, told by PCI root and whether a switch lies between."""
    found: dict[str, pathlib.Path] = {}
    for link in sorted(PCI.iterdir()):
        if (
            (link / "vendor").read_text().strip(),
            (link / "device").read_text().strip(),
        ) != TEST_DEVICE:
            continue
        path = link.resolve()
        root, behind_switch = path.parts[3], len(path.parts) > 6
        for place, where in places.items():
            if (root, behind_switch) == (where["root"], where["behind_switch"]):
                found[place] = path
    return found


def cover(config: dict[str, Any]) -> dict[str, Any]:
    """Do all of it; return the NICs and GPUs as the guest now shows them."""
    STAGE.mkdir()
    nics = [cover_nic(nic["index"], config) for nic in config["nics"]]
    cover_class(nics)
    gpus = {}
    for place, path in find_gpus(config["gpus"]).items():
        files = {**GPU, "uevent": GPU_UEVENT.format(path.name), **link_files(config)}
        lay_over(path, staged(f"gpu{place}", files))
        gpus[place] = {
            "pci": path.name,
            "numa": int((path / "numa_node").read_text()),
            "path": str(path),
        }
    if missing := set(config["gpus"]) - set(gpus):
        raise RuntimeError(f"no PCI function at the GPU places {sorted(missing)}")
    lay_over(pathlib.Path("/sys/kernel/mm"), staged("mm", {"memory_peers/nv_mem/version": "1.0"}))
    return {"nics": nics, "gpus": gpus}
