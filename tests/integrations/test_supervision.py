"""What nobody answers goes up, what asks for safety goes up soon, beginners are told earlier and kindly, supervisors hear once a week."""

from datetime import timedelta

import pytest

from integrations.delivery import deliver
from integrations.messages.mailbox import Mailbox, read_mails
from integrations.store import answers, cases
from integrations.store.recipients import unknown_covers
from integrations.store.supervision import team_facts
from integrations.store.watching import tell_of_sources, write_weekly_letters
from models.answers import Reply, answer
from models.findings import Finding, Look
from models.habits import HABITS, question
from models.instants import DAY, HOUR, day_of
from models.rules import KIND_WORD
from models.voice import Voice
from tending.check.lines import Level, Place
from tending.check.people import everybody
from tests.builders import NOW, ZONE, days_ago, each, in_days


@pytest.fixture
def mailbox(tmp_path):
    with Mailbox(tmp_path / "mails") as mailbox:
        yield mailbox


@pytest.fixture
def team(a_clinic, mailbox):
    """T1, supervised by T2, and Anna, who is booked far ahead. Nothing is open yet."""
    clinic = a_clinic(
        port=mailbox.port, policy='speak = "at_once"', more='[safety]\nprotocol = "Our protocol: page 3."\n'
    )
    clinic.client("1001", "Anna Müller")
    clinic.therapists[0] |= {"supervisor": "T2"}
    clinic.therapist("T2")
    clinic.seen("1001", *each(7, 6, days_ago(3)))
    clinic.entry("t1", "next", in_days(100), "Anna Müller")
    clinic.arm()
    day(clinic, NOW)
    assert clinic.findings() == set()
    return clinic


def day(clinic, now):
    """What a running practice does at an instant."""
    clinic.sync(now)
    clinic.look(now)
    deliver(clinic.practice, now, "test")


def goes_quiet(clinic):
    clinic.drop("t1", "next")
    at = NOW + 21 * DAY  # a Monday morning
    day(clinic, at)
    return at


def mails(mailbox):
    """To whom, and what, wherever its lines break."""
    return [(mail.to.partition("@")[0], " ".join(mail.text.split())) for mail in read_mails(mailbox.folder)]


def test_an_unanswered_prompt_climbs_to_the_supervisor_and_the_administrator(team, mailbox):
    told = goes_quiet(team)
    assert [to for to, _ in mails(mailbox)] == ["t1"]
    day(team, told + 7 * DAY - 1)
    assert [to for to, _ in mails(mailbox)] == ["t1"]
    day(team, told + 7 * DAY)
    assert [to for to, _ in mails(mailbox)] == ["t1", "t2"]
    assert "Quiet: C-" in mails(mailbox)[1][1]
    day(team, told + 14 * DAY - 1)
    day(team, told + 14 * DAY)
    assert [to for to, _ in mails(mailbox)] == ["t1", "t2", "admin"]
    admins = mails(mailbox)[2][1]
    assert "Not answered: Dr T1 (T1) A prompt to Dr T1 (T1) has stood" in admins
    assert "C-" not in admins
    assert "Quiet" not in admins
    for later in range(15, 40):
        day(team, told + later * DAY)
    assert len(mails(mailbox)) == 3


def test_an_answer_ends_the_climbing(team, mailbox):
    told = goes_quiet(team)
    with team.practice.store.write() as connection:
        given = answer("quiet", Reply.no_concern, told + DAY, reason="planned")
        answers.give(team.practice, connection, team.id_of("1001"), given, "therapist:T1", told + DAY)
    for later in range(1, 40):
        day(team, told + later * DAY)
    assert [to for to, _ in mails(mailbox)] == ["t1"]


def test_an_answer_given_before_it_is_sent_keeps_it_back(team, mailbox):
    team.drop("t1", "next")
    at = NOW + 21 * DAY
    team.sync(at)
    team.look(at)
    with team.practice.store.write() as connection:
        given = answer("quiet", Reply.done, at)
        answers.give(team.practice, connection, team.id_of("1001"), given, "therapist:T1", at)
    deliver(team.practice, at, "test")  # the answer is known, its consequences are not recorded yet
    team.look(at)
    deliver(team.practice, at + 120, "test")
    assert mails(mailbox) == []
    assert [(n.state, n.outcome) for n in team.notices(purpose="stalled.quiet")] == [("cancelled", "it was answered")]


