# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""One vocabulary for users of the command: names of options, sizes, the default port, words."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from nixl_stripe.bench import options as bench_options
from nixl_stripe.cli import verify
from nixl_stripe.cli.app import WORDS, build_app, main
from nixl_stripe.cli.bench_run import Run
from nixl_stripe.cli.words import ALIASES, canonical
from nixl_stripe.errors import UsageError
from nixl_stripe.lab.remote import DEFAULT_PORT

ROOT = Path(__file__).parents[2]
Captured = pytest.CaptureFixture[str]

#: Options of both commands that lead transfers, by any of their names, and what they give.
SAID = {
    "--nics": ("3", 3),
    "--rails": ("3", 3),
    "--size": ("16M", 16 << 20),
    "--max-block-size": ("16384K", 16 << 20),
    "--max_block_size": ("16777216", 16 << 20),
    "--repeats": ("7", 7),
    "--num-iter": ("7", 7),
    "--num_iter": ("7", 7),
}


class Heard(Exception):  # noqa: N818
    """Ends a command where its work would begin."""


def _names(commands: Any) -> dict[str, Any]:
    """Return every command below, by its words."""
    found = {}
    for name, command in commands.items():
        found[name] = command
        below = _names(getattr(command, "commands", {}))
        found.update({f"{name} {each}": command for each, command in below.items()})
    return found


def _commands() -> dict[str, Any]:
    return _names(build_app().commands)


def clashes(options: dict[str, list[str]]) -> list[str]:
    """Return which options stand under an alias instead of their name."""
    return [
        f"{verb} {name}"
        for verb, names in options.items()
        for name in names
        if canonical(name.lstrip("-")) != name.lstrip("-")
    ]


def _options() -> dict[str, list[str]]:
    return {
        verb: [name for each in command.params for name in each.opts if name.startswith("--")]
        for verb, command in _commands().items()
    }


def test_every_option_is_declared_by_its_one_name() -> None:
    options = _options()
    assert {"--size", "--nics", "--repeats"} <= set(options["verify"]) & set(options["bench rails"])
    assert set(ALIASES.values()) <= {name.lstrip("-") for each in options.values() for name in each}
    assert clashes(options) == []


def undocumented(text: str) -> list[str]:
    """Return the aliases that a row of the table of names leaves out."""
    rows = [line for line in text.splitlines() if line.startswith("| `--")]
    return [
        alias
        for alias, name in ALIASES.items()
        if not any(row.startswith(f"| `--{name}") and f"`--{alias}`" in row for row in rows)
    ]


def test_every_alias_is_documented() -> None:
    text = (ROOT / "docs/proof.md").read_text("utf-8")
    assert undocumented(text) == []


def test_an_alias_that_is_not_documented_is_seen_bad_flow() -> None:
    text = (ROOT / "docs/proof.md").read_text("utf-8")
    assert undocumented(text.replace("`--num-iter`", "")) == ["num-iter"]


def test_a_second_name_is_seen_bad_flow() -> None:
    found = clashes(
        {"bench x": ["--size", "--num-iter", "--max_block_size"], "verify": ["--rails"]}
    )
    assert found == ["bench x --num-iter", "bench x --max_block_size", "verify --rails"]


@pytest.mark.parametrize(("option", "said"), SAID.items())
def test_verify_knows_every_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, option: str, said: tuple[str, int]
) -> None:
    heard: dict[str, Any] = {}

    def request(fields: dict[str, Any]) -> None:
        heard.update(fields)

    def bed(_: object, nics: int, *__: object) -> None:
        heard["nics"] = nics
        raise Heard

    monkeypatch.setattr(verify, "_request", request)
    monkeypatch.setattr(verify, "_bed", bed)
    with pytest.raises(Heard):
        main(["verify", "--bed", "tcp", "--nixl", str(tmp_path), option, said[0]])
    assert heard[canonical(option.lstrip("-"))] == said[1]


@pytest.mark.parametrize(("option", "said"), SAID.items())
def test_bench_knows_every_name(
    monkeypatch: pytest.MonkeyPatch, option: str, said: tuple[str, int]
) -> None:
    heard: dict[str, Any] = {}

    def measure(run: Run, *_: str | None, **more: Any) -> dict[str, Any]:
        heard.update({**run.given, **more})
        raise Heard

    monkeypatch.setattr(Run, "measure", measure)
    with pytest.raises(Heard):
        main(["bench", "rails", option, said[0]])
    assert heard[canonical(option.lstrip("-"))] == said[1]


