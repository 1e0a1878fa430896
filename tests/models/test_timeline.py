"""The timeline's lines: in order, as short as they may be, the same whenever they are read, and without a name where it is redacted."""

import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.answers import Reply
from models.appointments import Mark
from models.entries import CancelledBy, Plan
from models.instants import DAY, FAR, HOUR
from models.naming import Holder, Naming, Pen
from models.past import Given, Invited, Met, Past, Recorded, Sent, Tie, Turn
from models.people import OPEN_ENDED
from models.referral_acts import act_of
from models.referrals import referral_of
from models.timeline import FEW, sheet
from models.timeline_acts import Act
from models.timeline_line import PARTS
from models.timeline_told import ASIDE
from tests.builders import NOW, ZONE, at, days_ago, in_days

NAMES = {"T1": "Dr Kärcher", "T2": "Dr Lund", "T3": "Prof Ågren", "T4": "Dr Þór"}
PLAIN = Naming(False, NAMES, {7: Holder("front_office", "", "Ms Weiß")}, ["T1", "T2"], frozenset({"T3"}))
REDACTED = Naming(True, {}, {7: Holder("front_office", "", "")}, ["T1", "T2"], frozenset({"T3"}))


def a_past(**more):
    return Past("C-7F3K9QX", "active", False, date(2026, 1, 5), None, None)._replace(**more)


def written(past, naming=PLAIN, now=NOW, locale="en_GB", **more):
    """Each line as (when, part, text)."""
    return [line[1:] for line in sheet(past, Pen(ZONE, locale, naming, now), **more).lines]


def texts(past, part, naming=PLAIN, **more):
    return [text for _, of, text in written(past, naming, **more) if of == part]


def met(start, mark=Mark.attended, plan=Plan.booked, by=None):
    return Met(start, plan.value, int(mark), by)


# ---------------------------------------------------------------- appointments


def test_few_appointments_have_a_line_each_and_more_are_put_together_by_month():
    starts = [days_ago(7 * n) for n in range(FEW, 0, -1)]
    few = texts(a_past(appointments=[met(s) for s in starts]), "Appointments")
    assert few == ["Attended."] * FEW
    more = texts(a_past(appointments=[met(s) for s in [days_ago(7 * FEW + 7), *starts]]), "Appointments")
    assert more == [
        "Until Mon 28 Sep 2026: 2 attended.",
        "Until Mon 26 Oct 2026: 4 attended.",
        "Until Mon 16 Nov 2026: 3 attended.",
    ]


def test_what_was_missed_or_called_off_has_its_days_and_who_called_it_off():
    appointments = [
        *(met(days_ago(7 * n)) for n in range(FEW, 2, -1)),
        met(days_ago(13), Mark.no_show),
        met(days_ago(12), plan=Plan.cancelled, by=CancelledBy.client),
        met(days_ago(6), plan=Plan.cancelled, by=CancelledBy.client),
        met(days_ago(5), plan=Plan.cancelled, by=CancelledBy.practice),
        met(days_ago(4), plan=Plan.cancelled),
        met(days_ago(3), Mark.unknown),
        met(days_ago(2), Mark.presumed),
        met(in_days(4)),
        met(in_days(5), plan=Plan.proposed),
    ]
    page = sheet(a_past(appointments=appointments), Pen(ZONE, "en_GB", PLAIN, NOW))
    assert texts(a_past(appointments=appointments), "Appointments")[-1] == (
        "Until Fri 27 Nov 2026: 1 attended, 1 attended, as the calendar has it (21 Nov), 1 not marked (20 Nov), "
        "1 missed (10 Nov), 2 cancelled by the client (11 and 17 Nov), 1 cancelled by the practice (18 Nov), "
        "1 cancelled (19 Nov), 1 booked (27 Nov)."
    )
    assert dict(page.head)["Appointments"].startswith("6 attended, 1 attended, as the calendar has it, 1 not marked")
    assert dict(page.head)["Seen"] == "first Mon 28 Sep 2026, last Sat 21 Nov 2026"


def test_years_are_put_together_by_quarter():
    weekly = [met(days_ago(7 * n)) for n in range(104, 0, -1)]
    assert len(texts(a_past(appointments=weekly), "Appointments")) == 9
    assert len(texts(a_past(appointments=weekly[-50:]), "Appointments")) == 12


