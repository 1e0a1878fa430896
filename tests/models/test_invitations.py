"""What is told between what is wanted and what was sent, what an entry seen again says, and what holds in any order of events."""

from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from models.instants import HOUR, at_wall
from models.invitations import (
    Echo,
    Going,
    Method,
    Seen,
    Sent,
    Wanted,
    allocated,
    echo,
    going_facts,
    going_of,
    message_between,
    said_by,
    sent_of,
    wanted_of,
)

ZONE = "Europe/Berlin"
TUESDAY = Wanted("2026-12-01T10:00:00", ZONE, 50, "Appointment")
LATER = TUESDAY._replace(wall="2026-12-01T11:00:00")
OFF = TUESDAY._replace(cancelled=True)
TOLD, TOLD_OFF = said_by(TUESDAY), said_by(OFF)

# wanted, sent -> the message between
BETWEEN: dict[str, tuple[Wanted, Sent | None, Method | None]] = {
    "never sent": (TUESDAY, None, Method.request),
    "never sent and off": (OFF, None, None),
    "equal": (TUESDAY, TOLD, None),
    "equal and off": (OFF, TOLD_OFF, None),
    "off": (OFF, TOLD, Method.cancel),
    "off, and moved before anybody knew": (LATER._replace(cancelled=True), TOLD, Method.cancel),
    "off at another time is off": (LATER._replace(cancelled=True), TOLD_OFF, None),
    "on again": (TUESDAY, TOLD_OFF, Method.request),
    "moved": (LATER, TOLD, Method.request),
    "longer": (TUESDAY._replace(minutes=51), TOLD, Method.request),
    "called otherwise": (TUESDAY._replace(summary="Visit"), TOLD, Method.request),
    "elsewhere": (TUESDAY._replace(location="Room 2"), TOLD, Method.request),
    "the same instant in another zone": (TUESDAY._replace(wall="2026-12-01T09:00:00", zone="UTC"), TOLD, None),
}


@pytest.mark.parametrize("case", BETWEEN)
def test_the_message_between(case):
    wanted, sent, method = BETWEEN[case]
    assert message_between(wanted, sent) == method
    going = allocated(wanted, sent, None, 100)
    assert (going.method if going else None) == method


def test_numbers_rise_and_stamps_are_new():
    first = allocated(TUESDAY, None, None, 100)
    assert first == Going(Method.request, TOLD, 0, 100)
    # Never taken, and told otherwise within the same second: still another number and another stamp.
    second = allocated(LATER, None, first, 100)
    assert second is not None
    assert (second.sequence, second.stamp) == (1, 101)
    third = allocated(OFF, TOLD, second, 50)
    assert third is not None
    assert (third.method, third.sequence, third.stamp) == (Method.cancel, 2, 102)


@pytest.mark.parametrize(("wall", "zone"), [("2026-12-01T10:00:00", ZONE), ("2026-10-25T02:30:00", ZONE)])
def test_an_instant_becomes_the_wall_time_that_means_it(wall, zone):
    start = at_wall(wall, zone)
    assert Wanted.at(start, 50, zone, "x").start == start
    # The second half past two of that night has no wall time of its own.
    again = Wanted.at(start + HOUR, 50, zone, "x")
    assert again.start == start + HOUR
    assert (again.zone == "UTC") == wall.startswith("2026-10-25")


NEWEST = Going(Method.request, said_by(LATER), 1, 200)
BEFORE = [(TOLD.start, TOLD.end), (NEWEST.says.start, NEWEST.says.end)]
CANCELLED = Going(Method.cancel, said_by(LATER._replace(cancelled=True)), 2, 300)


def seen(said: Sent, sequence: int = 0, *, gone: bool = False) -> Seen:
    return Seen(said.start, said.end, sequence, gone)


