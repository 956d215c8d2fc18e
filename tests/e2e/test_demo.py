# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The demo as a user runs it, and the ways in which it must say no."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path

import pytest
from command_lines import accepted
from demo.leave import NEXT
from nixl_stripe.versions import NEWEST
from nixl_stripe.wheel import STOCK, find_installed

pytestmark = pytest.mark.rails

ROOT = Path(__file__).parents[2]
WheelOf = Callable[[str, str], Path]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Shared by the tests, so that each wheel is installed once."""
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def published(nixl_wheel: WheelOf) -> Path:
    """The stock wheel."""
    return nixl_wheel("nixl-cu12", NEWEST)


def _demo(cache: Path, wheel: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "demo", "--cache", str(cache)]
    command += ["--nixl", str(wheel), "--quick", *options]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "tools")},
    )


@pytest.mark.usefixtures("needs_rails")
def test_patched_uses_all_rails(cache: Path, published: Path, tmp_path: Path) -> None:
    file, picture = tmp_path / "demo.json", tmp_path / "demo.png"
    done = _demo(cache, published, "--mbit", "50", "--json", str(file), "--png", str(picture))
    assert done.returncode == 0, done.stderr
    found = json.loads(file.read_text())
    assert found["rails"] == 4
    assert [found[key]["rails_used"] for key in ("one_rail", "stock", "patched")] == [1, 2, 4]
    assert [len(found[key]["lanes"]) for key in ("one_rail", "stock", "patched")] == [1, 2, 4]
    assert min(found["patched"]["bytes_per_transfer"].values()) > 16 * 2**20 / 4
    assert found["speedup"] == found["patched"]["gbps"] / found["stock"]["gbps"]
    assert found["efficiency"] == pytest.approx(found["patched"]["gbps"] / 0.2)
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert "4 x 25 %" in done.stdout


@pytest.mark.usefixtures("needs_rails")
def test_a_stock_wheel_in_place_of_the_patched_one_is_noticed(cache: Path, published: Path) -> None:
    done = _demo(cache, published, "--mbit", "100", "--patched-wheel", str(published))
    assert done.returncode == 1
    lines = [line for line in done.stderr.splitlines() if line.startswith("demo:")]
    assert lines == [
        "demo: patched, 1 rail: max_rma_rails=1 was asked for, 2 rails carried data, "
        "UCX reports 2 lanes",
        "demo: patched, 4 rails: max_rma_rails=4 was asked for, 2 rails carried data, "
        "UCX reports 2 lanes",
    ]


def test_without_namespaces_the_rail_count_is_read_back(
    cache: Path, published: Path, tmp_path: Path
) -> None:
    file = tmp_path / "demo.json"
    done = _demo(cache, published, "--no-namespaces", "--json", str(file))
    assert done.returncode == 0, done.stderr
    assert "Not shown: rates" in done.stdout
    found = json.loads(file.read_text())
    assert found["bed"] == "loopback"
    counts = [found[key]["max_rma_rails"] for key in ("one_rail", "stock", "patched")]
    assert counts == [1, None, 4]
    assert len(found["one_rail"]["lanes"]) == 1
    assert found["patched"]["gbps"] is None


def test_without_namespaces_a_stock_wheel_is_noticed(cache: Path, published: Path) -> None:
    done = _demo(cache, published, "--no-namespaces", "--patched-wheel", str(published))
    assert done.returncode == 1
    assert "max_rma_rails=4 was asked for, UCX read back nothing" in done.stderr


@pytest.mark.parametrize(
    ("options", "status", "message"),
    [
        (["--rails", "1"], 2, "--nics 1: accepted are 2..64"),
        (["--mbit", "0"], 2, "--mbit 0: accepted are rates above 0"),
        (["--reps", "0"], 2, "--repeats 0: accepted are 1 and more"),
        (["--patched-wheel", "absent.whl"], 1, "--patched-wheel absent.whl: no such file"),
        (["--nixl", "numpy"], 1, "numpy: not NIXL"),
    ],
)
def test_bad_options(
    cache: Path, published: Path, options: list[str], status: int, message: str
) -> None:
    done = _demo(cache, published, *options)
    assert done.returncode == status
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def _borrowing(folder: Path) -> Path:
    """Make an environment without NIXL, which takes what the demo imports from the tests' own."""
    venv.create(folder, with_pip=False)
    site = next((folder / "lib").iterdir()) / "site-packages"
    for name in ("nixl_stripe", "click", "packaging", "pip"):
        origin = importlib.util.find_spec(name)
        assert origin is not None
        assert origin.origin is not None
        (site / name).symlink_to(Path(origin.origin).parent)
    return folder / "bin/python"


def _left(python: Path, wheel: Path) -> subprocess.CompletedProcess[str]:
    code = "import sys; from pathlib import Path; from demo.leave import leave_patched, next_text\n"
    code += "leave_patched(Path(sys.argv[1]), print); print(next_text())"
    return subprocess.run(
        [python, "-c", code, wheel],
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
        env={**os.environ, "PYTHONPATH": str(ROOT / "tools")},
        cwd=python.parents[1],
    )


def test_nixl_is_left_patched_and_readme_commands_are_named(
    tmp_path: Path, published: Path
) -> None:
    python = _borrowing(tmp_path / "venv")
    done = _left(python, published)
    assert done.returncode == 0, done.stderr
    assert f"nixl-cu12 {NEWEST}: patched" in done.stdout
    (site,) = (tmp_path / "venv/lib").glob("*/site-packages")
    (folder,) = find_installed([str(site)])
    assert (folder.path / STOCK).is_file()
    *commands, _ = done.stdout.split("Now try:\n")[1].splitlines()
    said = [line.partition("#")[0].strip() for line in commands]
    assert all(line.startswith("bin/") for line in said)
    # README's test runs what README says, with a patched NIXL.
    readme = (ROOT / "README.md").read_text("utf-8")
    for name, rest, _ in NEXT:
        assert f"\n    {name} {rest.partition(' --rounds')[0]}" in readme
    again = _left(python, published)
    assert "installing" in done.stdout
    assert "installing" not in again.stdout


def test_a_wheel_that_pip_refuses_is_an_error_in_its_words_bad_flow(tmp_path: Path) -> None:
    python = _borrowing(tmp_path / "venv")
    done = _left(python, tmp_path / "nixl_cu12-1.5.1-cp27-cp27m-linux_s390.whl")
    assert done.returncode == 1
    assert "StripeError: pip cannot install nixl_cu12-1.5.1-cp27" in done.stderr


@pytest.mark.parametrize(("name", "rest", "why"), NEXT)
def test_the_commands_named_are_ones_that_parse(name: str, rest: str, why: str) -> None:
    if name == "python":
        assert (ROOT / rest).is_file()
        return
    assert accepted(rest.split())
