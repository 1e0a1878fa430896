"""From the cells of one row to a goal, a score of a measure, or time on a waiting list."""

from datetime import date, time

from integrations.records.building import BadRowError, Doubts, Values, derived, instant_at, said_at, span
from integrations.records.cells import Grammar
from integrations.records.dates import Moment
from models.entries import Achievement, GoalEntry, GoalStatus, HoldEntry, ScoreEntry
from models.instants import Instant, day_of, start_of
from models.measures import Measure

FIRST_YEAR = 1980  # systems write 1899, 1900 or 1970 where they know no day
YEARS_AHEAD = 20  # what is further off (2099) is a slip of the keyboard, or stands for "open"


def goal(values: Values, grammar: Grammar, doubts: Doubts) -> GoalEntry:
    """A goal. That it was agreed, how far it came, or that somebody looked at it, is never said of a day ahead."""
    for column in ("set", "target date", "achievement date", "reviewed"):
        check_year(column, values.get(column), grammar, doubts, "leave it empty if there is none")
    check_past("set", values, grammar, doubts, "put the day on which it was agreed, or leave it empty")
    check_past("achievement date", values, grammar, doubts, "correct it, or put it under target date")
    check_past("reviewed", values, grammar, doubts, "put the last day there, not the next one")
    return GoalEntry(
        id=values["id"],
        client_id=values["client"],
        title=values.get("goal", ""),
        set_on=values.get("set"),
        status=values.get("status", GoalStatus.active),
        target_on=values.get("target date"),
        reviewed_on=values.get("reviewed"),
        achievement=values.get("achievement", Achievement.in_progress),
        achievement_on=values.get("achievement date"),
        has_target=values.get("target", False),
        has_measure=values.get("measure", False),
        own_words=values.get("words", False),
        said_at=said_at(values, grammar),
    )


def score(values: Values, grammar: Grammar, doubts: Doubts) -> ScoreEntry:
    """A score inside the measure's range, the answer that asks for safety, or both. A screen is one answer under two names."""
    measure: Measure = values["measure"]
    value, risk = _value(values.get("score"), measure), _risk(values.get("risk"), measure)
    if measure.is_screen:
        if value is not None and risk is not None and value != risk:
            raise BadRowError("risk", "contradiction", "says the opposite of the score", "correct one of the two")
        answer = risk if value is None else value
        assert answer is not None  # the form asks for one of the two columns
        value, risk = float(answer), int(answer)
    elif (
        measure.risk is not None
        and value is not None
        and risk is not None
        and not 0 <= value - risk <= measure.high - measure.risk
    ):
        raise BadRowError("risk", "contradiction", "cannot go with that score", "correct one of the two")
    at = _taken(values["taken"], grammar, doubts)
    return ScoreEntry(
        id=values.get("id") or derived(values["client"], measure.name, str(at)),
        client_id=values["client"],
        measure=measure.name,
        at=at,
        value=value,
        risk=risk,
        said_at=said_at(values, grammar),
    )


def hold(values: Values, grammar: Grammar, doubts: Doubts) -> HoldEntry:
    """Time on a waiting list. Its last day is no part of what it is known by: it comes later."""
    last: date | None = values.get("to")
    first = values["from"] if last is None else span(values)[0]
    check_year("from", first, grammar, doubts, "correct it")
    check_year("to", last, grammar, doubts, "leave it empty while it is open")
    known_as = values.get("id") or derived(values["client"], first.isoformat())
    return HoldEntry(known_as, values["client"], first, last, said_at(values, grammar))


def _value(cell: float | bool | None, measure: Measure) -> float | None:
    """The score. Raises BadRowError for one that the measure cannot have."""
    if cell is None:
        return None
    meant = f"write what the measure has ({measure.coding}), or correct the measure"
    if isinstance(cell, bool) and not measure.is_screen:
        raise BadRowError("score", "bad-number", "is a word where the measure has a number", meant)
    fits = cell in (0, 1) if measure.is_screen else measure.low <= cell <= measure.high
    if not fits:
        raise BadRowError("score", "out-of-range", f"lies outside of {measure.low:g} to {measure.high:g}", meant)
    return float(cell)


def _risk(cell: float | bool | None, measure: Measure) -> int | None:
    """The answer that asks for safety. Raises BadRowError for one that the measure cannot have."""
    if cell is None:
        return None
    if measure.risk is None:
        fault = "answers a question about safety that the measure does not have"
        raise BadRowError("risk", "no-such-question", fault, "leave it empty, or correct the measure")
    answers = range(measure.risk + 1)
    if cell not in answers or (isinstance(cell, bool) and not measure.is_screen):
        words = ", or yes or no" if measure.is_screen else ""
        remedy = f"write a whole number from 0 to {measure.risk}{words}"
        raise BadRowError("risk", "out-of-range", "is none of the answers that there are", remedy)
    return int(cell)


def _taken(moment: Moment, grammar: Grammar, doubts: Doubts) -> Instant:
    """When a measure was filled in: the start of the day where no time is known. Midnight is what systems write behind a plain day."""
    if moment.day is None:
        raise BadRowError("taken", "no-date", "holds a time but no date", "write it as 2026-03-14 or 2026-03-14 09:00")
    check_year("taken", moment.day, grammar, doubts, "correct it")
    at, clock = moment.instant, moment.clock
    if at is None and (clock is None or clock == time()):
        at = start_of(moment.day, grammar.zone)
    elif at is None and clock is not None:
        at, _ = instant_at(moment.day, clock, None, grammar.zone, "taken")
    assert at is not None
    if at > grammar.read_at:
        doubts.ahead += 1
        raise BadRowError("taken", "in-the-future", "lies ahead", "correct the date, or its order of day and month")
    return at


def check_year(column: str, day: date | None, grammar: Grammar, doubts: Doubts, otherwise: str) -> None:
    """Raise BadRowError for a year in which nothing of this sort can have been."""
    last = day_of(grammar.read_at, grammar.zone).year + YEARS_AHEAD
    if day is not None and not FIRST_YEAR <= day.year <= last:
        doubts.ahead += day.year > last
        remedy = f"write a year from {FIRST_YEAR} to {last}, or {otherwise}"
        raise BadRowError(column, "bad-date", "has an impossible year", remedy)


def check_past(column: str, values: Values, grammar: Grammar, doubts: Doubts, remedy: str) -> None:
    """Raise BadRowError for a day that is still to come."""
    day: date | None = values.get(column)
    if day is not None and day > day_of(grammar.read_at, grammar.zone):
        doubts.ahead += 1
        raise BadRowError(column, "in-the-future", "lies ahead", remedy)