@pytest.mark.parametrize(
    ("arguments", "given"),
    [
        ([], {"start": 4096, "stop": None}),
        (["--start-size", "64K", "--size", "1G"], {"start": 65536, "stop": 1 << 30}),
        (
            ["--start_block_size", "8192", "--max-block-size", "4M"],
            {"start": 8192, "stop": 4 << 20},
        ),
    ],
)
def test_sizes_of_the_sweep(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], given: dict[str, Any]
) -> None:
    heard: dict[str, Any] = {}

    def measure(_: Run, __: str, **more: Any) -> dict[str, Any]:
        heard.update(more)
        raise Heard

    monkeypatch.setattr(Run, "measure", measure)
    with pytest.raises(Heard):
        main(["bench", "sizes", *arguments])
    assert heard == given


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (["verify", "--size"], "--size"),
        (["verify", "--max-block-size"], "--size"),
        (["verify", "--max-bytes"], "--max-bytes"),
        (["bench", "rails", "--size"], "--size"),
        (["bench", "latency", "--max_block_size"], "--size"),
        (["bench", "sizes", "--start-size"], "--start-size"),
        (["bench", "register", "--total-buffer-size"], "--size"),
        (["bench", "many", "--max-bytes"], "--max-bytes"),
    ],
)
@pytest.mark.parametrize("value", ["many", "0", "-1", "1.5M"])
def test_bytes_are_read_the_same_everywhere_bad_flow(
    capsys: Captured, arguments: list[str], name: str, value: str
) -> None:
    assert main([*arguments, value]) == 2
    message = capsys.readouterr().err
    assert f"{name} '{value}': accepted are 4096, 64K, 16M, 1G" in message
    assert len(message.splitlines()) == 1


@pytest.mark.parametrize("option", ["--op", "--op-type", "--op_type"])
@pytest.mark.parametrize(
    ("words", "ops"),
    [
        ([], ()),
        (["READ"], ("READ",)),
        (["write"], ("WRITE",)),
        (["both"], ("READ", "WRITE")),
        (["Write", "both"], ("WRITE", "READ")),
    ],
)
def test_operations_of_bench(
    monkeypatch: pytest.MonkeyPatch, option: str, words: list[str], ops: tuple[str, ...]
) -> None:
    heard: list[bench_options.Options] = []

    def measure(run: Run, *_: object, **__: object) -> dict[str, Any]:
        heard.append(run.options)
        raise Heard

    monkeypatch.setattr(Run, "measure", measure)
    with pytest.raises(Heard):
        main(["bench", "rails", *(part for word in words for part in (option, word))])
    assert heard[0].ops == ops


def test_an_option_of_no_name_is_refused_bad_flow(capsys: Captured) -> None:
    assert main(["bench", "rails", "--block-size", "4096"]) == 2
    assert "--block-size" in capsys.readouterr().err
    with pytest.raises(UsageError, match="--repeats 0: accepted are 1 and more"):
        bench_options.Options(iterations=0)


def other_ports(text: str) -> set[str]:
    """Return which ports a text gives a listener of ours besides the default one."""
    return set(re.findall(r"\b18[0-9]{3}\b", text)) - {str(DEFAULT_PORT)}


def test_documents_and_examples_use_the_default_port() -> None:
    texts = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    texts += [path for path in (ROOT / "examples").rglob("*") if path.suffix in (".md", ".yaml")]
    read = {str(path.relative_to(ROOT)): path.read_text("utf-8") for path in texts}
    assert sum(str(DEFAULT_PORT) in text for text in read.values()) >= 5
    assert {name: found for name, text in read.items() if (found := other_ports(text))} == {}


def test_another_port_is_seen_bad_flow() -> None:
    assert other_ports("listen at 0.0.0.0:18515, or 18517") == {"18515"}


def glossary(text: str) -> set[str]:
    """Return the words that a Markdown text explains, as `**word**: what it is`."""
    return {found.group(0) for found in re.finditer(r"\*\*\w+\*\*: [^\n]+", text)}


def test_help_explains_words_as_the_readme_does(capsys: Captured) -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    assert len(glossary(WORDS)) == 4
    assert glossary(WORDS) == glossary(readme)
    assert main(["--help"]) == 0
    assert "a NIC as one part of a stripe" in " ".join(capsys.readouterr().out.split())


def test_other_words_in_help_are_seen_bad_flow() -> None:
    assert glossary(WORDS.replace("over one NIC", "over some NIC")) != glossary(WORDS)
