# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Reading a distribution's kernel package: the bare ELF kernel and the modules that are needed."""

from __future__ import annotations

import gzip
import lzma
import re
import zlib
from collections.abc import Iterable
from pathlib import Path

from nixl_stripe.errors import StripeError

# crc32 is asked for by rdma_rxe through the crypto API, which no dependency field shows.
WANTED = (
    "virtio_pci",
    "virtio_console",
    "virtio_net",
    "9p",
    "9pnet_virtio",
    "overlay",
    "crc32_generic",
    "sch_tbf",
    "ib_uverbs",
    "rdma_rxe",
)


def bare_kernel(image: bytes) -> bytes | None:
    """Return the ELF kernel inside a bzImage, None when its compression is not known here.

    QEMU starts an ELF kernel directly (PVH), which spares the guest unpacking it: seconds without
    hardware virtualisation.
    """
    for magic in (b"\xfd7zXZ\x00", b"\x1f\x8b\x08"):
        at = image.find(magic)
        while at >= 0:
            elf = _unpack(image[at:], magic)
            if elf is not None and elf[:4] == b"\x7fELF":
                return elf
            at = image.find(magic, at + 1)
    return None


def _unpack(data: bytes, magic: bytes) -> bytes | None:
    try:
        if magic.startswith(b"\x1f"):
            return zlib.decompressobj(31).decompress(data)
        return lzma.LZMADecompressor().decompress(data)
    except (lzma.LZMAError, zlib.error):
        return None  # the magic number occurred by chance


def modules(tree: Path, wanted: Iterable[str] = WANTED) -> dict[str, bytes]:
    """Return file name -> unpacked module of `wanted` and what they need, in loading order.

    `tree` is the unpacked `lib/modules/VERSION`. Drivers built into the kernel need no file.

    Raises:
        StripeError: a module is neither there nor built in.

    """
    index = {_name(path): path for path in sorted((tree / "kernel").rglob("*.ko*"))}
    builtin = {_name(Path(line)) for line in (tree / "modules.builtin").read_text().splitlines()}
    loaded: dict[str, bytes] = {}

    def load(name: str) -> None:
        if name in loaded or name in builtin:
            return
        if name not in index:
            raise StripeError(f"kernel module {name}: not in {tree}; choose another kernel package")
        content = _read(index[name])
        for needed in _depends(content):
            load(needed)
        loaded[name] = content

    for name in wanted:
        load(name)
    return {f"{name}.ko": content for name, content in loaded.items()}


def _name(path: Path) -> str:
    return path.name.split(".ko")[0].replace("-", "_")


def _read(path: Path) -> bytes:
    data = path.read_bytes()
    if path.suffix == ".xz":
        return lzma.decompress(data)
    if path.suffix == ".gz":
        return gzip.decompress(data)
    return data


def _depends(module: bytes) -> list[str]:
    """Return the names in the module's own `depends=` line (section .modinfo)."""
    found = re.search(rb"\0depends=([^\0]*)\0", module)
    names = found.group(1).decode().split(",") if found else []
    return [name.replace("-", "_") for name in names if name]
