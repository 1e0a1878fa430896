"""Referrals: the published table, what is refused with which sentence, and the whole loop under any order of what is said."""

import csv
import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from models.instants import DAY, HOUR
from models.referral_acts import CLOSE_REASONS, FEWER, NOT_KNOWN, ReferralAct, What, act_of, facts_of
from models.referral_shape import ACCEPTED, BOOKED, SEEN, Referral, Rung, State, Stuck
from models.referral_table import (
    OURS,
    PRACTICE,
    PROVIDER,
    SENT,
    STATUSES,
    TERMINAL,
    TRANSITIONS,
    TRIGGERS,
    WORDS,
    after,
    way,
)
from models.referral_words import next_step, stands
from models.referrals import all_referred, referral_of, referrals_of, referred, refuse
from models.voice import Voice
from tests.builders import NOW

VOICE = Voice("Europe/Berlin", "en_GB", NOW)


def act(what: Any, days: float = 0, **more: Any) -> ReferralAct:
    return ReferralAct("R-1", What(what), NOW + round(days * DAY), **{"provider": "P1", "reason": "client"} | more)


def offered(**more: Any) -> ReferralAct:
    return act("offered", **{"provider": "", "providers": ("P1", "P2", "P3"), "follow_up": True, "reason": ""} | more)


def said(*more: ReferralAct, first: ReferralAct | None = None) -> Any:
    return referral_of([first or offered(), *more])


CALLS = (act("self-arranged"),)
READY = (act("chosen"), act("consented"))
SENDING = (*READY, act("sent"))
ACCEPTED_, BOOKED_ = act("news", 1, word="accepted"), act("news", 2, word="booked", day=NOW + 9 * DAY)
ATTENDED = act("attended", 10, day=NOW + 9 * DAY)


# ---------------------------------------------------------------- the published table


def test_the_table_is_the_published_one(corpus: Path) -> None:
    words = {name: status for status, name in _published_names().items()}
    text = (corpus / "records" / "referral-transitions" / "bser_360x_transitions.tsv").read_text()
    rows = list(csv.DictReader(text.splitlines(), delimiter="\t"))
    published = [
        (int(r["tid"]), r["actor"], r["trigger"], _number(r["from_status"]), _number(r["to_status"])) for r in rows
    ]
    ours = [(t.number, t.side, TRIGGERS[t.said], t.before, t.after) for t in TRANSITIONS]
    assert ours == published
    assert len(ours) == 34
    assert {row["to_status"].split()[0] for row in rows} | {"1"} == set(words.values()) | {"1"}


def _published_names() -> dict[str, str]:
    return {status: meaning for status, meaning in STATUSES.items() if status != "1"}


def _number(status: str) -> str:
    return status.split()[0]


def test_each_transition_is_what_some_word_does_and_each_word_does_nothing_else() -> None:
    done = {(t.before, t.after, t.said) for t in TRANSITIONS if t.said != "package"}
    reached = {
        (before, target, trigger)
        for word, (target, triggers, _) in WORDS.items()
        for before in STATUSES
        if after(before, word) == target
        for trigger in triggers
        if (before, target, trigger) in done
    }
    assert reached == done
    listed = {(before, target) for before, target, _ in done}
    for before in STATUSES:
        for word in WORDS:
            found = after(before, word)
            assert found is None or (before, found) in listed
    assert {t.side for t in TRANSITIONS} == {PRACTICE, PROVIDER}
    assert {t.said for t in TRANSITIONS if t.side == PRACTICE} == {"package", "cancel"}
    assert WORDS[OURS][1] == ("cancel",)
    assert not any(after(status, word) for status in TERMINAL for word in WORDS)


# ---------------------------------------------------------------- the loop as it should go


def test_three_names_and_the_client_calls() -> None:
    going = said(*CALLS, ACCEPTED_, BOOKED_)
    assert (going.state, going.heard, going.visit_at, going.status) == (
        State.self_arranged,
        BOOKED,
        NOW + 9 * DAY,
        "",
    )
    closed = said(*CALLS, ACCEPTED_, BOOKED_, ATTENDED, act("fits", 11, fits=True))
    assert (closed.state, closed.over, closed.aside) == (State.fits, True, ())


