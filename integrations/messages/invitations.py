"""One appointment as a calendar program takes it in (iTIP, RFC 5546), and as words that stand alone where none does."""

import importlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from integrations.messages.addresses import wire
from integrations.messages.compose import Message, compose, item_of, neutral
from models import words
from models.ending_acts import State
from models.instants import Instant, local
from models.invitations import Going, Method
from models.settings import InvitationsPart
from models.voice import Voice

if TYPE_CHECKING:
    from icalendar import Calendar

PRODUCT = "-//Tending//Invitations//EN"


class Ends(NamedTuple):
    """From whom and to whom an invitation goes: addresses, and the practice's neutral name."""

    sender: str
    practice: str
    to: str


def load_icalendar() -> None:
    """Load what writes invitations, once; most processes never need it."""
    importlib.import_module("icalendar")


class Beside(NamedTuple):
    """What is told beside an appointment: the client's code, empty in their own message, whether it is of an ending, whether the client was
    never told of it, whether they expect it, and what became of the ending, where it is over (one of OVER)."""

    code: str
    ending: bool = False
    untold: bool = False
    expected: bool = False
    over: str = ""


OVER: Mapping[str, str] = {
    State.withdrawn: "was withdrawn",
    State.declined: "was not confirmed",
    State.closed: "is closed",
}
"""What became of an ending that is over."""


def itip(uid: str, going: Going, ends: Ends, settings: InvitationsPart, *, answered: bool = True) -> str:
    """The iCalendar text of one message: one single event in UTC, with its recipient as the only ATTENDEE. The same whenever it is made.
    It asks to be `answered` where somebody reads the answer: a therapist's is read in their calendar, a client's by nobody.

    In UTC it needs no VTIMEZONE, which programs read differently.
    """
    from icalendar import Calendar, Event, vCalAddress, vText

    said = going.says
    event = Event()
    event.add("uid", uid)
    event.add("dtstamp", _utc(going.stamp))
    event.add("dtstart", _utc(said.start))
    event.add("dtend", _utc(said.end))
    event.add("sequence", going.sequence)
    event.add("summary", neutral(said.summary))
    if said.location:
        event.add("location", neutral(said.location))
    event.add("class", "PRIVATE")
    organizer = vCalAddress(f"mailto:{wire(ends.sender)}")
    organizer.params["CN"] = vText(neutral(ends.practice))
    event.add("organizer", organizer)
    attendee = vCalAddress(f"mailto:{wire(ends.to)}")
    if going.method is Method.request:
        attendee.params.update(ROLE="REQ-PARTICIPANT", PARTSTAT="NEEDS-ACTION", RSVP="TRUE" if answered else "FALSE")
        event.add("status", "CONFIRMED")
        if settings.remind_minutes:
            event.add_component(_reminder(settings))
    else:
        event.add("status", "CANCELLED")
    event.add("attendee", attendee)
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("method", going.method.value)
    calendar.add_component(event)
    return _text(calendar)


def message_of(
    uid: str, going: Going, beside: Beside, ends: Ends, settings: InvitationsPart, voice: Voice, before: Instant | None
) -> Message:
    """The whole message: words, and the invitation beside them. `before` is the start that was told last. A client's subject
    says what it is, since they have no items; a therapist's is that of every mail to them."""
    said = going.says
    facts: dict[str, Any] = {
        "code": beside.code or None,
        "of_ending": True if beside.ending else None,
        "untold": True if beside.untold else None,
        "expected": True if beside.expected else None,
        "over": beside.over or None,
        "phone": settings.phone or None,
        "when": told_when(said.start, voice),
        "moved_from": None if before in (None, said.start) or said.cancelled else told_when(before or 0, voice),
        "minutes": (said.end - said.start) // 60,
        "place": said.location or None,
    }
    part = "cancelled" if going.method is Method.cancel else "request"
    item = item_of("invitation", part, facts, to_zone=voice.zone, locale=voice.locale, at=voice.now)
    message = compose([item], practice=ends.practice, to_zone=voice.zone, locale=voice.locale, at=voice.now)
    return replace(
        message,
        subject=message.subject if beside.code else f"{neutral(ends.practice)}: {neutral(settings.title)}",
        calendar=itip(uid, going, ends, settings, answered=bool(beside.code)),
        method=going.method.value,
    )


def told_when(start: Instant, voice: Voice) -> str:
    """`Tue 1 Dec 2026 at 10:00 (Europe/Berlin)`: with year and zone, since this may be all that is read."""
    when = local(start, voice.zone)
    day = words.dated(when.date(), locale=voice.locale)
    return f"{day} at {words.time_of_day(when, locale=voice.locale)} ({voice.zone})"


def _reminder(settings: InvitationsPart) -> Any:
    from icalendar import Alarm

    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", neutral(settings.title))
    alarm.add("trigger", timedelta(minutes=-settings.remind_minutes))
    return alarm


def _utc(instant: Instant) -> datetime:
    return datetime.fromtimestamp(instant, UTC)


def _text(calendar: "Calendar") -> str:
    return bytes(calendar.to_ical()).decode()
