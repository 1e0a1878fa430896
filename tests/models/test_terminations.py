"""Endings as a fold: the table of reasons and steps, what each refusal says, and what death, doubt and repetition change."""

import json
import re
from itertools import product

import pytest

from models.ending_acts import QUESTION, STATES, STEPS, Act, State, What, act_of
from models.ending_refusals import refuse
from models.ending_steps import (
    REASON_WORDS,
    STEP_WORDS,
    TABLE,
    WISHED_BY,
    By,
    CouldNot,
    Need,
    Onward,
    Reason,
    Step,
    asked,
    need_of,
)
from models.instants import DAY
from models.terminations import endings_of, packed_ending, row_of, steps_open, termination_of
from models.told import NOT_KNOWN, Told, packed, unpacked
from tests.builders import NOW, a_policy
from tests.rules.test_tables import FORBIDDEN

POLICY = a_policy()
T1, T9 = "therapist:T1", "therapist:T9"


def begun(reason="poor-fit", **said):
    words = {"wished_by": WISHED_BY[Reason(reason)][0].value, "personal": "no", "process": 1}
    words["confirmer"] = "T9" if words["wished_by"] == By.therapist else ""
    return Act("E1", What.started, NOW, T1, reason=reason, **{**words, **said})


def act(what, later=1, by=T1, **said):
    return Act("E1", What(what), NOW + later, by, **said)


CONFIRMED = act("confirmed", by=T9, personal="no")
DONE = [act("done", 2, step=step.value, appointments=3) for step in Step]


def stands(*acts, died=False):
    return termination_of(acts, died=died)


def refused(stands_now, one, *, died=False, policy=POLICY):
    return refuse(stands_now, one, policy, died=died) or ""


# ---------------------------------------------------------------- the table


def test_every_reason_says_of_every_step_whether_it_is_asked_for():
    assert list(TABLE) == list(Reason) == list(REASON_WORDS) == list(WISHED_BY)
    assert all(len(row) == len(Step) for row in TABLE.values())
    assert list(STEP_WORDS) == list(Step)


def test_what_no_reason_may_lack():
    for reason in Reason:
        assert need_of(reason, Step.records) is Need.required
        if reason is Reason.death:
            assert {need_of(reason, step) for step in Step if step is not Step.records} == {Need.none}
        else:
            assert need_of(reason, Step.letter) is Need.required
            assert need_of(reason, Step.referral) is not Need.none  # nobody is left without somewhere to go


@pytest.mark.parametrize(("reason", "step"), list(product(Reason, Step)))
def test_each_step_of_each_reason_asks_in_a_calm_sentence(reason, step):
    text = asked(reason, step)
    assert bool(text) == (need_of(reason, step) is not Need.none)
    if text:
        assert text.endswith(".")
        assert len(text) <= 160
        assert not FORBIDDEN.search(text)


def test_somebody_out_of_contact_may_always_come_back():
    assert "may always come back" in asked(Reason.contact, Step.letter)


# ---------------------------------------------------------------- starting


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"personal": ""}, QUESTION),
        ({"personal": "yes"}, "not made in order to begin a personal relationship"),
        ({"personal": "maybe"}, "not made in order to begin a personal relationship"),
        ({"confirmer": ""}, "Somebody has to confirm"),
        ({"until": NOW}, "That day has passed"),
        ({"until": NOW - 400 * DAY}, "That day has passed"),
        ({"wished_by": "nobody"}, "it is the wish of: therapist or client"),
    ],
)
def test_a_start_that_is_refused_says_what_to_do(said, sentence):
    one = begun(**said)
    assert sentence in refused(None, one)
    assert refused(None, begun(until=NOW + 1)) == ""


def test_a_start_without_the_answer_no_begins_nothing_even_if_it_were_recorded():
    assert stands(begun(personal="")) is None
    assert stands(begun(personal="yes")) is None
    assert stands(Act("E1", What.stopped, NOW, T1, reason="goals")) is None


def test_a_client_has_one_ending_at_a_time():
    first = stands(begun("goals"))
    second = Act("E2", What.started, NOW + 5, T1, reason="wish", wished_by="client", personal="no", process=1)
    assert "going on" in refused(first, second)
    assert [one.id for one in endings_of([begun("goals"), second])] == ["E1"]
    withdrawn = act("withdrawn")
    assert refused(stands(begun("goals"), withdrawn), second) == ""
    assert [one.state for one in endings_of([begun("goals"), withdrawn, second])] == [State.withdrawn, State.going]


