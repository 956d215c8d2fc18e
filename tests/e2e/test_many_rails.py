# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""More rails than UCX can print in one value (126 characters): read back and used all the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from nixl_stripe.lab import Rails, why_not

pytestmark = pytest.mark.rails

MIB = 1 << 20
#: What UCX prints of a value; "rail0,rail1,..." is longer from 21 rails on.
PRINTED = 126


@pytest.fixture(scope="module", params=[24, 64])
def many(request: pytest.FixtureRequest) -> Iterator[Rails]:
    reason = why_not()
    if reason is not None:
        pytest.skip(reason)
    with Rails(count=request.param, mbit=40) as bed:
        yield bed


@pytest.mark.parametrize("route", ["stripe", "device_list"])
def test_every_rail_carries_its_share(many: Rails, striped: Path, route: str) -> None:
    listed = ",".join(many.devices)
    assert len(listed) > PRINTED
    given = {"device_list": listed, "max_rma_rails": "auto"}
    params = {"stripe": "all"} if route == "stripe" else given
    outcome = many.transfer(
        nixl=striped, backend_params=params, sizes=[24 * MIB], repeats=2
    ).require()
    assert outcome.rails_used == len(many.devices)
    for name in many.devices:
        assert outcome.share[name] == pytest.approx(1 / len(many.devices), rel=0.02)


def test_a_device_that_is_not_there_is_still_named_bad_flow(many: Rails, striped: Path) -> None:
    params = {"device_list": ",".join([*many.devices, "rail99"])}
    outcome = many.transfer(nixl=striped, backend_params=params, sizes=[MIB])
    with pytest.raises(Exception, match="there is no device 'rail99'"):
        outcome.require()
