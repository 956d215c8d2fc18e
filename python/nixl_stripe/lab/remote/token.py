# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The secret that a listener and those who may connect share."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from pathlib import Path

from nixl_stripe.errors import StripeError, UsageError

VARIABLE, FILE_VARIABLE = "NIXL_STRIPE_TOKEN", "NIXL_STRIPE_TOKEN_FILE"
#: Base64 of 128 random bits has 22 characters; ours have 192 bits.
MIN_LENGTH, MAX_LENGTH = 22, 1024
_MIN_DISTINCT = 8
_BYTES = 24
#: Stretching is for tokens that people made up; it is done once by each command.
_ROUNDS = 100_000


@dataclass(frozen=True)
class Token:
    """A token; its text is never part of a representation. made: by us, just now."""

    text: str = field(repr=False)
    made: bool = False

    def __post_init__(self) -> None:
        if not self.text.isascii():
            raise UsageError("the token: accepted is ASCII text")
        if not MIN_LENGTH <= len(self.text) <= MAX_LENGTH or len(set(self.text)) < _MIN_DISTINCT:
            raise UsageError(
                f"the token has {len(self.text)} characters, {len(set(self.text))} different ones: "
                f"accepted are {MIN_LENGTH} to {MAX_LENGTH} with {_MIN_DISTINCT} different ones; "
                "make one with: openssl rand -base64 24"
            )

    @classmethod
    def generate(cls) -> Token:
        """Return a fresh one of 192 random bits."""
        return cls(secrets.token_urlsafe(_BYTES), made=True)

    @classmethod
    def find(
        cls, file: Path | None, environ: MutableMapping[str, str] = os.environ
    ) -> Token | None:
        """Return what `--token-file` or the variables give, None where nothing does.

        The option wins over the variables; UsageError where both of these are set. The variable is
        taken away: no process that is started later, and no report of variables, shows the token.
        """
        text = environ.pop(VARIABLE, "").strip()
        given = [VARIABLE] if text else []
        given += [FILE_VARIABLE] if environ.get(FILE_VARIABLE) else []
        if file is None and len(given) > 1:
            raise UsageError(f"{VARIABLE} and {FILE_VARIABLE}: accepted is one of them")
        if file is None and FILE_VARIABLE in given:
            file = Path(environ[FILE_VARIABLE])
        if file is not None:
            return cls(_read(file))
        return cls(text) if text else None

    @classmethod
    def require(cls, file: Path | None, environ: MutableMapping[str, str] = os.environ) -> Token:
        """Return what `find` does; UsageError where nothing is given."""
        found = cls.find(file, environ)
        if found is None:
            raise UsageError(
                "no token: give the one that the listener printed, by --token-file FILE or "
                f"{VARIABLE}=..."
            )
        return found

    def key(self) -> bytes:
        """Return 32 bytes made of the token; about 0.1 s."""
        salt = b"nixl-stripe link 2"
        return hashlib.pbkdf2_hmac("sha256", self.text.encode(), salt, _ROUNDS)


def _read(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            text = opened.read(MAX_LENGTH + 2).decode("ascii")
    except OSError as error:
        raise StripeError(f"--token-file {file}: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise UsageError(f"--token-file {file}: accepted is ASCII text") from None
    return text.strip()
