"""What one cell may say: a parser for each sort of cell, whose faults never repeat what the cell holds."""

import re
from dataclasses import dataclass, field
from datetime import date, time

from integrations.records.dates import Moment, NotADateError, Order, moment
from integrations.records.vocabularies import (
    ACHIEVEMENT_WORDS,
    CAPACITY_WORDS,
    GOAL_WORDS,
    NEWS_WORDS,
    WHOSE_WORDS,
    Status,
    plain,
)
from models.entries import Achievement, ClientStatus, GoalStatus
from models.errors import TendingError
from models.instants import Instant
from models.instants import zone as known_zone
from models.measures import REGISTRY, Measure, measure_named
from models.subjects import CODE

YES = frozenset({"yes", "y", "true", "1", "x"})
NO = frozenset({"no", "n", "false", "0"})
_POSITIVE = YES - {"1"} | {"positive", "pos"}
_NEGATIVE = NO - {"0"} | {"negative", "neg"}
_MANGLED = re.compile(r"[+-]?\d+(?:[.,]\d+)?E\+\d+\Z|#+\Z|#[A-Z/0]+[?!]?\Z", re.ASCII | re.IGNORECASE)
_MINUTES = re.compile(r"(\d{1,4})(?:[.,]0+)?\s*(?:m|min|mins|minutes)?\.?\Z", re.ASCII | re.IGNORECASE)
_NUMBER = re.compile(r"-?\d{1,9}(?:[.,]\d{1,2})?\Z", re.ASCII)
_MAIL = re.compile(r"[^@\s,;]+@[^@\s,;]+\Z")
LONGEST_ID = 200


class BadCellError(Exception):
    """A cell that cannot be used: a stable `reason`, and `fault` and `remedy` as parts of a sentence."""

    def __init__(self, reason: str, fault: str, remedy: str) -> None:
        super().__init__(reason)
        self.reason, self.fault, self.remedy = reason, fault, remedy


@dataclass(frozen=True, slots=True)
class Grammar:
    """All that the cells of one reading are read by; `remembered` saves reading the same date text twice."""

    order: Order
    zone: str
    read_at: Instant
    appointment_words: dict[str, Status]
    client_words: dict[str, ClientStatus]
    trust_after: Instant
    time_of_day: time | None
    minutes: int
    remembered: dict[str, Moment] = field(default_factory=dict)


def looks_like_person(text: str) -> bool:
    """Whether text in an id column is more likely a name or an address: an @, or two words of letters."""
    words = [re.sub(r"[-'’.]", "", word) for word in re.split(r"[\s,]+", text)]
    letters = [word for word in words if word.isalpha()]
    return "@" in text or (len(letters) >= 2 and max(map(len, letters)) > 1)


def own_id(text: str, grammar: Grammar) -> str:
    """An id that a system gave to something that is not a person's."""
    if _MANGLED.match(text):
        raise BadCellError(
            "mangled-id", "is an id that a spreadsheet has rounded", "format the column as text and export again"
        )
    if len(text) > LONGEST_ID or not text.isprintable():
        raise BadCellError("bad-id", "is too long or holds line breaks", "name the column that holds the id")
    return text


def client_id(text: str, grammar: Grammar) -> str:
    """An id of a client: never a name, which would be found by nobody and stand where names may not."""
    own_id(text, grammar)
    if looks_like_person(text):
        raise BadCellError(
            "name-as-id",
            "looks like a name or address, not like an id",
            "name the id column, or read it as client name",
        )
    return text


def client_ids(text: str, grammar: Grammar) -> tuple[str, ...]:
    """The ids of all participants, separated by semicolons."""
    return tuple(dict.fromkeys(client_id(part.strip(), grammar) for part in text.split(";") if part.strip()))


def words(text: str, grammar: Grammar) -> str:
    """Text as it stands."""
    return text


def when(text: str, grammar: Grammar) -> Moment:
    """A date, a time or both."""
    found = grammar.remembered.get(text)
    if found is None:
        try:
            found = moment(text, grammar.order)
        except NotADateError as error:
            raise BadCellError("bad-date", error.fault, error.remedy) from None
        grammar.remembered[text] = found
    return found


def day(text: str, grammar: Grammar) -> date:
    """A calendar day; a time of day beside it is ignored."""
    found = when(text, grammar).day
    if found is None:
        raise BadCellError("bad-date", "holds a time but no date", "write it as 2026-03-14")
    return found


def day_or_yes(text: str, grammar: Grammar) -> date | bool:
    """A calendar day, or yes or no where the day is not known."""
    word = text.casefold()
    if word in YES or word in NO:
        return word in YES
    return day(text, grammar)


def yes_no(text: str, grammar: Grammar) -> bool:
    """Yes or no."""
    word = text.casefold()
    if word not in YES and word not in NO:
        raise BadCellError("bad-yes-no", "is neither yes nor no", "write yes or no")
    return word in YES


