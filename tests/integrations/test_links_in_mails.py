"""Links in mails: made when a message is claimed, good for the one card, and kept nowhere but as a hash."""

import re

import pytest

from integrations.delivery import deliver
from integrations.ending import begin, say
from integrations.messages.mailbox import Mailbox, read_mails
from integrations.store import accounts, links
from integrations.store.terminations import Start
from models.accounts import LinkState, Purpose, Role
from models.ending_acts import What
from models.instants import DAY, HOUR
from models.notices import Message
from tests.builders import NOW, days_ago, each

LATER = NOW + HOUR
DESK = '[desk]\npublic_url = "https://desk.example.org"\n'


@pytest.fixture
def mailbox(tmp_path):
    with Mailbox(tmp_path / "mails") as mailbox:
        yield mailbox


def alerting(a_clinic, mailbox, more):
    clinic = a_clinic(port=mailbox.port, policy='speak = "at_once"', more=more)
    clinic.client("1001", "Anna Müller")
    clinic.seen("1001", *each(7, 6, days_ago(13.99)))
    clinic.sync()
    clinic.look()
    clinic.arm()
    clinic.sync(LATER)
    clinic.look(LATER)
    assert deliver(clinic.practice, LATER, "test").sent == 1
    return clinic


def test_a_mail_links_to_its_card_and_only_a_hash_is_kept(a_clinic, mailbox):
    clinic = alerting(a_clinic, mailbox, DESK)
    (mail,) = read_mails(mailbox.folder)
    (token,) = re.findall(r"https://desk\.example\.org/card/([\w-]+)", mail.text)
    assert token in mail.html
    with clinic.practice.store.read() as connection:
        opened = links.open(connection, clinic.practice.vault, token, Purpose.card, LATER + HOUR)
        assert opened.state is LinkState.good
        assert (opened.link.client_id, opened.link.kind) == (clinic.id_of("1001"), "quiet")
        assert opened.link.recipient == "therapist:T1"
        assert links.open(connection, clinic.practice.vault, token, Purpose.card, LATER + 14 * DAY).state is (
            LinkState.expired
        )
        everything = [
            str(row)
            for name in ("link", "notice", "message", "audit", "fact")
            for row in connection.exec_driver_sql(f"SELECT * FROM {name}").all()
        ]
    assert token not in "".join(everything)
    (message,) = clinic.rows(Message)
    kept = str(clinic.practice.vault.open(message.sealed))
    assert "Last seen" in kept
    assert token not in kept


def test_whoever_is_to_confirm_an_ending_gets_a_link_to_exactly_that(a_clinic, mailbox):
    clinic = alerting(a_clinic, mailbox, DESK)
    clinic.therapists[0] |= {"supervisor": "T2"}
    clinic.therapist("T2")
    clinic.sync(LATER)
    with clinic.practice.store.write() as connection:
        said = Start("beyond", "no")
        begin(clinic.practice, connection, clinic.id_of("1001"), said, "therapist:T1", LATER)
    deliver(clinic.practice, LATER + DAY, "test")
    mail = next(mail for mail in read_mails(mailbox.folder) if mail.to == "t2@example.org")
    (token,) = re.findall(r"https://desk\.example\.org/card/([\w-]+)", mail.text)
    with clinic.practice.store.write() as connection:
        opened = links.open(connection, clinic.practice.vault, token, Purpose.card, LATER + DAY)
        assert (opened.link.client_id, opened.link.kind) == (clinic.id_of("1001"), "ending_confirm")
        assert opened.link.recipient == "therapist:T2"
        say(clinic.practice, connection, clinic.id_of("1001"), What.declined, "therapist:T2", LATER + DAY)
    deliver(clinic.practice, LATER + 2 * DAY, "test")
    told = read_mails(mailbox.folder)[-1]
    assert "is not confirmed" in told.text
    assert "ending_confirm" not in {row.kind for row in clinic.rows(links.Link) if row.recipient == "therapist:T1"}


@pytest.mark.parametrize(("more", "commands"), [(DESK, False), ("", True)])
def test_a_therapists_mail_names_commands_only_where_there_is_no_desk(a_clinic, mailbox, more, commands):
    clinic = alerting(a_clinic, mailbox, more)
    with clinic.practice.store.write() as connection:
        client = clinic.id_of("1001")
        begin(clinic.practice, connection, client, Start("wish", "no"), "therapist:T1", LATER)
    for days in range(1, 40):
        now = LATER + days * DAY
        clinic.sync(now)
        clinic.look(now)
        deliver(clinic.practice, now, "test")
    mails = [" ".join(mail.text.split()) for mail in read_mails(mailbox.folder) if mail.to == "t1@example.org"]
    assert any("Ending: next step" in text for text in mails)
    assert any("`tending" in text for text in mails) is commands


def test_without_an_address_of_the_desk_there_is_no_link(a_clinic, mailbox):
    clinic = alerting(a_clinic, mailbox, "")
    (mail,) = read_mails(mailbox.folder)
    assert "http" not in mail.text
    assert clinic.rows(links.Link) == []


def test_a_sign_in_link_goes_to_the_accounts_own_address(a_clinic, mailbox):
    clinic = alerting(a_clinic, mailbox, DESK)
    with clinic.practice.store.write() as connection:
        number = accounts.add(
            connection, clinic.practice.vault, Role.technical, "Tina", "tina@example.org", "", "test", LATER
        )
        assert accounts.ask_for_link(connection, Purpose.sign_in, f"account:{number}", LATER)
    deliver(clinic.practice, LATER, "test")
    mail = read_mails(mailbox.folder)[-1]
    assert mail.to == "tina@example.org"
    (token,) = re.findall(r"/in/([\w-]+)", mail.text)
    with clinic.practice.store.read() as connection:
        good = links.open(connection, clinic.practice.vault, token, Purpose.sign_in, LATER + 60)
        assert (good.state, good.link.recipient) == (LinkState.good, f"account:{number}")
        assert (
            links.open(connection, clinic.practice.vault, token, Purpose.sign_in, LATER + 901).state
            is LinkState.expired
        )
    with clinic.practice.store.write() as connection:
        accounts.disable(connection, number, "test", LATER)
        assert accounts.ask_for_link(connection, Purpose.sign_in, f"account:{number}", LATER + HOUR)
    deliver(clinic.practice, LATER + HOUR, "test")
    assert [m.to for m in read_mails(mailbox.folder)] == ["t1@example.org", "tina@example.org"]
