# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The documents: generated text is that of code and results, links lead somewhere, lines fit."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from docgen import bench, files, links, machines
from docgen.files import ORIGIN, ROOT
from docgen.marks import MarkError, filled, marks
from nixl_stripe import _core, traps
from nixl_stripe.doctor import CHECKS

import docs

TEXTS = {
    "say": lambda *words: " ".join(words),
    "lines": lambda: "a\nb",
    "none": lambda: next(iter(())),
}
DOCUMENTS = links.documents()
IDS = [str(path.relative_to(ROOT)) for path in DOCUMENTS]


def test_every_document_is_what_the_generator_makes(capsys: pytest.CaptureFixture[str]) -> None:
    assert docs.main(["--check"]) == 0, capsys.readouterr().err


def test_a_stale_document_is_named_and_written_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "docs/page.md"
    page.parent.mkdir()
    (tmp_path / "README.md").write_text("# Nothing\n")
    page.write_text("a\n<!-- docs: say new -->\nold\n<!-- /docs -->\n")
    monkeypatch.setattr(docs, "ROOT", tmp_path)
    monkeypatch.setattr(docs, "TEXTS", TEXTS)
    monkeypatch.setattr(docs, "pages", dict)
    monkeypatch.setattr(docs, "documents", lambda: [page, tmp_path / "README.md"])
    assert docs.main(["--check"]) == 1
    assert "docs/page.md is out of date: python tools/docs.py" in capsys.readouterr().err
    assert docs.main([]) == 0
    assert page.read_text() == "a\n<!-- docs: say new -->\nnew\n<!-- /docs -->\n"
    assert docs.main(["--check"]) == 0


def test_blocks_and_figures_are_filled() -> None:
    text = (
        "<!-- docs: lines -->\n<!-- /docs -->\nit is <!-- docs: say 'a b' c -->?<!-- /docs -->.\n"
    )
    made = filled(text, TEXTS)
    assert "<!-- docs: lines -->\na\nb\n<!-- /docs -->\n" in made
    assert "it is <!-- docs: say 'a b' c -->a b c<!-- /docs -->." in made
    assert filled(made, TEXTS) == made
    assert [mark.is_block for mark in marks(made)] == [True, False]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<!-- docs: say x -->\n", "edges of marks make no pairs"),
        ("<!-- /docs -->", "edges of marks make no pairs"),
        ("<!-- docs: say x -->\n<!-- docs: say y -->\n<!-- /docs -->", "make no pairs"),
        ("<!-- docs: sing -->\n<!-- /docs -->", "sing: accepted are lines, none, say"),
        ("<!-- docs:  -->\n<!-- /docs -->", "has no name"),
        ("<!-- docs: none -->\n<!-- /docs -->", "none: StopIteration"),
        ("a <!-- docs: lines --><!-- /docs -->", "gives lines, so the mark needs lines of its own"),
    ],
)
def test_marks_that_cannot_be_filled_bad_flow(text: str, message: str) -> None:
    with pytest.raises(MarkError, match=message):
        filled(text, TEXTS)


def test_a_bad_mark_is_named_with_its_document_bad_flow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.md"
    page.write_text("<!-- docs: ratio rails-tcp-4 nothing -->\n<!-- /docs -->\n")
    monkeypatch.setattr(docs, "ROOT", tmp_path)
    monkeypatch.setattr(docs, "documents", lambda: [page])
    monkeypatch.setattr(docs, "pages", dict)
    assert docs.main(["--check"]) == 2
    assert "page.md: ratio rails-tcp-4 nothing: KeyError: 'nothing'" in capsys.readouterr().err


def test_a_figure_that_many_rows_have_is_refused_bad_flow() -> None:
    with pytest.raises(LookupError, match=r"5 rows of rails-tcp-4\.json: accepted is one"):
        bench.median("rails-tcp-4", "gbps", "2")
    with pytest.raises(KeyError, match=r"docs/results/absent\.json: No such file"):
        files.result("absent")


def test_lists_of_the_code_are_whole() -> None:
    keys = list(traps.keys())
    text = (ROOT / "docs/troubleshooting.md").read_text("utf-8")
    assert all(f"| `{check.name}` |" in text for check in CHECKS)
    assert all(f"| `UCX_{key}` |" in text for key in keys)
    assert len(_core.trap_table()) == len(keys)
    readme = (ROOT / "README.md").read_text("utf-8")
    assert all(f"| `{each.key}` |" in readme for each in _core.parameter_table())
    parameters = (ROOT / "docs/parameters.md").read_text("utf-8")
    assert all(f"| `{each.word}` |" in parameters for each in _core.policy_table())
    assert all(f"`{each.variable}`" in parameters for each in _core.parameter_table())


def test_a_nixl_that_failed_shows_in_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    found = files.result("versions")
    assert "**no**" not in machines.versions()
    bad = {**found, "rows": [{**found["rows"][0], "applied": []}]}
    monkeypatch.setattr(machines, "result", lambda _: bad)
    assert "**no**" in machines.versions()


@pytest.mark.parametrize("name", files.names())
def test_every_result_says_where_it_comes_from(name: str) -> None:
    found = files.result(name)
    assert set(ORIGIN) <= set(found)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d(T[\d:]+\+00:00)?", found["date"])
    assert found["commit"] is None or re.fullmatch(r"[0-9a-f]{12}", found["commit"])
    assert not re.search(r"(?<![\w.])/[a-z]", found["command"]), "a path of some machine"
    assert set(found.get("from_history", ())) <= set(ORIGIN)


@pytest.mark.parametrize("document", DOCUMENTS, ids=IDS)
def test_links_and_anchors_lead_somewhere(document: Path) -> None:
    assert links.broken(document) == []


def test_broken_links_are_seen_bad_flow(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    (tmp_path / "other.md").write_text("# A title, `code` and more\n\n## Twice\n\n## Twice\n")
    good = "[a](other.md#a-title-code-and-more) [b](other.md#twice-1) [c](https://example.org)"
    page.write_text(f"# Here\n\n[me](#here) {good}\n\n    [in](code.md)\n")
    assert links.broken(page) == []
    page.write_text("[a](absent.md) [b](other.md#nothing) ![c](none.png)\n\n[d](#gone)\n")
    assert links.broken(page) == ["absent.md", "other.md#nothing", "none.png", "#gone"]


def test_every_document_is_in_the_index() -> None:
    index = (ROOT / "docs/README.md").read_text("utf-8")
    for path in (ROOT / "docs").glob("*.md"):
        assert path.name == "README.md" or f"]({path.name})" in index, path.name


@pytest.mark.parametrize("document", DOCUMENTS, ids=IDS)
def test_lines_fit_and_begin_with_words(document: Path) -> None:
    assert links.long_lines(document.read_text("utf-8")) == []


def test_long_lines_are_seen_bad_flow() -> None:
    wide = "word " * 30
    mark = "a <!-- docs: ratio some-result some_ratio_with_a_long_name -->1.00<!-- /docs --> " * 2
    table = f"| {wide} |"
    block = f"<!-- docs: demo -->\n{wide}\n<!-- /docs -->"
    assert links.long_lines("\n".join([table, mark, block, "short"])) == []
    assert links.long_lines(f"x\n{wide}\n") == [f"2: {wide}"]
    begins = "<!-- docs: ratio a b -->1<!-- /docs --> times"
    assert links.long_lines(begins) == [f"1: {begins}"]
