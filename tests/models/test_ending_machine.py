"""Endings under any order of acts, with repeats, restarts and death: never an illegal state, never an open step on a closed ending."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from models.ending_acts import OPEN, Act, State, What, act_of
from models.ending_refusals import refuse
from models.ending_steps import WISHED_BY, By, CouldNot, Means, Need, Reason, Step, need_of
from models.instants import DAY, HOUR
from models.terminations import endings_of, packed_ending, steps_open
from tests.builders import NOW, a_policy

POLICY = a_policy()
PEOPLE = st.sampled_from(("therapist:T1", "therapist:T9", "lund"))


class Endings(RuleBasedStateMachine):
    """What a store does: an act is taken in where it is not refused; now and then one is recorded that should have been, or again."""

    def __init__(self) -> None:
        super().__init__()
        self.acts: list[Act] = []
        self.now = NOW
        self.died = False
        self.count = 0
        self.final: dict[str, State] = {}

    def newest(self):
        found = endings_of(self.acts, died=self.died)
        return found[-1] if found else None

    def take(self, act: Act) -> None:
        if refuse(self.newest(), act, POLICY, died=self.died) is None:
            self.acts.append(act)

    def id(self) -> str:
        stands = self.newest()
        return stands.id if stands else "E0"

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

    @rule(step=st.sampled_from(Step), held=st.integers(0, 3), by=PEOPLE)
    def a_step_is_done(self, step, held, by):
        self.take(Act(self.id(), What.done, self.now, by, step=step.value, appointments=held))

    @rule(by=PEOPLE)
    def every_step_is_done(self, by):
        for step in Step:
            self.take(Act(self.id(), What.done, self.now, by, step=step.value, appointments=9))

    @rule(step=st.sampled_from(Step), why=st.sampled_from((*CouldNot, "lazy")), by=PEOPLE)
    def a_step_could_not_be_done(self, step, why, by):
        self.take(Act(self.id(), What.could_not, self.now, by, step=step.value, reason=str(why)))

    @rule(step=st.sampled_from(Step))
    def a_step_is_opened_again(self, step):
        self.take(Act(self.id(), What.reopened, self.now, "lund", step=step.value))

    @rule(means=st.sampled_from(Means), days=st.integers(-3, 20))
    def somebody_tries_to_reach_them(self, means, days):
        self.take(Act(self.id(), What.attempt, self.now, "lund", means=means.value, on=self.now - days * DAY))

    @rule(count=st.integers(0, 3), by=PEOPLE)
    def appointments_are_proposed(self, count, by):
        parts = tuple((f"U{len(self.acts)}-{n}", self.now + n * DAY, "process") for n in range(count))
        self.take(Act(self.id(), What.proposed, self.now, by, parts=parts))

    @rule(what=st.sampled_from((What.withdrawn, What.closed, What.closed, What.careful)), by=PEOPLE)
    def somebody_ends_it(self, what, by):
        self.take(Act(self.id(), what, self.now, by, process=2))

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
        assert endings_of(again, died=self.died) == endings_of(self.acts, died=self.died)

    @invariant()
    def at_most_one_is_open_and_it_is_the_newest(self):
        found = endings_of(self.acts, died=self.died)
        assert not any(one.is_open for one in found[:-1])
        assert len({one.id for one in found}) == len(found)

    @invariant()
    def nothing_is_proposed_twice_nor_after_the_end(self):
        for one in endings_of(self.acts, died=self.died):
            uids = [each.uid for each in one.proposed]
            assert len(uids) == len(set(uids))
            assert one.is_open or all(each.at <= one.moved_at for each in one.proposed)

    @invariant()
    def nothing_closed_has_an_open_step(self):
        for one in endings_of(self.acts, died=self.died):
            if one.state is State.closed:
                assert one.left() == ()
                assert steps_open(packed_ending(one)) == ()

    @invariant()
    def nothing_goes_on_that_nobody_confirmed(self):
        for one in endings_of(self.acts, died=self.died):
            if one.confirmer and one.state in (State.going, State.closed) and not self.died:
                assert one.answered_by not in ("", one.started_by)

    @invariant()
    def steps_are_settled_once_and_only_where_there_are_any(self):
        for one in endings_of(self.acts, died=self.died):
            steps = [settled.step for settled in one.settled]
            assert len(set(steps)) == len(steps)
            assert all(need_of(one.reason, step) is not Need.none for step in steps)
            if one.state is State.waiting:
                assert not steps
            if self.died and one.state in OPEN:
                assert set(one.left()) <= {Step.records}
            letter = one.of(Step.letter)
            if letter and not letter.could_not and one.reason is Reason.contact:
                assert len(one.ways()) >= 2
            if one.careful:
                assert one.needed >= 2

    @invariant()
    def what_was_over_stays_as_it_was(self):
        found = {one.id: one for one in endings_of(self.acts, died=self.died)}
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
                    act = Act(
                        stands.id, what, self.now, "therapist:T9", step="letter", personal="no", means="phone", on=NOW
                    )
                    assert refuse(stands, act, POLICY, died=self.died)
                    assert endings_of([*self.acts, act], died=self.died) == endings_of(self.acts, died=self.died)


Endings.TestCase.settings = settings(max_examples=150, stateful_step_count=40)
TestEndings = Endings.TestCase