def test_nothing_climbs_that_was_never_sent(a_clinic, mailbox):
    clinic = a_clinic(port=mailbox.port, policy='speak = "at_once"')
    clinic.client("1001", "Anna Müller")
    clinic.seen("1001", *each(7, 6, days_ago(13.9)))
    clinic.sync()
    clinic.look()
    for later in range(1, 30):
        clinic.sync(NOW + later * DAY)
        clinic.look(NOW + later * DAY)
    assert [n.step for n in clinic.notices()] == [0]
    clinic.arm()
    sent = NOW + 30 * DAY
    day(clinic, sent)
    day(clinic, sent + 14 * DAY - 1)
    assert [n.step for n in clinic.notices()] == [0]
    day(clinic, sent + 14 * DAY)  # no supervisor: the administrator is next
    assert [n.step for n in clinic.notices()] == [0, 2]


def test_a_safety_notice_climbs_within_hours_day_and_night(team, mailbox):
    night = NOW + 12 * HOUR
    team.score("1001", "PHQ-9", night - HOUR, 12, risk=2)
    day(team, night)
    ((to, text),) = mails(mailbox)
    assert to == "t1"
    assert [mail.subject for mail in read_mails(mailbox.folder)] == ["Northside: 1 item, please read today"]
    assert "Item 9 of the PHQ-9 is 2 of 3" in text
    assert "on leave" not in text
    assert "Our protocol: page 3." in text
    day(team, night + 4 * HOUR - 1)
    assert len(mails(mailbox)) == 1
    day(team, night + 4 * HOUR)
    day(team, night + 8 * HOUR)
    assert [to for to, _ in mails(mailbox)] == ["t1", "t2", "admin"]
    assert "A safety notice is not answered: C-" in mails(mailbox)[2][1]


def test_on_leave_the_cover_is_told_of_a_risk(team, mailbox):
    today = day_of(NOW, ZONE)
    team.therapist("T3")
    team.leave.append(
        {"therapist": "T1", "from": str(today - timedelta(days=1)), "to": str(today + timedelta(days=9)), "cover": "T3"}
    )
    team.score("1001", "C-SSRS", NOW + HOUR, "positive")
    day(team, NOW + 2 * HOUR)
    ((to, text),) = mails(mailbox)
    assert (to, "For Dr T1, on leave." in text) == ("t3", True)


def test_a_risk_that_could_not_be_read_goes_to_the_cover_and_is_called_off_once_it_was_mended(team, mailbox):
    today = day_of(NOW, ZONE)
    team.therapist("T3")
    team.leave.append({"therapist": "T1", "from": str(today), "to": str(today + timedelta(days=9)), "cover": "T3"})
    team.score("1001", "PHQ-9", NOW, 28, risk=3)
    team.sync(NOW + HOUR)
    (bad,) = team.scores
    deliver(team.practice, NOW + HOUR, "test")
    told = [(mail.to.partition("@")[0], mail.subject) for mail in read_mails(mailbox.folder)]
    assert ("t3", "Northside: 1 item, please read today") in told
    text = next(text for to, text in mails(mailbox) if to == "t3")
    assert "may ask for safety" in text
    assert "Our protocol: page 3." in text
    bad["risk"] = 2  # refused still, and another row
    team.sync(NOW + 2 * HOUR)
    bad["score"] = 20
    team.sync(NOW + 3 * HOUR)
    deliver(team.practice, NOW + 3 * HOUR, "test")
    assert [n.outcome for n in team.notices(purpose="risk_set_aside", state="cancelled")] == [
        "that row was read, discarded or is gone"
    ]


def test_a_risk_that_lies_in_quarantine_goes_to_the_next_person_as_one_that_nobody_answers(team, mailbox):
    def later(at):
        with team.practice.store.write() as connection:
            made = tell_of_sources(team.practice, connection, at)
        deliver(team.practice, at, "test")
        return made

    assert later(NOW) == 0
    team.score("1001", "PHQ-9", NOW, 28, risk=3)
    team.sync(NOW + HOUR)
    assert [later(NOW + HOUR + wait) for wait in (0, 4 * HOUR - 1, 4 * HOUR, 4 * HOUR)] == [0, 0, 1, 0]
    assert [later(NOW + 5 * HOUR + wait) for wait in (4 * HOUR - 1, 4 * HOUR, 40 * HOUR)] == [0, 1, 0]
    told = team.notices(purpose="risk_set_aside")
    assert [(n.step, n.recipient, n.urgency) for n in sorted(told, key=lambda n: n.step)] == [
        (0, "therapist:T1", "safety"),
        (1, "therapist:T2", "safety"),
        (2, "admin", "safety"),
    ]
    assert [to for to, text in mails(mailbox) if "please look today at the result" in text] == ["t1"]
    assert [to for to, text in mails(mailbox) if "please see that somebody looks today" in text] == ["t2", "admin"]


