"""What was answered, in time: handed on with the client, taken back in part, asked again while it is still so; and who hears of it instead
of somebody who is away or cannot be reached."""

from datetime import timedelta

import pytest

from integrations import answering
from integrations.delivery import deliver
from integrations.messages.mailbox import Mailbox, read_mails
from models.answers import Reply, answer
from models.findings import Finding
from models.instants import DAY, HOUR, day_of, start_of
from tests.builders import NOW, ZONE, days_ago, each, in_days
from tests.integrations.messages.servers import scripted
from tests.integrations.test_delivery import at_port

SAFETY = frozenset({"item9"})


@pytest.fixture
def mailbox(tmp_path):
    with Mailbox(tmp_path / "mails") as mailbox:
        yield mailbox


@pytest.fixture
def team(a_clinic, mailbox):
    """T1 and T2, both supervised by S1, and Anna of T1, who is booked far ahead. Nothing is open yet."""
    clinic = a_clinic(
        port=mailbox.port, policy='speak = "at_once"', more='[safety]\nprotocol = "Our protocol: page 3."\n'
    )
    clinic.client("1001", "Anna Müller")
    clinic.therapists[0] |= {"supervisor": "S1"}
    clinic.therapist("T2", supervisor="S1")
    clinic.therapist("S1")
    clinic.seen("1001", *each(7, 6, days_ago(3)))
    clinic.entry("t1", "next", in_days(100), "Anna Müller")
    clinic.arm()
    run(clinic, NOW)
    assert clinic.findings() == set()
    return clinic


def run(clinic, *instants):
    """What a running practice does at these instants."""
    for now in instants:
        clinic.sync(now)
        clinic.look(now)
        deliver(clinic.practice, now, "test")


def days(first, last, start=NOW):
    """An instant of each of these days after `start`."""
    return [start + n * DAY for n in range(first, last)]


def goes_quiet(clinic):
    clinic.drop("t1", "next")
    at = NOW + 21 * DAY  # a Monday morning
    run(clinic, at)
    return at


def say(clinic, kind, reply, now, **more):
    with clinic.practice.store.write() as connection:
        given = answer(kind, reply, now, safety=kind in SAFETY, **more)
        return answering.say(clinic.practice, connection, clinic.id_of("1001"), given, "therapist:T1", now)


def unsay(clinic, answer_id, now):
    with clinic.practice.store.write() as connection:
        answering.unsay(clinic.practice, connection, answer_id, "therapist:T1", now)


def mails(mailbox):
    """To whom, and what, wherever its lines break."""
    return [(mail.to.partition("@")[0], " ".join(mail.text.split())) for mail in read_mails(mailbox.folder)]


def goes_to(clinic, therapist):
    clinic.clients[0]["therapist"] = therapist


def away(clinic, therapist, first, last, cover=""):
    today = day_of(NOW, ZONE)
    clinic.leave.append(
        {
            "therapist": therapist,
            "from": str(today + timedelta(days=first)),
            "to": str(today + timedelta(days=last)),
            "cover": cover,
        }
    )


def test_the_day_that_was_named_speaks_to_whoever_has_the_client_then(team, mailbox):
    at = goes_quiet(team)
    until = start_of(day_of(at + 10 * DAY, ZONE), ZONE)
    say(team, "quiet", Reply.snooze, at + HOUR, until=until, reason="later")
    goes_to(team, "T2")
    run(team, *days(3, 9, at))
    assert [to for to, _ in mails(mailbox)] == ["t1"]
    run(team, *days(10, 13, at))
    (_, (to, text)) = mails(mailbox)
    assert (to, "It was put off until now" in text) == ("t2", True)


