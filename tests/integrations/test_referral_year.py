"""A year of referrals on the virtual clock: every question on its day, higher up where nobody answers, nothing after the loop closes."""

from collections import defaultdict
from datetime import timedelta

import pytest

from integrations import answering
from integrations.looks import look_after
from integrations.messages.mailbox import Mailbox, read_mails
from models.answers import Reply, answer
from models.instants import DAY, day_of
from models.people import Client
from tests.builders import NOW, ZONE, a_practice

# Offers are made on day 0 at half past ten in the morning; the practice looks every noon.
LOOK = 90 * 60
CLIENTS = ("calls", "sent", "not followed", "declined", "ended")


def noon(day):
    return NOW + day * DAY + LOOK


@pytest.fixture
def mailbox(tmp_path):
    with Mailbox(tmp_path / "mails") as mailbox:
        yield mailbox


@pytest.fixture
def clinic(tmp_path, mailbox):
    """Five clients of T1, whose supervisor is T2; the last one's care has ended."""
    clinic = a_practice(tmp_path / "practice", port=mailbox.port, policy='fresh_for_hours = 2000\nspeak = "at_once"')
    clinic.therapists[0] |= {"supervisor": "T2"}
    clinic.therapist("T2")
    clinic.provider("P1", "P2", "P3")
    for number in CLIENTS:
        clinic.client(number.replace(" ", "-"), status="ended" if number == "ended" else "active")
    clinic.sync(NOW - DAY)
    clinic.look(NOW - DAY)
    clinic.arm()
    yield clinic
    clinic.practice.close()


def told(clinic, step=0):
    """On which days each client's therapist was asked what, or (step 1, 2) who came next."""
    number, found = clinic.numbers(), defaultdict(list)
    for notice in clinic.notices():
        if notice.purpose.startswith("referral.") and notice.step == step:
            day = (day_of(notice.made_at, ZONE) - day_of(NOW, ZONE)).days
            found[number[notice.client_id], notice.purpose.removeprefix("referral.referral_")].append(day)
    return dict(found)


STORY = {
    0: [(number, "offered", {"providers": ("P1", "P2", "P3"), "follow_up": number != "not followed"}) for number in CLIENTS],
    1: [("calls", "self-arranged", {})],
    2: [
        (number, what, {"provider": "P1", "reason": "client"})
        for number in ("sent", "not followed", "declined")
        for what in ("chosen", "consented", "sent")
    ],
    5: [("sent", "news", {"word": "accepted", "provider": "P1"}), ("declined", "news", {"word": "declined", "provider": "P1"})],
    12: [("sent", "news", {"word": "booked", "provider": "P1", "day": NOW + 20 * DAY})],
    # Nobody has answered what was asked on the day of the no: another is chosen, and the client calls.
    40: [("declined", "self-arranged", {"provider": "P2"})],
    24: [("sent", "attended", {"day": NOW + 20 * DAY})],
    30: [("sent", "fits", {"fits": True})],
    120: [("calls", "closed", {"reason": "elsewhere"})],
}  # fmt: skip


def test_a_year_with_every_question_on_its_day(clinic, mailbox):
    for day in range(366):
        for number, what, more in STORY.get(day, []):
            clinic.refer(number.replace(" ", "-"), what, NOW + day * DAY, f"R-{CLIENTS.index(number)}", **more)
        look_after(clinic.practice, noon(day), "test")
    year = range(366)
    assert told(clinic) == {
        # Begun on day 1: accepted, booked, seen; then silence on day 46, again every 30 days until a person closed it on day 120.
        ("calls", "follow_up"): [8, 15, 31],
        ("calls", "stuck"): [46, 76, 106],
        # Accepted and booked in time: asked three days after the visit, answered, and whether it fits at once on the day that it is told.
        ("sent", "follow_up"): [23, 24],
        # Told on the same day; again a month later; then begun anew on day 40 with the next of the options.
        ("declined", "stuck"): [5, 35, 85, *range(115, 366, 30)],
        ("declined", "follow_up"): [47, 54, 70],
        # Never taken up: on the same days, and then once a month. Care that has ended is no reason to be silent.
        ("ended", "follow_up"): [7, 14, *(day for day in year if day >= 30 and (day - 30) % 30 == 0)],
    }
    # Nothing was followed where nothing was agreed, though it was sent and nothing was heard for a year.
    assert not any(number == "not-followed" for number, _ in told(clinic))
    # Whatever nobody answered for a week went up, if it was still asked then; after two weeks the administrator heard.
    assert ("calls", "stuck") in told(clinic, 1)
    assert ("calls", "stuck") in told(clinic, 2)
    assert ("ended", "follow_up") in told(clinic, 2)
    recipients = {notice.recipient for notice in clinic.notices() if notice.purpose.startswith("referral.")}
    assert recipients == {"therapist:T1", "therapist:T2", "admin"}
    ended = clinic.digest("ended").client_id
    asked = [n for n in clinic.notices(client_id=ended) if n.purpose == "referral.referral_follow_up" and n.step == 0]
    assert {notice.state for notice in asked[:-1]} == {"taken"}
    (code,) = (client.code for client in clinic.rows(Client) if client.id == ended)
    mails = [" ".join(mail.text.split()) for mail in read_mails(mailbox.folder)]
    assert any(f"Referral: how is it going? {code} A referral was offered on" in mail for mail in mails)
    assert not any("Praxis" in mail for mail in mails)


@pytest.mark.long
def test_who_answers_is_not_gone_around_and_is_asked_the_next_question_on_its_day(clinic):
    clinic.offer("calls")
    clinic.refer("calls", "self-arranged", NOW, provider="P1")
    for day in range(366):
        look_after(clinic.practice, noon(day), "test")
        if told(clinic).get(("calls", "follow_up"), [None])[-1] == day - 1:
            with clinic.practice.store.write() as connection:
                given = answer("referral_follow_up", Reply.done, noon(day))
                answering.say(clinic.practice, connection, clinic.id_of("calls"), given, "therapist:T1", noon(day))
        if told(clinic).get(("calls", "stuck"), [None])[-1] == day - 1:
            with clinic.practice.store.write() as connection:
                given = answer("referral_stuck", Reply.done, noon(day))
                answering.say(clinic.practice, connection, clinic.id_of("calls"), given, "therapist:T1", noon(day))
    assert told(clinic) == {("calls", "follow_up"): [7, 14, 30], ("calls", "stuck"): list(range(45, 366, 30))}
    assert told(clinic, 1) == told(clinic, 2) == {}


@pytest.mark.parametrize("later", [timedelta(0), timedelta(days=100)])
def test_an_outage_asks_once_for_what_is_due_then(clinic, later):
    clinic.offer("calls")
    clinic.refer("calls", "self-arranged", NOW, provider="P1")
    look_after(clinic.practice, noon(31 + later.days), "test")
    assert sum(map(len, told(clinic).values())) == 1
