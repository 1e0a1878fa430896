"""Appointments put into calendars by mail: one message between what is wanted and what was sent, in a real mailbox, and what comes back."""

import re
from email.message import EmailMessage
from typing import Any

import icalendar
import pytest

from integrations.delivery import Delivered, PostRoom, deliver
from integrations.messages.mailbox import Mailbox, read_mails
from integrations.store import invitations, inviting, leases, outbox
from integrations.store.rebuild import rebuild
from models.appointments import Appointment, Participant
from models.audit import Audit
from models.errors import UsageError
from models.instants import DAY, HOUR, at_wall
from models.invitations import Invitation, InvitationState, Wanted, sent_of, wanted_of
from models.notices import Message, MessageState
from models.people import Client
from tests.builders import NOW, ZONE, Clinic, at
from tests.integrations.messages.servers import HANG_UP, scripted
from tests.integrations.test_delivery import at_port

TUESDAY = "2026-12-01T10:00:00"
WEDNESDAY = "2026-12-02T15:30:00"
THERAPIST = "therapist:T1"


@pytest.fixture
def mailbox(tmp_path):
    with Mailbox(tmp_path / "mails") as mailbox:
        yield mailbox


@pytest.fixture
def practice(a_clinic, mailbox):
    """A practice with one client that sends into the mailbox."""
    clinic = a_clinic(port=mailbox.port, more='[invitations]\nplace = "Room 2"\nphone = "030 1234"\n')
    clinic.client("1001", "Anna Müller", contact="anna@example.net")
    clinic.sync()
    clinic.arm()
    return clinic


def code_of(clinic: Clinic) -> str:
    return str(clinic.rows(Client, id=clinic.id_of("1001"))[0].code)


def a_wish(clinic: Clinic, wall: str = TUESDAY, *, cancelled: bool = False, title: str = "") -> Wanted:
    return Wanted(wall, ZONE, 50, title or f"Appointment {code_of(clinic)}", "Room 2", cancelled)


def want(clinic: Clinic, wanted: Wanted, *, uid: str = "", now: int = NOW, to: str = THERAPIST, **more: Any) -> str:
    with clinic.practice.store.write() as connection:
        return invitations.want(clinic.practice, connection, clinic.id_of("1001"), to, wanted, now, uid=uid, **more)


def send(clinic: Clinic, now: int = NOW) -> Delivered:
    return deliver(clinic.practice, now, "me")


def the(clinic: Clinic) -> Any:
    (row,) = clinic.rows(Invitation)
    return row


def parts(mail: EmailMessage) -> tuple[bytes, bytes]:
    """The invitation twice: as an alternative to the words, and as a file."""
    (shown,) = [part for part in mail.walk() if part.get_content_type() == "text/calendar"]
    (file,) = [part for part in mail.walk() if part.get_content_type() == "application/ics"]
    return shown.get_payload(decode=True), file.get_payload(decode=True)


def event_of(mail: Any) -> Any:
    content = parts(mail.parsed)[0]
    (event,) = icalendar.Calendar.from_ical(content).walk("VEVENT")
    return event


