# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The connection between two hosts' `verify`: addresses, messages, and peers that are none."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from nixl_stripe.cli import main
from nixl_stripe.errors import StripeError, UsageError
from nixl_stripe.lab import LabUnavailableError
from nixl_stripe.lab.availability import explain
from nixl_stripe.lab.guests import assets
from nixl_stripe.lab.job import Nixl
from nixl_stripe.lab.rails import rails
from nixl_stripe.proof.text import bytes_text, parse_size
from nixl_stripe.verify import Listener, TwoHosts
from nixl_stripe.verify.two_hosts import DEFAULT_PORT, Link, LinkLostError, parse_address

Captured = pytest.CaptureFixture[str]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ("", DEFAULT_PORT)),
        ("10.0.0.1:99", ("10.0.0.1", 99)),
        (":99", ("", 99)),
        ("99", ("", 99)),
        ("node7", ("node7", DEFAULT_PORT)),
        ("[fe80::1]:99", ("fe80::1", 99)),
    ],
)
def test_addresses(text: str, expected: tuple[str, int]) -> None:
    assert parse_address(text) == expected


@pytest.mark.parametrize("text", ["host:port", "host:0", "host:70000", "fe80::1", "[fe80::1:99"])
def test_addresses_bad_flow(text: str) -> None:
    with pytest.raises(UsageError, match="address"):
        parse_address(text)


@pytest.fixture
def links() -> Iterator[tuple[Link, Link]]:
    left, right = socket.socketpair()
    with left, right:
        yield Link(left), Link(right)


def test_messages_by_addressee(links: tuple[Link, Link]) -> None:
    here, there = links
    here.relay(b'{"kind": "ready"}')
    here.send({"kind": "report", "x": 1})
    assert there.pull() == [b'{"kind": "ready"}\n']
    assert there.receive(1, "report")["x"] == 1


def test_what_is_no_verify_bad_flow(links: tuple[Link, Link]) -> None:
    here, there = links
    here.connection.sendall(b"GET / HTTP/1.1\r\n")
    with pytest.raises(LinkLostError, match="no nixl-stripe verify"):
        there.receive(1, "hello")


def test_unexpected_silent_and_gone_peers_bad_flow(links: tuple[Link, Link]) -> None:
    here, there = links
    with pytest.raises(LinkLostError, match=r"said nothing for 0\.05 s"):
        there.receive(0.05, "hello")
    here.send({"kind": "bye"})
    with pytest.raises(LinkLostError, match="'bye' where case or ready was expected"):
        there.receive(1, "case", "ready")
    here.connection.close()
    with pytest.raises(LinkLostError, match="closed the connection"):
        there.receive(1, "hello")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def test_nobody_listens_bad_flow() -> None:
    with pytest.raises(StripeError, match=r"--connect 127\.0\.0\.1:\d+: .*verify --listen"):
        TwoHosts(f"127.0.0.1:{free_port()}", wait_s=0.1)


def test_port_in_use_bad_flow() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(StripeError, match=f"--listen 127.0.0.1:{port}: "):
            Listener(f"127.0.0.1:{port}")


def test_a_job_that_is_none_ends_the_listener_bad_flow() -> None:
    """What a peer sends decides nothing but the transfer."""
    port = free_port()
    found: list[BaseException] = []

    def serve() -> None:
        try:
            with Listener(f"127.0.0.1:{port}") as listener:
                listener.serve(Nixl())
        except StripeError as error:
            found.append(error)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with TwoHosts(f"127.0.0.1:{port}", wait_s=10) as ground:
            ground._link.send({"kind": "case", "job": json.dumps({"role": "x"}), "environment": {}})
            thread.join(10)
    finally:
        thread.join(10)
    assert "what is no transfer" in str(found[0])


@pytest.mark.parametrize(
    ("options", "code", "text"),
    [
        (("--bed", "tcp", "--listen"), 2, "--bed and --listen: accepted is one of them"),
        (("10.0.0.1:5",), 2, "an address stands behind --listen"),
        (("--size", "many"), 2, "--size: size 'many'"),
        (("--env", "UCX_TLS"), 2, "--env 'UCX_TLS': accepted is KEY=VALUE"),
        (("--timeout", "0"), 2, "--timeout 0"),
        (("--nixl", "/absent"), 2, "--nixl: nixl='/absent'"),
        (("--nixl", "nixl_absent"), 1, "verify needs NIXL: no nixl_absent"),
        (("--listen", "host:0"), 2, "address 'host:0'"),
    ],
)
def test_arguments_bad_flow(
    capsys: Captured, tmp_path: Path, options: tuple[str, ...], code: int, text: str
) -> None:
    if "--nixl" not in options:
        options = (*options, "--nixl", str(tmp_path))
    assert main(["verify", *options]) == code
    message = capsys.readouterr().err
    assert text in message
    assert len(message.splitlines()) == 1


@pytest.mark.parametrize(
    ("text", "count"),
    [("65536", 65536), ("64K", 65536), ("8MiB", 8 << 20), ("1g", 1 << 30), (" 3 MB ", 3 << 20)],
)
def test_sizes(text: str, count: int) -> None:
    assert parse_size(text) == count


@pytest.mark.parametrize("text", ["", "0", "-1", "1.5M", "M", "1T"])
def test_sizes_bad_flow(text: str) -> None:
    with pytest.raises(ValueError, match="accepted are"):
        parse_size(text)


def test_sizes_for_people() -> None:
    texts = [bytes_text(n) for n in (0, 1023, 1024, 3 << 19, 5 << 40, 5000 << 40)]
    assert texts == ["0 B", "1023 B", "1.0 KiB", "1.5 MiB", "5.0 TiB", "5000.0 TiB"]


def test_a_machine_that_cannot_make_the_bed_says_so_in_one_line_bad_flow(
    capsys: Captured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_namespaces(*_: object) -> None:
        raise LabUnavailableError(explain("network namespace", "unshare: Operation not permitted"))

    def no_qemu(*_: object) -> None:
        raise StripeError("guests need QEMU; as root: apt-get install qemu-system-x86")

    monkeypatch.setattr(rails, "Holder", no_namespaces)
    monkeypatch.setattr(assets, "prepare", no_qemu)
    for bed, text in (("tcp", "rails need network namespaces"), ("rdma", "guests need QEMU")):
        assert main(["verify", "--bed", bed, "--nixl", str(tmp_path)]) == 1
        captured = capsys.readouterr()
        assert captured.out == ""
        assert text in captured.err.splitlines()[-1]
        assert captured.err.splitlines()[-1].startswith("nixl-stripe: ")
