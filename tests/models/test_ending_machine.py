"""Endings under any order of acts, with repeats, restarts and death: never an illegal state, never an open step on a closed ending.

What must hold is worked out here, from the acts and the tables, and never asked of what is tested.
"""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from models.ending_acts import OPEN, Act, State, Termination, What, act_of
from models.ending_refusals import refuse
from models.ending_steps import MEETINGS, OURS_ALONE, WISHED_BY, By, CouldNot, Means, Need, Reason, Step, need_of
from models.instants import DAY, HOUR
from models.terminations import endings_of, packed_ending, steps_open
from tests.builders import NOW, a_policy

POLICY = a_policy()
APART = round(POLICY.ending_attempt_days * DAY)
CONFIRMER = "therapist:T9"
PEOPLE = st.sampled_from(("therapist:T1", "therapist:T5", CONFIRMER, f"{CONFIRMER} as root", "lund"))


def unsettled(one: Termination, *, died: bool = False) -> set[Step]:
    """The steps without which an ending cannot close, by the table of reason x step, and of which nothing was said."""
    reason = Reason.death if one.died or died else one.reason
    required = {step for step in Step if need_of(reason, step) is Need.required}
    return required - {settled.step for settled in one.settled}


class Endings(RuleBasedStateMachine):
    """What a store does: an act is taken in where it is not refused; now and then one is recorded that should have been, or again."""

    def __init__(self) -> None:
        super().__init__()
        self.acts: list[Act] = []
        self.now = NOW
        self.died = False
        self.count = 0
        self.final: dict[str, State] = {}
        self.known: tuple[tuple[int, bool], tuple[Termination, ...]] = ((0, False), ())

    def endings(self) -> tuple[Termination, ...]:
        """All endings as they stand, worked out once for as long as nothing was said."""
        now = len(self.acts), self.died
        if self.known[0] != now:
            self.known = now, endings_of(self.acts, died=self.died)
        return self.known[1]

    def newest(self):
        found = self.endings()
        return found[-1] if found else None

    def take(self, act: Act) -> None:
        before = self.newest()
        if refuse(before, act, POLICY, died=self.died) is None:
            if before is not None and act.what is What.done:
                self.may_be_done(before, act)
            self.acts.append(act)

    def id(self) -> str:
        stands = self.newest()
        return stands.id if stands else "E0"

    def about(self, ending: str, what: What) -> list[Act]:
        return [act for act in self.acts if (act.ending, act.what) == (ending, what)]

    def may_be_done(self, before: Termination, act: Act) -> None:
        """Whether so many appointments, or attempts, allow that a step is said to be done."""
        settled = {one.step: one for one in before.settled}
        process = settled.get(Step.process)
        room = max(
            one.process for one in (*self.about(act.ending, What.started), *self.about(act.ending, What.careful))
        )
        if act.step == Step.process:
            assert act.appointments >= room
        if act.step == Step.last:
            assert act.appointments >= (room + 1 if process and not process.could_not else 1)
            assert not unsettled(before) & set(MEETINGS[:-1])
        if act.step == Step.letter and before.reason is Reason.contact:
            tries = sorted(one.on for one in before.attempts if one.approved)
            counted: list[int] = []
            for on in tries:
                if not counted or on - counted[-1] > APART - DAY:
                    counted.append(on)
            assert len(counted) >= POLICY.ending_attempts
            assert act.at - tries[-1] >= APART
            assert len({one.means for one in before.attempts if one.approved}) >= 2

    @rule(hours=st.integers(0, 30 * 24))
    def time_passes(self, hours):
        self.now += hours * HOUR

    @rule(
        reason=st.sampled_from(Reason),
        personal=st.sampled_from(("no", "no", "no", "yes", "")),
        careful=st.booleans(),
        by=PEOPLE,
    )
    def somebody_starts(self, reason, personal, careful, by):
        self.count += 1
        wished_by = WISHED_BY[reason][0]
        self.take(
            Act(
                f"E{self.count}", What.started, self.now, by, reason=reason.value, wished_by=wished_by.value,
                personal=personal, confirmer="T9" if wished_by is By.therapist else "", process=2 if careful else 1,
                careful=careful,
            )
        )  # fmt: skip

    @rule(
        what=st.sampled_from((What.confirmed, What.declined)),
        personal=st.sampled_from(("no", "no", "yes", "")),
        by=PEOPLE,
    )
    def somebody_answers(self, what, personal, by):
        self.take(Act(self.id(), what, self.now, by, personal=personal))

    @precondition(lambda self: self.acts)
    @rule()
    def whoever_started_it_answers(self):
        for started in self.about(self.id(), What.started):
            self.take(Act(self.id(), What.confirmed, self.now, started.by, personal="no"))

    @rule(
        reason=st.sampled_from((*Reason, Reason.contact, Reason.contact)),
        left_out=st.sampled_from((None, None, *Step)),
        held=st.integers(0, 4),
        careful=st.booleans(),
        ways=st.sampled_from(((Means.phone, Means.mail, Means.phone), (Means.phone,) * 3)),
        days=st.sampled_from((1, 7, 14)),
        rest=st.sampled_from((0, 6, 14)),
        by=st.sampled_from(("therapist:T1", "therapist:T1", CONFIRMER)),
        personal=st.sampled_from(("no", "no", "yes")),
    )
    def all_of_it_but_one_thing(self, reason, left_out, held, careful, ways, days, rest, by, personal):
        """The way that most endings go; each act is taken in only where it may be."""
        self.somebody_starts(reason, "no", careful, by)
        self.somebody_answers(What.confirmed, personal, CONFIRMER)
        if reason is Reason.contact:
            for means in ways:
                self.now += days * DAY
                self.somebody_tries_to_reach_them(means, 0, "therapist:T1")
            self.now += rest * DAY
        for step in Step:
            if step is not left_out:
                self.a_step_is_done(step, held, "therapist:T1")
        self.somebody_ends_it(What.closed, "therapist:T1")

    @rule(
        ways=st.sampled_from(((Means.phone, Means.mail, Means.phone), (Means.phone,) * 3)),
        days=st.sampled_from((1, 14)),
    )
    def out_of_contact_for_long_enough_or_not(self, ways, days):
        self.all_of_it_but_one_thing(Reason.contact, None, 0, False, ways, days, 14, "therapist:T1", "no")

    @rule(step=st.sampled_from(Step), held=st.integers(0, 3), by=PEOPLE)
    def a_step_is_done(self, step, held, by):
        self.take(Act(self.id(), What.done, self.now, by, step=step.value, appointments=held))

    @rule(step=st.sampled_from(Step), why=st.sampled_from((*CouldNot, "lazy")), by=PEOPLE)
    def a_step_could_not_be_done(self, step, why, by):
        self.take(Act(self.id(), What.could_not, self.now, by, step=step.value, reason=str(why)))

    @rule(step=st.sampled_from(Step))
    def a_step_is_opened_again(self, step):
        self.take(Act(self.id(), What.reopened, self.now, "lund", step=step.value))

    @rule(means=st.sampled_from(Means), days=st.integers(-3, 20), by=PEOPLE)
    def somebody_tries_to_reach_them(self, means, days, by):
        on = self.now - days * DAY
        self.take(Act(self.id(), What.attempt, self.now, by, means=means.value, on=on, apart=APART))

    @rule(by=PEOPLE)
    def somebody_approves_all_attempts(self, by):
        stands = self.newest()
        for one in stands.attempts if stands else ():
            self.take(Act(self.id(), What.approved, self.now, by, means=one.means.value, on=one.on))

    @rule(count=st.integers(0, 3), by=PEOPLE)
    def appointments_are_proposed(self, count, by):
        parts = tuple((f"U{len(self.acts)}-{n}", self.now + n * DAY, "process") for n in range(count))
        self.take(Act(self.id(), What.proposed, self.now, by, parts=parts))

    @rule(what=st.sampled_from((What.withdrawn, What.closed, What.closed, What.careful)), by=PEOPLE)
    def somebody_ends_it(self, what, by):
        self.take(Act(self.id(), what, self.now, by, process=2 if what is What.careful else 0))

    @precondition(lambda self: self.acts)
    @rule(data=st.data())
    def something_arrives_again_or_late(self, data):
        """Without being asked whether it may: as by a second worker, or from an old backup."""
        self.acts.append(data.draw(st.sampled_from(self.acts)))

    @rule()
    def the_record_says_that_they_died(self):
        self.died = True

    @rule()
    def everything_is_read_again(self):
        again = [act_of(act.facts()) for act in self.acts]
        assert endings_of(again, died=self.died) == self.endings()

    @invariant()
    def at_most_one_is_open_and_it_is_the_newest(self):
        found = self.endings()
        assert not any(one.is_open for one in found[:-1])
        assert len({one.id for one in found}) == len(found)

    @invariant()
    def nothing_is_proposed_twice_nor_after_the_end(self):
        for one in self.endings():
            uids = [each.uid for each in one.proposed]
            assert len(uids) == len(set(uids))
            assert one.is_open or all(each.at <= one.moved_at for each in one.proposed)

    @invariant()
    def nothing_closed_has_an_open_step_and_lists_hold_what_is_open(self):
        for one in self.endings():
            if one.state is State.closed:
                said_died = any(settled.could_not == CouldNot.died for settled in one.settled)
                assert unsettled(one, died=said_died) == set()
            assert set(one.left()) == unsettled(one)
            assert set(steps_open(packed_ending(one))) == unsettled(one)

    @invariant()
    def nothing_goes_on_but_by_the_word_of_whoever_was_named(self):
        for one in self.endings():
            (*_, started) = self.about(one.id, What.started)
            assert started.personal == "no"
            answers = (State.declined, *(() if one.died or self.died else (State.going, State.closed)))
            if one.confirmer and one.state in answers:
                assert one.answered_by == f"therapist:{one.confirmer}"
                assert one.answered_by != one.started_by
                what = What.declined if one.state is State.declined else What.confirmed
                said = [act for act in self.about(one.id, what) if act.by == one.answered_by]
                assert said
                assert what is What.declined or "no" in {act.personal for act in said}

    @invariant()
    def steps_are_settled_once_and_only_where_there_are_any(self):
        for one in self.endings():
            steps = [settled.step for settled in one.settled]
            assert len(set(steps)) == len(steps)
            assert all(need_of(one.reason, step) is not Need.none for step in steps)
            for settled in one.settled:
                assert settled.could_not in ("", *CouldNot)
                assert not (settled.could_not and settled.step in OURS_ALONE)
            if one.state is State.waiting:
                assert not steps
            if self.died and one.state in OPEN:
                assert unsettled(one) <= {Step.records}
            if one.careful:
                assert one.needed >= 2

    @invariant()
    def a_step_is_done_only_where_there_was_room_for_it(self):
        """Also where nobody asked whether it may be."""
        for one in self.endings():
            done = {settled.step: settled for settled in one.settled if not settled.could_not}
            (*_, started) = self.about(one.id, What.started)
            for step in done.keys() & {Step.process, Step.last}:
                said = [act for act in self.about(one.id, What.done) if (act.step, act.at) == (step, done[step].at)]
                assert max(act.appointments for act in said) >= (started.process if step is Step.process else 1)

    @invariant()
    def an_attempt_counts_by_a_therapists_word_alone(self):
        for one in self.endings():
            for attempt in one.counted():
                assert attempt.approved.startswith("therapist:")
                assert " as " not in attempt.approved
                said = (*self.about(one.id, What.attempt), *self.about(one.id, What.approved))
                assert any((act.on, act.means, act.by) == (attempt.on, attempt.means, attempt.approved) for act in said)

    @invariant()
    def what_was_over_stays_as_it_was(self):
        found = {one.id: one for one in self.endings()}
        for ending, state in self.final.items():
            assert found[ending].state is state
        # That somebody died may have been said by mistake, and is taken back also where it closed an ending.
        final = (one for one in found.values() if one.state not in OPEN and not one.said_died)
        self.final |= {one.id: one.state for one in final}

    @invariant()
    def nothing_can_be_said_after_it_was_over(self):
        stands = self.newest()
        if stands is not None and not stands.is_open:
            for what in What:
                if what not in (What.started, What.stopped, *[What.withdrawn] * stands.said_died):
                    act = Act(stands.id, what, self.now, CONFIRMER, step="letter", personal="no", means="phone", on=NOW)
                    assert refuse(stands, act, POLICY, died=self.died)
                    assert endings_of([*self.acts, act], died=self.died) == self.endings()


Endings.TestCase.settings = settings(max_examples=100, stateful_step_count=40)
TestEndings = Endings.TestCase