def test_of_somebody_who_has_died_only_the_records_can_be_ended():
    assert "has died" in refused(None, begun("wish"), died=True)
    assert refused(None, begun("death"), died=True) == ""
    assert stands(begun("death")).left() == (Step.records,)


@pytest.mark.parametrize("reason", list(Reason))
def test_what_a_therapist_begins_waits_for_somebody_else(reason):
    one = stands(begun(reason.value))
    assert (one.state is State.waiting) == (WISHED_BY[reason][0] is By.therapist)


# ---------------------------------------------------------------- confirming


def test_until_it_is_confirmed_it_can_only_be_withdrawn():
    one = stands(begun())
    for what in What:
        if what in (What.started, What.stopped):
            continue
        said = act(what.value, by=T9, personal="no", step="explain", reason="declined", means="phone", on=NOW)
        allowed = what in (What.confirmed, What.declined, What.withdrawn)
        assert (refused(one, said) == "") is allowed, what


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"by": T1, "personal": "no"}, "Whoever started an ending cannot confirm it"),
        (
            {"by": "therapist:T5", "personal": "no"},
            "T9 confirms this ending or does not, under their own name: at the desk",
        ),
        ({"by": "lund", "personal": "no"}, "T9 confirms this ending or does not"),
        ({"by": "root", "personal": "yes"}, "T9 confirms this ending or does not"),
        ({"by": "therapist:T9 as root", "personal": "no"}, "T9 confirms this ending or does not"),
        ({"by": T9}, QUESTION),
        ({"by": T9, "personal": "yes"}, "not confirmed for that reason"),
    ],
)
def test_a_confirmation_that_is_refused(said, sentence):
    assert sentence in refused(stands(begun()), act("confirmed", **said))
    assert stands(begun(), act("confirmed", **said)).state is State.waiting


def test_nobody_answers_in_place_of_whoever_is_named():
    for by in ("root", "lund as root", T1, "therapist:T5"):
        said = act("declined", by=by)
        assert refused(stands(begun()), said), by
        assert stands(begun(), said).state is State.waiting
    assert refused(stands(begun()), act("declined", by=T9)) == ""


def test_confirmed_or_not_it_is_kept_by_whom():
    assert stands(begun(), CONFIRMED)[6:8] == (State.going, NOW + 1)
    assert stands(begun(), CONFIRMED).answered_by == T9
    declined = stands(begun(), act("declined", by=T9))
    assert (declined.state, declined.answered_by) == (State.declined, T9)
    assert "was not confirmed" in refused(declined, act("done", 5, step="explain"))
    assert "waits for no confirmation" in refused(stands(begun(), CONFIRMED), CONFIRMED)


# ---------------------------------------------------------------- steps


def test_a_step_done_twice_changes_nothing():
    once = stands(begun(), CONFIRMED, act("done", 5, step="explain"))
    twice = stands(begun(), CONFIRMED, act("done", 5, step="explain"), act("done", 50, step="explain", by=T9))
    assert refused(once, act("done", 50, step="explain")) == ""
    assert once == twice


@pytest.mark.parametrize(
    ("one", "sentence"),
    [
        (act("done", 3, step="hug"), "There is no such step"),
        (
            act("done", 3, step="process", appointments=0),
            "at least 1 appointment after it was started; none took place",
        ),
        (act("could-not", 3, step="last", reason="lazy"), "Say why it could not be done"),
        (act("could-not", 3, step="records", reason="declined"), "ours alone"),
        (act("could-not", 3, step="explain", reason="unsafe"), "said to be done"),
        (act("reopened", 3, step="last"), "Nothing was said of this step"),
        (act("attempt", 3, means="pigeon", on=NOW), "by one of phone"),
        (act("attempt", 3, means="phone", on=NOW + 9), "not in the future"),
        (act("closed", 3), "Still open: Room to process, Where to go next"),
    ],
)
def test_what_a_step_does_not_allow(one, sentence):
    before = stands(begun(), CONFIRMED, act("done", 2, step="explain"))
    assert sentence in refused(before, one)
    assert stands(begun(), CONFIRMED, act("done", 2, step="explain"), one) == before


def test_steps_that_a_reason_does_not_have_cannot_be_done():
    assert "no such step: Explain why" in refused(stands(begun("contact"), CONFIRMED), act("done", 2, step="explain"))


