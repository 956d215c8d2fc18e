# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Makes the helper modules beside this file importable (`import sysfs_trees`) in every folder."""