def test_of_a_risk_whoever_takes_the_client_over_hears_at_once_and_again_on_the_day(team, mailbox):
    team.score("1001", "PHQ-9", NOW, 12, risk=2)
    run(team, NOW + HOUR)
    plan = start_of(day_of(NOW + 20 * DAY, ZONE), ZONE)
    say(team, "item9", Reply.known, NOW + 2 * HOUR, until=plan)
    run(team, NOW + 2 * HOUR)
    assert [to for to, _ in mails(mailbox)] == ["t1"]
    goes_to(team, "T2")
    run(team, NOW + 3 * DAY)
    (_, (to, text)) = mails(mailbox)
    assert (to, "Known, with a plan until" in text) == ("t2", True)
    with team.practice.store.write() as connection:
        given = answer("item9", Reply.known, NOW + 3 * DAY + HOUR, until=plan, safety=True)
        answering.say(team.practice, connection, team.id_of("1001"), given, "therapist:T2", NOW + 3 * DAY + HOUR)
    run(team, *days(4, 20))
    assert len(mails(mailbox)) == 2
    run(team, plan)
    assert [to for to, _ in mails(mailbox)][2:] == ["t2"]


def test_of_a_risk_that_nobody_takes_up_after_the_hand_over_the_next_hear(team, mailbox):
    team.score("1001", "PHQ-9", NOW, 12, risk=2)
    run(team, NOW + HOUR)
    say(team, "item9", Reply.done, NOW + 2 * HOUR)
    goes_to(team, "T2")
    run(team, NOW + DAY, NOW + DAY + 4 * HOUR)
    assert [to for to, _ in mails(mailbox)] == ["t1", "t2", "s1"]


def test_taking_back_a_second_answer_leaves_the_first(team, mailbox):
    at = goes_quiet(team)
    until = start_of(day_of(at + 4 * DAY, ZONE), ZONE)
    say(team, "quiet", Reply.snooze, at + HOUR, until=until, reason="later")
    second = say(team, "quiet", Reply.done, at + 2 * HOUR)
    unsay(team, second, at + 2 * HOUR + 30)
    (found,) = team.rows(Finding, kind="quiet")
    assert (found.answered, found.answered_at, found.speaks_at, found.climbs_at) == (True, at + HOUR, until, None)
    run(team, *days(1, 4, at))
    assert len(mails(mailbox)) == 1
    run(team, at + 4 * DAY)
    assert [to for to, _ in mails(mailbox)] == ["t1", "t1"]


def test_an_answer_whose_day_had_come_does_not_hold_again(team, mailbox):
    at = goes_quiet(team)
    until = start_of(day_of(at + 4 * DAY, ZONE), ZONE)
    say(team, "quiet", Reply.snooze, at + HOUR, until=until, reason="later")
    run(team, at + 4 * DAY)
    second = say(team, "quiet", Reply.done, at + 4 * DAY + HOUR)
    unsay(team, second, at + 4 * DAY + HOUR + 30)
    (found,) = team.rows(Finding, kind="quiet")
    assert (found.answered, found.speaks_at) == (False, None)
    run(team, *days(5, 11, at))
    assert [to for to, _ in mails(mailbox)] == ["t1", "t1"]
    run(team, at + 11 * DAY + 2 * HOUR)
    assert [to for to, _ in mails(mailbox)][2:] == ["s1"]


def test_another_missed_appointment_speaks_though_somebody_has_seen_to_the_others(team, mailbox):
    team.seen("1001", NOW + HOUR, NOW + 7 * DAY, status="missed")
    run(team, NOW + 8 * DAY)
    say(team, "missed", Reply.done, NOW + 8 * DAY + HOUR)
    run(team, *days(9, 15))
    assert len(mails(mailbox)) == 1
    team.seen("1001", NOW + 14 * DAY, status="missed")
    run(team, NOW + 15 * DAY)
    (_, (to, text)) = mails(mailbox)
    assert (to, "It has changed since the answer" in text) == ("t1", True)


def test_an_ending_that_was_said_to_be_begun_and_was_not_is_asked_about_after_a_week(team, mailbox):
    at = goes_quiet(team)
    say(team, "quiet", Reply.ending, at + HOUR)
    run(team, *days(1, 8, at))
    assert len(mails(mailbox)) == 1
    run(team, at + 8 * DAY)
    assert "none is written down" in mails(mailbox)[1][1]