def minutes(text: str, grammar: Grammar) -> int:
    """A length in minutes, from 1 to 1440."""
    match = _MINUTES.match(text)
    if not match or not 1 <= int(match[1]) <= 24 * 60:
        raise BadCellError("bad-number", "is not a length in minutes", "write a whole number from 1 to 1440")
    return int(match[1])


def zone(text: str, grammar: Grammar) -> str:
    """An IANA zone name."""
    try:
        known_zone(text)
    except TendingError:
        raise BadCellError(
            "unknown-zone", "is not a time zone that is known", "write an IANA name such as Europe/Berlin"
        ) from None
    return text


def mail_address(text: str, grammar: Grammar) -> str:
    """One mail address."""
    if not _MAIL.match(text):
        raise BadCellError("bad-email", "is not one mail address", "write one address such as name@example.org")
    return text


def code(text: str, grammar: Grammar) -> str:
    """A client's opaque code."""
    if not CODE.fullmatch(text.upper()):
        raise BadCellError(
            "bad-code", "is not a client code", "write C- and at least seven letters or digits without I, L, O, U"
        )
    return text.upper()


def appointment_status(text: str, grammar: Grammar) -> Status:
    """A word of the status vocabulary."""
    found = grammar.appointment_words.get(plain(text))
    if found is None:
        known = ", ".join(sorted(grammar.appointment_words))
        raise BadCellError(
            "unknown-status", f"is not one of: {known}", "correct it, or add the word under status_words"
        )
    return found


def client_status(text: str, grammar: Grammar) -> ClientStatus:
    """A word for where a client's care stands."""
    found = grammar.client_words.get(plain(text))
    if found is None:
        known = ", ".join(sorted(grammar.client_words))
        raise BadCellError(
            "unknown-status", f"is not one of: {known}", "correct it, or add the word under client_status_words"
        )
    return found


def goal_status(text: str, grammar: Grammar) -> GoalStatus:
    """A word for whether a goal is still worked at."""
    found = GOAL_WORDS.get(plain(text))
    if found is None:
        raise BadCellError("unknown-status", f"is not one of: {', '.join(sorted(GOAL_WORDS))}", "correct it")
    return found


def achievement(text: str, grammar: Grammar) -> Achievement:
    """A word for how far a goal is."""
    found = ACHIEVEMENT_WORDS.get(plain(text))
    if found is None:
        raise BadCellError("unknown-status", f"is not one of: {', '.join(sorted(ACHIEVEMENT_WORDS))}", "correct it")
    return found


def own_words(text: str, grammar: Grammar) -> bool:
    """Whether a text is in the client's own words."""
    word = plain(text)
    if word not in WHOSE_WORDS and word not in YES | NO:
        raise BadCellError("bad-yes-no", "does not say whose words they are", "write client or therapist, or yes or no")
    return WHOSE_WORDS.get(word, word in YES)


def filled(text: str, grammar: Grammar) -> bool:
    """That there is something; what it says is not kept."""
    return True


def several_words(text: str, grammar: Grammar) -> tuple[str, ...]:
    """Words or short phrases separated by semicolons, in small letters."""
    return tuple(dict.fromkeys(word for part in text.split(";") if (word := " ".join(part.casefold().split()))))


def capacity(text: str, grammar: Grammar) -> str:
    """Whether a provider has room."""
    found = CAPACITY_WORDS.get(plain(text))
    if found is None:
        raise BadCellError("unknown-status", f"is not one of: {', '.join(sorted(CAPACITY_WORDS))}", "correct it")
    return found


def news(text: str, grammar: Grammar) -> str:
    """What a provider told of a referral."""
    found = NEWS_WORDS.get(plain(text))
    if found is None:
        raise BadCellError("unknown-status", f"is not one of: {', '.join(sorted(NEWS_WORDS))}", "correct it")
    return found


def measure(text: str, grammar: Grammar) -> Measure:
    """A measure, under any of its names."""
    found = measure_named(text)
    if found is None:
        raise BadCellError(
            "unknown-measure", "is not a measure that is known", f"write one of: {', '.join(sorted(REGISTRY))}"
        )
    return found


def score(text: str, grammar: Grammar) -> float | bool:
    """A number, or positive and negative as true and false. What either may be depends on the measure."""
    word = text.casefold()
    if word in _POSITIVE or word in _NEGATIVE:
        return word in _POSITIVE
    if not _NUMBER.match(text):
        raise BadCellError(
            "bad-number",
            "is neither a number nor positive or negative",
            "write a number with at most two decimals",
        )
    return float(text.replace(",", "."))


def safety_answer(text: str, grammar: Grammar) -> float | bool:
    """The answer that asks for safety: a whole number, or yes and no as true and false. Which there are depends on the measure."""
    try:
        return score(text, grammar)
    except BadCellError as error:
        remedy = "write the answer's number (item 9 of PHQ-9: 0 to 3), or yes or no (C-SSRS)"
        raise BadCellError(error.reason, "is none of the answers that there are", remedy) from None