@pytest.mark.parametrize(("careful", "held", "enough"), [(False, 1, True), (True, 1, False), (True, 2, True)])
def test_clients_who_find_rejection_hard_get_two_appointments(careful, held, enough):
    one = stands(begun(careful=careful, process=2 if careful else 1), CONFIRMED)
    assert (refused(one, act("done", 2, step="process", appointments=held)) == "") is enough


def test_marked_as_careful_later_it_needs_as_many():
    one = stands(begun(), CONFIRMED, act("careful", process=2))
    assert (one.careful, one.needed) == (True, 2)


@pytest.mark.parametrize("why", list(CouldNot))
def test_what_could_not_be_done_is_settled_and_better_news_replaces_it(why):
    one = stands(begun(), CONFIRMED, act("could-not", 2, step="referral", reason=why.value))
    assert Step.referral not in one.left()
    assert one.of(Step.referral).could_not == why
    assert (
        stands(
            begun(), CONFIRMED, act("could-not", 2, step="referral", reason=why.value), act("done", 3, step="referral")
        )
        .of(Step.referral)
        .could_not
        == ""
    )


def test_a_mistake_is_taken_back():
    one = stands(begun(), CONFIRMED, act("done", 2, step="explain"), act("reopened", 3, step="explain"))
    assert one.left()[0] is Step.explain


@pytest.mark.parametrize("reason", list(Reason))
def test_each_reason_can_be_closed_once_its_steps_are_settled_and_not_before(reason):
    acts = [begun(reason.value)] + [CONFIRMED] * (WISHED_BY[reason][0] is By.therapist)
    acts += [act("attempt", 1, means=means, on=NOW) for means in ("phone", "mail")] * (reason is Reason.contact)
    for step in Step:
        if need_of(reason, step) is not Need.required:
            continue
        assert "Still open" in refused(stands(*acts), act("closed", 9))
        acts.append(act("done", 2, step=step.value, appointments=2))
    assert refused(stands(*acts), act("closed", 9)) == ""
    closed = stands(*acts, act("closed", 9))
    assert closed.state is State.closed
    assert "was closed" in refused(closed, act("done", 10, step="letter"))


def test_the_last_appointment_takes_place_and_comes_last():
    one = stands(begun(), CONFIRMED)
    last = act("done", 5, step="last", appointments=3)
    assert "Still open before the last appointment: Explain why, Room to process." in refused(one, last)
    one = stands(begun(), CONFIRMED, *DONE[:2])
    assert "one took place so far" in refused(one, last._replace(appointments=1))
    assert refused(one, last) == ""
    wish = stands(begun("wish"))
    assert "at least 1 appointment after it was started; none took" in refused(wish, last._replace(appointments=0))
    assert refused(wish, last._replace(appointments=1)) == ""


@pytest.mark.parametrize(
    ("needed", "process", "least"),
    [
        (1, {"what": "done"}, 2),
        (2, {"what": "done"}, 3),
        (1, {"what": "could-not", "reason": "declined"}, 1),
        (2, {"what": "could-not", "reason": "unsafe"}, 1),
    ],
)
def test_the_last_appointment_is_one_more_than_those_that_gave_room(needed, process, least):
    settled = act(process["what"], 3, step="process", appointments=needed, reason=process.get("reason", ""))
    acts = (begun(process=needed), CONFIRMED, act("done", 2, step="explain"), settled)
    for held, may in ((least - 1, False), (least, True)):
        last = act("done", 5, step="last", appointments=held)
        assert (refused(stands(*acts), last) == "") is may, held
        assert (stands(*acts, last).of(Step.last) is not None) is may, held
    gave = needed if process["what"] == "done" else 0
    said = refused(stands(*acts), act("done", 5, step="last", appointments=least - 1))
    assert (f"one more than the {gave} that gave room" in said) is bool(gave)


def test_where_the_goals_are_met_it_is_said_what_the_client_goes_on_to():
    goals = stands(begun("goals"), CONFIRMED)
    for onward in Onward:
        said = act("done", 3, step="referral", reason=onward.value)
        assert refused(goals, said) == ""
        one = stands(begun("goals"), CONFIRMED, said)
        assert (one.of(Step.referral).onward, one.of(Step.referral).could_not) == (onward, "")
        assert stands(begun("goals"), CONFIRMED, said, act("done", 4, step="referral")) == one
    for step, reason in (("referral", "declined"), ("explain", "step-down")):
        assert "A reason goes with `could-not`" in refused(goals, act("done", 3, step=step, reason=reason))
    other = stands(begun(), CONFIRMED)
    assert "A reason goes with" in refused(other, act("done", 3, step="referral", reason="step-down"))


