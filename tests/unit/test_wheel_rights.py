# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Owner, group, mode, access control list and other attributes stay through patch and undo."""

from __future__ import annotations

import errno
import os
import stat
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_plugins import OURS_BYTES, STOCK_BYTES, contents, install_nixl, write_ours
from nixl_stripe.errors import StripeError
from nixl_stripe.wheel import PLUGIN, STOCK, patch_folder, undo_folder
from nixl_stripe.wheel.locate import PluginFolder
from nixl_stripe.wheel.rights import Rights

ACL, DEFAULT_ACL = "system.posix_acl_access", "system.posix_acl_default"
OWNER, READER, SHARED, NOT_MINE = 4301, 4302, 4400, 4500
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")


def acl(reader: int) -> bytes:
    """Return an access control list that lets the user `reader` in, as the kernel stores it."""
    anyone = 0xFFFFFFFF
    rows = [(1, 6, anyone), (2, 4, reader), (4, 0, anyone), (16, 4, anyone), (32, 0, anyone)]
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *row) for row in rows)


def set_or_skip(path: Path, name: str, value: bytes) -> None:
    try:
        os.setxattr(path, name, value)
    except OSError as error:
        if error.errno not in (errno.EOPNOTSUPP, errno.EPERM):
            raise
        pytest.skip(f"{path} cannot have {name} here: {error.strerror}")


def of(path: Path) -> tuple[int, int, int, dict[str, bytes]]:
    found = path.stat()
    names = os.listxattr(path)
    return found.st_uid, found.st_gid, found.st_mode, {n: os.getxattr(path, n) for n in names}


def replaced_files(folder: PluginFolder) -> list[Path]:
    assert folder.record is not None
    return [folder.path / PLUGIN, folder.record]


def everything(site: Path) -> dict[str, object]:
    return {
        str(path): (of(path), path.stat().st_mtime_ns, path.read_bytes())
        for path in sorted(site.rglob("*"))
        if path.is_file()
    }


@pytest.fixture
def ours(tmp_path: Path) -> Path:
    return write_ours(tmp_path / "ours.so")


@pytest.fixture
def folder(tmp_path: Path) -> PluginFolder:
    return install_nixl(tmp_path / "site")


@as_root
def test_owner_group_mode_and_times(folder: PluginFolder, tmp_path: Path, ours: Path) -> None:
    modes = (0o4751, 0o640)
    for path, mode in zip(replaced_files(folder), modes, strict=True):
        os.chown(path, OWNER, SHARED)
        path.chmod(mode)
        os.utime(path, ns=(10**18, 10**18 + 7))
    before = everything(tmp_path / "site")
    old = os.umask(0o077)
    try:
        outcome = patch_folder(folder, ours)
        assert outcome.warnings == ()
        for path, mode in zip(replaced_files(folder), modes, strict=True):
            assert of(path)[:3] == (OWNER, SHARED, stat.S_IFREG | mode)
        assert undo_folder(folder).warnings == ()
    finally:
        os.umask(old)
    assert everything(tmp_path / "site") == before


@pytest.mark.parametrize("links", [True, False], ids=["hard links", "no hard links"])
@pytest.mark.parametrize(
    ("name", "value"),
    [("user.note", b"kept"), (ACL, acl(READER)), ("security.note", b"a label")],
    ids=["user", "acl", "security"],
)
def test_extended_attributes(
    folder: PluginFolder,
    tmp_path: Path,
    ours: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    value: bytes,
    links: bool,
) -> None:
    for path in replaced_files(folder):
        set_or_skip(path, name, value)
    if not links:

        def refuse(*args: object, **kwargs: object) -> None:
            raise OSError(errno.EPERM, os.strerror(errno.EPERM))

        monkeypatch.setattr(os, "link", refuse)
    before = everything(tmp_path / "site")
    assert patch_folder(folder, ours).warnings == ()
    for path in (*replaced_files(folder), folder.path / STOCK):
        assert os.getxattr(path, name) == value
    undo_folder(folder)
    assert everything(tmp_path / "site") == before


