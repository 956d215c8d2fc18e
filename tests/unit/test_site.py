# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What is checked of a built site; `scripts/docs` builds it."""

from __future__ import annotations

from pathlib import Path

import pytest
import site_check

PAGE = '<link href="style.css"><script src="../a.js"></script><a href="https://example.org">x</a>'


def test_a_site_that_loads_nothing_is_good(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(PAGE)
    (tmp_path / "style.css").write_text("a { background: url(data:image/png;base64,AA) }")
    assert site_check.main([str(tmp_path)]) == 0


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.html", PAGE + '<script src="https://example.org/a.js"></script>'),
        ("a.html", PAGE + '<img src="//example.org/a.png">'),
        ("a.html", PAGE + '<link rel="stylesheet" href="http://example.org/a.css">'),
        ("style.css", '@font-face { src: url("https://example.org/font.woff2") }'),
    ],
)
def test_what_comes_from_the_network_is_named_bad_flow(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, text: str
) -> None:
    (tmp_path / "a.html").write_text(PAGE)
    (tmp_path / name).write_text(text)
    assert site_check.main([str(tmp_path)]) == 1
    assert f"loaded from the network: {name}" in capsys.readouterr().err


def test_no_site_bad_flow(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert site_check.main([str(tmp_path)]) == 2
    assert "holds no pages" in capsys.readouterr().err