def test_an_invitation_is_a_mail_on_which_calendar_programs_act(practice, mailbox):
    uid = want(practice, a_wish(practice))
    assert send(practice) == Delivered(sent=1)
    (mail,) = read_mails(mailbox.folder)
    assert mail.to == "t1@example.org"
    parsed = mail.parsed
    assert parsed.get_content_type() == "multipart/mixed"
    alternative, file = parsed.iter_parts()
    assert [part.get_content_type() for part in alternative.iter_parts()] == [
        "text/plain",
        "text/html",
        "text/calendar",
    ]
    shown = list(alternative.iter_parts())[2]
    assert shown["Content-Type"].params["method"] == "REQUEST"
    assert file.get_filename() == "invite.ics"
    content, attached = parts(parsed)
    assert content == attached
    calendar = icalendar.Calendar.from_ical(content)
    assert calendar["METHOD"] == "REQUEST"
    assert "UID" not in calendar
    (event,) = calendar.walk("VEVENT")
    assert event["UID"] == uid
    assert re.fullmatch(r"[0-9a-f]{32}@tending\.invalid", uid)
    assert (event["SEQUENCE"], event["CLASS"], event["STATUS"]) == (0, "PRIVATE", "CONFIRMED")
    assert event.start.timestamp() == at("2026-12-01 10:00")
    assert (event.end - event.start).seconds == 3000
    assert event["ORGANIZER"] == "mailto:tending@example.org"
    assert event["ATTENDEE"] == f"mailto:{mail.to}"
    assert event["ATTENDEE"].params["RSVP"] == "TRUE"
    assert event["SUMMARY"] == f"Appointment {code_of(practice)}"
    assert "RRULE" not in event
    (alarm,) = calendar.walk("VALARM")
    assert alarm["ACTION"] == "DISPLAY"
    whole = mail.path.read_text() + content.decode() + mail.text + mail.html
    for identity in ("Anna", "Müller", "1001", "anna@example.net"):
        assert identity not in whole
    assert code_of(practice) not in mail.subject


def test_the_words_stand_alone(practice, mailbox):
    uid = want(practice, a_wish(practice))
    send(practice)
    want(practice, a_wish(practice, WEDNESDAY), uid=uid, now=NOW + HOUR)
    send(practice, NOW + HOUR)
    want(practice, a_wish(practice, WEDNESDAY, cancelled=True), uid=uid, now=NOW + 2 * HOUR)
    send(practice, NOW + 2 * HOUR)
    first, moved, off = (" ".join(mail.text.split()) for mail in read_mails(mailbox.folder))
    code = code_of(practice)
    assert f"Appointment on Tue 1 Dec 2026 at 10:00 (Europe/Berlin) For {code}: 50 minutes, Room 2." in first
    assert "It was meant for" not in first
    assert "The client knows nothing of it from us. Accept or decline it in your calendar" in first
    assert "ending" not in first
    assert "Appointment on Wed 2 Dec 2026 at 15:30 (Europe/Berlin)" in moved
    assert "It was meant for Tue 1 Dec 2026 at 10:00 (Europe/Berlin)." in moved
    assert "Called off: Wed 2 Dec 2026 at 15:30 (Europe/Berlin)" in off


def test_the_therapist_reads_whether_it_is_of_an_ending_and_whether_the_client_knows(practice, mailbox):
    uid = want(practice, a_wish(practice), about="ending:1")
    send(practice)
    theirs = {"to": f"client:{code_of(practice)}", "approved": "anna", "about": "ending:1"}
    want(practice, a_wish(practice, title="Appointment"), uid=uid, **theirs)
    send(practice, NOW + 1)
    want(practice, a_wish(practice, WEDNESDAY), uid=uid, now=NOW + HOUR)
    send(practice, NOW + HOUR)
    first, client, second = (" ".join(mail.text.split()) for mail in read_mails(mailbox.folder))
    assert "It belongs to the ending of their care. The client knows nothing of it from us." in first
    assert "belongs to the ending" in second
    assert "knows nothing" not in second
    assert "ending" not in client


def test_what_is_equal_is_not_told_and_what_was_never_sent_is_not_called_off(practice, mailbox):
    uid = want(practice, a_wish(practice))
    assert want(practice, a_wish(practice), uid=uid) == uid
    want(practice, a_wish(practice, cancelled=True), uid=uid)
    assert send(practice) == Delivered()
    want(practice, a_wish(practice), uid=uid)
    assert send(practice).sent == 1
    assert send(practice, NOW + HOUR) == Delivered()
    assert len(read_mails(mailbox.folder)) == 1


