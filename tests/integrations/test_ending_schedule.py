"""The appointments of an ending, on real calendar files and with real mail: parts for what stands, times for the rest, once by itself."""

import re
from concurrent.futures import ThreadPoolExecutor

import icalendar
import pytest

from integrations import ending_schedule, ending_wake
from integrations.delivery import PostRoom
from integrations.messages.mailbox import Mailbox, read_mails
from integrations.store import inviting, leave_going, leave_plans
from integrations.store.rebuild import rebuild
from models.audit import Audit
from models.ending_plan import Role
from models.ending_schedule import How, Problem, nothing_new
from models.ending_steps import Need, Reason, Step, need_of
from models.errors import UsageError
from models.instants import DAY, FAR, HOUR, instant_of, local
from models.invitations import CLIENT, Invitation, wanted_of
from models.leave_plan import Choice
from models.observations import Observation
from models.people import Client
from models.terminations import TerminationRow
from tests.builders import NOW, ZONE, at, each
from tests.integrations.test_endings import T1, T2, day, say, settle, start, stood

USUAL = at("2026-11-20 10:00")  # Anna comes on Fridays at ten
FRIDAYS = [at(f"2026-{day} 10:00") for day in ("11-27", "12-04", "12-11", "12-18")]
E, P, C = Role.explain, Role.process, Role.close


@pytest.fixture
def mailbox(tmp_path):
    with Mailbox(tmp_path / "mails") as mailbox:
        yield mailbox


@pytest.fixture
def team(a_clinic, mailbox):
    return make(a_clinic, mailbox)


def make(a_clinic, mailbox, **options):
    """T1, supervised by T2, and three who come weekly: Anna (1001) on Fridays at ten, the others an hour later each."""
    options["policy"] = f'speak = "at_once"\n{options.get("policy", "")}'
    clinic = a_clinic(port=mailbox.port, **options)
    for n, name in enumerate(("Anna Müller", "Berta Braun", "Cem Arslan")):
        clinic.client(f"100{n + 1}", name, contact=f"c{n + 1}@example.net")
        clinic.seen(f"100{n + 1}", *each(7, 6, USUAL + n * HOUR))
    clinic.therapists[0]["supervisor"] = "T2"
    clinic.therapist("T2")
    clinic.arm()
    day(clinic, NOW)
    return clinic


def going(clinic, reason="poor-fit", now=NOW, *, number="1001", **said):
    start(clinic, reason, now, number=number, **said)
    if any(row.needs_confirmation_of for row in clinic.rows(TerminationRow)):
        say(clinic, "confirmed", now + 30, number=number, by=T2, personal="no")


def wake(clinic, now):
    """What the workflow does, after the sources were read."""
    clinic.sync(now)
    looked, _ = ending_wake.wake(clinic.practice, now, "test")
    assert looked.put_off == []


def planned(clinic, now, number="1001"):
    with clinic.practice.store.read() as connection:
        found = ending_schedule.planned_for(clinic.practice, connection, clinic.id_of(number), now)
    assert found is not None
    return found


def parts(clinic, now, number="1001"):
    return [(line.role, line.start, line.how) for line in planned(clinic, now, number).schedule.lines]


def propose(clinic, now, number="1001"):
    with clinic.practice.store.write() as connection:
        return ending_schedule.propose(clinic.practice, connection, clinic.id_of(number), T1, now)


def tell(clinic, now, number="1001"):
    """A person says yes to everything that the client can be told."""
    found = planned(clinic, now, number)
    with clinic.practice.store.write() as connection:
        for news in found.news:
            ending_schedule.tell_client(
                clinic.practice, connection, clinic.id_of(number), found.stands.id, news, "lund", now
            )
    return len(found.news)


def invitations(mailbox, to="t1@example.org"):
    """What arrived for somebody: (method, start, text of the event), in order."""
    found = []
    for mail in read_mails(mailbox.folder):
        for part in mail.parsed.walk():
            if part.get_content_type() == "text/calendar" and mail.to == to:
                content = part.get_payload(decode=True)
                calendar = icalendar.Calendar.from_ical(content)
                (event,) = calendar.walk("VEVENT")
                found.append((str(calendar["METHOD"]), instant_of(event.start), content))
    return found