def test_nobody_who_was_never_seen_has_a_last_contact():
    page = sheet(a_past(appointments=[met(in_days(2)), met(days_ago(2), Mark.no_show)]), Pen(ZONE, "en_GB", PLAIN, NOW))
    assert dict(page.head)["Seen"] == "never"


# ---------------------------------------------------------------- people


def test_a_transfer_names_both_and_redacted_neither():
    ties = [
        Tie("main", "T1", None, date(2026, 3, 2)),
        Tie("main", "T2", date(2026, 3, 2), None),
        Tie("co", "T4", date(2026, 4, 1), date(2026, 4, 9)),
    ]
    assert written(a_past(ties=ties))[1:] == [
        ("Mon 5 Jan 2026", "Therapist", "In the care of Dr Kärcher (T1)."),
        ("Mon 2 Mar 2026", "Therapist", "From Dr Kärcher (T1) to Dr Lund (T2)."),
        ("Wed 1 Apr 2026", "Therapist", "Also Dr Þór (T4), as second therapist until Thu 9 Apr 2026."),
    ]
    assert [text for *_, text in written(a_past(ties=ties), REDACTED)[1:]] == [
        "In the care of therapist 1.",
        "From therapist 1 to therapist 2.",
        "Also another therapist, as second therapist until Thu 9 Apr 2026.",
    ]


@pytest.mark.parametrize(
    ("who", "plain", "redacted"),
    [
        ("therapist:T1", "Dr Kärcher (T1)", "therapist 1"),
        ("therapist:T3", "Prof Ågren (T3)", "the supervisor"),
        ("therapist:T4", "Dr Þór (T4)", "another therapist"),
        ("therapist:gone", "therapist gone", "another therapist"),
        ("admin", "the administrator", "the administrator"),
        ("account:7", "Ms Weiß (the front office)", "the front office"),
        ("account:8", "account:8", "staff"),
        ("client:12", "the client", "the client"),
        ("provider:P1", "provider P1", "the provider"),
        ("kmueller", "kmueller", "staff"),
    ],
)
def test_how_people_are_named(who, plain, redacted):
    assert (PLAIN.person(who), REDACTED.person(who)) == (plain, redacted)


# ---------------------------------------------------------------- goals and scores


def test_goals_are_told_apart_by_number_and_never_by_their_words():
    goals = [
        Given({"set_on": "2026-02-02", "status": "active", "achievement": "in-progress"}, NOW),
        Given(
            {"set_on": "2026-01-12", "status": "completed", "achievement": "achieved", "achievement_on": "2026-06-01"},
            NOW,
        ),
        Given({"set_on": "2026-02-02", "reviewed_on": "2026-03-02", "status": "cancelled"}, days_ago(3)),
    ]
    assert [(when, text) for when, part, text in written(a_past(goals=goals)) if part == "Goals"] == [
        ("Mon 12 Jan 2026", "Goal 1: set."),
        ("Mon 2 Feb 2026", "Goals 2 and 3: set."),
        ("Mon 2 Mar 2026", "Goal 2: looked at together."),
        ("Mon 1 Jun 2026", "Goal 1: achieved."),
        ("Mon 1 Jun 2026", "Goal 1: closed."),
        ("Fri 20 Nov 2026", "Goal 2: given up."),
    ]


def a_score(measure, at, value=None, risk=None):
    return Given({"measure": measure, "at": at, "value": value, "risk": risk}, at)


def test_scores_of_few_days_have_a_line_each_and_more_are_put_together():
    few = [a_score("PHQ-9", days_ago(7 * n), 20.0 - n) for n in range(FEW, 0, -1)]
    assert texts(a_past(scores=few), "Scores")[0] == "PHQ-9 12."
    more = [*few, a_score("SRS", days_ago(3), 30.5), a_score("C-SSRS", days_ago(3), risk=1)]
    assert texts(a_past(scores=more), "Scores")[-1] == (
        "SRS 30.5 (20 Nov); PHQ-9 17 (2 Nov), 18 (9 Nov), 19 (16 Nov); C-SSRS positive (20 Nov)."
    )


