"""Entries of a work calendar that name a former client: asked of the therapist alone, where the practice wants it, and of nobody else."""

import pytest

from integrations.delivery import deliver
from integrations.messages.mailbox import Mailbox, read_mails
from integrations.practice import open_practice
from integrations.reading import read_source
from integrations.store import outbox
from integrations.store.watching import tell_of_sources
from models.errors import SettingsError
from models.instants import DAY, HOUR
from models.notices import Message, MessageState
from models.observations import Observation
from tests.builders import NOW, days_ago, each, in_days

CODE, OTHER, NAMED = "C-7F3K9QX", "C-2222222", "C-3333333"
ON = "ask_about_former = true"
MORNING = NOW + 2 * DAY


@pytest.fixture
def mailbox(tmp_path):
    with Mailbox(tmp_path / "mails") as mailbox:
        yield mailbox


def fill(clinic):
    """A former client named by code in a series and once more, one in care, one named by name, and one who died."""
    clinic.client("1001", "Anna Müller", status="ended", code=CODE)
    clinic.client("1002", "Berta Braun", code=OTHER)
    clinic.client("1003", "Clara Christ", status="ended", code=NAMED)
    clinic.client("1004", "Dora Dorn", status="ended", code="C-4444444", died="yes")
    clinic.seen("1001", *each(7, 5, days_ago(900)))
    clinic.entry("t1", "series", in_days(5), f"Tea {CODE}", "RRULE:FREQ=WEEKLY;COUNT=3\r\n")
    clinic.entry("t1", "past", days_ago(5), f"Tea {CODE}")
    clinic.entry("t1", "care", in_days(6), OTHER)
    clinic.entry("t1", "name", in_days(7), "Clara Christ")
    clinic.entry("t1", "died", in_days(8), "C-4444444")
    clinic.sync()
    clinic.look()


def tell(clinic, now=NOW):
    clinic.sync(now)
    with clinic.practice.store.write() as connection:
        return tell_of_sources(clinic.practice, connection, now)


def asked(clinic):
    return [(n.purpose, n.recipient, n.facts.get("code")) for n in clinic.notices() if n.purpose.startswith("former")]


def test_it_is_off_unless_it_is_wanted(a_clinic):
    clinic = a_clinic()
    fill(clinic)
    tell(clinic)
    assert asked(clinic) == []


def test_the_therapist_is_told_that_it_is_on_and_asked_once_about_a_series(a_clinic, mailbox):
    clinic = a_clinic(calendar=ON, port=mailbox.port)
    fill(clinic)
    clinic.arm()
    for now in (NOW, NOW + HOUR, MORNING):
        tell(clinic, now)
    assert asked(clinic) == [("former_looked", "therapist:T1", None), ("former_entry", "therapist:T1", CODE)]
    assert {n.client_id for n in clinic.notices()} == {None}, "no other page tells of it"
    deliver(clinic.practice, MORNING, "me")
    mails = read_mails(mailbox.folder)
    assert {mail.to for mail in mails} == {"t1@example.org"}
    text = " ".join(" ".join(mail.text.split()) for mail in mails)
    assert f"that names {CODE}, whose care has ended" in text
    assert "the client's page says what holds" in text
    assert "looked through for entries ahead" in text
    assert "Anna" not in text
    clinic.entry("t1", "another", in_days(9), CODE)
    tell(clinic, MORNING + HOUR)
    assert len(asked(clinic)) == 3


GUEST = "ATTENDEE;CN=A. M.;PARTSTAT=ACCEPTED:mailto:%s\r\n"


@pytest.mark.parametrize(
    ("title", "more", "is_asked"),
    [
        ("Tea", GUEST % "anna@example.org", True),
        ("Tea", GUEST % "Anna@Example.ORG", True),
        ("Tea", "ORGANIZER:MAILTO:anna@example.org\r\n" + GUEST % "t1@example.org", True),
        ("Tea", "ATTENDEE;EMAIL=anna@example.org:urn:uuid:1\r\n", True),
        ("Tea", 'ATTENDEE;CN="anna@example.org, Anna":mailto:anna%40example.org\r\n', True),
        ("Tea, anna@example.org", "", True),
        ("Tea", GUEST % "joanna@example.org", False),
        ("Tea", GUEST % "anna@example.org.uk", False),
        ("Tea", GUEST % "shared@example.org", False),  # of two clients
        ("Tea", GUEST % "berta@example.org", False),  # in care
        ("Tea", GUEST % "dora@example.org", False),  # died
        ("Tea", "DESCRIPTION:anna@example.org\r\n", False),
        ("Anna Müller", "", False),
    ],
)
def test_a_guest_is_known_by_the_exact_address(a_clinic, title, more, is_asked):
    clinic = a_clinic(calendar=ON)
    invited(clinic, title, more)
    assert [code for purpose, _, code in asked(clinic) if purpose == "former_entry"] == [CODE] * is_asked


