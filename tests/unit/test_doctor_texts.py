# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What doctor reads of others' files and shows of variables: within limits, and as text alone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from doctor_patients import Patient
from nixl_stripe.doctor import examine
from nixl_stripe.doctor.surroundings import text_of
from nixl_stripe.doctor.variables import CHECKS
from nixl_stripe.topo.cpus import cpu_lists

#: Of a title, of a colour by one character, of the text's direction; and a line of its own.
EVIL = "\x1b]0;x\x07\x9b31m\u202e\nlie\x7f"
#: Every variable that a check of variables looks at, and one that is misspelt.
VARIABLES = (
    *("UCX_NET_DEVICES", "UCX_MAX_RMA_RAILS", "UCX_TLS", "MX_RDMA_NIC_PIN", "NIXL_STRIPE_DISABLE"),
    *("NIXL_STRIPE_EXPERIMENTAL", "NIXL_UCX_STRIPE", "NIXL_UCX_DEVICE_LIST", "UCX_PROTO_ENABLE"),
    *("NIXL_UCX_STIRPE", f"UCX_TLS{EVIL}", f"NIXL_UCX_STRIPE{EVIL}", "NIXL_UCX_ON_NIC_LOSS"),
)


@pytest.mark.parametrize("name", VARIABLES)
@pytest.mark.parametrize("value", [EVIL, f"mlx5_0:1,{EVIL}", f" {EVIL}"])
def test_doctor_shows_variables_as_escapes_bad_flow(name: str, value: str, tmp_path: Path) -> None:
    patient = Patient.of(tmp_path, **{name: value})
    report = examine(patient.surroundings, CHECKS)
    shown = [text for row in report.rows for text in (row.detail, row.fix)]
    assert [text for text in shown if not text.isprintable()] == []


def test_doctor_shows_what_a_variable_is(tmp_path: Path) -> None:
    row = Patient.of(tmp_path, MX_RDMA_NIC_PIN="mlx5_0").answer("nic-pin")
    assert row.detail.startswith("MX_RDMA_NIC_PIN=mlx5_0: ModelExpress pins each rank")


def test_doctor_shows_a_config_as_escapes_bad_flow(tmp_path: Path) -> None:
    patient = Patient.of(tmp_path)
    patient.put("work/ucx.conf", "UCX_MODULES = ib,\x9b2J\x1b[2J")
    row = patient.answer("ucx-conf")
    assert row.status == "fail"
    assert r"UCX_MODULES=ib,\x9b2J\x1b[2J" in row.detail
    assert row.detail.isprintable()


def test_doctor_reads_no_endless_config_bad_flow(tmp_path: Path) -> None:
    patient = Patient.of(tmp_path)
    file = patient.put("work/ucx.conf", "").root / "work/ucx.conf"
    with file.open("wb") as opened:
        opened.truncate(1 << 40)
    row = patient.answer("ucx-conf")
    assert (row.status, row.fix) == ("warn", f"remove or repair {file}")
    assert row.detail == f"{file}: cannot be looked at: more than 1048576 bytes"


def test_a_copied_sysfs_may_hold_pipes_bad_flow(tmp_path: Path) -> None:
    """Nothing waits for them, and a file without an end is not read."""
    node = tmp_path / "devices/system/node/node0"
    node.mkdir(parents=True)
    os.mkfifo(node / "cpulist")
    assert cpu_lists(tmp_path) == {}
    assert text_of(node / "cpulist") == text_of(Path("/dev/zero")) == ""
    (node / "cpulist").unlink()
    (node / "cpulist").write_text("0-3\n")
    assert cpu_lists(tmp_path) == {0: "0-3"}
    assert text_of(node / "cpulist") == "0-3"