@pytest.mark.parametrize(
    ("cover", "from_on", "told"),
    [
        ("", 0, [["t2"], ["admin"], []]),  # T2 heard in T1's place, and is not told a second time
        ("T3", 0, [["t3"], ["t2"], ["admin"]]),
        ("T3", 1, [["t1"], ["t2", "t3"], ["admin"]]),  # who is away by now was told; who covers for them was not
    ],
)
def test_a_risk_in_quarantine_passes_by_whoever_is_away_and_tells_nobody_twice(team, mailbox, cover, from_on, told):
    team.therapist("T3")
    first, today = NOW + 13 * HOUR, day_of(NOW, ZONE)  # shortly before midnight
    away = {"from": str(today + timedelta(days=from_on)), "to": str(today + timedelta(days=9)), "cover": cover}
    team.leave.append({"therapist": "T1"} | away)
    team.score("1001", "PHQ-9", NOW, 28, risk=3)
    team.sync(first)
    heard = []
    for at in (first, first + 4 * HOUR, first + 8 * HOUR):
        before = len(mails(mailbox))
        with team.practice.store.write() as connection:
            tell_of_sources(team.practice, connection, at)
        deliver(team.practice, at, "test")
        heard.append(sorted(to for to, text in mails(mailbox)[before:] if "may ask for safety" in text))
    assert heard == told


def test_a_risk_that_was_mended_in_quarantine_climbs_no_further(team):
    team.score("1001", "PHQ-9", NOW, 28, risk=3)
    team.sync(NOW + HOUR)
    (bad,) = team.scores
    bad["score"] = 20
    team.sync(NOW + 2 * HOUR)
    with team.practice.store.write() as connection:
        assert tell_of_sources(team.practice, connection, NOW + 3 * HOUR) == 0
        assert tell_of_sources(team.practice, connection, NOW + 6 * HOUR) == 0


def test_a_cover_whom_nobody_knows_is_none_and_the_supervisor_is_told_of_a_risk(team, mailbox):
    today = day_of(NOW, ZONE)
    away = {"therapist": "T1", "from": str(today), "to": str(today + timedelta(days=9)), "cover": "T99"}
    team.leave.append(away)
    team.score("1001", "C-SSRS", NOW + HOUR, "positive")
    day(team, NOW + 2 * HOUR)
    assert [to for to, _ in mails(mailbox)] == ["t2"]
    with team.practice.store.read() as connection:
        assert unknown_covers(connection, today + timedelta(days=9)) == ["T99"]
        assert unknown_covers(connection, today + timedelta(days=10)) == []
    place = Place(team.practice, Voice(ZONE, "en_GB", NOW), True)
    (line,) = [line for line in everybody(place) if line.level is Level.mend]
    assert "T99" in line.sentence


def test_known_with_a_plan_is_silent_until_that_day_unless_it_rises(team, mailbox):
    team.score("1001", "PHQ-9", NOW, 12, risk=1)
    day(team, NOW + HOUR)
    with team.practice.store.write() as connection:
        given = answer("item9", Reply.known, NOW + 2 * HOUR, until=NOW + 30 * DAY, safety=True)
        answers.give(team.practice, connection, team.id_of("1001"), given, "therapist:T1", NOW + 2 * HOUR)
    day(team, NOW + 2 * HOUR)
    team.score("1001", "PHQ-9", NOW + 7 * DAY, 12, risk=1)
    day(team, NOW + 7 * DAY + HOUR)
    assert len(mails(mailbox)) == 1
    team.score("1001", "PHQ-9", NOW + 14 * DAY, 12, risk=2)
    day(team, NOW + 14 * DAY + HOUR)
    assert len(mails(mailbox)) == 2
    assert "It has changed since the answer" in mails(mailbox)[1][1]


def test_when_the_plans_day_has_come_it_speaks_again(team, mailbox):
    team.score("1001", "PHQ-9", NOW, 12, risk=1)
    day(team, NOW + HOUR)
    until = NOW + 20 * DAY
    with team.practice.store.write() as connection:
        given = answer("item9", Reply.known, NOW + 2 * HOUR, until=until, safety=True)
        answers.give(team.practice, connection, team.id_of("1001"), given, "therapist:T1", NOW + 2 * HOUR)
    day(team, NOW + 2 * HOUR)
    day(team, until - 1)
    assert len(mails(mailbox)) == 1
    day(team, until)
    assert len(mails(mailbox)) == 2


