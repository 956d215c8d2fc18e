# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Datagrams from NIC to NIC, here over loopback: who answers, and to whom."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from dataclasses import replace

import pytest
from nixl_stripe.fleet.echo import Echo
from nixl_stripe.fleet.facts import interfaces_of
from nixl_stripe.planning.planner import plan
from nixl_stripe.topo.examples import path_of

SECRET = bytes(range(16))


@pytest.fixture
def echo() -> Iterator[Echo]:
    with contextlib.closing(Echo(["lo", "no-such-nic"], SECRET)) as made:
        yield made


def test_a_nic_that_is_there_answers(echo: Echo) -> None:
    assert [each["address"] for each in echo.places] == ["127.0.0.1", ""]
    with contextlib.closing(Echo(["lo", "lo"], SECRET)) as other:
        assert other.silent(echo.places) == []  # one without an address is not asked
        assert other.works


def test_one_that_is_not_is_silent_bad_flow(echo: Echo) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as unread:
        unread.bind(("127.0.0.1", 0))
        nobody = {"address": "127.0.0.1", "port": unread.getsockname()[1]}
        with contextlib.closing(Echo(["lo", "lo"], SECRET)) as other:
            assert other.silent([nobody]) == [0]
            assert not other.works
            assert other.silent([echo.places[0], nobody]) == [1]
            assert other.works


def test_another_run_is_not_answered_bad_flow(echo: Echo) -> None:
    with contextlib.closing(Echo(["lo"], SECRET[::-1])) as stranger:
        assert stranger.silent(echo.places) == [0]


def test_an_answer_is_as_long_as_what_asked_and_garbage_gets_none(echo: Echo) -> None:
    port = echo.places[0]["port"]
    assert isinstance(port, int)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(5)
        for garbage in (b"", b"?", SECRET, SECRET + b"n" * 9 + b"?", b"x" * 200):
            asking.sendto(garbage, ("127.0.0.1", port))
        asking.sendto(SECRET + b"12345678?", ("127.0.0.1", port))
        assert asking.recv(256) == SECRET + b"12345678!"
        asking.settimeout(0.1)
        with pytest.raises(TimeoutError):
            asking.recv(256)


def test_interfaces_of_a_plan() -> None:
    """Of RDMA devices those of their ports; an interface is its own; InfiniBand has none."""
    found = plan("all", machine=path_of("p5"))
    assert set(interfaces_of(found)) == {""}
    of_tcp = replace(found, devices=("eth1", "no-such-nic:1"))
    assert interfaces_of(of_tcp) == ["eth1", ""]