@pytest.mark.parametrize("reason", [one for one in Reason if asked(one, Step.explain)])
def test_whatever_the_reason_the_aim_is_excellent_care(reason):
    assert "excellent care" in asked(reason, Step.explain)


# ---------------------------------------------------------------- out of contact


def tried(*means, gap=14):
    return [act("attempt", 1 + n * gap * DAY, means=each, on=NOW + 1 + n * gap * DAY) for n, each in enumerate(means)]


LETTER = {"step": "letter"}


@pytest.mark.parametrize(
    ("means", "days", "sentence"),
    [
        ((), 60, "at least two different means"),
        (("phone", "phone", "phone"), 60, "at least two different means"),
        (("phone", "mail"), 60, "3 attempts are made to reach the client; 2 noted so far"),
        (("phone", "mail", "phone"), 41, "the client has 14 days to answer"),
        (("phone", "mail", "phone"), 42, ""),
    ],
)
def test_before_the_letter_somebody_tries_to_reach_the_client(means, days, sentence):
    one = stands(begun("contact"), CONFIRMED, *tried(*means))
    found = refused(one, act("done", 1 + days * DAY, **LETTER))
    assert sentence in found
    assert bool(found) == bool(sentence)


def test_the_practice_says_how_often_and_how_far_apart():
    one = stands(begun("contact"), CONFIRMED, *tried("phone", "mail", gap=3))
    assert refused(one, act("done", 7 * DAY, **LETTER))
    assert not refused(one, act("done", 7 * DAY, **LETTER), policy=a_policy(ending_attempts=2, ending_attempt_days=3))


def test_only_attempts_after_the_last_contact_and_so_far_apart_count():
    at_once = [
        act("attempt", 1 + n, means=each, on=NOW + n, apart=14 * DAY) for n, each in enumerate(("phone", "mail"))
    ]
    one = stands(begun("contact"), CONFIRMED, *at_once)
    assert (len(one.attempts), len(one.counted()), packed_ending(one).attempts) == (2, 1, 1)
    said = refused(one, act("done", 90 * DAY, **LETTER))
    assert "1 noted so far, those after the last contact and 14 days apart" in said
    for gap, counted in ((13 * DAY, 1), (13 * DAY + 1, 2), (14 * DAY, 2)):  # give or take the hours of a day
        acts = [act("attempt", 1 + n * gap, means="phone", on=NOW + 1 + n * gap, apart=14 * DAY) for n in (0, 1)]
        assert len(stands(begun("contact"), CONFIRMED, *acts).counted()) == counted, gap
    one = stands(begun("contact"), CONFIRMED, *tried("phone", "mail", "phone"))
    assert refused(one, act("done", 60 * DAY, **LETTER)) == ""
    assert "0 noted so far" in refused(one, act("done", 60 * DAY, **LETTER, seen=NOW + 29 * DAY))


def test_an_attempt_lies_after_the_last_contact_and_belongs_to_being_out_of_contact():
    one = stands(begun("contact"), CONFIRMED)
    said = {"means": "phone", "on": NOW - DAY}
    assert "was seen after that day" in refused(one, act("attempt", 3, **said, seen=NOW - DAY + 1))
    assert refused(one, act("attempt", 3, **said, seen=NOW - DAY)) == ""
    other = stands(begun("goals"), CONFIRMED)
    assert "whose reason is that the client is out of contact" in refused(other, act("attempt", 3, **said))
    assert stands(begun("goals"), CONFIRMED, act("attempt", 3, **said)).attempts == ()


def test_what_others_noted_counts_once_the_therapist_has_approved_it():
    noted = [one._replace(by="lund") for one in tried("phone", "mail", "phone")]
    acts = [begun("contact"), CONFIRMED, *noted]
    one = stands(*acts)
    assert (len(one.attempts), len(one.unapproved), one.counted(), one.ways()) == (3, 3, (), set())
    packed = packed_ending(one)
    assert (packed.attempts, packed.attempted_at, packed.unapproved) == (0, NOT_KNOWN, 3)
    letter = act("done", 60 * DAY, **LETTER)
    assert "3 more wait for the therapist's yes" in refused(one, letter)
    for n, each in enumerate(noted):
        yes = act("approved", 50 * DAY + n, means=each.means, on=each.on)
        for by in ("lund", "root", "therapist:T1 as root"):
            assert "counts once the therapist has approved it" in refused(stands(*acts), yes._replace(by=by))
            assert stands(*acts, yes._replace(by=by)) == stands(*acts)
        assert refused(stands(*acts), yes) == ""
        acts.append(yes)
        assert [len(stands(*acts).approved), len(stands(*acts).unapproved)] == [n + 1, 2 - n]
        assert "does not wait for a yes any more" in refused(stands(*acts), yes)
    assert {each.approved for each in stands(*acts).attempts} == {T1}
    assert refused(stands(*acts), letter) == ""


