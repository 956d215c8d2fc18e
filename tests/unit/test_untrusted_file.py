# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Files of others are read up to a limit, and cost the memory of what they hold."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pytest
from nixl_stripe.untrusted.file import read_file, read_up_to
from nixl_stripe.untrusted.schema import RefusedError

#: Reads the file argv[1] by the expression argv[2], with 16 MiB beyond what Python itself takes.
BOUNDED = """
import resource, sys
from pathlib import Path
from nixl_stripe.untrusted.file import read_file
path, limit = Path(sys.argv[1]), 1 << 30
pages = int(open("/proc/self/statm").read().split()[0])
resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + (16 << 20),) * 2)
assert eval(sys.argv[2]) == b"little"
"""


@pytest.mark.parametrize(
    ("reading", "works"),
    [("read_file(path, limit)", True), ("path.open('rb').read(limit)", False)],
)
def test_a_limit_takes_no_memory(tmp_path: Path, reading: str, works: bool) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"little")
    done = subprocess.run(
        [sys.executable, "-c", BOUNDED, str(path), reading],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode == 0) == works, done.stderr
    assert works or "MemoryError" in done.stderr


@pytest.mark.parametrize("size", [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 3 << 20])
def test_what_is_read_is_what_is_there(tmp_path: Path, size: int) -> None:
    path = tmp_path / "file"
    data = bytes(index % 251 for index in range(size))
    path.write_bytes(data)
    assert read_file(path, size) == data
    assert read_up_to(io.BytesIO(data), size // 2) == data[: size // 2]
    if size:
        with pytest.raises(RefusedError, match=f"more than {size - 1} bytes"):
            read_file(path, size - 1)