def told(mailbox, to="t1@example.org"):
    return [(method, start) for method, start, _ in invitations(mailbox, to)]


def enter(clinic, content, *, moved=0, answer="ACCEPTED", status="CONFIRMED"):
    """The therapist's calendar program takes an invitation in, and they accept it; or they drag it elsewhere, so many seconds later."""
    event = re.findall(rb"BEGIN:VEVENT.*?END:VEVENT\r\n", content, re.S)[0].decode()
    event = event.replace("PARTSTAT=NEEDS-ACTION", f"PARTSTAT={answer}").replace("STATUS:CONFIRMED", f"STATUS:{status}")
    uid = re.search(r"UID:(.*?)\r\n", event).group(1)
    if moved:
        for digits in set(re.findall(r"DT(?:START|END):(\w+)", event)):
            start = instant_of(icalendar.vDatetime.from_ical(digits)) + moved
            event = event.replace(digits, local(start, "UTC").strftime("%Y%m%dT%H%M%SZ"))
    clinic.drop("t1", uid)
    clinic.calendars["t1"].append((uid, event))
    return uid


def uids(clinic):
    return [row.uid for row in clinic.rows(Invitation) if not wanted_of(row.wanted).cancelled]


# ---------------------------------------------------------------- the way through


def test_from_the_start_to_the_close_with_a_moved_and_a_declined_appointment(team, mailbox):
    team.entry("t1", "own-1", FRIDAYS[0], "Anna Müller")
    going(team)
    wake(team, NOW + HOUR)
    # What stands has its part; the rest is proposed at the client's weekday and hour, and the therapist is invited.
    assert parts(team, NOW + HOUR) == [
        (E, FRIDAYS[0], How.stands),
        (P, FRIDAYS[1], How.proposed),
        (C, FRIDAYS[2], How.proposed),
    ]
    assert told(mailbox) == [("REQUEST", FRIDAYS[1]), ("REQUEST", FRIDAYS[2])]
    assert told(mailbox, "c1@example.net") == []
    for hours in (2, 24, 48):
        wake(team, NOW + hours * HOUR)
    assert len(told(mailbox)) == 2
    # The therapist enters them: our own echo. The client hears of them only now, by a person's word, once.
    assert tell(team, NOW + 2 * DAY) == 0
    second, third = (content for *_, content in invitations(mailbox))
    enter(team, second)
    gone = enter(team, third)
    wake(team, NOW + 2 * DAY)
    assert [how for *_, how in parts(team, NOW + 2 * DAY)] == [How.stands] * 3
    assert tell(team, NOW + 2 * DAY) == 2
    wake(team, NOW + 2 * DAY + HOUR)
    assert told(mailbox, "c1@example.net") == [("REQUEST", FRIDAYS[1]), ("REQUEST", FRIDAYS[2])]
    assert tell(team, NOW + 2 * DAY + HOUR) == 0
    # Friday comes. One is moved to the Monday after, the other taken out: nothing goes out by itself.
    team.seen("1001", FRIDAYS[0])
    enter(team, second, moved=3 * DAY)
    team.drop("t1", gone)
    saturday = FRIDAYS[0] + DAY
    wake(team, saturday)
    assert parts(team, saturday) == [
        (P, FRIDAYS[1] + 3 * DAY, How.stands),
        (C, FRIDAYS[3], How.new),
    ]
    assert len(told(mailbox)) == 2
    propose(team, saturday)
    wake(team, saturday + HOUR)
    assert told(mailbox)[2:] == [("REQUEST", FRIDAYS[3])]
    # The client was told otherwise: a person lets them know, of the one that was moved and of the one that is off.
    assert tell(team, saturday + HOUR) == 2
    wake(team, saturday + 2 * HOUR)
    assert sorted(told(mailbox, "c1@example.net")[2:]) == [("CANCEL", FRIDAYS[2]), ("REQUEST", FRIDAYS[1] + 3 * DAY)]
    say(team, "done", saturday, step="explain")
    enter(team, invitations(mailbox)[2][2])
    team.seen("1001", FRIDAYS[1] + 3 * DAY)
    later = FRIDAYS[1] + 4 * DAY
    wake(team, later)
    assert parts(team, later) == [(C, FRIDAYS[3], How.stands)]
    team.seen("1001", FRIDAYS[3])
    end = FRIDAYS[3] + DAY
    wake(team, end)
    for step in ("process", "referral", "last", "letter", "records"):
        settle(team, step, end)
    say(team, "closed", end)
    wake(team, end + HOUR)
    assert len(told(mailbox)) == 3
    assert planned(team, end).schedule.need is Need.none
    before = stood(team)
    rebuild(team.practice, end, dry_run=False)
    assert stood(team) == before


