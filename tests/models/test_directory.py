"""Which three providers suit: what is a condition, what comes last and is asked about, and that the same question has the same answer."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.directory import CAPACITY, OPTIONS, Listed, Wanted, options, stale, stale_ones, to_ask_first
from tests.builders import a_policy

TODAY = date(2026, 11, 23)
POLICY = a_policy()
FRESH = TODAY - timedelta(days=10)


def listed(number: str, **words: object) -> Listed:
    return Listed(number, **{"place": "Leeds", "capacity": "open", "verified_on": FRESH} | words)


def found(*known: Listed, **wanted: object) -> list[str]:
    return [one.provider.id for one in options(known, Wanted(**wanted), TODAY, POLICY)]


@pytest.mark.parametrize("name", ["specialty", "modality", "language", "insurer"])
def test_what_is_wanted_is_a_condition_where_it_is_known_and_a_question_where_it_is_not(name):
    known = [listed("P1", **{name: ("other",)}), listed("P2"), listed("P3", **{name: ("other", "this")})]
    assert found(*known, **{name: " This "}) == ["P3", "P2"]
    first, second = options(known, Wanted(**{name: "this"}), TODAY, POLICY)
    assert first.reasons == (f"{name}: this", "has room")
    assert second.doubts == (f"{name} is not written down",)


def test_a_place_or_telehealth_from_another():
    known = [listed("P1", place="York"), listed("P2", place="York", telehealth=True), listed("P3")]
    assert found(*known, place="leeds") == ["P3", "P2"]
    assert {one.reasons[0] for one in options(known, Wanted(place="Leeds"), TODAY, POLICY)} == {
        "in Leeds",
        "by telehealth, from another place",
    }
    assert found(*known, telehealth=True) == ["P2"]


def test_who_has_room_comes_first_and_who_has_none_last():
    rooms = ["full", "waiting", "", "open"]
    known = [listed(f"P{n}", capacity=room) for n, room in enumerate(rooms)]
    assert [one.provider.capacity for one in options(known, Wanted(), TODAY, POLICY, most=4)] == [
        "open",
        "",
        "waiting",
        "full",
    ]
    doubts = [one.doubts for one in options(known, Wanted(), TODAY, POLICY, most=4)]
    assert doubts[3] == (CAPACITY["full"],)


def test_that_there_was_room_long_ago_says_less_than_a_waiting_list_today():
    long_ago = listed("P1", capacity="open", verified_on=TODAY - timedelta(days=1059))
    assert found(long_ago, listed("P2", capacity="full"), listed("P3", capacity="waiting")) == ["P3", "P1", "P2"]


def test_who_is_full_or_unchecked_is_asked_before_being_offered():
    known = [
        listed("P1", capacity="open"),
        listed("P2", capacity="full"),
        listed("P3", capacity="waiting"),
        listed("P4", capacity="open", verified_on=TODAY - timedelta(days=180)),
        listed("P5", capacity="open", verified_on=TODAY - timedelta(days=179)),
        listed("P6", verified_on=None),
    ]
    assert to_ask_first(known, TODAY, POLICY) == [
        ("P2", CAPACITY["full"]),
        ("P4", "last checked 180 days ago"),
        ("P6", "nobody has checked the entry"),
    ]


def test_not_more_than_three_and_not_who_was_tried():
    known = [listed(f"P{n}") for n in range(5)]
    assert found(*known) == ["P0", "P1", "P2"]
    assert found(*known, without=frozenset({"P0", "P2"})) == ["P1", "P3", "P4"]


@pytest.mark.parametrize(
    ("days", "is_stale"), [(0, False), (179, False), (180, True), (181, True)], ids=lambda value: str(value)
)
def test_an_entry_that_nobody_checked_for_180_days_is_asked_about(days, is_stale):
    one = listed("P1", verified_on=TODAY - timedelta(days=days))
    assert stale(one, TODAY, POLICY) is is_stale
    (option,) = options([one], Wanted(), TODAY, POLICY)
    assert option.doubts == ((f"last checked {days} days ago: ask before offering",) if is_stale else ())


def test_an_entry_that_was_never_checked_is_the_first_to_check():
    never, old, new = listed("P3", verified_on=None), listed("P1", verified_on=date(2026, 1, 2)), listed("P2")
    assert [one.id for one in stale_ones([old, never, new], TODAY, POLICY)] == ["P3", "P1"]
    (option,) = options([never], Wanted(), TODAY, POLICY)
    assert option.doubts == ("nobody has checked the entry",)


words = st.sampled_from((("trauma",), ("trauma", "grief"), ("grief",), ()))
known_ones = st.lists(
    st.builds(
        Listed,
        id=st.integers(1, 30).map(lambda n: f"P{n}"),
        place=st.sampled_from(("Leeds", "York")),
        specialty=words,
        language=words,
        telehealth=st.booleans(),
        capacity=st.sampled_from(("", *CAPACITY)),
        verified_on=st.sampled_from((None, FRESH, date(2025, 1, 1))),
    ),
    max_size=12,
    unique_by=lambda one: one.id,
)


@given(known=known_ones, turned=st.randoms(), telehealth=st.booleans())
def test_the_same_question_has_the_same_answer_in_whatever_order_the_directory_stands(known, turned, telehealth):
    wanted = Wanted(specialty="trauma", place="Leeds", telehealth=telehealth)
    first = options(known, wanted, TODAY, POLICY)
    other = list(known)
    turned.shuffle(other)
    assert options(other, wanted, TODAY, POLICY) == first
    assert len(first) <= OPTIONS
    for one in first:
        assert one.reasons
        assert "trauma" in one.provider.specialty or not one.provider.specialty
        assert one.provider.telehealth or not telehealth
