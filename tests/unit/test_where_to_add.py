# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""CONTRIBUTING's table "Where to add": with a dummy in its place, everything else follows."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import grafana_board
import nixl_stripe
import pytest
from agent_texts import agent_text
from docgen import bench, code
from nixl_stripe import _core
from nixl_stripe.cli import main
from nixl_stripe.doctor import Check, catalogue
from nixl_stripe.doctor.check import warn
from nixl_stripe.lab.remote import settings
from nixl_stripe.planning import emit, planner, traps
from nixl_stripe.proof import agent_metrics, agents
from nixl_stripe.versions import NEWEST
from nixl_wheels import WHEELS

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "CONTRIBUTING.md").read_text("utf-8")


def test_the_places_and_tests_of_the_table_exist() -> None:
    rows = TEXT.partition("## Where to add")[2].partition("## Style")[0]
    named = set(re.findall(r"`([\w/.]+\.(?:cpp|py))`", rows))
    assert len(named) >= 12
    missing = [
        name
        for name in named
        if not any((ROOT / base / name).exists() for base in ("", "python/nixl_stripe"))
    ]
    assert missing == []


def with_row(monkeypatch: pytest.MonkeyPatch, name: str, row: Any) -> None:
    """Let a table of the compiled module have one row more."""
    rows = [*getattr(_core, name)(), row]
    monkeypatch.setattr(_core, name, lambda: rows)


