"""Endings in a whole practice: taken in or refused, confirmed by a mail to the right person, asked about, and kept through a rebuild."""

import json

import pytest

from integrations import ending, ending_wake, letters
from integrations.delivery import deliver
from integrations.messages.mailbox import Mailbox, read_mails
from integrations.store import ending_rows, terminations
from integrations.store.rebuild import rebuild
from integrations.store.tables import table
from integrations.store.terminations import Start
from models.audit import Audit
from models.changes import Change
from models.ending_acts import QUESTION, State, What
from models.ending_steps import Reason, Step
from models.errors import UsageError
from models.instants import DAY, HOUR
from models.observations import Observation
from models.terminations import TerminationRow
from tests.builders import NOW, days_ago, each, in_days

T1, T2 = "therapist:T1", "therapist:T2"
HELD = ("explain", "process", "referral", "last", "letter", "records")


@pytest.fixture
def mailbox(tmp_path):
    with Mailbox(tmp_path / "mails") as mailbox:
        yield mailbox


@pytest.fixture
def team(a_clinic, mailbox):
    """T1, supervised by T2, and Anna (1001) and Berta (1002), both booked ahead."""
    return make(a_clinic, mailbox)


def make(a_clinic, mailbox, *, supervised=True, policy="", more=""):
    clinic = a_clinic(port=mailbox.port, policy=f'speak = "at_once"\n{policy}', more=more)
    for number, name in (("1001", "Anna Müller"), ("1002", "Berta Braun")):
        clinic.client(number, name)
        clinic.seen(number, *each(7, 6, days_ago(3)))
        clinic.entry("t1", f"next-{number}", in_days(100), name)
    clinic.therapists[0] |= {"supervisor": "T2"} if supervised else {}
    clinic.therapist("T2")
    clinic.arm()
    clinic.began = clinic.rows(Audit)[-1].id
    day(clinic, NOW)
    assert clinic.findings() == set()
    return clinic


def day(clinic, now):
    """What a running practice does at an instant."""
    clinic.sync(now)
    clinic.look(now)
    deliver(clinic.practice, now, "test")


def start(clinic, reason="poor-fit", now=NOW, *, number="1001", by=T1, personal="no", act_id="", **said):
    with clinic.practice.store.write() as connection:
        asked = Start(reason, personal, **said)
        return ending.begin(clinic.practice, connection, clinic.id_of(number), asked, by, now, act_id=act_id)


def say(clinic, what, now=NOW + 60, *, number="1001", by=T1, **said):
    with clinic.practice.store.write() as connection:
        return ending.say(clinic.practice, connection, clinic.id_of(number), What(what), by, now, **said)


def settle(clinic, step, now):
    """A step as it goes; of places to turn to the client wanted none."""
    if step == "referral":
        return say(clinic, "could-not", now, step=step, reason="declined")
    return say(clinic, "done", now, step=step)


def going(clinic, reason="poor-fit", now=NOW, **said):
    start(clinic, reason, now, **said)
    return say(clinic, "confirmed", now + 30, by=T2, personal="no")


def rows(clinic):
    return [(row.state, row.next_step, row.needs_confirmation_of) for row in clinic.rows(TerminationRow)]


def stood(clinic):
    """All that is kept of endings."""
    kept = (
        [tuple(row) for row in clinic.rows(TerminationRow)],
        [row.facts for row in clinic.rows(Observation, kind="ending")],
    )
    return json.dumps(kept, default=str), [bytes(clinic.digest(n).told) for n in ("1001", "1002")]


def mails(mailbox):
    """To whom, and what, wherever its lines break."""
    return [(mail.to.partition("@")[0], " ".join(mail.text.split())) for mail in read_mails(mailbox.folder)]


def acts_of(clinic):
    """What the audit tells of endings, since this test began: it is never emptied."""
    return [(row.who, row.act) for row in clinic.rows(Audit) if row.act.startswith("ending") and row.id > clinic.began]


# ---------------------------------------------------------------- started and confirmed


def test_what_a_therapist_begins_waits_for_the_supervisor_who_gets_one_mail(team, mailbox):
    taken = start(team)
    assert rows(team) == [("waiting", "", "T2")]
    assert mails(mailbox) == []
    day(team, NOW + DAY)
    day(team, NOW + 2 * DAY)
    ((to, text),) = mails(mailbox)
    assert to == "t2"
    assert f"An ending waits for you: {taken.code}" in text
    assert "Dr T1 (T1) has begun an ending of care (client and therapist do not fit well) Mon 23 Nov, yesterday" in text
    assert "Müller" not in text
    say(team, "confirmed", NOW + 3 * DAY, by=T2, personal="no")
    assert rows(team) == [("going", "explain", "")]
    day(team, NOW + 4 * DAY)
    assert [to for to, _ in mails(mailbox)] == ["t2", "t1"]
    assert "The ending is confirmed" in mails(mailbox)[1][1]
    assert acts_of(team) == [(T1, "ending started"), (T2, "ending confirmed")]