def test_a_default_acl_of_the_folder_lets_nobody_else_in(
    folder: PluginFolder, ours: Path, tmp_path: Path
) -> None:
    """A new file inherits it; the one that it takes the place of had none."""
    for path in replaced_files(folder):
        set_or_skip(path.parent, DEFAULT_ACL, acl(READER))
    (folder.path / "inherits").write_bytes(b"")
    assert ACL in os.listxattr(folder.path / "inherits"), "the test shows nothing"
    (folder.path / "inherits").unlink()
    before = everything(tmp_path / "site")
    patch_folder(folder, ours)
    for path in replaced_files(folder):
        assert ACL not in os.listxattr(path)
    undo_folder(folder)
    assert everything(tmp_path / "site") == before


def test_a_signature_of_the_content_is_not_put_on_ours(
    folder: PluginFolder, ours: Path, tmp_path: Path
) -> None:
    set_or_skip(folder.path / PLUGIN, "security.ima", b"\x03\x02signature")
    before = everything(tmp_path / "site")
    (warning,) = patch_folder(folder, ours).warnings
    assert warning.startswith(f"{folder.path / PLUGIN}: cannot keep its security.ima, which signs")
    assert os.listxattr(folder.path / PLUGIN) == []
    undo_folder(folder)
    assert everything(tmp_path / "site") == before


#: Patches, or undoes, as another user; prints the warnings or the error.
AS_USER = """
import os, sys
from pathlib import Path
from nixl_stripe.errors import StripeError
from nixl_stripe.wheel import find_in, patch_folder, undo_folder
uid, groups = int(sys.argv[1]), [int(group) for group in sys.argv[2].split(",")]
os.setgroups(groups); os.setresgid(*groups[:1] * 3); os.setresuid(uid, uid, uid)
(folder,) = find_in(Path(sys.argv[3]))
ours = Path(sys.argv[4])
try:
    outcome = patch_folder(folder, ours) if sys.argv[5] == "patch" else undo_folder(folder)
    print(outcome.action, *outcome.warnings, sep="\\n")
except StripeError as error:
    print(f"StripeError: {error}")
"""