def test_several_changes_between_two_deliveries_are_one_message(practice, mailbox):
    uid = want(practice, a_wish(practice))
    send(practice)
    for wall in (WEDNESDAY, "2026-12-03T09:00:00", WEDNESDAY):
        want(practice, a_wish(practice, wall), uid=uid)
    assert send(practice, NOW + 1).sent == 1
    first, second = (event_of(mail) for mail in read_mails(mailbox.folder))
    assert (first["SEQUENCE"], second["SEQUENCE"]) == (0, 1)
    assert second["UID"] == first["UID"]
    assert second["DTSTAMP"].dt > first["DTSTAMP"].dt


def test_there_and_back_between_two_deliveries_is_nothing(practice, mailbox):
    uid = want(practice, a_wish(practice))
    send(practice)
    want(practice, a_wish(practice, WEDNESDAY), uid=uid)
    want(practice, a_wish(practice), uid=uid)
    assert send(practice, NOW + 1) == Delivered()


def test_a_refusal_is_tried_again_with_the_same_bytes(practice, mailbox):
    with scripted(RCPT="450 not now") as server:
        at_port(practice, server.port)
        want(practice, a_wish(practice))
        assert send(practice).refused == 1
        assert (the(practice).state, the(practice).tries, the(practice).not_before) == ("waiting", 1, NOW + 60)
        with practice.practice.store.read() as connection:
            assert invitations.refused(connection)
        assert send(practice, NOW + 59) == Delivered()
    first = the(practice).going
    with scripted(content=HANG_UP) as server:
        at_port(practice, server.port)
        assert send(practice, NOW + 60).unsure == 1
    at_port(practice, mailbox.port)
    row = the(practice)
    assert (row.state, row.sent, row.going) == ("asked", {}, first)
    assert send(practice, NOW + HOUR) == Delivered(sent=1), "the administrator is asked"
    with practice.practice.store.write() as connection:
        outbox.again(connection, row.message_id, NOW + HOUR)
    assert send(practice, NOW + HOUR).sent == 1
    mail = read_mails(mailbox.folder)[-1]
    on_the_wire = re.sub(rb"(?m)^\.\.", b".", server.mails[0])
    assert mail.path.read_bytes().removeprefix(b"Delivered-To: t1@example.org\r\n") == on_the_wire
    assert the(practice).state == "even"
    assert len({m.message_id_header for m in practice.rows(Message)}) == len(practice.rows(Message))


def test_what_is_wanted_otherwise_after_a_refusal_is_another_message(practice, mailbox):
    with scripted(RCPT="450 not now") as server:
        at_port(practice, server.port)
        uid = want(practice, a_wish(practice))
        send(practice)
    at_port(practice, mailbox.port)
    want(practice, a_wish(practice, WEDNESDAY), uid=uid, now=NOW + HOUR)
    send(practice, NOW + HOUR)
    (mail,) = read_mails(mailbox.folder)
    event = event_of(mail)
    assert (event["SEQUENCE"], event.start.timestamp()) == (1, at("2026-12-02 15:30"))
    assert "It was meant for" not in mail.text


@pytest.mark.parametrize(("said", "state", "mails"), [("arrived", "waiting", 1), ("drop", "dropped", 0)])
def test_a_person_says_whether_it_arrived(practice, mailbox, said, state, mails):
    """Cancelled while nobody knew whether the invitation had arrived: it is called off only where it had."""
    with scripted(content=HANG_UP) as server:
        at_port(practice, server.port)
        uid = want(practice, a_wish(practice))
        assert send(practice).unsure == 1
    at_port(practice, mailbox.port)
    want(practice, a_wish(practice, cancelled=True), uid=uid)
    assert send(practice, NOW + 1).sent == 1, "only the administrator's question"
    number = the(practice).message_id
    with practice.practice.store.write() as connection:
        to = MessageState.sent if said == "arrived" else MessageState.dropped
        outbox.move(connection, number, to, NOW + 2)
    assert the(practice).state == state
    assert send(practice, NOW + 3).sent == mails
    if mails:
        assert event_of(read_mails(mailbox.folder)[-1])["STATUS"] == "CANCELLED"


