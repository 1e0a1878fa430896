"""What `tending check` looks at: everything a practice needs to be healthy and safe, each in one line with its remedy. Reads only."""

import os
import re
import shutil
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple

from integrations.practice import Practice, open_practice
from integrations.public_holidays import public_holidays
from integrations.settings import read_settings
from integrations.store import arming, audit, cases, lookups, quarantine
from integrations.store.facts import ids_of_codes
from integrations.store.overview import last_runs
from integrations.store.sources import all_rows, left_over
from integrations.vault import ENVIRONMENT, Vault
from models.errors import TendingError
from models.instants import DAY, Instant
from models.notices import MessageState
from models.observations import KIND_OF, ClientEntry, Reading, TherapistEntry
from models.settings import Settings, SourcePart
from models.voice import Voice
from models.words import counted
from tending.output import moment, since

LEAST_FREE = 500 * 2**20  # bytes on the disk of the data folder
LOW_FREE = 2 * 2**30
OLD_FILES = 7 * DAY
NIGHTS = 2 * DAY  # a nightly comparison older than this did not happen
CODES_SHOWN = 5
LOCK = Path(__file__).resolve().parent.parent / "requirements.lock"


class Level(StrEnum):
    """`mend`: something needs doing. `note`: worth knowing."""

    good = "ok"
    note = "note"
    mend = "MEND"


@dataclass(frozen=True, slots=True)
class Line:
    """One line: how it stands, what was looked at, and a sentence with the remedy."""

    level: Level
    what: str
    sentence: str


class _Place(NamedTuple):
    practice: Practice
    voice: Voice
    offline: bool


def checks(path: Path, now: Instant, *, offline: bool = False) -> list[Line]:
    """All lines, in the order in which one would mend them. Raises SettingsError where practice.toml itself cannot be read."""
    settings = read_settings(path)
    lines = [*_settings(path, settings), *_keys(settings), *_machine(Path(settings.practice.data))]
    try:
        practice = open_practice(path)
    except TendingError as error:
        return [*lines, Line(Level.mend, "database", str(error))]
    with practice:
        place = _Place(practice, Voice(practice.zone, practice.settings.practice.locale, now), offline)
        lines.append(Line(Level.good, "database", f"{practice.store.place} opens and is of this version."))
        looks: Iterable[Callable[[_Place], Iterator[Line]]] = (
            _policy,
            _sources,
            _people,
            _waiting,
            _arming,
            _messages,
            _running,
            _audit,
        )
        for look in looks:
            lines += look(place)
    return lines


def _settings(path: Path, settings: Settings) -> Iterator[Line]:
    count = counted(len(settings.source), "source")
    yield Line(
        Level.good, "settings", f"{path} is understood: {settings.practice.name}, {settings.practice.zone}, {count}."
    )
    if re.search(r"://[^/@\s]*:[^/@\s]+@", path.read_text(encoding="utf-8-sig")) and path.stat().st_mode & 0o077:
        yield Line(
            Level.mend, "settings", f"{path} holds a password and others may read it; close it with: chmod 600 {path}"
        )
    if not settings.source:
        yield Line(Level.mend, "settings", "There is no [[source]], so nothing is read; see docs/settings.md.")
    if settings.practice.holidays:
        try:
            public_holidays(settings.practice.holidays, 2026, 2026)
        except TendingError as error:
            yield Line(Level.mend, "settings", str(error))
    if settings.mail is None and not settings.channel:
        yield Line(Level.mend, "settings", "Neither [mail] nor a [[channel]] is set, so nobody can be told anything.")
    if settings.admin is None:
        yield Line(Level.mend, "settings", "[admin] is not set, so nobody hears when something fails.")
    zones = {settings.practice.zone, *(s.zone for s in settings.source)}
    if zones & {"UTC", "Etc/UTC"}:
        yield Line(Level.note, "settings", "The zone is UTC, which no practice lives in; set [practice] zone.")


