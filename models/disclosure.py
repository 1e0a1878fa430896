"""How much words may disclose: a level for each field that wording may name, a ceiling for each surface."""

from enum import IntEnum, StrEnum


class Disclosure(IntEnum):
    """What a field gives away, in rising order. A part may name a field whose level is at most the part's ceiling."""

    public = 0  # the practice's neutral name, a count: may stand on a locked screen
    code = 1  # an opaque client code, the name of a source or channel: means nothing outside the practice
    clinical = 2  # the evidence about a code: dates, gaps, attendance
    identity = 3  # who it is: in no message at all


class Surface(StrEnum):
    """Where words are shown."""

    mail_subject = "mail_subject"  # seen on locked screens, in lists and by every server on the way
    mail_opening = "mail_opening"  # the first words of a mail: a locked telephone shows them below the subject
    mail_body = "mail_body"
    brief = "brief"  # push, text message, chat: whatever is no mail of ours


CEILING: dict[Surface, Disclosure] = {
    Surface.mail_subject: Disclosure.public,
    Surface.mail_opening: Disclosure.public,
    Surface.mail_body: Disclosure.clinical,
    Surface.brief: Disclosure.public,
}

# Every field that wording may name. A name that is not here does not load: a new field is a decision about its level.
FIELD_LEVEL: dict[str, Disclosure] = {
    # the frame of a message
    "practice": Disclosure.public,
    "count": Disclosure.public,
    "as_of": Disclosure.public,
    "language": Disclosure.public,
    "opening": Disclosure.public,
    "room": Disclosure.public,
    "coded": Disclosure.code,
    "items": Disclosure.clinical,
    # what it is about
    "code": Disclosure.code,
    "source": Disclosure.code,
    "channel": Disclosure.code,
    "therapist": Disclosure.code,  # by name: a colleague, and nobody's client
    "codes": Disclosure.code,
    "from_on": Disclosure.code,
    "protocol": Disclosure.code,
    "start": Disclosure.code,
    "question": Disclosure.clinical,
    "when": Disclosure.clinical,
    "moved_from": Disclosure.clinical,
    "minutes": Disclosure.clinical,
    "place": Disclosure.clinical,
    "of_ending": Disclosure.clinical,
    "untold": Disclosure.clinical,
    "expected": Disclosure.clinical,
    "over": Disclosure.clinical,
    "phone": Disclosure.public,
    "ending_reason": Disclosure.clinical,
    # a rule's own words about it; its sentences are evidence
    "label": Disclosure.public,
    "sentence": Disclosure.clinical,
    "clears": Disclosure.clinical,
    "stored_says": Disclosure.clinical,
    "fresh_says": Disclosure.clinical,
    # how the practice runs; counts of people are no evidence about one of them, but nothing for a locked screen either
    "since": Disclosure.code,
    "reason": Disclosure.code,
    "vanished": Disclosure.code,
    "what": Disclosure.code,
    "ahead": Disclosure.code,
    "messages": Disclosure.code,
    "period_days": Disclosure.code,
    "clients": Disclosure.code,
    "quiet": Disclosure.code,
    "early_missed": Disclosure.code,
    "unanswered": Disclosure.code,
    "open_findings": Disclosure.code,
    "sent": Disclosure.code,
    "undelivered": Disclosure.code,
    "expired": Disclosure.code,
    "held": Disclosure.code,
    "late_invitations": Disclosure.code,
    "set_aside": Disclosure.code,
    "unread_sources": Disclosure.code,
    "audit_head": Disclosure.code,
    # who it is: listed so that wording which names it is refused with the right reason
    "client_name": Disclosure.identity,
    "contact": Disclosure.identity,
    "title": Disclosure.identity,
}


def level_of(field: str) -> Disclosure | None:
    """The level of a field that wording may name, None for a name that nobody has decided about."""
    return FIELD_LEVEL.get(field)