def in_a_process(name: str, row: str, then: str) -> str:
    """The same for what a module works out when it is imported."""
    program = (
        "from types import SimpleNamespace\n"
        "from nixl_stripe import _core\n"
        f"rows = [*_core.{name}(), SimpleNamespace({row})]\n"
        f"_core.{name} = lambda: rows\n{then}\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return done.stdout


def test_a_policy(monkeypatch: pytest.MonkeyPatch) -> None:
    with_row(
        monkeypatch,
        "policy_table",
        SimpleNamespace(word="dummy", needs_gpu=True, meaning="those that it likes"),
    )
    assert "| `dummy` | those that it likes | yes |" in code.policies()
    helped = in_a_process(
        "policy_table",
        "word='dummy', needs_gpu=True, meaning='x'",
        "from nixl_stripe.cli import main; main(['plan', '--help'])",
    )
    assert "dummy" in helped


def test_a_policy_is_spelled_nowhere_else() -> None:
    assert all(word in _core.accepted_stripe() for word in ("all", "numa", "nearest", "fair"))
    lists = re.compile(r"numa['\", ]+(?:and )?['\"]?nearest")
    spelled = [
        path.name
        for path in (ROOT / "python").rglob("*.py")
        if lists.search(path.read_text("utf-8"))
    ]
    assert spelled == []


def test_a_parameter(monkeypatch: pytest.MonkeyPatch) -> None:
    row = {
        "key": "stripe_dummy",
        "variable": "NIXL_UCX_STRIPE_DUMMY",
        "accepted": "'a' or 'b'",
        "meaning": "nothing",
        "is_in_stock": False,
    }
    with_row(monkeypatch, "parameter_table", SimpleNamespace(**row))
    assert "| `stripe_dummy` | `a` or `b` | nothing |" in code.parameters()
    assert "`NIXL_UCX_STRIPE_DUMMY`" in code.variables()
    seen: list[dict[str, str]] = []

    def make_plan(host: Any, parameters: dict[str, str], *_: Any) -> Any:
        seen.append(parameters)
        raise LookupError

    monkeypatch.setattr(_core, "make_plan", make_plan)
    with pytest.raises(LookupError):
        planner.plan_for({"stripe_dummy": "a", "num_threads": "2"})
    assert seen == [{"stripe_dummy": "a"}]
    asked = in_a_process(
        "parameter_table",
        ", ".join(f"{key}={value!r}" for key, value in row.items()),
        "from nixl_stripe.agents import unpatched\n"
        "print(unpatched.needs_patch({'stripe_dummy': 'a'}))\n"
        "print(unpatched.asks_for_ours({}, {'NIXL_UCX_STRIPE_DUMMY': 'a'}))",
    )
    assert asked.splitlines() == ["('stripe_dummy',)", "True"]


def test_a_peer_may_choose_what_the_tables_have() -> None:
    """The third place of a parameter, a setting and a trap, and the only one that is a copy."""
    keys = {info.key for info in _core.parameter_table()}
    assert keys <= set(settings.PARAMS)
    known = {rule.key for rule in _core.setting_table()} | set(traps.keys())
    assert known <= set(settings.SETTINGS), known - set(settings.SETTINGS)


def test_a_setting() -> None:
    said = in_a_process(
        "setting_table",
        "key='STRIPE_DUMMY', is_per_host=True, is_users=False, lack='dummies', scope='context',"
        " side='both', is_for_gpu_over_tcp=False, is_for_loss=False",
        "from nixl_stripe.planning import peer\nprint('STRIPE_DUMMY' in peer._OWN)",
    )
    assert said == "True\n"


def test_a_trap(monkeypatch: pytest.MonkeyPatch) -> None:
    row = SimpleNamespace(key="DUMMY", when="always", effect="all is lost", fix="DUMMY=n")
    with_row(monkeypatch, "trap_table", row)
    assert "| `UCX_DUMMY` | always | all is lost | unset it, or DUMMY=n |" in code.traps()
    assert "DUMMY" in traps.keys()  # noqa: SIM118 - a function of the module


def test_a_metric_of_an_agent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(agents, "SAMPLES", {**agents.SAMPLES, "dummy": ("nic",)})
    monkeypatch.setattr(agent_metrics, "SAMPLES", agents.SAMPLES)
    known = {name: agents._series_of(name) for name in agents.SAMPLES}
    monkeypatch.setattr(agents, "_SERIES", known)
    monkeypatch.setattr(agent_metrics, "HELP", {**agent_metrics.HELP, "dummy": "Dummies."})
    line = 'nixl_stripe_agent_dummy{agent_name="w0",nic="mlx5_0"} 7'
    (tmp_path / "a.prom").write_text(agent_text("w0").replace("# EOF", f"{line}\n# EOF"))
    (family,) = (
        each
        for each in agent_metrics.AgentCollector(tmp_path).collect()
        if each.name == "nixl_stripe_agent_dummy"
    )
    (sample,) = family.samples
    assert (family.documentation, sample.value) == ("Dummies.", 7)
    assert sample.labels == {"agent_name": "w0", "process": "a", "nic": "mlx5_0"}


@pytest.mark.skipif(sys.version_info < (3, 11), reason="grafana-foundation-sdk needs Python 3.11")
def test_a_panel(monkeypatch: pytest.MonkeyPatch) -> None:
    panel = grafana_board.Panel("Dummies", "All of them.", "sum(dummy)", "{{nic}}")
    monkeypatch.setattr(grafana_board, "PANELS", (*grafana_board.PANELS, panel))
    assert '"expr": "sum(dummy)"' in grafana_board.text()


def test_a_check(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    check = Check("dummy", "dummies", lambda _: warn("one dummy", "dummy --off"))
    for module in (catalogue, code):
        monkeypatch.setattr(module, "CHECKS", (*catalogue.CHECKS, check))
    assert "| `dummy` | dummies |" in code.checks()
    assert main(["doctor", "--only", "dummy"]) == 0
    said = capsys.readouterr().out
    assert "one dummy" in said
    assert "dummy --off" in said


def test_a_client(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    source = str(ROOT / "tests/data/topologies/hwloc-aws-p5.48xl.xml")
    command = ["plan", "--source", source, "--stripe", "all", "--emit", "dummy"]
    assert main(command) == 2
    capsys.readouterr()
    monkeypatch.setitem(emit.CLIENTS, "dummy", lambda plan: f"rails: {plan.rails}")
    assert main(command) == 0
    assert capsys.readouterr().out.startswith("rails: ")


def test_a_benchmark(monkeypatch: pytest.MonkeyPatch) -> None:
    made: Any = ModuleType("nixl_stripe.bench.dummy")
    made.COLUMNS = ("mode", "nics")
    monkeypatch.setitem(sys.modules, made.__name__, made)
    document = {
        "bench": "dummy",
        "machine": {"bed": "tcp", "nics": 4, "mbit": 100.0},
        "rows": [{"mode": "stripe", "nics": 4}],
        "ratios": {"all_over_one": 3.9},
    }
    monkeypatch.setattr(bench, "result", lambda _: document)
    text = bench.rows("dummy")
    assert "stripe" in text
    assert "- all_over_one: 3.900" in text


def test_a_nixl_version_touches_two_files() -> None:
    """Every other mention is of what was once measured, or of a wheel that a test makes itself."""
    assert {"nixl-cu12", "nixl-cu13"} == {name for name, version in WHEELS if version == NEWEST}
    real = re.compile(
        r"= .*\b(?:nixl_wheel|wheel_file|unpacked|patched)\([^)\n]*\"" + re.escape(NEWEST) + r"\""
    )
    spelled = [
        str(path.relative_to(ROOT))
        for folder in ("tests", "tools")
        for path in sorted((ROOT / folder).rglob("*.py"))
        if real.search(path.read_text("utf-8"))
    ]
    assert spelled == []
    default = re.compile(r"^[^#\n]*=\s*f?\"(?:nixl-cu\d+==)?" + re.escape(NEWEST), re.MULTILINE)
    package = [
        path.name
        for path in sorted((ROOT / "python/nixl_stripe").rglob("*.py"))
        if default.search(path.read_text("utf-8"))
    ]
    assert package == ["versions.py"]


def test_a_source_of_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    gain = SimpleNamespace(bytes_out=7, bytes_in=0, errors=0, discards=0, problem="")
    source = SimpleNamespace(
        name="dummy",
        kind="counted",
        blind="everything but dummies",
        where="here",
        read=lambda: SimpleNamespace(),
        gain=lambda *_: gain,
    )
    place = SimpleNamespace(
        nics=lambda: ["mlx5_0"],
        best=lambda _: SimpleNamespace(source=source, reason=""),
        is_up=lambda _: True,
    )
    monkeypatch.setattr(_core, "CounterHost", lambda _: place)
    with nixl_stripe.counters() as counted:
        pass
    row = counted.by_nic()["mlx5_0"]
    assert (row.bytes_out, row.source, row.blind) == (7, "dummy", "everything but dummies")
