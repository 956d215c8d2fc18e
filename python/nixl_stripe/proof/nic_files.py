# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Where sysfs keeps what a NIC has counted: one answer for each kind of device.

In this order, the first that can be read:

1. `ports/<n>/counters/port_{xmit,rcv}_data` (InfiniBand, mlx5 with RoCE, ...): words of four bytes.
2. `ports/<n>/hw_counters/` where the driver counts bytes there (EFA, bnxt_re, erdma, irdma).
3. `/sys/class/net/<interface>/statistics` of the interface below the RDMA device (Soft-RoCE counts
   packets only) or of the network interface that was named; that sees TCP and everything else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from nixl_stripe.errors import StripeError

SYSFS = Path("/sys")

#: InfiniBand counts in words of four bytes.
_IB_WORD = 4

#: Sets of files in `hw_counters` that together are all bytes out or in. EFA has two views of the
#: same traffic; the larger one is taken, so that nothing counts twice whatever firmware includes.
_HW_OUT = (
    ("tx_bytes",),
    ("send_bytes", "rdma_write_bytes", "rdma_read_resp_bytes"),
    ("hw_tx_bytes_cnt",),
    ("ip4OutOctets", "ip6OutOctets"),
)
_HW_IN = (
    ("rx_bytes",),
    ("recv_bytes", "rdma_write_recv_bytes", "rdma_read_bytes"),
    ("hw_rx_bytes_cnt",),
    ("ip4InOctets", "ip6InOctets"),
)

#: In a port's `counters` and `hw_counters`: frames that were bad, and frames that were dropped.
_PORT_ERRORS = (
    "symbol_error",
    "port_rcv_errors",
    "port_rcv_remote_physical_errors",
    "local_link_integrity_errors",
    "link_error_recovery",
    "link_downed",
    "rdma_read_wr_err",
    "rdma_write_wr_err",
    "packet_seq_err",
    "out_of_sequence",
    "local_ack_timeout_err",
    "retry_exceeded_err",
    "rcvd_seq_err",
    "send_err",
)
_PORT_DISCARDS = (
    "port_xmit_discards",
    "excessive_buffer_overrun_errors",
    "VL15_dropped",
    "rx_drops",
    "out_of_buffer",
    "rx_discards",
    "tx_discards",
)

_FOLDERS = ("counters", "hw_counters")

Files = tuple[Path, ...]


class NicNotFoundError(StripeError, FileNotFoundError):
    """No device of that name, or one that counts no bytes."""


@dataclass(frozen=True)
class NicFiles:
    """The counters of one NIC.

    bytes_out, bytes_in: views of the same bytes, each a set of files to be added up; the view that
    says most counts. unit: bytes for each count. kind: what they are, in words.
    """

    nic: str
    kind: str
    unit: int
    bytes_out: tuple[Files, ...]
    bytes_in: tuple[Files, ...]
    errors: Files = ()
    discards: Files = ()


def all_nics(sysfs: Path = SYSFS) -> tuple[str, ...]:
    """Return the RDMA devices, or where there is none the network interfaces but `lo`.

    In natural order (`mlx5_2` before `mlx5_10`).
    """
    for folder in ("class/infiniband", "class/net"):
        names = sorted(_names(sysfs / folder) - {"lo", "bonding_masters"}, key=_natural)
        if names:
            return tuple(names)
    return ()


def find_files(nic: str, sysfs: Path = SYSFS) -> NicFiles:
    """Return the counters of `nic`: `mlx5_0`, one port of it (`mlx5_0:1`), or an interface.

    NicNotFoundError when there is no such device or it counts no bytes.
    """
    name, _, port = nic.partition(":")
    folder = sysfs / "class/infiniband" / name
    if folder.is_dir():
        return _of_rdma(nic, folder, port, sysfs)
    if (sysfs / "class/net" / nic / "statistics/tx_bytes").exists():
        return _of_interface(nic, nic, sysfs)
    have = {*_names(sysfs / "class/infiniband"), *_names(sysfs / "class/net")}
    raise NicNotFoundError(
        f"NIC {nic!r}: no such device in {sysfs}; it has "
        f"{', '.join(sorted(have, key=_natural)) or 'none'}"
    )


