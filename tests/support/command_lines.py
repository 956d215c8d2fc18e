# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Command lines of ours that a text names: whether the command would take them."""

from __future__ import annotations

from typing import Any

from nixl_stripe.cli.app import build_app


def accepted(arguments: list[str]) -> bool:
    """Have the command parse its arguments without running anything; click's error if it cannot."""
    command: Any = build_app()
    rest = list(arguments)
    while hasattr(command, "commands"):
        verb = rest.pop(0)
        command = command.commands[verb]
    with command.make_context(verb, rest):
        return True
