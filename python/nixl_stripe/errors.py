# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Errors that a user can act on. The command prints them as one line."""

from __future__ import annotations


class StripeError(Exception):
    """An expected failure: what was wrong, where it came from and what to do, in one line."""

    exit_code = 1


class UsageError(StripeError):
    """The command line or an argument does not make sense; exit code 2."""

    exit_code = 2


class SourceError(StripeError, ValueError):
    """A machine cannot be read from what was given: missing, of no known kind, damaged, too big."""