OFF_THERE = NEWEST.says._replace(cancelled=True)  # as its owner took it off: no message of ours said so
THEIRS = Sent(TOLD.start + 5 * HOUR, TOLD.end + 5 * HOUR, "x")
# seen, sent, last message, earlier -> echo or change
ECHOES: dict[str, tuple[Seen, Sent | None, Going | None, list[tuple[int, int]], Echo]] = {
    "what was sent": (seen(TOLD), TOLD, Going(Method.request, TOLD, 0, 100), BEFORE[:1], Echo.same),
    "what was sent, renamed": (seen(TOLD._replace(summary="Y")), TOLD, None, [], Echo.same),
    "what is just being sent": (seen(NEWEST.says, 1), TOLD, NEWEST, BEFORE, Echo.same),
    "moved": (seen(THEIRS), TOLD, Going(Method.request, TOLD, 0, 100), BEFORE[:1], Echo.theirs),
    "a minute longer": (Seen(TOLD.start, TOLD.end + 60, 0), TOLD, None, [], Echo.theirs),
    "an older one of ours, not caught up yet": (seen(TOLD, 0), NEWEST.says, NEWEST, BEFORE, Echo.same),
    "the older time under the newest number": (seen(TOLD, 1), NEWEST.says, NEWEST, BEFORE, Echo.theirs),
    "moved before the newest came": (seen(THEIRS, 0), NEWEST.says, NEWEST, BEFORE, Echo.theirs),
    "taken out": (Seen(0, 0, 0, gone=True), TOLD, None, [], Echo.theirs),
    "taken out after it was called off": (Seen(0, 0, 0, gone=True), CANCELLED.says, CANCELLED, BEFORE, Echo.same),
    "taken out while it is being called off": (Seen(0, 0, 0, gone=True), NEWEST.says, CANCELLED, BEFORE, Echo.same),
    "called off and still there": (seen(NEWEST.says, 1), CANCELLED.says, CANCELLED, BEFORE, Echo.same),
    "declined or taken out before, and back": (seen(NEWEST.says, 1), OFF_THERE, NEWEST, BEFORE, Echo.theirs),
    "declined before, and an older one comes late": (seen(TOLD, 0), OFF_THERE, NEWEST, BEFORE, Echo.same),
    "called off and put elsewhere": (seen(THEIRS, 2), CANCELLED.says, CANCELLED, BEFORE, Echo.theirs),
}


@pytest.mark.parametrize("case", ECHOES)
def test_an_entry_seen_again(case):
    *facts, wanted = ECHOES[case]
    assert echo(*facts) == wanted


def test_what_is_stored_comes_back():
    assert wanted_of(TUESDAY._asdict()) == TUESDAY
    assert sent_of(TOLD._asdict()) == TOLD
    assert sent_of({}) is going_of({}) is None
    assert going_of(going_facts(NEWEST)) == NEWEST


class Telling(RuleBasedStateMachine):
    """A store and a calendar with a mail server between them that loses nothing, repeats and mixes up what it likes."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000
        self.wanted = TUESDAY
        self.sent: Sent | None = None
        self.going: Going | None = None
        self.underway = False
        self.refused = False
        self.posted: list[Going] = []  # what a server took, whether or not we know
        self.arrived: list[Going] = []
        self.calendar: Going | None = None

    @rule(hour=st.integers(8, 17), cancelled=st.booleans(), minutes=st.sampled_from([50, 100]))
    def want(self, hour: int, cancelled: bool, minutes: int) -> None:
        self.wanted = Wanted(f"2026-12-01T{hour:02}:00:00", ZONE, minutes, "Appointment", cancelled=cancelled)

    @rule(seconds=st.integers(0, 2))
    def wait(self, seconds: int) -> None:
        self.now += seconds

    @precondition(lambda self: not self.underway)
    @rule()
    def claim(self) -> None:
        method = message_between(self.wanted, self.sent)
        if method is None:
            return
        same = self.refused and self.going and (self.going.method, self.going.says) == (method, said_by(self.wanted))
        if not same:
            last = self.going
            self.going = allocated(self.wanted, self.sent, last, self.now)
            assert self.going is not None
            if last is not None:
                assert self.going.sequence == last.sequence + 1
                assert self.going.stamp > last.stamp
        self.underway, self.refused = True, False

    @precondition(lambda self: self.underway)
    @rule(came=st.sampled_from(["sent", "refused", "arrived though we do not know, and a person says so"]))
    def answer(self, came: str) -> None:
        assert self.going is not None
        self.underway = False
        if came == "refused":
            self.refused = True
            return
        if self.going.method is Method.cancel:
            assert any(before.method is Method.request for before in self.posted), "never sent, never called off"
        self.posted.append(self.going)
        self.sent = self.going.says

    @precondition(lambda self: self.posted)
    @rule(data=st.data())
    def deliver(self, data: Any) -> None:
        self._take(data.draw(st.sampled_from(self.posted)))

    def _take(self, message: Going) -> None:
        held = self.calendar
        self.arrived.append(message)
        if held is None or (message.sequence, message.stamp) > (held.sequence, held.stamp):
            self.calendar = message

    @invariant()
    def one_event_or_none_as_it_is_wanted(self) -> None:
        """Once all is told and all has come, in whatever order, the calendar holds what is wanted."""
        if self.underway or message_between(self.wanted, self.sent) or not set(self.posted) <= set(self.arrived):
            return
        shown = self.calendar is not None and self.calendar.method is Method.request
        assert shown == (not self.wanted.cancelled and self.sent is not None)
        if shown:
            assert self.calendar is not None
            assert self.calendar.says == said_by(self.wanted)


TestTelling = Telling.TestCase
