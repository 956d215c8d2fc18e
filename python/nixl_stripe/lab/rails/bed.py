# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The process that holds a bed of rails: it makes the namespaces and starts the workers in them.

    python -m nixl_stripe.lab.rails.bed --count 4 --mbit 800 --mtu 9000 --user-namespace auto

It answers lines of JSON on standard output to lines of JSON on standard input, and ends when its
input does: whatever becomes of the process that started it, nothing stays behind. Its workers die
with it, and the namespaces with the last of them.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import os
import select
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nixl_stripe.lab.cut import Cut, CutMade
from nixl_stripe.lab.namespaces import NamespaceError, NetNamespace, die_with_parent, isolate
from nixl_stripe.lab.rails.rail_spec import RailSpec
from nixl_stripe.lab.side import CHANNEL, ROLES
from nixl_stripe.scratch import Scratch

if TYPE_CHECKING:
    from nixl_stripe.lab.rails.cutter import Cutter
    from nixl_stripe.lab.rails.veth import End

Message = dict[str, Any]


class ParentGoneError(Exception):
    """Standard input has ended."""


class Lines:
    """Standard input, line by line, without blocking a `select` elsewhere."""

    def __init__(self) -> None:
        self._buffer = b""
        self._ended = False

    def pull(self) -> None:
        """Read what is there; ParentGoneError at the end of input."""
        piece = os.read(0, 1 << 16)
        if not piece:
            raise ParentGoneError
        self._buffer += piece

    def next(self) -> Message:
        """Wait for a line."""
        while b"\n" not in self._buffer:
            self.pull()
        line, _, self._buffer = self._buffer.partition(b"\n")
        message: Message = json.loads(line)
        return message


class Bed:
    """The two ends of the rails, and the workers that run between them."""

    def __init__(self, spec: RailSpec, user_namespace: bool | None) -> None:
        self._spec = spec
        self.isolated_by_user_namespace = isolate(user_namespace)
        spaces = [NetNamespace.create() for _ in ROLES]
        # Only now: a library that starts threads would stay outside the namespaces.
        from nixl_stripe.lab.rails.veth import End

        self.ends: dict[str, End] = {
            role: End(host, space)
            for host, (role, space) in enumerate(zip(ROLES, spaces, strict=True), 1)
        }
        self.ends["initiator"].connect(spec, spaces[1])
        for end in self.ends.values():
            end.configure(spec)

    def start(
        self, role: str, folder: Path, channel: socket.socket, order: Message
    ) -> subprocess.Popen[bytes]:
        """Start the program that the order names for one side, in its namespace."""
        space = self.ends[role].namespace

        def enter() -> None:
            die_with_parent()
            space.enter()
            os.chdir(folder)

        address = f"fd:{channel.fileno()}"
        command = [address if part == CHANNEL else part for part in order["commands"][role]]
        with (folder / f"{role}.log").open("wb") as log:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=order["environment"][role],
                pass_fds=[channel.fileno()],
                preexec_fn=enter,
                start_new_session=True,
            )

    def run(self, order: Message, lines: Lines) -> Message:
        """Run both sides of a case; whoever is left after `limit_s` seconds is killed."""
        folder = Path(order["folder"])
        start = time.monotonic()
        pair = socket.socketpair()
        workers: dict[str, subprocess.Popen[bytes]] = {}
        cutter = self._cutter(order.get("cut"))
        try:
            for role, channel in zip(ROLES, pair, strict=True):
                workers[role] = self.start(role, folder, channel, order)
            for channel in pair:
                channel.close()
            late = _wait(workers, start + order["limit_s"], lines, cutter)
        finally:
            for worker in workers.values():
                _kill(worker)
            made = CutMade() if cutter is None else cutter.restore()
        exits = {role: worker.returncode for role, worker in workers.items()}
        seconds = time.monotonic() - start
        return {"exits": exits, "late": late, "seconds": seconds, "cut": dataclasses.asdict(made)}

    def _cutter(self, cut: Message | None) -> Cutter | None:
        if cut is None:
            return None
        from nixl_stripe.lab.rails.cutter import Cutter

        return Cutter(self.ends, Cut.of(cut), self._spec.names, self._spec.mbit)

    def obey(self, order: Message, lines: Lines) -> Message:
        """Carry out one line of the caller."""
        what = order["do"]
        if what == "run":
            return self.run(order, lines)
        ends = [self.ends[role] for role in order["sides"]]
        for end in ends:
            if what == "state":
                end.set_state(order["rail"], order["up"])
            elif what == "limit":
                end.limit(order["rail"], order["mbit"])
            else:
                raise ValueError(f"unknown order {what!r}")
        return {}


def _wait(
    workers: Mapping[str, subprocess.Popen[bytes]],
    deadline: float,
    lines: Lines,
    cutter: Cutter | None = None,
) -> list[str]:
    """Wait until all have ended, or the deadline; return who has not."""
    handles = {os.pidfd_open(worker.pid): role for role, worker in workers.items()}
    try:
        waiting = dict(handles)
        while waiting and (left := deadline - time.monotonic()) > 0:
            look = None if cutter is None else cutter.step()
            left = left if look is None else min(left, look)
            ready, _, _ = select.select([0, *waiting], [], [], left)
            if 0 in ready:
                lines.pull()
            for handle in ready:
                waiting.pop(handle, None)
        return list(waiting.values())
    finally:
        for handle in handles:
            os.close(handle)


def _kill(worker: subprocess.Popen[bytes]) -> None:
    if worker.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(worker.pid, 9)
        worker.wait()


def _say(message: Message) -> None:
    os.write(1, json.dumps(message).encode() + b"\n")


def _attempt(action: Any) -> Message:
    try:
        return {"ok": True, **action()}
    except (NamespaceError, OSError, ValueError, subprocess.SubprocessError) as error:
        step = error.step if isinstance(error, NamespaceError) else "bed"
        number = error.errno if isinstance(error, OSError) else None
        return {"ok": False, "step": step, "errno": number, "text": str(error)}


def serve(spec: RailSpec, user_namespace: bool | None, scratch: Path) -> None:
    """Make the bed, say so, and obey until the input ends."""
    lines = Lines()
    beds: list[Bed] = []

    def make() -> Message:
        beds.append(Bed(spec, user_namespace))
        by_user = beds[0].isolated_by_user_namespace
        return {"rails": spec.names, "user_namespace": by_user, "scratch": str(scratch)}

    made = _attempt(make)
    _say(made)
    while made["ok"]:
        order = lines.next()
        _say(_attempt(lambda order=order: beds[0].obey(order, lines)))


def main(argv: Sequence[str] | None = None) -> int:
    """Hold a bed until standard input ends."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--mbit", type=float)
    parser.add_argument("--mtu", type=int, required=True)
    parser.add_argument("--user-namespace", choices=("auto", "yes", "no"), default="auto")
    options = parser.parse_args(argv)
    wish = {"auto": None, "yes": True, "no": False}[options.user_namespace]
    with Scratch("rails") as scratch, contextlib.suppress(ParentGoneError):
        serve(RailSpec(options.count, options.mbit, options.mtu), wish, scratch)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