def test_an_address_that_is_refused_for_good_waits_for_a_person(practice, mailbox):
    with scripted(RCPT="550 nobody of that name") as server:
        at_port(practice, server.port)
        want(practice, a_wish(practice))
        assert send(practice).failed == 1
    at_port(practice, mailbox.port)
    assert (the(practice).state, practice.rows(Message)[0].state) == ("asked", "failed")
    send(practice, NOW + HOUR)
    assert {mail.to for mail in read_mails(mailbox.folder)} == {"admin@example.org"}


def test_one_message_of_an_appointment_is_underway_at_a_time(practice, mailbox):
    uid = want(practice, a_wish(practice))
    want(practice, a_wish(practice), uid=uid, to=f"client:{code_of(practice)}", approved="anna")
    post = PostRoom(practice.practice)
    with practice.practice.store.read() as connection:
        first, second = inviting.due(connection, NOW)
    claimed = post.invite(first, NOW, "me")
    assert claimed
    assert post.invite(first, NOW, "you") is None
    assert post.invite(second, NOW, "you") is None
    assert post.give(claimed, NOW) == "sent"
    other = post.invite(second, NOW, "me")
    assert other
    assert post.give(other, NOW) == "sent"


@pytest.mark.parametrize(("handing", "state", "mails"), [(False, "waiting", 1), (True, "asked", 0)])
def test_a_process_that_ends_between_claim_and_record(practice, mailbox, handing, state, mails):
    """Before the hand-over it waits again; during it nobody knows, and a person is asked."""
    want(practice, a_wish(practice))
    with practice.practice.store.write() as connection:
        (number,) = inviting.due(connection, NOW)
    claimed = PostRoom(practice.practice).invite(number, NOW, "gone")
    assert claimed
    with practice.practice.store.write() as connection:
        if handing:
            outbox.move(connection, claimed.id, MessageState.handing, NOW)
        outbox.recover(connection, NOW, NOW)
    assert the(practice).state == state
    send(practice, NOW + HOUR)
    sent = [mail for mail in read_mails(mailbox.folder) if mail.to == "t1@example.org"]
    assert len(sent) == mails
    with practice.practice.store.read() as connection:
        assert leases.alive(connection, NOW) == set()


# ---------------------------------------------------------------- who may be told


def test_a_client_is_invited_only_by_what_a_person_approved(practice, mailbox):
    to = f"client:{code_of(practice)}"
    with pytest.raises(ValueError, match="approved"):
        want(practice, a_wish(practice, title="Appointment"), to=to)
    want(practice, a_wish(practice, title="Appointment"), to=to, approved="anna")
    assert send(practice).sent == 1
    (mail,) = read_mails(mailbox.folder)
    event = event_of(mail)
    assert (mail.to, str(event["ATTENDEE"])) == ("anna@example.net", "mailto:anna@example.net")
    assert event["ATTENDEE"].params["RSVP"] == "FALSE", "nobody reads what a client's program answers"
    assert mail.subject == "Northside: Appointment"
    assert "Appointment on Tue 1 Dec 2026 at 10:00" in mail.text
    assert "call 030 1234: an answer by mail is not read" in " ".join(mail.text.split())
    assert "The client" not in mail.text
    whole = mail.path.read_text() + parts(mail.parsed)[0].decode() + mail.text
    assert code_of(practice) not in whole
    assert "t1@example.org" not in whole
    act = [a for a in practice.rows(Audit) if a.act == "contact read"][-1]
    assert (act.who, act.subject) == ("anna", code_of(practice))