def test_addresses_are_read_of_no_other_calendar_and_no_more_where_it_is_turned_off(a_clinic):
    clinic = a_clinic(calendar=ON)
    invited(clinic, "Tea", GUEST % "anna@example.org")
    path = clinic.folder / "practice.toml"

    def kept():
        return [row.hints.get("mail") for row in clinic.rows(Observation, kind="appointment", current=True)]

    assert [len(mails) for mails in kept()] == [1]
    path.write_text(path.read_text().replace(ON, ""))
    with open_practice(path) as practice:
        read_source(practice, practice.settings.source_named("cal-t1"), NOW + HOUR)
    assert kept() == [None]


def invited(clinic, title, more):
    """One entry, read before anybody is known, and then five clients with their addresses."""
    clinic.entry("t1", "tea", in_days(5), title, more)
    clinic.sync(NOW - HOUR)
    clinic.client("1001", "Anna Müller", status="ended", code=CODE, contact="+49 40 1234, anna@example.org")
    clinic.client("1002", "Berta Braun", contact="berta@example.org")
    clinic.client("1003", "Clara Christ", status="ended", contact="shared@example.org")
    clinic.client("1004", "Dora Dorn", status="ended", died="yes", contact="dora@example.org")
    clinic.client("1005", "Emil Ernst", contact="shared@example.org")
    tell(clinic)


@pytest.mark.parametrize("change", ["gone", "in care", "off"])
def test_what_is_no_longer_so_is_not_asked(a_clinic, mailbox, change):
    clinic = a_clinic(calendar=ON, port=mailbox.port)
    fill(clinic)
    clinic.arm()
    tell(clinic)
    if change == "gone":
        clinic.drop("t1", "series")
    elif change == "in care":
        clinic.clients[0]["status"] = "active"
    if change != "off":
        clinic.sync(NOW + HOUR)
    else:
        path = clinic.folder / "practice.toml"
        path.write_text(path.read_text().replace(ON, ""))
        with open_practice(path) as practice:
            deliver(practice, MORNING, "me")
    deliver(clinic.practice, MORNING, "me")
    (question,) = clinic.notices(purpose="former_entry")
    assert (question.state, question.outcome.startswith("the entry is gone or past")) == ("cancelled", True)
    assert not any(CODE in mail.text for mail in read_mails(mailbox.folder))


def test_who_cannot_be_reached_is_not_asked_through_somebody_else(a_clinic, mailbox):
    clinic = a_clinic(calendar=ON, port=mailbox.port)
    clinic.therapists[0]["email"] = ""
    fill(clinic)
    clinic.arm()
    tell(clinic)
    deliver(clinic.practice, MORNING, "me")
    assert {n.state for n in clinic.notices() if n.purpose.startswith("former")} == {"cancelled"}
    assert not any("former" in mail.text or CODE in mail.text for mail in read_mails(mailbox.folder))


def test_leave_sends_it_to_nobody_else_and_neither_does_a_refused_mail(a_clinic, mailbox):
    clinic = a_clinic(calendar=ON, port=mailbox.port)
    clinic.therapist("T2")
    clinic.leave.append({"id": "l1", "therapist": "T1", "from": "2026-01-01", "to": "2027-12-31", "cover": "T2"})
    fill(clinic)
    clinic.arm()
    tell(clinic)
    deliver(clinic.practice, MORNING, "me")
    mine = [m for m in clinic.rows(Message) if m.recipient == "therapist:T1"]
    assert [m.state for m in mine] == ["sent"]
    assert not any(CODE in mail.text for mail in read_mails(mailbox.folder) if mail.to != "t1@example.org")
    with clinic.practice.store.write() as connection:
        connection.exec_driver_sql(f"UPDATE message SET state = '{MessageState.handing.value}' WHERE id = {mine[0].id}")
        outbox.refused_for_good(connection, mine[0].id, MORNING, "refused.")
    assert {n.state for n in clinic.notices() if n.purpose.startswith("former")} == {"taken"}


def test_check_says_that_it_is_on_and_it_needs_a_therapist_to_ask(a_clinic):
    from tending.check import checks

    clinic = a_clinic(calendar=ON)
    path = clinic.folder / "practice.toml"
    said = [line.sentence for line in checks(path, NOW, offline=True) if "ask_about_former" in line.sentence]
    assert said == [
        "Entries that name a former client by code, id or mail address are asked about, of T1 alone, who is told so "
        "(ask_about_former)."
    ]
    text = path.read_text()
    for wrong in (
        text.replace('therapist = "T1"\n', ""),
        text.replace(ON, "").replace('kind = "records"', f'kind = "records"\n{ON}'),
    ):
        path.write_text(wrong)
        with pytest.raises(SettingsError, match="for a calendar whose therapist is named"):
            checks(path, NOW, offline=True)
