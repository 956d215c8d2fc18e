# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The agent inside a guest: sets up the NICs once, then runs what the host asks for.

Runs alone (`python -I -S agent.py SIDE SHARE`), standard library only, as the guest's last program:
when the host closes the control port, the agent ends and the guest powers off.

Messages are JSON, one a line, over a virtio-serial port. From the host: `{"id", "op", ...}`, where
`op_<op>` is a method of `Agent`; back: `{"id", "ok", "value" | "error"}`. The first message is the
guest's own: `{"id": 0, ...}` with a description of the machine, or the error of the set-up.
"""

from __future__ import annotations

import json
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time
import traceback
from typing import Any, BinaryIO

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import sysfs_cover  # type: ignore[import-not-found]  # beside this file, found by the line above
import warm  # type: ignore[import-not-found]  # also

PORTS = pathlib.Path("/sys/class/virtio-ports")
NET = pathlib.Path("/sys/class/net")
#: An address of the locally administered kind that no guest has.
NOBODY = "02:00:00:00:00:ff"
VERBS = pathlib.Path("/sys/class/infiniband")


def log(text: str) -> None:
    """Write a line to the console, which the host keeps as this guest's log."""
    uptime = pathlib.Path("/proc/uptime").read_text().split()[0]
    print(f"agent: {uptime} s: {text}", flush=True)


def open_port(name: str) -> BinaryIO:
    """Open the virtio-serial port of that name for reading and writing."""
    for port in PORTS.iterdir():
        if (port / "name").read_text().strip() == name:
            return pathlib.Path("/dev", port.name).open("r+b", buffering=0)
    raise RuntimeError(f"no virtio port named {name}")


def batch(program: list[str], lines: list[str]) -> None:
    """Feed `lines` to a program of iproute2 in its batch mode."""
    done = subprocess.run(
        program, input="\n".join(lines) + "\n", capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(program)}: {done.stderr.strip()}")


def set_up_nics(config: dict[str, Any], side: str) -> list[str]:
    """Name, address and join the NICs, and put a Soft-RoCE device on each; return the netdevs.

    Each NIC has a subnet of its own, so NIC i reaches the peer's NIC i and no other.
    """
    by_mac = {(link / "address").read_text().strip(): link.name for link in NET.iterdir()}
    own, other = (1, 2) if side == "initiator" else (2, 1)
    links, rdma = ["link set lo up"], []
    for nic in config["nics"]:
        index, name = nic["index"], f"rail{nic['index']}"
        peer = nic["mac"]["target" if side == "initiator" else "initiator"]
        links += [
            f"link set {by_mac[nic['mac'][side]]} name {name}",
            f"link set {name} txqueuelen 20000 mtu {config['mtu']} up",
            f"addr add 10.77.{index}.{own}/24 dev {name}",
            f"neigh replace 10.77.{index}.{other} lladdr {peer} dev {name} nud permanent",
        ]
        rdma.append(f"link add rxe{index} type rxe netdev {name}")
    batch(["ip", "-batch", "-"], links)
    batch(["rdma", "-b", "-"], rdma)
    return [f"rail{nic['index']}" for nic in config["nics"]]


def limit_rate(names: list[str], mbit: float) -> None:
    """Limit what each netdev sends to `mbit` Mbit/s; 0 lifts the limit.

    The queue is long because a Soft-RoCE responder pushes a whole READ response into it.
    """
    how = (
        f"tbf rate {round(mbit * 1000)}kbit burst 32k limit 256m" if mbit else "pfifo limit 100000"
    )
    batch(["tc", "-batch", "-"], [f"qdisc replace dev {name} root {how}" for name in names])


def wait_active(names: list[str], limit_s: float = 10) -> None:
    """Wait until the RDMA port above each netdev is ACTIVE."""
    end = time.monotonic() + limit_s
    for name in names:
        state = VERBS / name.replace("rail", "rxe") / "ports/1/state"
        while "ACTIVE" not in state.read_text():
            if time.monotonic() > end:
                raise RuntimeError(f"{state}: {state.read_text().strip()} after {limit_s} s")
            time.sleep(0.05)


def swap_verbs(folder: str, library: str) -> int:
    """Replace the libibverbs that a NIXL folder bundles by the system's; return how many.

    Only the system's copy can load the system's Soft-RoCE provider (a provider is tied to the
    soname of its libibverbs, and wheels mangle that). Only this guest's throw-away layer changes.
    """
    found = sorted(pathlib.Path(folder).glob("*.libs/libibverbs-*.so*"))
    for path in found:
        path.unlink()
        path.symlink_to(library)
    return len(found)


