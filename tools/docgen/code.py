# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Tables of what the code itself lists."""

from __future__ import annotations

from nixl_stripe import _core
from nixl_stripe.doctor.catalogue import CHECKS

from docgen.files import table


def checks() -> str:
    """Return every check of `doctor` and what it looks at."""
    return table(["check", "looks at"], [[f"`{check.name}`", check.about] for check in CHECKS])


def traps() -> str:
    """Return every setting that undoes striping."""
    rows = [
        [
            f"`UCX_{rule.key}`",
            rule.when,
            rule.effect,
            f"unset it{', or ' + rule.fix if rule.fix else ''}",
        ]
        for rule in _core.trap_table()
    ]
    return table(["setting", "value", "effect", "what to do"], rows)
