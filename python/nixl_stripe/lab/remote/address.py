# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Where a listener is: one grammar and one default port for every command."""

from __future__ import annotations

from dataclasses import dataclass

from nixl_stripe.errors import UsageError

DEFAULT_PORT = 18517
#: Where a listener listens, and what is connected to, unless a host is given.
LOOPBACK = "127.0.0.1"
ACCEPTED = "HOST, HOST:PORT, [IPv6]:PORT, :PORT or PORT, the port being 1 to 65535"


@dataclass(frozen=True)
class Address:
    """A host (name or IP address) and a TCP port."""

    host: str = LOOPBACK
    port: int = DEFAULT_PORT

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @classmethod
    def parse(
        cls, text: str, option: str = "address", usual: int = DEFAULT_PORT, least: int = 1
    ) -> Address:
        """Read `HOST:PORT`, `HOST`, `[v6]:PORT`, `:PORT`, `PORT` or nothing; UsageError.

        usual: the port where none is said. least: 0 takes any free port.
        """
        text = text.strip()
        host, colon, port = text.rpartition(":")
        if text.endswith("]") or not colon:
            host, port = ("", text) if text.isdecimal() else (text, "")
            port = port or str(usual)
        bracketed = host.startswith("[") and host.endswith("]")
        if (":" in host or "[" in host or "]" in host) and not bracketed:
            raise UsageError(
                f"{option} {text!r}: an IPv6 address stands in brackets, [fe80::1]:{usual}"
            )
        is_number = port.isascii() and port.isdecimal() and len(port) < 6
        if not (is_number and least <= int(port) < 65536):
            raise UsageError(f"{option} {text!r}: accepted is {ACCEPTED}")
        return cls(host[1:-1] if bracketed else host or LOOPBACK, int(port))