@pytest.mark.parametrize(
    ("score", "said"),
    [
        (a_score("PHQ-9", NOW - HOUR, 12, 2), "PHQ-9 12, asks for safety."),
        (a_score("PHQ-9", NOW - HOUR, 12, 0), "PHQ-9 12."),
        (a_score("PHQ-9", NOW - HOUR, None, 1), "PHQ-9 without a sum, asks for safety."),
        (a_score("C-SSRS", NOW - HOUR, 0, 0), "C-SSRS negative."),
        (a_score("Old one", NOW - HOUR, 3), "Old one 3."),
    ],
)
def test_how_a_score_is_written(score, said):
    assert texts(a_past(scores=[score]), "Scores") == [said]


# ---------------------------------------------------------------- what was noticed, told and said


def test_a_finding_has_a_line_for_each_time_it_was_open():
    findings = [
        Turn(days_ago(30), "opened", "quiet", "day_one"),
        Turn(days_ago(29), "said", "quiet", "day_one"),
        Turn(days_ago(20), "cleared", "quiet", "day_one"),
        Turn(days_ago(10), "opened", "quiet", "noticed"),
        Turn(days_ago(9), "opened", "of_old", "noticed"),
    ]
    assert texts(a_past(findings=findings), "Noticed") == [
        "Quiet, already so at the first look; no longer so on Tue 3 Nov 2026.",
        "Quiet; still so.",
        "Of old; still so.",
    ]


def test_what_one_message_told_stands_in_one_line():
    sent = [
        Sent(days_ago(5), "therapist:T1", "stalled.quiet", "sent"),
        Sent(days_ago(5), "therapist:T1", "stalled.missed", "sent"),
        Sent(days_ago(5), "therapist:T1", "stalled.missed", "sent"),
        Sent(days_ago(4), "admin", "some_letter", "failed"),
        Sent(days_ago(3), "therapist:T3", "stalled.quiet", "unsure"),
    ]
    assert texts(a_past(sent=sent), "Message") == [
        "To Dr Kärcher (T1): Quiet; Missed.",
        "To the administrator: Some letter; it could not be handed over.",
        "To Prof Ågren (T3): Quiet; nobody knows whether it arrived.",
    ]


def an_answer(reply=Reply.agreed, at=NOW - DAY, **more):
    return {
        "kind": "quiet",
        "reply": reply.value,
        "at": at,
        "until": FAR,
        "days": 0,
        "reason": "",
        "by": "therapist:T1",
    } | more


def test_an_answer_is_told_as_it_was_said_then_and_that_it_was_taken_back():
    acts = [
        Act("answer", an_answer(until=in_days(4)), NOW - DAY),
        Act("answer", an_answer(Reply.no_concern, NOW - HOUR, reason="planned"), NOW - HOUR, NOW - HOUR + 30),
    ]
    assert texts(a_past(acts=acts), "Answer") == [
        "Quiet: We agreed on the next contact: Fri 27 Nov, in 5 days. By Dr Kärcher (T1).",
        "Quiet: This isn't a concern: it is as we planned. By Dr Kärcher (T1). Taken back on Mon 23 Nov 2026.",
    ]


def test_an_act_whose_words_nobody_knows_is_shown_by_its_plain_name():
    acts = [
        Act("ending", {"act": "step-done", "step": "letter", "by": "therapist:T2", "at": NOW - 9}, NOW),
        Act("ending", {"whatever": "x"}, NOW - 8),
        Act("referral", {"state": "self_arranged", "reason": "Frau Müller sagt nein", "by": 3}, NOW - 7),
        Act("answer", {"kind": "quiet", "reply": "shrugged", "said": "shrugged", "at": NOW - 6}, NOW),
        Act("consent", {"what": "given"}, NOW - 5),
    ]
    lines = [(part, text) for _, part, text in written(a_past(acts=acts)) if part != "Care"]
    assert lines == [
        ("Ending", "Step done, letter. By Dr Lund (T2)."),
        ("Ending", "Ending."),
        ("Referral", "Self arranged."),
        ("Answer", "Quiet: shrugged."),
        ("Said", "Given."),
    ]


