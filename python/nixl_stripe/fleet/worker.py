# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""A host's worker as a program: it does what it is told, a line of JSON each, until its input ends.

    python -m nixl_stripe.fleet.worker FD LOG

The first line says which NIXL, memory and parameters. It is a process of its own because UCX reads
its environment when it is loaded, and may hang or crash without taking the host's command along.
"""

from __future__ import annotations

import dataclasses
import json
import os
import socket
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

from nixl_stripe.fleet.hall import Message
from nixl_stripe.fleet.host import Host
from nixl_stripe.lab.job import Nixl


def _facts(host: Host) -> Message:
    return {"kind": "facts", "facts": dataclasses.asdict(host.facts()), "card": host.card()}


def answer(host: Host, order: Message) -> Message:
    """Do one order; what goes wrong is its answer's `error`."""
    do: dict[str, Callable[[Message], Message]] = {
        "ready": host.ready,
        "move": host.move,
        "check": host.check,
    }
    given: Message = {"kind": "answer", "number": order["number"], "error": ""}
    try:
        return given | do[order["kind"]](order)
    except Exception as error:
        traceback.print_exc()
        return given | {"error": f"{type(error).__name__}: {error}"[:2000]}


def main(argv: Sequence[str] | None = None) -> int:
    """Serve the hub's orders that come over an inherited socket."""
    number, log = sys.argv[1:] if argv is None else argv
    with socket.socket(fileno=int(number)) as channel, channel.makefile("rwb") as lines:

        def say(message: Message) -> None:
            lines.write(json.dumps(message).encode() + b"\n")
            lines.flush()

        first = json.loads(lines.readline())
        nixl = first.pop("nixl")
        host = Host(nixl=Nixl(tuple(nixl["paths"]), nixl["package"]), log=Path(log), **first)
        say(_facts(host))
        for line in lines:
            order = json.loads(line)
            say(_facts(host) if order["kind"] == "facts" else answer(host, order))
    sys.stdout.flush()
    sys.stderr.flush()
    # Connections to hosts that are gone would be waited for.
    os._exit(0)


if __name__ == "__main__":
    raise SystemExit(main())
