"""Which parts of an ending were held, how many new appointments it can ask for, and what of those ahead has a part."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.ending_acts import Act, Settled, State, What
from models.ending_plan import Role
from models.ending_schedule import (
    AHEAD,
    LEAD,
    Entry,
    How,
    Problem,
    held_parts,
    looked_for_from,
    most_new,
    need_of_appointments,
    planned,
    schedule_of,
)
from models.ending_steps import By, Need, Reason, Step
from models.instants import DAY, HOUR
from models.slots import Proposal
from models.terminations import endings_of, packed_ending
from models.told import NOT_KNOWN
from tests.builders import NOW

E, P, C = Role.explain, Role.process, Role.close
BEGUN = NOW - 30 * DAY


def an_ending(reason=Reason.poor_fit, *, needed=1, until=NOT_KNOWN, done=None, could_not=None, died=False):
    started = Act(
        "E1", What.started, BEGUN, "therapist:T1", reason=reason.value, wished_by=By.client.value, personal="no",
        process=needed, until=until,
    )  # fmt: skip
    (stands,) = endings_of([started], died=died)
    settled = [Settled(Step(step), BEGUN + at, "T1") for step, at in (done or {}).items()]
    settled += [Settled(Step(step), BEGUN + at, "T1", "declined") for step, at in (could_not or {}).items()]
    return stands._replace(settled=tuple(settled))


def took(*days):
    return [BEGUN + round(day * DAY) for day in days]


# what was said (step: seconds since it began), appointments since (days), needed -> parts held, new ones at most
HELD = {
    "nothing was said, none took place": ({}, (), 1, (E,) * 0, 3),
    "one took place: it explained": ({}, (3,), 1, (E,), 2),
    "two took place: the second gave room": ({}, (3, 10), 1, (E, P), 1),
    "three took place, and nobody said that it was the last: none is proposed": ({}, (3, 10, 17), 1, (E, P), 0),
    "two to process": ({}, (3, 10), 2, (E, P), 2),
    "said to be explained before any took place": ({"explain": HOUR}, (), 1, (E,), 2),
    "explained at the start, then one took place: it gave room": ({"explain": HOUR}, (3,), 1, (E, P), 1),
    "explained in the first one, as was said that evening": ({"explain": 3 * DAY + HOUR}, (3,), 1, (E,), 2),
    "explained in it, at the very instant": ({"explain": 3 * DAY}, (3,), 1, (E,), 2),
    "explained a second before it": ({"explain": 3 * DAY - 1}, (3,), 1, (E, P), 1),
    "room was given, as was said": ({"explain": HOUR, "process": DAY}, (), 2, (E, P, P), 1),
    "the last one was held, as was said": ({"explain": HOUR, "process": DAY, "last": 2 * DAY}, (1, 2), 1, (E, P, C), 0),
}  # fmt: skip


@pytest.mark.parametrize("name", HELD)
def test_what_was_held(name):
    done, days, needed, parts, most = HELD[name]
    stands = an_ending(needed=needed, done=done)
    assert held_parts(stands, took(*days)) == parts
    assert most_new(stands, took(*days)) == most


def test_what_could_not_be_explained_took_no_appointment():
    stands = an_ending(could_not={"explain": 5 * DAY})
    assert held_parts(stands, took(3)) == (E, P)


@pytest.mark.parametrize(
    ("reason", "need"),
    [
        (Reason.goals, Need.required), (Reason.poor_fit, Need.required), (Reason.beyond, Need.required),
        (Reason.wish, Need.offered), (Reason.contact, Need.none), (Reason.move, Need.required),
        (Reason.leaving, Need.required), (Reason.safety, Need.offered), (Reason.death, Need.none),
    ],
)  # fmt: skip
def test_which_reasons_ask_for_appointments(reason, need):
    assert need_of_appointments(an_ending(reason)) is need
    assert need_of_appointments(an_ending(reason, died=True)) is Need.none
    for state in (State.waiting, State.declined, State.withdrawn, State.closed):
        assert need_of_appointments(an_ending(reason)._replace(state=state)) is Need.none


def entries(*days, **problems):
    return [Entry(f"a{day}", NOW + day * DAY, NOW + day * DAY + HOUR, problem=problems.get(f"a{day}")) for day in days]


def test_what_has_a_problem_has_no_part_and_a_named_day_makes_room():
    found = planned(an_ending(), [], entries(3, 10, 17, a3=Problem.away), NOW)
    assert [(part.id, part.role) for part in found.parts] == [("a10", E), ("a17", P)]
    assert found.missing == (C,)
    roomy = planned(an_ending(until=NOW + 40 * DAY), [], entries(3, 10, 17, 24), NOW)
    assert [part.role for part in roomy.parts] == [E, P, P, C]


@pytest.mark.parametrize(
    ("days", "starts", "since"),
    [
        ((), [], NOW + LEAD),  # nobody knows when: not at once
        ((3,), [], NOW + 9 * DAY),  # a rhythm after the one that stands, less a day
        ((), [NOW - DAY], NOW + 5 * DAY),  # a rhythm after the last one
        ((), [NOW - 20 * DAY], NOW + LEAD),
    ],
)
def test_from_when_on_times_are_looked_for(days, starts, since):
    found = planned(an_ending(), [], entries(*days), NOW)
    assert looked_for_from(found, starts, 7 * DAY, NOW) == since


def test_nothing_lies_too_far_ahead_or_after_its_day():
    def lines(stands, *days):
        times = [Proposal(NOW + day * DAY - HOUR, NOW + day * DAY, "free") for day in days]
        found = planned(stands, [], (), NOW)
        return [line.start for line in schedule_of(stands, "T1", found, (), times, 3, NOW).lines]

    far = AHEAD // DAY
    assert lines(an_ending(), 7, far, far + 1) == [NOW + 7 * DAY - HOUR, NOW + far * DAY - HOUR]
    assert lines(an_ending(until=NOW + 14 * DAY), 7, 14, 15) == [NOW + 7 * DAY - HOUR, NOW + 14 * DAY - HOUR]


@given(
    needed=st.integers(1, 4),
    ahead=st.lists(st.integers(1, 90), unique=True, max_size=8),
    free=st.lists(st.integers(91, 180), unique=True, max_size=8),
    past=st.lists(st.integers(1, 29), unique=True, max_size=6),
    said=st.sets(st.sampled_from(["explain", "process", "last"])),
)
def test_it_never_asks_for_more_than_it_needs(needed, ahead, free, past, said):
    stands = an_ending(needed=needed, done=dict.fromkeys(said, DAY))
    starts = [BEGUN + day * DAY for day in sorted(past)]
    found, most = planned(stands, starts, entries(*ahead), NOW), most_new(stands, starts)
    times = [Proposal(NOW + day * DAY // 2, NOW + day * DAY // 2 + HOUR, "") for day in free]
    schedule = schedule_of(stands, "T1", found, entries(*ahead), times, most, NOW)
    new = [line for line in schedule.lines if line.how is How.new]
    assert len(new) <= max(0, needed + 2 - len(starts))
    order = [E, P, C]
    assert [order.index(line.role) for line in schedule.lines] == sorted(order.index(x.role) for x in schedule.lines)
    assert [line.start for line in schedule.lines] == sorted(line.start for line in schedule.lines)
    assert sum(line.role is C for line in schedule.lines) <= 1
    if "last" in said:
        assert schedule.lines == ()


def test_what_was_proposed_is_part_of_the_fold_and_said_twice_is_said_once():
    started = Act(
        "E1", What.started, BEGUN, "therapist:T1", reason="goals", wished_by="client", personal="no", process=1
    )
    nothing = Act("E1", What.proposed, BEGUN + 1, "tending")
    parts = Act("E1", What.proposed, BEGUN + 9, "lund", parts=(("U1", NOW, "explain"), ("U2", NOW + DAY, "close")))
    (stands,) = endings_of([started])
    assert (stands.proposed_at, packed_ending(stands).proposed_at) == (NOT_KNOWN, NOT_KNOWN)
    (stands,) = endings_of([started, nothing])
    assert (stands.proposed_at, packed_ending(stands).proposed_at) == (BEGUN + 1, NOT_KNOWN)
    (stands,) = endings_of([started, nothing, parts, parts])
    assert [(one.uid, one.role, one.at) for one in stands.proposed] == [("U1", E, BEGUN + 9), ("U2", C, BEGUN + 9)]
    assert (stands.proposed_at, packed_ending(stands).proposed_at) == (BEGUN + 9, BEGUN + 9)
    assert stands.moved_at == BEGUN, "nothing was said of a step"
    withdrawn = Act("E1", What.withdrawn, BEGUN + 5, "lund")
    (stands,) = endings_of([started, withdrawn, parts])
    assert stands.proposed == ()