ENDING = {"ending": "e1", "by": "therapist:T1", "at": NOW - HOUR}
REFERRAL = {"referral": "R-7F3K9Q", "by": "therapist:T1", "at": NOW - HOUR, "day": -1, "provider": "", "word": ""}
SAID = [
    (
        "ending",
        {"what": "started", "reason": "poor-fit", "wished_by": "therapist"},
        "Ending begun: client and therapist do not fit well, the therapist's wish.",
    ),
    ("ending", {"what": "started", "reason": "wish", "wished_by": "client"}, "Ending begun: the client's wish."),
    (
        "ending",
        {"what": "proposed", "parts": [["u1", NOW + DAY, "process"], ["u2", NOW + 8 * DAY, "last"]]},
        "Appointments proposed to the therapist: Tue 24 Nov 2026, 10:30, Tue 1 Dec 2026, 10:30.",
    ),
    ("ending", {"what": "proposed"}, "Appointments proposed to the therapist."),
    (
        "ending",
        {"what": "proposed", "parts": ["Frau Müller", ["u", "Müller", "last"]]},
        "Appointments proposed to the therapist.",
    ),
    ("ending", {"what": "done", "step": "letter"}, "Step done: closing letter."),
    (
        "ending",
        {"what": "could-not", "step": "process", "reason": "declined"},
        "Step could not be done: room to process, the client did not want it.",
    ),
    ("ending", {"what": "attempt", "means": "phone", "on": days_ago(2)}, "Tried to reach the client: by phone."),
    ("ending", {"what": "closed"}, "Ending closed."),
    ("ending", {"what": "paused-for-now"}, "Paused for now."),
    (
        "referral",
        {"what": "offered", "providers": ["P1", "P2", "P3"], "follow_up": True},
        "R-7F3K9Q: 3 providers offered: follow-up agreed.",
    ),
    (
        "referral",
        {"what": "consented", "provider": "P2", "reason": "client", "part2": True},
        "R-7F3K9Q: Consent recorded: provider P2, by the client, under 42 CFR Part 2.",
    ),
    ("referral", {"what": "news", "word": "booked", "day": in_days(3)}, "R-7F3K9Q: News: booked, on Thu 26 Nov 2026."),
    ("referral", {"what": "fits", "fits": False}, "R-7F3K9Q: It does not fit."),
    ("referral", {"what": "fits", "fits": True}, "R-7F3K9Q: It fits."),
    ("referral", {"what": "thought-about", "referral": "Frau Müller"}, "Thought about."),
]


@pytest.mark.parametrize(("kind", "facts", "said"), SAID)
def test_what_is_said_of_endings_and_referrals(kind, facts, said):
    act = Act(kind, (ENDING if kind == "ending" else REFERRAL) | facts, NOW)
    ((when, _, text),) = [line for line in written(a_past(acts=[act])) if line[1] != "Care"]
    # Alone it may follow from nothing; that it says so has a test of its own.
    assert text.removesuffix(ASIDE) == f"{said} By Dr Kärcher (T1)."
    assert when == ("Sat 21 Nov 2026" if "on" in facts else "Mon 23 Nov 2026")
    (redacted,) = texts(a_past(acts=[act]), kind.capitalize(), REDACTED)
    assert redacted.removesuffix(ASIDE) == f"{said} By therapist 1.".replace(" provider P2,", "")


LOOKED = (
    "code looked up",
    "contact read",
    "client page read",
    "timeline read",
    "referral letter read",
    "referrals shown",
    "ending read to confirm",
    "boundary asked",
    "quarantine opened",
)


