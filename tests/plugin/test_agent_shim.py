# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""`nixl_stripe.nixl_agent` over real wheels, stock and patched, each case in a fresh process."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
from nixl_stripe.agents.nixl_api import PACKAGES
from nixl_stripe.versions import NEWEST
from nixl_wheels import NIXL_IDS, NIXL_VERSIONS, environment, run_program

WheelOf = Callable[[str, str], Path]

PRELUDE = """
import os, sys, warnings
from nixl_stripe import nixl_agent, nixl_agent_config
from nixl_stripe.agents.unpatched import UnpatchedPluginError
def shown(call):
    try:
        return call()
    except Exception as error:
        return f"{type(error).__name__}: {error}"
"""

#: Stock NIXL before 1.4 crashes when a process with an agent ends on a machine without RDMA (in its
#: bundled libnl-route): such a process leaves at once.
LEAVE = """
sys.stdout.flush()
os._exit(0)
"""
CRASHES_AT_EXIT = ("1.3.2", "1.0.1", "0.10.1")


def _run(code: str, *sites: Path, **variables: str) -> list[str]:
    """Run `code` after PRELUDE with NIXL from `sites`; return what it printed, line by line."""
    settings = {"UCX_TLS": "tcp", "UCX_MODULES": "^ib", "NIXL_LOG_LEVEL": "ERROR", **variables}
    # The environment of the tests may have a NIXL too: scripts/demo leaves one there.
    others = [name for name in PACKAGES if not any((site / name).is_dir() for site in sites)]
    hidden = f"import sys\nsys.modules.update(dict.fromkeys({others}))\n"
    program = hidden + PRELUDE + textwrap.dedent(code)
    done = run_program(program, sites=sites, timeout=60, **settings)
    return [line for line in done.stdout.splitlines() if line.startswith("> ")]


@pytest.fixture
def stock(unpacked: WheelOf) -> Path:
    return unpacked("nixl-cu12", NEWEST)


@pytest.fixture
def ours(patched: WheelOf) -> Path:
    return patched("nixl-cu12", NEWEST)


@pytest.mark.parametrize(("name", "version"), NIXL_VERSIONS, ids=NIXL_IDS)
def test_every_version_takes_parameters(
    patched: WheelOf, fake_torch: Path, name: str, version: str
) -> None:
    code = """
    agent = nixl_agent("a", nixl_agent_config(backend_params={"max_rma_rails": 3}, num_threads=2))
    print(">", agent.applied_backend_params)
    print(">", type(agent).__mro__[1].__module__, agent.name)
    """
    if version in CRASHES_AT_EXIT:
        code = textwrap.dedent(code) + LEAVE
    lines = _run(code, patched(name, version), fake_torch)
    assert lines[0] == "> {'UCX': {'num_threads': '2', 'max_rma_rails': '3'}}"
    assert lines[1] == f"> {name.replace('-', '_')}._api a"


@pytest.mark.parametrize(("name", "version"), NIXL_VERSIONS, ids=NIXL_IDS)
def test_every_stock_version_is_recognised(
    unpacked: WheelOf, fake_torch: Path, name: str, version: str
) -> None:
    code = """
    config = nixl_agent_config(backend_params={"max_rma_rails": 3})
    print(">", shown(lambda: nixl_agent("a", config)))
    """
    site = unpacked(name, version)
    (line,) = _run(code, site, fake_torch)
    package = name.replace("-", "_")
    assert line == (
        f"> UnpatchedPluginError: max_rma_rails='3': the UCX plugin of {package} {version} is the "
        f"stock one, which would not honour that. Run: nixl-stripe patch {site} "
        "(or choose on_unpatched='stock' or 'warn')"
    )


def test_nothing_of_ours_never_complains(stock: Path) -> None:
    code = """
    warnings.simplefilter("error")
    print(">", nixl_agent("a").applied_backend_params)
    print(">", nixl_agent("b", nixl_agent_config(num_threads=2)).applied_backend_params)
    params = {"engine_config": "MAX_RMA_RAILS=4", "max_rma_rails": None}
    print(">", nixl_agent("c", nixl_agent_config(backend_params=params)).applied_backend_params)
    import nixl_cu12
    print(">", nixl_agent("d", nixl_cu12.nixl_agent_config()).applied_backend_params)
    print(">", isinstance(nixl_agent("e"), nixl_cu12.nixl_agent))
    """
    assert _run(code, stock) == [
        "> {'UCX': {}}",
        "> {'UCX': {'num_threads': '2'}}",
        "> {'UCX': {'engine_config': 'MAX_RMA_RAILS=4'}}",
        "> {'UCX': {}}",
        "> True",
    ]


