"""Calendars from the wild: none crashes, nothing is lost without a count, and starts agree with other programs."""

import json
import re
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from integrations.calendars.light import scan
from integrations.calendars.reading import CODE
from integrations.calendars.text import whole_lines
from models.entries import AppointmentEntry, BusyEntry, Plan, Reading
from models.errors import SourceError
from tests.integrations.calendars.ics import entries, read, starts

ICALENDAR = "collective__icalendar/src/icalendar/tests/calendars"
# Files on whose starts at least three of four other programs agree and we do not, each with the reason.
DIFFERENT = {
    "GNOME__evolution-data-server/tests/libedata-cal/components/invite-2.ics": "a reply to an invitation is a letter",
    "GNOME__evolution-data-server/tests/libedata-cal/components/invite-4.ics": "METHOD:CANCEL cancels; the others look at STATUS only",
    f"{ICALENDAR}/issue_313_globally_unique_tzid.ics": "/vendor/…/Place is a zone; others took it for none",
    f"{ICALENDAR}/issue_466_convert_tzid_with_slash.ics": "/vendor/…/Place is a zone; others took it for none",
    "jens-maus__node-ical/test/fixtures/test_with_int_tzid.ics": "the zone named 1 is defined in the file; others took it for none",
    "mangstadt__biweekly/src/test/resources/biweekly/issues/pr63.ics": "/America/New_York is a zone; others took it for none",
}  # fmt: skip
# Files with expected starts of which nothing is taken, each with the reason. The others read such times as local ones; a time in a
# zone nobody knows may lie hours away, so a person is asked.
QUARANTINED = {
    "apache__james-project/mailet/icalendar/src/test/resources/ics/ics_with_error.ics": "zone 'Pacific Time (US & Canada),Tijuana'",
    f"{ICALENDAR}/issue_526_calendar_with_different_events.ics": "zone 'Western/Central Europe'",
    f"{ICALENDAR}/issue_526_calendar_with_event_subset.ics": "zone 'Western/Central Europe'",
    f"{ICALENDAR}/issue_526_calendar_with_events.ics": "zone 'Western/Central Europe'",
    f"{ICALENDAR}/issue_526_calendar_with_shuffeled_events.ics": "zone 'Western/Central Europe'",
    f"{ICALENDAR}/issue_722_missing_VTIMEZONE_custom.ics": "zone of its own, not defined",
    "jens-maus__node-ical/test/fixtures/germany_at_end_of_day_repeating.ics": "zone 'Europe/Germany'",
    "pimutils__khal/tests/ics/event_dt_local_missing_tz.ics": "zone 'FOO'",
    "pimutils__khal/tests/ics/event_dtr_no_tz_exdatez.ics": "a zone neither known nor defined",
    "pimutils__khal/tests/ics/event_dtr_notz_untilz.ics": "a zone neither known nor defined",
}
EVENT = re.compile(rb"^BEGIN:VEVENT[ \t]*$", re.MULTILINE | re.IGNORECASE)
NOT_TAKEN = (
    "all-day entries that take no time",
    "changes to a series after its end",
    "entries outside the window",
    "older versions of an entry",
    "replies and requests about an entry",
)


@pytest.fixture(scope="module")
def calendars(corpus: Path) -> Path:
    return corpus / "calendars"


@pytest.fixture(scope="module")
def expected(calendars: Path) -> dict[str, dict[str, list[str]]]:
    found: dict[str, dict[str, list[str]]] = json.loads((calendars / "expected/consensus_starts.json").read_text())[
        "files"
    ]
    return found


def instant(text: str) -> int:
    return int(datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp())


def test_every_file_is_read_or_refused_and_the_counts_add_up(calendars: Path) -> None:
    refused: Counter[str] = Counter()
    rejected: Counter[str] = Counter()
    taken = 0
    for path in sorted(calendars.rglob("*.ics")):
        data = path.read_bytes()
        try:
            reading = read(data, name=path.name, window_from=0, window_to=instant("20290101T000000Z"))
        except SourceError as error:
            refused[str(error).removeprefix(path.name).split(".")[0]] += 1
            continue
        taken += 1
        rejected.update(reject.reason for reject in reading.rejects)
        check_counts(path, data, reading)
    assert taken > 500
    assert refused.total() < 110
    assert "not-understood" not in rejected
    assert rejected["no-start"] < 50
    assert rejected["unknown-zone"] < 30


def check_counts(path: Path, data: bytes, reading: Reading) -> None:
    events = scan(whole_lines(data, path.name)).events
    put_aside = sum(len(EVENT.findall(reject.raw)) for reject in reading.rejects)
    not_taken = sum(reading.dropped.get(name, 0) for name in NOT_TAKEN)
    groups = {entry.group for entry in entries(reading)}
    groups |= {entry.id.partition("#")[0] for entry in reading.entries if isinstance(entry, BusyEntry)}
    left = len(events) - put_aside - not_taken
    # Each VEVENT that is neither put aside nor counted has made at least one entry, or changed a series that made some.
    assert len(groups) <= left <= len(reading.entries) + len(groups), path
    assert {event.uid for event in events} >= groups | {reject.entry_id for reject in reading.rejects}, path
    ids = [entry.id for entry in entries(reading)]
    assert len(ids) == len(set(ids)), path
    for entry in entries(reading):
        assert entry.end >= entry.start, path
        assert all(CODE.fullmatch(code) for code in entry.client_ids), path


def test_starts_agree_with_other_programs(calendars: Path, expected: dict[str, dict[str, list[str]]]) -> None:
    differing = set()
    for name, facts in expected.items():
        data = re.sub(rb"(?im)^X-WR-TIMEZONE.*\r?\n", b"", (calendars / name).read_bytes())
        window_from, window_to = map(instant, facts["window"])
        reading = read(data, name=name, zone="UTC", window_from=window_from, window_to=window_to)
        inside = [e for e in reading.entries if isinstance(e, AppointmentEntry) and e.start < window_to]
        reading = Reading(entries=list(inside), rejects=reading.rejects)
        theirs = sorted(start for start in facts["starts"] if "T" in start)  # all-day starts are no appointments
        if starts(reading, Plan.booked, Plan.proposed) != theirs:
            differing.add(name)
        if theirs and not reading.entries and reading.rejects:
            assert name in QUARANTINED, f"{name} went wholly to quarantine: {reading.rejects[0].sentence}"
    assert differing == DIFFERENT.keys() | QUARANTINED.keys()
    assert len(expected) - len(differing) >= 230


def test_simple_rules_agree_with_the_tables_of_other_programs(calendars: Path) -> None:
    from tests.integrations.calendars.test_rules import EPOCH, parse, until

    compared = 0
    for case in json.loads((calendars / "expected/rrule_cases.json").read_text()):
        if "dtstart" not in case or not isinstance(case["expected"], list) or "sabre" in case["source"]:
            continue  # sabre moves a series for good after a time that does not exist
        if re.search("FREQ=(SECOND|MINUTE|HOUR)LY|FREQ=YEARLY|BYSETPOS", case["rrule"]) or len(case["dtstart"]) < 15:
            continue
        rule = parse(case["rrule"])
        if not rule.simple:
            continue
        start, *_ = moments = [
            datetime.fromisoformat(text.rstrip("Z")) for text in (case["dtstart"], *case["expected"])
        ]
        found = until(rule, start, start, EPOCH.replace(year=2060))
        assert found[: len(moments) - 1] == moments[1:] or sorted({start, *found})[: len(moments) - 1] == moments[1:], (
            case
        )
        compared += 1
    assert compared > 10
