"""What is known of each source: readings, failures, staleness and its gaps."""

import os
import threading

import pytest

from integrations.reading import read_source
from integrations.store import cases
from integrations.store.sources import all_rows
from models.changes import Change
from models.errors import TendingError
from models.instants import DAY, HOUR
from models.sources import SourceGap, fresh_until, too_many_vanished
from tests.builders import NOW, days_ago, each, in_days

LATER = NOW + HOUR


def row(clinic, name="cal-t1"):
    with clinic.practice.store.read() as connection:
        return all_rows(connection)[name]


def stale_now(clinic, now, known_at=None):
    with clinic.practice.store.read() as connection:
        return cases.stale_sources(clinic.practice, connection, now, known_at)


@pytest.mark.parametrize(
    ("read_at", "renewed_at", "within", "until"),
    [
        (None, None, None, None),
        (None, 5, 50, None),
        (0, None, None, 100),
        (0, -60, None, 100),
        (0, None, 50, 100),
        (0, -60, 50, -10),
        (0, 60, 50, 100),
    ],
)
def test_freshness(read_at, renewed_at, within, until):
    assert fresh_until(read_at, 100, renewed_at, within) == until


@pytest.mark.parametrize(
    ("vanished", "ahead", "asks"),
    [
        (0, 0, False),
        (1, 1, False),
        (2, 2, True),
        (5, 5, True),
        (5, 6, False),
        (6, 6, True),
        (6, 30, False),
        (7, 30, True),
        (20, 100, False),
        (21, 100, True),
    ],
)
def test_more_than_a_few(vanished, ahead, asks):
    assert too_many_vanished(vanished, ahead, 5, 0.2, emptied=vanished == ahead) == asks


def test_others_in_place_of_a_few_are_no_empty_source():
    assert not too_many_vanished(5, 5, 5, 0.2, emptied=False)


def test_a_source_that_was_never_read_is_stale_and_then_fresh_for_its_time(clinic):
    assert stale_now(clinic, NOW) == {"records": None, "cal-t1": None}
    clinic.sync()
    assert stale_now(clinic, NOW + 26 * HOUR) == {}
    assert stale_now(clinic, NOW + 26 * HOUR + 1) == {"records": NOW, "cal-t1": NOW}


def test_each_source_may_have_its_own_freshness(a_clinic):
    clinic = a_clinic(calendar="fresh_for_hours = 1")
    clinic.sync()
    assert stale_now(clinic, NOW + HOUR + 1) == {"cal-t1": NOW}


def test_a_file_that_nobody_renews_is_as_if_it_were_not_read(a_clinic):
    clinic = a_clinic(calendar="renewed_within_hours = 48")
    clinic.seen("1001", *each(7, 5, days_ago(30)))
    clinic.client("1001", "Anna Müller")
    clinic.write()
    place = clinic.folder / "t1.ics"
    source = clinic.practice.settings.source_named("cal-t1")

    def read(now, written):
        os.utime(place, (written, written))
        read_source(clinic.practice, source, now)

    clinic.sync(NOW + 47 * HOUR, "records")
    for hours in (0, 24, 47):
        read(NOW + hours * HOUR, NOW)
    assert row(clinic).renewed_at == NOW
    assert stale_now(clinic, NOW + 48 * HOUR) == {}
    clinic.look(NOW + 48 * HOUR)
    assert clinic.findings() == {("1001", "quiet")}
    read(NOW + 60 * HOUR, NOW)  # read again, and still the same old file
    assert stale_now(clinic, NOW + 60 * HOUR) == {"cal-t1": NOW}
    assert clinic.rows(SourceGap) == []
    assert clinic.why("1001", NOW + 60 * HOUR)["quiet"] == (None, "blind")
    read(NOW + 70 * HOUR, NOW + 69 * HOUR)
    assert stale_now(clinic, NOW + 70 * HOUR) == {}
    (gap,) = clinic.rows(SourceGap)
    assert (gap.from_at, gap.to_at) == (NOW + 48 * HOUR, NOW + 70 * HOUR)


