# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What only a real GPU can show: GPU memory over rails, CUDA look-ups, registration times."""
