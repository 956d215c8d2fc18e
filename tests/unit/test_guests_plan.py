# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What guests are made of, without booting one: layouts, QEMU's arguments, RAM disk, keeper."""

from __future__ import annotations

import gzip
import json
import lzma
import os
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import pytest
from nixl_stripe.errors import StripeError
from nixl_stripe.lab.guests import assets, initrd, keeper, kernel, qemu
from nixl_stripe.lab.guests.layout import Layout, arrange


def plan(layout: Layout, folder: Path = Path("/bed")) -> qemu.GuestPlan:
    return qemu.GuestPlan(
        side="initiator",
        layout=layout,
        folder=folder,
        kernel=Path("/k"),
        initrd=Path("/i"),
        python="/python",
        agent=Path("/agent.py"),
        accelerator="tcg",
    )


@pytest.mark.parametrize(
    ("nics", "numa_nodes", "how", "nodes", "switches"),
    [
        (1, 2, "even", [0], [0]),
        (2, 2, "even", [0, 1], [0, 1]),
        (4, 2, "even", [0, 0, 1, 1], [0, 1]),
        (8, 4, "even", [0, 0, 1, 1, 2, 2, 3, 3], [0, 1, 2, 3]),
        (8, 2, "even", [0] * 4 + [1] * 4, [0, 0, 1, 1]),
        (4, 2, "near", [0] * 4, [0, 0]),
        (4, 2, "mixed", [0, 0, 0, 1], [0, 0, 1]),
        (8, 2, "mixed", [0] * 6 + [1] * 2, [0, 0, 0, 1]),
        (3, 2, [1, 0, 0], [1, 0, 0], [1, 0]),
    ],
)
def test_layouts(
    nics: int, numa_nodes: int, how: str, nodes: list[int], switches: list[int]
) -> None:
    layout = arrange(nics, numa_nodes, how)  # type: ignore[arg-type]
    assert [nic.numa for nic in layout.nics] == nodes
    assert list(layout.switches) == switches
    assert all([n.switch for n in layout.nics].count(s) <= 2 for s in range(len(switches)))


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"nics": 0}, "nics"),
        ({"nics": 33}, "nics"),
        ({"nics": 32, "layout": [0, 1] * 16}, "layout"),
        ({"nics": 4, "numa_nodes": 5}, "numa_nodes"),
        ({"nics": 4, "layout": "odd"}, "layout"),
        ({"nics": 4, "layout": [0, 0, 0]}, "layout"),
        ({"nics": 4, "layout": [0, 0, 0, 2]}, "layout"),
        ({"nics": 4, "gpus": "Q"}, "gpus"),
        ({"nics": 4, "numa_nodes": 1, "gpus": "S"}, "gpus"),
    ],
)
def test_layouts_bad_flow(arguments: dict[str, object], named: str) -> None:
    with pytest.raises(ValueError, match=f"^{named}: "):
        arrange(**arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize("nics", [8, 17, 20, 32])
def test_qemu_arguments_name_every_bus_and_chassis_once(nics: int) -> None:
    layout = arrange(nics, 2, "mixed", "PHNS")
    arguments = qemu.arguments(plan(layout))
    devices = [arguments[i + 1].split(",") for i, word in enumerate(arguments) if word == "-device"]
    names = [part for device in devices for part in device if part.startswith("id=")]
    assert len(names) == len(set(names))
    known = {name.removeprefix("id=") for name in names} | {"pcie.0"}
    used = {part[4:] for device in devices for part in device if part.startswith("bus=")}
    assert used <= known
    assert sum(device[0] == "virtio-net-pci" for device in devices) == nics
    assert sum(device[0] == "pci-testdev" for device in devices) == 4
    roots = [part for device in devices for part in device if part.startswith("bus_nr=")]
    assert len(roots) == len(set(roots)) == layout.roots
    buses = sorted(int(part.removeprefix("bus_nr=")) for part in roots)
    assert all(after - before >= 8 for before, after in pairwise([*buses, 256]))
    chassis = [part for device in devices for part in device if part.startswith("chassis=")]
    assert len(chassis) == len(set(chassis)) == nics + len(layout.switches) + 4
    assert all(int(part.removeprefix("chassis=")) < 256 for part in chassis)


def test_gpu_roots_are_those_of_the_arguments() -> None:
    layout = arrange(4, 2, "even", "PNS")
    assert qemu.gpu_roots(layout) == {
        "P": "pci0000:20",
        "N": "pci0000:40",
        "S": "pci0000:50",
    }
    text = " ".join(qemu.arguments(plan(layout)))
    assert "id=rootN,bus=pcie.0,bus_nr=64,numa_node=0" in text
    assert "id=rootS,bus=pcie.0,bus_nr=80,numa_node=1" in text


def test_both_ends_of_a_cable_meet() -> None:
    layout = arrange(2)
    mine = " ".join(qemu.arguments(plan(layout)))
    assert "local.path=/bed/initiator.nic1,remote.type=unix,remote.path=/bed/target.nic1" in mine
    assert qemu.mac("initiator", 1) != qemu.mac("target", 1)


def test_initrd_is_read_by_cpio_readers(tmp_path: Path) -> None:
    busybox = tmp_path / "busybox"
    busybox.write_bytes(b"program")
    data = initrd.build_initrd(busybox, {"b.ko": b"12345", "a.ko": b""}, b"#!/bin/sh\n")
    found, at = {}, 0
    while True:
        fields = [int(data[at + 6 + 8 * i : at + 14 + 8 * i], 16) for i in range(13)]
        assert data[at : at + 6] == b"070701"
        size, length = fields[6], fields[11]
        name = data[at + 110 : at + 110 + length - 1].decode()
        at = (at + 110 + length + 3) // 4 * 4
        if name == "TRAILER!!!":
            break
        found[name] = data[at : at + size]
        at = (at + size + 3) // 4 * 4
    assert found["modules/b.ko"] == b"12345"
    assert found["modules/order"] == b"b.ko\na.ko\n"
    assert found["bin/sh"] == b"busybox"
    assert found["init"] == b"#!/bin/sh\n"


@pytest.mark.parametrize("pack", [lzma.compress, gzip.compress])
def test_bare_kernel_is_found_behind_false_starts(pack: object) -> None:
    elf = b"\x7fELF" + bytes(range(256)) * 40
    packed = pack(elf)  # type: ignore[operator]
    assert kernel.bare_kernel(b"MZ" + packed[:6] + b"noise" * 9 + packed + b"tail") == elf
    assert kernel.bare_kernel(b"MZ" + b"noise" * 99) is None


def test_modules_come_after_what_they_need(tmp_path: Path) -> None:
    folder = tmp_path / "kernel" / "drivers"
    folder.mkdir(parents=True)
    (folder / "top.ko").write_bytes(b"..\0depends=mid-dle,built\0..")
    (folder / "mid-dle.ko.xz").write_bytes(lzma.compress(b"..\0depends=low\0.."))
    (folder / "low.ko").write_bytes(b"..\0depends=\0..")
    (tmp_path / "modules.builtin").write_text("kernel/fs/built.ko\n")
    assert list(kernel.modules(tmp_path, ["top"])) == ["low.ko", "mid_dle.ko", "top.ko"]
    with pytest.raises(StripeError, match="kernel module absent"):
        kernel.modules(tmp_path, ["absent"])


def test_why_not_names_program_and_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    need = assets.Need("no-such-program", "the-package")
    monkeypatch.setattr(assets, "NEEDS", (need,))
    reason = assets.why_not(tmp_path)
    assert reason is not None
    assert "no-such-program" in reason
    assert "apt-get install the-package" in reason
    with pytest.raises(StripeError, match="no-such-program"):
        assets.prepare(tmp_path, install=False)


def test_why_not_without_a_kernel(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(assets, "missing", list)
    assert "no guest kernel yet" in (assets.why_not(tmp_path) or "")
    (tmp_path / "kernel-1.2").mkdir()
    assert assets.why_not(tmp_path) is None


def start_keeper(folder: Path) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", keeper.__file__, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin is not None
    program = f"echo $$ > {folder}/pid.new; mv {folder}/pid.new {folder}/pid; exec sleep 60"
    process.stdin.write(json.dumps(["sh", "-c", program]).encode() + b"\n\n")
    process.stdin.flush()
    return process


def child_of(folder: Path) -> int:
    end = time.monotonic() + 20
    while not (folder / "pid").exists():
        assert time.monotonic() < end
        time.sleep(0.02)
    return int((folder / "pid").read_text())


def gone(pid: int) -> bool:
    end = time.monotonic() + 10
    while time.monotonic() < end:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":  # nobody here collects orphans
            return True
        time.sleep(0.05)
    return False


def test_keeper_clears_up_when_its_input_ends(tmp_path: Path) -> None:
    folder = tmp_path / "bed"
    folder.mkdir()
    process = start_keeper(folder)
    pid = child_of(folder)
    process.communicate(timeout=20)
    assert process.returncode == 0
    assert gone(pid)
    assert not folder.exists()


def test_guests_die_with_a_killed_keeper(tmp_path: Path) -> None:
    process = start_keeper(tmp_path)
    pid = child_of(tmp_path)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=20)
    assert gone(pid)


def test_keeper_leaves_signals_to_the_bed(tmp_path: Path) -> None:
    folder = tmp_path / "bed"
    folder.mkdir()
    process = start_keeper(folder)
    pid = child_of(folder)
    process.send_signal(signal.SIGTERM)
    time.sleep(0.3)
    os.kill(pid, 0)
    process.communicate(timeout=20)
    assert gone(pid)
