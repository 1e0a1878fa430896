"""Answers: they stop the chase, are taken back within a minute, hold until something gets worse, and feed the case like any other word."""

from datetime import date

import pytest

from integrations import answering
from integrations.store import answers, cases
from models.answers import REASONS, Reply, answer, said, until_of
from models.errors import UsageError
from models.findings import Finding, FindingHistory, Look
from models.instants import DAY, FAR, HOUR
from models.observations import Observation
from models.rule import Verdict
from models.rules.safety import tell
from models.told import NOT_KNOWN
from models.voice import Voice
from tests.builders import NOW, ZONE, days_ago, each, in_days

LATER = NOW + HOUR


def quiet(clinic, now=NOW):
    """Somebody who is quiet, told of."""
    clinic.client("1002", "Berta Braun")
    clinic.seen("1001", *each(7, 6, days_ago(9)))
    clinic.entry("t1", "b", in_days(200), "Berta Braun")
    clinic.sync(now)
    clinic.look(now)  # the first look at this caseload
    for day in range(1, 7):
        clinic.sync(now + day * DAY)
        clinic.look(now + day * DAY)
    (finding,) = clinic.rows(Finding, kind="quiet")
    return finding


def say(clinic, reply, now, kind="quiet", *, note="", **more):
    with clinic.practice.store.write() as connection:
        given = answer(kind, reply, now, **more)
        return answers.give(clinic.practice, connection, clinic.id_of("1001"), given, "therapist:T1", now, note=note)


def unsay(clinic, answer_id, now):
    with clinic.practice.store.write() as connection:
        return answers.take_back(clinic.practice, connection, answer_id, "therapist:T1", now)


def finding(clinic, kind="quiet"):
    return clinic.rows(Finding, kind=kind)[0]


def look(clinic, now):
    clinic.sync(now)
    return clinic.look(now)


def test_done_stops_the_chase_and_is_kept_with_who_and_when(clinic):
    found = quiet(clinic)
    assert found.climbs_at is not None
    now = found.opened_at + DAY
    say(clinic, Reply.done, now)
    clinic.look(now)
    after = finding(clinic)
    rests_until = now + after.evidence["facts"][-2] - after.evidence["facts"][0]  # as long again as it took
    assert (after.answered, after.answered_at, after.climbs_at, after.speaks_at) == (True, now, None, rests_until)
    assert after.cleared_at is None
    with clinic.practice.store.read() as connection:
        (kept,) = answers.answers_to(clinic.practice, connection, clinic.id_of("1001"))
    assert (kept.by, kept.at, kept.reply) == ("therapist:T1", now, "done")
    for at in (*range(now + DAY, rests_until, DAY), rests_until - 1):
        look(clinic, at)
    assert len(clinic.notices()) == 1
    look(clinic, rests_until)
    assert len(clinic.notices()) == 2
    assert finding(clinic).evidence["again"] == ["still", now]
    assert [row.what for row in clinic.rows(FindingHistory, kind="quiet")] == ["opened", "answered", "raised"]


def test_put_off_it_speaks_again_on_the_day_if_it_is_still_so(clinic):
    found = quiet(clinic)
    now, until = found.opened_at + DAY, found.opened_at + 10 * DAY
    say(clinic, Reply.snooze, now, until=until, reason="later")
    clinic.look(now)
    look(clinic, until - 1)
    assert len(clinic.notices()) == 1
    look(clinic, until)
    assert [n.generation for n in clinic.notices()] == [1, 2]
    assert finding(clinic).evidence["again"] == ["until", now]
    assert not finding(clinic).answered
    for day in range(1, 5):
        look(clinic, until + day * DAY)
    assert len(clinic.notices()) == 2


def test_an_answer_is_taken_back_within_a_minute(clinic):
    found = quiet(clinic)
    now = found.opened_at + DAY
    answer_id = say(clinic, Reply.no_concern, now, reason="planned", note="Away until May")
    clinic.look(now)
    with pytest.raises(UsageError, match="for a minute"):
        unsay(clinic, answer_id, now + 61)
    unsay(clinic, answer_id, now + 60)
    clinic.look(now + 60)
    after = finding(clinic)
    assert (after.answered, after.speaks_at) == (False, None)
    assert after.climbs_at > now
    with clinic.practice.store.read() as connection:
        assert answers.answers_to(clinic.practice, connection, clinic.id_of("1001")) == []
    with pytest.raises(UsageError, match="taken back already"):
        unsay(clinic, answer_id, now + 61)
    assert len(clinic.rows(Observation, kind="answer")) == 2  # nothing is ever removed


