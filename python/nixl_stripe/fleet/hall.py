# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What a run asks of whatever carries its messages: the one thing that an engine has to offer."""

from __future__ import annotations

from typing import Any, Protocol

Message = dict[str, Any]


class Hall(Protocol):
    """Hosts that take an order each and answer it, in their own time.

    An order is a dict of plain data with a `kind`; its answer is one too. No answer is waited for
    by anybody else: a host that is late or gone holds nobody up.
    """

    def tell(self, host: str, order: Message) -> None:
        """Send an order; nothing happens where the host is gone."""

    def hear(self, limit_s: float) -> list[tuple[str, Message | None]]:
        """Return what has come, (host, answer) each; None as an answer: the host is gone.

        limit_s: seconds that it is waited for the first one; it may return earlier with nothing.
        """

    def why_gone(self, host: str) -> str:
        """Return why, in one line."""
