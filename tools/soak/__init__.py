# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Agents that come and go for minutes, ours and stock in turns: what of a process grows."""
