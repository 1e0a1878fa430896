"""Which appointment gets which part of an ending: every row of the table, and what holds for any of them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.ending_plan import EndingPlan, Role, Standing, plan, roles, with_proposals
from models.slots import Proposal

E, P, C = Role.explain, Role.process, Role.close
WEEKS = [Standing(f"a{week}", week * 100) for week in range(1, 9)]


def standing(*weeks: int) -> list[Standing]:
    return [WEEKS[week - 1] for week in weeks]


# what stands (weeks), needed process, more -> parts (week: role), missing, beyond
TABLE: dict[str, tuple[tuple[int, ...], int, dict[str, Any], dict[int, Role], tuple[Role, ...], tuple[int, ...]]] = {
    "nothing stands: all is new": ((), 1, {}, {}, (E, P, C), ()),
    "one stands: it explains": ((1,), 1, {}, {1: E}, (P, C), ()),
    "two stand": ((1, 2), 1, {}, {1: E, 2: P}, (C,), ()),
    "exactly enough": ((1, 2, 3), 1, {}, {1: E, 2: P, 3: C}, (), ()),
    "one more than needed stays beyond": ((1, 2, 3, 4), 1, {}, {1: E, 2: P, 3: C}, (), (4,)),
    "more room where policy gives it": ((1, 2, 3, 4), 1, {"most_process": 2}, {1: E, 2: P, 3: P, 4: C}, (), ()),
    "never more than policy": ((1, 2, 3, 4, 5), 1, {"most_process": 2}, {1: E, 2: P, 3: P, 4: C}, (), (5,)),
    "policy's most is no need": ((1, 2), 1, {"most_process": 4}, {1: E, 2: P}, (C,), ()),
    "rejection is hard: two to process": ((1, 2, 3), 2, {}, {1: E, 2: P, 3: P}, (C,), ()),
    "goals met, no more room needed": ((1, 2), 0, {}, {1: E, 2: C}, (), ()),
    "explained already": ((2, 3), 1, {"held": (E,)}, {2: P, 3: C}, (), ()),
    "explained and processed": ((2, 3), 1, {"held": (E, P)}, {2: C}, (), (3,)),
    "all held": ((2, 3), 1, {"held": (E, P, C)}, {}, (), (2, 3)),
    "closed before there was room: nothing more is proposed": ((2,), 1, {"held": (E, C)}, {}, (), (2,)),
    "one declined": ((1, 2, 3), 1, {"unsuitable": {"a2"}}, {1: E, 3: P}, (C,), ()),
    "all declined": ((1, 2), 1, {"unsuitable": {"a1", "a2"}}, {}, (E, P, C), ()),
    "one on the very instant counts": ((1, 2, 3), 1, {"since": 100}, {1: E, 2: P, 3: C}, (), ()),
    "one a second before does not": ((1, 2, 3), 1, {"since": 101}, {2: E, 3: P}, (C,), ()),
}


@pytest.mark.parametrize("case", TABLE)
def test_the_table(case):
    weeks, process, more, parts, missing, beyond = TABLE[case]
    found = plan(standing(*weeks), process, **{"since": 0, **more})
    assert {part.start // 100: part.role for part in found.parts} == parts
    assert found.missing == missing
    assert [each.start // 100 for each in found.beyond] == list(beyond)


def a_time(start: int) -> Proposal:
    return Proposal(start, start + 50, "free")


# what stands, proposals (starts), most new -> new parts (start: role), still missing
NEW: dict[str, tuple[tuple[int, ...], tuple[int, ...], int, dict[int, Role], tuple[Role, ...]]] = {
    "all new": ((), (100, 200, 300), 9, {100: E, 200: P, 300: C}, ()),
    "only the rest is new": ((1,), (150, 200, 300), 9, {150: P, 200: C}, ()),
    "nothing new where all stands": ((1, 2, 3), (150, 400), 9, {}, ()),
    "not before what stands": ((1, 2), (50, 200, 201), 9, {201: C}, ()),
    "never more than policy": ((), (100, 200, 300), 2, {100: E, 200: P}, (C,)),
    "none where policy says none": ((), (100, 200, 300), 0, {}, (E, P, C)),
    "no free time for months": ((1,), (), 9, {}, (P, C)),
}


@pytest.mark.parametrize("case", NEW)
def test_new_ones_only_for_what_is_left(case):
    weeks, times, most, new, missing = NEW[case]
    found = with_proposals(plan(standing(*weeks), 1, since=0), map(a_time, times), most_new=most)
    assert {part.start: part.role for part in found.parts if part.proposal} == new
    assert found.missing == missing


def test_moved_ones_get_their_parts_anew():
    """The one that was to close is moved before the one that was to process: they change parts, and nobody is asked anew."""
    found = plan([Standing("a", 100), Standing("b", 300), Standing("c", 200)], 1, since=0)
    assert [(part.id, part.role) for part in found.parts] == [("a", E), ("c", P), ("b", C)]
    assert found.closes_at == 300


@pytest.mark.parametrize(("process", "most"), [(-1, None), (2, 1)])
def test_numbers_that_make_no_plan(process, most):
    with pytest.raises(ValueError, match="room to process"):
        plan([], process, since=0, most_process=most)


STANDING = st.lists(
    st.builds(Standing, st.text("abcdefgh", min_size=1, max_size=3), st.integers(0, 2000)), unique_by=lambda s: s.id
)


@given(STANDING, st.integers(0, 3), st.integers(0, 3), st.lists(st.integers(0, 3000).map(a_time)), st.integers(0, 4))
def test_any_plan(appointments, process, more, times, most_new):
    first = plan(appointments, process, since=500, most_process=process + more)
    found = with_proposals(first, times, most_new=most_new)
    order = [part.role for part in found.parts] + list(found.missing)
    assert order == list(roles(max(process, order.count(P))))
    assert process <= order.count(P) <= process + more
    assert [part.start for part in found.parts] == sorted(part.start for part in found.parts)
    assert all(part.start >= 500 for part in found.parts)
    assert sum(part.proposal is not None for part in found.parts) <= most_new
    # What stands is used up before anything new is proposed.
    assert not (first.missing and first.beyond)
    assert {part.id for part in found.parts if part.id} | {each.id for each in found.beyond} == {
        each.id for each in appointments if each.start >= 500
    }
    assert isinstance(found, EndingPlan)
