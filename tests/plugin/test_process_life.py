# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What lives as long as the process is never destroyed: an engine may be the last user of it."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from cpp_programs import compile_cpp
from nixl_stripe.versions import NEWEST
from nixl_stripe.wheel import PLUGIN
from nixl_stripe.wheel.layout import read_our_plugin
from nixl_wheels import environment, plugin_folder

WheelOf = Callable[[str, str], Path]

HOST = Path(__file__).parent / "host"

#: What a compiler calls for a static or thread-local object whose type has a destructor.
_DESTRUCTORS = re.compile(rb"\0(__cxa_atexit|__cxa_thread_atexit\w*|atexit|__aeabi_atexit)\0")


def registered_destructors(library: bytes) -> set[str]:
    """Return the functions by which a shared object has its statics destroyed at exit."""
    return {name.decode() for name in _DESTRUCTORS.findall(library)}


def test_no_static_of_the_plugin_is_destroyed_at_exit() -> None:
    """A static with a destructor wants to be a `neverDestroyed`."""
    plugin, _ = read_our_plugin(None)
    assert registered_destructors(plugin) == set()


@pytest.mark.parametrize(
    "declaration",
    [
        "std::string text(1000, 'x');",
        "const char *f() { static std::string text(1000, 'x'); return text.c_str(); }",
        "const char *f() { thread_local std::string text(1000, 'x'); return text.c_str(); }",
    ],
    ids=["namespace", "function", "thread"],
)
def test_a_static_that_is_destroyed_is_found_bad_flow(tmp_path: Path, declaration: str) -> None:
    source = tmp_path / "static.cpp"
    source.write_text(f"#include <string>\n{declaration}\n")
    library = compile_cpp(tmp_path / "static.so", [source])
    assert registered_destructors(library.read_bytes())


@pytest.fixture(scope="module")
def late_agent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compile_cpp(tmp_path_factory.mktemp("host") / "late_agent", [HOST / "late_agent.cpp"])


@pytest.mark.parametrize("when", ["global", "atexit"])
def test_an_engine_is_destroyed_after_main(late_agent: Path, patched: WheelOf, when: str) -> None:
    plugin = plugin_folder(patched("nixl-cu12", NEWEST), "nixl-cu12") / PLUGIN
    params = ("max_rma_rails", "3", "stripe_small", "spread")
    done = subprocess.run(
        [late_agent, plugin, when, *params],
        env=environment(UCX_TLS="tcp", UCX_MODULES="^ib", MALLOC_PERTURB_="165"),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "destroyed late"
