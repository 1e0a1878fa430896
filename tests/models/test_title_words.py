"""What a calendar title says of its appointment, in a table."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.entries import AppointmentEntry, Attendance, CancelledBy, Plan
from models.settings_source import SourcePart
from models.title_words import TITLE_WORDS, TitleWords
from tests.builders import NOW

OFF, MISSED, OPEN, NOTHING = "cancelled", "no show", "tentative", "nothing"


@pytest.mark.parametrize(
    ("title", "meaning"),
    [
        ("Alpha Aster", NOTHING),
        ("", NOTHING),
        ("CANCELLED Alpha Aster", OFF),
        ("Canceled: Alpha Aster", OFF),
        ("cxl Alpha Aster", OFF),
        ("Alpha Aster - CXL", OFF),
        ("Abgesagt: Alpha Aster", OFF),
        ("Alpha Aster abgesagt", OFF),
        ("ENTFÄLLT Alpha Aster", OFF),
        ("entfallt Alpha Aster", OFF),
        ("Alpha Aster fällt aus", OFF),
        ("Late cancel Alpha Aster", OFF),
        ("Alpha Aster (cancelled, ill)", OFF),
        ("[Cancelled by phone] Alpha Aster", OFF),
        ("Alpha Aster cancelled (ill)", OFF),
        ("Cancelled", OFF),
        ("Alpha Aster not cancelled", NOTHING),
        ("Alpha Aster nicht abgesagt", NOTHING),
        ("Alpha cancelled Aster", NOTHING),  # neither at an end nor in brackets
        ("Cancelledsson Alpha", NOTHING),
        ("Alpha Aster no show", MISSED),
        ("Alpha Aster NO-SHOW", MISSED),
        ("Noshow: Alpha Aster", MISSED),
        ("Alpha Aster, nicht erschienen", MISSED),
        ("Show Alpha Aster", NOTHING),
        ("Waitlist: Alpha Aster", OPEN),
        ("Alpha Aster (tentative)", OPEN),
        ("Warteliste Alpha Aster", OPEN),
        ("Cancellation list: Alpha Aster", OPEN),
        ("Cancellation: Alpha Aster", OFF),
        ("Waitlist: Alpha Aster cancelled", OFF),
        ("No show Alpha Aster, cancelled", OFF),
    ],
)
def test_what_a_title_says(title, meaning):
    assert TitleWords().meaning(title) == meaning


def test_words_of_a_source_of_its_own():
    words = TitleWords({"frei": "cancelled", "Absage": "nothing", "cancelled late": "no show"})
    assert words.meaning("Frei: Alpha Aster") == OFF
    assert words.meaning("Absage Alpha Aster") == NOTHING
    assert words.meaning("Alpha Aster cancelled late") == MISSED
    assert words.meaning("Alpha Aster cancelled") == OFF


def an_entry(title, start=NOW, **more):
    return AppointmentEntry("u", "2026-11-23T10:00:00", "UTC", start, start + 3000, title=title, **more)


@pytest.mark.parametrize(
    ("entry", "plan", "attendance", "by"),
    [
        (an_entry("cxl Alpha"), Plan.cancelled, Attendance.unknown, CancelledBy.unknown),
        (an_entry("cxl Alpha", NOW + 1), Plan.cancelled, Attendance.unknown, CancelledBy.unknown),
        (an_entry("no show Alpha"), Plan.booked, Attendance.no_show, None),
        (an_entry("no show Alpha", NOW + 1), Plan.booked, Attendance.unknown, None),  # nobody can know yet
        (an_entry("waitlist Alpha"), Plan.proposed, Attendance.unknown, None),
        (an_entry("waitlist Alpha", plan=Plan.proposed), Plan.proposed, Attendance.unknown, None),
        (
            an_entry("waitlist Alpha", plan=Plan.cancelled, cancelled_by=CancelledBy.client),
            Plan.cancelled,
            Attendance.unknown,
            CancelledBy.client,
        ),
        (
            an_entry("cxl Alpha", plan=Plan.cancelled, cancelled_by=CancelledBy.client),
            Plan.cancelled,
            Attendance.unknown,
            CancelledBy.client,
        ),
        (an_entry("Alpha"), Plan.booked, Attendance.unknown, None),
    ],
)
def test_what_becomes_of_an_appointment(entry, plan, attendance, by):
    read = TitleWords().read(entry, NOW)
    assert (read.plan, read.attendance, read.cancelled_by) == (plan, attendance, by)
    assert (read.id, read.title, read.start) == (entry.id, entry.title, entry.start)


@given(st.text(max_size=40))
def test_any_title_can_be_read(title):
    assert TitleWords().meaning(title) in {OFF, MISSED, OPEN, NOTHING}


@given(st.sampled_from(sorted(TITLE_WORDS)), st.booleans())
def test_every_word_counts_at_both_ends(word, first):
    assert TitleWords().meaning(f"{word} Alpha Aster" if first else f"Alpha Aster {word}") == TITLE_WORDS[word]


def test_a_meaning_that_is_none_is_refused():
    with pytest.raises(ValueError, match="title_words"):
        SourcePart(name="a", kind="calendar", path="a.ics", title_words={"frei": "off"})
