"""Everything that is ever known of the demonstration practice: its people, its appointments, and what else is told of them."""

from dataclasses import dataclass, field
from datetime import date, datetime, time

from models.instants import Instant, at_wall
from tending.demo.diary import ZONE, Diary, Meeting

NEWCOMER = "asks for help"  # comes in the week, besides the others
ENDS, REFERRED = "comes to an end", "was referred on"
NEW_THERAPIST, WITHOUT_RECORDS, WITH_CODES, ON_LEAVE = "T5", "T6", "T3", "T4"
IMPROVING, WORSENING, MET = "improving", "worsening", "achieved"


@dataclass(slots=True)
class Person:
    """A client as the record system holds one; `ended_told` is when the ending was written down, `known_from` the row itself."""

    id: str
    first: str
    last: str
    therapist: str
    part: str
    code: str = ""
    intake_on: date | None = None
    known_from: Instant = 0
    ended_on: date | None = None
    ended_told: Instant = 0
    died_on: date | None = None
    paused_until: str = ""
    opted_out: bool = False
    started: bool = True

    @property
    def name(self) -> str:
        return f"{self.first} {self.last}"

    def status(self, when: Instant) -> str:
        """Where care stands, as the export says it at an instant."""
        if self.ended_on is not None and self.ended_told <= when:
            return "ended"
        return "active" if self.started else "intake"


@dataclass(frozen=True, slots=True)
class Goal:
    """What a client and a therapist agreed. `looks` are the days on which they looked at it together, oldest first, and how far it was
    then; `given` says which of target, measure and the client's own words stand with it."""

    id: str
    client: str
    title: str
    set_on: date
    looks: tuple[tuple[date, str], ...] = ()
    given: tuple[str, ...] = ()
    target_on: date | None = None

    def known(self, when: Instant) -> bool:
        return evening(self.set_on) <= when

    def look(self, when: Instant) -> tuple[date, str] | None:
        """The last look that was written down by then."""
        return next((look for look in reversed(self.looks) if evening(look[0]) <= when), None)

    def status(self, when: Instant) -> str:
        look = self.look(when)
        return "completed" if look is not None and look[1] == MET else "active"


@dataclass(frozen=True, slots=True)
class Score:
    """A measure that a client filled in; `risk` is the answer that asks for safety, None where there is none."""

    id: str
    client: str
    measure: str
    taken: datetime  # wall time in ZONE
    value: float
    told_at: Instant
    risk: int | None = None

    @property
    def at(self) -> Instant:
        return at_wall(self.taken, ZONE)


def evening(day: date) -> Instant:
    """When somebody sits down and writes into the record what was so on a day."""
    return at_wall(datetime.combine(day, time(19)), ZONE)


@dataclass(slots=True)
class World:
    """All that is ever known of the practice; `at` of a view is the instant as of which its files are written."""

    diary: Diary
    people: list[Person] = field(default_factory=list)
    meetings: list[Meeting] = field(default_factory=list)
    breaks: list[tuple[str, date, date]] = field(default_factory=list)
    goals: list[Goal] = field(default_factory=list)
    scores: list[Score] = field(default_factory=list)
    holds: list[tuple[str, date]] = field(default_factory=list)
    ending_begun: Instant = 0
    ending_confirmed: Instant = 0
    referral: tuple[Instant, Instant, Instant] = (0, 0, 0)  # offered, taken up by the client, heard to be accepted

    @property
    def now(self) -> Instant:
        return self.diary.now

    @property
    def week_ago(self) -> Instant:
        return self.diary.week_ago

    def playing(self, part: str) -> list[Person]:
        """Everybody who plays that part."""
        return [person for person in self.people if person.part == part]

    def meetings_of(self, person: Person) -> list[Meeting]:
        return [meeting for meeting in self.meetings if person.id in meeting.clients]
