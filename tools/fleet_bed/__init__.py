# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""A fleet of hosts in network namespaces, with faults that are made and mended while it runs."""