@pytest.mark.parametrize("reason", [reason.value for reason in Reason])
def test_every_reason_from_its_first_word_to_its_last(team, mailbox, reason):
    """Real calendar files and real mail: what stands and what was proposed takes place, each step is done, and only then it is closed."""
    if reason == Reason.death:
        team.clients[0] |= {"died": "2026-11-22"}
        day(team, NOW)
    going(team, reason)
    now = NOW + HOUR
    wake(team, now)
    with pytest.raises(UsageError, match="Still open: "):
        say(team, "closed", now)
    for *_, content in invitations(mailbox):
        enter(team, content)
    now += DAY
    wake(team, now)
    asked_for = need_of(Reason(reason), Step.explain) is Need.required
    meetings = [when for _, when, how in parts(team, now) if how is How.stands]
    assert meetings == (FRIDAYS[:3] if asked_for else [])
    for when in meetings:
        team.seen("1001", when)
        now = when + DAY
        wake(team, now)
    if reason == Reason.contact:
        for means in ("phone", "mail", "letter"):
            with pytest.raises(UsageError, match="Before the letter"):
                say(team, "done", now, step="letter")
            say(team, "attempt", now, means=means)
            now += 20 * DAY
            wake(team, now)
    for step in planned(team, now).stands.left():
        with pytest.raises(UsageError, match="Still open: "):
            say(team, "closed", now)
        settle(team, step, now)
    say(team, "closed", now)
    wake(team, now + DAY)
    assert [row.state for row in team.rows(TerminationRow)] == ["closed"]
    with pytest.raises(UsageError, match="was closed"):
        say(team, "careful", now + DAY)
    assert len(told(mailbox)) == len(meetings)
    mails = read_mails(mailbox.folder)
    assert {mail.to for mail in mails} <= {"t1@example.org", "t2@example.org"}  # the client hears nothing from here
    assert "Müller" not in "".join(mail.text for mail in mails)


def test_withdrawn_what_was_sent_is_called_off_and_what_was_not_is_not(team, mailbox):
    going(team)
    wake(team, NOW + HOUR)
    for *_, content in invitations(mailbox)[:1]:
        enter(team, content)
    wake(team, NOW + 2 * HOUR)
    assert tell(team, NOW + 2 * HOUR) == 1
    wake(team, NOW + 3 * HOUR)
    say(team, "withdrawn", NOW + DAY)
    wake(team, NOW + DAY + HOUR)
    assert sorted(told(mailbox)[3:]) == [("CANCEL", friday) for friday in FRIDAYS[:3]]
    # The client's side is a person's to call off.
    assert [method for method, _ in told(mailbox, "c1@example.net")] == ["REQUEST"]
    (off,) = planned(team, NOW + DAY + HOUR).news
    assert off.wanted.cancelled
    assert tell(team, NOW + DAY + HOUR) == 1
    wake(team, NOW + DAY + 2 * HOUR)
    assert [method for method, _ in told(mailbox, "c1@example.net")] == ["REQUEST", "CANCEL"]
    assert tell(team, NOW + DAY + 2 * HOUR) == 0


def test_withdrawn_before_anything_was_sent_nothing_is_called_off(team, mailbox):
    going(team)
    ending_schedule.wake_up(team.practice, NOW + HOUR)
    assert len(uids(team)) == 3
    say(team, "withdrawn", NOW + HOUR)
    wake(team, NOW + 2 * HOUR)
    assert uids(team) == []
    assert told(mailbox) == []


