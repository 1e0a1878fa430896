"""A line of the timeline: where it stands, when it was for people, what sort of thing it tells of, and how lines are made."""

from datetime import date
from typing import NamedTuple

from models.instants import Instant, start_of
from models.naming import Pen
from models.timeline_acts import OTHER

PARTS = (
    "Care",
    "Therapist",
    "Appointments",
    "Break",
    "Goals",
    "Scores",
    "Noticed",
    "Message",
    "Invitation",
    "Answer",
    "Ending",
    "Referral",
    OTHER,
    "Record",
)
"""What a line may tell of, in the order of lines of one instant."""


class Line(NamedTuple):
    """One line: `at` puts it in order, `when` says it for people, `part` is the sort of thing it tells of."""

    at: Instant
    when: str
    part: str
    text: str


def line_at(pen: Pen, at: Instant, part: str, text: str) -> Line:
    """A line of an instant."""
    return Line(at, pen.day(at), part, text)


def line_on(pen: Pen, day: date, part: str, text: str) -> Line:
    """A line of a whole day."""
    return line_at(pen, start_of(day, pen.zone), part, text)


def sentence(text: str) -> str:
    """Words as a sentence."""
    return f"{text[:1].upper()}{text[1:]}."
