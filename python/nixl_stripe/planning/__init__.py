# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""From a machine and a policy to a plan: NICs, UCX's settings, forecast, and a peer's agreement."""
