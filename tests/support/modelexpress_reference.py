# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""ModelExpress 0.7's own NIC pinning, run unchanged on a sysfs tree of our making.

The module reads /sys and /dev by name and asks torch for the PCI addresses of GPUs; both are
answered here, the rest is the code that `pip install modelexpress` gives.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import IO, Any

from nixl_wheels import unpack, wheel_file
from sysfs_trees import Tree

VERSION = "0.7.0"


class Reference:
    """The pinning module of ModelExpress, unpacked into `folder`."""

    def __init__(self, folder: Path) -> None:
        site = unpack(wheel_file("modelexpress", VERSION), folder / "modelexpress")
        self._module = _import_pinning(site / "modelexpress")

    @property
    def module(self) -> Any:
        """The module, which sees the tree of the last `auto`."""
        return self._module

    def auto(self, tree: Tree, gpu: str, min_rate_gbps: float | None = None) -> str | None:
        """Return what `MX_RDMA_NIC_PIN=auto` gives the rank that drives the GPU at `gpu`.

        The rank sees that one GPU only, as under a CUDA_VISIBLE_DEVICES of its own.
        """
        module: Any = self._module
        module.os = _redirected_os(tree)
        module.open = lambda path, mode="r": _open(tree, path, mode)
        module.torch = _torch_with([gpu])
        answer = module.probe_nic_pin_for_device(0, min_rate_gbps=min_rate_gbps)
        assert answer is None or isinstance(answer, str)
        return answer


def _import_pinning(package: Path) -> ModuleType:
    """Import `modelexpress.ucx_utils` alone: the package's __init__ needs vLLM and more."""
    parent = ModuleType("modelexpress")
    parent.__path__ = [str(package)]
    with _modules({"modelexpress": parent, "torch": ModuleType("torch")}):
        return importlib.import_module("modelexpress.ucx_utils")


@contextmanager
def _modules(stand_ins: dict[str, ModuleType]) -> Iterator[None]:
    before = dict(sys.modules)
    sys.modules.update(stand_ins)
    try:
        yield
    finally:
        for name in [name for name in sys.modules if name.startswith("modelexpress")]:
            del sys.modules[name]
        for name in stand_ins:
            if name in before:
                sys.modules[name] = before[name]
            else:
                sys.modules.pop(name, None)


def _inside(tree: Tree, path: str) -> str:
    for name, root in (("/sys/", tree.sys), ("/dev/", tree.dev)):
        if path.startswith(name):
            return str(root / path[len(name) :])
    raise AssertionError(f"ModelExpress reads {path}, which is neither in /sys nor in /dev")


def _open(tree: Tree, path: str, mode: str) -> IO[str]:
    assert mode == "r"
    return Path(_inside(tree, path)).open(encoding="utf-8")


def _redirected_os(tree: Tree) -> SimpleNamespace:
    return SimpleNamespace(
        listdir=lambda path: [each.name for each in Path(_inside(tree, path)).iterdir()],
        readlink=lambda path: str(Path(_inside(tree, path)).readlink()),
        path=SimpleNamespace(
            isdir=lambda path: Path(_inside(tree, path)).is_dir(),
            exists=lambda path: Path(_inside(tree, path)).exists(),
            realpath=lambda path: os.path.realpath(_inside(tree, path)),
            basename=os.path.basename,
        ),
    )


def _torch_with(gpus: Sequence[str]) -> SimpleNamespace:
    def properties(index: int) -> SimpleNamespace:
        domain, bus, slot = gpus[index].split(":")
        return SimpleNamespace(
            pci_domain_id=int(domain, 16),
            pci_bus_id=int(bus, 16),
            pci_device_id=int(slot.split(".")[0], 16),
        )

    return SimpleNamespace(
        cuda=SimpleNamespace(device_count=lambda: len(gpus), get_device_properties=properties)
    )