@pytest.mark.parametrize(
    ("column", "reason"),
    [
        ({"died": "yes"}, "the client has died"),
        ({"opted_out": "yes"}, "the client asked not to be written to"),
        ({"paused": "yes"}, "the client's care is paused"),
    ],
)
def test_whom_nothing_may_be_sent_to_is_not_invited(practice, mailbox, column, reason):
    want(practice, a_wish(practice), to=f"client:{code_of(practice)}", approved="anna")
    practice.clients[0] |= column
    practice.sync(NOW + 1)
    assert send(practice, NOW + 2) == Delivered()
    assert (the(practice).state, the(practice).outcome) == ("dropped", reason)


def test_after_a_death_the_therapist_is_told_only_that_it_is_off(practice, mailbox):
    uid = want(practice, a_wish(practice))
    send(practice)
    practice.clients[0]["died"] = "yes"
    practice.sync(NOW + 1)
    want(practice, a_wish(practice, WEDNESDAY), uid=uid, now=NOW + 2)
    assert send(practice, NOW + 2) == Delivered()
    want(practice, a_wish(practice, WEDNESDAY, cancelled=True), uid=uid, now=NOW + 3)
    assert send(practice, NOW + 3).sent == 1


def test_who_has_no_address_is_shown_after_a_day(practice, mailbox):
    practice.therapists[0]["email"] = ""
    practice.sync(NOW + 1)
    want(practice, a_wish(practice))
    for after, shown in ((0, 0), (DAY - 1, 0), (DAY, 1)):
        assert send(practice, NOW + after) == Delivered()
        with practice.practice.store.read() as connection:
            assert invitations.waiting_long(connection, NOW + after) == shown


def test_what_a_person_dropped_is_sent_only_when_a_person_asks_again(practice, mailbox):
    with scripted(RCPT="550 nobody of that name") as server:
        at_port(practice, server.port)
        uid = want(practice, a_wish(practice))
        send(practice)
    at_port(practice, mailbox.port)
    with practice.practice.store.write() as connection:
        outbox.move(connection, the(practice).message_id, MessageState.dropped, NOW + 1, "a person dropped it")
    want(practice, a_wish(practice), uid=uid, now=NOW + 2)
    assert send(practice, NOW + 2).sent == 1, "only the news of the failure"
    want(practice, a_wish(practice), uid=uid, now=NOW + 3, again=True)
    assert send(practice, NOW + 3).sent == 1
    assert (event_of(read_mails(mailbox.folder)[-1])["SEQUENCE"], the(practice).state) == (1, "even")


def test_what_has_begun_is_not_told(practice, mailbox):
    want(practice, a_wish(practice))
    assert send(practice, at("2026-12-01 10:00")) == Delivered()
    assert the(practice).outcome == "the appointment has begun"


def test_another_clients_appointment_is_not_taken_over(practice):
    practice.client("1002", "Bert")
    practice.sync(NOW + 1)
    uid = want(practice, a_wish(practice))
    with practice.practice.store.write() as connection, pytest.raises(UsageError):
        invitations.want(
            practice.practice, connection, practice.id_of("1002"), THERAPIST, a_wish(practice), NOW, uid=uid
        )


def test_what_is_withdrawn_is_called_off_and_a_client_is_told_only_where_somebody_says_so(practice, mailbox):
    code = code_of(practice)
    first = want(practice, a_wish(practice), about="ending:1")
    want(
        practice,
        a_wish(practice, title="Appointment"),
        uid=first,
        to=f"client:{code}",
        approved="anna",
        about="ending:1",
    )
    never = want(practice, a_wish(practice, WEDNESDAY))
    assert send(practice).sent == 3
    with practice.practice.store.write() as connection:
        assert invitations.call_off_all(practice.practice, connection, "ending:1", NOW + 1) == 1
    assert send(practice, NOW + 1).sent == 1
    assert read_mails(mailbox.folder)[-1].to == "t1@example.org"
    with practice.practice.store.write() as connection:
        sides = {(s.uid, s.recipient): (s.wanted.cancelled, s.apart) for s in invitations.listed(connection, NOW + 1)}
        assert sides == {
            (first, THERAPIST): (True, False),
            (first, f"client:{code}"): (False, True),
            (never, THERAPIST): (False, False),
        }
        assert invitations.call_off_all(practice.practice, connection, "ending:1", NOW + 2, approved="anna") == 2
    assert send(practice, NOW + 2).sent == 1
    last = read_mails(mailbox.folder)[-1]
    assert (last.to, event_of(last)["STATUS"], last.parsed.get_content_type()) == (
        "anna@example.net",
        "CANCELLED",
        "multipart/mixed",
    )