def test_choices_for_an_unpatched_plugin(stock: Path) -> None:
    code = """
    for choice in ("warn", "stock"):
        for params in ({"max_rma_rails": 4}, {"stripe": "all", "max_rma_rails": 4}):
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                agent = nixl_agent("a", nixl_agent_config(
                    backend_params=params, on_unpatched=choice))
            print(">", choice, agent.applied_backend_params["UCX"], len(caught))
            for warning in caught:
                print(">", warning.category.__name__, warning.message)
            del agent
    print(">", shown(lambda: nixl_agent_config(on_unpatched="x")))
    """
    lines = _run(code, stock)
    assert lines[0] == "> warn {} 1"
    assert lines[1].startswith("> UnpatchedPluginWarning max_rma_rails='4': no effect")
    assert lines[2] == "> warn {} 1"
    assert lines[4] == "> stock {'engine_config': 'MAX_RMA_RAILS=4'} 0"
    assert lines[5] == "> stock {'engine_config': 'MAX_RMA_RAILS=4'} 1"
    assert "stock NIXL's device_list cannot name " in lines[6]  # no RDMA here: interfaces
    assert lines[7] == "> ValueError: on_unpatched='x': accepted are error, warn, stock"


def test_a_refusal_leaves_the_agent_usable(stock: Path) -> None:
    code = """
    agent = nixl_agent("a", nixl_agent_config(backends=[]))
    print(">", shown(lambda: agent.create_backend("UCX", {"max_rma_rails": 4}))[:20])
    print(">", agent.applied_backend_params, agent.backends)
    agent.create_backend("UCX", {"num_threads": 2})
    print(">", agent.applied_backend_params, list(agent.backends))
    """
    assert _run(code, stock) == [
        "> UnpatchedPluginError",
        "> {} {}",
        "> {'UCX': {'num_threads': '2'}} ['UCX']",
    ]


def test_an_error_of_the_plugin_is_a_value_error_and_leaves_the_agent_usable(ours: Path) -> None:
    code = """
    config = nixl_agent_config(backend_params={"max_rma_rails": "4x"})
    print(">", shown(lambda: nixl_agent("a", config)))
    agent = nixl_agent("b", nixl_agent_config(backends=[]))
    print(">", shown(lambda: agent.create_backend("UCX", {"max_rma_rails": 65})))
    agent.create_backend("UCX", {"max_rma_rails": 4})
    print(">", agent.applied_backend_params)
    """
    first, second, third = _run(code, ours)
    assert first.startswith("> ValueError: max_rma_rails='4x'")
    assert second.startswith("> ValueError: max_rma_rails='65'")
    assert third == "> {'UCX': {'max_rma_rails': '4'}}"


def test_parameters_wait_for_a_backend_that_is_created_later(ours: Path) -> None:
    code = """
    config = nixl_agent_config(backends=[], backend_params={"max_rma_rails": 4, "num_threads": 1})
    agent = nixl_agent("a", config)
    print(">", agent.applied_backend_params)
    agent.create_backend("UCX", {"max_rma_rails": 2})
    print(">", agent.applied_backend_params)
    """
    assert _run(code, ours) == ["> {}", "> {'UCX': {'max_rma_rails': '2', 'num_threads': '1'}}"]


def test_parameters_per_backend(ours: Path) -> None:
    code = """
    config = nixl_agent_config(
        num_threads=4, backend_params={"UCX": {"max_rma_rails": 4, "num_threads": 2}})
    print(">", nixl_agent("a", config).applied_backend_params)
    wrong = nixl_agent_config(backend_params={"ucx": {"max_rma_rails": 4}})
    print(">", shown(lambda: nixl_agent("b", wrong)))
    """
    first, second = _run(code, ours)
    assert first == "> {'UCX': {'num_threads': '2', 'max_rma_rails': '4'}}"
    assert second.startswith("> ValueError: backend_params: NIXL has no backend 'ucx'; it has ")
    assert "UCX" in second


def test_the_nixl_of_the_process_is_the_one(unpacked: WheelOf) -> None:
    """Two NIXLs on the path: the one that is imported already, not the first by name."""
    sites = unpacked("nixl-cu12", NEWEST), unpacked("nixl-cu13", NEWEST)
    code = """
    import sys
    print(">", nixl_agent.__mro__[1].__module__)
    """
    assert _run(code, *sites) == ["> nixl_cu12._api"]
    done = subprocess.run(
        [sys.executable, "-c", "import nixl_cu13\n" + PRELUDE + textwrap.dedent(code)],
        env=environment(*sites, UCX_MODULES="^ib"),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.strip().endswith("> nixl_cu13._api")


def test_kill_switch_gives_the_stock_plugin_every_parameter(ours: Path) -> None:
    code = """
    given = {"stripe": "all", "max_rma_rails": "bad"}
    agent = nixl_agent("a", nixl_agent_config(backend_params=given))
    print(">", agent.applied_backend_params)
    print(">", "stripe" in agent.get_plugin_params("UCX"))
    """
    lines = _run(code, ours, NIXL_STRIPE_DISABLE="1")
    assert lines == ["> {'UCX': {'stripe': 'all', 'max_rma_rails': 'bad'}}", "> False"]


def test_kill_switch_that_is_off_bad_flow(ours: Path) -> None:
    code = """
    given = {"stripe": "all", "max_rma_rails": "bad"}
    print(">", shown(lambda: nixl_agent("a", nixl_agent_config(backend_params=given))))
    """
    (line,) = _run(code, ours, NIXL_STRIPE_DISABLE="no")
    assert "ValueError" in line
    assert "max_rma_rails='bad'" in line
