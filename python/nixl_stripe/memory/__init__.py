# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Memory that NICs may touch: many tensors as few regions, and registering while moving."""
