# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""A NIC that is lost while two sides move data: which, when, how, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from nixl_stripe.lab.job import Role
from nixl_stripe.lab.side import ROLES

#: `down`: the carrier goes. `silent`: nothing gets through any more, and the carrier stays.
Kind = Literal["down", "silent"]
#: The ends at which the cut is made.
Where = Literal["initiator", "target", "both"]

KINDS: tuple[Kind, ...] = ("down", "silent")
WHERES: tuple[Where, ...] = ("initiator", "target", "both")


@dataclass(frozen=True)
class Cut:
    """Made once the first of `nics` has sent `after_bytes` at the end `sender`.

    nics: places of the NICs, all cut at once. sender: where the payload comes from. back_after_s:
    seconds until they are whole again; None: not before the sides have ended, when they are in any
    case.
    """

    nics: tuple[int, ...]
    after_bytes: int
    sender: Role = "initiator"
    where: Where = "initiator"
    kind: Kind = "down"
    back_after_s: float | None = None

    def __post_init__(self) -> None:
        for name, value, accepted in (
            ("sender", self.sender, ROLES),
            ("where", self.where, WHERES),
            ("kind", self.kind, KINDS),
        ):
            if value not in accepted:
                raise ValueError(f"{name}={value!r}: accepted are {', '.join(accepted)}")
        if not self.nics or min(self.nics) < 0:
            raise ValueError(f"nics={self.nics}: accepted are one or more places of NICs")
        if self.after_bytes < 0 or (self.back_after_s is not None and self.back_after_s < 0):
            raise ValueError("after_bytes, back_after_s: accepted are 0 and more")

    @property
    def sides(self) -> tuple[Role, ...]:
        """The ends at which it is made."""
        return ROLES if self.where == "both" else (self.where,)

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Cut:
        """Read what `dataclasses.asdict` gave, JSON's lists included."""
        return cls(**{**data, "nics": tuple(data["nics"])})


@dataclass(frozen=True)
class CutMade:
    """What became of a cut, in seconds since the sides were started; None: it did not happen.

    at_unix_s: the same moment by the clock of the machine that the sides run on; None, too, where
    that is another machine than the one that cut.
    """

    at_s: float | None = None
    back_s: float | None = None
    at_unix_s: float | None = None
