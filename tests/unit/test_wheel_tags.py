# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Versions and tags of a patched wheel."""

from __future__ import annotations

import pytest
from nixl_stripe.wheel import patched_version
from nixl_stripe.wheel.tags import raise_platform, raise_platforms, raise_wheel_tags
from packaging.specifiers import SpecifierSet
from packaging.version import Version


def test_a_patched_version_satisfies_the_pin_and_is_newer() -> None:
    version = patched_version("1.5.1", "0.1.0")
    assert version == "1.5.1+stripe0.1.0"
    assert version in SpecifierSet("==1.5.1")
    assert version not in SpecifierSet("==1.5.2")
    assert Version("1.5.1") < Version(version) < Version("1.5.2")


def test_a_local_part_that_is_there_stays() -> None:
    assert patched_version("1.5.1+cluster.7", "0.1.0") == "1.5.1+cluster.7.stripe0.1.0"


def test_a_newer_nixl_stripe_makes_a_newer_wheel() -> None:
    ours = ["0.1.0", "0.1.1", "0.2.0rc1", "0.2.0", "0.10.0", "1.0.0", "1.0.10", "9.9.9"]
    versions = [Version(patched_version("1.5.1", version)) for version in ours]
    assert versions == sorted(versions)
    assert len(set(versions)) == len(ours)


@pytest.mark.parametrize(
    ("platform", "glibc", "wanted"),
    [
        ("manylinux_2_28_x86_64", (2, 34), "manylinux_2_34_x86_64"),
        ("manylinux_2_28_x86_64", (2, 17), "manylinux_2_28_x86_64"),
        ("manylinux_2_28_x86_64", (2, 4), "manylinux_2_28_x86_64"),
        ("manylinux_2_28_aarch64", None, "manylinux_2_28_aarch64"),
        ("manylinux2014_aarch64", (2, 28), "manylinux_2_28_aarch64"),
        ("manylinux2014_x86_64", (2, 17), "manylinux2014_x86_64"),
        ("linux_x86_64", (2, 34), "linux_x86_64"),
    ],
)
def test_a_platform_asks_for_the_glibc_that_the_plugin_needs(
    platform: str, glibc: tuple[int, int] | None, wanted: str
) -> None:
    assert raise_platform(platform, glibc) == wanted


def test_platforms_that_become_the_same_are_said_once() -> None:
    both = "manylinux_2_17_x86_64.manylinux2014_x86_64"
    assert raise_platforms(both, (2, 34)) == "manylinux_2_34_x86_64"
    assert raise_platforms(both, (2, 12)) == both


def test_the_wheel_file_changes_in_its_tags_alone() -> None:
    text = (
        "Wheel-Version: 1.0\nGenerator: meson\nTag: cp311-cp311-manylinux_2_17_x86_64\n"
        "Tag: cp311-cp311-manylinux2014_x86_64\nBuild: 1\n\n"
    )
    assert raise_wheel_tags(text, (2, 34)) == (
        "Wheel-Version: 1.0\nGenerator: meson\nTag: cp311-cp311-manylinux_2_34_x86_64\nBuild: 1\n\n"
    )
    assert raise_wheel_tags(text, (2, 5)) == text
