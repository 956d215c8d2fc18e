# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Files that are put into place in one step, in folders that others may write into."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def replace(path: Path, text: bytes, mode: int | None = None) -> None:
    """Put a text into place in one step, as a new file of ours; OSError where that cannot be.

    Where others may write into the folder they may have planted a link, a pipe or a file of their
    own under the draft's name, which can be guessed: it is taken away, never written through.
    mode: of the file; None is what the umask leaves.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    try:
        with os.fdopen(os.open(draft, flags, 0o666), "wb") as stream:
            if mode is not None:
                os.fchmod(stream.fileno(), mode)
            stream.write(text)
        draft.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            draft.unlink()
        raise
