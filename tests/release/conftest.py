# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What is released for this machine, compiled once for all tests of it."""

from __future__ import annotations

import pytest
from released_files import Released, make_released


@pytest.fixture(scope="session")
def released(tmp_path_factory: pytest.TempPathFactory) -> Released:
    return make_released(tmp_path_factory.mktemp("dist"))