def test_after_a_death_only_the_therapist_hears(team, mailbox):
    going(team)
    wake(team, NOW + HOUR)
    enter(team, invitations(mailbox)[0][2])
    wake(team, NOW + 2 * HOUR)
    tell(team, NOW + 2 * HOUR)
    wake(team, NOW + 3 * HOUR)
    team.clients[0]["died"] = "yes"
    wake(team, NOW + DAY)
    wake(team, NOW + 2 * DAY)
    assert sorted(told(mailbox)[3:]) == [("CANCEL", friday) for friday in FRIDAYS[:3]]
    assert [method for method, _ in told(mailbox, "c1@example.net")] == ["REQUEST"]
    with pytest.raises(UsageError, match="has died"):
        propose(team, NOW + 2 * DAY)


def test_the_death_that_comes_before_the_mail_leaves_stops_it(team, mailbox):
    going(team)
    ending_schedule.wake_up(team.practice, NOW + HOUR)
    team.clients[0]["died"] = "yes"
    wake(team, NOW + 2 * HOUR)
    assert told(mailbox) == []
    assert uids(team) == []


@pytest.mark.parametrize("reason", ["goals", "poor-fit", "beyond", "move", "leaving"])
def test_reasons_that_ask_for_appointments_propose_them(team, mailbox, reason):
    going(team, reason)
    wake(team, NOW + HOUR)
    assert told(mailbox) == [("REQUEST", friday) for friday in FRIDAYS[:3]]
    assert [line.role for line in planned(team, NOW + HOUR).schedule.lines] == [E, P, C]


@pytest.mark.parametrize("reason", ["wish", "safety", "contact", "death"])
def test_reasons_that_only_offer_them_or_have_none_propose_nothing(team, mailbox, reason):
    team.entry("t1", "own-1", FRIDAYS[0], "Anna Müller")
    going(team, reason)
    wake(team, NOW + HOUR)
    assert told(mailbox) == []
    offered = [(E, FRIDAYS[0], How.stands)] if reason in ("wish", "safety") else []
    assert parts(team, NOW + HOUR) == offered
    with pytest.raises(UsageError):
        propose(team, NOW + HOUR)


# ---------------------------------------------------------------- never by itself


def test_where_rejection_is_hard_only_a_person_proposes_and_there_is_more_room(team, mailbox):
    going(team, careful=True)
    for hours in (1, 25, 49):
        wake(team, NOW + hours * HOUR)
    assert told(mailbox) == []
    assert team.rows(Observation, kind="ending")[-1].facts["what"] == "confirmed"
    propose(team, NOW + 3 * DAY)
    wake(team, NOW + 3 * DAY + HOUR)
    assert [method for method, _ in told(mailbox)] == ["REQUEST"] * 4


def test_marked_as_hard_after_the_first_proposal_nothing_more_goes_by_itself(team, mailbox):
    going(team)
    say(team, "careful", NOW + 60)
    wake(team, NOW + HOUR)
    assert told(mailbox) == []


def test_before_it_is_confirmed_nothing_is_proposed(team, mailbox):
    start(team)
    wake(team, NOW + HOUR)
    assert told(mailbox) == []
    with pytest.raises(UsageError, match="waits for the confirmation"):
        propose(team, NOW + HOUR)


def test_where_all_stood_at_first_what_falls_out_later_is_proposed_by_a_person(team, mailbox):
    for n, friday in enumerate(FRIDAYS[:3]):
        team.entry("t1", f"own-{n}", friday, "Anna Müller")
    going(team)
    wake(team, NOW + HOUR)
    assert [how for *_, how in parts(team, NOW + HOUR)] == [How.stands] * 3
    team.drop("t1", "own-2")
    wake(team, NOW + DAY)
    assert told(mailbox) == []
    assert parts(team, NOW + DAY)[-1] == (C, FRIDAYS[2], How.new)
    assert propose(team, NOW + DAY).schedule.new
    with pytest.raises(UsageError, match="Every part has its appointment"):
        propose(team, NOW + DAY + 1)


