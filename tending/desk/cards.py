"""Cards: a finding with its sentence, what would clear it, and the answers that fit, as forms."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from integrations.store.answers import Found, Seen
from integrations.store.desk import Card
from models.access import Part
from models.answers import (
    LONGEST_NOTE,
    NAMES_A_DAY,
    REASONS,
    UNDO_SECONDS,
    Answer,
    Reply,
    answer,
    asked_again,
    replies_to,
    said,
    until_of,
)
from models.errors import UsageError
from models.findings import Opened
from models.instants import FAR, Instant
from models.kinds import is_safety, place_of
from models.naming import Naming
from models.rules import told
from models.spoken import here
from models.voice import Voice
from tending.desk.asking import Asked

LEADS: dict[str, tuple[Part, tuple[str, str]]] = {
    "ending_step": (Part.ending, ("ending", "Say what was done")),
    "out_of_contact": (Part.ending, ("ending", "Note a try, or go on")),
    "referral_follow_up": (Part.referral, ("referral", "Say what became of it")),
    "referral_stuck": (Part.referral, ("referral", "Say what is next")),
}
"""Kinds that are seen to on a part of the client's page."""
BEGUN_ELSEWHERE = (
    "An ending counts once it is started, on a page of its own; nothing was changed. Open the page anew to go there."
)
TYPED = ("until", "days", "reason", "note")
_AN_INSTANT = 10**8  # facts below it are counts


def anchor_of(code: str, kind: str) -> str:
    """Where a page has the card about a client's finding."""
    return f"{code}-{kind}"


@dataclass(frozen=True, slots=True)
class Refused:
    """An answer that was not taken: to which card, the `error` that says why, and the fields of its form."""

    code: str
    kind: str
    error: UsageError
    form: Mapping[str, str]

    @property
    def which(self) -> str:
        """Which of the forms of a card it was."""
        reply = self.form.get("reply", "")
        return "days" if reply == Reply.agreed and self.form.get("days") else reply


@dataclass(frozen=True, slots=True)
class Shown:
    """One card as a page shows it. `label` says whom it is about; `said` is what was just answered, `undo` that answer's id;
    `therapist` is named where the client is not one's own. `begins`: an ending may be begun from it, on a page of its own. `leads` is the
    part of the client's page where it is seen to, with words for it, if the reader may see that. `refused` is the form whose answer was not
    taken, `trouble` why, `typed` what was filled in. `again` says when what was answered is asked again.
    """

    code: str
    kind: str
    label: str
    title: str
    sentence: str
    question: str
    clears: str
    safety: bool
    day_one: bool
    answered: bool
    seen: str
    answer_id: str
    said: str
    undo: str
    therapist: str = ""
    begins: bool = False
    refused: str = ""
    trouble: str = ""
    typed: Mapping[str, str] = field(default_factory=dict)
    leads: tuple[str, str] | None = None
    again: str = ""

    @property
    def anchor(self) -> str:
        return anchor_of(self.code, self.kind)

    @property
    def contact(self) -> bool:
        """Whether what was agreed on the next contact answers it."""
        return Reply.agreed in replies_to(self.kind, safety=self.safety)


def status_of(refused: Refused | None, there: Iterable[Shown]) -> int:
    """The status of a page with these cards. Raises what was said of an answer that was refused where no card is left to say it."""
    if refused is None:
        return 200
    if not any(card.trouble for card in there):
        raise refused.error
    return 409


@dataclass(frozen=True, slots=True)
class Choices:
    """What the forms of a page offer: the first day that may be named (of a contact, `today`) and the last ones, the reasons, how long a
    note may be; and the practice's own `protocol` for what asks for safety."""

    today: str
    first: str
    last_plan: str
    last_snooze: str
    next_week: str
    put_off: dict[str, str]
    no_concern: dict[str, str]
    longest_note: int
    protocol: str


def choices(asked: Asked) -> Choices:
    """What may be chosen today."""
    today, first, last_plan, last_snooze, next_week = (
        str(asked.readers_day + timedelta(days=n)) for n in (0, 1, 30, 90, 7)
    )
    return Choices(
        today,
        first,
        last_plan,
        last_snooze,
        next_week,
        REASONS[Reply.snooze],
        REASONS[Reply.no_concern],
        LONGEST_NOTE,
        asked.practice.settings.safety.protocol,
    )


def in_order(cards: Iterable[Card]) -> list[Card]:
    """Safety first, then by kind, the longest wait first."""
    return sorted(cards, key=lambda card: (place_of(card.kind), since(card), card.code))


