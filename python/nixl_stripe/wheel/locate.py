# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Where NIXL keeps its plugins: of an interpreter, of a folder, of a build from source."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from nixl_stripe.errors import StripeError
from nixl_stripe.untrusted import RefusedError, read_file
from nixl_stripe.wheel import headers
from nixl_stripe.wheel.layout import PLUGIN, STOCK
from nixl_stripe.wheel.record import LARGEST, Record

_NIXL_NAME = re.compile(r"nixl(-cu\d+)?")
#: Plugin folders below the prefix of a NIXL that was installed, and below a folder it is built in.
_BELOW = ("plugins", "lib/plugins", "lib64/plugins", "lib/*/plugins", "src/plugins/ucx")
#: Folders with a UCX plugin in one distribution: NIXL's own has one, or a second copy.
_MOST_FOLDERS = 64


@dataclass(frozen=True)
class PluginFolder:
    """One folder that NIXL loads plugins from, and the installed distribution that owns it."""

    path: Path
    """Absolute, symbolic links resolved."""
    distribution: str | None = None
    """`nixl-cu12`, ...; None for a folder that no installed distribution owns."""
    version: str | None = None
    record: Path | None = None
    """RECORD of that distribution; None where there is none to be kept true."""
    prefix: str = ""
    """The folder as RECORD writes it, relative to the folder that NIXL was installed into."""
    copies: tuple[Path, ...] = ()
    """Further copies of the UCX plugin in the distribution, which NIXL does not load by itself."""

    @property
    def label(self) -> str:
        """Name for people: `nixl-cu12 1.5.1`, or the path where nothing owns the folder."""
        return f"{self.distribution} {self.version}" if self.distribution else str(self.path)

    def key(self, name: str) -> str:
        """Return the path that RECORD uses for the file `name` of this folder."""
        return f"{self.prefix}/{name}"


def search_path_of(python: str) -> list[str]:
    """Return `sys.path` of another interpreter.

    Raises StripeError when `python` cannot be run.
    """
    program = "import json, sys; print(json.dumps([entry for entry in sys.path if entry]))"
    try:
        done = subprocess.run([python, "-c", program], capture_output=True, text=True, check=True)
        return [str(entry) for entry in json.loads(done.stdout)]
    except (OSError, subprocess.CalledProcessError, ValueError) as error:
        raise StripeError(
            f"--python {python} cannot be run as a Python interpreter: {error}"
        ) from error


def find_installed(search_path: Sequence[str] | None = None) -> list[PluginFolder]:
    """Return the plugin folders of every NIXL installed on `search_path`.

    `pip install nixl` installs a flavour for CUDA 12 and one for CUDA 13; both are returned.

    search_path: folders as in `sys.path`; None for that of this interpreter.
    """
    return [folder for folder in _all_installed(search_path) if folder.path.name == "plugins"]


def _all_installed(search_path: Sequence[str] | None) -> list[PluginFolder]:
    """Return these and the folders of second copies."""
    found: dict[str, list[PluginFolder]] = {}
    for entry in sys.path if search_path is None else search_path:
        for info in _infos_of_nixl(Path(entry or ".")):
            name, version = _name_and_version(info)
            if _NIXL_NAME.fullmatch(name) and name not in found:
                # The first on the path is the one that gets imported; later ones are hidden by it.
                found[name] = _folders_of(info, name, version)
    return [folder for name in sorted(found) for folder in found[name]]


def _infos_of_nixl(site: Path) -> Iterator[Path]:
    """Yield the .dist-info folders of NIXL in `site`; what others have installed is not read."""
    entries: list[str] = []
    with contextlib.suppress(OSError):  # not there, or no folder
        entries = sorted(path.name for path in site.iterdir())
    for entry in entries:
        project, _, _ = entry.partition("-")
        if entry.endswith(".dist-info") and _NIXL_NAME.fullmatch(_normal(project)):
            yield site / entry


