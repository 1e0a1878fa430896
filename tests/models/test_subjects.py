"""Whom an entry concerns: ids and codes outright, a name only within one therapist's caseload, two hits nobody."""

import re

import pytest

from models.subjects import CODE, Known, Roster, normal_form, possible_names

ROSTER = Roster(
    [
        Known(1, "code1", "id1", "anna muller", frozenset({"T1"})),
        Known(2, "code2", "id2", "ben unal", frozenset({"T1", "T2"})),
        Known(3, "code3", "id3", "anna muller", frozenset({"T2"})),
        Known(4, "code4", "id4", "anna muller", frozenset({"T2"})),
        Known(5, "code5", "id5", "", frozenset({"T1"})),
    ]
)


@pytest.mark.parametrize(
    ("hints", "therapist", "found", "how"),
    [
        ({"id": ["id1"]}, None, (1,), "id"),
        ({"id": ["id2", "id1"]}, None, (1, 2), "id"),  # a couple
        ({"id": ["id1", "idX"]}, None, (1,), "some"),  # one of them is not known yet
        ({"code": ["code3"]}, "T1", (3,), "code"),  # a code counts in anybody's calendar
        ({"id": ["id1"], "code": ["code2"]}, None, (1, 2), "id"),
        ({"id": ["idX"], "code": ["code2"]}, None, (2,), "some"),
        ({"id": ["idX"]}, "T1", (), ""),
        ({"name": ["anna muller"]}, "T1", (1,), "name"),
        ({"name": ["anna muller"]}, "T2", (), ""),  # two of that name: nobody
        ({"name": ["anna muller"]}, "T3", (), ""),  # nobody of that name with that therapist
        ({"name": ["anna muller"]}, None, (), ""),
        ({"name": ["anna muller", "ben unal"]}, "T1", (), ""),  # either could be meant
        ({"name": ["session", "ben unal"]}, "T2", (2,), "name"),
        ({"name": [""]}, "T1", (), ""),  # a client without a name is found by none
        ({}, "T1", (), ""),
    ],
)
def test_who_is_meant(hints, therapist, found, how):
    assert ROSTER.concerned(hints, therapist) == (found, how)


@pytest.mark.parametrize(
    "name", ["Müller, Anna", "anna MÜLLER", "Anna  Muller", "Anna Mu\u0308ller", "Müller Anna", "Anna, Müller."]
)
def test_ways_to_write_a_name_are_one(name):
    assert normal_form(name) == "anna muller"


@pytest.mark.parametrize(
    ("title", "holds"),
    [
        ("Session Müller, Anna", True),
        ("Anna Müller (50 min)", True),
        ("Anna Müller / Ben Ünal", True),
        ("Müller", False),
        ("Anna", False),
        ("Anna and Ben Müller", False),
    ],
)
def test_names_in_titles(title, holds):
    assert ("anna muller" in possible_names(title)) == holds


def test_a_pattern_takes_its_group_alone():
    pattern = re.compile(r"with (.+)$")
    assert possible_names("50 min with Anna Müller", pattern) == ["anna muller"]
    assert possible_names("Anna Müller", pattern) == []


@pytest.mark.parametrize(("text", "is_code"), [("C-7F3K9QX", True), ("C-7F3K9Q", False), ("C-7F3K9QI", False)])
def test_codes_have_seven_characters_and_no_letter_that_looks_like_a_digit(text, is_code):
    assert bool(CODE.fullmatch(text)) == is_code