def test_what_is_not_entered_for_days_or_no_longer_free_is_replaced_by_a_person(team, mailbox):
    going(team)
    wake(team, NOW + HOUR)
    team.entry("t1", "dentist", FRIDAYS[0], "Zahnarzt")
    wake(team, NOW + 2 * HOUR)
    (aside,) = planned(team, NOW + 2 * HOUR).schedule.aside
    assert (aside.start, aside.problem) == (FRIDAYS[0], Problem.not_free)
    for *_, content in invitations(mailbox)[1:2]:
        enter(team, content)
    three = NOW + HOUR + 3 * DAY
    wake(team, three - 1)
    assert [each.problem for each in planned(team, three - 1).schedule.aside] == [Problem.not_free]
    wake(team, three)
    assert [each.problem for each in planned(team, three).schedule.aside] == [Problem.not_entered] * 2
    assert len(told(mailbox)) == 3
    propose(team, three)
    wake(team, three + HOUR)
    assert sorted(told(mailbox)[3:])[:2] == [("CANCEL", FRIDAYS[0]), ("CANCEL", FRIDAYS[2])]
    new = [start for method, start in told(mailbox)[3:] if method == "REQUEST"]
    assert len(new) == 2
    assert not set(new) & set(FRIDAYS[:3]), "what was declined is not proposed again"
    assert len(uids(team)) == 3


def test_what_a_program_entered_and_nobody_accepted_does_not_stand_and_is_not_told(team, mailbox):
    """Programs enter invitations by themselves, some as tentative: that is nobody's word."""
    going(team)
    wake(team, NOW + HOUR)
    first, second, third = (content for *_, content in invitations(mailbox))
    enter(team, first, answer="NEEDS-ACTION")
    enter(team, second, answer="NEEDS-ACTION", status="TENTATIVE")
    enter(team, third, answer="TENTATIVE")
    wake(team, NOW + 2 * HOUR)
    assert [how for *_, how in parts(team, NOW + 2 * HOUR)] == [How.proposed] * 3
    assert tell(team, NOW + 2 * HOUR) == 0
    enter(team, first)
    three = NOW + HOUR + 3 * DAY
    wake(team, three)
    found = planned(team, three).schedule
    assert [line.how for line in found.lines if line.start == FRIDAYS[0]] == [How.stands]
    assert [(each.start, each.problem) for each in found.aside] == [
        (FRIDAYS[1], Problem.not_entered),
        (FRIDAYS[2], Problem.not_entered),
    ]
    assert tell(team, three) == 1


def test_what_the_therapist_declined_is_off_and_something_else_is_proposed(team, mailbox):
    going(team)
    wake(team, NOW + HOUR)
    first, second, third = (content for *_, content in invitations(mailbox))
    enter(team, first)
    enter(team, second, answer="DECLINED")
    enter(team, third)
    wake(team, NOW + 2 * HOUR)
    assert [(role, start) for role, start, how in parts(team, NOW + 2 * HOUR) if how is How.stands] == [
        (E, FRIDAYS[0]),
        (P, FRIDAYS[2]),
    ]
    assert [news.wanted.start for news in planned(team, NOW + 2 * HOUR).news] == [FRIDAYS[0], FRIDAYS[2]]
    propose(team, NOW + 2 * HOUR)
    wake(team, NOW + 3 * HOUR)
    assert told(mailbox)[3:] == [("REQUEST", FRIDAYS[3])], "and no message about what they declined themselves"
    # What the client was told of is said to be off, once a person says so.
    assert tell(team, NOW + 3 * HOUR) == 2
    enter(team, first, answer="DECLINED")
    wake(team, NOW + 4 * HOUR)
    assert [(n.wanted.start, n.wanted.cancelled) for n in planned(team, NOW + 4 * HOUR).news] == [(FRIDAYS[0], True)]


# ---------------------------------------------------------------- when nobody is free