def as_user(site: Path, ours: Path, verb: str, *groups: int, uid: int = OWNER) -> list[str]:
    command = [sys.executable, "-c", AS_USER, str(uid), ",".join(map(str, groups))]
    done = subprocess.run(
        [*command, str(site), str(ours), verb], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.fixture
def shared() -> Iterator[tuple[PluginFolder, Path]]:
    """An environment that OWNER installed for the group SHARED alone, and our plugin."""
    with tempfile.TemporaryDirectory() as name:
        base = Path(name)
        base.chmod(0o755)
        ours = write_ours(base / "ours.so")
        folder = install_nixl(base / "site")
        for path in [base / "site", *(base / "site").rglob("*")]:
            os.chown(path, OWNER, SHARED)
            path.chmod(0o750 if path.is_dir() else 0o640)
        yield folder, ours


@as_root
def test_the_group_of_a_shared_environment_keeps_its_access(
    shared: tuple[PluginFolder, Path],
) -> None:
    folder, ours = shared
    site = ours.parent / "site"
    before = everything(site)
    assert as_user(site, ours, "patch", OWNER, SHARED) == ["patched"]
    for path in (*replaced_files(folder), folder.path / STOCK):
        assert of(path)[:3] == (OWNER, SHARED, stat.S_IFREG | 0o640)
    assert (folder.path / PLUGIN).read_bytes() == OURS_BYTES
    assert as_user(site, ours, "undo", OWNER, SHARED) == ["undone"]
    assert everything(site) == before


@as_root
@pytest.mark.parametrize("unnamed", [True, False], ids=["rehearsed", "no unnamed files"])
def test_a_group_that_would_lose_its_access_is_an_error_before_anything_changes_bad_flow(
    shared: tuple[PluginFolder, Path], unnamed: bool
) -> None:
    folder, ours = shared
    os.chown(folder.path / PLUGIN, OWNER, NOT_MINE)
    before = everything(ours.parent / "site")
    if unnamed:
        (said,) = as_user(ours.parent / "site", ours, "patch", OWNER, SHARED)
    else:
        said = as_user_without_unnamed_files(ours)
    assert f"{PLUGIN} belongs to the group {NOT_MINE}, and uid {OWNER} may not give" in said
    assert "with mode 0640 the group would lose access" in said
    assert everything(ours.parent / "site") == before


def as_user_without_unnamed_files(ours: Path) -> str:
    program = AS_USER.replace("import os, sys\n", "import os, sys\nos.O_TMPFILE = 0\n", 1)
    command = [sys.executable, "-c", program, str(OWNER), f"{OWNER},{SHARED}"]
    command += [str(ours.parent / "site"), str(ours), "patch"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@as_root
def test_a_group_that_needs_no_rights_of_its_own_is_a_warning(
    shared: tuple[PluginFolder, Path],
) -> None:
    folder, ours = shared
    os.chown(folder.path / PLUGIN, OWNER, NOT_MINE)
    (folder.path / PLUGIN).chmod(0o644)
    action, warning = as_user(ours.parent / "site", ours, "patch", OWNER, SHARED)
    assert action == "patched"
    assert warning.startswith(f"{folder.path / PLUGIN}: cannot keep its group {NOT_MINE}")
    assert as_user(ours.parent / "site", ours, "undo", OWNER, SHARED) == ["undone"]
    assert of(folder.path / PLUGIN)[:2] == (OWNER, NOT_MINE)
    assert (folder.path / PLUGIN).read_bytes() == STOCK_BYTES


@as_root
def test_who_may_write_to_the_folder_but_not_give_files_away_bad_flow(
    shared: tuple[PluginFolder, Path],
) -> None:
    """A member of the group, where the group may write: the owner would lose his file."""
    _, ours = shared
    site = ours.parent / "site"
    for path in site.rglob("*"):
        path.chmod(0o770 if path.is_dir() else 0o660)
    before = contents(site)
    (said,) = as_user(site, ours, "patch", SHARED, uid=READER)
    assert f"belongs to the owner {OWNER}, and uid {READER} may not give files to it" in said
    assert contents(site) == before


def test_an_acl_that_cannot_be_given_is_an_error(
    folder: PluginFolder, ours: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_or_skip(folder.path / PLUGIN, ACL, acl(READER))
    before = contents(folder.path.parents[1])

    def refuse(*args: object) -> None:
        raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))

    monkeypatch.setattr(os, "setxattr", refuse)
    with pytest.raises(StripeError, match=r"has an access control list, which a new file cannot"):
        patch_folder(folder, ours)
    assert contents(folder.path.parents[1]) == before


def test_a_label_that_cannot_be_given_is_a_warning(
    folder: PluginFolder, ours: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_or_skip(folder.path / PLUGIN, "security.note", b"a label")

    def refuse(*args: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "setxattr", refuse)
    (warning,) = patch_folder(folder, ours).warnings
    assert warning.endswith("cannot keep its security.note (Operation not permitted)")


def test_a_record_that_is_a_symbolic_link_is_told(
    folder: PluginFolder, tmp_path: Path, ours: Path
) -> None:
    assert folder.record is not None
    stored = tmp_path / "store"
    folder.record.rename(stored)
    folder.record.symlink_to(stored)
    text = stored.read_bytes()
    (warning,) = patch_folder(folder, ours).warnings
    assert warning == f"{folder.record}: cannot keep that it is a symbolic link to {stored}"
    assert stored.read_bytes() == text
    undo_folder(folder)
    assert folder.record.read_bytes() == text


def test_files_that_a_cache_shares_are_never_written_to(
    folder: PluginFolder, tmp_path: Path, ours: Path
) -> None:
    """Uv links the files of its cache into each environment: one file, several names."""
    cache = tmp_path / "cache"
    cache.mkdir()
    for path in replaced_files(folder):
        os.link(path, cache / path.name)
    before = everything(cache)
    patch_folder(folder, ours)
    assert everything(cache) == before
    assert Rights.of(cache / PLUGIN).mode == Rights.of(folder.path / PLUGIN).mode
    undo_folder(folder)
    assert everything(cache) == before
    assert (folder.path / PLUGIN).samefile(cache / PLUGIN)