def test_what_is_withdrawn_or_answered_before_it_was_sent_is_not_asked(team, mailbox):
    start(team)
    say(team, "withdrawn")
    day(team, NOW + DAY)
    assert mails(mailbox) == []
    (notice,) = team.notices(purpose="ending_confirm")
    assert (notice.state, "withdrawn" in notice.outcome) == ("cancelled", True)
    assert rows(team) == [("withdrawn", "", "")]
    start(team, now=NOW + DAY)  # another ending is another reason to ask
    day(team, NOW + 2 * DAY)
    assert [to for to, _ in mails(mailbox)] == ["t2"]


def test_a_confirmation_that_never_comes_is_asked_about(team):
    start(team)
    day(team, NOW + 14 * DAY - 1)
    assert team.findings() == set()
    day(team, NOW + 14 * DAY)
    assert team.findings() == {("1001", "ending_step")}


def test_not_confirmed_care_goes_on_and_the_therapist_hears_of_it(team, mailbox):
    start(team)
    say(team, "declined", by=T2)
    day(team, NOW + DAY)
    assert [(to, "The ending is not confirmed" in text) for to, text in mails(mailbox)] == [("t1", True)]
    team.drop("t1", "next-1001")
    day(team, NOW + 21 * DAY)
    assert ("1001", "quiet") in team.findings()


def test_without_a_supervisor_a_peer_of_the_policy_confirms_and_without_anybody_it_is_refused(a_clinic, mailbox):
    team = make(a_clinic, mailbox, supervised=False)
    with pytest.raises(UsageError, match="nobody else is named: add a supervisor"):
        start(team)
    assert rows(team) == []
    start(team, "wish")  # what the client wishes needs nobody
    team.practice.close()
    team = a_clinic(port=mailbox.port, policy='ending_confirmed_by_peer = "T2"')
    start(team, number="1002")
    assert ("waiting", "", "T2") in rows(team)


@pytest.mark.parametrize("peer", ["T1", "T7"])
def test_a_peer_is_somebody_known_and_somebody_else(a_clinic, mailbox, peer):
    team = make(a_clinic, mailbox, supervised=False, policy=f'ending_confirmed_by_peer = "{peer}"')
    with pytest.raises(UsageError, match="nobody else is named"):
        start(team)


# ---------------------------------------------------------------- the question


def test_without_an_answer_it_asks_and_changes_nothing(team):
    before = stood(team)
    for personal in ("", "perhaps"):
        with pytest.raises(UsageError):
            start(team, personal=personal)
    assert (stood(team), acts_of(team)) == (before, [])
    with pytest.raises(UsageError, match=QUESTION.replace("?", r"\?")):
        start(team, personal="")


@pytest.mark.parametrize("reason", [Reason.wish, Reason.goals, Reason.death])
def test_a_yes_stops_it_is_kept_and_starts_nothing(team, mailbox, reason):
    taken = start(team, reason.value, personal="yes")
    assert "Care is not ended in order to begin a personal relationship" in taken.stopped
    assert "supervisor" in taken.stopped
    assert rows(team) == []
    assert acts_of(team) == [(T1, "ending stopped")]
    (kept,) = team.rows(Observation, kind="ending")
    assert kept.facts["what"] == "stopped"
    day(team, NOW + DAY)
    assert (mails(mailbox), team.notices()) == ([], [])
    start(team, reason.value, NOW + DAY)
    assert len(rows(team)) == 1


def test_the_code_of_the_practice_is_shown(a_clinic, mailbox):
    team = make(a_clinic, mailbox)
    toml = team.folder / "practice.toml"
    toml.write_text(toml.read_text().replace('zone = "', 'ethics = "nasw"\nzone = "', 1))
    team.practice.close()
    from integrations.practice import open_practice

    team.practice = open_practice(toml)
    assert (
        "Services are not ended in order to begin a social, financial or sexual" in start(team, personal="yes").stopped
    )
    team.practice.close()


