# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Each example's text, through its client's own route to NIXL, over four rails."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from clients import client_code
from clients.example_texts import EXAMPLES, exported
from clients.sides import Sides, assert_even, share, start
from nixl_stripe.lab import Rails
from nixl_stripe.versions import NEWEST
from nixl_wheels import wheel_file

WheelOf = Callable[[str, str], Path]


@pytest.fixture(scope="session")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python files of the clients' published wheels, side by side."""
    folder = tmp_path_factory.mktemp("clients")
    for client, version in client_code.WHEELS.items():
        with zipfile.ZipFile(wheel_file(client, version)) as wheel:
            files = [name for name in wheel.namelist() if name.endswith(".py")]
            wheel.extractall(folder / client, files)
    return folder


@pytest.fixture(scope="session")
def meta(patched: WheelOf, unpacked: WheelOf) -> tuple[list[Path], list[Path]]:
    """The package `nixl` over a patched and over a stock wheel, as folders for the path.

    Without CUDA it takes the build for CUDA 13.
    """
    package = unpacked("nixl", NEWEST)
    both = patched("nixl-cu13", NEWEST), unpacked("nixl-cu13", NEWEST)
    return [package, both[0]], [package, both[1]]


def variables_of(client: str) -> dict[str, str]:
    """Return the environment that the example gives."""
    if client == "nemo-rl":
        return {"NEMO_RL_CONFIG": str(EXAMPLES / client / "refit.yaml")}
    return exported(EXAMPLES / client / "env.sh")


def move(
    rails: Rails, client: str, nixl: list[Path], sources: Path, variables: dict[str, str]
) -> Sides:
    environment = {"CLIENT_SOURCES": str(sources), **variables}
    return start(rails, "route_side", {"client": client}, nixl, environment)


@pytest.mark.parametrize("client", sorted(client_code.ROUTES))
def test_the_example_uses_every_rail(
    rails: Rails, meta: tuple[list[Path], list[Path]], sources: Path, client: str
) -> None:
    done = move(rails, client, meta[0], sources, variables_of(client))
    assert done.error is None, done.log
    assert done.target["wrong"] == 0
    assert_even(done.initiator["rails"], rails)


@pytest.mark.parametrize("client", ["sglang", "vllm"])
def test_the_example_on_stock_does_not_bad_flow(
    rails: Rails, meta: tuple[list[Path], list[Path]], sources: Path, client: str
) -> None:
    done = move(rails, client, meta[1], sources, variables_of(client))
    assert done.error is None, done.log
    assert done.target["wrong"] == 0
    assert sum(part > 0.05 for part in share(done.initiator["rails"]).values()) <= 2


def test_a_typing_error_in_the_example_is_named_bad_flow(
    rails: Rails, meta: tuple[list[Path], list[Path]], sources: Path
) -> None:
    variables = variables_of("sglang")
    wrong = {name: value.replace("all", "every") for name, value in variables.items()}
    done = move(rails, "sglang", meta[0], sources, wrong)
    assert done.error is not None
    assert done.error[0] == "ValueError"
    assert "stripe='every'" in done.error[1]


def test_lmcache_has_no_place_for_parameters_of_ucx(
    sources: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLIENT_SOURCES", str(sources))
    assert not client_code.lmcache_takes_ucx_for_storage()
