# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Runs every fuzz target: libFuzzer's of nixl_patch/tests/fuzz, Python's of tests/fuzz."""
