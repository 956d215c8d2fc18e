# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The command's manners: help, names of options, exit codes, Ctrl-C, colours, its own weight."""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from command_lines import accepted
from nixl_stripe.cli import app, main
from nixl_stripe.cli.app import build_app
from nixl_stripe.cli.streams import EXIT_INTERRUPTED
from nixl_stripe.terminal import Screen
from nixl_stripe.topo import model, text
from nixl_stripe.topo.examples import path_of
from nixl_stripe.topo.machine import machine
from nixl_stripe.versions import JSON_SCHEMA
from packaging.requirements import Requirement
from sysfs_machines import MACHINES
from sysfs_trees import write

ROOT = Path(__file__).parents[2]
Captured = pytest.CaptureFixture[str]


def commands(group: Any, *before: str) -> dict[tuple[str, ...], Any]:
    """Return every command below a group, by its words."""
    found: dict[tuple[str, ...], Any] = {}
    for name, command in group.commands.items():
        below = commands(command, *before, name) if hasattr(command, "commands") else {}
        found.update(below or {(*before, name): command})
    return found


COMMANDS = commands(build_app())
IDS = [" ".join(words) for words in COMMANDS]


@pytest.mark.parametrize("words", COMMANDS, ids=IDS)
def test_help_has_an_example_that_the_command_takes(
    words: tuple[str, ...], capsys: Captured
) -> None:
    assert main([*words, "-h"]) == 0
    short = capsys.readouterr().out
    assert main([*words, "--help"]) == 0
    assert capsys.readouterr().out == short
    (example,) = re.findall(r"Example:\n\s+nixl-stripe (.+)", short)
    said = shlex.split(example)
    assert tuple(said[: len(words)]) == words
    with COMMANDS[words].make_context(words[-1], said[len(words) :]):
        pass


@pytest.mark.parametrize("words", [[], ["bench"]], ids=["nixl-stripe", "bench"])
def test_help_of_a_group_has_one_too(words: list[str], capsys: Captured) -> None:
    assert main([*words, "-h"]) == 0
    (example,) = re.findall(r"Example:\n\s+nixl-stripe (.+)", capsys.readouterr().out)
    assert example.split()[: len(words)] == words
    assert accepted(shlex.split(example))


@pytest.mark.parametrize("words", COMMANDS, ids=IDS)
def test_help_shows_no_type_of_a_program(words: tuple[str, ...], capsys: Captured) -> None:
    assert main([*words, "-h"]) == 0
    out = capsys.readouterr().out
    assert not re.search(r"<\w+>|BOOLEAN|INTEGER|FLOAT|RANGE", out)
    assert not re.search(r"default: \d{5}", out), "a size is said in words: 64M"
    assert "\x1b" not in out
    assert all(len(line) <= 80 for line in out.splitlines())


def test_every_option_is_small_letters() -> None:
    names = [name for each in COMMANDS.values() for par in each.params for name in par.opts]
    assert {"--gpu", "--bed", "--nics"} <= set(names)
    assert [name for name in names if name != name.lower()] == []


def test_an_example_that_is_refused_is_seen_bad_flow() -> None:
    with pytest.raises(Exception, match="No such option"):
        COMMANDS["topo",].make_context("topo", ["--sauce", "x"])


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--version"], 0),
        ([], 2),
        (["bench"], 2),
        (["dance"], 2),
        (["topo", "--example", "p6"], 2),
        (["topo", "--example", "p5", "--source", "x"], 2),
        (["plan", "--example", "p6"], 2),
        (["plan", "--example", "p5", "--source", "x"], 2),
        (["topo", "--source", "/absent"], 2),
        (["patch", "/absent"], 1),
        (["verify", "--repeats", "0"], 2),
        (["plan", "--stripe", "al"], 2),
    ],
)
def test_exit_codes(arguments: list[str], code: int, capsys: Captured) -> None:
    assert main(arguments) == code
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["topo", "--example", "p5"],
        ["plan", "--source", str(path_of("p5"))],
        ["doctor", "--list"],
        ["doctor", "--only", "memlock"],
        ["top", "--for", "0.2", "--interval", "0.1"],
    ],
    ids=lambda words: " ".join(words[:2]),
)
def test_json_says_its_schema(arguments: list[str], capsys: Captured) -> None:
    assert main([*arguments, "--json"]) == 0
    out = capsys.readouterr().out
    lines = out.splitlines() if arguments[0] == "top" else [out]
    assert [json.loads(line)["schema"] for line in lines] == [JSON_SCHEMA] * len(lines)


def test_nothing_prints_json_in_another_way() -> None:
    """A new command's `--json` has the schema too."""
    folder = Path(app.__file__).parent
    found = [path.name for path in folder.glob("*.py") if "json.dumps(" in path.read_text("utf-8")]
    assert found == ["words.py"]