def _keys(settings: Settings) -> Iterator[Line]:
    try:
        Vault.load(Path(settings.store.key_file), os.environ)
    except TendingError as error:
        yield Line(Level.mend, "keys", str(error))
        return
    where = f"the environment's {ENVIRONMENT}" if os.environ.get(ENVIRONMENT, "").strip() else settings.store.key_file
    yield Line(Level.good, "keys", f"The keys are read from {where}; keep a copy apart from the backups.")


def _machine(data: Path) -> Iterator[Line]:
    if data.is_dir():
        free = shutil.disk_usage(data).free
        said = f"{free / 2**30:.1f} GiB are free where the data lie"
        if free < LEAST_FREE:
            yield Line(Level.mend, "disk", f"Only {said}; make room before the disk is full.")
        else:
            yield Line(Level.note if free < LOW_FREE else Level.good, "disk", f"{said}.")
        if stat.S_IMODE(data.stat().st_mode) & 0o077:
            yield Line(Level.mend, "disk", f"Others may look into {data}; close it with: chmod 700 {data}")
    yield Line(Level.good, "time zones", f"Zone data are those of tzdata {version('tzdata')}.")
    wanted, there = _locked("prefect"), _installed("prefect")
    if wanted and there != wanted:
        yield Line(
            Level.mend,
            "packages",
            f"Prefect {there or 'is missing'} is not the {wanted} of requirements.lock; run: make venv",
        )
    else:
        yield Line(Level.good, "packages", f"Prefect {there}{' as locked' if wanted else ''}.")


def _locked(name: str) -> str:
    try:
        found = re.search(rf"^{name}==([^\s;\\]+)", LOCK.read_text(encoding="utf-8"), re.MULTILINE)
    except OSError:
        return ""
    return found.group(1) if found else ""


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _policy(place: _Place) -> Iterator[Line]:
    practice = place.practice
    named = practice.settings.policy
    with practice.store.read() as connection:
        codes, known = tuple(named.get("client", {})), lookups.therapists(connection)
        unknown = sorted(set(codes) - ids_of_codes(connection, codes).keys())
    for code in unknown:
        yield Line(Level.mend, "policy", f"[policy.client.{code}]: no client has this code; correct it or take it out.")
    for therapist in sorted(set(named.get("therapist", {})) - set(known)) if known else ():
        yield Line(
            Level.mend,
            "policy",
            f"[policy.therapist.{therapist}]: no therapist has this id; correct it or take it out.",
        )


def _sources(place: _Place) -> Iterator[Line]:
    practice, voice = place.practice, place.voice
    with practice.store.read() as connection:
        rows = all_rows(connection)
        late = cases.stale_sources(practice, connection, voice.now)
        aside = quarantine.counts(connection)
        known = lookups.therapists(connection)
        left = left_over(practice, connection)
    for row in left:
        yield Line(
            Level.mend,
            f"source {row.name}",
            "practice.toml names it no more, and what it said of the future still counts;"
            f" put it back, or let it go: tending forget {row.name}",
        )
    for source in practice.settings.source:
        what, row = f"source {source.name}", rows.get(source.name)
        if source.therapist and known and source.therapist not in known:
            yield Line(Level.mend, what, f"therapist {source.therapist} is in no therapists file; correct the id.")
        if source.kind == "calendar" and not source.therapist:
            yield Line(
                Level.note, what, "No therapist is named, so entries are matched by code or id only, not by name."
            )
        if row is None or row.read_at is None:
            yield Line(Level.mend, what, f"It was never read; run: tending sync {source.name}")
        elif source.name in late and late[source.name] != row.read_at:
            yield Line(
                Level.mend,
                what,
                f"No file of it was written since {moment(voice, row.renewed_at)}, longer than renewed_within_hours allows;"
                " see that its export runs.",
            )
        elif source.name in late:
            yield Line(
                Level.mend,
                what,
                f"Last read {since(voice, row.read_at)}, too old to rely on; run: tending sync {source.name}, and `tending up`.",
            )
        elif place.offline and (source.url or source.url_env):
            yield Line(Level.good, what, f"Read {since(voice, row.read_at)}.")
        if row is not None and row.told:
            yield Line(Level.mend, what, f"The last try failed: {row.told}")
        if row is not None and row.held.get("entries"):
            yield Line(
                Level.mend,
                what,
                f"{counted(row.held['count'], 'appointment')} vanished at once; say what they are: tending held {source.name}",
            )
        if n := aside.get(source.name, 0):
            yield Line(
                Level.mend, what, f"{counted(n, 'row lies', 'rows lie')} in quarantine; see: tending quarantine list"
            )
        if row is not None and row.renewed_at is not None and voice.now - row.renewed_at > OLD_FILES:
            yield Line(
                Level.note,
                what,
                f"Its newest file was written {since(voice, row.renewed_at)}; if it is exported by itself, set renewed_within_hours.",
            )
        if not (place.offline and (source.url or source.url_env)):
            yield from _reachable(place, source, what, row.read_at if row is not None else None)


