"""Input that nobody here wrote goes through intake: no crash, counts that add up, nothing said twice or taken for cancelled."""

import csv
import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from integrations.calendars.fetch import fetch
from integrations.calendars.reading import read_calendars, window
from integrations.practice import Practice, open_practice
from integrations.reading import read_source
from integrations.records.forms import FORMS
from integrations.records.mapping import mapping_of
from integrations.records.reading import read_records
from integrations.store.intake import Taken
from models.entries import AppointmentEntry, Reading
from models.errors import SourceError, TendingError
from models.instants import HOUR, Instant, instant_of
from models.settings_source import SourcePart
from models.subjects import normal_form
from tests.integrations.calendars.test_corpus import QUARANTINED

TITLES = "(?s)(.+)"  # the whole title is the name, so that the entries of the corpus belong to clients and become appointments
NOT_TIMED = re.compile(rb"^DTSTART[^:\r\n]*:(\d{4})(\d\d)", re.MULTILINE)
TABLES = ("observation", "subject", "appointment", "participant", "change", "quarantine", "client", "digest")
QUICK_EACH, POSTGRES_EACH = 6, 12  # every so many files in the quick set


@pytest.fixture
def practice(tmp_path: Path, database_url: str) -> Iterator[Practice]:
    toml = tmp_path / "practice.toml"
    toml.write_text(f'[practice]\nname = "Corpus"\nzone = "Europe/Berlin"\n[store]\nurl = "{database_url}"\n')
    with open_practice(toml, create=True, env={}) as practice:
        yield practice


@pytest.fixture(scope="module")
def calendars(corpus: Path) -> list[Path]:
    return sorted((corpus / "calendars").rglob("*.ics"))


@pytest.fixture(scope="module")
def expected(corpus: Path) -> dict[str, list[str]]:
    """File -> its timed starts, as other programs see them."""
    files = json.loads((corpus / "calendars/expected/consensus_starts.json").read_text())["files"]
    return {name: [s for s in facts["starts"] if "T" in s] for name, facts in files.items()}


def middle_of(year: int, month: int) -> Instant:
    return instant_of(datetime(min(max(year, 1972), 2100), month, 15, 9, tzinfo=UTC))


def day_for(path: Path, starts: list[str]) -> Instant:
    """A day on which the file's first entries lie in the window that is read."""
    if starts:
        return middle_of(int(starts[0][:4]), int(starts[0][5:7]))
    found = [(int(year), int(month)) for year, month in NOT_TIMED.findall(path.read_bytes())]
    year, month = next(((y, m) for y, m in sorted(found, reverse=True) if 1 <= m <= 12), (2020, 1))
    return middle_of(year, month)


def read_alone(path: Path, now: Instant) -> Reading | None:
    """What the file holds, without any practice; None where it is refused."""
    window_from, window_to = window(now)
    try:
        return read_calendars(
            fetch(str(path)).files,
            zone="Europe/Berlin",
            therapist_id="T1",
            window_from=window_from,
            window_to=window_to,
        )
    except SourceError:
        return None


def counts(practice: Practice) -> dict[str, int]:
    with practice.store.read() as connection:
        return {name: connection.exec_driver_sql(f'SELECT count(*) FROM "{name}"').scalar_one() for name in TABLES}


def rows(practice: Practice, sql: str) -> dict[str, int]:
    """A query's pairs."""
    with practice.store.read() as connection:
        return {str(name): int(count) for name, count in connection.exec_driver_sql(sql).tuples()}


