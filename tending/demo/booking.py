"""How the demonstration practice keeps its appointments: in a rhythm, now and then missed or called off, written down in the evening."""

from datetime import date, timedelta
from random import Random

from models.instants import DAY, HOUR, Instant, at_wall
from tending.demo.diary import ATTENDED, BY_CLIENT, BY_PRACTICE, MISSED, ZONE, Diary, Meeting
from tending.demo.world import NEW_THERAPIST, WITHOUT_RECORDS, Person, World


class Booking:
    """Puts appointments into a world. Chance comes from `random` alone, in the order of the calls."""

    def __init__(self, now: Instant, random: Random) -> None:
        self.random = random
        self.diary = Diary(now)
        self._world = World(self.diary)

    def _regular(self, person: Person, every: int, began: date, until: int | None, *, marked: bool = True) -> Meeting:
        """Appointments in a rhythm since about `began`, up to about `until` (an offset from today; None: they go on). Gives the last."""
        if person.therapist == NEW_THERAPIST:
            began = max(began, self.diary.day(-125))
        anchor = self.diary.near(person.therapist, (until if until is not None else 0) - self.random.randint(0, 4))
        hour = self.diary.hour(person.therapist, anchor.weekday())
        if until is None:
            last = self.diary.day(21 + 2 * every)
        else:
            last = anchor
        if person.therapist == WITHOUT_RECORDS:
            days = self.diary.series(person.therapist, anchor, began, last)
        else:
            days = list(self.diary.rhythm(person.therapist, anchor, every, began, last))
        return self._meetings(person, days, hour, every, marked=marked, leaving=until is not None)

    def _meetings(
        self, person: Person, days: list[date], hour: int, every: int, *, marked: bool = True, leaving: bool = False
    ) -> Meeting:
        person.intake_on = days[0] - timedelta(days=self.random.randint(8, 20))
        made: list[Meeting] = []
        before = ATTENDED
        for number, day in enumerate(days):
            # Whoever is about to leave attended to the last: it is then clear from when they are quiet.
            plain = leaving and number >= len(days) - 7
            outcome = ATTENDED if plain else self._outcome(person, number, before)
            ahead = 10 * DAY if number == 0 else (21 + 2 * every) * DAY
            meeting = self._meet(person, day, hour, booked=at_wall(self.diary.at(day, hour), ZONE) - ahead)
            if marked and outcome:
                self._mark(meeting, outcome)
                if meeting.outcome in (ATTENDED, MISSED):
                    before = meeting.outcome
            made.append(meeting)
        return made[-1]

    def _outcome(self, person: Person, number: int, before: str) -> str:
        """How an appointment goes: more are missed before the third and with who is new to the practice, never two in a row here."""
        chance = self.random.random()
        missing = 0.09 if number < 2 else 0.03
        if person.therapist == NEW_THERAPIST:
            missing *= 2
        if chance < missing and before != MISSED:
            return MISSED
        if chance > 0.955:
            return BY_CLIENT
        return BY_PRACTICE if chance > 0.945 else ATTENDED

    def _mark(self, meeting: Meeting, outcome: str) -> None:
        """Write an outcome down: cancellations the day before, what happened the same evening."""
        cancelled = outcome in (BY_CLIENT, BY_PRACTICE)
        told = meeting.at - 20 * HOUR if cancelled else meeting.at + 2 * HOUR
        if told > self.diary.now:
            return
        meeting.outcome, meeting.told_at = outcome, told
        meeting.erased = cancelled and self.random.random() < 0.5

    def _meet(self, person: Person, day: date, hour: int | None = None, *, booked: Instant = 0) -> Meeting:
        if hour is None:
            hour = self.diary.hour(person.therapist, day.weekday())
        meeting = Meeting((person.id,), person.therapist, self.diary.at(day, hour), booked)
        self._world.meetings.append(meeting)
        return meeting

    def _ahead(self, person: Person, offset: int) -> None:
        """Something booked for later, entered long ago."""
        self._meet(person, self.diary.near(person.therapist, offset), booked=self.diary.week_ago - 5 * DAY)

    def _this_week(self, person: Person, outcome: str) -> Meeting:
        """An appointment in the week that arrives, booked before it, and how it went."""
        days = self.diary.working_days(person.therapist, -7, -1)
        hour = self.diary.hour(person.therapist, days[-1].weekday())
        day = max(d for d in days if at_wall(self.diary.at(d, hour), ZONE) + 3 * HOUR <= self.diary.now)
        meeting = self._meet(person, day, hour, booked=self.diary.week_ago - 6 * DAY)
        self._mark(meeting, outcome)
        return meeting
