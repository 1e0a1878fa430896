"""From notices to mails in a real mailbox: once, by one of several, never from a copy, and a failing channel is told of by another."""

import multiprocessing
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from integrations.delivery import Delivered, PostRoom, deliver
from integrations.messages.mailbox import Mailbox, read_mails
from integrations.practice import open_practice
from integrations.store import arming, claiming, outbox
from integrations.store.leases import LeaseHeld
from integrations.store.tables import insert_new
from models.eligibility import Urgency
from models.errors import NotArmedError
from models.instants import DAY, HOUR
from models.notices import Message, Notice
from models.noticing import ADMIN, NoticeKey, notice_row
from tests.builders import NOW, Clinic, days_ago, each
from tests.integrations.messages.servers import scripted, web

LATER = NOW + HOUR
HELD = {"source": "records", "what": "goals", "vanished": 3, "ahead": 4}


@pytest.fixture
def mailbox(tmp_path):
    with Mailbox(tmp_path / "mails") as mailbox:
        yield mailbox


@pytest.fixture
def alerting(a_clinic, mailbox):
    """A practice with one notice that is due, which sends into the mailbox."""
    clinic = a_clinic(port=mailbox.port, policy='speak = "at_once"')
    clinic.client("1001", "Anna Müller")
    clinic.seen("1001", *each(7, 6, days_ago(13.99)))
    clinic.sync()
    clinic.look()
    clinic.sync(LATER)
    assert clinic.look(LATER).notices == 1
    clinic.arm()
    return clinic


def _deliver_in_a_process(path: Path, ready: Any, results: Any) -> None:
    with open_practice(path) as practice:
        ready.wait(30)
        try:
            results.put(deliver(practice, LATER, "worker").sent)
        except LeaseHeld:
            results.put(0)


def test_two_processes_at_once_send_one_mail(alerting, mailbox):
    context = multiprocessing.get_context("spawn")
    ready, results = context.Barrier(2), context.Queue()
    workers = [
        context.Process(target=_deliver_in_a_process, args=(alerting.folder / "practice.toml", ready, results))
        for _ in range(2)
    ]
    for worker in workers:
        worker.start()
    sent = sum(results.get(timeout=60) for _ in workers)
    for worker in workers:
        worker.join(30)
    assert sent == 1
    (mail,) = read_mails(mailbox.folder)
    assert mail.to == "t1@example.org"
    assert [m.state for m in alerting.rows(Message)] == ["sent"]
    assert deliver(alerting.practice, LATER + HOUR, "me") == Delivered()


def test_the_mail_holds_a_code_and_the_evidence_and_no_name(alerting, mailbox):
    assert deliver(alerting.practice, LATER, "me").sent == 1
    (mail,) = read_mails(mailbox.folder)
    assert "Last seen" in mail.text
    assert "C-" in mail.text
    for identity in ("Anna", "Müller", "1001"):
        assert identity not in mail.text + mail.html + mail.subject
    assert "C-" not in mail.subject


def test_a_copy_that_nobody_armed_sends_nothing(alerting, mailbox):
    (alerting.practice.data / arming.FILE).unlink()
    with pytest.raises(NotArmedError):
        deliver(alerting.practice, LATER, "me")
    assert read_mails(mailbox.folder) == []
    assert [n.state for n in alerting.rows(Notice)] == ["waiting"]


def test_disarmed_between_claim_and_hand_over_nothing_leaves(alerting, mailbox):
    practice = alerting.practice
    post = PostRoom(practice)
    with practice.store.write() as connection:
        (bundle,) = claiming.due_bundles(practice, connection, LATER)
    message = post.claim(bundle, LATER, "me")
    assert message
    arming.disarm(practice.store, practice.data, "test", LATER)
    with pytest.raises(NotArmedError):
        post.give(message, LATER)
    assert read_mails(mailbox.folder) == []
    assert [m.state for m in alerting.rows(Message)] == ["released"]
    assert [n.state for n in alerting.rows(Notice)] == ["waiting"]


def test_who_cannot_be_reached_is_tried_again_and_not_twice(alerting, mailbox):
    mailbox.stop()
    assert deliver(alerting.practice, LATER, "me").refused == 1
    (notice,) = alerting.rows(Notice)
    assert (notice.state, notice.tries, notice.not_before) == ("waiting", 1, LATER + 60)
    with Mailbox(mailbox.folder, port=mailbox.port):
        assert deliver(alerting.practice, LATER + 59, "me") == Delivered()
        assert deliver(alerting.practice, LATER + 60, "me").sent == 1
    assert len(read_mails(mailbox.folder)) == 1


