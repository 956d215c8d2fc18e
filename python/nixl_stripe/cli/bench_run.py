# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""One run of `nixl-stripe bench`: what was asked for, where it runs, and what it prints."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nixl_stripe.cli import link
from nixl_stripe.cli.stopping import stoppable
from nixl_stripe.cli.words import check_writable, json_text
from nixl_stripe.errors import StripeError, UsageError
from nixl_stripe.terminal import Screen, echo, progress

if TYPE_CHECKING:
    from nixl_stripe.bench.options import Options
    from nixl_stripe.bench.peer_install import Peer
    from nixl_stripe.lab.beds.base import Bed
    from nixl_stripe.lab.job import Op
    from nixl_stripe.lab.remote import Address

Say = Callable[[str], None]


class Run:
    """The common options at work: NIXLs, bed, progress and output."""

    def __init__(self, **given: Any) -> None:
        from nixl_stripe.bench.provenance import Origin
        from nixl_stripe.wheel.written import cache_folder

        self.given = {**given, "cache": given.get("cache") or cache_folder() / "bench"}
        self._origin = Origin()

    @property
    def options(self) -> Options:
        """The options as benchmarks take them; UsageError for one that makes no sense."""
        from nixl_stripe.bench.options import Options
        from nixl_stripe.lab.job import OPS

        given = self.given
        ops: tuple[Op, ...] = ()
        for text in given["op"] or ():
            wanted = tuple(op for op in OPS if text.lower() in (op.lower(), "both"))
            if not wanted:
                raise UsageError(f"--op {text}: accepted are read, write, both")
            ops += tuple(op for op in wanted if op not in ops)
        return Options(
            bed=given["bed"],
            nics=given["nics"],
            mbit=given["mbit"],
            ops=ops,
            memory=self._memory(),
            rounds=given["rounds"],
            warmup=given["warmup"],
            iterations=given["repeats"],
        )

    def _memory(self) -> Any:
        from nixl_stripe.lab.job import MEMORIES

        text = self.given["memory"] or "dram"
        if text not in MEMORIES:
            raise UsageError(f"--memory {text}: accepted are {', '.join(MEMORIES)}")
        return text

    def folders(self, say: Say) -> tuple[Path, Path]:
        """Return the folders of the stock and the patched NIXL."""
        from nixl_stripe.wheel.installs import prepare

        if self.given["stock"] is not None:
            return self.given["stock"], self.given["patched"]
        installs = prepare(self.given["cache"], self.given["nixl"], None, say)
        return installs.stock, installs.patched

    def _check_sources(self) -> None:
        """Raise UsageError for a NIXL that cannot be had, before a bed is made or a download."""
        from nixl_stripe.wheel.fetch import check_one_flavour

        stock, patched = self.given["stock"], self.given["patched"]
        if (stock is None) != (patched is None):
            raise UsageError("--stock-folder and --patched-folder: give both or neither")
        if stock is None and not self._peer():
            check_one_flavour(self.given["nixl"], "--nixl-wheel")

    def _check_beside(self, name: str) -> None:
        """Raise UsageError for what cannot stand beside NIXL here."""
        from nixl_stripe.bench.peer_install import check_source

        if name != "mooncake":
            raise UsageError(f"--peer {name}: accepted is mooncake")
        if self.given["bed"] != "rdma" or self._peer():
            raise UsageError("--peer mooncake: it is compared over RDMA; give --bed rdma")
        if self.options.memory != "dram":
            raise UsageError(f"--memory {self.options.memory}: Mooncake is compared with dram")
        check_source(self.given["mooncake"])

    def _beside(self, say: Say) -> Peer:
        """Get what stands beside NIXL."""
        from nixl_stripe.bench.peer_install import prepare

        return prepare(self.given["cache"], self.given["mooncake"], say)

    def measure(self, name: str, beside: str | None = None, **more: Any) -> dict[str, Any]:
        """Make the bed and run the benchmark of that name; `beside`: the name of a peer of NIXL.

        Everything that the user said is looked at before anything is downloaded.
        """
        from nixl_stripe.bench.options import Sides

        module = importlib.import_module(f"nixl_stripe.bench.{name}")
        options = self.options
        if (save := self.given["save"]) is not None:
            if save.is_dir():
                raise UsageError(f"--save {save}: accepted is a file, and this is a folder")
            check_writable("--save", save.absolute().parent)
        with self.progress() as say:
            try:
                self._check_sources()
                if beside is not None:
                    self._check_beside(beside)
                if hasattr(module, "check"):
                    module.check(options, **more)
                place = self._bed()  # guests may have a kernel fetched, after a look at the figures
                # Between hosts each side has its own NIXL, which without our parameters is stock.
                sides = Sides() if self._peer() else Sides.at(*self.folders(say))
                if beside is not None:
                    more["peer"] = self._beside(say)
                peer = self._peer()
                say(f"connecting to {peer}" if peer else f"making the {options.bed} bed")
                with place as bed:
                    options = replace(options, nics=len(bed.counters))
                    document: dict[str, Any] = module.measure(bed, sides, options, say, **more)
            except ValueError as error:
                raise UsageError(str(error)) from error
        return document

    def _bed(self) -> contextlib.AbstractContextManager[Bed]:
        """Return what is made, or connected to, when it is entered; UsageError for what cannot."""
        from nixl_stripe.bench import hosts
        from nixl_stripe.lab.beds.opening import open_bed

        peer = self._peer()
        if peer is not None:
            return hosts.connect(peer, link.connecting_token(self.given["token_file"]))
        return open_bed(self.options.bed, self.options.nics, self.options.mbit)

    def _peer(self) -> Address | None:
        """Return the listener to connect to, if that is what was asked for."""
        from nixl_stripe.bench.ranks import rendezvous
        from nixl_stripe.lab.remote import Address

        if self.given["ranks"]:
            met = rendezvous(os.environ)
            return met.address if met.rank == 1 else None
        text = self.given["connect"]
        return None if text is None else Address.parse(text, "--connect")

    def served(self) -> bool:
        """Be the target of a run where that was asked for, and say whether it was."""
        from nixl_stripe.bench.hosts import serve

        chosen = [name for name in ("listen", "connect", "ranks") if self.given[name]]
        if len(chosen) > 1:
            raise UsageError(f"{' and '.join(f'--{name}' for name in chosen)}: give one of them")
        where = self._listens_at()
        if where is None:
            return False
        ranks, file = self.given["ranks"], self.given["token_file"]
        # Ranks are started together: the other one cannot be told a token that is made now.
        token = link.connecting_token(file) if ranks else link.listener_token(file)
        most = link.max_bytes(self.given["max_bytes"])
        with self.progress() as say:
            cases = serve(where, token, say, max_bytes=most)
        echo(json_text({"cases": cases}, None) if self.given["as_json"] else f"{cases} cases")
        return True

    def _listens_at(self) -> Address | None:
        from nixl_stripe.bench.ranks import rendezvous
        from nixl_stripe.lab.remote import Address

        if self.given["listen"]:
            return Address.parse(self.given["listen"], "--listen")
        if self.given["ranks"] and (met := rendezvous(os.environ)).rank == 0:
            return met.address
        return None

    @contextlib.contextmanager
    def progress(self) -> Iterator[Say]:
        """Show what is being done, on standard error."""
        with stoppable(), progress() as say:
            yield say

    def print(self, document: dict[str, Any], name: str) -> None:
        """Write and show the result."""
        from nixl_stripe.bench.table import show

        document = {**self._origin.taken(), **document}
        text = json_text(document, 1)
        save = self.given["save"]
        if save is not None:
            try:
                save.parent.mkdir(parents=True, exist_ok=True)
                save.write_text(text + "\n", encoding="utf-8")
            except OSError as error:
                raise StripeError(f"--save {save}: {error.strerror}") from error
        if self.given["as_json"]:
            echo(text)
            return
        module = importlib.import_module(f"nixl_stripe.bench.{name}")
        show(Screen(sys.stdout), document, module.COLUMNS)