def test_nothing_is_proposed_inside_leave_on_holidays_or_in_a_break_of_the_client(a_clinic, mailbox):
    team = make(a_clinic, mailbox, holidays="DE-BE")
    team.leave.append({"id": "L1", "therapist": "T1", "from": "2026-12-01", "to": "2026-12-16"})
    team.breaks.append({"id": "B1", "client": "1001", "from": "2026-12-28", "to": "2027-01-06"})
    team.entry("t1", "own-1", FRIDAYS[1], "Anna Müller")  # on a day of leave
    going(team)
    wake(team, NOW + HOUR)
    (aside,) = planned(team, NOW + HOUR).schedule.aside
    assert (aside.start, aside.problem) == (FRIDAYS[1], Problem.away)
    propose_at = [f"{local(start, ZONE):%m-%d %H:%M}" for _, start in told(mailbox)]
    assert propose_at == ["11-27 10:00", "12-18 10:00", "12-24 10:00"], "25 December is a Friday and a holiday"


def test_none_after_the_day_by_which_it_should_be_over(team, mailbox):
    going(team, until=FRIDAYS[1] + 12 * HOUR)
    wake(team, NOW + HOUR)
    assert told(mailbox) == [("REQUEST", friday) for friday in FRIDAYS[:2]]
    found = planned(team, NOW + HOUR).schedule
    assert [line.start for line in found.lines] == FRIDAYS[:2]
    assert found.missing == (C,)


def test_all_that_stands_before_its_day_gives_room(team):
    for n, friday in enumerate(FRIDAYS):
        team.entry("t1", f"own-{n}", friday, "Anna Müller")
    going(team, until=FRIDAYS[3] + DAY)
    wake(team, NOW + HOUR)
    assert [role for role, *_ in parts(team, NOW + HOUR)] == [E, P, P, C]


def test_without_free_hours_for_months_a_sentence_and_nothing_invented(team, mailbox):
    team.leave.append({"id": "L1", "therapist": "T1", "from": "2026-11-23", "to": "2027-06-30"})
    going(team)
    wake(team, NOW + HOUR)
    found = planned(team, NOW + HOUR).schedule
    assert (found.lines, found.missing, found.need) == ((), (E, P, C), Need.required)
    assert "No time that is free was found" in nothing_new(found)
    with pytest.raises(UsageError, match="No time that is free"):
        propose(team, NOW + HOUR)
    assert told(mailbox) == []
    # Back sooner than planned: it is still the first time.
    team.leave[0]["to"] = "2026-11-24"
    wake(team, NOW + DAY)
    assert len(told(mailbox)) == 3


def test_a_calendar_that_was_not_read_says_nothing_about_free_hours(team, mailbox):
    going(team)
    late = NOW + 10 * DAY
    ending_schedule.wake_up(team.practice, late)
    assert uids(team) == []
    found = planned(team, late).schedule
    assert found.blind
    assert "cannot be told now" in nothing_new(found)


def test_endings_at_once_never_meet_in_one_hour(team, mailbox):
    for number in ("1001", "1002", "1003"):
        going(team, "leaving", number=number)
    with pytest.raises(UsageError, match="going on"):
        start(team, "goals", number="1003")
    wake(team, NOW + HOUR)
    starts = [start for _, start in told(mailbox)]
    assert len(starts) == len(set(starts)) == 9


# ---------------------------------------------------------------- what is kept


def test_what_was_proposed_is_an_act_and_asked_about_only_after_days(team, mailbox):
    going(team)
    wake(team, NOW + HOUR)
    act = team.rows(Observation, kind="ending")[-1]
    assert act.facts["what"] == "proposed"
    assert [(start, role) for _, start, role in act.facts["parts"]] == list(
        zip(FRIDAYS, ("explain", "process", "close"), strict=False)
    )
    assert sorted(uid for uid, *_ in act.facts["parts"]) == sorted(uids(team))
    assert [(row.who, row.act) for row in team.rows(Audit)][-1] == ("tending", "ending proposed")
    assert team.findings() == set()
    wake(team, NOW + HOUR + 3 * DAY - 1)
    assert team.findings() == set()
    wake(team, NOW + HOUR + 3 * DAY)
    assert team.findings() == {("1001", "ending_step")}
    before = stood(team)
    rebuild(team.practice, NOW + 4 * DAY, dry_run=False)
    assert stood(team) == before