def test_an_agreed_rhythm_keeps_silent_no_longer_than_a_day_that_was_agreed_may_lie_ahead(clinic):
    now = quiet(clinic).opened_at + DAY
    with pytest.raises(UsageError, match="at most 90 days here: we ask after 2 times as long, and more than 180 days"):
        say(clinic, Reply.agreed, now, days=91)
    assert not finding(clinic).answered
    say(clinic, Reply.agreed, now, days=90)
    clinic.look(now)
    (look_,) = [row for row in clinic.rows(Look) if row.client_id == clinic.id_of("1001")]
    assert look_.next_look <= now + 180 * DAY


def test_a_note_is_sealed_and_short(clinic):
    found = quiet(clinic)
    now = found.opened_at + DAY
    with pytest.raises(UsageError, match="at most 200"):
        say(clinic, Reply.done, now, note="x" * 201)
    say(clinic, Reply.done, now, note="Sagt, es geht besser")
    with clinic.practice.store.read() as connection:
        rows = connection.exec_driver_sql("SELECT facts FROM observation WHERE kind = 'answer'").all()
        assert "besser" not in str(rows)
        (kept,) = answers.answers_to(clinic.practice, connection, clinic.id_of("1001"), notes=True)
    assert kept.note == "Sagt, es geht besser"


def test_what_is_not_open_cannot_be_answered(clinic):
    clinic.seen("1001", days_ago(2))
    clinic.sync()
    clinic.look()
    with pytest.raises(UsageError, match="nothing open"):
        say(clinic, Reply.done, LATER)


def test_a_next_contact_that_was_agreed_clears_it_until_that_day(clinic):
    found = quiet(clinic)
    now, until = found.opened_at + DAY, found.opened_at + 21 * DAY
    say(clinic, Reply.agreed, now, until=until)
    clinic.look(now)
    assert finding(clinic).cleared_at == now
    assert clinic.why("1001", now + DAY)["quiet"] == (False, "agreed")
    look(clinic, until - 1)
    assert finding(clinic).cleared_at is not None
    look(clinic, until)
    after = finding(clinic)
    assert (after.cleared_at, after.generation) == (None, 2)
    assert [n.generation for n in clinic.notices(purpose="stalled.quiet")] == [1, 2]


def test_a_rhythm_that_was_agreed_is_this_clients_own_policy(clinic):
    found = quiet(clinic)
    now = found.opened_at + DAY
    say(clinic, Reply.agreed, now, days=28)
    clinic.look(now)
    assert finding(clinic).cleared_at == now
    with clinic.practice.store.read() as connection:
        together = cases.shared(clinic.practice, connection, now)
        (row,) = cases.digests(connection, [clinic.id_of("1001")])
        (other,) = cases.digests(connection, [clinic.id_of("1002")])
    assert (
        together.policy(row)
        .line("agreed_rhythm_days")
        .startswith("agreed_rhythm_days = 28 days (0: none) (agreed with")
    )
    assert together.policy(other).policy.agreed_rhythm_days == 0


def test_rebuilding_changes_nothing_about_answers(clinic):
    from integrations.store.rebuild import rebuild

    found = quiet(clinic)
    now = found.opened_at + DAY
    say(clinic, Reply.agreed, now, days=28)
    clinic.look(now)
    assert rebuild(clinic.practice, now, dry_run=True).differed == ()


def test_the_day_of_a_plan_is_its_last_wherever_it_is_said():
    until = until_of(Reply.known, date(2026, 12, 10), ZONE)
    voice = Voice(ZONE, "en_GB", NOW)
    assert said(Reply.known, until, 0, "", voice).startswith("It is known and there is a plan, until Thu 10 Dec")
    facts = ([[1, NOW - DAY, NOW - DAY]], NOT_KNOWN, until, NOT_KNOWN)
    assert "with a plan until Thu 10 Dec." in tell(Verdict("item9", True, "risk", facts), voice)