def test_the_day_after_an_agreed_contact_that_did_not_come_it_is_told(team, mailbox):
    at = goes_quiet(team)
    agreed = start_of(day_of(at + 4 * DAY, ZONE), ZONE)
    say(team, "quiet", Reply.agreed, at + HOUR, until=agreed)
    run(team, *days(1, 4, at))
    assert len(mails(mailbox)) == 1
    run(team, at + 4 * DAY)
    (_, (to, text)) = mails(mailbox)
    assert (to, "The next contact was agreed for" in text) == ("t1", True)


@pytest.mark.parametrize("why", ["away", "no address", "supervisor away"])
def test_what_a_prompt_says_stays_between_therapist_and_supervisor(team, mailbox, why):
    team.score("1001", "SRS", NOW, 39)
    run(team, NOW + HOUR)
    if why == "no address":
        team.therapists[0]["email"] = ""
    else:
        away(team, "T1", 0, 60)
    if why == "supervisor away":
        away(team, "S1", 0, 60)
    team.score("1001", "SRS", NOW + DAY, 20)
    run(team, NOW + DAY + HOUR)
    ((to, text),) = mails(mailbox)
    assert to == ("admin" if why == "supervisor away" else "s1")
    assert ("rated" in text) == (to == "s1")
    if to == "admin":
        assert "reached nobody" in text
        assert "20" not in text


@pytest.mark.parametrize("why", ["away", "no address", "refused"])
def test_of_a_risk_the_supervisor_hears_before_the_administrator(team, mailbox, why, monkeypatch):
    if why == "away":
        away(team, "T1", 0, 60)
    elif why == "no address":
        team.therapists[0]["email"] = ""
    else:
        team.therapists[0]["email"] = "t1@bad..example"
    team.score("1001", "PHQ-9", NOW, 12, risk=2)
    run(team, NOW + HOUR, NOW + HOUR + 60)
    first = mails(mailbox)[0]
    assert (first[0], "Item 9 of the PHQ-9 is 2 of 3" in first[1]) == ("s1", True)
    run(team, *(NOW + n * HOUR for n in range(2, 12)))
    last = mails(mailbox)[-1]
    assert (last[0], "It was for Dr T1 (T1), and nobody has answered" in last[1]) == ("admin", True)


def test_a_risk_climbs_from_when_it_was_first_tried_to_be_sent(a_clinic, mailbox):
    clinic = a_clinic(port=mailbox.port)
    clinic.client("1001", "Anna Müller")
    clinic.seen("1001", *each(7, 6, days_ago(3)))
    clinic.entry("t1", "next", in_days(100), "Anna Müller")
    clinic.score("1001", "PHQ-9", NOW - HOUR, 12, risk=2)
    for now in days(0, 20):
        clinic.sync(now)
        clinic.look(now)
    clinic.arm()
    armed = NOW + 20 * DAY
    run(clinic, armed, armed + HOUR, armed + 4 * HOUR - 60)
    assert [to for to, text in mails(mailbox) if "PHQ-9" in text] == ["t1"]
    run(clinic, armed + 4 * HOUR, armed + 8 * HOUR)
    assert [to for to, text in mails(mailbox) if "safety" in text.lower()][1:] == ["admin"]


def test_who_covers_from_tonight_hears_of_a_risk_that_the_therapist_was_told_of(team, mailbox):
    away(team, "T1", 1, 20, cover="T2")
    evening = start_of(day_of(NOW, ZONE), ZONE) + 22 * HOUR
    team.score("1001", "PHQ-9", evening, 12, risk=2)
    run(team, evening + HOUR)
    assert [to for to, _ in mails(mailbox)] == ["t1"]
    run(team, evening + 5 * HOUR)
    assert sorted(to for to, _ in mails(mailbox)) == ["s1", "t1", "t2"]


def test_a_score_set_aside_stays_so_where_its_file_is_cut_off_and_nobody_says_that_there_is_no_risk(team):
    team.scores.append({"client": "1001", "measure": "PHQ-9", "taken": "2026-11-20", "score": "12", "risk": "7"})
    team.score("1001", "GAD-7", NOW - DAY, 3)
    run(team, NOW + HOUR)
    assert team.why("1001", NOW + HOUR)["item9"] == (None, "blind")
    del team.scores[0]
    run(team, NOW + 2 * HOUR)
    assert team.why("1001", NOW + 2 * HOUR)["item9"] == (None, "blind")
    team.score("1001", "PHQ-9", NOW - DAY, 12, risk=0)  # as many as there were
    run(team, NOW + 3 * HOUR)
    assert team.why("1001", NOW + 3 * HOUR)["item9"] == (False, "no_risk")


