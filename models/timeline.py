"""One client's care on a page, in order: what became of it, from facts to lines, plain or redacted, the same for text and PDF.

Every day is written with its year and no line says how long ago something was: a page about a former client stays as it is.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from models import timeline_told
from models.appointments import Mark
from models.entries import Achievement, CancelledBy, ClientStatus, GoalStatus, Plan
from models.instants import Instant, day_of, start_of
from models.measures import REGISTRY
from models.naming import Pen
from models.past import Given, Met, Past
from models.people import OPEN_ENDED, RelationKind, as_day
from models.timeline_acts import in_words
from models.timeline_line import PARTS, Line, line_at, line_on, sentence

TITLE = "Timeline of care"
FEW = 8  # so many appointments, or days with scores, have a line each; more are put together
MOST_MONTHS = 12  # put together by month up to so many months, by quarter beyond
MARKS = {
    Mark.attended: "attended",
    Mark.presumed: "attended, as the calendar has it",
    Mark.unknown: "not marked",
    Mark.no_show: "missed",
}
CANCELLED = {
    CancelledBy.client: "cancelled by the client",
    CancelledBy.practice: "cancelled by the practice",
    CancelledBy.unknown: "cancelled",
}
AHEAD = "booked"
STATUS = {
    ClientStatus.intake.value: "asked for help, not begun",
    ClientStatus.active.value: "in care",
    ClientStatus.ended.value: "ended",
}


class Sheet(NamedTuple):
    """A page, ready to be printed or written: `head` are labels with what they say, `foot` sentences."""

    title: str
    head: tuple[tuple[str, str], ...]
    lines: tuple[Line, ...]
    foot: tuple[str, ...]
    printed: str


# ---------------------------------------------------------------- the page


def sheet(
    past: Past, pen: Pen, *, name: str = "", place: str = "", since: date | None = None, reads: bool = False
) -> Sheet:
    """The page of a client. `name` and `place`, the practice's name, are left empty on a redacted one; `since` leaves out what lies before
    a day, `reads` adds who looked."""
    first = start_of(since, pen.zone) if since else 0
    lines = sorted(_lines(past, pen, first, reads), key=lambda line: (line.at, _PLACE[line.part]))
    foot = (f"What lies before {pen.dated(since)} is left out.",) if since else ()
    kept = tuple(line for line in lines if line.at >= first)
    who = (("Practice", place), ("Client", f"{past.code}, {name}" if name else past.code))
    head = tuple(row for row in (*who, *_head(past, pen)) if row[1])
    return Sheet(TITLE, head, kept, foot, pen.moment(pen.now))


def _lines(past: Past, pen: Pen, first: Instant, reads: bool) -> Iterator[Line]:
    yield from _care(past, pen)
    yield from _ties(past, pen)
    yield from _appointments([one for one in past.appointments if one.start >= first], pen)
    yield from _breaks(past, pen)
    yield from _goals(past, pen)
    yield from _scores([one for one in past.scores if one.facts["at"] >= first], pen)
    yield from timeline_told.findings(past, pen)
    yield from timeline_told.sent(past, pen)
    yield from timeline_told.invited(past, pen)
    yield from timeline_told.acts(past, pen)
    yield from timeline_told.recorded(past, pen, looks=reads)


_PLACE = {part: place for place, part in enumerate(PARTS)}


def _head(past: Past, pen: Pen) -> Iterator[tuple[str, str]]:
    care = "the client has died" if past.died else STATUS.get(past.status, past.status)
    day = f" on {pen.dated(past.ended_on)}" if past.ended_on and not past.died else ""
    yield "Care", f"{care}{day}, as the records say"
    seen = [
        one.start for one in past.appointments if _word(one, pen.now) in (MARKS[Mark.attended], MARKS[Mark.presumed])
    ]
    yield "Seen", f"first {pen.day(min(seen))}, last {pen.day(max(seen))}" if seen else "never"
    counts: dict[str, int] = defaultdict(int)
    for one in past.appointments:
        if one.plan != Plan.proposed:
            counts[_word(one, pen.now)] += 1
    order = [*MARKS.values(), *CANCELLED.values(), AHEAD]
    yield "Appointments", ", ".join(f"{counts[word]} {word}" for word in order if counts[word]) or "none"


# ---------------------------------------------------------------- parts, one function each


def _care(past: Past, pen: Pen) -> Iterator[Line]:
    if past.intake_on:
        yield line_on(pen, past.intake_on, "Care", "Came to the practice.")
    if past.ended_on:
        yield line_on(pen, past.ended_on, "Care", "Care ended, as the records say.")
    if past.died_on:
        yield line_on(pen, past.died_on, "Care", "The client died.")


def _ties(past: Past, pen: Pen) -> Iterator[Line]:
    main = [tie for tie in past.ties if tie.kind == RelationKind.main]
    for before, tie in zip([None, *main], main, strict=False):
        who = pen.naming.therapist(tie.therapist_id)
        day = tie.from_on or (past.intake_on if before is None else None) or _first_day(past, pen)
        if day is not None and before is None:
            yield line_on(pen, day, "Therapist", f"In the care of {who}.")
        elif day is not None and before is not None:
            yield line_on(pen, day, "Therapist", f"From {pen.naming.therapist(before.therapist_id)} to {who}.")
    if main and main[-1].to_on:
        who = pen.naming.therapist(main[-1].therapist_id)
        yield line_on(pen, main[-1].to_on, "Therapist", f"No longer in the care of {who}; nobody is named.")
    for tie in past.ties:
        if tie.kind != RelationKind.main and tie.from_on:
            how = "as cover" if tie.kind == RelationKind.cover else "as second therapist"
            until = f" until {pen.dated(tie.to_on)}" if tie.to_on else ""
            yield line_on(
                pen, tie.from_on, "Therapist", f"Also {pen.naming.therapist(tie.therapist_id)}, {how}{until}."
            )


def _first_day(past: Past, pen: Pen) -> date | None:
    return min((day_of(one.start, pen.zone) for one in past.appointments), default=None)


def _word(one: Met, now: Instant) -> str:
    """What became of an appointment, in a word."""
    if one.plan == Plan.cancelled:
        return CANCELLED[CancelledBy(one.cancelled_by or CancelledBy.unknown)]
    return AHEAD if one.start > now else MARKS[Mark(one.mark)]


def _appointments(appointments: Iterable[Met], pen: Pen) -> Iterator[Line]:
    """A line each where there are few, else one for a month or a quarter; what was missed or cancelled always with its days."""
    counted = [one for one in appointments if one.plan != Plan.proposed]
    if len(counted) <= FEW:
        for one in counted:
            yield line_at(pen, one.start, "Appointments", sentence(_word(one, pen.now)))
        return
    for some in _spans(counted, lambda one: one.start, pen):
        by_word: dict[str, list[Instant]] = defaultdict(list)
        for one in some:
            by_word[_word(one, pen.now)].append(one.start)
        said = [
            f"{len(by_word[word])} {word}" + (f" ({pen.days(by_word[word])})" if word != MARKS[Mark.attended] else "")
            for word in (*MARKS.values(), *CANCELLED.values(), AHEAD)
            if word in by_word
        ]
        until = f"until {pen.day(some[-1].start)}: " if len(some) > 1 else ""
        yield line_at(pen, some[0].start, "Appointments", sentence(f"{until}{', '.join(said)}"))


def _spans(rows: Iterable[Any], at: Callable[[Any], Instant], pen: Pen) -> list[list[Any]]:
    """Rows in order, put together by month, or by quarter where there are many months."""
    found = sorted(rows, key=at)
    days = [day_of(at(row), pen.zone) for row in found]
    width = 1 if len({(day.year, day.month) for day in days}) <= MOST_MONTHS else 3
    spans: dict[tuple[int, int], list[Any]] = defaultdict(list)
    for row, day in zip(found, days, strict=True):
        spans[day.year, (day.month - 1) // width].append(row)
    return list(spans.values())


def _breaks(past: Past, pen: Pen) -> Iterator[Line]:
    for from_on, to_on in past.breaks:
        until = "until further notice" if to_on == OPEN_ENDED else f"until {pen.dated(to_on)}"
        yield line_on(pen, from_on, "Break", f"A planned break, or time on the waiting list, {until}.")


def _goals(past: Past, pen: Pen) -> Iterator[Line]:
    """What became of goals, without their words: they are told apart by number, in the order in which they were set."""
    happened: dict[tuple[date, int, str], list[int]] = defaultdict(list)
    known = [(as_day(g.facts.get("set_on")) or day_of(g.known_at, pen.zone), g) for g in past.goals]
    for number, (day, goal) in enumerate(sorted(known, key=lambda one: (one[0], one[1].known_at)), start=1):
        facts = goal.facts
        seen = day_of(goal.known_at, pen.zone)
        happened[day, 0, "set"].append(number)
        if (reviewed := as_day(facts.get("reviewed_on"))) and reviewed != day:
            happened[reviewed, 1, "looked at together"].append(number)
        achievement = facts.get("achievement") or Achievement.in_progress
        if achievement != Achievement.in_progress:
            happened[as_day(facts.get("achievement_on")) or seen, 2, in_words(achievement)].append(number)
        if facts.get("status") in (GoalStatus.completed, GoalStatus.cancelled):
            closed = "closed" if facts["status"] == GoalStatus.completed else "given up"
            happened[as_day(facts.get("achievement_on")) or seen, 3, closed].append(number)
    for (day, _, word), numbers in happened.items():
        which = pen.listed([str(number) for number in numbers])
        yield line_on(pen, day, "Goals", f"Goal{'s' if len(numbers) > 1 else ''} {which}: {word}.")


def _scores(scores: Sequence[Given], pen: Pen) -> Iterator[Line]:
    """A line for a day where there are few, else one for a month or a quarter with each value and its day."""
    days = {day_of(one.facts["at"], pen.zone) for one in scores}
    by_span = (
        [[s for s in scores if day_of(s.facts["at"], pen.zone) == day] for day in sorted(days)]
        if len(days) <= FEW
        else _spans(scores, lambda one: int(one.facts["at"]), pen)
    )
    for some in by_span:
        by_measure: dict[str, list[Given]] = defaultdict(list)
        for one in sorted(some, key=lambda one: one.facts["at"]):
            by_measure[one.facts["measure"]].append(one)
        order = [name for name in REGISTRY if name in by_measure] + sorted(by_measure.keys() - REGISTRY.keys())
        several = len({day_of(one.facts["at"], pen.zone) for one in some}) > 1
        said = [
            f"{name} "
            + ", ".join(
                _value(name, one.facts) + (f" ({pen.days([one.facts['at']])})" if several else "")
                for one in by_measure[name]
            )
            for name in order
        ]
        yield line_at(pen, min(one.facts["at"] for one in some), "Scores", f"{'; '.join(said)}.")


def _value(name: str, facts: Mapping[str, Any]) -> str:
    risk = (facts.get("risk") or 0) > 0
    if name in REGISTRY and REGISTRY[name].is_screen:
        return "positive" if risk or facts.get("value") else "negative"
    value = "without a sum" if facts.get("value") is None else f"{facts['value']:g}"
    return f"{value}, asks for safety" if risk else value