def _reachable(place: _Place, source: SourcePart, what: str, read_at: Instant | None) -> Iterator[Line]:
    """Read it once without taking anything in: does it answer, and whom does it no longer name."""
    # Only here: the libraries behind it take longer to import than other commands take to run.
    from integrations.reading import read_only

    try:
        reading = read_only(place.practice, source, place.voice.now)
    except TendingError as error:
        yield Line(Level.mend, what, str(error))
        return
    last = "never taken in yet" if read_at is None else f"last taken in {since(place.voice, read_at)}"
    yield Line(Level.good, what, f"It can be read: {counted(len(reading.entries), 'entry', 'entries')}; {last}.")
    if reading.rejects:
        yield Line(Level.note, what, f"{counted(len(reading.rejects), 'row')} of it would go to quarantine.")
    yield from _no_longer_named(place, source, what, reading)


def _no_longer_named(place: _Place, source: SourcePart, what: str, reading: Reading) -> Iterator[Line]:
    practice = place.practice
    if KIND_OF[ClientEntry] in reading.kinds:
        refs = {practice.vault.hash("ref", e.id.strip()) for e in reading.entries if isinstance(e, ClientEntry)}
        with practice.store.read() as connection:
            codes = lookups.codes_in_care(connection, lookups.missing_from(connection, source.name, "client", refs))
        if codes:
            yield Line(
                Level.note,
                what,
                f"{counted(len(codes), 'client')} in care no longer in the export: {_some(codes)}; mark there when care has ended.",
            )
    if KIND_OF[TherapistEntry] in reading.kinds:
        named = {e.id for e in reading.entries if isinstance(e, TherapistEntry)}
        with practice.store.read() as connection:
            gone = lookups.missing_from(connection, source.name, "therapist", named)
        if gone:
            yield Line(Level.note, what, f"Therapists no longer in the export: {_some(gone)}.")


