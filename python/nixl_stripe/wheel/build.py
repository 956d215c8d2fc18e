# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""A patched NIXL wheel from a published one, built on the user's machine and never published."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from packaging.version import Version

from nixl_stripe.errors import StripeError
from nixl_stripe.scratch import partial
from nixl_stripe.wheel import headers
from nixl_stripe.wheel.archive import ArchiveWriter
from nixl_stripe.wheel.elf import SharedObject
from nixl_stripe.wheel.layout import PLUGIN, STOCK, read_our_plugin
from nixl_stripe.wheel.members import LARGEST_TEXT, chunks_of, open_wheel, read_member
from nixl_stripe.wheel.record import Entry
from nixl_stripe.wheel.self_check import Load, check_wheel
from nixl_stripe.wheel.source import NixlWheel, Progress, read_wheel
from nixl_stripe.wheel.tags import raise_platforms, raise_wheel_tags


@dataclass(frozen=True)
class BuiltWheel:
    """A wheel that was written, and what it was made from."""

    path: Path
    source: Path
    distribution: str
    version: str
    stock_version: str
    plugin_version: str
    sha256: str
    size: int
    """Bytes."""
    warnings: tuple[str, ...] = ()
    """Why it was not checked by loading it."""


def patched_version(version: str, stripe_version: str) -> str:
    """Return the version of a patched wheel: `1.5.1` -> `1.5.1+stripe0.1.0`.

    The local part carries the version of nixl-stripe, so that a newer nixl-stripe makes a newer
    wheel, while a pin on `==1.5.1` takes either (version specifiers, "local version identifiers").
    """
    local = Version(version).local
    return f"{Version(version).public}+{local + '.' if local else ''}stripe{stripe_version}"


def build_wheel(
    source: Path,
    out: Path,
    plugin: Path | None = None,
    progress: Progress | None = None,
    load: Load | None = None,
) -> BuiltWheel:
    """Write the patched twin of the NIXL wheel `source` into the folder `out`.

    The same wheel and plugin give the same bytes. A file of that name is replaced at once.

    plugin: the plugin to use, None for the one installed with this package.
    progress: called while the wheel is checked.
    load: loads the plugin of the new wheel, such as `loading.plugin_options`; None: nothing is.
    Raises StripeError when `source` is not a NIXL wheel with a UCX plugin, is damaged or patched
    already, or the plugin is for another machine.
    """
    ours, facts = read_our_plugin(plugin)
    with open_wheel(source) as (file, archive):
        wheel = read_wheel(source, file, archive)
        _check_machine(wheel, facts)
        wheel.verify(progress)
        return _write(wheel, out, ours, facts, load)


def _check_machine(wheel: NixlWheel, ours: SharedObject) -> None:
    theirs = wheel.stock.facts
    if theirs is not None and theirs.machine != ours.machine:
        raise StripeError(
            f"our plugin is for {ours.machine}, {wheel.path.name} for {theirs.machine}: "
            "give a plugin that was built for that machine: --plugin FILE"
        )


def _write(
    wheel: NixlWheel, out: Path, ours: bytes, facts: SharedObject, load: Load | None
) -> BuiltWheel:
    stripe_version = str(facts.stripe_version)
    version = patched_version(wheel.version, stripe_version)
    name, _, *build_and_tags = wheel.path.name.removesuffix(".whl").split("-")
    platforms = raise_platforms(build_and_tags[-1], facts.glibc)
    path = out / ("-".join([name, version, *build_and_tags[:-1], platforms]) + ".whl")
    out.mkdir(parents=True, exist_ok=True)
    with partial(path) as (temporary, file):
        _write_members(wheel, file, f"{name}-{version}", ours, facts)
        file.flush()
        os.fsync(file.fileno())
        warnings = check_wheel(temporary, facts.machine, load)
        sha256 = hashlib.sha256()
        file.seek(0)
        for data in chunks_of(file):
            sha256.update(data)
        size = temporary.stat().st_size
    return BuiltWheel(
        path,
        wheel.path,
        wheel.distribution,
        version,
        wheel.version,
        stripe_version,
        sha256.hexdigest(),
        size,
        warnings,
    )


def _write_members(
    wheel: NixlWheel, out: IO[bytes], stem: str, ours: bytes, facts: SharedObject
) -> None:
    """Write every member in the order of the original, the stock plugin right behind ours."""
    changed = _changed_metadata(wheel, stem, ours, facts)
    writer = ArchiveWriter(out)

    def rename(name: str) -> str:
        for folder in (".dist-info/", ".data/"):
            if name.startswith(wheel.stem + folder):
                return stem + name.removeprefix(wheel.stem)
        return name

    for member in wheel.archive.infolist():
        name = rename(member.filename)
        if member.filename == wheel.plugin.filename:
            writer.add(name, ours, like=member)
            writer.copy(wheel.file, member, name.replace(PLUGIN, STOCK))
        elif member.filename == wheel.metadata("RECORD"):
            record = wheel.record.renamed(rename)
            beside = wheel.plugin.filename.replace(PLUGIN, STOCK)
            stock = record.get(wheel.plugin.filename)
            if stock is None:
                raise StripeError(f"{wheel.path.name}: RECORD does not list {wheel.plugin.filename}")
            record = record.put(wheel.plugin.filename, Entry.of(ours), after="")
            record = record.put(beside, stock, after=wheel.plugin.filename)
            for path, data in changed.items():
                record = record.put(path, Entry.of(data), after=wheel.plugin.filename)
            writer.add(name, record.data, like=member)
        elif name in changed:
            writer.add(name, changed[name], like=member)
        else:
            writer.copy(wheel.file, member, name)
    writer.close()


def _changed_metadata(
    wheel: NixlWheel, stem: str, ours: bytes, facts: SharedObject
) -> dict[str, bytes]:
    """Return METADATA and WHEEL of the patched wheel, by their new paths."""
    version = stem.partition("-")[2]
    metadata = read_member(wheel.path, wheel.archive, wheel.metadata("METADATA"), LARGEST_TEXT)
    name = wheel.metadata("WHEEL")
    data = read_member(wheel.path, wheel.archive, name, LARGEST_TEXT)
    try:
        tags = raise_wheel_tags(data.decode("utf-8"), facts.glibc)
    except ValueError as error:
        raise StripeError(f"{wheel.path.name}: {name}: {error}") from error
    generator = f"Generator: nixl-stripe {facts.stripe_version}"
    tags = re.sub(r"(?m)^Generator:[^\r\n]*", generator, tags)
    return {
        f"{stem}.dist-info/METADATA": headers.with_value(metadata, "Version", version),
        f"{stem}.dist-info/WHEEL": tags.encode("utf-8"),
    }
