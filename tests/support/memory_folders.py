# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Where generated trees are written: in memory, where the machine has such a folder."""

from __future__ import annotations

import os

#: A tree has hundreds of files; on a busy disk a run of examples took minutes. None: the default.
IN_MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108
