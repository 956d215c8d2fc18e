# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The text of metrics says what prometheus_client's own would, and a crowd does not keep it."""

from __future__ import annotations

import math
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from nixl_stripe.proof import metrics_server
from nixl_stripe.proof.exposition import OPEN_METRICS, PLAIN, content_type, text_of
from nixl_stripe.proof.metrics_server import MAX_CALLERS, MetricsServer
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.openmetrics import parser as openmetrics_parser
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector


class Odd(Collector):
    """Families whose names, texts and values ask for care."""

    def collect(self) -> Iterator[Metric]:
        sent = CounterMetricFamily("sent_bytes", 'A "word", a \\ and\na line.', labels=["nic", "a"])
        sent.add_metric(['q"uote', "back\\slash"], 1)
        sent.add_metric(["new\nline", "\u00fc"], 2**60)
        yield sent
        share = GaugeMetricFamily("share", "Fraction.", labels=["nic"])
        for number, value in enumerate((0.25, 1e-7, 1e21, math.inf, -math.inf, True)):
            share.add_metric([f"n{number}"], value)
        yield share
        yield GaugeMetricFamily("alone", "No label.", value=3)
        yield InfoMetricFamily("build", "This program.", value={"version": "1", "b": "2"})


def registry() -> CollectorRegistry:
    made = CollectorRegistry()
    made.register(Odd())
    return made


def test_it_says_what_prometheus_clients_own_text_says() -> None:
    write: Any = openmetrics.generate_latest  # it has no types, nor have the parsers
    read: Any = openmetrics_parser.text_string_to_metric_families
    read_plain: Any = text_string_to_metric_families
    ours = text_of(registry().collect()).decode()
    assert list(read(ours)) == list(read(write(registry()).decode()))
    assert ours.endswith("# EOF\n")
    assert f"}} {2**60}\n" in ours, "exact, as no float is"
    plain = text_of(registry().collect(), PLAIN).decode()
    assert list(read_plain(plain)) == list(read_plain(generate_latest(registry()).decode()))


def test_a_number_that_is_none_is_written_as_such() -> None:
    made = GaugeMetricFamily("x", "x", value=math.nan)
    assert "\nx NaN\n" in text_of([made]).decode()


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5", OPEN_METRICS),
        ("APPLICATION/OPENMETRICS-TEXT", OPEN_METRICS),
        ("application/openmetrics-text;q=0.4,text/plain;q=0.9", PLAIN),
        ("application/openmetrics-text; q=0, text/plain", PLAIN),
        ("application/openmetrics-text;q=lots", PLAIN),
        ("application/openmetrics-text-2", PLAIN),
        ("text/plain", PLAIN),
        ("", PLAIN),
        ("*/*", PLAIN),
    ],
)
def test_who_asks_for_openmetrics_has_it(accept: str, kind: str) -> None:
    assert content_type(accept) == kind


@pytest.fixture(scope="module")
def server() -> Iterator[MetricsServer]:
    made = MetricsServer(registry(), "127.0.0.1", 0)
    try:
        yield made
    finally:
        made.stop()


def scraped(server: MetricsServer) -> bytes:
    with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/", timeout=60) as got:
        text: bytes = got.read()
    return text


def test_a_crowd_that_says_nothing_keeps_no_scrape_away_bad_flow(server: MetricsServer) -> None:
    crowd = [
        socket.create_connection(("127.0.0.1", server.port), timeout=60)
        for _ in range(2 * MAX_CALLERS)
    ]
    assert b"alone 3" in scraped(server)
    assert crowd[0].recv(1) == b"", "the first was left"
    for each in crowd:
        each.close()
    assert b"alone 3" in scraped(server)


class Counted:
    """Counts its looks."""

    looks = 0

    def collect(self) -> list[Metric]:
        self.looks += 1
        return [GaugeMetricFamily("look", "", value=self.looks)]


def test_many_callers_make_one_look(monkeypatch: pytest.MonkeyPatch) -> None:
    counted = Counted()
    server = MetricsServer(counted, "127.0.0.1", 0)
    try:
        monkeypatch.setattr(metrics_server, "SAME_S", 1e9)
        assert [b"look 1" in scraped(server) for _ in range(3)] == [True] * 3
        assert server.text(OPEN_METRICS) != server.text(PLAIN)
        assert counted.looks == 1
        monkeypatch.setattr(metrics_server, "SAME_S", 0.0)
        assert b"look 2" in scraped(server)
    finally:
        server.stop()


def asked(server: MetricsServer, line: bytes) -> tuple[bytes, bytes]:
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as caller:
        caller.sendall(line + b"\r\n\r\n")
        with caller.makefile("rb") as stream:
            head, _, body = stream.read().partition(b"\r\n\r\n")
    return head, body


def test_head_has_the_length_and_no_body(server: MetricsServer) -> None:
    head, body = asked(server, b"HEAD /metrics HTTP/1.0")
    whole, text = asked(server, b"GET /metrics?x=1 HTTP/1.0")
    assert head.split()[1] == whole.split()[1] == b"200"
    assert (body, b"Content-Length: %d" % len(text) in head) == (b"", True)


def test_another_path_is_none_bad_flow(server: MetricsServer) -> None:
    for line in (b"GET /metric HTTP/1.0", b"GET /metrics/x HTTP/1.0", b"HEAD /x HTTP/1.0"):
        assert asked(server, line)[0].split()[1] == b"404"


@pytest.mark.parametrize(
    "sent",
    [
        b"\0" * 100_000,
        b"GET " + b"x" * 100_000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 1000 + b"\r\n",
        b"POST / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/9.9\x1b[2J\r\n\r\n",
    ],
    ids=["zeros", "long path", "many headers", "post", "no version"],
)
def test_what_is_no_request_is_refused_bad_flow(
    server: MetricsServer, capfd: pytest.CaptureFixture[str], sent: bytes
) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as caller:
        try:
            caller.sendall(sent)
            answer = caller.recv(4096)
        except ConnectionError:
            answer = b""  # it hung up while there was more to come
    assert b" 200 " not in answer
    assert b"alone 3" in scraped(server)
    assert capfd.readouterr() == ("", "")


def test_a_report_needs_nothing_but_the_base_install() -> None:
    """prometheus_client belongs to export."""
    program = (
        "import sys; sys.modules['prometheus_client'] = None; import nixl_stripe.verify.report"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