def people(practice: Practice, folder: Path, titles: list[str]) -> None:
    """One client for each title, so that what the corpus holds is somebody's."""
    (folder / "exports").mkdir()
    names = {normal_form(title): title for title in titles if normal_form(title)}
    with (folder / "exports" / "clients.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["id", "name", "therapist", "status", "intake"])
        table.writerows((f"K{n}", name, "T1", "active", "1970-01-05") for n, name in enumerate(names.values()))
    source = SourcePart(name="people", kind="records", path=str(folder / "exports"), date_order="ymd")
    read_source(practice, source, middle_of(1972, 1))


def through_intake(
    practice: Practice, folder: Path, files: list[Path], expected: dict[str, list[str]], root: Path
) -> None:
    """Every file as a source of its own: read, read again with other bytes that say the same, and cut in the middle."""
    days, alone = {}, {}
    for path in files:
        days[path] = day_for(path, expected.get(str(path.relative_to(root)), []))
        alone[path] = read_alone(path, days[path])
    titles = [e.title for r in alone.values() if r for e in r.entries if isinstance(e, AppointmentEntry) and e.title]
    people(practice, folder, titles)
    sources: dict[str, tuple[Path, SourcePart]] = {}
    refused: set[str] = set()
    for number, path in enumerate(files):
        copy = folder / f"{number:04d}.ics"
        copy.write_bytes(path.read_bytes())
        name = f"c{number:04d}"
        source = SourcePart(name=name, kind="calendar", path=str(copy), therapist="T1", name_pattern=TITLES)
        sources[name] = (path, source)
        reading = alone[path]
        if reading is None:
            refused.add(name)
            with pytest.raises(SourceError):
                read_source(practice, source, days[path])
            continue
        taken = read_source(practice, source, days[path])
        assert (taken.entries, taken.rejected) == (len(reading.entries), len(reading.rejects)), path
        assert taken.dropped == reading.dropped, path
        starts = expected.get(str(path.relative_to(root)), [])
        if starts and reading.rejects and not taken.entries:
            assert str(path.relative_to(root)) in QUARANTINED, f"{path} went wholly to quarantine"
    assert len(refused) < len(files) / 4
    check_sums(practice, sources, alone, refused)
    before, cancelled = counts(practice), rows(practice, "SELECT plan, count(*) FROM participant GROUP BY plan")
    assert before["appointment"] > 0
    for name, (path, source) in sources.items():
        if name not in refused:
            read_again(practice, source, path, days[path])
    assert counts(practice) == before
    assert rows(practice, "SELECT plan, count(*) FROM participant GROUP BY plan") == cancelled


def check_sums(
    practice: Practice,
    sources: dict[str, tuple[Path, SourcePart]],
    alone: dict[Path, Reading | None],
    refused: set[str],
) -> None:
    """What the database holds is what the files say, file by file."""
    standing = rows(
        practice,
        "SELECT source, count(*) FROM observation WHERE kind IN ('appointment', 'busy') AND current AND NOT gone GROUP BY source",
    )
    held = rows(practice, "SELECT source, count(*) FROM quarantine WHERE state = 'held' GROUP BY source")
    failed = rows(practice, "SELECT name, 1 FROM source WHERE problem <> ''")
    for name, (path, source) in sources.items():
        reading = alone[path]
        wanted = reading.entries if reading else []
        assert standing.get(name, 0) == len({e.id for e in wanted}) == len(wanted), path
        # The same input twice in one file is one row of the quarantine.
        raws = {(r.raw, Path(source.path).name) for r in reading.rejects} if reading else set()
        assert held.get(name, 0) == len(raws), path
    assert failed.keys() == refused


def read_again(practice: Practice, source: SourcePart, path: Path, day: Instant) -> None:
    """Unchanged bytes are not looked at; other bytes that say the same change nothing; a file cut off is refused whole."""
    place, data = Path(source.path), path.read_bytes()
    assert read_source(practice, source, day + HOUR).unchanged, path
    place.write_bytes(data + b"\r\n")
    taken = read_source(practice, source, day + 2 * HOUR)
    assert (taken.new, taken.changed, taken.vanished, taken.held) == (0, 0, 0, 0), path
    assert not taken.unchanged or not data.strip(), path
    assert not taken.clients, path
    several = data.count(b"END:VCALENDAR") > 1  # the half of such a file could be a whole one
    place.write_bytes(data[: data.rindex(b"END:VCALENDAR") if several else len(data) // 2])
    with pytest.raises(SourceError):
        read_source(practice, source, day + 3 * HOUR)


def test_calendars_from_the_wild_go_through_intake(
    practice: Practice, tmp_path: Path, corpus: Path, calendars: list[Path], expected: dict[str, list[str]]
) -> None:
    each = POSTGRES_EACH if practice.store.dialect == "postgresql" else QUICK_EACH
    through_intake(practice, tmp_path, calendars[::each], expected, corpus / "calendars")


@pytest.mark.long
@pytest.mark.timeout(600)
def test_all_calendars_from_the_wild_go_through_intake(
    practice: Practice, tmp_path: Path, corpus: Path, calendars: list[Path], expected: dict[str, list[str]]
) -> None:
    files = calendars if practice.store.dialect == "sqlite" else calendars[::3]
    through_intake(practice, tmp_path, files, expected, corpus / "calendars")


CITY = {"id": "AppointmentID", "date": "AppointmentDay", "status": "No-show"}
NO_SHOW = {"Yes": "no_show", "No": "attended"}
READ_AT = instant_of(datetime(2016, 5, 15, 9, tzinfo=UTC))


def standing_rows(practice: Practice, name: str) -> Counter[str]:
    with practice.store.read() as connection:
        found = connection.exec_driver_sql(
            f"SELECT kind, count(*) FROM observation WHERE source = '{name}' AND current AND NOT gone GROUP BY kind"
        )
        return Counter({str(kind): int(count) for kind, count in found.tuples()})


def take(practice: Practice, source: SourcePart, now: Instant) -> Taken:
    """Read a source, and check its counts against the reading alone."""
    taken = read_source(practice, source, now)
    alone = read_records(Path(source.path), mapping_of(source), name=source.name, zone="Europe/Berlin", read_at=now)
    assert (taken.entries, taken.rejected) == (len(alone.entries), len(alone.rejects))
    assert standing_rows(practice, source.name).total() == len({(type(e), e.id) for e in alone.entries})
    held = rows(practice, "SELECT source, count(*) FROM quarantine WHERE state = 'held' GROUP BY source")
    assert held.get(source.name, 0) == len({r.raw for r in alone.rejects})
    assert sum(c.rows for c in alone.counts.values()) == sum(
        c.entries + c.rejects + c.repeated + c.blank for c in alone.counts.values()
    )
    return taken


def test_rows_of_a_city_go_through_intake(practice: Practice, tmp_path: Path, corpus: Path) -> None:
    """Rows whose patient id a spreadsheet rounded lie in quarantine; keyed by the appointment all are read, and cutting the file
    in its middle cancels nothing, since only what lies ahead can be missed, and much of it at once is asked about."""
    (path,) = (corpus / "records" / "noshow-csv").glob("*.csv")
    copy = tmp_path / "appointments.csv"
    copy.write_bytes(path.read_bytes())
    common = {"kind": "records", "path": str(copy), "statuses": NO_SHOW, "time_of_day": "12:00"}
    mangled = SourcePart(name="mangled", columns={"appointments": {**CITY, "client": "PatientId"}}, **common)
    whole = SourcePart(name="whole", columns={"appointments": {**CITY, "client": "AppointmentID"}}, **common)
    people = sorted({line["AppointmentID"] for line in csv.DictReader(path.read_text(encoding="utf-8").splitlines())})
    (tmp_path / "clients.csv").write_text("id,name\n" + "".join(f"{i},Somebody\n" for i in people))
    known = SourcePart(name="known", kind="records", path=str(tmp_path / "clients.csv"))
    assert take(practice, known, READ_AT).entries == len(people)
    assert take(practice, mangled, READ_AT).rejected > 0
    taken = take(practice, whole, READ_AT)
    assert (taken.rejected, taken.entries) == (0, len(people))
    before = counts(practice)
    assert before["appointment"] >= len(people)
    for source in (known, mangled, whole):
        assert read_source(practice, source, READ_AT + HOUR).unchanged
    plans = rows(practice, "SELECT plan, count(*) FROM participant GROUP BY plan")
    copy.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    for source in (mangled, whole):
        taken = read_source(practice, source, READ_AT + 2 * HOUR)
        assert (taken.new, taken.vanished) == (0, 0)
        assert taken.changed <= 1  # the row that was cut
    assert rows(practice, "SELECT plan, count(*) FROM participant GROUP BY plan") == plans


def test_every_table_as_every_form_goes_through_intake(practice: Practice, corpus: Path) -> None:
    """Most of it is refused; nothing crashes, and what is taken is what is counted."""
    taken_of, refused = 0, 0
    records = corpus / "records"
    for number, path in enumerate(sorted([*records.rglob("*.csv"), *records.rglob("*.tsv")])):
        for form in FORMS:
            name = f"{form.replace('_', '-')}-{number}"
            source = SourcePart(name=name, kind="records", path=str(path), files={form: path.name}, date_order="mdy")
            try:
                take(practice, source, READ_AT)
                taken_of += 1
            except TendingError:
                refused += 1
                assert not standing_rows(practice, name)
    assert taken_of + refused >= 5 * len(FORMS)
