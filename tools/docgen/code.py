# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Tables of what the code itself lists."""

from __future__ import annotations

import re
import textwrap

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


def parameters() -> str:
    """Return every backend parameter of ours, what it takes and what it means."""
    rows = [
        [f"`{each.key}`", _quoted(each.accepted), _quoted(each.meaning)]
        for each in _core.parameter_table()
    ]
    return table(["key", "values", "meaning"], rows)


def variables() -> str:
    """Return the variables by which the same parameters are given from outside."""
    words = [f"`{each.variable}`" for each in _core.parameter_table()]
    text = f"{', '.join(words[:-1])} and {words[-1]}."
    return "\n".join(textwrap.wrap(text, 100, break_on_hyphens=False))


def policies() -> str:
    """Return the words that `stripe` takes."""
    rows = [
        [f"`{each.word}`", _quoted(each.meaning), "yes" if each.needs_gpu else ""]
        for each in _core.policy_table()
    ]
    return table(["`stripe`", "NICs", "needs a GPU"], rows)


def _quoted(text: str) -> str:
    """Return a text of the code with its 'values' as Markdown's code."""

    def code(found: re.Match[str]) -> str:
        return f"`{found[1]}`" if found[1] else '`""`'

    return re.sub(r"(?<!\w)'([^']*)'(?!\w)", code, text)


def rules() -> str:
    """Return every rule that leaves NICs out, in order."""
    rows = [
        [f"`{rule.id}`", rule.kind, rule.meaning, rule.fix or "-"] for rule in _core.usable_rules()
    ]
    return table(["rule", "kind", "left out for", "what to do"], rows)