# ---------------------------------------------------------------- our own entry, seen again


DENTIST = (
    b"BEGIN:VEVENT\r\nUID:dentist\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:20261210T090000Z\r\nDURATION:PT1H\r\n"
    b"SUMMARY:Zahnarzt\r\nEND:VEVENT\r\n"
)


def shown(clinic: Clinic, *contents: bytes) -> None:
    """The therapist's calendar holds the entries of these files, and one of their own."""
    events = DENTIST + b"".join(re.findall(rb"BEGIN:VEVENT.*?END:VEVENT\r\n", content, re.S)[0] for content in contents)
    calendar = b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//calendar//EN\r\n" + events + b"END:VCALENDAR\r\n"
    (clinic.folder / "t1.ics").write_bytes(calendar)


def read(clinic: Clinic, now: int) -> None:
    from integrations.reading import read_source

    read_source(clinic.practice, clinic.practice.settings.source_named("cal-t1"), now)


@pytest.fixture
def invited(practice, mailbox):
    """The practice, the appointment's UID, and the invitation as it was sent."""
    uid = want(practice, a_wish(practice))
    send(practice)
    return practice, uid, parts(read_mails(mailbox.folder)[0].parsed)[0]


def starts(clinic: Clinic) -> list[tuple[int, str]]:
    """Appointments with what is planned for their client."""
    plans = {row.appointment_id: row.plan for row in clinic.rows(Participant)}
    return sorted((row.start_at, plans[row.id]) for row in clinic.rows(Appointment))


def answered(content: bytes, word: str) -> bytes:
    """The entry once its owner has answered the invitation."""
    assert b"PARTSTAT=NEEDS-ACTION" in content
    return content.replace(b"PARTSTAT=NEEDS-ACTION", b"PARTSTAT=" + word.encode())


def test_an_echo_is_no_news_and_makes_the_appointment(invited, mailbox):
    practice, _, content = invited
    shown(practice, answered(content, "ACCEPTED"))
    read(practice, NOW + HOUR)
    assert starts(practice) == [(at("2026-12-01 10:00"), "booked")]
    assert wanted_of(the(practice).wanted) == a_wish(practice)
    assert send(practice, NOW + HOUR) == Delivered()


def test_what_the_therapist_moves_is_their_change_and_no_message_goes_back(invited, mailbox):
    practice, uid, content = invited
    content = answered(content, "ACCEPTED")
    shown(practice, content)
    read(practice, NOW + HOUR)
    moved = content.replace(b"20261201T09", b"20261203T14")
    shown(practice, re.sub(rb"SUMMARY:.*?\r\n", "SUMMARY:Frau Müller\r\n".encode(), moved))
    read(practice, NOW + 2 * HOUR)
    assert starts(practice) == [(at("2026-12-03 15:00"), "booked")], "whose it is stands by its UID"
    wanted = wanted_of(the(practice).wanted)
    assert (wanted.wall, wanted.zone, wanted.minutes) == ("2026-12-03T15:00:00", ZONE, 50)
    assert send(practice, NOW + 2 * HOUR) == Delivered()
    assert rebuild(practice.practice, NOW + 2 * HOUR, dry_run=True).differed == ()
    # What is wanted next goes on from there.
    want(practice, wanted._replace(cancelled=True), uid=uid, now=NOW + 3 * HOUR)
    assert send(practice, NOW + 3 * HOUR).sent == 1
    event = event_of(read_mails(mailbox.folder)[-1])
    assert (event["STATUS"], event["SEQUENCE"], event.start.timestamp()) == ("CANCELLED", 1, at("2026-12-03 15:00"))


