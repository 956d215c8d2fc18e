# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""NIXL's C API, which its Rust binding and Dynamo stand on: parameters arrive with no Python."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from clients.example_texts import EXAMPLES, exported
from clients.sides import Sides, assert_even, start
from nixl_stripe.lab import Rails

EXAMPLE = EXAMPLES / "c-api"


def build(folder: Path, nixl: Path) -> Path:
    """Build the example as its Makefile does, against the NIXL in `nixl`."""
    for name in ("Makefile", "nixl_capi.h", "write_striped.c"):
        (folder / name).write_bytes((EXAMPLE / name).read_bytes())
    libraries = next(nixl.glob(".nixl_cu*.mesonpy.libs"))
    done = subprocess.run(
        ["make", f"NIXL={libraries}"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "write_striped"


@pytest.fixture(scope="module")
def program(striped: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("c-api"), striped)


def move(
    rails: Rails, program: Path, *parameters: str, variables: Mapping[str, str] | None = None
) -> Sides:
    job = {"program": str(program), "parameters": list(parameters)}
    return start(rails, "c_api_side", job, [], variables or {})


def test_parameters_reach_the_plugin(rails: Rails, program: Path) -> None:
    done = move(rails, program, "stripe=all")
    assert done.initiator["status"] == 0, done.log
    assert done.target["said"].startswith("0 of "), done.log
    assert_even(done.initiator["rails"], rails)


def test_without_parameters_two_rails_bad_flow(rails: Rails, program: Path) -> None:
    done = move(rails, program)
    assert done.target["said"].startswith("0 of "), done.log
    busy = [name for name, n in done.initiator["rails"].items() if n > 1 << 20]
    assert len(busy) == 2


def test_a_bad_value_is_an_error_and_no_crash(rails: Rails, program: Path) -> None:
    done = move(rails, program, "stripe=numma")
    assert done.initiator["status"] == 1
    assert "create_backend failed" in done.log
    assert "stripe='numma'" in done.log


def test_dynamo_kvbm_variables_become_parameters(rails: Rails, program: Path) -> None:
    """Dynamo's `NixlAgent::create_backend_params_from_env` (lib/memory/src/nixl/agent.rs, 1.6).

    Every DYN_KVBM_NIXL_BACKEND_UCX_<KEY> is a parameter, its name in lower case, of the Rust
    binding's `create_backend`, which is `nixl_capi_create_backend`.
    """
    prefix = "DYN_KVBM_NIXL_BACKEND_UCX_"
    variables = exported(EXAMPLES / "dynamo" / "env.sh")
    parameters = [
        f"{name.removeprefix(prefix).lower()}={value}"
        for name, value in variables.items()
        if name.startswith(prefix)
    ]
    assert parameters
    done = move(rails, program, *parameters)
    assert done.target["said"].startswith("0 of "), done.log
    assert_even(done.initiator["rails"], rails)