@pytest.mark.parametrize(("by", "counts"), [(T1, 1), ("therapist:T2", 1), ("lund", 0), ("therapist:T1 as root", 0)])
def test_what_a_therapist_notes_counts_at_once_and_what_somebody_claims_to_be_does_not(by, counts):
    one = stands(begun("contact"), CONFIRMED, *(each._replace(by=by) for each in tried("phone")))
    assert (len(one.attempts), len(one.counted())) == (1, counts)


def test_an_approval_of_an_attempt_that_nobody_noted_changes_nothing():
    one = stands(begun("contact"), CONFIRMED, *tried("phone"))
    for said in (
        {"means": "mail", "on": NOW + 1},
        {"means": "phone", "on": NOW + 2},
        {"means": "phone", "on": NOW + 1},
    ):
        assert "does not wait for a yes" in refused(one, act("approved", 9, **said)), said


# ---------------------------------------------------------------- death


def test_death_leaves_only_the_records_at_once_wherever_it_stood():
    for acts in ([begun()], [begun(), CONFIRMED], [begun("contact"), CONFIRMED], [begun(), CONFIRMED, *DONE[:3]]):
        one = stands(*acts, died=True)
        assert (one.state, one.left()) == (State.going, (Step.records,))
        for said in (
            act("done", 9, **LETTER),
            act("done", 9, step="referral"),
            act("done", 9, step="process", appointments=9),
            act("attempt", 9, means="phone", on=NOW),
            act("careful", 9, process=2),
            act("could-not", 9, step="last", reason="died"),
        ):
            assert "died" in refused(one, said) or "no such step" in refused(one, said)
        assert refused(one, act("done", 9, step="records")) == ""
        assert stands(*acts, act("done", 9, step="records"), act("closed", 10), died=True).state is State.closed


def test_what_was_done_before_a_death_stays_done():
    one = stands(begun(), CONFIRMED, *DONE, act("closed", 9), died=True)
    assert (one.state, len(one.settled)) == (State.closed, len(Step))


def test_a_death_that_was_an_error_in_the_record_brings_the_steps_back():
    acts = [begun(), CONFIRMED, act("done", 9, step="records"), act("closed", 10)]
    assert stands(*acts, died=True).state is State.closed
    assert stands(*acts).left() == tuple(Step)[:5]


# ---------------------------------------------------------------- as it is kept


def test_what_is_said_is_the_same_after_it_was_stored():
    for one in (begun(careful=True, until=NOW + DAY), CONFIRMED, *DONE, *tried("mail")):
        assert act_of(json.loads(json.dumps(one.facts()))) == one


def test_a_digest_tells_of_it_in_numbers():
    one = stands(begun("contact"), CONFIRMED, *tried("phone", "mail"), act("done", 30 * DAY, step="records"))
    ending = packed_ending(one)
    assert unpacked(packed(Told(endings=(ending,)))).endings == (ending,)
    assert steps_open(ending) == one.left() == (Step.letter,)
    assert (ending.attempts, ending.means, STATES[ending.state]) == (2, 0b101, State.going)
    assert (ending.attempted_at, ending.until) == (NOW + 1 + 14 * DAY, NOT_KNOWN)


def test_a_row_tells_of_what_is_next_and_who_has_to_confirm():
    waiting = row_of(stands(begun()), 7, "T1", 1)
    assert (waiting["state"], waiting["needs_confirmation_of"], waiting["next_step"]) == ("waiting", "T9", "")
    going = row_of(stands(begun(), CONFIRMED), 7, "T1", 1)
    assert (going["state"], going["needs_confirmation_of"], going["next_step"]) == ("going", "", "explain")
    closed = row_of(stands(begun(), CONFIRMED, *DONE, act("closed", 9)), 7, "T1", 2)
    assert (closed["state"], closed["next_step"], closed["nth"]) == ("closed", "", 2)


def test_no_word_for_a_client_or_an_end_of_a_waiting_period_stands_in_what_is_kept():
    kept = json.dumps(begun().facts())
    assert not re.search(r"eligible|two_years|period", kept)
    assert tuple(Step) == STEPS
