# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The check for libraries that make a process crash at its exit, on a stand-in for NIXL."""

from __future__ import annotations

from pathlib import Path

import pytest
from doctor_patients import Patient
from fake_plugins import install_nixl
from nixl_stripe.doctor.ending import LEFT_OUT, is_loaded
from nixl_stripe.wheel import patch_folder
from nixl_stripe.wheel.locate import PluginFolder

MODULE = "site-packages/nixl_cu12.libs/ucx/libuct_ib_efa.so.0.0.0"
CACHE = b"glibc-ld.so.cache1.1\0libefa.so.1\0/lib/libefa.so.1\0"


@pytest.fixture
def patient(tmp_path: Path) -> Patient:
    made = Patient.of(tmp_path / "machine")
    made.put(MODULE, b"\x7fELF\0libefa.so.1\0libibverbs-1de1263b.so.1\0")
    return made.put("etc/ld.so.cache", CACHE)


@pytest.fixture
def nixl(patient: Patient) -> PluginFolder:
    return install_nixl(patient.root / "site-packages")


def test_without_nixl(patient: Patient) -> None:
    assert patient.answer("exit").status == "skip"


def test_a_stock_nixl_crashes_bad_flow(patient: Patient, nixl: PluginFolder) -> None:
    row = patient.answer("exit")
    assert row.status == "warn"
    assert "efa load the system's libefa.so.1" in row.detail
    assert "SIGSEGV" in row.detail
    assert row.fix.startswith("UCX_MODULES=^efa,rdmacm")


def test_stripe_leaves_the_modules_out(patient: Patient, nixl: PluginFolder) -> None:
    patch_folder(nixl)
    assert patient.answer("exit").status == "ok"
    assert patient.with_variables(UCX_MODULES="all").answer("exit").status == "warn"


def test_an_efa_needs_its_library_bad_flow(tmp_path: Path) -> None:
    p5 = Patient.of(tmp_path / "p5", "p5").put(MODULE, b"\0libefa.so.1\0")
    p5.put("etc/ld.so.cache", CACHE)
    patch_folder(install_nixl(p5.root / "site-packages"))
    row = p5.answer("exit")
    assert (row.status, row.fix) == ("warn", "leave by os._exit() where the exit code matters")


@pytest.mark.parametrize("without", [MODULE, "etc/ld.so.cache"])
def test_without_a_library_nothing_is_wrong(
    patient: Patient, nixl: PluginFolder, without: str
) -> None:
    assert patient.removed(without).answer("exit").status == "ok"


@pytest.mark.parametrize(
    ("said", "efa", "rdmacm"),
    [
        ("all", True, True),
        (LEFT_OUT, False, False),
        ("^ib", False, True),
        ("^cuda", True, True),
        ("ib,efa", True, False),
        ("efa", False, False),
        ("rdmacm", False, True),
        ("", False, False),
    ],
)
def test_which_modules_ucx_loads(said: str, efa: bool, rdmacm: bool) -> None:
    assert (is_loaded("efa", said), is_loaded("rdmacm", said)) == (efa, rdmacm)
