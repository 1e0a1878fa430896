"""Therapists, clients, relations, breaks and leave as they follow from what was said, whichever source said it last."""

from datetime import date

from integrations.store.people import ALPHABET, addresses, code_for
from models.entries import ClientStatus
from models.instants import DAY, HOUR
from models.people import OPEN_ENDED, Client, Relation, Therapist
from models.subjects import CODE
from tests.builders import NOW, a_client, a_reading, in_days

LATER = NOW + HOUR


def relations(clinic, number="1001"):
    return [(r.therapist_id, r.from_on, r.to_on) for r in clinic.rows(Relation) if r.client_id == clinic.id_of(number)]


def only(clinic):
    (client,) = clinic.rows(Client)
    return client


def test_a_code_is_drawn_once_and_kept(clinic):
    clinic.sync()
    code = only(clinic).code
    assert CODE.fullmatch(code)
    clinic.clients[0] |= {"name": "Anna Meier", "code": "C-7F3K9QX"}
    clinic.sync(LATER)
    assert only(clinic).code == code


def test_a_code_that_the_practice_gives_is_taken_once(clinic):
    clinic.clients[0]["code"] = "C-7F3K9QX"
    clinic.sync()
    clinic.take("cal-t1", a_reading(a_client("1002", code="C-7F3K9QX"), kinds=[]), LATER)
    codes = [row.code for row in clinic.rows(Client)]
    assert codes[0] == "C-7F3K9QX"
    assert len(set(codes)) == 2


def test_codes_are_opaque_deterministic_and_longer_where_taken(vault):
    first = code_for(vault, "someone", ())
    assert first == code_for(vault, "someone", ())
    assert code_for(vault, "somebody else", ()) != first
    longer = code_for(vault, "someone", {first})
    assert longer.startswith(first)
    assert len(longer) == len(first) + 1
    assert set(first.removeprefix("C-")) <= set(ALPHABET)
    assert CODE.fullmatch(longer)


def test_identity_is_sealed(clinic):
    clinic.clients[0]["contact"] = "anna@example.org"
    clinic.sync()
    row = only(clinic)
    assert "Anna" not in str(tuple(row))
    assert "1001" not in str(tuple(row))
    opened = clinic.practice.vault.open(row.sealed)
    assert (opened["name"], opened["id"]) == ("Anna Müller", "1001")
    with clinic.practice.store.read() as connection:
        assert addresses(connection, clinic.practice.vault) == {"T1": "t1@example.org"}


def test_another_therapist_ends_one_relation_and_begins_another(clinic):
    clinic.sync()
    assert relations(clinic) == [("T1", None, None)]
    clinic.clients[0]["therapist"] = "T2"
    clinic.sync(in_days(3))
    moved = date(2026, 11, 26)
    assert relations(clinic) == [("T1", None, moved), ("T2", moved, None)]
    assert clinic.digest("1001").therapist_id == "T2"
    clinic.clients[0]["therapist"] = ""
    clinic.sync(in_days(5))
    assert relations(clinic)[-1] == ("T2", moved, date(2026, 11, 28))
    assert clinic.digest("1001").therapist_id == ""
    clinic.clients[0]["therapist"] = "T1"
    clinic.sync(in_days(6))
    assert relations(clinic)[-1] == ("T1", date(2026, 11, 29), None)


def test_a_former_therapists_calendar_still_means_the_client(clinic):
    clinic.sync()
    clinic.clients[0]["therapist"] = "T2"
    clinic.entry("t1", "u", in_days(4), "Anna Müller")
    clinic.sync(LATER)
    assert len(clinic.digest("1001").line) == 8


def test_of_two_sources_the_newest_word_holds_whichever_comes_in_last(clinic):
    new = a_reading(a_client("1001", "Anna Meier", "T2", status=ClientStatus.ended), kinds=[])
    old = a_reading(a_client("1001", "Anna Müller", "T1"), kinds=[])
    for told in (((new, LATER), (old, NOW)), ((old, NOW), (new, LATER))):
        clinic.empty()
        for reading, now in told:
            clinic.take("records" if now == LATER else "cal-t1", reading, now)
        assert only(clinic).status == "ended"
        assert clinic.practice.vault.open(only(clinic).sealed)["name"] == "Anna Meier"
        assert relations(clinic) == [("T1", None, date(2026, 11, 23)), ("T2", date(2026, 11, 23), None)]


def test_pauses(clinic):
    for said, until in (("2026-12-24", date(2026, 12, 24)), ("yes", OPEN_ENDED), ("", None)):
        clinic.clients[0]["paused until"] = said
        clinic.sync(LATER + (until or date(2026, 1, 1)).toordinal())
        assert only(clinic).paused_until == until


def test_therapists_follow_what_is_said(clinic):
    clinic.therapists[0] |= {"zone": "America/New_York", "site": "North", "supervisor": "T9", "started": "2024-09-01"}
    clinic.sync()
    clinic.therapists[0]["site"] = "South"
    clinic.sync(LATER)
    (row,) = clinic.rows(Therapist)
    assert (row.zone, row.site, row.supervisor_id, row.started_on) == (
        "America/New_York",
        "South",
        "T9",
        date(2024, 9, 1),
    )


def test_leave_wakes_the_caseload(clinic):
    clinic.sync()
    clinic.look()
    clinic.leave.append({"therapist": "T1", "from": "2026-12-01", "to": "2026-12-05"})
    clinic.sync(LATER)
    assert clinic.look(LATER).looked == 1
    assert clinic.look(LATER + DAY).looked == 0