def test_a_confirmer_who_says_that_it_is_for_that_reason_stops_it(team, mailbox):
    start(team)
    taken = say(team, "confirmed", by=T2, personal="yes")
    assert taken.stopped
    assert rows(team) == [("declined", "", "")]
    assert acts_of(team)[-1] == (T2, "ending stopped")
    day(team, NOW + DAY)
    assert [to for to, _ in mails(mailbox)] == ["t1"]


# ---------------------------------------------------------------- what is refused


def test_what_is_refused_changes_nothing(team):
    going(team)
    before, told = stood(team), acts_of(team)
    for refused in (
        lambda: start(team, "wish"),  # has one
        lambda: start(team, "boredom", number="1002"),
        lambda: start(team, "goals", number="1002", until=NOW - DAY),
        lambda: start(team, "goals", number="1002", wished_by="fate"),
        lambda: say(team, "confirmed", by=T2, personal="no"),
        lambda: say(team, "closed"),
        lambda: say(team, "done", step="nap"),
        lambda: say(team, "done", step="process"),  # none took place since
        lambda: say(team, "could-not", step="letter", reason="rain"),
        lambda: say(team, "attempt", means="phone", on=NOW + DAY),
        lambda: say(team, "done", step="explain", number="1002"),  # has none
    ):
        with pytest.raises(UsageError) as sentence:
            refused()
        assert str(sentence.value).endswith((".", "?"))
    assert (stood(team), acts_of(team)) == (before, told)


def test_a_step_done_twice_and_a_request_sent_twice_change_nothing(team):
    first = start(team, act_id="a1")
    again = start(team, act_id="a1", now=NOW + 5)
    assert (first.ending, first.changed, again.changed) == (again.ending, True, False)
    say(team, "confirmed", by=T2, personal="no")
    assert say(team, "done", step="explain").changed
    assert say(team, "done", step="letter", act_id="a2").changed
    before, told = stood(team), acts_of(team)
    assert not say(team, "done", NOW + HOUR, step="explain", by=T2).changed
    assert not say(team, "done", NOW + HOUR, step="letter", act_id="a2").changed
    assert (stood(team), acts_of(team)) == (before, told)


def test_a_therapist_has_no_more_endings_at_once_than_the_policy_says(a_clinic, mailbox):
    team = make(a_clinic, mailbox, policy="endings_at_once = 1")
    start(team, "goals")
    with pytest.raises(UsageError, match="T1 has 1 endings going on"):
        start(team, "goals", number="1002")
    for n, reason in enumerate(("leaving", "safety", "contact", "wish")):  # nobody could put off, or no appointments
        start(team, reason, NOW + n * HOUR, number="1002")
        say(team, "withdrawn", NOW + n * HOUR + 60, number="1002")
    team.clients[0]["died"] = "yes"
    team.sync(NOW + DAY)
    start(team, "goals", NOW + DAY, number="1002")  # of the dead only the records are left


def test_what_was_answered_with_yes_and_then_with_no_begins_under_the_same_id(team):
    assert "It was recorded, and nothing was begun." in start(team, personal="yes", act_id="leave-1-1").stopped
    assert start(team, personal="yes", act_id="leave-1-1").stopped
    assert [act for _, act in acts_of(team)] == ["ending stopped"], "said twice it is one thing"
    assert start(team, act_id="leave-1-1").changed
    assert rows(team) == [("waiting", "", "T2")]
    assert not start(team, act_id="leave-1-1").changed
    stopped = say(team, "confirmed", by=T2, personal="yes")
    assert "It was recorded, and this ending is not confirmed." in stopped.stopped


@pytest.mark.parametrize(("word", "then"), [("confirmed", "withdrawn"), ("confirmed", "died"), ("declined", "died")])
def test_what_was_answered_is_not_told_after_it_was_withdrawn_or_the_client_died(team, mailbox, word, then):
    start(team)
    say(team, word, by=T2, personal="no")
    if then == "withdrawn":
        say(team, "withdrawn", NOW + 120)
    else:
        team.clients[0]["died"] = "yes"
    day(team, NOW + 4 * DAY)
    assert mails(mailbox) == []
    assert {one.state for one in team.notices(purpose="ending_confirm")} == {"cancelled"}


def test_who_covers_as_supervisor_and_begins_it_does_not_confirm_it(a_clinic, mailbox):
    team = make(a_clinic, mailbox)
    with pytest.raises(UsageError, match="nobody else is named"):
        start(team, by=T2)
    assert rows(team) == []
    team = make(a_clinic, mailbox, policy='ending_confirmed_by_peer = "T3"')
    team.therapist("T3")
    team.sync(NOW)
    start(team, by=T2)
    assert rows(team) == [("waiting", "", "T3")]
    day(team, NOW + DAY)
    ((to, text),) = mails(mailbox)
    assert (to, "(T2) has begun an ending of care" in text) == ("t3", True)


