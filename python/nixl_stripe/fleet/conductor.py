# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Runs the courses of all pairs over a hall: each as soon as both its hosts are free.

There is no barrier between rounds: a host that is late or dies holds up those whom it meets, for
one limit, and nobody else.
"""

from __future__ import annotations

import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from nixl_stripe.fleet.course import Answers, Course
from nixl_stripe.fleet.hall import Hall, Message
from nixl_stripe.fleet.model import Transfer
from nixl_stripe.fleet.schedule import Pair

#: Seconds beyond a transfer's limit until an order counts as not answered.
GRACE_S = 20.0
#: Pairs of a host that may fail one after the other: its others are left out then, so that one
#: bad host of a thousand costs minutes and not hours.
MOST_FAILED = 16


@dataclass(frozen=True)
class Meeting:
    """A pair that is to meet, in its round."""

    number: int
    pair: Pair
    is_repeat: bool = False


CourseOf = Callable[[Meeting], Course]


@dataclass
class _Going:
    """A meeting that goes on: the answers that have come, and those that are waited for."""

    meeting: Meeting
    course: Course
    waits: dict[str, float] = field(default_factory=dict)
    answers: dict[str, Message] = field(default_factory=dict)


class _Queues:
    """Who meets whom next: a host meets others in the order of the rounds."""

    def __init__(self, meetings: Sequence[Meeting]) -> None:
        self._of: dict[str, deque[Meeting]] = defaultdict(deque)
        for each in meetings:
            for host in each.pair:
                self._of[host].append(each)
        self._busy: set[str] = set()

    @property
    def hosts(self) -> list[str]:
        """Everybody."""
        return list(self._of)

    def take(self, hosts: Iterable[str]) -> list[Meeting]:
        """Return the meetings that can begin now that these hosts are free; they are busy then."""
        found = []
        for host in hosts:
            queue = self._of[host]
            if not queue or self._busy & set(queue[0].pair):
                continue
            if all(self._of[each][0] is queue[0] for each in queue[0].pair):
                meeting = queue[0]
                for each in meeting.pair:
                    self._of[each].popleft()
                self._busy |= set(meeting.pair)
                found.append(meeting)
        return found

    def release(self, meeting: Meeting) -> None:
        """Say that its hosts are free again."""
        self._busy -= set(meeting.pair)


class Conductor:
    """Has pairs meet. limit_s: of an order; tick: is told of each meeting that ended."""

    def __init__(
        self,
        hall: Hall,
        course_of: CourseOf,
        limit_s: float,
        tick: Callable[[int, int], None] | None = None,
    ) -> None:
        self._hall, self._course_of, self._tick = hall, course_of, tick
        self._limit_s = limit_s + GRACE_S
        self._numbers = 0
        self._asked: dict[tuple[str, int], _Going] = {}
        self.lost: dict[str, str] = {}
        """Hosts that went away meanwhile, or did not answer in time, and why."""
        self._failed: dict[str, int] = {}
        self.left_out = 0
        """Pairs that were not tried, as a host of theirs had failed in too many others."""

    def run(self, meetings: Sequence[Meeting]) -> list[Transfer]:
        """Return what they all showed."""
        queues = _Queues(meetings)
        going: list[_Going] = []
        found: list[Transfer] = []
        begun = deque(queues.take(queues.hosts))
        done = 0
        while begun or going:
            ready = [each for each in going if not each.waits]
            fresh = [self._begin(each) for each in begun]
            begun.clear()
            going += fresh
            ready += fresh
            for each in ready:
                ended = self._step(each)
                if ended is None:
                    continue
                going.remove(each)
                queues.release(each.meeting)
                begun.extend(queues.take(each.meeting.pair))
                found += ended
                done += 1
                if self._tick is not None:
                    self._tick(done, len(meetings))
            if not begun and going and all(each.waits for each in going):
                self._hear(going)
        return found

    def _begin(self, meeting: Meeting) -> _Going:
        gone = [host for host in meeting.pair if host in self.lost]
        tired = [host for host in meeting.pair if self._failed.get(host, 0) >= MOST_FAILED]
        if gone:
            return _Going(meeting, _never(meeting, gone))
        if tired:
            self.left_out += 1
            return _Going(meeting, _never(meeting, ()))
        return _Going(meeting, self._course_of(meeting))

    def _step(self, going: _Going) -> list[Transfer] | None:
        """Have a course go on with its answers; returns its transfers at its end."""
        answers: Answers | None = going.answers or None
        going.answers = {}
        try:
            orders = next(going.course) if answers is None else going.course.send(answers)
        except StopIteration as ended:
            transfers: list[Transfer] = ended.value
            if transfers:
                self._note(going.meeting.pair, transfers)
            return transfers
        for host, order in orders.items():
            if host in self.lost:
                going.answers[host] = {"lost": True, "error": self.lost[host]}
                continue
            self._numbers += 1
            going.waits[host] = time.monotonic() + self._limit_s
            self._asked[host, self._numbers] = going
            self._hall.tell(host, {**order, "number": self._numbers})
        return None

    def _hear(self, going: Sequence[_Going]) -> None:
        ends = [end for each in going for end in each.waits.values()]
        for host, answer in self._hall.hear(max(0.0, min(ends) - time.monotonic())):
            if answer is None:
                self._lose(host, self._hall.why_gone(host))
            elif (host, answer["number"]) in self._asked:
                its = self._asked.pop((host, answer["number"]))
                its.answers[host] = answer
                its.waits.pop(host, None)
        now = time.monotonic()
        for host in [h for each in going for h, end in each.waits.items() if end <= now]:
            self._lose(host, f"it did not answer for {self._limit_s:g} s")

    def _lose(self, host: str, why: str) -> None:
        self.lost.setdefault(host, why)
        for key in [key for key in self._asked if key[0] == host]:
            its = self._asked.pop(key)
            its.answers[host] = {"lost": True, "error": why}
            its.waits.pop(host, None)

    def _note(self, pair: Pair, transfers: Sequence[Transfer]) -> None:
        failed = any(each.error for each in transfers)
        for host in pair:
            self._failed[host] = self._failed.get(host, 0) + 1 if failed else 0


def _never(meeting: Meeting, gone: Sequence[str]) -> Course:
    """Return the course of a pair that does not meet; gone: whose fault that is."""
    if not gone:
        return []
    error = f"not tried: {' and '.join(gone)} had gone"
    return [Transfer(meeting.number, *meeting.pair, "WRITE", lost=gone, error=error)]
    yield {}
