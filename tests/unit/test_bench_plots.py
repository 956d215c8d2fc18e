# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Pictures of benchmark results show the figures of their files."""

from __future__ import annotations

import builtins
import json
from pathlib import Path
from typing import Any

import pytest
from nixl_stripe.bench.drawings import DRAWINGS, PUBLISHED
from nixl_stripe.bench.plots import draw_file
from nixl_stripe.errors import StripeError, UsageError

Document = dict[str, Any]
NICS = ("rail0", "rail1")


def spread(value: float) -> dict[str, float]:
    return {"median": value, "q1": value * 0.9, "q3": value * 1.1, "n": 3}


def document(bench: str, rows: list[Document]) -> Document:
    return {
        "bench": bench,
        "machine": {"bed": "tcp", "nics": 2, "mbit": 200.0},
        "options": {"ops": ["WRITE"]},
        "rows": [{"op": "WRITE", **row} for row in rows],
    }


def shares(*parts: float) -> dict[str, float]:
    return dict(zip(NICS, parts, strict=True))


def parts_of_a_cycle(mode: str, kind: str, cycle: int, pull: float) -> Document:
    times = {"alloc_s": spread(0.1), "register_s": spread(0.2), "pull_s": spread(pull)}
    return {"mode": mode, "kind": kind, "cycle": cycle, **times}


DOCUMENTS = {
    "rails": document(
        "rails",
        [
            {"mode": "stock", "nics": 2, "gbps": spread(0.3), "share": shares(0.5, 0.5)},
            {"mode": "stripe", "nics": 1, "gbps": spread(0.2), "share": shares(1.0, 0.0)},
            {"mode": "stripe", "nics": 2, "gbps": spread(0.4), "share": shares(0.6, 0.4)},
        ],
    ),
    "refit": document(
        "refit",
        [
            parts_of_a_cycle("stock", "cold", 1, 2.0),
            parts_of_a_cycle("stripe, coalesced", "warm", 2, 1.0),
            parts_of_a_cycle("stripe, coalesced", "warm", 3, 9.0),
        ],
    ),
    "sizes": document(
        "sizes",
        [
            {"mode": mode, "bytes": size, "gbps": spread(rate), "latency_us": spread(30.0)}
            for mode, rate in (("one NIC", 0.1), ("stock", 0.2), ("stripe", 0.4))
            for size in (4096, 1 << 20)
        ],
    ),
    "latency": document(
        "latency",
        [
            {"mode": mode, "bytes": 4096, "latency_us": spread(us), "of_one_rail": spread(us / 30)}
            for mode, us in (("one rail", 30.0), ("two rails", 36.0), ("stripe", 33.0))
        ],
    ),
    "many": document(
        "many",
        [
            {"mode": mode, "tensors": name, "gbps": spread(rate), "share": shares(*share)}
            for name, rate in (("290 x 4 KiB", 0.1), ("1 x 8 MiB", 0.2))
            for mode, share in (("stock", (1.0, 0.0)), ("stripe", (0.5, 0.5)))
        ],
    ),
    "peers": document(
        "peers",
        [
            {"mode": mode, "tensors": name, "gbps": spread(rate)}
            for name, rate in (("1 x 8 MiB", 0.1), ("290 x 4 KiB", 0.2))
            for mode in ("stripe", "Mooncake")
        ],
    ),
    "register": document(
        "register",
        [
            {
                "tensors": 290,
                "bytes": 1 << 20,
                "coalesced": coalesced,
                "regions": 1 if coalesced else 290,
                "nics": nics,
                "register_ms": spread(value * nics),
            }
            for coalesced, value in ((False, 2.0), (True, 0.1))
            for nics in (1, 2)
        ],
    ),
}


def heights(axes: Any) -> list[float]:
    return [round(float(bar.get_height()), 6) for bar in axes.patches]


def named(figure: Any) -> set[str]:
    return {text.get_text() for text in figure.legends[0].get_texts()}


def test_every_kind_has_a_document_here() -> None:
    assert DOCUMENTS.keys() == DRAWINGS.keys()


@pytest.mark.parametrize("bench", DOCUMENTS)
def test_a_picture_is_written(bench: str, tmp_path: Path) -> None:
    file = tmp_path / f"{bench}.json"
    file.write_text(json.dumps(DOCUMENTS[bench]))
    (picture,) = draw_file(file, tmp_path / "pictures")
    assert picture == tmp_path / "pictures" / f"{bench}.png"
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert picture.stat().st_size > 5000


def test_scaling_shows_medians_the_limits_and_shares() -> None:
    rates, parts = DRAWINGS["rails"](DOCUMENTS["rails"]).axes
    lines = [list(line.get_ydata()) for line in rates.lines]
    assert [0.2, 0.4] in lines
    assert [0.3, 0.3] in lines
    assert lines[-1] == [0, 0.4]  # the limits, from no NIC to both
    assert heights(parts) == [60.0, 40.0]


