# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The starter of the client tests' programs, with two processes instead of rails."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from clients.client_side import ClientJob, counted, since
from clients.sides import Sides, start
from nixl_stripe.lab.job import Role
from nixl_stripe.lab.side import Finished, SideJob

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class TwoProcesses:
    """Runs both programs here; late: sides that count as killed."""

    late: tuple[Role, ...] = ()
    devices: tuple[str, ...] = ("lo",)

    def run_programs(
        self, programs: Mapping[Role, Sequence[str]], *, limit_s: float
    ) -> dict[Role, Finished]:
        running = {
            role: subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
            )
            for role, command in programs.items()
        }
        said = {role: each.communicate(timeout=limit_s)[0] for role, each in running.items()}
        return {
            role: Finished(each.returncode, role in self.late, said[role])
            for role, each in running.items()
        }


def _c_api(tmp_path: Path, script: str, ends: TwoProcesses | None = None) -> Sides:
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    job = {"program": str(program), "parameters": ["stripe=all"]}
    return start(ends or TwoProcesses(), "c_api_side", job, [], {"WORD": "given"})


def test_both_sides_get_their_job_and_their_variables(tmp_path: Path) -> None:
    done = _c_api(tmp_path, 'echo "$@ $WORD"; echo noted >&2')
    assert done.error is None
    assert done.initiator["said"] == "send 10.77.0.2 7311 16 stripe=all given"
    assert done.target["said"] == "serve 7311 16 stripe=all given"
    assert done.initiator["status"] == 0
    assert set(done.initiator["rails"]) == {"lo"}
    assert done.log.count("noted") == 2


def test_a_program_that_fails_is_reported_bad_flow(tmp_path: Path) -> None:
    done = _c_api(tmp_path, "exit 3")
    assert (done.initiator["status"], done.target["status"]) == (3, 3)


def test_an_exception_is_told_to_both_bad_flow() -> None:
    done = start(TwoProcesses(), "route_side", {"client": "nobody"}, [], {})
    assert done.error == ("KeyError", "'nobody'")
    assert "Traceback" in done.log


@pytest.mark.parametrize(
    ("late", "words"),
    [((), "left no result .exit status -9."), (("initiator",), "it did not end within 120 s")],
)
def test_a_side_without_a_result_is_named_bad_flow(
    tmp_path: Path, late: tuple[Role, ...], words: str
) -> None:
    with pytest.raises(AssertionError, match=f"initiator: .*{words}"):
        _c_api(tmp_path, 'kill -9 "$PPID"', TwoProcesses(late))


def test_a_job_survives_json() -> None:
    job: SideJob = ClientJob("target", "clients.route_side", {"client": "ray"})
    assert ClientJob.from_json(job.to_json()) == job


def test_bytes_since_a_look() -> None:
    before = counted(["lo"], "rx")
    assert since(dict.fromkeys(before, 0), "rx")["lo"] >= before["lo"]
    with pytest.raises(FileNotFoundError):
        counted(["no-such-nic"], "tx")


def _imports(path: str) -> subprocess.CompletedProcess[str]:
    paths = os.pathsep.join(str(ROOT / part) for part in path.split(":"))
    program = str(ROOT / "tests/clients/route_side.py")
    return subprocess.run(
        [sys.executable, program, "--help"],
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_path_that_test_clients_gives_is_enough() -> None:
    script = (ROOT / "scripts/test-clients").read_text("utf-8")
    path = script.partition("PYTHONPATH=")[2].partition(" exec")[0].replace("$ROOT/", "")
    done = _imports(path)
    assert done.returncode == 0, done.stderr


def test_another_path_is_not_enough_bad_flow() -> None:
    done = _imports("tests/support")
    assert done.returncode == 1
    assert "No module named 'clients'" in done.stderr