def test_whom_nothing_may_be_told_is_not_told(team, mailbox):
    going(team)
    wake(team, NOW + HOUR)
    enter(team, invitations(mailbox)[0][2])
    team.clients[0]["opted_out"] = "yes"
    wake(team, NOW + 2 * HOUR)
    assert tell(team, NOW + 2 * HOUR) == 1
    wake(team, NOW + 3 * HOUR)
    assert told(mailbox, "c1@example.net") == []
    code = team.rows(Client, id=team.id_of("1001"))[0].code
    (side,) = team.rows(Invitation, recipient=f"{CLIENT}{code}")
    assert side.outcome == "the client asked not to be written to"


def test_a_message_to_the_client_that_did_not_leave_in_time_does_not_leave(team, mailbox):
    """Approved, and before it was sent the ending was withdrawn; or the therapist has taken the appointment out."""
    going(team)
    wake(team, NOW + HOUR)
    first, second, _ = (content for *_, content in invitations(mailbox))
    enter(team, first)
    gone = enter(team, second)
    team.sync(NOW + 2 * HOUR)
    assert tell(team, NOW + 2 * HOUR) == 2
    team.drop("t1", gone)
    wake(team, NOW + 3 * HOUR)
    assert told(mailbox, "c1@example.net") == [("REQUEST", FRIDAYS[0])]
    (dropped,) = [row for row in team.rows(Invitation) if row.outcome]
    assert dropped.outcome == "the therapist's calendar says otherwise by now"
    enter(team, invitations(mailbox)[2][2])
    team.sync(NOW + 4 * HOUR)
    assert tell(team, NOW + 4 * HOUR) == 2  # the third stands, and the second is off
    say(team, "withdrawn", NOW + 4 * HOUR)
    wake(team, NOW + 5 * HOUR)
    assert told(mailbox, "c1@example.net") == [("REQUEST", FRIDAYS[0])]
    assert [news.wanted.start for news in planned(team, NOW + 5 * HOUR).news] == [FRIDAYS[0]]


def test_a_therapist_who_goes_holds_what_is_proposed_before(team, mailbox):
    goes = at("2026-12-05 00:00")
    with team.practice.store.write() as connection:
        plan_id = leave_plans.draft(team.practice, connection, "T1", goes, FAR, "clerk", NOW)
        for line in leave_plans.view(team.practice, connection, plan_id, NOW).lines:
            leave_plans.choose(connection, plan_id, line.client_id, Choice.ends, "", "clerk", NOW)
        went = leave_going.go(team.practice, connection, plan_id, "clerk", "no", NOW)
    assert len(went.begun) == 3
    for number in ("1001", "1002", "1003"):
        say(team, "confirmed", NOW + 30, number=number, by=T2, personal="no")
    wake(team, NOW + HOUR)
    starts = [start for _, start in told(mailbox)]
    assert len(starts) == len(set(starts)) == 6
    assert all(start < goes for start in starts)
    assert all(planned(team, NOW + HOUR, number).schedule.missing == (C,) for number in ("1001", "1002", "1003"))


def test_two_wake_ups_at_once_propose_once(team, mailbox):
    for number in ("1001", "1002", "1003"):
        going(team, "leaving", number=number)
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda _: ending_schedule.wake_up(team.practice, NOW + HOUR), range(4)))
    assert done == [[]] * 4
    assert len(uids(team)) == 9
    acts = [row.facts["what"] for row in team.rows(Observation, kind="ending")]
    assert acts.count("proposed") == 3


def test_what_is_just_being_sent_when_it_is_withdrawn_is_called_off_after_it(team, mailbox):
    going(team)
    ending_schedule.wake_up(team.practice, NOW + HOUR)
    post = PostRoom(team.practice)
    with team.practice.store.read() as connection:
        first, *_ = inviting.due(connection, NOW + HOUR)
    claimed = post.invite(first, NOW + HOUR, "test")
    assert claimed is not None
    say(team, "withdrawn", NOW + HOUR)
    assert post.give(claimed, NOW + HOUR) == "sent"
    wake(team, NOW + 2 * HOUR)
    assert [method for method, _ in told(mailbox)] == ["REQUEST", "CANCEL"]
    assert len({start for _, start in told(mailbox)}) == 1


