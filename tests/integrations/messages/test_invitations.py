"""An invitation, read by programs that none of us wrote: each is whole, and any number of them, in any order, is one event or none."""

from dataclasses import replace
from itertools import permutations

import icalendar
import pytest

from integrations.calendars.reading import read_calendar
from integrations.messages.invitations import Beside, Ends, itip, message_of
from integrations.messages.mail import Envelope, SmtpServer, Tls, build, message_id_of
from models.entries import Plan
from models.instants import DAY, HOUR, at_wall
from models.invitations import Going, Method, Sent
from models.settings import InvitationsPart
from models.voice import Voice
from tests.integrations.messages.judges import calendar_of_xandikos, held_by_ical_js, wrong_by_libical

ZONE = "Europe/Berlin"
START = at_wall("2026-12-01T10:00", ZONE)
STAMP = at_wall("2026-11-23T10:30", ZONE)
UID = "0123456789abcdef0123456789abcdef@tending.invalid"
ENDS = Ends("tending@example.org", 'Northside; therapy, "North"', "t1@example.org")
CODE = "C-7F3K9QX"
SETTINGS = InvitationsPart(place="Room 2, first floor; ring twice\n")


def going(method="REQUEST", start=START, sequence=0, summary=f"Appointment {CODE}", place="Room 2"):
    cancelled = method == "CANCEL"
    return Going(Method(method), Sent(start, start + 3000, summary, place, cancelled), sequence, STAMP + sequence)


def text(*args, uid=UID, settings=SETTINGS, **more):
    return itip(uid, going(*args, **more), ENDS, settings)


MESSAGES = {
    "a request": text(),
    "an update": text(start=START + DAY, sequence=1),
    "a cancellation": text("CANCEL", sequence=2),
    "without a reminder": text(settings=InvitationsPart(remind_minutes=0)),
    "without a place": text(place=""),
    "words that need care": text(
        summary="Termin; „Müller“, 長い\\ \r\nATTENDEE:mailto:x@example.org", place="A;B,C\\n\nD"
    ),
    "a long title": text(summary="x" * 60 + " " + CODE),
}


@pytest.mark.parametrize("case", MESSAGES)
def test_libical_finds_nothing_wrong(case):
    assert wrong_by_libical(MESSAGES[case]) == []


@pytest.mark.parametrize("line", ["DTSTAMP", "ORGANIZER", "ATTENDEE", "UID"])
def test_libical_would_find_something(line):
    """The judge is awake: a message that lacks what RFC 5546 asks for is found."""
    lines = MESSAGES["a request"].replace("\r\n ", "").split("\r\n")
    assert wrong_by_libical("\r\n".join(each for each in lines if not each.startswith(line)))


@pytest.mark.parametrize("case", MESSAGES)
def test_icalendar_reads_what_was_meant(case):
    calendar = icalendar.Calendar.from_ical(MESSAGES[case].encode())
    (event,) = calendar.walk("VEVENT")
    assert calendar.errors == event.errors == []
    assert (str(event["UID"]), str(event["ATTENDEE"])) == (UID, "mailto:t1@example.org")
    assert calendar.to_ical().decode() == MESSAGES[case]
    if case == "words that need care":
        assert "\n" not in str(event["SUMMARY"])
        assert event["SUMMARY"].startswith("Termin; „Müller“, 長い\\ ATTENDEE")


@pytest.mark.parametrize("case", MESSAGES)
def test_ical_js_reads_what_was_meant(case):
    held = held_by_ical_js([MESSAGES[case]])
    if case == "a cancellation":
        assert held == []
        return
    (event,) = held
    start = START + DAY if case == "an update" else START
    assert (event["uid"], event["start"], event["end"]) == (UID, start, start + 3000)
    assert event["recurring"] is False


STORY = [text(), text(start=START + DAY, sequence=1), text(start=START + HOUR, sequence=2)]


