"""The demonstration practice: six therapists and 120 clients over nine months, the same for the same seed and day."""

from datetime import date, timedelta
from random import Random

from models.clock import counted_until
from models.instants import DAY, HOUR, Instant, at_wall, start_of
from tending.demo.booking import Booking
from tending.demo.diary import (
    ATTENDED,
    BY_CLIENT,
    HOURS,
    MISSED,
    ZONE,
    Leave,
)
from tending.demo.measured import tell_measured
from tending.demo.names import SUPERVISORS, THERAPISTS, invented
from tending.demo.world import (
    ENDS,
    NEW_THERAPIST,
    NEWCOMER,
    ON_LEAVE,
    REFERRED,
    WITH_CODES,
    WITHOUT_RECORDS,
    Person,
    World,
    evening,
)

CLIENTS = 120  # at the beginning of the week
SEED = 20264  # in its last four weeks nobody is told of more than three ordinary things in a week of their own clients
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

# What becomes of whom, besides the many whose care simply goes on: therapist, part played.
PARTS: tuple[tuple[str, str], ...] = (
    # quiet already when Tending is switched on
    *(("T1", "drifted"),) * 2, *(("T2", "drifted"),) * 2, *(("T3", "drifted"),) * 2, *(("T4", "drifted"),) * 2,
    ("T5", "drifted"), ("T6", "series ended"), ("T1", "returns"), ("T2", "is ended"),
    # missed, not started already
    ("T5", "missed"), ("T4", "missed"), ("T3", "attends again"),
    ("T1", "waits"), ("T5", "waits"), ("T4", "gets a first appointment"), ("T2", "asked lately"), ("T3", "asked lately"),
    # nothing to ask about
    *(("T1", "ended"),) * 2, *(("T2", "ended"),) * 2, ("T3", "ended"), *(("T4", "ended"),) * 2, ("T5", "ended"),
    ("T6", "ended"), ("T3", "died"), ("T1", "paused"), ("T2", "paused"), ("T4", "paused"),
    ("T2", "on a break"), ("T3", "on a break"), ("T4", "on the waiting list"),
    # what their goals and measures say already
    ("T1", "has no goal"), ("T2", "has no goal"), ("T4", "has no goal"), ("T1", "review overdue"), ("T3", "review overdue"),
    ("T2", "gets worse"), ("T4", "has arrived"), ("T3", "asked for safety"),
    # what the week brings
    ("T1", "falls silent"), ("T3", "falls silent"), ("T2", "cancels"), ("T4", "cancels"), ("T1", "cancels"),
    ("T5", "stays away"), ("T5", "misses again"), ("T2", "misses again"), ("T3", "waits too long"),
    ("T6", "third unmarked"), ("T4", "third unmarked"), ("T3", NEWCOMER),
    ("T5", "review due"), ("T2", "rates lower"), ("T6", "asks for safety"),
    # care that ends, and care that has ended here and goes on elsewhere
    ("T1", ENDS), ("T3", REFERRED),
    # what the reader may try, and what cannot be said
    ("T2", "tries"), ("T1", "unreadable"),
    # two at once
    *(("T3", "couple"),) * 4, *(("T1", "couple"),) * 2,
)  # fmt: skip


def synthetic(now: Instant, seed: int = SEED) -> World:
    """The practice as it is at `now`, with the week before it and the nine months before that."""
    return _Cast(now, seed).world()