def test_attempts_count_from_the_last_contact_on(team):
    going(team, "contact")
    with pytest.raises(UsageError, match="was seen after that day"):
        say(team, "attempt", means="phone", on=days_ago(30))
    say(team, "attempt", means="phone", on=days_ago(1))


# ---------------------------------------------------------------- the way through


def test_the_letter_lists_each_day_once_in_their_order_and_only_what_was_approved(team):
    going(team, "contact")
    for days, means, by in (
        (2, "phone", T1), (9, "mail", T1), (9, "phone", T1), (21, "letter", T1), (22, "phone", "lund"), (35, "mail", T1),
    ):  # fmt: skip
        now = NOW + days * DAY
        team.sync(now)
        say(team, "attempt", now, means=means, by=by)
    now = NOW + 60 * DAY
    team.sync(now)
    with team.practice.store.write() as connection:
        _, text = letters.draft(team.practice, connection, team.id_of("1001"), T1, now)
    days = "25 November 2026, 2 December 2026, 14 December 2026 and 28 December 2026"
    assert f"(tried on {days})" in " ".join(text.split())


def test_from_the_first_word_to_the_last_with_appointments_that_take_place(team, mailbox):
    going(team, careful=True)
    team.drop("t1", "next-1001")
    day(team, NOW + DAY)
    assert ("1001", "ending_step") in team.findings()  # nothing is booked for the first step
    say(team, "done", NOW + DAY, step="explain")
    team.seen("1001", NOW + 2 * DAY)
    day(team, NOW + 3 * DAY)
    with pytest.raises(UsageError, match="at least 2 appointments after it was started; one took place"):
        say(team, "done", NOW + 3 * DAY, step="process")
    team.seen("1001", NOW + 9 * DAY)
    day(team, NOW + 10 * DAY)
    for step in ("process", "referral"):
        settle(team, step, NOW + 10 * DAY)
    with pytest.raises(UsageError, match="one more than the 2 that gave room; 2 took place"):
        say(team, "done", NOW + 10 * DAY, step="last")
    team.seen("1001", NOW + 16 * DAY)
    day(team, NOW + 17 * DAY)
    for step in ("last", "letter"):
        settle(team, step, NOW + 17 * DAY)
    with pytest.raises(UsageError, match="Still open: Records"):
        say(team, "closed", NOW + 17 * DAY)
    say(team, "done", NOW + 17 * DAY, step="records")
    assert ("1001", "ending_step") in team.findings()  # it can be closed
    say(team, "closed", NOW + 17 * DAY)
    assert team.findings() == set()
    assert rows(team) == [("closed", "", "")]
    assert len([act for act in acts_of(team) if act[1] == "ending done"]) == len(HELD) - 1
    assert team.rows(TerminationRow)[0].client_id == team.id_of("1001")


def test_while_it_goes_on_nobody_asks_whether_the_client_is_quiet(team):
    going(team)
    team.drop("t1", "next-1001")
    day(team, NOW + 21 * DAY)
    assert team.findings() == {("1001", "ending_step")}
    assert team.why("1001", NOW + 21 * DAY)["quiet"] == (False, "ending")
    say(team, "withdrawn", NOW + 21 * DAY)
    assert team.findings() == {("1001", "quiet")}


def test_out_of_contact_somebody_tries_and_only_then_comes_the_letter(team, mailbox):
    team.drop("t1", "next-1001")
    day(team, NOW + HOUR)
    going(team, "contact", NOW + DAY)
    assert team.findings() == {("1001", "out_of_contact")}
    for n, means in enumerate(("phone", "mail", "letter")):
        day(team, NOW + (1 + 16 * n) * DAY)
        at = NOW + (2 + 16 * n) * DAY
        day(team, at)
        assert ("1001", "out_of_contact") in team.findings()
        with pytest.raises(UsageError):
            say(team, "done", at, step="letter")
        say(team, "attempt", at, means=means)
        assert ("1001", "out_of_contact") not in team.findings()
    at = NOW + 50 * DAY
    day(team, at - DAY)
    day(team, at)
    said = [text for _, text in mails(mailbox) if "Trying to reach" in text]
    assert all("The client may always come back." in text for text in said)
    assert len(said) >= 3
    say(team, "done", at, step="letter")
    say(team, "done", at, step="records")
    say(team, "closed", at)
    assert [row.state for row in team.rows(TerminationRow)] == [State.closed]


