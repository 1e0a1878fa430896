"""The files of the demonstration, read back through the ordinary intake into a real store."""

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from integrations.ending_schedule import planned_for
from integrations.ending_wake import wake
from integrations.looks import look_after
from integrations.practice import Practice, open_practice
from integrations.store import finding_rows, invitations, lookups, nobodys, quarantine
from integrations.syncing import Synced, sync_sources
from models.ending_plan import Role
from models.ending_schedule import How
from models.findings import Opened
from models.instants import Instant, instant_of
from models.observations import Observation
from tending.demo.diary import REGION
from tending.demo.practice import synthetic
from tending.demo.said import say_until
from tending.demo.told_endings import codes
from tending.demo.world import WITHOUT_RECORDS, World
from tending.demo.writing import TRY_ID, calendar, write_files, write_settings
from tests.demo.reading import rows_of

MONDAY = datetime(2026, 11, 23, 16, 30, tzinfo=UTC)
DAYS = [
    MONDAY,
    pytest.param(datetime(2026, 12, 27, 10, 0, tzinfo=UTC), marks=pytest.mark.long),  # a Sunday after holidays
    pytest.param(datetime(2027, 3, 28, 1, 15, tzinfo=UTC), marks=pytest.mark.long),  # Easter Sunday, clocks go forward
]
SORTED = {
    "quiet": 12, "missed": 3, "not_started": 3, "no_goal": 4, "review_due": 2, "off_track": 1, "moving_on": 1, "item9": 1,
}  # fmt: skip
NEWS = {"quiet": 6, "missed": 2, "not_started": 1, "unconfirmed": 2, "review_due": 1, "rating": 1, "item9": 1}


def read(practice: Practice, world: World, folder: Path, when: Instant) -> Synced:
    write_files(world, folder, when)
    synced, faults = sync_sources(practice, practice.settings.source, when, "test")
    assert not faults
    assert not synced.failed
    return synced


@pytest.mark.parametrize("day", DAYS, ids=lambda day: f"{day:%a %d %b}")
def test_what_is_written_is_what_is_read(day: datetime, tmp_path: Path) -> None:
    world = synthetic(instant_of(day))
    write_settings(tmp_path, 2525, REGION)
    with open_practice(tmp_path / "practice.toml", create=True) as practice:
        first = read(practice, world, tmp_path, world.week_ago)
        assert first.rejected == 3
        assert first.held == 0
        # The cell that says why, and nothing of what the rows hold.
        reasons = Counter(item.reason for item in quarantine.listed(practice.store))
        assert reasons == {"bad-date": 1, "unknown-status": 1, "no-start": 1}
        looked = look_after(practice, world.week_ago, "test").decided
        assert {kind: n for kind, n in looked.kinds.items() if kind != "unconfirmed"} == SORTED
        assert looked.day_one == looked.opened
        assert looked.notices == 0

        second = read(practice, world, tmp_path, world.now)
        assert second.rejected == 3
        assert second.held == 0
        assert second.vanished >= 2
        looked = look_after(practice, world.now, "test").decided
        assert looked.kinds == NEWS
        assert looked.day_one == 0
        assert looked.cleared == 4
        assert looked.notices == 12
        assert looked.blind == 1

        again = read(practice, world, tmp_path, world.now)
        assert again.unchanged == again.read == 7
        with practice.store.read() as connection:
            people = lookups.client_counts(connection)
            assert sum(people.values()) == len(world.people)
            assert people["died"] == 1
            rows = finding_rows.findings(connection)
            assert {row.therapist_id for row in rows if row.opened == Opened.noticed} == {f"T{n}" for n in range(1, 7)}
            # What belongs to nobody are the therapists' own entries, and couples that a title names both at once.
            theirs = {entry.therapist_id: entry.count for entry in nobodys.unmatched(connection, world.now)}
            assert theirs.keys() == {f"T{n}" for n in range(1, 7)}
            count = lookups.appointment_count(connection)
        # An entry that did not match its record row would be a second appointment. Endless series go on to the window's end.
        told = [m for m in world.meetings if m.booked_at <= world.now]
        endless = [m for m in told if m.therapist == WITHOUT_RECORDS]
        assert len(told) - len(endless) < count < len(told) + 20 * 20


@pytest.mark.parametrize("day", DAYS, ids=lambda day: f"{day:%a %d %b}")
def test_what_people_say_of_endings_is_taken_in_once(day: datetime, tmp_path: Path) -> None:
    world = synthetic(instant_of(day))
    write_settings(tmp_path, 2525, REGION)
    with open_practice(tmp_path / "practice.toml", create=True) as practice:
        read(practice, world, tmp_path, world.week_ago)
        say_until(practice, world, world.week_ago, world.week_ago)
        look_after(practice, world.week_ago, "test")
        say_until(practice, world, world.now, world.week_ago)
        read(practice, world, tmp_path, world.now)
        say_until(practice, world, world.now, world.week_ago)  # as when it was broken off
        looked = look_after(practice, world.now, "test").decided
        assert looked.kinds == NEWS | {"referral_follow_up": 1}
        wake(practice, world.now, "test")
        wake(practice, world.now, "test")
        told = Counter(row.kind for row in rows_of(practice, Observation) if row.kind in ("ending", "referral"))
        assert told == {"ending": 3, "referral": 4}  # begun, confirmed, proposed
        ends, _ = codes(practice, world, world.now)
        with practice.store.read() as connection:
            who = lookups.about(connection, ends)
            assert who is not None
            found = planned_for(practice, connection, who.id, world.now)
            (invited,) = invitations.listed(connection, world.now)
        assert found is not None
        assert [(line.role, line.how) for line in found.schedule.lines] == [
            (Role.explain, How.stands),
            (Role.process, How.stands),
            (Role.close, How.proposed),
        ]
        assert found.schedule.beyond == ()
        assert (invited.code, invited.wanted.start) == (ends, found.schedule.lines[-1].start)


def test_calendars_are_as_different_as_therapists_write_them() -> None:
    world = synthetic(instant_of(MONDAY))
    written = {n: calendar(world, f"T{n}", world.now).decode() for n in range(1, 7)}
    assert "TZID=GMT Standard Time" in written[3].replace('"', "")
    assert "SUMMARY:C-" in written[3]
    assert written[2].count("RRULE") > 10
    assert "RECURRENCE-ID" in written[2]
    assert "EXDATE" in written[2]
    rules = [line for line in written[6].splitlines() if line.startswith("RRULE")]
    assert sum("UNTIL" not in rule for rule in rules) > 15
    assert written[2].count("STATUS:CONFIRMED") == 1
    assert TRY_ID in written[2]
    assert "STATUS:CANCELLED" in written[4]


def test_what_was_not_booked_yet_stands_nowhere() -> None:
    world = synthetic(instant_of(MONDAY))
    late = next(m for m in world.meetings if m.booked_at > world.week_ago and m.therapist == "T1")
    uid = f"UID:{late.id.lower()}@"
    assert uid not in calendar(world, "T1", world.week_ago).decode()
    assert uid in calendar(world, "T1", world.now).decode()
