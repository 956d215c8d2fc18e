# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What others send: read within limits, checked against a schema, and shown without surprises.

Two doors use it: messages between hosts (`lab.remote`) and what agents tell each other behind
NIXL's metadata (`introduction`). It imports nothing of the rest of the package but its errors.
"""

from nixl_stripe.untrusted.file import open_file, read_file
from nixl_stripe.untrusted.reader import Limits, read_json
from nixl_stripe.untrusted.schema import RefusedError
from nixl_stripe.untrusted.text import one_line, several_lines

__all__ = [
    "Limits",
    "RefusedError",
    "one_line",
    "open_file",
    "read_file",
    "read_json",
    "several_lines",
]