def test_chosen_consented_sent_attended_fits() -> None:
    states = [said(*SENDING[:n]).state for n in range(4)]
    assert states == [State.offered, State.chosen, State.consented, State.sent]
    assert said(*SENDING).status == SENT
    going = said(*SENDING, ACCEPTED_, BOOKED_)
    assert (going.state, going.status, going.heard) == (State.sent, "5.1.1", BOOKED)
    assert said(*SENDING, ATTENDED).heard == SEEN
    assert said(*SENDING, ATTENDED, act("fits", 11, fits=True)).over


def test_the_client_may_say_no_at_any_time() -> None:
    for before in ((), CALLS, READY, SENDING, (*SENDING, ACCEPTED_), (*CALLS, ATTENDED)):
        assert said(*before, act("refused", 20)).state is State.refused


@pytest.mark.parametrize("reason", CLOSE_REASONS)
def test_a_person_may_close_it_with_a_reason(reason: str) -> None:
    assert said(*SENDING, act("closed", reason=reason)).state is State.closed


# ---------------------------------------------------------------- what is refused

REFUSED: dict[str, tuple[list[ReferralAct], ReferralAct, str]] = {
    "nothing offered yet": ([], act("chosen"), "Nothing was offered yet"),
    "too few": ([], offered(providers=("P1", "P2")), "Offer 3 suitable options, or say with --fewer why"),
    "nobody": ([], offered(providers=()), "Name the providers"),
    "the same twice": ([], offered(providers=("P1", "P1", "P2")), "named twice"),
    "offered again": ([offered()], offered(), "were offered already"),
    "offered while it is with a provider": ([offered(), *SENDING], offered(providers=("P9",)), "ask them to cancel"),
    "not offered": ([offered()], act("chosen", provider="P9"), "was not offered"),
    "chosen twice": ([offered(), act("chosen")], act("chosen"), "chosen already"),
    "chosen while it is with a provider": ([offered(), *SENDING], act("chosen", provider="P2"), "cancel first"),
    "calls while it is with a provider": ([offered(), *SENDING], act("self-arranged"), "cancel first"),
    "calls twice": ([offered(), *CALLS], act("self-arranged"), "already"),
    "consent before a choice": ([offered()], act("consented"), "first which was chosen"),
    "consent for another": ([offered(), act("chosen")], act("consented", provider="P2"), "another provider"),
    "consent of nobody": ([offered(), act("chosen")], act("consented", reason="me"), "Say who consents"),
    "sent without consent": ([offered(), act("chosen")], act("sent"), "before the client's consent"),
    "sent to somebody else": ([offered(), *READY], act("sent", provider="P2"), "another provider; nothing was sent"),
    "sent twice": ([offered(), *SENDING], act("sent"), "sent already"),
    "sent under Part 2 without a consent for it": (
        [offered(part2=True), *READY],
        act("sent"),
        "42 CFR Part 2; nothing is sent before a consent that covers it",
    ),
    "news before anything was sent": (
        [offered()],
        ACCEPTED_,
        "Nothing was sent to a provider yet, so it moves nothing",
    ),
    "news of the wrong provider": (
        [offered(), *SENDING],
        act("news", word="accepted", provider="P2"),
        "with another provider now, so it moves nothing",
    ),
    "news that does not follow": (
        [offered(), *SENDING],
        act("news", word="missed"),
        "(sent, nothing heard); what follows there is accepted, declined, full, booked, seen, under-way, finished, cancel-asked.",
    ),
    "news where nothing follows": (
        [offered(), *SENDING, act("news", word="declined")],
        BOOKED_,
        "(declined); nothing follows there but another way",
    ),
    "a visit two days before the offer": (
        [offered(), *SENDING],
        act("news", word="seen", day=NOW - 2 * DAY),
        "before the referral was offered",
    ),
    "no such news": ([offered(), *SENDING], act("news", word="lost"), "no news that is known"),
    "fewer for a reason of one's own": ([], offered(reason="Anna is tired"), "say with --fewer why"),
    "a visit in a hundred years": (
        [offered(), *CALLS],
        act("news", word="booked", day=NOW + 36500 * DAY),
        "within a year",
    ),
    "seen tomorrow": ([offered(), *CALLS], act("news", word="seen", day=NOW + DAY), "say `booked` until then"),
    "nothing to cancel": ([offered(), *CALLS], act("news", word="cancel-asked"), "nothing to cancel"),
    "attended on no day": ([offered(), *CALLS], act("attended"), "on which day"),
    "attended tomorrow": ([offered(), *CALLS], act("attended", day=NOW + DAY), "lies ahead"),
    "attended before the offer": (
        [offered(), *CALLS],
        act("attended", day=NOW - 25 * HOUR),
        "before the referral was offered",
    ),
    "attended twice": ([offered(), *CALLS, ATTENDED], ATTENDED, "already"),
    "fits before anybody attended": ([offered(), *CALLS], act("fits", fits=True), "first that the client attended"),
    "does not fit, twice": ([offered(), *CALLS, ATTENDED, act("fits", 11)], act("fits", 12), "already"),
    "closed for no reason": ([offered()], act("closed", reason="tired"), "the reasons are came-back, elsewhere"),
    "another referral": ([offered()], act("chosen")._replace(referral="R-2"), "about another referral"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_does_not_fit_is_a_sentence_and_is_kept_and_changes_nothing_but_what_it_shows(case: str) -> None:
    before, wrong, sentence = REFUSED[case]
    stood = referral_of(before) if before else referral_of([])._replace(id="R-1")
    why = refuse(stood, wrong)
    assert why is not None
    assert sentence in why
    assert why.endswith(".")
    assert why[0].isupper()
    if before:
        now = referral_of([*before, wrong])
        assert (now.state, now.status, now.provider, now.options) == (
            stood.state,
            stood.status,
            stood.provider,
            stood.options,
        )
        assert now.aside == ((wrong, why),)
        assert now.acts == stood.acts


@pytest.mark.parametrize(
    "last",
    [act("fits", 11, fits=True), act("refused", 11), act("closed", 11, reason="came-back")],
    ids=lambda a: a.what,
)
@pytest.mark.parametrize("what", What)
def test_what_is_closed_stays_closed_and_says_why(last: ReferralAct, what: What) -> None:
    closed = said(*CALLS, ATTENDED, last)
    late = act(what, 12, word="declined", providers=("P7",), day=NOW, fits=True)
    assert "is closed (" in str(refuse(closed, late))
    assert referral_of([*closed.acts, late])._replace(aside=()) == closed


@pytest.mark.parametrize("why", FEWER)
def test_fewer_than_three_need_a_reason(why: str) -> None:
    assert said(first=offered(providers=("P1",), reason=why)).options == ("P1",)


def test_part_2_is_sent_with_a_consent_that_covers_it() -> None:
    first = offered(part2=True)
    assert said(act("chosen"), act("consented", part2=True), act("sent"), first=first).state is State.sent
    # A consent for one provider is none for the next.
    again = said(act("chosen"), act("consented", part2=True), act("chosen", provider="P2"), first=first)
    assert refuse(again, act("sent", provider="P2")) is not None
    once = said(act("chosen"), act("consented", part2=True), act("consented"), first=first)
    assert "Part 2" in str(refuse(once, act("sent")))


# ---------------------------------------------------------------- the ladder


def test_who_says_no_is_not_offered_again_until_a_person_decides() -> None:
    acts = [offered()]
    for number, provider in enumerate(("P1", "P2", "P3"), start=1):
        acts += [act(w, number, provider=provider) for w in ("chosen", "consented", "sent")]
        acts.append(act("news", number, word="declined", provider=provider))
        now = referral_of(acts)
        assert (now.stuck, now.status) == (Stuck.declined, "4")
        assert now.rung is (Rung.next_option if number < 3 else Rung.new_options)
    acts.append(offered(providers=("P4",)))
    assert (referral_of(acts).state, referral_of(acts).stuck) == (State.offered, Stuck.no)
    acts += [act(w, 9, provider="P4") for w in ("chosen", "consented", "sent")]
    acts.append(act("news", 10, word="full", provider="P4"))
    assert (referral_of(acts).stuck, referral_of(acts).rung) == (Stuck.full, Rung.person)
    assert referral_of(acts).aside == ()


@pytest.mark.parametrize("word", ["declined", "full"])
def test_no_is_heard_even_where_the_table_has_no_place_for_it(word: str) -> None:
    booked_off = (*SENDING, ACCEPTED_, BOOKED_, act("news", 3, word="visit-cancelled"))
    now = said(*booked_off, act("news", 4, word=word))
    assert (now.status, now.stuck, len(now.aside)) == ("5.1.3", Stuck[word], 1)
    assert said(*booked_off, act("news", 4, word=word), act("chosen", 5, provider="P2")).state is State.chosen


def test_an_outcome_beats_that_we_asked_to_cancel() -> None:
    asked = said(*SENDING, act("news", 1, word="cancel-asked"))
    assert (asked.status, asked.stuck) == ("5.2", Stuck.cancelled)
    beaten = said(*SENDING, act("news", 1, word="cancel-asked"), act("news", 2, word="finished"))
    assert (beaten.status, beaten.stuck, beaten.heard) == ("7", Stuck.no, SEEN)


def test_that_it_does_not_fit_outweighs_that_there_is_no_more_place() -> None:
    for way_there in (SENDING, CALLS):
        unfit = (*way_there, ATTENDED, act("fits", 11))
        for word in ("full", "declined"):
            now = said(*unfit, act("news", 12, word=word))
            assert (now.stuck, next_step(now)) == (Stuck.unfit, "Next: choose another of the options.")
            assert stands(now, VOICE).startswith("the client attended, and it does not fit")


# ---------------------------------------------------------------- closed while a provider has it

LAST = [act("refused", 5), act("closed", 5, reason="came-back")]


@pytest.mark.parametrize("last", LAST, ids=lambda one: one.what)
@pytest.mark.parametrize("word", ["cancel-asked", "declined", "full", "finished"])
def test_closed_while_a_provider_waits_it_asks_to_tell_them_until_somebody_says_so(
    last: ReferralAct, word: str
) -> None:
    closed = said(*SENDING, ACCEPTED_, last)
    assert (closed.over, closed.untold) == (True, True)
    assert stands(closed, VOICE).endswith("and the provider may still be waiting for them, since Sat 28 Nov.")
    assert next_step(closed) == "Next: tell the provider that the client does not come, and write down that you did."
    late = said(*SENDING, ACCEPTED_, last, act("news", 6, word="booked"))
    assert late._replace(aside=()) == closed
    assert "is closed (" in late.aside[0][1]
    told = said(*SENDING, ACCEPTED_, last, act("news", 6, word=word))
    assert (told.over, told.untold, told.state, told.aside) == (True, False, closed.state, ())
    assert next_step(told) == ""
    assert "is closed (" in str(refuse(told, act("news", 7, word=word)))


@pytest.mark.parametrize("last", LAST, ids=lambda one: one.what)
@pytest.mark.parametrize(
    "before",
    [
        (),
        CALLS,
        READY,
        (*CALLS, ACCEPTED_),
        (*SENDING, act("news", 1, word="declined")),
        (*SENDING, act("news", 1, word="cancel-asked")),
        (*SENDING, ACCEPTED_, BOOKED_, act("news", 3, word="visit-cancelled"), act("news", 4, word="declined")),
        (*SENDING, ATTENDED),
    ],
    ids=["offered", "calls", "consented", "calls, accepted", "declined", "cancelled", "declined late", "attended"],
)
def test_closed_where_nobody_waits_it_asks_nothing(before: tuple[ReferralAct, ...], last: ReferralAct) -> None:
    closed = said(*before, last._replace(at=NOW + 12 * DAY))
    assert (closed.over, closed.untold, next_step(closed)) == (True, False, "")


@pytest.mark.parametrize(
    ("acts", "since"),
    [
        (CALLS, "Mon 23 Nov"),
        ((*CALLS, BOOKED_), "Wed 25 Nov"),
        ((*CALLS, act("news", 3, word="full")), "Thu 26 Nov"),
        ((*SENDING, BOOKED_), "Wed 25 Nov"),
        ((*SENDING, act("news", 1, word="under-way"), BOOKED_), "Wed 25 Nov"),
        ((*CALLS, BOOKED_, act("news", 4, word="missed")), "Fri 27 Nov"),
    ],
)
def test_what_was_heard_stands_since_it_was_heard(acts: tuple[ReferralAct, ...], since: str) -> None:
    assert stands(said(*acts), VOICE).endswith(f", since {since}.")


# ---------------------------------------------------------------- further up and down


def test_a_visit_that_was_missed_is_asked_for_anew() -> None:
    now = said(*SENDING, ACCEPTED_, BOOKED_, act("news", 10, word="missed"))
    assert (now.status, now.heard, now.visit_at) == ("5.1.2", ACCEPTED, NOT_KNOWN)


def test_news_does_not_take_back_that_it_does_not_fit() -> None:
    unfit = (*CALLS, ATTENDED, act("fits", 11))
    assert said(*unfit, act("news", 12, word="accepted")).stuck is Stuck.unfit
    assert said(*unfit, act("news", 12, word="accepted"), act("fits", 13, fits=True)).over


@pytest.mark.parametrize(
    ("word", "status", "heard"),
    [("booked", "5.1.1", BOOKED), ("seen", "5.1.4", SEEN), ("under-way", "5.1", ACCEPTED), ("finished", "7", SEEN)],
)
def test_who_says_more_than_that_they_accept_has_accepted(word: str, status: str, heard: int) -> None:
    day = NOW + DAY if word in ("booked", "seen") else NOT_KNOWN
    now = said(*SENDING, act("news", 2, word=word, day=day))
    assert (now.status, now.heard, now.aside) == (status, heard, ())
    steps = (SENT, *way(SENT, word))
    listed = {(row.before, row.after) for row in TRANSITIONS}
    assert len(steps) == 3
    assert all(step in listed for step in itertools.pairwise(steps))


def test_what_came_too_early_is_not_asked_for_again_and_is_shown_and_changes_no_status() -> None:
    now = said(*SENDING, act("news", 1, word="under-way"), BOOKED_)
    assert (now.status, now.heard, now.visit_at) == ("5.1", BOOKED, NOW + 9 * DAY)
    assert stands(now, VOICE).startswith("sent: under way, and a visit is said to be booked, since")
    assert "said to" not in stands(said(*SENDING, BOOKED_), VOICE)


@pytest.mark.parametrize(
    "slip",
    [
        act("news", 1, word="seen", day=NOW + 2 * DAY),
        act("news", 1, word="seen", day=NOW - 2 * DAY),
        act("news", 1, word="booked", day=NOW - 400 * DAY),
    ],
    ids=["ahead", "before the offer", "long ago"],
)
def test_a_day_that_cannot_be_meant_moves_nothing_and_closes_nothing(slip: ReferralAct) -> None:
    now = said(*SENDING, slip)
    assert now._replace(aside=()) == said(*SENDING)
    assert "first that the client attended" in str(refuse(now, act("fits", 2, fits=True)))


@pytest.mark.parametrize(("hours", "before"), [(24, False), (25, True)])
def test_a_day_is_before_the_offer_once_it_is_over_by_then(hours: int, before: bool) -> None:
    attended = act("attended", 1, day=NOW - hours * HOUR)
    assert (refuse(said(*CALLS), attended) is not None) is before


def test_who_calls_several_is_not_at_a_loss_while_one_takes_them() -> None:
    now = said(act("self-arranged", provider=""), act("news", 1, word="full", provider="P1"))
    assert (now.stuck, now.rung) == (Stuck.full, Rung.next_option)
    now = said(
        act("self-arranged", provider=""),
        act("news", 1, word="accepted", provider="P2"),
        act("news", 2, word="full", provider="P1"),
    )
    assert (now.stuck, now.provider, now.heard) == (Stuck.no, "P2", ACCEPTED)


# ---------------------------------------------------------------- any order of anything

acts = st.builds(
    ReferralAct,
    referral=st.just("R-1"),
    what=st.sampled_from(What),
    at=st.integers(0, 300).map(lambda n: NOW + n * DAY // 4),
    by=st.just("test"),
    provider=st.sampled_from(("P1", "P2", "P3", "P4", "")),
    providers=st.sampled_from((("P1", "P2", "P3"), ("P4",), ("P1",), (), ("P1", "P1", "P2"))),
    follow_up=st.booleans(),
    part2=st.booleans(),
    word=st.sampled_from((*WORDS, "")),
    day=st.sampled_from((NOT_KNOWN, NOW, NOW + 9 * DAY)),
    fits=st.booleans(),
    reason=st.sampled_from(("client", "guardian", "came-back", "language", "", "")),
)


LISTED = {(row.before, row.after) for row in TRANSITIONS}
ENDS_WAITING = {"declined", "full", "finished", "cancel-asked", "cancel-confirmed"}
"""After these nobody at the provider's waits for the client any more."""


class Loop(RuleBasedStateMachine):
    """What is said of a referral, one thing after another, often what fits and sometimes what does not.

    What must hold is worked out here from what was said and from the published rows, never asked of what is tested.
    """

    @initialize(part2=st.booleans())
    def begins(self, part2: bool) -> None:
        self.said: list[ReferralAct] = [offered(part2=part2)]
        self.before = referral_of(self.said)
        self.closed: Any = None

    def take(self, one: ReferralAct) -> None:
        before = self.before
        self.said.append(one)
        now = referral_of(self.said)
        counted = len(now.acts) == len(before.acts) + 1
        assert counted == (refuse(before, one) is None)
        if not counted:
            assert (now.state, now.status, now.provider) == (before.state, before.status, before.provider)
        if now.status != before.status and one.what is What.news:
            self.moved_as_listed(before, one, now.status)
        elif now.status not in (before.status, ""):
            assert (one.what, now.status) == (What.sent, SENT)
        if counted and one.what is What.sent:
            self.was_consented(one)
        if counted and one.what is What.news and before.status:
            assert one.provider in ("", before.provider)
            # What moves nothing was said again: the table has rows that lead to where it stands.
            assert now.status != before.status or (before.status, now.status) in LISTED
        self.before = now

    @staticmethod
    def moved_as_listed(before: Referral, one: ReferralAct, status: str) -> None:
        """By one listed row to the status that the word speaks of, or by two where it says more than that they accept."""
        assert before.status
        assert status == WORDS[one.word][0]
        through = {(before.status, "3"), ("3", status)}
        assert (before.status, status) in LISTED or through <= LISTED

    def was_consented(self, one: ReferralAct) -> None:
        """Since this provider was chosen, the last consent was for them and covers what it has to."""
        acts = self.before.acts
        last = max(n for n, act in enumerate(acts) if act.what in (What.offered, What.chosen, What.self_arranged))
        assert (acts[last].what, acts[last].provider) == (What.chosen, one.provider)
        *_, consent = [act for act in acts[last:] if act.what is What.consented]
        assert consent.provider == one.provider
        assert consent.part2 or not any(act.part2 for act in acts if act.what is What.offered)

    @rule(one=acts)
    def anything(self, one: ReferralAct) -> None:
        self.take(one)

    @rule(word=st.sampled_from(tuple(WORDS)))
    def news(self, word: str) -> None:
        self.take(act("news", len(self.said), word=word, provider=self.before.provider))

    @rule(word=st.sampled_from(tuple(WORDS)))
    def news_of_another_provider(self, word: str) -> None:
        other = next(one for one in ("P1", "P2") if one != self.before.provider)
        stood = self.before
        self.take(act("news", len(self.said), word=word, provider=other))
        if stood.status:
            assert self.before._replace(aside=()) == stood._replace(aside=())

    @rule(word=st.sampled_from(tuple(WORDS)))
    def news_moves_by_its_row_and_without_one_nothing(self, word: str) -> None:
        stood, status = self.before, WORDS[word][0]
        reached = (stood.status, status) in LISTED or {(stood.status, "3"), ("3", status)} <= LISTED
        self.take(act("news", len(self.said), word=word, provider=stood.provider))
        if stood.status and not reached:
            assert (self.before.acts, self.before.status) == (stood.acts, stood.status)
            assert len(self.before.aside) == len(stood.aside) + 1
        elif stood.status and not stood.over:
            assert (self.before.status, self.before.aside) == (status, stood.aside)

    @rule(provider=st.sampled_from(("P1", "P2", "P3")), covers=st.booleans(), calls=st.booleans())
    def all_the_way_to_sent(self, provider: str, covers: bool, calls: bool) -> None:
        if self.before.status and not self.before.over:
            self.take(act("news", len(self.said), word="cancel-asked", provider=self.before.provider))
        for what in ("self-arranged",) * calls + ("chosen", "consented", "sent"):
            self.take(act(what, len(self.said), provider=provider, part2=covers))

    @rule(index=st.integers(0, 40))
    def again(self, index: int) -> None:
        self.take(self.said[index % len(self.said)])

    @rule()
    def a_restart_in_which_it_is_read_back(self) -> None:
        stored = json.loads(json.dumps([facts_of(one) for one in self.said]))
        assert referrals_of(stored) == [self.before]
        assert [act_of(facts) for facts in stored] == self.said

    @invariant()
    def nothing_is_lost(self) -> None:
        kept = [*self.before.acts, *(one for one, _ in self.before.aside)]
        assert sorted(map(repr, kept)) == sorted(map(repr, self.said))

    @invariant()
    def closed_stays_closed(self) -> None:
        """But that the provider was told, or is done with it, is taken in where they may be waiting: once, and nothing else with it."""
        if not self.before.over:
            assert self.closed is None
            return
        now = self.before._replace(aside=())
        if self.closed is not None and now != self.closed:
            *before, last = now.acts
            assert self.closed.stuck is Stuck.untold
            assert (last.what, now.stuck, tuple(before)) == (What.news, Stuck.no, self.closed.acts)
            assert last.word in ENDS_WAITING
            moved = {"status": now.status, "heard_at": now.heard_at, "acts": now.acts, "stuck": Stuck.no}
            assert self.closed._replace(**moved) == now
        self.closed = now

    @invariant()
    def who_waits_for_the_client_is_never_forgotten(self) -> None:
        """Closed or given to another while it was sent and nobody there said that they are done: told, or still to be told."""
        now = self.before
        sent = [n for n, one in enumerate(now.acts) if one.what is What.sent]
        if sent and now.state is not State.fits:
            since = [one for one, _ in itertools.groupby(now.acts[sent[-1] :])]
            told = [one for one in since if one.what is What.news and one.word in ENDS_WAITING]
            odd = [one for one, _ in now.aside if one.what is What.news and one.word in ("declined", "full")]
            went = [one for one in since if one.what is What.attended]
            if not told and not odd and not went:
                assert now.stuck is Stuck.untold or not now.over
                assert now.state is State.sent or now.over

    @invariant()
    def it_is_closed_only_by_what_closes(self) -> None:
        closing = [one for one in self.before.acts if one.what in (What.refused, What.closed)]
        closing += [one for one in self.before.acts if one.what is What.fits and one.fits]
        assert bool(closing) == self.before.over
        if self.before.state is State.fits:
            told = {one.word for one in (*self.before.acts, *(one for one, _ in self.before.aside))}
            assert What.attended in {one.what for one in self.before.acts} or told & {"seen", "finished"}

    @invariant()
    def it_has_its_words_and_its_place_in_a_digest(self) -> None:
        assert stands(self.before, VOICE).endswith(".")
        assert bool(next_step(self.before)) == (not self.before.over or self.before.stuck is Stuck.untold)
        assert all(isinstance(value, int) for value in referred(self.before))
        assert (self.before.status in STATUSES) or not self.before.status


Loop.TestCase.settings = settings(max_examples=150, stateful_step_count=40)
TestLoop = Loop.TestCase


@given(first=st.lists(acts, max_size=12), other=st.lists(acts, max_size=12))
@settings(max_examples=60)
def test_two_referrals_of_one_client_do_not_touch_each_other(
    first: list[ReferralAct], other: list[ReferralAct]
) -> None:
    theirs = [one._replace(referral="R-2") for one in other]
    mixed = [one for pair in zip(first, theirs, strict=False) for one in pair]
    mixed += first[len(theirs) :] + theirs[len(first) :]
    found = {one.id: one for one in referrals_of([facts_of(one) for one in mixed])}
    assert found.get("R-1", referral_of([])) == referral_of(first)
    assert found.get("R-2", referral_of([])) == referral_of(theirs)
    counted = [one for one in found.values() if one.state is not State.nothing]
    assert len(all_referred([facts_of(one) for one in mixed])) == len(counted)
