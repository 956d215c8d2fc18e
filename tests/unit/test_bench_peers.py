# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The comparison with Mooncake, as far as it needs no RDMA: a Transfer Engine that plays along."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from nixl_stripe.bench import peers
from nixl_stripe.bench.engine import open_engine
from nixl_stripe.bench.mooncake import MooncakeEngine, address_of, pieces
from nixl_stripe.bench.options import Options, Sides
from nixl_stripe.bench.peer_cases import mooncake_cases
from nixl_stripe.bench.peer_install import Peer, preload, prepare
from nixl_stripe.bench.work import BenchJob, Repetition, Work
from nixl_stripe.cli import bench, main
from nixl_stripe.errors import StripeError, UsageError
from nixl_stripe.lab.job import Nixl
from nixl_stripe.lab.worker import TransferError

ROOT = Path(__file__).parents[2]
ENGINE = """
class TransferEngine:
    def initialize(self, address, metadata, protocol, devices):
        self.calls = [(address, metadata, protocol, devices)]
        return STATUS["initialize"]
    def get_rpc_port(self):
        return 12345
    def batch_register_memory(self, addresses, sizes):
        return STATUS["register"]
    def batch_unregister_memory(self, addresses):
        return STATUS["unregister"]
    def batch_transfer_sync_read(self, *what):
        self.calls.append(("READ", *what))
        return STATUS["transfer"]
    def batch_transfer_sync_write(self, *what):
        self.calls.append(("WRITE", *what))
        return STATUS["transfer"]
STATUS = dict(initialize=0, register=0, unregister=0, transfer=0)
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a Mooncake that keeps account of what it is asked and answers STATUS."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    for name in ("mooncake", "mooncake.engine"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    package = tmp_path / "site" / "mooncake"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "engine.py").write_text(ENGINE)
    return package.parent


def job(site: Path, **params: str) -> BenchJob:
    return BenchJob(
        "initiator",
        (Work("w", (4,), "READ"),),
        engine="mooncake",
        nixl=Nixl((str(site),)),
        params=params,
        counters=("lo",),
    )


def answer(**status: int) -> None:
    sys.modules["mooncake.engine"].STATUS.update(status)


def test_long_buffers_are_cut() -> None:
    assert pieces([(1000, 10), (2000, 4)], [5000, 6000], 4) == (
        [1000, 1004, 1008, 2000],
        [5000, 5004, 5008, 6000],
        [4, 4, 2, 4],
    )
    assert pieces([(1000, 10), (2000, 4)], [5000, 6000], 0) == ([1000, 2000], [5000, 6000], [10, 4])


def test_buffers_that_do_not_pair_bad_flow() -> None:
    with pytest.raises(ValueError, match="argument 2 is longer"):
        pieces([(1000, 10)], [5000, 6000], 0)


def test_the_engine_moves_the_pieces(site: Path) -> None:
    engine = open_engine(job(site, cut="4"))
    assert isinstance(engine, MooncakeEngine)
    assert engine.register([(1000, 6)], "DRAM", coalesce=False) == 1
    engine.describe([(1000, 6)], "DRAM")
    assert engine.hello() == {"segment": "127.0.0.1:12345", "addresses": [1000]}
    engine.meet({"segment": "10.0.0.2:1", "addresses": [7000]})
    engine.prepare("WRITE")
    assert engine.transfer(1).seconds >= 0
    engine.release()
    engine.deregister()
    assert engine._agent.calls == [
        ("127.0.0.1", "P2PHANDSHAKE", "rdma", ""),
        ("WRITE", "10.0.0.2:1", [1000, 1004], [7000, 7004], [4, 2]),
    ]


def test_what_mooncake_refuses_is_said_bad_flow(site: Path) -> None:
    engine = open_engine(job(site))
    answer(initialize=-1, register=-2, unregister=-3, transfer=-4)
    with pytest.raises(StripeError, match=r"did not start on 127\.0\.0\.1: initialize returned -1"):
        open_engine(job(site))
    with pytest.raises(StripeError, match="did not register 1 buffers: it returned -2"):
        engine.register([(1000, 6)], "DRAM", coalesce=False)
    engine.describe([(1000, 6)], "DRAM")
    engine.meet({"segment": "10.0.0.2:1", "addresses": [7000]})
    engine.prepare("READ")
    with pytest.raises(TransferError, match="ended the transfer with status -4"):
        engine.transfer(1)
    answer(register=0)
    engine.register([(1000, 6)], "DRAM", coalesce=False)
    with pytest.raises(StripeError, match="did not deregister: it returned -3"):
        engine.deregister()


def test_what_mooncake_is_not_asked_bad_flow(site: Path) -> None:
    with pytest.raises(ValueError, match="params stripe: Mooncake takes cut"):
        open_engine(job(site, stripe="all"))
    engine = open_engine(job(site))
    with pytest.raises(ValueError, match="VRAM: Mooncake is measured with DRAM"):
        engine.register([(1000, 6)], "VRAM", coalesce=False)
    with pytest.raises(ValueError, match="buffer by buffer"):
        engine.register([(1000, 6)], "DRAM", coalesce=True)


def test_an_absent_mooncake_says_how_to_get_it_bad_flow(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "mooncake", None)
    with pytest.raises(StripeError, match=r"does not load: .*; pip install 'nixl-stripe\[peer\]'"):
        open_engine(job(site))


def test_a_mooncake_that_pip_does_not_find_bad_flow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "mooncake" else 1)
    with pytest.raises(StripeError, match=r"pip cannot download .*'nixl-stripe\[peer\]'"):
        prepare(tmp_path, "mooncake-transfer-engine-non-cuda==0.0.0", lambda _: None)


def test_addresses_of_interfaces() -> None:
    assert address_of("lo") == "127.0.0.1"
    with pytest.raises(StripeError, match="no-such: no IPv4 address"):
        address_of("no-such")


def verbs(folder: Path) -> Path:
    """Compile a libibverbs whose queue pairs keep nothing but what was asked."""
    (folder / "v.c").write_text(
        "int ibv_modify_qp(void *q, void *a, int m) { (void)q; (void)a; return m; }"
    )
    (folder / "v.map").write_text("IBVERBS_1.1 { global: *; };")
    library = folder / "libibverbs.so.1"
    subprocess.run(
        ["cc", "-shared", "-fPIC", "-Wl,--version-script,v.map", "-o", str(library), "v.c"],
        cwd=folder,
        check=True,
    )
    return library


@pytest.mark.parametrize(("mask", "timeout"), [(1 << 9, 18), (1 << 9 | 1, 18), (1, 14)])
def test_only_an_ack_timeout_is_lengthened(tmp_path: Path, mask: int, timeout: int) -> None:
    verbs(tmp_path)
    script = (
        "import ctypes; attr = (ctypes.c_uint8 * 144)(); attr[130] = 14;"
        f"print(ctypes.CDLL(None).ibv_modify_qp(None, attr, {mask}), attr[130], sum(attr))"
    )
    more = {"LD_PRELOAD": str(preload(tmp_path)), "LD_LIBRARY_PATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, **more},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == [str(mask), str(timeout), str(timeout)]


def test_without_a_compiler_bad_flow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StripeError, match="no C compiler"):
        preload(tmp_path)


def test_cases_differ_in_what_they_are_named_for() -> None:
    work = (Work("READ 1 x 4", (4,), "READ"),)
    with tempfile.TemporaryDirectory() as made:
        peer = Peer(Nixl(("/mooncake",)), Path("/preload.so"), Path(made))
        sides = Sides(Nixl(("/stock",)), Nixl(("/patched",)))
        found = peers.cases_of(sides, 2, work)
        found += mooncake_cases(peer, rdma_bed(), Options(bed="rdma"), work, nics=2)
        cases = {str(case.labels["mode"]): case for case in found}
        every = cases["Mooncake, all NICs"].environment["MC_CUSTOM_TOPO_JSON"]
        nics = [["rxe0", "rxe1"], []]
        assert json.loads(Path(every).read_text()) == {"cpu:0": nics, "cpu:1": nics}
    assert {mode for mode, case in cases.items() if case.nixl.paths == ("/patched",)} == {"stripe"}
    assert cases["stock, UCX_MAX_RMA_RAILS"].environment == {"UCX_MAX_RMA_RAILS": "2"}
    assert cases["stock, engine_config"].params == {
        "engine_config": "MAX_RMA_RAILS=2,MAX_HCA_PER_GPU=inf,DISTANCE_BW=1000GBs"
    }
    mine = {mode: case for mode, case in cases.items() if case.engine == "mooncake"}
    assert len(mine) == 3
    assert all(case.environment["LD_PRELOAD"] == "/preload.so" for case in mine.values())
    assert mine["Mooncake, in turn, cut"].params == {"cut": "65536"}
    assert mine["Mooncake"].labels == {"mode": "Mooncake", "nics": 2}


def test_without_a_peer_there_is_no_case_of_it() -> None:
    assert mooncake_cases(None, rdma_bed(), Options(), ()) == []


def test_mooncake_needs_rdma_and_host_memory_bad_flow(tmp_path: Path) -> None:
    peer = Peer(Nixl(), Path("/preload.so"), tmp_path)
    tcp: Any = SimpleNamespace(name="tcp")
    with pytest.raises(UsageError, match="--bed tcp: Mooncake is compared over RDMA"):
        mooncake_cases(peer, tcp, Options(), ())
    with pytest.raises(UsageError, match="--memory vram: Mooncake is compared with dram"):
        mooncake_cases(peer, rdma_bed(), Options(memory="vram"), ())


def rdma_bed() -> Any:
    return SimpleNamespace(name="rdma", counters=("rail0", "rail1"), verbs=("rxe0", "rxe1"))


def row(mode: str, engine: str, rate: float) -> dict[str, Any]:
    return {
        "mode": mode,
        "engine": engine,
        "op": "READ",
        "tensors": "1 x 8 MiB",
        "gbps": {"median": rate},
    }


def test_stripe_is_compared_with_the_best_of_each() -> None:
    rows = [
        row("stock", "nixl", 1.0),
        row("stripe", "nixl", 3.0),
        row("Mooncake", "mooncake", 1.5),
        row("Mooncake, all NICs", "mooncake", 2.0),
    ]
    assert peers.compare(rows) == {
        "read 1 x 8 MiB: stripe over the best of Mooncake": 1.5,
        "read 1 x 8 MiB: stripe over the best of NIXL's own settings": 3.0,
    }
    assert [r["of_stripe"] for r in rows] == [0.3333, 1.0, 0.5, 0.6667]


def test_nics_that_take_turns_are_not_even() -> None:
    turns = [Repetition(0, (1,), {"a": 10, "b": 0}), Repetition(0, (1,), {"a": 0, "b": 10})]
    both = [Repetition(0, (1,), {"a": 5, "b": 5}), Repetition(0, (1,), {"a": 0, "b": 0})]
    assert peers.busiest(turns) == [1.0, 1.0]
    assert peers.busiest(both) == [0.5, 0.0]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["peers"], "--peer mooncake: it is compared over RDMA; give --bed rdma"),
        (["rails", "--peer", "mooncake"], "give --bed rdma"),
        (["refit", "--bed", "rdma", "--peer", "x"], "--peer x: accepted is mooncake"),
    ],
)
def test_peers_that_are_not_accepted_bad_flow(
    capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert main(["bench", *arguments]) == 2
    assert words in capsys.readouterr().err


def test_the_extra_names_the_same_mooncake() -> None:
    found = re.search(r'^peer = \["(.*)"\]$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert found is not None
    assert found[1] == bench._MOONCAKE
