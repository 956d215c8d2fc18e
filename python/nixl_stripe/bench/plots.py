# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Pictures of benchmark results, one file of JSON at a time."""

from __future__ import annotations

import json
from pathlib import Path

from nixl_stripe.errors import StripeError, UsageError

_EXPECTED = "not what `nixl-stripe bench ... --save` writes for"


def draw_file(file: Path, folder: Path) -> list[Path]:
    """Draw one result; return the pictures' paths. UsageError for a file that is none."""
    from nixl_stripe.bench.drawings import DRAWINGS

    try:
        document = json.loads(file.read_text("utf-8"))
        draw = DRAWINGS[document["bench"]]
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise UsageError(f"{file}: {_EXPECTED} {', '.join(sorted(DRAWINGS))}") from error
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError as error:
        raise StripeError(
            "plots need matplotlib, which is not installed: pip install 'nixl-stripe[plot]'"
        ) from error
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{file.stem}.png"
    try:
        figure = draw(document)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise UsageError(f"{file}: {_EXPECTED} {document['bench']}") from error
    figure.savefig(path, dpi=110)
    return [path]
