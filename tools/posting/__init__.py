# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What posting costs: stock, patched without parameters, and with small buffers spread.

`python -m posting` runs it, `scripts/bench-posting` from a checkout. `cells` says what is measured,
`worker` measures in a process of its own, `ratios` compares.
"""
