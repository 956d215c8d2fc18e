# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""`python -m nixl_stripe`: the command, where its script is not on the PATH."""

import sys

from nixl_stripe.cli import program

sys.exit(program())