class _Cast(Booking):
    """Gives everybody their part."""

    def __init__(self, now: Instant, seed: int) -> None:
        super().__init__(now, Random(seed))
        self.diary.leave = self._leave()
        self._partner: dict[str, Person] = {}

    def _leave(self) -> tuple[Leave, ...]:
        day = self.diary.day
        spans = (
            ("T1", -110, -98, "T3"), ("T2", -150, -144, "T1"), ("T3", -90, -80, "T1"), ("T6", -170, -158, "T3"),
            (ON_LEAVE, 1, 12, "T1"),
        )  # fmt: skip
        return tuple(Leave(f"L-{n}", t, day(a), day(b), cover) for n, (t, a, b, cover) in enumerate(spans, 1))

    def world(self) -> World:
        parts = list(PARTS)
        for therapist, *_ in THERAPISTS:
            mine = sum(who == therapist and part != NEWCOMER for who, part in parts)
            parts += [(therapist, "goes on")] * (CLIENTS // len(THERAPISTS) - mine)
        for (therapist, part), (first, last) in zip(parts, invented(len(parts), self.random), strict=True):
            person = Person("", first, last, therapist, part)
            if therapist == WITH_CODES:
                person.code = "C-" + "".join(self.random.choices(CROCKFORD, k=7))
            self._world.people.append(person)
        # Numbers are the clinic's own, in no order that tells anything.
        for number, person in enumerate(self.random.sample(self._world.people, len(parts)), 1001):
            person.id = str(number)
        for person in self._world.people:
            self._play(person)
        for person in self._world.playing("goes on")[::17]:
            person.opted_out = True
        self._world.meetings.sort(key=lambda m: (m.start, m.clients))
        for number, meeting in enumerate(self._world.meetings, 20001):
            meeting.id = f"A-{number}"
        self._world.people.sort(key=lambda p: p.id)
        tell_measured(self._world, self.random)
        return self._world

    # ---------------------------------------------------------------- what people do

    def _play(self, person: Person) -> None:
        day, random = self.diary.day, self.random
        match person.part:
            case "goes on" | "couple":
                self._goes_on(person)
            case (
                "has no goal" | "review overdue" | "gets worse" | "has arrived" | "asked for safety" | "asks for safety"
            ):
                self._regular(person, 7, day(-200), None, marked=person.therapist != WITHOUT_RECORDS)
            case "review due":
                self._regular(person, 14, day(-120), None)
            case "rates lower":
                self._regular(person, 7, day(-180), -10)
                self._this_week(person, ATTENDED)
                self._ahead(person, 4)
            case "drifted" | "returns" | "is ended":
                every = random.choice((7, 7, 7, 14))
                last = self._regular(
                    person, every, day(-270), random.randint(-55, -46) if every == 14 else random.randint(-48, -33)
                )
                if person.part == "returns":
                    coming = self.diary.near(person.therapist, 4)
                    self._meet(person, coming, last.start.hour, booked=self.diary.now - 2 * DAY)
                if person.part == "is ended":
                    person.ended_on, person.ended_told = day(-3), self.diary.now - 2 * DAY
            case "series ended":
                self._regular(person, 7, day(-200), -40, marked=False)
            case "missed" | "attends again":
                self._misses(person, (-24, -14))
                if person.part == "attends again":
                    self._this_week(person, ATTENDED)
                self._ahead(person, 3)
            case "waits" | "gets a first appointment":
                self._intake(person, random.randint(-60, -45))
                if person.part == "gets a first appointment":
                    self._meet(person, self.diary.near(person.therapist, 14), booked=self.diary.now - 3 * DAY)
            case "asked lately":
                self._intake(person, -9)
            case "on the waiting list":
                self._intake(person, random.randint(-50, -40))
                self._world.holds.append((person.id, day(-38)))
            case "asks for help":
                self._intake(person, -2)
                person.known_from = self.diary.now - DAY
            case "waits too long":
                self._waits_too_long(person)
            case "ended" | "died":
                last = self._regular(person, 7, day(-260), random.randint(-120, -60))
                if person.part == "ended":
                    person.ended_on = last.start.date()
                else:
                    person.died_on = last.start.date() + timedelta(days=9)
            case "paused":
                self._regular(person, 7, day(-220), -37)
                person.paused_until = "yes" if person.therapist == "T2" else day(30).isoformat()
            case "on a break":
                self._regular(person, 7, day(-200), -23)
                self._world.breaks.append((person.id, day(-19), day(9)))
            case "falls silent" | "unreadable":
                self._falls_silent(person)
            case "cancels" | "tries":
                self._cancels(person)
            case "stays away":
                self._regular(person, 7, day(-60), -25)
                self._this_week(person, MISSED)
            case "misses again":
                self._misses(person, (-14,))
                self._this_week(person, MISSED)
                self._ahead(person, 4)
            case "third unmarked":
                self._third_unmarked(person)
            case "comes to an end":
                self._comes_to_an_end(person)
            case "was referred on":
                self._was_referred_on(person)

    def _goes_on(self, person: Person) -> None:
        """Weekly, fortnightly or monthly; always with something booked."""
        couple = self._partner.pop(person.therapist, None) if person.part == "couple" else None
        if couple is not None:  # comes to the meetings of the other one
            person.intake_on = couple.intake_on
            for meeting in self._world.meetings_of(couple):
                meeting.clients = (*meeting.clients, person.id)
            return
        if person.part == "couple":
            self._partner[person.therapist] = person
        every = 7 if person.therapist == WITHOUT_RECORDS else self.random.choices((7, 14, 28), (7, 3, 1))[0]
        long_ago = -125 if person.therapist == NEW_THERAPIST else -270
        latest = -30 - 4 * every
        began = self.diary.day(
            self.random.randint(min(long_ago, latest), latest) if self.random.random() < 0.4 else long_ago
        )
        self._regular(person, every, began, None, marked=person.therapist != WITHOUT_RECORDS)

    def _misses(self, person: Person, offsets: tuple[int, ...]) -> None:
        """A few attended appointments, then missed ones about those days."""
        last = self._regular(person, 7, self.diary.day(-55), min(offsets) - 6)
        done = last.start.date()
        for offset in offsets:
            first = offset - 3 + self.random.randint(0, 4)
            done = next(d for d in self.diary.working_days(person.therapist, first, -8) if d > done)
            meeting = self._meet(person, done, last.start.hour, booked=last.at)
            meeting.outcome, meeting.told_at = MISSED, meeting.at + 2 * HOUR

    def _intake(self, person: Person, offset: int) -> None:
        person.started = False
        person.intake_on = self.diary.day(offset)

    def _waits_too_long(self, person: Person) -> None:
        """Asked for help so long ago that the time for a first appointment ran out in this week."""
        for offset in range(-14, -40, -1):
            if self.diary.falls_due_this_week(person.therapist, start_of(self.diary.day(offset), ZONE), 14):
                self._intake(person, offset)
                return
        raise LookupError("no day of intake falls due in this week")

    def _falls_silent(self, person: Person) -> None:
        """Came weekly, cancelled the next one and made no other: quiet from some moment of this week on."""
        last, hour = self._last_seen_before_silence(person.therapist)
        days = list(self.diary.rhythm(person.therapist, last, 7, self.diary.day(-190), last))
        self._meetings(person, days, hour, 7, leaving=True)
        later = next(
            d for d in (last + timedelta(days=n) for n in range(7, 20)) if self.diary.works(person.therapist, d)
        )
        meeting = self._meet(person, later, hour, booked=at_wall(self.diary.at(last, hour), ZONE))
        meeting.outcome, meeting.told_at, meeting.erased = BY_CLIENT, meeting.at - 20 * HOUR, True

    def _last_seen_before_silence(self, therapist: str) -> tuple[date, int]:
        """A day and hour from which two weeks run out in this week. Around Christmas few fit, so little may have to be spared."""
        days = self.diary.working_days(therapist, -40, -13)
        for spare in (6 * HOUR, HOUR // 6):
            for last in reversed(days):
                for hour in HOURS:
                    seen = at_wall(self.diary.at(last, hour), ZONE)
                    if self.diary.falls_due_this_week(therapist, seen, 14, spare):
                        self.diary.take(therapist, last.weekday(), hour)
                        return last, hour
        raise LookupError("no last appointment falls due in this week")

    def _cancels(self, person: Person) -> None:
        """Was last seen some weeks ago but had one booked, which was cancelled this week (or, to be tried, is not yet)."""
        last = self._regular(person, 7, self.diary.day(-200), -24)
        due = counted_until(last.at, 14 * DAY, self.diary.pauses(person.therapist))
        assert due < self.diary.now
        day = self.diary.near(person.therapist, 13 if person.therapist == ON_LEAVE else 6)
        meeting = self._meet(person, day, last.start.hour, booked=self.diary.week_ago - 9 * DAY)
        if person.part == "cancels":
            meeting.outcome, meeting.told_at = BY_CLIENT, self.diary.now - 3 * DAY
            meeting.erased = person.therapist == "T1"

    def _comes_to_an_end(self, person: Person) -> None:
        """Came weekly; in the evening of the week's appointment an ending is begun. Two more stand, where it takes three."""
        last = self.diary.working_days(person.therapist, -6, -2)[0]
        hour = self.diary.hour(person.therapist, last.weekday())
        two_more = last + timedelta(days=20)  # what a holiday moves is still there, the third week's is not
        days = list(self.diary.rhythm(person.therapist, last, 7, self.diary.day(-200), two_more))
        self._meetings(person, days, hour, 7, leaving=True)
        supervisor = SUPERVISORS[person.therapist]
        answered = self.diary.working_days(supervisor, (last - self.diary.today).days + 1, -1)
        self._world.ending_begun = evening(last) + HOUR
        self._world.ending_confirmed = (
            at_wall(self.diary.at(answered[0], 12), ZONE) if answered else self._world.ending_begun + HOUR
        )

    def _was_referred_on(self, person: Person) -> None:
        """Care ended weeks ago with a referral. What is asked about it the second time falls due in this week."""
        taken_up = self.diary.working_days(person.therapist, -20, -16)[0]
        # Soon enough that nobody has to ask in between whether the client took it up.
        last = self.diary.working_days(person.therapist, -30, (taken_up - self.diary.today).days - 3)[-1]
        hour = self.diary.hour(person.therapist, last.weekday())
        days = list(self.diary.rhythm(person.therapist, last, 7, self.diary.day(-260), last))
        person.ended_on = self._meetings(person, days, hour, 7, leaving=True).start.date()
        heard = self.diary.working_days(person.therapist, -12, -8)[-1]
        self._world.referral = (
            evening(person.ended_on),
            at_wall(self.diary.at(taken_up, 11), ZONE),
            at_wall(self.diary.at(heard, 15), ZONE),
        )

    def _third_unmarked(self, person: Person) -> None:
        """The third appointment in a row without a mark: nobody knows whether they took place."""
        # Marks are expected within two days: the third of these was not yet overdue a week ago.
        third = next(iter(self.diary.working_days(person.therapist, -8, -3)))
        hour = self.diary.hour(person.therapist, third.weekday())
        first, last = third - timedelta(days=14), third + timedelta(days=40)
        if person.therapist == WITHOUT_RECORDS:
            days = self.diary.series(person.therapist, third, first, last)
        else:
            days = list(self.diary.rhythm(person.therapist, third, 7, first, last))
        self._meetings(person, days, hour, 7, marked=False)