def test_of_goals_that_cannot_be_read_nobody_says_that_there_are_none(team):
    team.goal("1001", "Weniger grübeln", set="2026-11-31")
    run(team, NOW + HOUR)
    found = team.why("1001", NOW + HOUR)
    assert [found[kind] for kind in ("no_goal", "review_due", "off_track")] == [(None, "blind")] * 3


def test_a_risk_climbs_though_the_mail_to_the_therapist_is_refused_for_now(team):
    team.score("1001", "PHQ-9", NOW, 12, risk=2)
    with scripted(RCPT="452 try later") as server:
        at_port(team, server.port)
        run(team, *(NOW + n * HOUR for n in range(1, 5)))
        assert {n.step for n in team.notices(purpose="safety.item9")} == {0}
        run(team, NOW + 5 * HOUR)
    assert {(n.step, n.recipient) for n in team.notices(purpose="safety.item9")} == {
        (0, "therapist:T1"),
        (1, "therapist:S1"),
    }


@pytest.mark.parametrize(("kind", "reply"), [("item9", Reply.done), ("quiet", Reply.done)])
def test_what_was_called_off_by_an_answer_that_was_taken_back_is_told_after_all(team, mailbox, kind, reply):
    if kind == "item9":
        team.score("1001", "PHQ-9", NOW, 12, risk=2)
        at = NOW + HOUR
    else:
        team.drop("t1", "next")
        at = NOW + 21 * DAY
    team.sync(at)
    team.look(at)
    given = say(team, kind, reply, at + 10)
    deliver(team.practice, at + 20, "test")
    unsay(team, given, at + 40)
    assert mails(mailbox) == []
    run(team, at + 120)
    assert [to for to, _ in mails(mailbox)] == ["t1"]


def test_a_cover_who_answered_and_then_has_the_client_is_not_asked_again(team, mailbox):
    away(team, "T1", 0, 20, cover="T2")
    team.score("1001", "PHQ-9", NOW, 12, risk=2)
    run(team, NOW + HOUR)
    plan = start_of(day_of(NOW + 20 * DAY, ZONE), ZONE)
    with team.practice.store.write() as connection:
        given = answer("item9", Reply.known, NOW + 2 * HOUR, until=plan, safety=True)
        answering.say(team.practice, connection, team.id_of("1001"), given, "therapist:T2", NOW + 2 * HOUR)
    goes_to(team, "T2")
    run(team, *(NOW + n * HOUR for n in range(3, 20)))
    assert [to for to, _ in mails(mailbox)] == ["t2"]


def test_nobody_hears_of_one_risk_twice(team, mailbox):
    away(team, "T1", 0, 20, cover="T2")
    team.score("1001", "PHQ-9", NOW, 12, risk=2)
    run(team, *(NOW + n * HOUR for n in range(1, 20)))
    assert [to for to, _ in mails(mailbox)] == ["t2", "s1", "admin"]


def test_a_goal_that_cannot_be_read_keeps_no_risk_open(team):
    team.score("1001", "PHQ-9", NOW, 12, risk=2)
    run(team, NOW + HOUR)
    team.goal("1001", "Weniger grübeln", set="2026-11-31")
    team.score("1001", "PHQ-9", NOW + 2 * HOUR, 12, risk=0)
    run(team, NOW + 3 * HOUR)
    assert ("1001", "item9") not in team.findings()


def test_who_has_ended_care_may_leave_the_export(a_clinic):
    clinic = a_clinic()
    for number in range(6):
        clinic.client(f"1{number:03}", status="active" if number < 2 else "ended")
    clinic.sync(NOW)
    del clinic.clients[2:]
    assert clinic.sync(NOW + HOUR)["records"].no_longer_named == 0
    clinic.client("2001")
    del clinic.clients[:2]
    assert clinic.sync(NOW + 2 * HOUR)["records"].no_longer_named == 2