def test_without_the_setting_a_files_age_means_nothing(clinic):
    clinic.write()
    os.utime(clinic.folder / "t1.ics", (NOW - 39 * DAY,) * 2)
    read_source(clinic.practice, clinic.practice.settings.source_named("cal-t1"), NOW)
    assert row(clinic).renewed_at == NOW - 39 * DAY
    assert "cal-t1" not in stale_now(clinic, NOW)


def test_a_gap_is_kept_told_of_and_ended(clinic):
    clinic.sync()
    clinic.sync(NOW + DAY)
    assert clinic.rows(SourceGap) == []
    back = NOW + 4 * DAY
    clinic.sync(back, "cal-t1")
    (gap,) = clinic.rows(SourceGap)
    assert (gap.source, gap.from_at, gap.to_at) == ("cal-t1", NOW + DAY + 26 * HOUR, back)
    assert [c.subject for c in clinic.rows(Change, kind="source.recovered")] == ["cal-t1"]
    assert stale_now(clinic, back, back) == {"records": NOW + DAY}
    inside = NOW + 3 * DAY
    assert stale_now(clinic, inside, inside) == {"records": NOW + DAY, "cal-t1": NOW + DAY}
    assert stale_now(clinic, NOW + DAY + 26 * HOUR, NOW + DAY + 26 * HOUR) == {}


def test_a_failed_reading_is_written_down_and_a_good_one_forgets_it(clinic):
    clinic.sync()
    (clinic.folder / "t1.ics").write_text("nonsense")
    source = clinic.practice.settings.source_named("cal-t1")
    with pytest.raises(TendingError) as raised:
        read_source(clinic.practice, source, LATER)
    failed = row(clinic)
    assert (failed.problem, failed.told) == (type(raised.value).__name__, str(raised.value))
    assert (failed.read_at, failed.tried_at) == (NOW, LATER)
    clinic.sync(LATER + HOUR)
    assert (row(clinic).problem, row(clinic).told, row(clinic).read_at) == ("", "", LATER + HOUR)


def test_a_failed_reading_is_no_fresh_one(clinic):
    clinic.sync()
    (clinic.folder / "t1.ics").write_text("nonsense")
    source = clinic.practice.settings.source_named("cal-t1")
    now = NOW + 27 * HOUR
    with pytest.raises(TendingError):
        read_source(clinic.practice, source, now)
    assert "cal-t1" in stale_now(clinic, now)


def test_words_that_mean_something_else_now_are_derived_anew(a_clinic):
    clinic = a_clinic()
    clinic.client("1001", "Anna Müller")
    clinic.entry("t1", "u", in_days(-4), "Anna Müller")
    clinic.sync()
    before = clinic.digest("1001").line
    other = a_clinic(calendar='past_booking = "attended"')
    other.clients, other.calendars = clinic.clients, clinic.calendars
    other.sync(LATER)
    assert row(other).past_booking == "attended"
    assert other.digest("1001").line != before


def test_of_two_readings_at_once_the_one_that_began_earlier_is_dropped(clinic):
    """It has fetched before the other, so what it holds may be older than what stands."""
    clinic.sync(NOW, "records")
    clinic.entry("t1", "u", in_days(3), "Anna Müller")
    clinic.write()
    source = clinic.practice.settings.source_named("cal-t1")
    # A pipe is read when somebody writes to it: in between, another process reads the same calendar.
    pipe = clinic.folder / "pipe.ics"
    os.mkfifo(pipe)
    slow = source.model_copy(update={"path": str(pipe)})
    result = []
    reader = threading.Thread(target=lambda: result.append(read_source(clinic.practice, slow, LATER)))
    reader.start()
    with pipe.open("wb") as end:
        read_source(clinic.practice, source, LATER + 1)
        end.write(b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nEND:VCALENDAR\r\n")
    reader.join(30)
    assert result[0].unchanged
    assert len(clinic.digest("1001").line) == 8