def test_a_channel_that_fails_is_told_of_through_another(a_clinic, monkeypatch):
    """News of a failing mail server takes another way; where that fails too, no loop begins."""
    monkeypatch.setenv("TENDING_OTHER", "json://127.0.0.1:9")
    clinic = a_clinic(more='[[channel]]\nname = "other"\nurl_env = "TENDING_OTHER"\n')
    clinic.sync()
    with clinic.practice.store.write() as connection:
        outbox.tell_failure(clinic.practice, connection, "mail", "it refused", LATER)
    clinic.arm()
    assert deliver(clinic.practice, LATER, "me").refused == 1
    assert [m.channel for m in clinic.rows(Message)] == ["other"]
    for turn in range(6):
        deliver(clinic.practice, LATER + (turn + 1) * DAY // 4, "me")
    assert len(clinic.notices(purpose="delivery_failed")) <= 4


def at_port(clinic: Clinic, port: int) -> None:
    """The same practice, opened with another mail server."""
    toml = clinic.folder / "practice.toml"
    toml.write_text(re.sub(r"(?m)^port = \d+", f"port = {port}", toml.read_text()))
    clinic.practice.close()
    clinic.practice = open_practice(toml)


class Meanwhile(dict[str, str]):
    """A mail server's answers; when it is given the content, something happens in the practice."""

    def __init__(self, happens: Callable[[], None]) -> None:
        super().__init__()
        self.happens = happens

    def get(self, word: str, usual: str = "") -> str:
        if word == "DATA":
            self.happens()
        return usual


def a_notice(clinic: Clinic, purpose: str, urgency: Urgency = Urgency.system, **more: Any) -> None:
    """A notice to the administrator, or to `recipient`, due at LATER."""
    key = NoticeKey("practice", purpose, 1, 0, more.pop("recipient", ADMIN))
    with clinic.practice.store.write() as connection:
        assert insert_new(connection, Notice, notice_row(key, urgency, LATER, DAY, NOW, **more))


def test_a_message_is_claimed_right_before_it_is_handed_over(a_clinic):
    """While the first of two is on its way the reason of both goes: the second is not sent."""
    with scripted() as server:
        clinic = a_clinic(port=server.port)
        clinic.sync()
        clinic.arm()
        store = clinic.practice.store
        with store.write() as connection:
            connection.exec_driver_sql(f"""UPDATE source SET held = '{{"since": {NOW}}}' WHERE name = 'records'""")
        for purpose in ("one", "two"):
            a_notice(clinic, purpose, requires={"held": "records", "since": NOW})

        def decided() -> None:
            with store.write() as connection:
                connection.exec_driver_sql("UPDATE source SET held = '{}'")

        server.answers = Meanwhile(decided)
        assert deliver(clinic.practice, LATER, "me").sent == 1
    assert len(server.mails) == 1
    assert [n.state for n in clinic.rows(Notice)] == ["taken", "cancelled"]


def test_what_a_mail_server_refuses_of_one_person_goes_to_the_administrator(alerting, mailbox):
    with scripted(RCPT="550 nobody of that name") as server:
        at_port(alerting, server.port)
        assert deliver(alerting.practice, LATER, "me").failed == 1
    (message,) = alerting.rows(Message)
    assert (message.state, message.recipient) == ("dropped", "therapist:T1")
    assert "refused the recipient's address (code 550)" in message.problem
    at_port(alerting, mailbox.port)
    assert deliver(alerting.practice, LATER, "me").sent == 2
    assert {mail.to for mail in read_mails(mailbox.folder)} == {"admin@example.org"}
    texts = "".join(mail.text for mail in read_mails(mailbox.folder))
    assert "reached nobody" in texts
    assert "Last seen" not in texts
    assert "Not delivered: channel mail" in texts
    assert deliver(alerting.practice, LATER + HOUR, "me") == Delivered()


def test_trouble_with_the_login_makes_nothing_final(alerting, mailbox):
    """A password that was changed, for a whole morning: when it is right again everything goes."""
    with scripted(MAIL="550 5.7.1 log in first") as server:
        at_port(alerting, server.port)
        now = LATER
        for _ in range(8):
            assert deliver(alerting.practice, now, "me").failed == 0
            now = max(n.not_before for n in alerting.notices(purpose="stalled.quiet"))
    assert now < LATER + 6 * HOUR
    at_port(alerting, mailbox.port)
    assert deliver(alerting.practice, now, "me").sent >= 1
    assert "t1@example.org" in {mail.to for mail in read_mails(mailbox.folder)}


def test_a_channel_that_does_not_say_why_is_tried_five_times(a_clinic, mailbox, monkeypatch):
    with web(500) as (hook, asked):
        monkeypatch.setenv("TENDING_OTHER", f"json://127.0.0.1:{hook}")
        channel = '[[channel]]\nname = "pager"\nurl_env = "TENDING_OTHER"\ntherapist = "T1"\n'
        clinic = a_clinic(port=mailbox.port, more=channel)
        clinic.therapists[0]["email"] = ""
        clinic.sync()
        clinic.arm()
        a_notice(clinic, "held_vanished", facts=HELD, recipient="therapist:T1")
        now = LATER
        for tries in range(1, 6):
            outcome = deliver(clinic.practice, now, "me")
            assert (outcome.refused, outcome.failed) == ((1, 0) if tries < 5 else (0, 1))
            now = max(n.not_before for n in clinic.notices(purpose="held_vanished"))
        assert len(asked) == 5
        assert deliver(clinic.practice, now, "me").sent >= 1
        assert len(asked) == 5
    texts = [mail.text for mail in read_mails(mailbox.folder)]
    assert sum("Gone at once" in text for text in texts) == 1
    assert any("Not delivered: channel pager" in text for text in texts)


def test_what_a_channel_of_the_administrator_does_not_take_waits_for_a_person(a_clinic, monkeypatch):
    with web(500) as (hook, asked):
        monkeypatch.setenv("TENDING_OTHER", f"json://127.0.0.1:{hook}")
        clinic = a_clinic(more='[[channel]]\nname = "other"\nurl_env = "TENDING_OTHER"\n')
        clinic.sync()
        clinic.arm()
        a_notice(clinic, "delivery_failed", facts={"channel": "mail", "messages": 1})
        for hour in range(12):
            deliver(clinic.practice, LATER + hour * HOUR, "me")
            if hour == 4:
                assert len(asked) == 5
    # Of the news that mail fails too, five more.
    assert len(asked) == 10
    assert {m.channel for m in clinic.rows(Message, state="failed")} == {"other"}