def since(card: Card) -> Instant:
    """Since when it has been so, as far as its facts tell; else since when it was noticed."""
    facts = (f for f in card.evidence["facts"] if isinstance(f, int) and f > _AN_INSTANT)
    return min(next(facts, card.opened_at), card.opened_at)


def shown(
    card: Card,
    label: str,
    voice: Voice,
    just: tuple[str, Found] | None = None,
    *,
    reader: str | None = None,
    may: frozenset[Part] = frozenset(),
    begins: bool | None = None,
    refused: Refused | None = None,
    naming: Naming | None = None,
) -> Shown:
    """A card; `just` is the answer, with its id, that was given a moment ago. To another `reader` it names whose client it is; `may` is
    what of the client they may see and do. `begins` says whether they may begin an ending, where that does not follow from it; `refused` is
    an answer that was not taken."""
    if refused is not None and (refused.code, refused.kind) != (card.code, card.kind):
        refused = None
    part, leads = LEADS.get(card.kind, (None, None))
    words = told(card.kind, card.reason, card.evidence, voice)
    mine = just is not None and (just[1].client_id, just[1].kind) == (card.client_id, card.kind)
    return Shown(
        card.code,
        card.kind,
        label,
        words["label"],
        here(words["sentence"]),
        words.get("question", ""),
        here(words["clears"]),
        is_safety(card.kind),
        card.opened == Opened.day_one,
        card.answered,
        f"{card.generation}.{card.answered_at or 0}",
        uuid.uuid4().hex,
        _just_said(card, just[1], voice) if just and mine else "",
        just[0] if just and mine else "",
        "" if reader is None or naming is None or card.therapist_id == reader else naming.therapist(card.therapist_id),
        (Part.ending in may if begins is None else begins)
        and part is not Part.ending
        and not is_safety(card.kind)
        and not card.ending,
        refused.which if refused else "",
        here(str(refused.error)) if refused else "",
        {name: refused.form.get(name, "") for name in TYPED} if refused else {},
        leads if part in may else None,
        asked_again(card.speaks_at, voice) if card.answered else "",
    )


def words_of(given: Found, voice: Voice) -> str:
    """What somebody answered, as they said it."""
    return said(Reply(given.reply), given.until, given.days, given.reason, voice)


def _just_said(card: Card, given: Found, voice: Voice) -> str:
    """What was answered a moment ago, and for how long that holds where it does not say so itself."""
    rests = card.answered and Reply(given.reply) not in NAMES_A_DAY
    return " ".join(filter(None, (words_of(given, voice), asked_again(card.speaks_at, voice) if rests else "")))


def just_now(given: Found | None, now: Instant) -> bool:
    """Whether an answer stands and may still be taken back."""
    return given is not None and not given.gone and now - given.at <= UNDO_SECONDS


def initials(name: str) -> str:
    """`A. M.`"""
    return " ".join(f"{word[0].upper()}." for word in name.split() if word[0].isalpha())


def answer_in(asked: Asked, kind: str) -> tuple[Answer, str, str, Seen]:
    """What a form says to a finding of that kind: the answer, the note, the answer's id, and how the finding stood for whoever sent
    it. Raises UsageError, a sentence for them."""
    form = asked.form
    try:
        reply = Reply(form.get("reply", ""))
        generation, _, answered_at = form.get("seen", "").partition(".")
        seen = Seen(int(generation), int(answered_at))
        answer_id = uuid.UUID(hex=form.get("id", "")).hex
    except ValueError:
        raise UsageError("That answer could not be read; nothing was changed. Open the page anew.") from None
    try:
        day = date.fromisoformat(form["until"].strip()) if form.get("until", "").strip() else None
        until = None if day is None else until_of(reply, day, asked.zone)
    except (ValueError, OverflowError):
        raise UsageError("That is no day; choose one, or write it like 2026-11-03.") from None
    if until is not None and until >= FAR:
        raise UsageError("That day lies too far ahead.")
    if reply is Reply.ending:
        raise UsageError(BEGUN_ELSEWHERE)
    days = form.get("days", "").strip()
    if days and not (days.isascii() and days.isdigit() and len(days) < 5):
        raise UsageError("A rhythm is a whole number of days.")
    given = answer(
        kind,
        reply,
        asked.now,
        until=until,
        days=int(days or 0),
        reason=form.get("reason", "").strip(),
        safety=is_safety(kind),
    )
    return given, form.get("note", "").strip(), answer_id, seen
