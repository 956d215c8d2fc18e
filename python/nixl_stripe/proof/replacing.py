# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Files that are put into place in one step, in folders that others may write into."""

from __future__ import annotations

import os
from pathlib import Path

from nixl_stripe.scratch import partial


def replace(path: Path, text: bytes, mode: int | None = None) -> None:
    """Put a text into place in one step, as a new file of ours; OSError where that cannot be.

    Where others may write into the folder they may have planted a link, a pipe or a file of their
    own: under the file's name it is taken away, never written through, and the draft's name cannot
    be guessed. What a killed process has left of drafts goes too. mode: of the file; None is what
    the umask leaves.
    """
    with partial(path) as (_, file):
        if mode is not None:
            os.fchmod(file.fileno(), mode)
        file.write(text)