def test_death_leaves_the_records_and_nothing_is_asked_or_sent(team, mailbox):
    start(team)
    team.clients[0] |= {"died": "2026-11-22"}
    day(team, NOW + DAY)
    assert rows(team) == [("going", "records", "")]
    assert mails(mailbox) == []
    assert team.notices(purpose="ending_confirm")[0].state == "cancelled"
    for step in HELD[:-1]:
        with pytest.raises(UsageError, match="has died"):
            say(team, "done", NOW + DAY, step=step)
    with pytest.raises(UsageError, match="has died"):
        say(team, "attempt", NOW + DAY, means="phone")
    with pytest.raises(UsageError, match="going on"):
        start(team, "death", NOW + DAY)
    say(team, "done", NOW + DAY, step="records")
    say(team, "closed", NOW + DAY)
    with pytest.raises(UsageError, match="only `--reason death`"):
        start(team, "wish", NOW + 2 * DAY)
    day(team, NOW + 40 * DAY)
    assert (team.findings(), mails(mailbox)) == (set(), [])


def test_the_end_of_care_in_the_record_leaves_the_steps_to_be_done(team):
    going(team)
    team.clients[0] |= {"status": "ended"}
    day(team, NOW + 15 * DAY)
    assert ("1001", "ending_step") in team.findings()
    (notice,) = team.notices(purpose="termination.ending_step")
    assert notice.urgency == "duty"
    deliver(team.practice, NOW + 16 * DAY, "test")
    assert team.notices(purpose="termination.ending_step")[0].state == "taken"


# ---------------------------------------------------------------- kept


def test_a_rebuild_changes_nothing_and_mends_what_was_changed_by_hand(team):
    going(team)
    say(team, "done", step="explain")
    start(team, "wish", number="1002")
    say(team, "withdrawn", number="1002")
    before = stood(team)
    assert rebuild(team.practice, NOW + DAY, dry_run=True).differed == ()
    assert rebuild(team.practice, NOW + DAY, dry_run=False).differed == ()
    assert stood(team) == before
    with team.practice.store.write() as connection:
        connection.execute(table(TerminationRow).update().values(state="closed"))
    assert len(rebuild(team.practice, NOW + DAY, dry_run=True).differed) == 2
    assert stood(team) != before
    assert len(rebuild(team.practice, NOW + DAY, dry_run=False).differed) == 2
    assert stood(team) == before


def test_the_past_is_asked_as_it_was_known(team):
    going(team)
    say(team, "done", NOW + DAY, step="explain")
    assert team.why("1001", NOW + 2 * DAY, known_at=NOW - 1)["ending_step"] == (False, "no_ending")
    assert team.why("1001", NOW + 2 * DAY, known_at=NOW + 10)["ending_step"] == (False, "waits")
    assert team.why("1001", NOW + 15 * DAY, known_at=NOW + HOUR)["ending_step"] == (True, "step_due")
    assert team.why("1001", NOW + 14 * DAY, known_at=NOW + 2 * DAY)["ending_step"] == (False, "under_way")
    with team.practice.store.read() as connection:
        then = terminations.newest(connection, team.id_of("1001"), died=False, known_at=NOW + 60)
        assert (then.state, then.left()[0]) == (State.going, Step.explain)


def test_a_wake_up_does_what_is_due_and_says_how_all_stand(team):
    start(team)
    start(team, "wish", number="1002")
    looked, shown = ending_wake.wake(team.practice, NOW + HOUR, "test")
    assert looked.decided.looked == 2
    assert {(one.stage, one.next_step) for one in shown} == {
        ("waits", "T2 confirms it"),
        ("going on", "Where to go next"),
    }
    before, told = stood(team), len(team.rows(Change))
    ending_wake.wake(team.practice, NOW + HOUR, "test")
    assert (stood(team), len(team.rows(Change))) == (before, told)
    with team.practice.store.write() as connection:
        connection.execute(table(TerminationRow).update().values(state="going", needs_confirmation_of=""))
    ending_wake.wake(team.practice, NOW + HOUR, "test")
    assert stood(team) == before
    with team.practice.store.read() as connection:
        assert [row.therapist_id for row in ending_rows.open_rows(connection, "T1")] == ["T1", "T1"]
        assert ending_rows.open_rows(connection, "T2") == []
