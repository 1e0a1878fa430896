"""What one entry of a calendar says besides its time: title, codes, plan, revision, and people where they are asked for."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NamedTuple
from urllib.parse import unquote

from integrations.calendars.light import PEOPLE, Event
from integrations.calendars.values import plain_text, whole_number
from models.entries import Plan
from models.instants import Instant, instant_of
from models.subjects import mail_addresses

CODE = re.compile(r"(?<![0-9A-Za-z-])C-[0-9A-HJKMNP-TV-Z]{7,}(?![0-9A-Za-z])")


class Words(NamedTuple):
    """What one VEVENT says of each of its occurrences; `plan` where a person entered the occurrence."""

    title: str
    codes: tuple[str, ...]
    plan: Plan
    said_at: Instant | None
    sequence: int
    mails: tuple[str, ...]


def words_of(event: Event, people: bool = False) -> Words:
    """What one says; with `people` also who was invited, and by whom."""
    summary, modified = event.once.get("SUMMARY"), event.once.get("LAST-MODIFIED")
    title = plain_text(summary) if summary is not None else ""
    said_at = _said_at(modified.value) if modified is not None else None
    sequence = whole_number(event.once.get("SEQUENCE"))
    return Words(title, _codes(event, title), _plan(event), said_at, sequence, _mails(event, title) if people else ())


def _plan(event: Event) -> Plan:
    status = event.once["STATUS"].value.strip().upper() if "STATUS" in event.once else ""
    answer = _answer(event)
    if status == "CANCELLED" or event.calendar.method == "CANCEL" or answer == "DECLINED":
        return Plan.cancelled
    if answer == "ACCEPTED":
        return Plan.booked
    return Plan.proposed if answer or status == "TENTATIVE" else Plan.booked


def _answer(event: Event) -> str:
    """What was answered to an invitation of ours, a word of PARTSTAT (RFC 5545, 3.2.12); empty where the entry is none, or shows nobody
    invited. Programs enter an invitation by themselves: until somebody accepts it, that is nobody's act."""
    if not event.people:
        return ""
    hosts = {prop.value.casefold() for name, prop in event.people if name == "ORGANIZER"}
    invited = [prop for name, prop in event.people if name == "ATTENDEE"]
    # A practice may send from the therapist's own address: then the host is the guest.
    guests = [prop for prop in invited if prop.value.casefold() not in hosts] or invited
    words = {prop.parameter("PARTSTAT").upper() or "NEEDS-ACTION" for prop in guests}
    # Of several guests nobody can tell which one its owner is: where they differ it is not answered.
    return words.pop() if len(words) == 1 else "NEEDS-ACTION" if words else ""


def _codes(event: Event, title: str) -> tuple[str, ...]:
    texts: Iterable[str] = (title,)
    if event.repeated:
        texts = (title, *(prop.value for name in ("CATEGORIES", "X-TENDING-CLIENT") for prop in event.all(name)))
    return tuple(dict.fromkeys(code for text in texts if "C-" in text for code in CODE.findall(text)))


def _mails(event: Event, title: str) -> tuple[str, ...]:
    """Who was invited, by whom, and the addresses in the title. Some programs have the address in EMAIL, and an id as the value."""
    people = [prop for name in PEOPLE for prop in event.all(name)]
    texts = [title, *(f"{unquote(prop.value)} {prop.parameter('EMAIL')}" for prop in people)]
    return tuple(sorted({mail for text in texts for mail in mail_addresses(text)}))


def _said_at(text: str) -> Instant | None:
    try:
        found = datetime.fromisoformat(text.strip()[:15])
    except ValueError:
        return None  # a time stamp nobody can read says nothing; the entry itself is sound
    return instant_of(found.replace(tzinfo=UTC))
