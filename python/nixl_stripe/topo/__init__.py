# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""A machine as a person looks at it: tree, matrix and picture, for `nixl-stripe topo`."""