def _name_and_version(info: Path) -> tuple[str, str]:
    """Return what METADATA says; "" as a name where there is none, as an uninstall may leave it."""
    file = info / "METADATA"
    try:
        text = read_file(file, headers.LARGEST)
    except (FileNotFoundError, NotADirectoryError):
        return "", ""
    except (OSError, RefusedError) as error:
        raise unreadable(file, error) from None
    name, version = (headers.values_of(text, field)[:1] for field in ("Name", "Version"))
    return (_normal(name[0]), version[0]) if name and version else ("", "")


def unreadable(file: Path, error: OSError | RefusedError) -> StripeError:
    """Return the error for a file of an installation that cannot be read, or not within limits."""
    return StripeError(f"{file}: {getattr(error, 'strerror', None) or error}")


def find_in(folder: Path) -> list[PluginFolder]:
    """Return the plugin folders that `folder` stands for.

    `folder` is a plugin folder, a folder that NIXL was installed into (site-packages, `pip
    --target`), or the prefix or build folder of a build from source.

    Raises StripeError when there is no NIXL there.
    """
    if not folder.is_dir():
        raise StripeError(f"{folder} is not a folder; name the one that holds {PLUGIN}")
    here = folder.resolve()
    if not _has_plugin(here):
        installed = find_installed([str(here)])
        if installed:
            return installed
    candidates = [here, *(match for below in _BELOW for match in here.glob(below))]
    found = {match.resolve() for match in candidates if _has_plugin(match)}
    if not found:
        raise StripeError(
            f"{folder} is not NIXL's: no {PLUGIN} in it, in {', '.join(_BELOW)} below it, "
            "nor a NIXL installed into it"
        )
    return [_owned(path) for path in sorted(found)]


def _has_plugin(folder: Path) -> bool:
    return any((folder / name).exists() for name in (PLUGIN, STOCK))


def _folders_of(info: Path, name: str, version: str) -> list[PluginFolder]:
    """Return the folders that hold a UCX plugin of a distribution, by its RECORD or by habit."""
    site = info.parent.resolve()
    record = site / info.name / "RECORD"
    if not record.is_file():  # its installer wrote none
        module = name.replace("-", "_")
        plain = site.glob(f".{module}.mesonpy.libs/plugins")
        return [PluginFolder(path, name, version) for path in plain]
    listed = (PurePosixPath(path) for path in load_record(record).paths())
    inside = [
        file
        for file in listed
        if file.name == PLUGIN and not file.is_absolute() and ".." not in file.parts
    ]
    prefixes = dict.fromkeys(file.parent for file in inside)
    if len(prefixes) > _MOST_FOLDERS:
        raise StripeError(
            f"{record}: {PLUGIN} in {len(prefixes)} folders, up to {_MOST_FOLDERS} are accepted"
        )
    paths = {prefix: (site / prefix).resolve() for prefix in prefixes}
    return [
        PluginFolder(
            path,
            name,
            version,
            record,
            prefix.as_posix(),
            tuple(other / PLUGIN for other in paths.values() if other != path),
        )
        for prefix, path in paths.items()
    ]


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _owned(path: Path) -> PluginFolder:
    """Return the plugin folder `path` with the distribution that owns it, where one does."""
    for site in _parents_with_metadata(path):
        for folder in _all_installed([str(site)]):
            if folder.path == path:
                return folder
    return PluginFolder(path)


def _parents_with_metadata(path: Path) -> Iterable[Path]:
    return (parent for parent in list(path.parents)[:3] if any(parent.glob("*.dist-info")))


def load_record(path: Path) -> Record:
    """Return the RECORD in the file `path`; StripeError where it cannot be read or is none."""
    try:
        return Record.parse(read_file(path, LARGEST), path)
    except (OSError, RefusedError) as error:
        raise unreadable(path, error) from error


def read_record(folder: PluginFolder) -> Record | None:
    """Return the RECORD that has to be kept true for `folder`, None where there is none.

    None too when it does not list the plugin: such a RECORD never vouched for the folder.
    """
    if folder.record is None:
        return None
    record = load_record(folder.record)
    return record if record.get(folder.key(PLUGIN)) is not None else None