@pytest.mark.parametrize(
    ("reply", "more", "refused"),
    [
        (Reply.done, {}, ""),
        (Reply.done, {"until": NOW + DAY}, "does not go with"),
        (Reply.done, {"reason": "planned"}, "takes no reason"),
        (Reply.agreed, {}, "Say what was agreed"),
        (Reply.agreed, {"until": NOW + DAY}, ""),
        (Reply.agreed, {"until": NOW}, "has passed"),
        (Reply.agreed, {"until": NOW + 1}, ""),
        (Reply.agreed, {"days": 14}, ""),
        (Reply.agreed, {"days": 180}, ""),
        (Reply.agreed, {"days": 181}, "between 1 and 180"),
        (Reply.agreed, {"days": 14, "until": NOW + DAY}, "Say what was agreed"),
        (Reply.snooze, {"reason": "later"}, "Say until when"),
        (Reply.snooze, {"until": NOW + 90 * DAY, "reason": "later"}, ""),
        (Reply.snooze, {"until": NOW + 90 * DAY + 1, "reason": "later"}, "no snooze"),
        (Reply.snooze, {"until": NOW + DAY}, "Say why"),
        (Reply.no_concern, {"reason": "planned"}, ""),
        (Reply.no_concern, {"reason": "because"}, "Say why"),
        (Reply.no_concern, {}, "Say why"),
        (Reply.known, {"until": NOW + DAY}, "is for a risk; here say done, snooze"),
        (Reply.ending, {}, ""),
        (Reply.ending, {"days": 7}, "A rhythm goes with"),
        (Reply.known, {"until": NOW + 31 * DAY, "safety": True}, ""),
        (Reply.known, {"until": NOW + 31 * DAY + 1, "safety": True}, "within 30 days"),
        (Reply.known, {"safety": True}, "Say until when"),
        (Reply.no_concern, {"reason": "planned", "safety": True}, "A risk is answered with"),
        (Reply.agreed, {"days": 7, "safety": True}, "A risk is answered with"),
        (Reply.ending, {"safety": True}, "A risk is answered with"),
        (Reply.snooze, {"until": NOW + 25 * HOUR, "reason": "later", "safety": True}, ""),
        (Reply.snooze, {"until": NOW + 25 * HOUR + 1, "reason": "later", "safety": True}, "until tomorrow at most"),
        (Reply.agreed, {"until": NOW + 181 * DAY}, ""),
        (Reply.agreed, {"until": NOW + 181 * DAY + 1}, "is a pause"),
    ],
)
def test_what_an_answer_needs(reply, more, refused):
    if refused:
        with pytest.raises(UsageError, match=refused):
            answer("quiet", reply, NOW, **more)
    else:
        given = answer("quiet", reply, NOW, **more)
        assert given.until == more.get("until", NOW + 7 * DAY if reply is Reply.ending else FAR)


def test_every_reason_is_a_code_with_words():
    for listed in REASONS.values():
        assert all(code == code.lower() and " " not in code and words for code, words in listed.items())


def test_the_same_answer_given_twice_is_one_and_somebody_who_saw_it_otherwise_is_told(clinic):
    found = quiet(clinic)
    now, client = found.opened_at + DAY, clinic.id_of("1001")
    given, other = answer("quiet", Reply.done, now), answer("quiet", Reply.ending, now)
    seen, practice = answers.Seen(found.generation, 0), clinic.practice
    for moment in (now, now + 5):
        with practice.store.write() as connection:
            answer_id = "a" * 32
            assert (
                answering.say(practice, connection, client, given, "T1", moment, answer_id=answer_id, seen=seen)
                == answer_id
            )
    assert finding(clinic).answered  # decided in the same transaction
    with practice.store.write() as connection, pytest.raises(UsageError, match="answered meanwhile"):
        answering.say(practice, connection, client, other, "T1", now + 6, answer_id="b" * 32, seen=seen)
    with practice.store.write() as connection, pytest.raises(UsageError, match="taken back"):
        answering.say(practice, connection, clinic.id_of("1002"), given, "T1", now + 6, answer_id=answer_id, seen=seen)
    assert len(clinic.rows(Observation, kind="answer")) == 1
    with practice.store.write() as connection:
        answering.unsay(practice, connection, answer_id, "T1", now + 7)
    assert not finding(clinic).answered
    with practice.store.write() as connection, pytest.raises(UsageError, match="taken back"):
        answering.say(practice, connection, client, given, "T1", now + 8, answer_id=answer_id, seen=seen)