def is_up(nic: str, sysfs: Path = SYSFS) -> bool:
    """Return whether the NIC has an active port (of an interface: is not down, has a carrier)."""
    name, _, port = nic.partition(":")
    states = sorted((sysfs / "class/infiniband" / name / "ports").glob(f"{port or '*'}/state"))
    if states:
        return any("ACTIVE" in _text(path) for path in states)
    return _text(sysfs / "class/net" / nic / "operstate") in ("up", "unknown")


def read_count(path: Path) -> int | None:
    """Return a counter's value; None when it cannot be read (its device went away)."""
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None


def _of_rdma(nic: str, folder: Path, port: str, sysfs: Path) -> NicFiles:
    ports = [folder / "ports" / port] if port else sorted((folder / "ports").glob("*"))
    shown = [each for each in ports if each.is_dir()]
    if not shown:
        raise NicNotFoundError(f"NIC {nic!r}: {folder} has no port {port or 'at all'}")
    errors, discards = (
        tuple(_readable(one / kind / name for one in shown for kind in _FOLDERS for name in names))
        for names in (_PORT_ERRORS, _PORT_DISCARDS)
    )
    sent, received = (
        tuple(_readable(each / "counters" / word for each in shown))
        for word in ("port_xmit_data", "port_rcv_data")
    )
    if sent and received:
        kind = "InfiniBand port counters"
        return NicFiles(nic, kind, _IB_WORD, (sent,), (received,), errors, discards)
    out, into = _views(shown, _HW_OUT), _views(shown, _HW_IN)
    if out and into:
        return NicFiles(nic, "hw_counters of its driver", 1, out, into, errors, discards)
    below = _interface_below(folder, shown)
    if below is None:
        raise NicNotFoundError(
            f"NIC {nic!r}: its driver counts no bytes ({folder}/ports/*/counters/port_xmit_data "
            "and hw_counters were looked at) and no network interface belongs to it"
        )
    found = _of_interface(nic, below, sysfs)
    kind = f"statistics of {below}"
    all_errors, all_discards = (*found.errors, *errors), (*found.discards, *discards)
    return NicFiles(nic, kind, 1, found.bytes_out, found.bytes_in, all_errors, all_discards)


def _of_interface(nic: str, interface: str, sysfs: Path) -> NicFiles:
    folder = sysfs / "class/net" / interface / "statistics"
    return NicFiles(
        nic,
        "network statistics",
        1,
        ((folder / "tx_bytes",),),
        ((folder / "rx_bytes",),),
        (folder / "tx_errors", folder / "rx_errors"),
        (folder / "tx_dropped", folder / "rx_dropped"),
    )


def _views(ports: list[Path], sets: Iterable[tuple[str, ...]]) -> tuple[Files, ...]:
    found = (
        tuple(_readable(port / "hw_counters" / name for port in ports for name in names))
        for names in sets
    )
    return tuple(files for files in found if files)


def _interface_below(folder: Path, ports: list[Path]) -> str | None:
    """Return the interface of an RDMA device: its GID table names it, Soft-RoCE's `parent` too."""
    tables = [path for port in ports for path in sorted((port / "gid_attrs/ndevs").glob("*"))]
    for path in [*tables, folder / "parent"]:
        name = _text(path)
        if name:
            return name
    return None


def _readable(paths: Iterable[Path]) -> Iterator[Path]:
    return (path for path in paths if read_count(path) is not None)


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} if folder.is_dir() else set()


def _natural(name: str) -> list[tuple[int, str]]:
    """Return a key that sorts runs of digits by value."""
    parts: list[str] = []
    for char in name:
        if parts and parts[-1].isdigit() == char.isdigit():
            parts[-1] += char
        else:
            parts.append(char)
    return [(int(part), "") if part.isdigit() else (-1, part) for part in parts]
