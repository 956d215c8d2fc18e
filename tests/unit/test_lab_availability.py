# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What is said where a bed of rails cannot be made."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest
from nixl_stripe.lab import LabUnavailableError, Rails
from nixl_stripe.lab.availability import explain


def _set(root: Path, name: str, value: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{value}\n")


@pytest.mark.parametrize(
    ("setting", "value", "step", "advice"),
    [
        ("kernel/unprivileged_userns_clone", "0", "user namespace", "unprivileged_userns_clone=1"),
        ("user/max_user_namespaces", "0", "user namespace", "max_user_namespaces=10000"),
        (
            "kernel/apparmor_restrict_unprivileged_userns",
            "1",
            "network namespace",
            "apparmor_restrict_unprivileged_userns=0",
        ),
    ],
)
def test_advice_names_the_setting(
    tmp_path: Path, setting: str, value: str, step: str, advice: str
) -> None:
    _set(tmp_path, setting, value)
    assert advice in explain(step, f"{step}: Operation not permitted", tmp_path)
    _set(tmp_path, setting, "1" if value == "0" else "0")
    assert advice not in explain(step, f"{step}: Operation not permitted", tmp_path)


@pytest.mark.parametrize(
    ("step", "advice"),
    [
        ("private mounts", "in a chroot, enter it as a container does (pivot_root"),
        ("sysfs", "--privileged"),
        ("veth pair", "modprobe veth"),
        ("tbf rate limit", "modprobe sch_tbf"),
        ("user namespace", "--cap-add SYS_ADMIN"),
        ("network namespace", "run as root"),
    ],
)
def test_advice_by_step(tmp_path: Path, step: str, advice: str) -> None:
    assert advice in explain(step, f"{step}: Operation not permitted", tmp_path)


@pytest.mark.parametrize("library", ["pyroute2", "numpy"])
def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch, library: str) -> None:
    real = importlib.util.find_spec

    def find(name: str, package: str | None = None) -> Any:
        return None if name == library else real(name, package)

    monkeypatch.setattr(importlib.util, "find_spec", find)
    with pytest.raises(LabUnavailableError, match=rf"need {library}.*nixl-stripe\[lab\]"):
        Rails()