#: A module that stands for a verb's work: it says that it is there and waits.
WAITS = """
import sys, time
from nixl_stripe.cli import main, {verb}
from nixl_stripe.versions import JSON_SCHEMA
def wait(*_, **__):
    print("here", flush=True)
    time.sleep(60)
{verb}.{name} = wait
sys.exit(main({arguments}))
"""


#: Of each verb the function that does its work.
WORK = {
    "topo": ("machine", []),
    "plan": ("load", []),
    "patch": ("_find", []),
    "doctor": ("examine", []),
    "wheel": ("fetch_wheels", []),
    "verify": ("_bed", ["--nixl", "."]),
    "export": ("_registry", []),
    "top": ("_watch", []),
    "bench": ("Run", ["rails"]),
    "tune": ("_serve", ["--listen", "127.0.0.1:1"]),
    "fleet": ("_token", ["--rank", "0", "--ranks", "2", "--hub", "127.0.0.1"]),
}


def test_every_verb_is_among_them() -> None:
    assert set(WORK) == set(app.VERBS)


@pytest.mark.parametrize("verb", WORK)
def test_ctrl_c_is_said_in_one_line_and_130(verb: str) -> None:
    name, more = WORK[verb]
    program = WAITS.format(verb=verb, name=name, arguments=[verb, *more])
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "here\n"
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == EXIT_INTERRUPTED
    assert re.fullmatch(r"\n?nixl-stripe: interrupted[^\n]*\n", err)


def test_a_reader_that_goes_is_no_error() -> None:
    program = "import sys; from nixl_stripe.cli import main; sys.exit(main(sys.argv[1:]))"
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as closed:
        done = subprocess.run(
            [sys.executable, "-c", program, "topo", "--example", "p5"],
            stdout=closed,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr) == (app.EXIT_FAILED, "")


def test_topo_has_a_row_for_each_gpu(capsys: Captured) -> None:
    assert main(["topo", "--example", "p5"]) == 0
    out = capsys.readouterr().out
    assert "0000:cd:00.0" not in out or "\U0001f4bf" not in out
    assert "0000:4f:00.0" in out
    (row,) = [line for line in out.splitlines() if line.startswith("GPU7")]
    cells = row.split()[1:]
    assert len(cells) == 32 + 2
    assert set(cells[28:32]) == {"PIX"}


@pytest.mark.parametrize("verb", ["topo", "plan"])
def test_an_example_goes_by_its_name(verb: str, capsys: Captured) -> None:
    """And not by a folder that is gone when the user reads it."""
    assert main([verb, "--example", "p5"]) == 0
    out = capsys.readouterr().out
    assert "example p5" in out
    assert "rdmap79s0" in out
    assert not re.search(r"\S/p5", out)


@pytest.mark.parametrize("arguments", [["topo"], ["plan", "--explain"], ["doctor"]], ids=" ".join)
def test_a_rate_that_nobody_tells_is_none_and_not_zero(
    arguments: list[str], tmp_path: Path, capsys: Captured
) -> None:
    tree = write(MACHINES["gb200"](), tmp_path).sys

    def shown() -> str:
        assert main([*arguments, "--source", str(tree)]) in (0, 1)
        return capsys.readouterr().out

    assert "Gbit/s" in shown()
    for file in [*tree.rglob("rate"), *tree.rglob("*_link_speed")]:
        file.unlink()
    assert not re.search(r"(?<![\d.])0(\.0+)? Gbit/s", shown())


def test_who_has_no_rdma_nic_is_told_of_the_example(tmp_path: Path, capsys: Captured) -> None:
    hint = "topo --example p5 shows"
    assert main(["topo", "--source", str(tmp_path)]) == 0
    assert hint not in capsys.readouterr().out  # somebody asked for a machine of theirs
    assert main(["topo"]) == 0
    assert (hint in capsys.readouterr().out) == (not machine().nics)


def test_a_narrow_screen_has_the_matrix_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    screen = Screen(sys.stdout, {"TERM": "dumb"})
    said: list[str] = []
    monkeypatch.setattr(screen, "say", said.append)
    text.show(model.picture_of(machine(path_of("p5"))), screen, {0: "0-47,96-143"})
    rows = [line for line in said[0].splitlines() if line.startswith("GPU")]
    assert len(rows) > 8
    assert all(len(row) <= 80 for row in rows)
    assert all(("0-47,96-143" in row) == (row[3] in "0123") for row in rows)


def test_the_base_install_is_light() -> None:
    """Three packages of pure Python at most, with all that they bring, and no pydantic."""
    todo, found = ["nixl-stripe"], set()
    while todo:
        for line in importlib.metadata.requires(todo.pop()) or []:
            need = Requirement(line)
            if need.marker is None or need.marker.evaluate({"extra": ""}):
                new = need.name not in found
                found.add(need.name)
                todo += [need.name] if new else []
    assert found == {"click", "packaging"}
