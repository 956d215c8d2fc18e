# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What is read from a shared object's bytes, and whose plugin it makes it."""

from __future__ import annotations

from pathlib import Path

import pytest
from fake_plugins import AARCH64, shared_object
from nixl_stripe.errors import StripeError
from nixl_stripe.wheel import plugin_version
from nixl_stripe.wheel.elf import read_shared_object
from nixl_stripe.wheel.layout import read_our_plugin


def test_a_plugin_of_ours_is_read_without_loading_it() -> None:
    facts = read_shared_object(shared_object(version="1.2.3rc1"))
    assert facts is not None
    assert (facts.machine, facts.stripe_version, facts.glibc) == ("x86_64", "1.2.3rc1", (2, 28))
    assert facts.is_nixl_plugin


def test_a_stock_plugin_of_another_machine_is_read() -> None:
    facts = read_shared_object(shared_object(machine=AARCH64))
    assert facts is not None
    assert (facts.machine, facts.stripe_version) == ("aarch64", None)


def test_glibc_versions_compare_as_numbers() -> None:
    facts = read_shared_object(shared_object(b"\0GLIBC_2.4\0GLIBC_2.2.5\0GLIBC_PRIVATE\0"))
    assert facts is not None
    assert facts.glibc == (2, 28)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x7fELF",
        b"PK\3\4" + bytes(64),
        shared_object().replace(b"\x7fELF\2", b"\x7fELF\1", 1),
        shared_object()[:16] + b"\2\0" + shared_object()[18:],
    ],
    ids=["empty", "truncated", "zip", "32-bit", "program"],
)
def test_what_is_not_a_64_bit_shared_object_is_nothing(data: bytes) -> None:
    assert read_shared_object(data) is None


def test_the_version_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "plugin.so"
    path.write_bytes(shared_object(version="0.3.0"))
    assert plugin_version(path) == "0.3.0"
    path.write_bytes(shared_object())
    assert plugin_version(path) is None


@pytest.mark.parametrize(
    "data",
    [shared_object(), shared_object(version="0.1.0", entry=False), b"no shared object"],
    ids=["stock", "no entry point", "text"],
)
def test_only_a_plugin_of_ours_is_put_to_use(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "plugin.so"
    path.write_bytes(data)
    with pytest.raises(StripeError, match=r"plugin\.so is not a nixl-stripe plugin"):
        read_our_plugin(path)


def test_a_plugin_that_is_absent_is_named(tmp_path: Path) -> None:
    with pytest.raises(StripeError, match=r"absent\.so: No such file"):
        read_our_plugin(tmp_path / "absent.so")