def test_in_any_order_the_newest_holds():
    """Requests and an update, one of them twice: one event, at the last time told."""
    for order in permutations([*STORY, STORY[0]]):
        (event,) = held_by_ical_js(order)
        assert (event["start"], event["sequence"]) == (START + HOUR, 2)


def test_in_any_order_a_cancellation_leaves_none():
    for order in permutations([*STORY[:2], text("CANCEL", start=START + DAY, sequence=2)]):
        assert held_by_ical_js(order) == []


def test_an_appointment_that_is_back_is_there():
    back = [text(), text("CANCEL", sequence=1), text(sequence=2)]
    for order in permutations(back):
        (event,) = held_by_ical_js(order)
        assert event["sequence"] == 2


def test_two_appointments_are_two_events():
    other = UID.replace("0", "f")
    held = held_by_ical_js([text(), text(uid=other, start=START + DAY), text("CANCEL", sequence=1)])
    assert [event["uid"] for event in held] == [other]


def a_mail(said, **changed):
    """The whole mail of a message."""
    message = replace(message_of(UID, said, Beside(CODE), ENDS, SETTINGS, Voice(ZONE, "en_GB", STAMP), None), **changed)
    server = SmtpServer("127.0.0.1", 25, Tls.none, ENDS.sender, "Northside")
    return build(Envelope(message, ENDS.to, message_id_of(f"{said.sequence}", ENDS.sender), STAMP), server)


def test_a_calendar_server_acts_on_the_mails(tmp_path):
    """As they arrive: one event, at the time told last, and called off in the end. Read by us again it is the appointment, or none."""
    told = [going(), going(start=START + DAY, sequence=1), going("CANCEL", start=START + DAY, sequence=2)]
    mails = [a_mail(each).as_bytes() for each in told]
    (entry,) = calendar_of_xandikos(mails[:2], tmp_path)
    (event,) = icalendar.Calendar.from_ical(entry.encode()).walk("VEVENT")
    assert (str(event["UID"]), event.start.timestamp(), event["SEQUENCE"]) == (UID, START + DAY, 1)
    (entry,) = calendar_of_xandikos(mails[2:], tmp_path)
    reading = read_calendar(
        entry.encode(), name="t1", zone=ZONE, therapist_id="T1", window_from=STAMP, window_to=STAMP + 90 * DAY
    )
    (appointment,) = reading.entries
    assert (appointment.plan, appointment.client_ids, appointment.start) == (Plan.cancelled, (CODE,), START + DAY)


def test_the_same_message_is_the_same_bytes():
    mails = [a_mail(going()).as_bytes() for _ in range(2)]
    assert mails[0] == mails[1]
    assert mails[0].count(b"part-") == 9, "two boundaries that differ"


def test_it_is_not_marked_as_sent_by_itself():
    """Calendar servers pass over invitations that are (seen with Xandikos 0.4.10)."""
    assert "Auto-Submitted" not in a_mail(going())
    assert a_mail(going(), calendar="")["Auto-Submitted"] == "auto-generated"


def test_the_attendee_is_written_as_the_mail_is_addressed():
    ends = Ends("desk@praxis-müller.example", "Müller", "kim@praxis-müller.example")
    (event,) = icalendar.Calendar.from_ical(itip(UID, going(), ends, SETTINGS).encode()).walk("VEVENT")
    assert str(event["ATTENDEE"]) == "mailto:kim@xn--praxis-mller-klb.example"
    assert str(event["ORGANIZER"]) == "mailto:desk@xn--praxis-mller-klb.example"


def test_what_is_said_reaches_no_further_than_the_title():
    """What a reminder shows on a locked screen is the neutral title alone."""
    calendar = icalendar.Calendar.from_ical(text().encode())
    (alarm,) = calendar.walk("VALARM")
    assert str(alarm["DESCRIPTION"]) == SETTINGS.title
    assert CODE not in str(alarm)
