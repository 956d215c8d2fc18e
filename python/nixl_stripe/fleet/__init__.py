# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Every pair of a job's hosts through NIXL, and from the matrix to the culprit."""