def _some(names: list[str]) -> str:
    more = len(names) - CODES_SHOWN
    return ", ".join(names[:CODES_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _people(place: _Place) -> Iterator[Line]:
    practice = place.practice
    with practice.store.read() as connection:
        nobody = lookups.without_therapist(connection)
        loads, known = lookups.caseloads(connection), lookups.therapists(connection)
        count = lookups.unmatched_count(connection)
    if nobody:
        yield Line(
            Level.note,
            "people",
            f"{counted(len(nobody), 'client')} without a therapist: {_some(nobody)}; what asks for them goes to the administrator.",
        )
    unknown = sorted(set(loads) - set(known))
    if unknown:
        yield Line(
            Level.mend, "people", f"Therapists of clients who are in no therapists file: {_some(unknown)}; add them."
        )
    reached = {c.therapist for c in practice.settings.channel}
    mute = [
        one
        for one, row in known.items()
        if loads.get(one) and one not in reached and not (row.sealed and practice.vault.open(row.sealed).get("email"))
    ]
    if mute:
        yield Line(
            Level.mend,
            "people",
            f"No mail address and no channel: {_some(mute)}; add it to the therapists file, else the administrator gets their messages.",
        )
    if known and not (nobody or unknown or mute):
        yield Line(Level.good, "people", "Every client in care has a therapist, and each of them can be reached.")
    if count:
        yield Line(
            Level.note,
            "people",
            f"{counted(count, 'calendar entry belongs', 'calendar entries belong')} to nobody: tending unmatched",
        )


def _waiting(place: _Place) -> Iterator[Line]:
    with place.practice.store.read() as connection:
        day_one = lookups.day_one_left(connection)
    if day_one:
        yield Line(
            Level.note,
            "findings",
            f"{counted(day_one, 'finding')} from the first day still to sort: tending findings --day-one",
        )


def _arming(place: _Place) -> Iterator[Line]:
    state = arming.state(place.practice.store, place.practice.data)
    if state is arming.Arming.armed:
        yield Line(Level.good, "sending", "Armed: this installation sends.")
    elif state is arming.Arming.copy:
        yield Line(
            Level.mend, "sending", "Not armed: this is a copy of a practice that was armed elsewhere; see: tending arm"
        )
    else:
        yield Line(Level.mend, "sending", "Not armed: nothing is sent. When all else is well, run: tending arm")


def _messages(place: _Place) -> Iterator[Line]:
    practice = place.practice
    with practice.store.read() as connection:
        states = lookups.message_counts(connection, place.voice.now)
    for state, words in (
        (MessageState.unsure, "nobody knows whether it arrived"),
        (MessageState.failed, "it was refused for good"),
    ):
        if n := states.get(state, 0):
            yield Line(Level.mend, "messages", f"Of {counted(n, 'message')} {words}: tending outbox")
    if practice.settings.mail is None and not practice.settings.channel:
        return
    # Only here: Apprise takes longer to import than other commands take to run.
    from integrations.delivery import PostRoom, channels_of
    from integrations.messages.channels import check

    post = PostRoom(practice)
    for name in channels_of(practice):
        try:
            channel = post.channel(name)
            said = check(channel) if not place.offline else f"Channel {name}: its settings are understood."
        except TendingError as error:
            yield Line(Level.mend, "messages", str(error))
            continue
        yield Line(Level.good, "messages", said)
    mail = practice.settings.mail
    if mail is not None and mail.user and not os.environ.get(mail.password_env):
        yield Line(
            Level.mend,
            "messages",
            f"[mail] has a user, but the environment variable {mail.password_env} is not set; set it.",
        )


def _running(place: _Place) -> Iterator[Line]:
    voice = place.voice
    with place.practice.store.read() as connection:
        held, runs = lookups.leases(connection), last_runs(connection)
    if "up" in held and held["up"].until > voice.now:
        yield Line(Level.good, "running", "`tending up` runs.")
    else:
        yield Line(Level.note, "running", "`tending up` does not run: nothing is read or sent by itself.")
    night = runs.get("nightly_check")
    if night is not None:
        level = Level.good if voice.now - night["at"] < NIGHTS else Level.mend
        yield Line(level, "running", f"Last nightly comparison {moment(voice, night['at'])}: {night['said']}.")
    if os.environ.get("PREFECT_API_URL"):
        yield Line(Level.note, "running", "PREFECT_API_URL is set: `tending up` uses that server and starts none.")
    watchdog = place.practice.settings.watchdog.url_env
    if not os.environ.get(watchdog):
        yield Line(
            Level.note,
            "running",
            f"{watchdog} is not set here: nobody outside hears when this machine is off; see docs/settings.md.",
        )


def _audit(place: _Place) -> Iterator[Line]:
    state = audit.verify(place.practice.store)
    if state.broken_at is not None:
        yield Line(
            Level.mend,
            "audit",
            f"The chain does not hold from place {state.broken_at} on: somebody changed the audit; keep the database and ask for help.",
        )
    else:
        yield Line(
            Level.good,
            "audit",
            f"The chain of {counted(state.length, 'act')} is whole; {state.waiting} wait to be sealed.",
        )
