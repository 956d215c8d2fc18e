# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Agents: their configuration, NIXL without our patch, and the exchange of plans with a peer."""