@pytest.mark.parametrize("how", ["taken out", "called off"])
def test_what_the_therapist_deletes_is_off_and_no_message_goes_back(invited, mailbox, how):
    practice, _, content = invited
    shown(practice, content)
    read(practice, NOW + HOUR)
    if how == "taken out":
        shown(practice)
    else:
        shown(practice, content.replace(b"STATUS:CONFIRMED", b"STATUS:CANCELLED"))
    read(practice, NOW + 2 * HOUR)
    assert [plan for _, plan in starts(practice)] == ["cancelled"]
    assert the(practice).wanted["cancelled"] is True
    assert sent_of(the(practice).sent).cancelled
    assert send(practice, NOW + 4 * HOUR) == Delivered()


@pytest.mark.parametrize("word", ["NEEDS-ACTION", "TENTATIVE", "DELEGATED"])
@pytest.mark.parametrize("status", [b"CONFIRMED", b"TENTATIVE"])
def test_what_a_program_entered_by_itself_is_not_booked_until_somebody_accepts_it(invited, mailbox, word, status):
    practice, _, content = invited
    content = content.replace(b"STATUS:CONFIRMED", b"STATUS:" + status)
    shown(practice, answered(content, word))
    read(practice, NOW + HOUR)
    assert [plan for _, plan in starts(practice)] == ["proposed"]
    shown(practice, answered(content, "ACCEPTED"))
    read(practice, NOW + 2 * HOUR)
    assert [plan for _, plan in starts(practice)] == ["booked"]
    assert wanted_of(the(practice).wanted) == a_wish(practice)
    assert send(practice, NOW + 2 * HOUR) == Delivered()


def test_what_the_therapist_declines_is_off_and_what_they_accept_after_all_is_on_again(invited, mailbox):
    practice, _, content = invited
    shown(practice, answered(content, "DECLINED"))
    read(practice, NOW + HOUR)
    assert [plan for _, plan in starts(practice)] == ["cancelled"]
    assert the(practice).wanted["cancelled"] is True
    assert send(practice, NOW + HOUR) == Delivered(), "nobody is told what they said themselves"
    shown(practice, answered(content, "ACCEPTED"))
    read(practice, NOW + 2 * HOUR)
    assert [plan for _, plan in starts(practice)] == ["booked"]
    assert wanted_of(the(practice).wanted) == a_wish(practice)
    assert send(practice, NOW + 2 * HOUR) == Delivered()
    assert rebuild(practice.practice, NOW + 2 * HOUR, dry_run=True).differed == ()


def test_of_several_guests_who_differ_nobody_has_answered_and_the_host_is_none(invited, mailbox):
    practice, _, content = invited
    declined = b"ATTENDEE;PARTSTAT=DECLINED:mailto:other@example.org\r\nEND:VEVENT"
    host = b"ATTENDEE;PARTSTAT=DECLINED:MAILTO:tending@example.org\r\nEND:VEVENT"
    accepted = answered(content, "ACCEPTED")
    for entry, plan in (
        (accepted.replace(b"END:VEVENT", declined), "proposed"),
        (accepted.replace(b"END:VEVENT", host), "booked"),
    ):
        shown(practice, entry)
        read(practice, NOW + (HOUR if plan == "proposed" else 2 * HOUR))
        assert [each for _, each in starts(practice)] == [plan]


