# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The demo: stock NIXL and the patched one over the same rails; `python -m demo`."""
