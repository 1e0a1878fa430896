"""Deriving everything again: changes nothing where all is right, finds and mends what is not, and follows a new digest format."""

import pytest
from sqlalchemy import update

from integrations.store.rebuild import rebuild, rebuild_outdated
from integrations.store.tables import table
from models.appointments import Appointment, Participant
from models.digest import FORMAT, Digest
from models.observations import Subject
from models.people import Break, Leave, Relation
from tests.builders import NOW, days_ago, each, in_days

DERIVED = (Subject, Appointment, Participant, Digest, Relation, Break, Leave)


@pytest.fixture
def told(clinic):
    """A clinic in which something of everything was said."""
    clinic.client("1002", "Ben Ünal", therapist="T1")
    clinic.seen("1001", *each(7, 8, days_ago(3)))
    clinic.seen("1002", *each(14, 4, days_ago(20)))
    clinic.entry("t1", "u", in_days(4), "Anna Müller")
    clinic.sync()
    clinic.look()
    return clinic


def stored(clinic):
    return [clinic.rows(model) for model in DERIVED]


def test_where_all_is_right_nothing_changes(told):
    before = stored(told)
    assert rebuild(told.practice, NOW, dry_run=True).differed == ()
    assert rebuild(told.practice, NOW, dry_run=False).differed == ()
    assert stored(told) == before


@pytest.mark.parametrize(
    ("model", "wrong"),
    [
        (Digest, {"line": b""}),
        (Participant, {"plan": "cancelled"}),
        (Appointment, {"start_at": NOW}),
        (Relation, {"therapist_id": "T9"}),
        (Subject, {"how": "code"}),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
def test_what_is_wrong_is_named_and_put_right(told, model, wrong):
    before = stored(told)
    with told.practice.store.write() as connection:
        connection.execute(update(table(model)).values(**wrong))
    spoilt = stored(told)
    assert spoilt != before
    named = rebuild(told.practice, NOW, dry_run=True).differed
    assert named
    assert stored(told) == spoilt, "a dry run changed something"
    rebuild(told.practice, NOW, dry_run=False)
    assert without_ids(told) == [
        [{k: v for k, v in row.items() if k != "id" or "wall" in row} for row in rows] for rows in plain(before)
    ]
    assert rebuild(told.practice, NOW, dry_run=True).differed == ()


def plain(tables):
    return [[dict(row._mapping) if hasattr(row, "_mapping") else row.model_dump() for row in rows] for rows in tables]


def without_ids(clinic):
    """What is stored, but for the numbers that a database gives rows written anew."""
    return [
        [{k: v for k, v in row.items() if k != "id" or "wall" in row} for row in rows] for rows in plain(stored(clinic))
    ]


def test_a_digest_of_an_older_format_is_derived_again(told):
    before = told.rows(Digest)
    rebuild_outdated(told.practice, NOW)
    with told.practice.store.write() as connection:
        connection.execute(update(table(Digest)).values(format=FORMAT - 1, line=b""))
    assert rebuild_outdated(told.practice, NOW) == 2
    assert told.rows(Digest) == before
    assert rebuild_outdated(told.practice, NOW) == 0


@pytest.mark.parametrize("change", [{"zone": "America/New_York"}, {"policy": "same_time_minutes = 90"}])
def test_other_terms_of_deriving_are_followed_by_everybody(told, a_clinic, change):
    """The zone in which days are meant, and how near two entries are one appointment, are settings: no source says anything new."""
    told.client("1003", "Cem Öz", intake="2026-11-02")
    told.seen("1003", in_days(-4))
    told.entry("t1", "near", in_days(-4) + 3600, "Cem Öz")
    told.sync()
    rebuild_outdated(told.practice, NOW)
    before = told.digest("1003")
    other = a_clinic(**change)
    assert rebuild_outdated(other.practice, NOW) == 3
    assert other.digest("1003") != before
    assert rebuild(other.practice, NOW, dry_run=True).differed == ()
    assert rebuild_outdated(other.practice, NOW) == 0
    assert rebuild_outdated(told.practice, NOW) == 3
    assert told.digest("1003") == before
