# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""`stripe_metrics` in a real NIXL: the file, its figures, and nothing of it where nobody asks."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from import_watch import compile_helper, leads_to_ucx, run
from nixl_agents import network_interface, run_agents
from nixl_stripe.proof.agents import AgentFile, parse
from nixl_stripe.versions import NEWEST
from nixl_wheels import run_program

WheelOf = Callable[[str, str], Path]
PAYLOAD = 65536
"""Bytes that an agent of `run` writes to itself, and reads, in each step."""


@pytest.fixture(scope="module")
def helper(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compile_helper(tmp_path_factory.mktemp("helper"))


def figures(file: AgentFile, name: str) -> dict[tuple[str, ...], int]:
    return {each.labels: each.value for each in file.samples if each.name == name}


def read(path: Path) -> AgentFile:
    return parse(path.read_bytes(), path.stem)


def test_what_was_handed_over_to_the_byte(
    helper: Path,
    patched: WheelOf,
    tmp_path: Path,
) -> None:
    path = tmp_path / "job-%p.prom"
    asks = {"stripe_metrics": str(path), "device_list": network_interface()}
    seen, printed = run(helper, patched("nixl-cu12", NEWEST), [("w0", asks), ("plain", {})])
    assert [leads_to_ucx(each) for each in seen] == [False, False]
    assert "nixl-stripe" not in printed
    (file,) = tmp_path.iterdir()
    found = read(file)
    assert file.name == f"job-{found.pid}.prom"
    assert found.agents == ("w0",), "the other agent did not ask"
    sums = {"out": 0, "in": 0}
    for name in ("intended_bytes_total", "elsewhere_bytes_total"):
        for labels, value in figures(found, name).items():
            sums[labels[-1]] += value
    assert sums == {"out": 2 * PAYLOAD, "in": 2 * PAYLOAD}
    assert figures(found, "intended_bytes_total")[network_interface(), "out"] == 2 * PAYLOAD
    assert figures(found, "transfers_total") == {(): 4}
    assert figures(found, "errors_total") == {(): 0}
    assert figures(found, "planned_nics") == {(): 1}
    assert figures(found, "ucx_setting_info")["NET_DEVICES", network_interface()] == 1


#: Releases transfers until three were under way then, and waits for their bytes. On a busy machine
#: the progress thread may have ended one before its post returns.
EARLY = """
import ctypes, os, sys, time
from nixl_cu12._api import nixl_agent, nixl_agent_config

agent = nixl_agent("w0", nixl_agent_config(enable_prog_thread=True, backends=[]))
agent.create_backend("UCX", {"stripe_metrics": sys.argv[1]})
size, early, posted = 64 << 20, 0, 0
source, target = (ctypes.create_string_buffer(size) for _ in range(2))
spans = [ctypes.addressof(each) for each in (source, target)]
for span in spans:
    agent.register_memory([(span, size, 0, "")], "DRAM")
descs = [agent.get_xfer_descs([(span, size, 0)], "DRAM") for span in spans]
while early < 3 and posted < 200:
    posted += 1
    ctypes.memset(source, posted, size)
    handle = agent.initialize_xfer("WRITE", *descs, agent.name)
    early += agent.transfer(handle) == "PROC"
    agent.release_xfer_handle(handle)
    while target[0] != bytes([posted]) or target[size - 1] != bytes([posted]):
        time.sleep(0.01)
text = ""
for _ in range(600):
    if os.path.exists(sys.argv[1]):
        with open(sys.argv[1]) as file:
            text = file.read()
    if f'transfers_total{{agent_name="w0"}} {posted}\\n' in text:
        break
    time.sleep(0.1)
print(text)
print(early, posted, flush=True)
os._exit(0)
"""


def test_a_transfer_that_is_released_while_under_way_still_ends(
    patched: WheelOf, tmp_path: Path
) -> None:
    """UCX does not say when a request ends that was freed: that of a flush is kept until then."""
    done = run_program(
        EARLY,
        tmp_path / "job.prom",
        sites=[patched("nixl-cu12", NEWEST)],
        timeout=240,
        UCX_MODULES="^ib",
        UCX_TLS="tcp",
    )
    early, posted = map(int, done.stdout.splitlines()[-1].split())
    assert early == 3, "the test shows nothing"
    assert f'transfers_total{{agent_name="w0"}} {posted}\n' in done.stdout


def test_nobody_asks_nothing_is_there_bad_flow(
    helper: Path,
    patched: WheelOf,
    tmp_path: Path,
) -> None:
    site = patched("nixl-cu12", NEWEST)
    asks = {"stripe_metrics": str(tmp_path / "a.prom")}
    steps: list[tuple[str, dict[str, str] | None]] = [("a", {}), ("b", asks), ("b", None)]
    seen, _ = run(helper, site, steps, NIXL_STRIPE_DISABLE="1")
    assert [leads_to_ucx(each) for each in seen] == [True, True, True]
    assert list(tmp_path.iterdir()) == []
    seen, _ = run(helper, site, steps)
    assert [leads_to_ucx(each) for each in seen] == [True, False, True]
    assert [each.name for each in tmp_path.iterdir()] == ["a.prom"]


def test_the_variable_does_the_same(
    helper: Path,
    patched: WheelOf,
    tmp_path: Path,
) -> None:
    variable = {"NIXL_UCX_STRIPE_METRICS": str(tmp_path / "%h.prom")}
    run(helper, patched("nixl-cu12", NEWEST), [("a", {}), ("b", {})], **variable)
    (file,) = tmp_path.iterdir()
    assert file.stem == os.uname().nodename
    assert set(read(file).agents) <= {"a", "b"}


#: Makes an agent, says its host's word for the process, and waits until its file is there.
LATER = """
import os, sys, time
from nixl_cu12._api import nixl_agent, nixl_agent_config

agent = nixl_agent("w0", nixl_agent_config(backends=["UCX"]))
os.mkdir(sys.argv[1])
for _ in range(600):
    if os.listdir(sys.argv[1]):
        break
    time.sleep(0.1)
print("files", *os.listdir(sys.argv[1]), flush=True)
os._exit(0)
"""


#: Makes an agent, and stays until the other's is there too: one process at a time has a number of
#: its namespace, not two.
MEETS = """
import os, sys, time
from nixl_cu12._api import nixl_agent, nixl_agent_config

agent = nixl_agent("job{number}", nixl_agent_config(backends=["UCX"]))
for _ in range(600):
    if len([name for name in os.listdir(sys.argv[1]) if name.endswith(".prom")]) == 2:
        break
    time.sleep(0.1)
os._exit(0)
"""


def test_a_variable_that_names_no_folder_stops_no_job(patched: WheelOf, tmp_path: Path) -> None:
    """It may be a whole fleet's: a warning, and the file is there once the folder is."""
    folder = tmp_path / "later"
    done = run_program(
        LATER,
        folder,
        sites=[patched("nixl-cu12", NEWEST)],
        UCX_MODULES="^ib",
        NIXL_UCX_STRIPE_METRICS=str(folder / "w.prom"),
    )
    assert done.stdout.splitlines()[-1] == "files w.prom"
    assert f"stripe_metrics: '{folder / 'w.prom'}' is not written: No such file" in done.stderr


def test_processes_of_two_pid_namespaces_have_two_files(patched: WheelOf, tmp_path: Path) -> None:
    """Two pods of a node that share its network have one host name, and each a process 1."""
    both = threading.Barrier(2)

    def agent(number: int) -> None:
        both.wait()
        run_program(
            MEETS.format(number=number),
            tmp_path,
            sites=[patched("nixl-cu12", NEWEST)],
            under=["unshare", "--map-root-user", "--pid", "--fork", "--mount-proc"],
            UCX_MODULES="^ib",
            NIXL_UCX_STRIPE_METRICS=str(tmp_path / "%h-%p.prom"),
        )

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(agent, range(2)))
    names = [each.stem for each in tmp_path.glob("*.prom")]
    assert len(names) == 2, names
    assert all(re.fullmatch(rf"{os.uname().nodename}-1-\d+", name) for name in names), names
    found = {name for each in tmp_path.glob("*.prom") for name in read(each).agents}
    assert found == {"job0", "job1"}


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("here.prom", "accepted: an absolute path that ends in .prom"),
        ("{}/no/x.prom", "No such file or directory"),
        ("{}/%x.prom", "accepted: an absolute path that ends in .prom"),
    ],
)
def test_bad_values_leave_nothing_behind_bad_flow(
    patched: WheelOf, fake_torch: Path, tmp_path: Path, value: str, reason: str
) -> None:
    given = value.format(tmp_path)
    steps = [{"stripe_metrics": given}, {"stripe_metrics": str(tmp_path / "good.prom")}]
    outcome = run_agents(patched("nixl-cu12", NEWEST), "nixl-cu12", steps, torch=fake_torch)
    assert outcome.steps[0].error is not None
    assert f"stripe_metrics='{given}'" in str(outcome.steps[0].error)
    assert reason in str(outcome.steps[0].error)
    assert outcome.steps[1].error is None, "the agent stays usable"
    assert [each.name for each in tmp_path.iterdir()] == ["good.prom"]
