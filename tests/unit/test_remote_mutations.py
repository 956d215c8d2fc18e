# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Every key of a valid request, changed in every way: no command is run and no file is written.

The worker is a stand-in that notes what it was given; what is accepted must be harmless for a real
one. `tests/e2e/test_remote_left_over.py` has real ones.
"""

from __future__ import annotations

import contextlib
import copy
import json
import os
import socket
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

import pytest
from listeners import CASES, KEY, Listening, Verb, files_below
from nixl_stripe.lab.beds.processes import Process
from nixl_stripe.lab.remote import Link, LinkLostError, RefusedError
from nixl_stripe.lab.remote import link as link_module
from nixl_stripe.lab.remote.frames import Opener, Sealer
from nixl_stripe.lab.side import SideJob

Case = tuple[str, dict[str, Any]]


def hostile(canary: Path) -> list[Any]:
    """Return values that do harm where they are believed."""
    command = f"touch {canary}/command"
    return [
        *(command, f"$({command})", f"`{command}`", f"; {command} ;", f"y\n{command}\n"),
        *(
            str(canary / "file"),
            f"../../{canary}/file",
            f"file://{canary}/file",
            f"/{'../' * 9}etc",
        ),
        *("\x1b]0;owned\x07", "\x00", "\ud800", "\u202e", "", "x" * 5000, "%s%n", "{0}", "inf"),
        *(None, True, -1, 0, 1 << 62, 1 << 100, 1e308, -0.5, 10**30),
        *([], [[]], [None] * 70_000, {}, {"a": {}}, {"x": command}, {command: "x"}, [command]),
    ]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every key and item."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield (*path, key)
            yield from places(each, (*path, key))
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield (*path, index)
            yield from places(each, (*path, index))


def changed(fields: dict[str, Any], path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    result = copy.deepcopy(fields)
    at: Any = result
    for part in path[:-1]:
        at = at[part]
    at[path[-1]] = value
    return result


def mutants(case: Case, canary: Path) -> Iterator[Case]:
    """Yield the case with each place changed, taken away, doubled under a name of harm."""
    kind, fields = case
    for path in places(fields):
        for value in hostile(canary):
            yield kind, changed(fields, path, value)
    harm = ("UCX_GDB_COMMAND", "UCX_LOG_FILE", "UCX_PROTO_INFO_DIR", "UCX_MODULE_DIR", "LD_PRELOAD")
    for name in (*harm, "PYTHONPATH", "PATH", "NIXL_PLUGIN_DIR", "nixl", "shim", "backend", "role"):
        for path in ((), ("job",), ("environment",), ("job", "params"), ("job", "backend_params")):
            at: Any = fields
            for part in path:
                at = at.get(part) if isinstance(at, dict) else None
            if isinstance(at, dict):
                yield kind, changed(fields, (*path, name), f"{canary}/file")
    yield f"touch {canary}/command", fields


class Noted:
    """What stand-in workers were given."""

    def __init__(self) -> None:
        self.environments: list[Mapping[str, str]] = []
        self.jobs: list[str] = []


@pytest.fixture
def noted(monkeypatch: pytest.MonkeyPatch) -> Noted:
    """Let no worker run: a program that ends at once stands in, and what it got is kept."""
    found = Noted()

    class StandIn(Process):
        def __init__(self, job: SideJob, folder: Path, _: Any, environment: Any, *__: Any) -> None:
            found.environments.append(environment)
            found.jobs.append(job.to_json())
            self._job, self._folder, self._start = job, folder, 0.0
            (folder / f"{job.role}.log").write_text("stood in")
            self.process = subprocess.Popen(["true"])

    monkeypatch.setattr(link_module, "Process", StandIn)
    return found


@pytest.mark.parametrize("verb", get_args(Verb))
def test_no_mutant_does_harm_bad_flow(
    verb: Verb, noted: Noted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    canary, temporary = tmp_path / "canary", tmp_path / "temporary"
    canary.mkdir()
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    own = dict(os.environ)
    here, there = socket.socketpair()
    reader = Link(here, Sealer(KEY), Opener(KEY), _schemas(verb))
    whys: list[str] = []
    for kind, fields in mutants(CASES[verb], canary):
        try:
            checked = reader._checked(json.dumps({"kind": kind, **fields}).encode())
            _own_job(verb, checked)
        except RefusedError as error:  # and nothing else
            whys.append(str(error))
            continue
        shown = str(checked)
        assert str(canary) not in shown
        assert "touch" not in shown
    here.close()
    there.close()
    assert len(whys) > 300
    assert [why for why in whys if not why.isprintable()] == []
    for kind, fields in list(mutants(CASES[verb], canary))[::97]:
        with Listening(verb) as listening:
            link = listening.peer()
            with contextlib.suppress(LinkLostError):
                link.send(kind, **fields)
                link.receive(20, "ready")
                link.receive(20, "report")
            link.close()
            listening.ended()
            assert all(line.isprintable() for line in listening.said)
    for environment in noted.environments:
        differing = {k: v for k, v in environment.items() if own.get(k) != v}
        assert set(differing) <= {"UCX_TLS", "UCX_PROTO_INFO"}, differing
    assert files_below(canary) == []
    assert files_below(temporary) == []


def _schemas(verb: Verb) -> Mapping[str, Any]:
    from nixl_stripe.bench import messages as bench
    from nixl_stripe.verify import messages as verify

    return verify.TO_LISTENER if verb == "verify" else bench.TO_LISTENER


def _own_job(verb: Verb, checked: dict[str, Any]) -> None:
    from nixl_stripe.bench import messages as bench
    from nixl_stripe.lab.job import Nixl
    from nixl_stripe.verify import messages as verify

    if verb == "verify":
        job = verify.own_job(checked["job"], Nixl(), None, 1 << 38)
        assert (job.nixl, job.backend, job.shim, job.agent_config) == (Nixl(), "UCX", False, {})
        return
    own = bench.own_job(checked["job"], 1 << 38)
    assert (own.nixl, own.engine, own.counters) == (Nixl(), "nixl", ())


@pytest.mark.parametrize("verb", get_args(Verb))
def test_an_unchanged_request_gets_its_worker(verb: Verb, noted: Noted) -> None:
    """The twin: what is refused above is refused for its change."""
    kind, fields = CASES[verb]
    with Listening(verb) as listening:
        link = listening.peer()
        link.send(kind, **fields)
        link.receive(20, "ready")
        link.receive(20, "report")
        link.close()
        listening.ended()
    (environment,) = noted.environments
    assert environment["UCX_TLS"] == "tcp"
    assert '"stripe": "all"' in noted.jobs[0]


@pytest.mark.parametrize("verb", get_args(Verb))
def test_cases_that_are_too_large_bad_flow(verb: Verb, noted: Noted) -> None:
    kind, fields = CASES[verb]
    path = ("job", "sizes") if verb == "verify" else ("job", "works", 0, "sizes")
    with Listening(verb) as listening:
        link = listening.peer()
        link.send(kind, **changed(fields, path, [1 << 43]))
        with pytest.raises(LinkLostError, match=r"the other side refuses: .*accepted are at most"):
            link.receive(20, "ready")
        link.close()
        assert "--max-bytes" in listening.ended()
    assert noted.jobs == []
