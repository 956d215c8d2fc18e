# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The file of `plan --peer`, which another host wrote: all that may stand in it, and no more."""

from __future__ import annotations

import copy
import dataclasses
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from nixl_stripe import plan
from nixl_stripe.cli import main
from nixl_stripe.cli import plan as command
from nixl_stripe.cli.explain import explained
from nixl_stripe.errors import UsageError
from nixl_stripe.planning.stripe_plan import StripePlan
from nixl_stripe.topo.examples import NAMES, path_of
from nixl_stripe.untrusted import RefusedError, read_file

Captured = pytest.CaptureFixture[str]
P5 = path_of("p5")
#: What is put in the place of each value.
ODD: tuple[Any, ...] = (
    *(None, True, -1, 0.5, 1e308, 10**30, "", "x" * 100_000, "\x1b]0;x\x07\n\x9b2J\u202e"),
    *([], {}, [1], [[]], [{}], ["\x1b[2J"], {"\x1b": "\x1b"}, {"a": [1]}),
)
TOPOLOGIES = sorted((Path(__file__).parents[1] / "data/topologies").glob("*.xml"))


def data() -> dict[str, Any]:
    """Return a plan with something in each of its lists, as it comes out of JSON."""
    made: dict[str, Any] = json.loads(plan("all", 0, P5, environment={}).to_json())
    made["ports"] = made["ports"][:2]
    made["nics"] = [{**each, "subnets": ["10.0.0.0/8"]} for each in made["nics"][:2]]
    made |= {"warnings": ["w"], "kept": ["k"], "user_settings": {"TLS": "rc"}}
    return made | {"excluded": {"mlx5_9": "no port is up"}}


def places(value: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield above
    if isinstance(value, list):
        value = dict(enumerate(value))
    for key, each in value.items() if isinstance(value, dict) else ():
        yield from places(each, (*above, key))


def put(value: Any, place: tuple[Any, ...], odd: Any) -> Any:
    if not place:
        return odd
    value = copy.copy(value)
    value[place[0]] = put(value[place[0]], place[1:], odd)
    return value


def taken(changed: Any) -> tuple[StripePlan | None, str]:
    """Return the plan, or why it is refused."""
    try:
        return StripePlan.from_dict(changed), ""
    except ValueError as error:
        return None, str(error)


def test_every_odd_value_is_refused_or_of_no_harm() -> None:
    """It is read and compared, or refused: no other error, and nothing that a terminal obeys."""
    here, stock = plan("all", 0, P5, environment={}), plan("off", 0, P5, environment={})
    base = data()
    read = 0
    changed = [put(base, place, odd) for place in list(places(base)) for odd in ODD]
    for there, error in map(taken, changed):
        shown = [error]
        if there is not None:
            read += 1
            shown = here.check_peer(there)
            shown += explained(here, there, stock)["text"].split("\n")
        assert [line for line in shown if not line.isprintable()] == []
    assert 100 < read < len(changed) - 1000


@pytest.mark.parametrize(
    ("place", "odd", "part"),
    [
        (("nics", 0, "subnets"), [[]], "plans[0].nics[0].subnets[0]=list: accepted is a text"),
        (("settings", 0, "value"), 3, "plans[0].settings[0].value=3: accepted is a text"),
        (("rails",), "2", "plans[0].rails='2': accepted is 0 to 4096"),
        (("ports", 1, "distance"), "\x1b[31m", "plans[0].ports[1].distance='\\\\x1b[31m'"),
        (("devices", 0), {"\n": 1}, "plans[0].devices[0]=dict"),
    ],
)
def test_the_error_names_file_and_key_bad_flow(
    place: tuple[Any, ...], odd: object, part: str, tmp_path: Path, capsys: Captured
) -> None:
    file = tmp_path / "peer.json"
    file.write_text(json.dumps({"plans": [put(data(), place, odd)]}))
    assert main(["plan", "--example", "p5", "--gpu", "0", "--peer", str(file)]) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"nixl-stripe: --peer {file}: not what `nixl-stripe plan --json` prints")
    assert part in err
    assert err.removesuffix("\n").isprintable()


@pytest.mark.parametrize("as_json", [True, False])
def test_an_escape_sequence_is_shown_as_one_bad_flow(
    as_json: bool, tmp_path: Path, capsys: Captured
) -> None:
    there = plan("all", 0, P5, environment={}).to_dict()
    there["settings"][2]["value"] = "\x1b]0;x\x07\x9b2J\n\x7f"
    file = tmp_path / "peer.json"
    file.write_text(json.dumps(there))
    how = ["--json"] if as_json else []
    assert main(["plan", "--example", "p5", "--gpu", "0", "--peer", str(file), *how]) == 1
    out = capsys.readouterr().out
    assert out.replace("\n", "").isprintable()
    escaped = r"\x1b]0;x\x07\x9b2J\n\x7f there"
    assert escaped in (json.loads(out)["peer"]["problems"][0] if as_json else out)


@pytest.mark.parametrize("source", [*NAMES, *TOPOLOGIES], ids=lambda each: Path(each).name)
def test_what_plan_prints_is_read_again(
    source: str | Path, tmp_path: Path, capsys: Captured
) -> None:
    where = ["--example", source] if isinstance(source, str) else ["--source", str(source)]
    assert main(["plan", *where, "--json", "--explain"]) == 0
    text = capsys.readouterr().out
    file = tmp_path / "peer.json"
    file.write_text(text)
    read = [each.to_dict() for each in command._read_plans(file)]
    printed = [{k: v for k, v in p.items() if k != "forecast"} for p in json.loads(text)["plans"]]
    assert json.loads(json.dumps(read)) == printed


def test_what_is_no_regular_file_is_not_waited_for_bad_flow(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo.json")
    for path in (tmp_path / "fifo.json", tmp_path, Path("/dev/zero")):
        with pytest.raises(UsageError, match=f"--peer {path}: .*no regular file"):
            command._read_plans(path)


def test_a_file_beyond_the_limit_bad_flow(tmp_path: Path) -> None:
    path = tmp_path / "peer.json"
    with path.open("wb") as file:
        file.truncate(1 << 40)  # a sparse file: reading all of it would end this process
    with pytest.raises(UsageError, match="more than 16777216 bytes"):
        command._read_plans(path)
    path.write_bytes(b"[" * 100_000)
    with pytest.raises(UsageError, match="JSON deeper than 12 levels"):
        command._read_plans(path)


def test_the_schema_has_every_field_of_a_plan() -> None:
    """A field that it does not know would be read unchecked."""
    whole = plan("all", 0, P5, environment={})
    for name in (each.name for each in dataclasses.fields(StripePlan)):
        with pytest.raises(ValueError, match=rf"plan\.{name}="):
            StripePlan.from_dict(whole.to_dict() | {name: object()})


def test_a_file_within_the_limit_is_read_whole(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"12345")
    (tmp_path / "link").symlink_to("file")
    assert read_file(tmp_path / "file", 5) == read_file(tmp_path / "link", 6) == b"12345"
    with pytest.raises(RefusedError, match="more than 4 bytes"):
        read_file(tmp_path / "link", 4)
    with pytest.raises(FileNotFoundError):
        read_file(tmp_path / "none", 4)