def test_our_next_message_bears_a_higher_number_than_the_calendar_shows(invited, mailbox):
    """Programs count changes of their owner's too, and ignore what bears a lower number."""
    practice, uid, content = invited
    shown(practice, answered(content, "ACCEPTED").replace(b"SEQUENCE:0", b"SEQUENCE:5"))
    read(practice, NOW + HOUR)
    want(practice, a_wish(practice, WEDNESDAY), uid=uid, now=NOW + 2 * HOUR)
    send(practice, NOW + 2 * HOUR)
    want(practice, a_wish(practice, WEDNESDAY, cancelled=True), uid=uid, now=NOW + 3 * HOUR)
    send(practice, NOW + 3 * HOUR)
    numbers = [event_of(mail)["SEQUENCE"] for mail in read_mails(mailbox.folder)]
    assert numbers == [0, 6, 7]


def test_what_did_not_leave_is_made_anew_under_the_number_that_the_calendar_shows(invited, mailbox):
    practice, uid, content = invited
    with scripted(RCPT="450 not now") as server:
        at_port(practice, server.port)
        want(practice, a_wish(practice, WEDNESDAY), uid=uid)
        assert send(practice).refused == 1
    at_port(practice, mailbox.port)
    shown(practice, answered(content, "ACCEPTED").replace(b"SEQUENCE:0", b"SEQUENCE:5"))
    read(practice, NOW + HOUR)
    send(practice, NOW + 2 * HOUR)
    assert event_of(read_mails(mailbox.folder)[-1])["SEQUENCE"] == 6


def test_a_calendar_that_lags_behind_is_no_change(invited, mailbox):
    """It shows the first invitation only after the second has left: that is not the therapist moving it back."""
    practice, uid, first = invited
    want(practice, a_wish(practice, WEDNESDAY), uid=uid, now=NOW + HOUR)
    send(practice, NOW + HOUR)
    shown(practice, first)
    read(practice, NOW + 2 * HOUR)
    assert wanted_of(the(practice).wanted).wall == WEDNESDAY
    second = parts(read_mails(mailbox.folder)[-1].parsed)[0]
    shown(practice, second)
    read(practice, NOW + 3 * HOUR)
    assert wanted_of(the(practice).wanted).wall == WEDNESDAY
    # Once it shows the second, the first time is the therapist's own choice.
    shown(
        practice,
        second.replace(b"20261202T143000Z", b"20261201T090000Z").replace(b"20261202T152000Z", b"20261201T095000Z"),
    )
    read(practice, NOW + 4 * HOUR)
    assert wanted_of(the(practice).wanted).wall == TUESDAY
    assert send(practice, NOW + 4 * HOUR) == Delivered()


def test_an_invitation_in_another_therapists_calendar_is_no_echo(a_clinic, mailbox):
    """The same entry, copied into somebody else's calendar, changes nothing of ours."""
    clinic = a_clinic(port=mailbox.port, calendars=("t1", "t2"))
    clinic.client("1001", "Anna Müller")
    clinic.sync()
    clinic.arm()
    want(clinic, a_wish(clinic))
    send(clinic)
    content = parts(read_mails(mailbox.folder)[0].parsed)[0]
    shown(clinic, content.replace(b"20261201T09", b"20261203T14"))
    (clinic.folder / "t1.ics").rename(clinic.folder / "t2.ics")
    from integrations.reading import read_source

    read_source(clinic.practice, clinic.practice.settings.source_named("cal-t2"), NOW + HOUR)
    assert wanted_of(the(clinic).wanted).wall == TUESDAY


def test_new_zone_data_tell_of_the_same_wall_time(practice, mailbox):
    """What was sent for another instant than the wall time means now is sent anew."""
    want(practice, a_wish(practice))
    send(practice)
    wrong = the(practice).sent | {"start": at_wall(TUESDAY, "UTC"), "end": at_wall(TUESDAY, "UTC") + 3000}
    with practice.practice.store.write() as connection:
        from sqlalchemy import update

        from integrations.store.tables import table

        connection.execute(update(table(Invitation)).values(sent=wrong))
    assert the(practice).state == InvitationState.even
    assert send(practice, NOW + HOUR).sent == 1
    assert event_of(read_mails(mailbox.folder)[-1]).start.timestamp() == at("2026-12-01 10:00")
