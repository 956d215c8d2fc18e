# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What scripts/first-verdict measures, and when it measures nothing; no Debian is made."""

from __future__ import annotations

import shlex
from pathlib import Path

import first_verdict
import pytest
from command_lines import accepted
from debian_root import DebianRelease
from first_verdict import Machine, StepError, debian, measure, steps


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder in the place of Debian's."""
    (tmp_path / "root/usr/bin").mkdir(parents=True)
    monkeypatch.setattr(DebianRelease, "root", lambda *_: tmp_path / "root")
    return tmp_path / "root"


def test_a_debian_without_a_compiler_is_taken(root: Path, tmp_path: Path) -> None:
    (root / "usr/bin/python3.13").write_text("")
    assert debian(tmp_path, "3.13") == root


@pytest.mark.parametrize("name", ["cc", "g++", "clang"])
def test_one_with_a_compiler_is_refused_bad_flow(root: Path, tmp_path: Path, name: str) -> None:
    (root / "usr/bin" / name).write_text("")
    with pytest.raises(StepError, match=f"this Debian has a compiler: {name}".replace("+", r"\+")):
        debian(tmp_path, "3.13")


def test_the_steps_are_commands_that_there_are() -> None:
    typed = [shlex.split(line) for line in steps("3.13").values()]
    ours = [words[1:] for words in typed if words[0].endswith("/nixl-stripe")]
    assert [words[0] for words in ours] == ["patch", "verify"]
    assert all(accepted(words) for words in ours)


@pytest.mark.usefixtures("root")
def test_each_step_is_timed_and_the_last_words_are_the_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed: list[str] = []

    def types(_: Machine, line: str) -> str:
        typed.append(line)
        return "2.41\n" if "libc_ver" in line else f"first\n  ok {len(typed)}\n\n"

    monkeypatch.setattr(first_verdict, "download", lambda *_: None)
    monkeypatch.setattr(Machine, "types", types)
    found = measure(tmp_path / "a.whl", "3.13", tmp_path)
    assert typed[1:] == list(steps("3.13").values())
    assert found["verdict"] == ["first", "ok 5"]
    assert found["machine"]["glibc"] == "2.41"
    for times in (found["seconds"], found["cpu_seconds"]):
        assert list(times) == [*steps("3.13"), "all"]
        assert times["all"] == pytest.approx(sum(times.values()) / 2)


@pytest.mark.usefixtures("root")
def test_a_step_that_fails_ends_it_bad_flow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def types(_: Machine, line: str) -> str:
        if line.endswith("patch"):
            raise StepError(f"{line}: exit code 1")
        return ""

    monkeypatch.setattr(first_verdict, "download", lambda *_: None)
    monkeypatch.setattr(Machine, "types", types)
    monkeypatch.setattr("sys.argv", ["first-verdict"])
    with pytest.raises(SystemExit, match=r"first-verdict: .*nixl-stripe patch: exit code 1"):
        first_verdict.main(["--wheel", str(tmp_path / "a.whl"), "--cache", str(tmp_path)])