def test_beginners_are_told_earlier_and_kindly(a_clinic, mailbox):
    clinic = a_clinic(port=mailbox.port, calendars=("t1", "t2"), policy='speak = "at_once"')
    began = day_of(NOW, ZONE) - timedelta(days=700)
    clinic.therapists[0] |= {"started": str(began)}
    clinic.client("1001", "Anna Müller")
    clinic.client("1002", "Berta Braun", therapist="T2")
    for number, therapist in (("1001", "T1"), ("1002", "T2")):
        clinic.seen(number, *each(7, 6, days_ago(9)), therapist=therapist)
    clinic.arm()
    day(clinic, NOW)
    assert clinic.findings() == set()
    day(clinic, NOW + 2 * DAY)  # eleven days: earlier than the others' fourteen
    assert clinic.findings() == {("1001", "quiet")}
    ((to, text),) = mails(mailbox)
    assert to == "t1"
    assert KIND_WORD in " ".join(text.split())
    with clinic.practice.store.read() as connection:
        (row,) = cases.digests(connection, [clinic.id_of("1001")])
        line = cases.shared(clinic.practice, connection, NOW + 2 * DAY).policy(row).line("quiet_after_days")
    assert "(new therapist)" in line


def test_a_beginner_is_one_no_longer_on_the_day(a_clinic):
    clinic = a_clinic()
    clinic.therapists[0] |= {"started": str(day_of(NOW, ZONE) - timedelta(days=729))}
    clinic.client("1001", "Anna Müller")
    clinic.seen("1001", *each(7, 6, days_ago(11)))
    clinic.sync()
    clinic.look()
    assert clinic.findings() == {("1001", "quiet")}
    (look,) = clinic.rows(Look)
    clinic.sync(look.next_look)
    clinic.look(look.next_look)
    assert day_of(look.next_look, ZONE) == day_of(NOW, ZONE) + timedelta(days=1)
    assert clinic.findings() == set()


def test_a_question_is_not_asked_again_before_the_others(team, mailbox):
    for number in range(10):
        at = NOW + (number + 1) * 14 * DAY
        team.score("1001", "SRS", at - HOUR, 30 - number)
        day(team, at)
    asked = [row.evidence["question"] for row in team.rows(Finding, kind="rating")]
    assert asked == [9]
    text = " ".join(" ".join(text for to, text in mails(mailbox) if to == "t1").split())
    for _, words in HABITS:
        assert words in text


def test_a_therapist_is_asked_each_question_once_whichever_client_it_is_about(team):
    """Ten clients whose ratings fall, in three looks, beside one of another therapist."""
    team.client("3001", "Tilda Thoma", therapist="T2")
    for number in range(2001, 2011):
        team.client(str(number), f"Klara Nr{number}")
    day(team, NOW + HOUR)
    clients = iter(range(2001, 2011))
    for later, count in ((2, 4), (3, 3), (4, 3)):
        for number in [next(clients) for _ in range(count)]:
            team.score(str(number), "SRS", NOW + HOUR, 30)
        day(team, NOW + later * HOUR)
    team.score("3001", "SRS", NOW + HOUR, 30)
    day(team, NOW + 5 * HOUR)
    rows = team.rows(Finding, kind="rating")
    other = team.id_of("3001")
    assert sorted(row.evidence["question"] for row in rows if row.client_id != other) == list(range(10))
    assert [row.evidence["question"] for row in rows if row.client_id == other] == [0]
    asked = [question(number) for number in range(8)]
    assert len(set(asked)) == len(HABITS) == 8


def test_a_supervisors_week_is_numbers_and_codes(team, mailbox):
    told = goes_quiet(team) + DAY
    with team.practice.store.write() as connection:
        write_weekly_letters(team.practice, connection, told)
        assert write_weekly_letters(team.practice, connection, told) == 0
    for later in range(4):
        deliver(team.practice, told + later * DAY, "test")
    (text,) = [text for to, text in mails(mailbox) if to == "t2"]
    said = " ".join(text.split())
    assert "This week: Dr T1 (T1)" in said
    assert (
        "1 client in care. Quiet: 1. Missed in the first three appointments: 0. Prompts without an answer for a working day: 1."
        in said
    )
    assert "Last seen" not in said


def test_a_prompt_of_this_morning_is_not_unanswered_yet(team):
    """A week's letter counts what somebody has had a working day for."""
    told = goes_quiet(team)
    for later, unanswered in ((HOUR, 0), (DAY - 1, 0), (DAY, 1)):
        with team.practice.store.read() as connection:
            assert team_facts(team.practice, connection, {"T1"}, told + later)["T1"]["unanswered"] == unanswered
