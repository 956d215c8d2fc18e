# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Whether the counterpart of each NIC answers: small datagrams from NIC to NIC.

They are asked for before two hosts first meet, as NIXL has no limit of time for a NIC that it
cannot connect, and where a transfer stands still or has failed. Silence counts only where somebody
has answered: a network that drops datagrams and carries RDMA accuses nobody. A datagram holds the
run's secret, and its answer is no longer than itself. NICs without an IP address (InfiniBand
without IPoIB) are not asked.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nixl_stripe.planning.subnets import interface_address

#: When a datagram is sent (seconds from the start), and until when an answer is waited for: hosts
#: may be busy, and a NIC that answers late is no NIC that is silent.
_SENDS, _END_S = (0.0, 0.1, 0.25, 0.5, 1.0, 1.6), 2.5
_ASK, _TELL, _NONCE = b"?", b"!", 8


_Asked = tuple[int, tuple[str, int]]
"""A NIC's place, and where its counterpart answers."""


@dataclass
class _End:
    """One NIC: an address, its socket that answers, and the interface."""

    interface: str
    address: str
    socket: socket.socket


class Echo:
    """Answers for every NIC of a plan that has an IPv4 address, from a thread; asks others.

    interfaces: of the NICs, in the plan's order, "" for one without.
    """

    def __init__(self, interfaces: Sequence[str], secret: bytes) -> None:
        self._secret = secret
        self.works = False
        """Whether any NIC of any peer has ever answered: some networks drop datagrams."""
        self._ends: list[_End | None] = [self._end(each) for each in interfaces]
        self._stop, self._stopped = os.pipe()
        self._thread = threading.Thread(target=self._answer, daemon=True)
        self._thread.start()

    @property
    def places(self) -> list[dict[str, object]]:
        """Return where each NIC answers, in the plan's order; port 0: it does not."""
        return [
            {"address": "", "port": 0}
            if end is None
            else {"address": end.address, "port": end.socket.getsockname()[1]}
            for end in self._ends
        ]

    def silent(self, places: Sequence[Mapping[str, object]]) -> list[int]:
        """Return the NICs, by place, whose counterpart does not answer; at most `_END_S` s."""
        nonce = os.urandom(_NONCE)
        asked: dict[socket.socket, _Asked] = {}
        with contextlib.ExitStack() as stack:
            for at, (end, there) in enumerate(zip(self._ends, places, strict=False)):
                port = there["port"]
                if end is not None and isinstance(port, int) and port:
                    # By the NIC alone, and as routes have it: a job's packets need both.
                    for interface in (end.interface, ""):
                        asking = stack.enter_context(_bound(interface, end.address))
                        asked[asking] = at, (str(there["address"]), port)
            every = {at for at, _ in asked.values()}
            self._ask(asked, nonce)
            silent = sorted({at for at, _ in asked.values()})
        self.works = self.works or len(silent) < len(every)
        return silent

    def _ask(self, asked: dict[socket.socket, _Asked], nonce: bytes) -> None:
        """Ask all at once; who answers is taken out."""
        begun = time.monotonic()
        for end in (*_SENDS[1:], _END_S):
            for asking, (_, there) in asked.items():
                with contextlib.suppress(OSError):  # no route, no link: that is silence
                    asking.sendto(self._secret + nonce + _ASK, there)
            while asked and (left := begun + end - time.monotonic()) > 0:
                numbers = {one.fileno(): one for one in asked}
                poll = select.poll()
                for number in numbers:
                    poll.register(number, select.POLLIN)
                for number, _ in poll.poll(left * 1000):
                    if self._is_answer(numbers[number], nonce):
                        del asked[numbers[number]]

    def _is_answer(self, asking: socket.socket, nonce: bytes) -> bool:
        try:
            return asking.recv(256) == self._secret + nonce + _TELL
        except OSError:  # the other end's "no such port" comes as one
            return False

    def _end(self, interface: str) -> _End | None:
        with contextlib.suppress(OSError):
            if interface:
                address = str(interface_address(interface).ip)
                return _End(interface, address, _bound("", address))
        return None

    def _answer(self) -> None:
        poll = select.poll()
        sockets = {each.socket.fileno(): each.socket for each in self._ends if each is not None}
        for number in (*sockets, self._stop):
            poll.register(number, select.POLLIN)
        while True:
            for number, _ in poll.poll():
                if number == self._stop:
                    return
                with contextlib.suppress(OSError):
                    said, where = sockets[number].recvfrom(256)
                    head = said[: len(self._secret) + _NONCE]
                    if said == head + _ASK and head.startswith(self._secret):
                        sockets[number].sendto(head + _TELL, where)

    def close(self) -> None:
        """Stop answering."""
        os.close(self._stopped)
        self._thread.join()
        os.close(self._stop)
        for each in self._ends:
            if each is not None:
                each.socket.close()


def _bound(interface: str, address: str) -> socket.socket:
    """Return a socket of a NIC's address; interface: over that alone, where the kernel lets us."""
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        if interface:
            with contextlib.suppress(PermissionError):
                made.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
        made.bind((address, 0))
        made.setblocking(False)
    except OSError:
        made.close()
        raise
    return made
