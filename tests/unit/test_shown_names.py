# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Names that others chose, wherever a command shows them: nothing in them moves a terminal."""

from __future__ import annotations

import ast
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest
from nixl_stripe.cli import main
from nixl_stripe.terminal import Cell, Live, Screen, echo, table
from nixl_stripe.topo import layout, machine, model, svg

Captured = pytest.CaptureFixture[str]
PACKAGE = Path(__file__).parents[2] / "python/nixl_stripe"
#: Of a title, of a colour by one character, of the text's direction; and a line of its own.
EVIL = "\x1b]0;x\x07\x9b31m\u202e\nlie\x7f"
SHOWN = r"\x1b]0;x\x07\x9b31m\u202e\nlie\x7f"

HWLOC = """<!DOCTYPE topology SYSTEM "hwloc2.dtd">
<topology version="2.0"><object type="Machine" os_index="0" cpuset="0x1" complete_cpuset="0x1"
nodeset="0x1" complete_nodeset="0x1" gp_index="1"><object type="NUMANode" os_index="0" cpuset="0x1"
complete_cpuset="0x1" nodeset="0x1" complete_nodeset="0x1" gp_index="3" local_memory="1000"/><object
type="Bridge" gp_index="4" bridge_type="0-1" depth="0" bridge_pci="0000:[00-ff]"><object
type="PCIDev" gp_index="5" pci_busid="0000:01:00.0" pci_type="0207 [15b3:1021] [15b3:0000] 00"
pci_link_speed="31"><object type="OSDev" gp_index="6" name="NAME" osdev_type="3"><info
name="Port1State" value="4"/></object></object></object></object></topology>"""
NCCL = """<system version="1"><cpu host_hash="0x1" numaid="0" affinity="00000001" arch="x86_64"
vendor="GenuineIntel" familyid="6" modelid="85"><pci busid="0000:01:00.0" class="0x020700"
vendor="0x15b3" device="0x1021" subsystem_vendor="0x15b3" subsystem_device="0"
link_speed="32.0 GT/s PCIe" link_width="16"><nic><net name="NAME" dev="0" latency="0"
speed="400000" port="1" guid="0x1" maxconn="131072" gdr="1"/></nic></pci></cpu></system>"""
#: XML 1.0 has no way to write most control characters; it has these.
IN_XML, XML_SHOWN = "m&#x9b;31m&#x202e;&#10;lie&#x7f;", r"m\x9b31m\u202e\nlie\x7f"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def is_harmless(text: str) -> bool:
    """Whether all of it is lines of what can be printed, none of them made by a name."""
    return text.replace("\n", "").isprintable() and "\nlie" not in text


