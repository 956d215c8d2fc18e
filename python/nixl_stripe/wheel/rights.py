# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Who may do what with a file: carried over to the file that takes its place.

Owner, group, mode, access control list, label and every other extended attribute. A shared
environment whose group lost its access to NIXL would be worse than one without a patch.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from nixl_stripe.errors import StripeError

_ACL = "system.posix_acl_access"
#: Signatures of the content itself (integrity measurement): untrue for any other content.
_OF_THE_CONTENT = ("security.ima", "security.evm")
#: What the kernel answers where it forbids, or where a file system has no such thing.
_FORBIDDEN = {errno.EPERM, errno.EACCES, errno.EINVAL, errno.EOPNOTSUPP, errno.ENOSYS}
#: What opening an unnamed file answers where the file system has none.
_NO_UNNAMED_FILES = {errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL, errno.ENOENT}


@dataclass(frozen=True)
class Rights:
    """Owner, group, mode, extended attributes and times of one file."""

    path: Path
    uid: int
    gid: int
    mode: int
    """Permission bits, set-id and sticky bits included."""
    attributes: Mapping[str, bytes]
    accessed_ns: int
    modified_ns: int

    @classmethod
    def of(cls, path: Path) -> Rights:
        """Return those of the file `path`; a symbolic link stands for its target."""
        found = path.stat()
        return cls(
            path,
            found.st_uid,
            found.st_gid,
            found.st_mode & 0o7777,
            _attributes(path),
            found.st_atime_ns,
            found.st_mtime_ns,
        )

    def give(self, descriptor: int) -> tuple[str, ...]:
        """Give all but the times to the open file; return what the kernel does not allow.

        Raises StripeError where somebody would lose access by that.
        """
        lost = self._give_owner(descriptor)
        os.fchmod(descriptor, self.mode)
        here = _attributes(descriptor)
        if _ACL in here and _ACL not in self.attributes:  # inherited from the folder
            os.removexattr(descriptor, _ACL)
        for name, value in self.attributes.items():
            if name in _OF_THE_CONTENT:
                lost.append(f"{name}, which signs the content of the file that was there")
            elif here.get(name) != value:
                lost += self._give_attribute(descriptor, name, value)
        return tuple(f"{self.path}: cannot keep its {what}" for what in lost)

    def give_times(self, descriptor: int) -> None:
        """Give the times to the open file; nothing may be written to it afterwards."""
        os.utime(descriptor, ns=(self.accessed_ns, self.modified_ns))

    def rehearse(self) -> tuple[str, ...]:
        """Return what `give` will for a new file beside this one, which never gets a name.

        Raises StripeError as `give` does. Empty where the file system has no unnamed files: there
        the first new file shows it.
        """
        try:
            descriptor = os.open(self.path.parent, os.O_WRONLY | os.O_TMPFILE, 0o600)
        except OSError as error:
            if error.errno not in _NO_UNNAMED_FILES:
                raise
            return ()
        try:
            return self.give(descriptor)
        finally:
            os.close(descriptor)

    def _give_owner(self, descriptor: int) -> list[str]:
        lost: list[str] = []
        now = os.fstat(descriptor)
        others = self.mode & 0o7
        wanted = (
            ("owner", self.uid, now.st_uid, (self.uid, -1), self.mode >> 6 & 0o5),
            ("group", self.gid, now.st_gid, (-1, self.gid), self.mode >> 3 & 0o7),
        )
        for what, number, has, arguments, bits in wanted:
            if number == has:
                continue
            try:
                os.fchown(descriptor, *arguments)
            except OSError as error:
                if error.errno not in _FORBIDDEN:
                    raise
                if bits & ~others:
                    raise StripeError(self._lockout(what, number)) from error
                lost.append(f"{what} {number}, as uid {os.geteuid()} may not give files away")
        return lost

    def _lockout(self, what: str, number: int) -> str:
        return (
            f"{self.path} belongs to the {what} {number}, and uid {os.geteuid()} may not give "
            f"files to it: with mode {self.mode:04o} the {what} would lose access; run as root or "
            f"as uid {self.uid} in group {self.gid}"
        )

    def _give_attribute(self, descriptor: int, name: str, value: bytes) -> list[str]:
        try:
            os.setxattr(descriptor, name, value)
        except OSError as error:
            if error.errno not in _FORBIDDEN:
                raise
            if name == _ACL:
                raise StripeError(
                    f"{self.path} has an access control list, which a new file cannot be given "
                    f"({error.strerror}): who it names would lose access; run as root or as uid "
                    f"{self.uid}"
                ) from error
            return [f"{name} ({error.strerror})"]
        return []


def _attributes(file: Path | int) -> dict[str, bytes]:
    """Return the extended attributes of a file; none where its file system has none."""
    try:
        return {name: os.getxattr(file, name) for name in os.listxattr(file)}
    except OSError as error:
        if error.errno not in (errno.EOPNOTSUPP, errno.ENOSYS):
            raise
        return {}
