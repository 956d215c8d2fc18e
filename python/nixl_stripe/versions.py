# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The one NIXL that is meant where nobody names another, and the version of what we print."""

from __future__ import annotations

#: The newest NIXL that everything here was run with. A newer one also needs its row in
#: `WHEELS` of tests/nixl_wheels.py.
NEWEST = "1.5.1"

#: What every `--json` says first; it goes up when a key goes or changes (docs/stability.md).
JSON_SCHEMA = 1

#: As pip is asked for it.
NEWEST_REQUIREMENT = f"nixl-cu12=={NEWEST}"
