# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Processes of other users that /proc does not show (mounted with hidepid)."""

from __future__ import annotations

import os

#: The kernel's largest PID_MAX_LIMIT.
_MOST = 1 << 22


def is_hidden(pid: int) -> bool:
    """Whether a process that /proc does not show is there all the same, as another user's.

    The kernel then says that it may not be signalled: nothing is sent.
    """
    if not 0 < pid <= _MOST:
        return False
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except ProcessLookupError:
        pass
    return False  # ours, or gone: that /proc would have shown