@pytest.fixture(params=["hwloc", "nccl"])
def xml(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / "machine.xml"
    text = HWLOC if request.param == "hwloc" else NCCL
    path.write_text(text.replace("NAME", IN_XML), "utf-8")
    return path


def test_topo_shows_names_of_xml_as_escapes_bad_flow(xml: Path, capsys: Captured) -> None:
    assert main(["topo", "--source", str(xml)]) == 0
    out = capsys.readouterr().out
    assert XML_SHOWN in out
    assert is_harmless(out)


def test_pictures_show_names_of_xml_as_escapes_bad_flow(xml: Path, tmp_path: Path) -> None:
    drawing = tmp_path / "machine.svg"
    assert main(["topo", "--source", str(xml), "--svg", str(drawing)]) == 0
    found = machine.machine(xml)
    alone = svg.to_svg(layout.draw(model.picture_of(found)))
    for text in (drawing.read_text("utf-8"), alone):
        assert r"m\x9b31m\u2" in text  # a box is not wide enough for all of it
        assert is_harmless(text)


def test_json_keeps_names_of_xml_and_escapes_by_itself(xml: Path, capsys: Captured) -> None:
    assert main(["topo", "--source", str(xml), "--json"]) == 0
    out = capsys.readouterr().out
    assert is_harmless(out)
    (name,) = (nic["name"] for nic in json.loads(out)["nics"])
    assert name == "m\x9b31m\u202e\nlie\x7f"
    assert list(json.loads(out)["matrix"]) == [name]


@pytest.mark.parametrize("verb", ["plan", "doctor"])
def test_errors_show_names_of_xml_as_escapes_bad_flow(
    verb: str, xml: Path, capsys: Captured
) -> None:
    main([verb, "--source", str(xml)])
    said = capsys.readouterr()
    assert said.out + said.err
    assert is_harmless(said.out + said.err)


@pytest.mark.parametrize(
    "arguments",
    [
        ["topo", "--source", f"/nonexistent/{EVIL}"],
        ["plan", "--example", "p5", "--stripe", EVIL],
        ["plan", "--example", "p5", "--peer", f"/nonexistent/{EVIL}"],
        [EVIL],
        ["topo", EVIL],
        ["topo", f"--{EVIL}"],
        ["top", "--interval", EVIL],
    ],
)
def test_what_an_error_repeats_is_one_line_bad_flow(arguments: list[str], capsys: Captured) -> None:
    assert main(arguments) == 2
    err = capsys.readouterr().err
    assert r"\x1b]0;x\x07\x9b31m\u202e" in err
    assert err.replace("\n", "").isprintable()
    assert is_harmless(err) or err.startswith("Usage:")  # of click, which has several lines
    assert [line for line in err.splitlines() if line.lstrip().startswith("lie")] == []


def test_a_member_of_an_archive_in_an_error_bad_flow(tmp_path: Path, capsys: Captured) -> None:
    path = tmp_path / "host.tar"
    with tarfile.open(path, "w") as archive:
        for name in (EVIL, f"{EVIL}/below"):
            archive.addfile(tarfile.TarInfo(name))
    assert main(["topo", "--source", str(path)]) == 2
    err = capsys.readouterr().err
    assert f"lies in {EVIL!r}, which is no folder" in err
    assert is_harmless(err)


@pytest.mark.parametrize("environ", [{"TERM": "xterm"}, {"TERM": "dumb"}], ids=["colour", "plain"])
def test_a_screen_obeys_its_own_styles_alone_bad_flow(environ: dict[str, str]) -> None:
    screen = Screen(Terminal(), environ)
    lines = table(screen, ("name", "n"), [[EVIL, "1"], [Cell(EVIL, "red"), "2"]], left=("name",))
    screen.say("\n".join([*lines, screen.styled(EVIL, "bold cyan"), "\x1b[2J\x1b[8m\x1b[31;1;5m"]))
    said = screen.stream.getvalue()  # type: ignore[attr-defined]
    for own in ("\x1b[1m", "\x1b[31m", "\x1b[1;36m", "\x1b[0m"):
        assert (own in said) == screen.has_colour
        said = said.replace(own, "")
    assert said.replace("\n", "").isprintable()
    assert said.count(r"\x1b]0;x\x07") == 3


def test_live_lines_move_by_the_screens_own_words_alone_bad_flow() -> None:
    screen = Screen(Terminal(), {"TERM": "xterm", "NO_COLOR": "1"})
    with Live(screen) as live:
        live.show(["\x1b[5Aone"])
        live.show(["two"])
    said = screen.stream.getvalue()  # type: ignore[attr-defined]
    assert r"\x1b[5Aone" in said
    assert said.count("\x1b[1A") == 1
    assert "\x1b[5A" not in said


def test_echo_keeps_lines_and_letters(capsys: Captured) -> None:
    echo("Zeit\u00fcberschreitung\t\u2514\u2500\u2500\n2")
    echo(Path("/x"), err=True)
    said = capsys.readouterr()
    assert (said.out, said.err) == ("Zeit\u00fcberschreitung\t\u2514\u2500\u2500\n2\n", "/x\n")


def _prints(path: Path) -> list[str]:
    """Return the calls of `print`, `click.echo` and `click.secho` in a module."""
    calls = (each for each in ast.walk(ast.parse(path.read_text())) if isinstance(each, ast.Call))
    names = [ast.unparse(call.func) for call in calls]
    return [each for each in names if each in ("print", "click.echo", "click.secho", "click.style")]


#: Where text of our own alone is printed raw: help, the token, a line for a shell, our own words.
RAW = {
    "cli/__init__.py": 1,
    "cli/app.py": 3,
    "cli/command.py": 1,
    "cli/link.py": 1,
    "cli/patch_into.py": 1,
}


def test_commands_print_through_one_place() -> None:
    found: dict[str, Any] = {
        path.relative_to(PACKAGE).as_posix(): len(_prints(path))
        for room in ("cli", "doctor", "proof", "topo", "verify", "planning", "wheel")
        for path in sorted((PACKAGE / room).rglob("*.py"))
    }
    assert {name: count for name, count in found.items() if count} == RAW


def test_what_is_printed_is_whole_however_long(capsys: pytest.CaptureFixture[str]) -> None:
    echo("x" * (3 << 20) + "\x1b!")
    out = capsys.readouterr().out
    assert (len(out), out[-6:]) == ((3 << 20) + 6, "\\x1b!\n")