class Agent:
    """Answers the host, each message in a thread of its own: links can be cut while a job runs."""

    def __init__(self, side: str, share: str) -> None:
        self.config = json.loads((pathlib.Path(share) / "bed.json").read_text())
        self.side = side
        self.port = open_port(self.config["port"])
        self.sending = threading.Lock()
        self.netdevs: list[str] = []
        self.pythons = warm.WarmPythons()

    def send(self, message: dict[str, Any]) -> None:
        """Send one message to the host."""
        data = json.dumps(message).encode() + b"\n"
        with self.sending:
            while data:
                data = data[self.port.write(data) :]

    def set_up(self) -> dict[str, Any]:
        """Prepare NICs and sysfs; return the description of this guest."""
        self.netdevs = set_up_nics(self.config, self.side)
        log("NICs are there")
        cover = sysfs_cover.cover(self.config)
        log("sysfs is covered")
        limit_rate(self.netdevs, self.config["rate_mbit"])
        wait_active(self.netdevs)
        log("ports are active")
        uptime = float(pathlib.Path("/proc/uptime").read_text().split()[0])
        return {**cover, "kernel": os.uname().release, "uptime_s": uptime}

    def start(self, message: dict[str, Any], output: pathlib.Path) -> warm.Child:
        """Start what a message says, its output going to a file, in a session of its own."""
        output.touch()
        forked = self.pythons.start(message, output) if message["warm"] else None
        if forked is not None:
            return forked
        with output.open("wb") as out:
            return subprocess.Popen(
                message["argv"],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env={**os.environ, **message["env"]},
                cwd=message.get("cwd") or "/",
                start_new_session=True,
            )

    def op_run(self, message: dict[str, Any]) -> dict[str, Any]:
        """Run a program for at most `limit_s` seconds, its output going to the file `output`.

        Written to memory first: the shared folder is slow, and the program must not wait for it.
        """
        local = pathlib.Path(f"/run/job{message['id']}")
        start = time.monotonic()
        timed_out = False
        child = self.start(message, local)
        try:
            status = child.wait(message["limit_s"])
        except subprocess.TimeoutExpired:
            timed_out = True
            os.killpg(child.pid, signal.SIGKILL)
            status = child.wait()
        wall = time.monotonic() - start
        pathlib.Path(message["output"]).write_bytes(local.read_bytes())
        local.unlink()
        return {"status": status, "timed_out": timed_out, "wall_s": wall}

    def op_rate(self, message: dict[str, Any]) -> None:
        """Change the limit of the NICs named by index, or of all."""
        which = message.get("nics")
        names = self.netdevs if which is None else [f"rail{index}" for index in which]
        limit_rate(names, message["mbit"])

    def op_silence(self, message: dict[str, Any]) -> None:
        """Send what the NICs named by index send to nobody, or (`silent` false) to the peer again.

        Not by a queue that drops: Soft-RoCE tries a packet that the queue refuses again at once,
        and the guest's one processor does nothing else any more.
        """
        peer = "target" if self.side == "initiator" else "initiator"
        other = 2 if self.side == "initiator" else 1
        lines = []
        for nic in self.config["nics"]:
            index = nic["index"]
            if index in message["nics"]:
                where = NOBODY if message["silent"] else nic["mac"][peer]
                lines.append(
                    f"neigh replace 10.77.{index}.{other} lladdr {where} dev rail{index} "
                    "nud permanent"
                )
        batch(["ip", "-batch", "-"], lines)

    def op_swap_verbs(self, message: dict[str, Any]) -> int:
        """See `swap_verbs`."""
        return swap_verbs(message["folder"], self.config["libibverbs"])

    def op_wait_active(self, message: dict[str, Any]) -> None:
        """Wait for the ports of the NICs named by index."""
        wait_active([f"rail{index}" for index in message["nics"]])

    def answer(self, message: dict[str, Any]) -> None:
        """Do one message's work and send its answer."""
        try:
            value = getattr(self, f"op_{message['op']}")(message)
            self.send({"id": message["id"], "ok": True, "value": value})
        except Exception:  # whatever it was, the host must hear of it
            self.send({"id": message["id"], "ok": False, "error": traceback.format_exc()})

    def serve(self) -> None:
        """Answer messages until the host hangs up."""
        rest = b""
        while chunk := self.port.read(65536):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                work = threading.Thread(target=self.answer, args=(json.loads(line),), daemon=True)
                work.start()


def main(side: str, share: str) -> None:
    """Set up, say so, serve."""
    agent = Agent(side, share)
    try:
        agent.send({"id": 0, "ok": True, "value": agent.set_up()})
    except Exception:
        agent.send({"id": 0, "ok": False, "error": traceback.format_exc()})
    agent.serve()


if __name__ == "__main__":
    main(*sys.argv[1:])