def test_a_person_who_proposes_twice_with_one_form_proposes_once(team, mailbox):
    going(team, careful=True)
    for _ in range(2):
        with team.practice.store.write() as connection:
            client = team.id_of("1001")
            ending_schedule.propose(team.practice, connection, client, T1, NOW + HOUR, act_id="form-1")
    assert len(uids(team)) == 4
    assert all(len(uid) == len("0" * 32 + "@tending.invalid") for uid in uids(team))


def test_what_still_stands_is_not_forgotten_after_the_last_appointment(team):
    for n, friday in enumerate(FRIDAYS):
        team.entry("t1", f"own-{n}", friday, "Anna Müller")
    going(team)
    wake(team, NOW + HOUR)
    assert planned(team, NOW + HOUR).schedule.beyond == (FRIDAYS[3],)
    for n, friday in enumerate(FRIDAYS[:3]):
        team.drop("t1", f"own-{n}")
        team.seen("1001", friday)
    now = FRIDAYS[2] + DAY
    wake(team, now)
    for step in ("explain", "process", "referral", "last"):
        settle(team, step, now)
        assert (planned(team, now).schedule.beyond, planned(team, now).schedule.new) == (
            () if step != "last" else (FRIDAYS[3],),
            (),
        ), step
    for step in ("letter", "records"):
        settle(team, step, now)
    assert planned(team, now).schedule.beyond == (FRIDAYS[3],)
    say(team, "closed", now)
    assert planned(team, now).schedule.beyond == ()
    assert planned(team, now).ahead == (FRIDAYS[3],)


def test_closed_early_what_it_proposed_is_called_off_and_what_stood_is_not(team, mailbox):
    team.entry("t1", "own-1", FRIDAYS[0], "Anna Müller")
    going(team)
    wake(team, NOW + HOUR)
    for step in ("explain", "process", "referral", "last"):
        say(team, "could-not", NOW + HOUR, step=step, reason="declined")
    for step in ("letter", "records"):
        say(team, "done", NOW + HOUR, step=step)
    say(team, "closed", NOW + HOUR)
    wake(team, NOW + 2 * HOUR)
    assert sorted(told(mailbox)[2:]) == [("CANCEL", FRIDAYS[1]), ("CANCEL", FRIDAYS[2])]
    assert uids(team) == []


def test_the_last_one_declined_is_asked_about_and_proposed_anew_by_a_person(team, mailbox):
    """Nothing is said of it while the ones before it stand; then the finding says that nothing is booked and that times were proposed."""
    going(team)
    wake(team, NOW + HOUR)
    first, second, third = (content for *_, content in invitations(mailbox))
    enter(team, first)
    enter(team, second)
    gone = enter(team, third)
    wake(team, NOW + DAY)
    team.drop("t1", gone)
    wake(team, NOW + 2 * DAY)
    assert team.findings() == set()
    team.seen("1001", FRIDAYS[0], FRIDAYS[1])
    later = FRIDAYS[1] + DAY
    wake(team, later)
    for step in ("explain", "process", "referral"):
        settle(team, step, later)
    wake(team, later + HOUR)
    assert team.why("1001", later + HOUR)["ending_step"] == (True, "no_appointment")
    assert told(mailbox) == [("REQUEST", friday) for friday in FRIDAYS[:3]]
    nine = FRIDAYS[2] - HOUR  # the very time that fell out is not proposed again
    assert parts(team, later + HOUR) == [(C, nine, How.new)]
    propose(team, later + HOUR)
    wake(team, later + 2 * HOUR)
    assert told(mailbox)[3:] == [("REQUEST", nine)]
    assert team.why("1001", later + 2 * HOUR)["ending_step"] == (False, "proposed")


def test_whose_care_has_ended_by_the_record_is_proposed_appointments_only_by_a_person(team, mailbox):
    team.clients[0]["status"] = "ended"
    going(team)
    wake(team, NOW + HOUR)
    assert (told(mailbox), uids(team), planned(team, NOW + HOUR).by_itself) == ([], [], False)
    propose(team, NOW + 2 * HOUR)
    assert len(uids(team)) == 3