def test_cycles_are_stacked_and_only_the_first_warm_one_is_drawn() -> None:
    cycles, published = DRAWINGS["refit"](DOCUMENTS["refit"]).axes
    assert heights(cycles) == [0.1, 0.2, 2.0, 0.1, 0.2, 1.0]
    assert "published, not measured here" in published.get_title()
    texts = {text.get_text() for text in published.texts}
    assert texts == {"0.417", "0.543", "0.204\n316 Gbit/s", "0.103\n622 Gbit/s"}
    assert {figures["total_s"] for figures in PUBLISHED.values()} == {0.417, 0.543}


def test_sets_of_tensors_show_shares_and_rates() -> None:
    parts, rates = DRAWINGS["many"](DOCUMENTS["many"]).axes
    assert heights(parts) == [100.0, 0.0, 50.0, 50.0, 100.0, 0.0, 50.0, 50.0]
    assert heights(rates) == [0.1, 0.1, 0.2, 0.2]


def test_peers_stand_beside_each_other() -> None:
    figure = DRAWINGS["peers"](DOCUMENTS["peers"])
    (rates,) = figure.axes
    assert heights(rates) == [0.1, 0.1, 0.2, 0.2]
    assert named(figure) == {"stripe", "Mooncake", "limit of one NIC", "limit of all NICs"}


def test_latencies_and_their_ratios_stand_beside_each_other() -> None:
    latency, ratio = DRAWINGS["latency"](DOCUMENTS["latency"]).axes
    assert heights(latency) == pytest.approx([30.0, 36.0, 33.0])
    assert heights(ratio) == pytest.approx([1.0, 1.2, 1.1])


def test_registration_has_a_line_for_each_way() -> None:
    (times,) = DRAWINGS["register"](DOCUMENTS["register"]).axes
    assert [list(line.get_ydata()) for line in times.lines] == [[2.0, 4.0], [0.1, 0.2]]


@pytest.mark.parametrize("bench", DOCUMENTS)
def test_no_picture_hides_its_data(bench: str) -> None:
    figure = DRAWINGS[bench](DOCUMENTS[bench])
    assert len(figure.legends) == 1
    for axes in figure.axes:
        assert axes.get_legend() is None, "a legend over the data"
        assert axes.get_ylim()[0] == 0
        for place in axes.get_xticks():
            assert place == int(place)


@pytest.mark.parametrize("bench", ["rails", "sizes", "many", "peers"])
def test_rates_stand_under_the_limit_of_the_bed(bench: str) -> None:
    figure = DRAWINGS[bench](DOCUMENTS[bench])
    assert {"sum of the limits", "limit of all NICs"} & named(figure)
    free = {**DOCUMENTS[bench], "machine": {"bed": "tcp", "nics": 2, "mbit": None}}
    assert not {"sum of the limits", "limit of all NICs"} & named(DRAWINGS[bench](free))


def test_one_nic_is_seen_under_one_rail() -> None:
    rates = DRAWINGS["sizes"](DOCUMENTS["sizes"]).axes[0]
    width = {line.get_label(): line.get_linewidth() for line in rates.lines}
    assert width["one NIC"] > 2 * width["stripe"]


@pytest.mark.parametrize(("load", "is_noted"), [(1.9, False), (2.1, True)])
def test_a_busy_machine_is_noted(load: float, is_noted: bool) -> None:
    machine = {"bed": "tcp", "nics": 2, "mbit": 200.0, "cores": 2}
    busy = {**DOCUMENTS["rails"], "machine": machine, "load": {"before": load, "after": 9.0}}
    title = DRAWINGS["rails"](busy).get_suptitle()
    assert ("busy machine: 2 cores, load 2.1 at the start" in title) == is_noted


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        (None, "No such file"),
        ("[]", "not what"),
        ("{}", "not what"),
        ('{"bench": "x"}', "not what"),
    ],
)
def test_a_file_that_is_no_result_is_named_bad_flow(
    text: str | None, wrong: str, tmp_path: Path
) -> None:
    file = tmp_path / "result.json"
    if text is not None:
        file.write_text(text)
    with pytest.raises(UsageError, match=wrong) as caught:
        draw_file(file, tmp_path)
    assert str(file) in str(caught.value)


def test_no_matplotlib_is_said_bad_flow(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "rails.json"
    file.write_text(json.dumps(DOCUMENTS["rails"]))
    real = builtins.__import__

    def missing(name: str, *arguments: Any, **named: Any) -> Any:
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *arguments, **named)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(StripeError, match=r"pip install 'nixl-stripe\[plot\]'"):
        draw_file(file, tmp_path)
