# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Verbs that download: what the user said wrong is refused before anything is fetched."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from nixl_stripe.bench import peer_install
from nixl_stripe.cli import main
from nixl_stripe.errors import StripeError
from nixl_stripe.wheel import fetch

ASKED = "a download was asked for"
#: Command lines, `{here}` an empty folder and `{file}` a file that is no result; what is said.
BAD = [
    ("wheel --from nixl-cu12 --from numpy", "--from numpy: not NIXL"),
    ("wheel --from nixl-cu12 --from absent.whl", "--from absent.whl: no such file"),
    ("wheel --from nixl-cu12 --out {file}/out", "--out {file}/out: {file} is no folder"),
    ("bench rails --bed fast", "--bed fast: accepted are tcp, rdma"),
    ("bench rails --nics 65", "--nics 65"),
    ("bench rails --nics 0", "--nics 0: accepted are 1 and more"),
    ("bench rails --bed rdma --nics 64", "--nics 64"),
    ("bench rails --mbit -1", "--mbit -1: accepted are 0"),
    ("bench rails --op both --op none", "--op none: accepted are read, write, both"),
    ("bench rails --memory disk", "--memory disk: accepted are dram"),
    ("bench rails --stock-folder {here}", "--stock-folder and --patched-folder: give both"),
    ("bench rails --nixl-wheel nixl", "--nixl-wheel nixl: both flavours; accepted is one, such as"),
    ("bench rails --nixl-wheel nixl==1.5.1", "--nixl-wheel nixl==1.5.1: both flavours"),
    ("bench rails --nixl-wheel numpy", "--nixl-wheel numpy: not NIXL; accepted are"),
    ("bench rails --nixl-wheel absent.whl", "--nixl-wheel absent.whl: no such file"),
    ("bench rails --nixl-wheel 1.5.1", "--nixl-wheel 1.5.1: not NIXL; accepted are"),
    ("bench rails --nixl-wheel {here}", "--nixl-wheel {here}: neither a file nor a requirement"),
    (
        "bench rails --nixl-wheel 'nixl-cu12 @ file:///a'",
        "--nixl-wheel nixl-cu12 @ file:///a: an address; download the wheel",
    ),
    ("bench rails --nixl-wheel nixl --bed rdma", "--nixl-wheel nixl: both flavours"),
    ("bench peers --bed rdma --mooncake absent.whl", "--mooncake absent.whl: no such file"),
    ("bench peers --bed rdma --mooncake numpy", "--mooncake numpy: accepted are mooncake-"),
    ("bench peers --bed rdma --mooncake {here}", "--mooncake {here}: accepted are mooncake-"),
    ("bench rails --save {here}", "--save {here}: accepted is a file"),
    ("bench rails --save {file}/a/b.json", "--save {file}/a: {file} is no folder"),
    ("bench rails --bed rdma --peer gloo", "--peer gloo: accepted is mooncake"),
    ("bench rails --bed tcp --peer mooncake", "--peer mooncake: it is compared over RDMA"),
    ("bench peers", "--peer mooncake: it is compared over RDMA"),
    ("bench peers --bed rdma --memory vram", "--memory vram: Mooncake is compared with dram"),
    ("bench peers --bed rdma --tensors 0", "--tensors 0: accepted are 1 and more"),
    ("bench refit --scale 2", "scale=2: accepted are numbers above 0, at most 1"),
    ("bench sizes --start-size 1M --size 64K", "--start-size 1048576, --size 65536: accepted"),
    ("bench latency --size 0", "--size '0': accepted are 4096"),
    ("bench latency --with-resume --bed rdma", "--with-resume: accepted is --bed tcp, not rdma"),
    (
        "bench latency --with-resume --nics 1",
        "--with-resume: accepted are --nics 2 and more, not 1",
    ),
    ("bench many --setting FAST", "--setting 'FAST': accepted is KEY=VALUE"),
    ("bench many --tensors 0", "--tensors 0: accepted are 1 and more"),
    ("bench fail --mode never", "--mode never: accepted are"),
    ("bench fail --cuts 0", "--cuts 0: accepted are 1 and more"),
    ("bench fail --nics 1", "--nics 1: 1 NIC: accepted are 2 and more"),
    ("bench fail --resume {file}", "--resume {file}: no result of this benchmark"),
    ("bench agent --agents 0", "--agents 0: accepted are 1 and more"),
]
GOOD = [
    "wheel --from nixl-cu12 --out {here}/a/b",
    "bench rails",
    "bench rails --nixl-wheel nixl-cu13",
    "bench rails --nixl-wheel 'nixl_cu12>=1.4'",
    "bench rails --save {here}/a/b.json",
    "bench refit --scale 0.5",
    "bench sizes --start-size 4K --size 64K",
    "bench latency --size 8",
    "bench many --setting A=B",
    "bench fail --cuts 1 --resume {here}/new.json",
    "bench agent --agents 1",
]


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    def refuse(*_: object) -> Path:
        raise StripeError(ASKED)

    for module in (fetch, peer_install):
        monkeypatch.setattr(module, "download", refuse)
    monkeypatch.setattr("nixl_stripe.cli.wheel.read_our_plugin", lambda _plugin: None)
    # Nothing is measured, so that where it was measured need not be found out.
    monkeypatch.setattr("nixl_stripe.bench.provenance.commit", lambda _folder: None)
    monkeypatch.setenv("NIXL_STRIPE_CACHE", str(tmp_path / "cache"))
    (tmp_path / "here").mkdir()
    (tmp_path / "file").write_text("{}")
    return {name: str(tmp_path / name) for name in ("here", "file")}


@pytest.mark.parametrize(("line", "message"), BAD, ids=[line for line, _ in BAD])
def test_a_bad_argument_costs_no_download_bad_flow(
    places: dict[str, str], capsys: pytest.CaptureFixture[str], line: str, message: str
) -> None:
    assert main(shlex.split(line.format(**places))) == 2
    said = capsys.readouterr().err
    assert message.format(**places) in said
    assert ASKED not in said


@pytest.mark.parametrize("line", GOOD)
def test_a_good_one_comes_to_the_download(
    places: dict[str, str], capsys: pytest.CaptureFixture[str], line: str
) -> None:
    assert main(shlex.split(line.format(**places))) == 1
    assert ASKED in capsys.readouterr().err