def test_the_record_shows_acts_and_reads_only_when_asked():
    recorded = [
        Recorded(days_ago(3), "kmueller", "identity read"),
        *(Recorded(days_ago(3), "therapist:T1", act) for act in LOOKED),
        Recorded(days_ago(2), "therapist:T1", "answered"),
        Recorded(days_ago(2), "therapist:T1", "answer taken back"),
        Recorded(days_ago(2), "therapist:T1", "ending started"),
        Recorded(days_ago(2), "therapist:T1", "referral offered"),
        Recorded(days_ago(1), "kmueller", "quarantine released"),
        Recorded(days_ago(1), "kmueller", "client invited", NOW + DAY),
        Recorded(days_ago(1), "tending", "something done"),
    ]
    at = "Tue 24 Nov 2026, 10:30"
    assert texts(a_past(recorded=recorded), "Record") == [
        "Quarantine released, by kmueller.",
        f"Client invited ({at}), by kmueller.",
        "Something done, by tending.",
    ]
    assert texts(a_past(recorded=recorded), "Record", REDACTED, reads=True) == [
        "Identity read, by staff.",
        *(f"{act.capitalize()}, by therapist 1." for act in LOOKED),
        "Quarantine released, by staff.",
        f"Client invited ({at}), by staff.",
        "Something done, by tending.",
    ]


def a_referral(what, at, known_at=None, **more):
    facts = {"referral": "R-7F3K9Q", "what": what, "at": at, "provider": "P1", "reason": "client", "via": "file"}
    return Act("referral", facts | more, known_at or at)


OFFERED = {"providers": ["P1", "P2", "P3"], "provider": "", "reason": ""}


def test_what_moved_nothing_says_so_as_the_referral_itself_has_it():
    acts = [
        a_referral("offered", days_ago(9), **OFFERED),
        a_referral("news", days_ago(8), word="accepted"),
        *(a_referral(what, days_ago(7)) for what in ("chosen", "consented", "sent")),
        a_referral("news", days_ago(6), word="accepted", provider="P2"),
        a_referral("news", days_ago(5), word="accepted"),
        a_referral("news", days_ago(4), word="accepted")._replace(taken_back_at=days_ago(4) + HOUR),
        a_referral("news", days_ago(3), word="missed"),
        a_referral("news", days_ago(2), word="booked"),
        a_referral("thought-about", days_ago(2)),
        a_referral("refused", days_ago(1)),
        a_referral("news", NOW - HOUR, word="booked"),
        a_referral("news", NOW - HOUR, word="declined", referral="R-7F3K9R"),
    ]
    stood = referral_of(
        [act_of(one.facts) for one in acts if one.facts["what"] != "thought-about" and one.taken_back_at is None][:-1]
    )
    lines = texts(a_past(acts=acts), "Referral")
    assert [n for n, text in enumerate(lines) if text.endswith(ASIDE)] == [1, 5, 8, 12, 13]
    assert len(stood.aside) == 4
    assert lines[7].endswith("accepted, client. Taken back on Thu 19 Nov 2026.")


def test_news_of_a_day_without_an_hour_stands_after_what_it_follows():
    day = at("2026-11-18 00:00")
    acts = [
        a_referral("offered", day + 10 * HOUR, **OFFERED),
        a_referral("self-arranged", day + 11 * HOUR),
        a_referral("news", day, day + 2 * DAY, word="accepted"),
        a_referral("news", day - DAY, day + 2 * DAY, word="full"),
        a_referral("news", day + DAY, day + 2 * DAY, word="booked"),
    ]
    before = Recorded(day + 10.5 * HOUR, "kmueller", "quarantine released")
    said = [
        (when, text.split(": ", 1)[1])
        for when, part, text in written(a_past(acts=acts, recorded=[before]))
        if part == "Referral"
    ]
    assert said == [
        ("Tue 17 Nov 2026", "News: provider P1, full, client."),
        ("Wed 18 Nov 2026", "3 providers offered."),
        ("Wed 18 Nov 2026", "The client arranges it: provider P1, client."),
        ("Wed 18 Nov 2026", "News: provider P1, accepted, client."),
        ("Thu 19 Nov 2026", "News: provider P1, booked, client."),
    ]


def test_what_calendars_were_told_stands_there_with_its_appointment():
    to, first, then = "therapist:T1", at("2026-12-01 10:00"), at("2026-12-03 15:00")
    invited = [
        Invited(days_ago(3), to, "REQUEST", first, False, "sent"),
        Invited(days_ago(2), to, "REQUEST", then, True, "sent"),
        Invited(days_ago(1), to, "CANCEL", then, True, "unsure"),
        Invited(days_ago(2), "client:C-7F3K9QX", "REQUEST", then, False, "sent"),
    ]
    assert texts(a_past(invited=invited), "Invitation", REDACTED) == [
        "To therapist 1: invited to an appointment on Tue 1 Dec 2026, 10:00.",
        "To therapist 1: the appointment was changed, now Thu 3 Dec 2026, 15:00.",
        "To the client: invited to an appointment on Thu 3 Dec 2026, 15:00.",
        "To therapist 1: the appointment was called off, Thu 3 Dec 2026, 15:00; nobody knows whether it arrived.",
    ]


