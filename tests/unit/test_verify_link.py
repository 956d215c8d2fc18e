# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Two hosts' `verify`: addresses, arguments, and what is said where they do not meet."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from listeners import TOKEN, Listening
from nixl_stripe.cli import main
from nixl_stripe.errors import StripeError, UsageError
from nixl_stripe.lab import LabUnavailableError
from nixl_stripe.lab.availability import explain
from nixl_stripe.lab.guests import assets
from nixl_stripe.lab.rails import rails
from nixl_stripe.lab.remote import DEFAULT_PORT, LOOPBACK, Address
from nixl_stripe.proof.text import bytes_text, parse_size, size_words
from nixl_stripe.verify import Listener, Request, TwoHosts

Captured = pytest.CaptureFixture[str]


ADDRESSES = {
    "": Address(LOOPBACK, DEFAULT_PORT),
    "10.0.0.1:99": Address("10.0.0.1", 99),
    ":99": Address(LOOPBACK, 99),
    "99": Address(LOOPBACK, 99),
    "node7": Address("node7", DEFAULT_PORT),
    "[fe80::1]:99": Address("fe80::1", 99),
    "[::1]": Address("::1", DEFAULT_PORT),
}


@pytest.mark.parametrize("text", ADDRESSES)
def test_addresses(text: str) -> None:
    assert Address.parse(text) == ADDRESSES[text]
    assert Address.parse(str(ADDRESSES[text])) == ADDRESSES[text]


@pytest.mark.parametrize(
    "text",
    ["host:port", "host:0", "host:70000", "fe80::1", "[fe80::1:99", "h:", "h:1e3", "h:\u0663"],
)
def test_addresses_bad_flow(text: str) -> None:
    with pytest.raises(UsageError, match="--connect "):
        Address.parse(text, "--connect")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def test_nobody_listens_bad_flow() -> None:
    with pytest.raises(StripeError, match=r"--connect 127\.0\.0\.1:\d+: .*--listen ADDRESS"):
        TwoHosts(Address("127.0.0.1", free_port()), TOKEN, wait_s=0.1)


def test_port_in_use_bad_flow() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(StripeError, match=f"--listen 127.0.0.1:{port}: "):
            Listener(Address("127.0.0.1", port), TOKEN)


def test_listeners_are_on_loopback_unless_told() -> None:
    with Listener(Address.parse(str(free_port())), TOKEN) as listener:
        assert listener._door._server.getsockname()[0] == "127.0.0.1"


def test_a_variable_that_is_refused_is_named_at_both_ends_bad_flow() -> None:
    with Listening("verify") as listening:
        with TwoHosts(listening.address, TOKEN, wait_s=10) as ground:
            request = Request(peer_environment={"UCX_LOG_FILE": "x"})
            with pytest.raises(StripeError, match="refuses: variable 'UCX_LOG_FILE'"):
                ground.transfer(request.transfer("WRITE", request.params))
        assert "refused: variable 'UCX_LOG_FILE'" in listening.ended()


@pytest.mark.parametrize(
    ("options", "code", "text"),
    [
        (("--bed", "tcp", "--listen"), 2, "--bed and --listen: accepted is one of them"),
        (("10.0.0.1:5",), 2, "an address stands behind --listen"),
        (("--size", "many"), 2, "--size 'many': accepted are 4096, 64K, 16M, 1G"),
        (("--env", "UCX_TLS"), 2, "--env 'UCX_TLS': accepted is KEY=VALUE"),
        (("--timeout", "0"), 2, "--timeout 0"),
        (("--nixl", "/absent"), 2, "--nixl: nixl='/absent'"),
        (("--nixl", "nixl_absent"), 1, "verify needs NIXL: no nixl_absent"),
        (("--listen", "host:0"), 2, "--listen 'host:0'"),
        (("--connect", "localhost"), 2, "no token: give the one that the listener printed"),
        (("--listen", "--expect-nics", "8"), 2, "--expect-nics with --listen: it is the"),
        (("--listen", "--max-bytes", "many"), 2, "--max-bytes 'many': accepted are"),
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


@pytest.mark.parametrize("text", ["1", "1000", "1025", "4K", "64M", "3G", "1025K", "4096G"])
def test_sizes_in_words_are_taken_back(text: str) -> None:
    assert size_words(parse_size(text)) == text


@pytest.mark.parametrize(
    "text",
    ["", "0", "-1", "1.5M", "M", "1T", "64\u212a", "\u0663", f"{1 << 33}G", "9" * 5000],
)
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