# ---------------------------------------------------------------- the whole


def everything(last):
    """A past in which something of every part has happened, all of it before an instant."""
    at = last - 400 * DAY
    return a_past(
        status="ended",
        ended_on=date(2026, 11, 20),
        ties=[Tie("main", "T1", None, None), Tie("cover", "T4", date(2026, 2, 2), None)],
        appointments=[met(at + n * 7 * DAY, Mark.no_show if n % 5 == 0 else Mark.attended) for n in range(40)],
        breaks=[(date(2026, 2, 2), date(2026, 2, 20)), (date(2026, 3, 2), OPEN_ENDED)],
        goals=[Given({"set_on": None, "status": "active", "achievement": "no-change"}, at)],
        scores=[a_score("PHQ-9", at + n * 9 * DAY, float(n % 27)) for n in range(30)],
        findings=[Turn(at, "opened", "quiet", "noticed"), Turn(at + DAY, "cleared", "quiet", "noticed")],
        sent=[Sent(at + DAY, "therapist:T1", "stalled.quiet", "sent")],
        acts=[
            Act("answer", an_answer(at=at + DAY), at),
            Act("ending", {"act": "closed"}, last),
            Act("consent", {}, at),
        ],
        recorded=[Recorded(at, "kmueller", "source forgotten")],
    )


def test_every_part_has_its_lines_and_they_stand_in_order():
    lines = sheet(everything(NOW), Pen(ZONE, "en_GB", PLAIN, NOW)).lines
    assert {line.part for line in lines} == set(PARTS) - {"Referral", "Invitation"}
    assert [line.at for line in lines] == sorted(line.at for line in lines)


@pytest.mark.parametrize("later", [DAY, 2 * 366 * DAY, 6 * 366 * DAY])
def test_a_former_clients_page_stays_as_it_is(later):
    then, now = (sheet(everything(NOW), Pen(ZONE, "en_GB", REDACTED, at)) for at in (NOW, NOW + later))
    assert (now.title, now.head, now.lines, now.foot) == (then.title, then.head, then.lines, then.foot)
    assert now.printed != then.printed


def test_from_a_day_on():
    since = date(2026, 3, 2)
    page = sheet(everything(NOW), Pen(ZONE, "en_US", PLAIN, NOW), since=since)
    whole = sheet(everything(NOW), Pen(ZONE, "en_US", PLAIN, NOW))
    assert page.foot == ("What lies before Mon, Mar 2, 2026 is left out.",)
    assert page.head == whole.head
    assert 0 < len(page.lines) < len(whole.lines)
    assert page.lines[0].when == "Mon, Mar 2, 2026"
    kept = [line for line in page.lines if line.part not in ("Appointments", "Scores")]
    assert kept == [line for line in whole.lines if line in kept]


@given(
    st.lists(st.tuples(st.integers(-800, 100), st.sampled_from(list(Mark)), st.sampled_from(list(Plan))), max_size=60),
    st.sampled_from(["en_GB", "en_US"]),
)
def test_however_appointments_are_put_together_none_is_lost(appointments, locale):
    rows = [met(NOW + n * DAY + HOUR, mark, plan) for n, mark, plan in appointments]
    page = sheet(a_past(appointments=rows), Pen(ZONE, locale, PLAIN, NOW))
    lines = [line.text for line in page.lines if line.part == "Appointments"]
    counted = [row for row in rows if row.plan != Plan.proposed]
    if len(counted) <= FEW:
        assert len(lines) == len(counted)
        return
    plain = [re.sub(r" \([^)]*\)|^Until [^:]*: ", "", line) for line in lines]
    assert sum(int(number) for line in plain for number in re.findall(r"\d+", line)) == len(counted)
