"""What tests are made of, showing only what matters: cases from days, and whole practices from rows and entries written as files."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import delete, select
from sqlmodel import SQLModel

from integrations import referring
from integrations.practice import Practice, open_practice
from integrations.reading import read_source
from integrations.store import arming, cases, changes
from integrations.store.day_one import FIRST_LOOK
from integrations.store.decisions import Decided, decide
from integrations.store.facts import TELLS
from integrations.store.intake import Taken, take_in
from integrations.store.migrate import whole_metadata
from integrations.store.referrals import Said
from integrations.store.sources import ensure, was_read
from integrations.store.tables import table
from models.answers import REASONS, Reply, answer
from models.appointments import Mark
from models.case import Case
from models.clock import Spans
from models.digest import Digest, Held, History, digest_of
from models.ending_acts import Act, What
from models.ending_steps import WISHED_BY, Reason
from models.entries import (
    Achievement,
    AppointmentEntry,
    Attendance,
    ClientEntry,
    ClientStatus,
    Entry,
    GoalEntry,
    GoalStatus,
    Plan,
    Reading,
    Reject,
)
from models.findings import Finding
from models.instants import DAY, HOUR, Instant, at_wall, instant_of, wall_of
from models.looking import DIGEST_COLUMNS, DigestRow, Shared
from models.notices import Notice
from models.people import OPEN_ENDED, Client
from models.policy import DEFAULT, Policy
from models.policy_layers import PolicyBook
from models.quarantine import Fact
from models.referral_acts import ReferralAct
from models.referral_acts import What as ReferralWhat
from models.referrals import referral_of, referred
from models.rules import all_rules
from models.terminations import endings_of, packed_ending
from models.told import NOT_KNOWN, Answered, Cancelled, Ending, Referred, Score, answer_of, goal_of, kept, score_of

ZONE = "Europe/Berlin"
SAFETY = {name for rule in all_rules() for name, kind in rule.kinds.items() if kind.speaks == "safety"}
NOW = instant_of(datetime(2026, 11, 23, 9, 30, tzinfo=UTC))  # a Monday, half past ten in Berlin


def days_ago(days: float, now: Instant = NOW) -> Instant:
    """So many times 24 hours before now."""
    return now - round(days * DAY)


def in_days(days: float, now: Instant = NOW) -> Instant:
    """So many times 24 hours after now."""
    return now + round(days * DAY)


def at(text: str, zone: str = ZONE) -> Instant:
    """The instant of a wall time: `2026-11-23 10:30`."""
    return at_wall(text, zone)


def each(days: float, count: int, last: Instant) -> tuple[Instant, ...]:
    """`count` instants `days` apart, the last one at `last`."""
    return tuple(last - round(i * days * DAY) for i in range(count - 1, -1, -1))


def a_policy(**changed: Any) -> Policy:
    """The default policy with some fields changed."""
    return replace(DEFAULT, **changed)


# ---------------------------------------------------------------- cases without a database


def a_goal(**said: Any) -> GoalEntry:
    """A goal as a record system tells it: `set_on`, `target_on`, `reviewed_on`, `achievement` and the like, days as days."""
    words = {"status": GoalStatus, "achievement": Achievement}
    return GoalEntry("", "", **{name: words[name](value) if name in words else value for name, value in said.items()})


def _facts(goal: GoalEntry) -> dict[str, Any]:
    """As an observation holds it: days as text."""
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in asdict(goal).items()}


def a_score(
    measure: str, value: float | None, taken: Instant, *, risk: int | None = None, told_at: Instant | None = None
) -> Score:
    """A score; first told here when it was taken, unless said otherwise."""
    return score_of(
        {"measure": measure, "at": taken, "value": value, "risk": risk}, taken if told_at is None else told_at
    )


def called_off(start: Instant, hours: float) -> Cancelled:
    """An appointment that the client called off so many hours before it."""
    return Cancelled(start, start - round(hours * HOUR))


def an_answer(kind: str, reply: str, given: Instant, *, until: Instant | None = None, days: int = 0) -> Answered:
    """What somebody answered to a finding of a kind."""
    reason = next(iter(REASONS.get(Reply(reply), {"": ""})))
    said = answer(kind, Reply(reply), given, until=until, days=days, reason=reason, safety=kind in SAFETY)
    return answer_of(said._asdict())


def an_ending(
    reason: str,
    started: Instant,
    *,
    confirmed: Instant | None = None,
    waiting: bool = False,
    done: Mapping[str, Instant] | None = None,
    could_not: Mapping[str, Instant] | None = None,
    attempts: Iterable[tuple[str, Instant]] = (),
    noted: Iterable[tuple[str, Instant]] = (),
    careful: bool = False,
    until: Instant = NOT_KNOWN,
    proposed: Instant | None = None,
    ended: tuple[str, Instant] | None = None,
) -> Ending:
    """An ending as people have said it: begun, confirmed (at once unless it is `waiting` or a time is given), steps settled, with
    attempts of the therapist and those that somebody else `noted`."""
    first = started if confirmed is None else confirmed
    begun = {
        "wished_by": WISHED_BY[Reason(reason)][0].value,
        "personal": "no",
        "confirmer": "T9" if waiting or confirmed is not None else "",
        "process": 2 if careful else 1,
        "careful": careful,
        "until": until,
    }
    acts = [Act(f"E{started}", What.started, started, "therapist:T1", reason=reason, **begun)]

    def more(what: str, when: Instant, **said: Any) -> None:
        acts.append(Act(f"E{started}", What(what), when, "therapist:T9", **said))

    if confirmed is not None:
        more("confirmed", first, personal="no")
    for means, when in attempts:
        more("attempt", when, means=means, on=when)
    acts += [Act(f"E{started}", What.attempt, when, "front-office:F1", means=means, on=when) for means, when in noted]
    for step, when in (could_not or {}).items():
        more("could-not", when, step=step, reason="declined")
    for step, when in (done or {}).items():
        more("done", when, step=step, appointments=12)
    if proposed is not None:
        more("proposed", proposed, parts=(("U1", proposed + 7 * DAY, "explain"),))
    if ended is not None:
        more(*ended)
    (one,) = endings_of(sorted(acts, key=lambda act: act.at))
    return packed_ending(one)


def a_referral(*said: tuple[str, Instant] | tuple[str, Instant, dict[str, Any]], number: str = "R1") -> Referred:
    """A referral that was offered with follow-up agreed, and what was said of it since: what, when, and what goes with it."""
    acts = []
    for what, when, *more in said:
        who = "client" if what == "consented" else ""
        with_it = {"provider": "P1", "providers": ("P1", "P2", "P3"), "follow_up": True, "reason": who}
        act = ReferralAct(number, ReferralWhat(what), when, **with_it)
        acts.append(act._replace(**more[0] if more else {}))
    return referred(referral_of(acts))


def a_history(
    *,
    last_attended: Instant | None = None,
    attended: Iterable[Instant] = (),
    presumed: Iterable[Instant] = (),
    unmarked: Iterable[Instant] = (),
    missed: Iterable[Instant] = (),
    booked: Iterable[Instant] = (),
    tail: Iterable[Instant] = (),
    status: str = "active",
    asked_on: date | None = None,
    paused_until: date | None = None,
    paused: bool = False,
    died: bool = False,
    breaks: Sequence[tuple[date, date]] = (),
    goals: Iterable[GoalEntry] = (),
    scores: Iterable[Score] = (),
    cancelled: Iterable[Cancelled] = (),
    answers: Iterable[Answered] = (),
    endings: Iterable[Ending] = (),
    referrals: Iterable[Referred] = (),
    known_at: Instant = NOW,
    zone: str = ZONE,
) -> History:
    """One client's history. `unmarked` and `booked` are bookings that nobody marked, `tail` what an endless series adds by itself."""
    numbered = [goal_of(f"G{number}", _facts(goal), zone) for number, goal in enumerate(goals)]
    told = kept(numbered, scores, cancelled, answers, endings=endings, referrals=referrals)
    held = [Held(start, Mark.attended, True) for start in attended]
    held += [Held(last_attended, Mark.attended, True)] if last_attended is not None else []
    held += [Held(start, Mark.presumed, True) for start in presumed]
    held += [Held(start, Mark.unknown, True) for start in (*unmarked, *booked)]
    held += [Held(start, Mark.no_show, True) for start in missed]
    held += [Held(start, Mark.unknown, False) for start in tail]
    until = OPEN_ENDED if paused else paused_until
    return History(1, "T1", "", ClientStatus(status), asked_on, died, until, tuple(held), tuple(breaks), known_at, told)


def a_row(history: History, zone: str = ZONE) -> DigestRow:
    """The digest of a history as a look reads it."""
    digest = digest_of(history, zone)
    return tuple(getattr(digest, name) for name in DIGEST_COLUMNS)


def sharing(
    now: Instant = NOW,
    *,
    pauses: Spans = (),
    blind: tuple[str, ...] = (),
    doubtful: bool = False,
    heard: Iterable[str] = (),
    unread: bool = False,
    **policy: Any,
) -> Shared:
    """What looks at `now` share: spans that do not count, sources that are stale, which of `goal` and `score` are told of, a policy."""
    one = frozenset({1})
    return Shared(
        now,
        PolicyBook(policy),
        all_rules(),
        {"": pauses},
        {"": blind},
        one if doubtful else frozenset(),
        words=frozenset(heard),
        unread=dict.fromkeys(one, frozenset({"goal", "score"})) if unread else {},
    )


def a_case(
    now: Instant = NOW,
    *,
    zone: str = ZONE,
    pauses: Spans = (),
    blind: tuple[str, ...] = (),
    heard: Iterable[str] = (),
    **history: Any,
) -> Case:
    """One client's care at `now`; what it was is said as for `a_history`."""
    row = a_row(a_history(**{"known_at": now, "zone": zone, **history}), zone)
    return sharing(now, pauses=pauses, blind=blind, heard=heard).case(row)


# ---------------------------------------------------------------- whole practices


EXPORTS = (
    "clients",
    "therapists",
    "appointments",
    "breaks",
    "leave",
    "goals",
    "scores",
    "holds",
    "providers",
    "referral_news",
)


@dataclass
class Clinic:
    """A practice's folder: what its exports and calendars say, and the practice opened over it.

    `clients`, `therapists`, `appointments`, `breaks`, `leave`, `goals`, `scores`, `holds`, `providers` and `referral_news` are rows of the
    exports; `calendars` are entries by file name, each (uid, start, title, more lines). `sync` writes the files and reads them as any
    practice would.
    """

    folder: Path
    practice: Practice
    zone: str = ZONE
    clients: list[dict[str, Any]] = field(default_factory=list)
    therapists: list[dict[str, Any]] = field(default_factory=list)
    appointments: list[dict[str, Any]] = field(default_factory=list)
    breaks: list[dict[str, Any]] = field(default_factory=list)
    leave: list[dict[str, Any]] = field(default_factory=list)
    goals: list[dict[str, Any]] = field(default_factory=list)
    scores: list[dict[str, Any]] = field(default_factory=list)
    holds: list[dict[str, Any]] = field(default_factory=list)
    providers: list[dict[str, Any]] = field(default_factory=list)
    referral_news: list[dict[str, Any]] = field(default_factory=list)
    calendars: dict[str, list[tuple[str, str]]] = field(default_factory=dict)

    # -------------------------------------------------------- what the sources say

    def client(self, client_id: str, name: str = "", **columns: Any) -> None:
        """A row of the clients file; of T1 and active unless said otherwise."""
        row = {"id": client_id, "name": name or f"Klara Nr{client_id}", "therapist": "T1", "status": "active"}
        self.clients.append(row | columns)

    def therapist(self, therapist_id: str, **columns: Any) -> None:
        """A row of the therapists file."""
        row = {"id": therapist_id, "name": f"Dr {therapist_id}", "email": f"{therapist_id.lower()}@example.org"}
        self.therapists.append(row | columns)

    def seen(self, client_id: str, *starts: Instant, status: str = "attended", therapist: str = "T1") -> None:
        """Rows of the appointments file, one for each start."""
        for start in starts:
            self.appointments.append(
                {
                    "id": f"{client_id.replace(';', '-')}-{start}",
                    "client": client_id,
                    "therapist": therapist,
                    "start": wall_of(start, self.zone).replace("T", " "),
                    "minutes": 50,
                    "status": status,
                }
            )

    def goal(self, client_id: str, title: str, **columns: Any) -> None:
        """A row of the goals file."""
        self.goals.append({"id": f"G{len(self.goals) + 1}", "client": client_id, "goal": title} | columns)

    def score(self, client_id: str, measure: str, taken: Instant, score: Any = "", **columns: Any) -> None:
        """A row of the scores file."""
        wall = wall_of(taken, self.zone).replace("T", " ")
        self.scores.append({"client": client_id, "measure": measure, "taken": wall, "score": score} | columns)

    def provider(self, *ids: str, **columns: Any) -> None:
        """Rows of the providers file, one for each id."""
        row = {"place": "Leeds", "phone": "0113 496 0000", "capacity": "open", "verified": "2026-11-02"}
        self.providers += [{"id": one, "name": f"Praxis {one}"} | row | columns for one in ids]

    def entry(self, calendar: str, uid: str, start: Instant, title: str, more: str = "") -> None:
        """An entry of a calendar file, replacing one of that UID."""
        wall = wall_of(start, self.zone).replace("-", "").replace(":", "")
        text = (
            f"BEGIN:VEVENT\r\nUID:{uid}\r\nDTSTAMP:20260101T000000Z\r\nDTSTART;TZID={self.zone}:{wall}\r\n"
            f"DURATION:PT50M\r\nSUMMARY:{title}\r\n{more}END:VEVENT\r\n"
        )
        self.drop(calendar, uid)
        self.calendars[calendar].append((uid, text))

    def drop(self, calendar: str, *uids: str) -> None:
        """Take entries out of a calendar file."""
        self.calendars[calendar] = [entry for entry in self.calendars[calendar] if entry[0] not in uids]

    def write(self) -> None:
        """Write every file anew."""
        exports = self.folder / "exports"
        exports.mkdir(exist_ok=True)
        for name in EXPORTS:
            rows: list[dict[str, Any]] = getattr(self, name)
            if rows:
                (exports / f"{name}.csv").write_text(_csv(rows), encoding="utf-8")
            else:
                (exports / f"{name}.csv").unlink(missing_ok=True)
        for name, entries in self.calendars.items():
            text = "".join(entry for _, entry in entries)
            whole = f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Test//EN\r\n{text}END:VCALENDAR\r\n"
            (self.folder / f"{name}.ics").write_text(whole, encoding="utf-8", newline="")

    # -------------------------------------------------------- what the practice does

    def sync(self, now: Instant = NOW, *names: str) -> dict[str, Taken]:
        """Write the files and read these sources, or all of them."""
        self.write()
        chosen = [s for s in self.practice.settings.source if not names or s.name in names]
        return {source.name: read_source(self.practice, source, now) for source in chosen}

    def take(self, source: str, reading: Reading, now: Instant) -> Taken:
        """Take in a reading that a test has made itself, as read_source does with one of its own."""
        part = self.practice.settings.source_named(source)
        with self.practice.store.write() as connection:
            ensure(connection, part)
            policy = self.practice.book.of().policy
            taken = take_in(connection, self.practice.vault, part, reading, policy, now, self.practice.zone)
            was_read(self.practice, connection, part, now, "", "")
        return taken

    def look(self, now: Instant = NOW) -> Decided:
        """Look at everybody who is due, as a sweep does."""
        with self.practice.store.write() as connection:
            due = cases.due(connection, now, cases.basis(self.practice, connection))
            decided = decide(self.practice, connection, due, now)
            changes.drained(connection, [change.id for change in changes.waiting(connection)], now)
        return decided

    def arm(self) -> None:
        """Let this practice send."""
        arming.arm(self.practice.store, self.practice.data, "test", NOW)

    def refer(self, number: str, what: str, now: Instant = NOW, reference: str = "R-1", **more: Any) -> Said:
        """Say something of a referral of that client, as `tending refer` does."""
        with self.practice.store.write() as connection:
            act = ReferralAct(reference, ReferralWhat(what), now, by="test", **more)
            return referring.say(self.practice, connection, self.id_of(number), act, now)

    def offer(self, number: str, now: Instant = NOW, reference: str = "R-1", **more: Any) -> Said:
        """Offer P1, P2 and P3 to that client, with follow-up agreed."""
        options = {"providers": ("P1", "P2", "P3"), "follow_up": True} | more
        return self.refer(number, "offered", now, reference, **options)

    # -------------------------------------------------------- what stands

    def rows(self, model: type[SQLModel], **where: Any) -> list[Any]:
        """Rows of a table in order of their keys."""
        rows = table(model)
        query = select(rows).order_by(*rows.primary_key.columns)
        for name, value in where.items():
            query = query.where(rows.c[name] == value)
        with self.practice.store.read() as connection:
            return list(connection.execute(query))

    def findings(self, *, closed: bool = False) -> set[tuple[str, str]]:
        """Open findings, or with `closed` all there ever were: (the clinic's number of the client, kind)."""
        number = self.numbers()
        return {(number[f.client_id], f.kind) for f in self.rows(Finding) if closed or f.cleared_at is None}

    def notices(self, **where: Any) -> list[Any]:
        return self.rows(Notice, **where)

    def numbers(self) -> dict[int, str]:
        """The clinic's own number of each client, by id."""
        return {row.id: self.practice.vault.open(row.sealed)["id"] for row in self.rows(Client)}

    def id_of(self, number: str) -> int:
        """The id of the client with the clinic's number."""
        return next(client for client, mine in self.numbers().items() if mine == number)

    def digest(self, number: str) -> Any:
        return self.rows(Digest, client_id=self.id_of(number))[0]

    def why(
        self, number: str, now: Instant = NOW, *, known_at: Instant | None = None
    ) -> dict[str, tuple[bool | None, str]]:
        """What every rule says of a client at an instant, as known then: kind -> (fired, reason)."""
        with self.practice.store.read() as connection:
            client = self.id_of(number)
            known = now if known_at is None else known_at
            together = cases.shared(self.practice, connection, now, known)
            row = cases.digest_known(self.practice, connection, client, known)
        return {verdict.kind: (verdict.fired, verdict.reason) for verdict in together.look(row).verdicts}

    def empty(self) -> None:
        """Forget everything in the database, as if it had just been made."""
        with self.practice.store.write() as connection:
            for rows in reversed(whole_metadata().sorted_tables):
                if rows.name not in ("fact", "audit", "alembic_version"):
                    connection.execute(delete(rows))
            facts = table(Fact)
            for words in (FIRST_LOOK, TELLS):
                connection.execute(delete(facts).where(facts.c.name.startswith(words)))


def _csv(rows: list[dict[str, Any]]) -> str:
    names = list(dict.fromkeys(name for row in rows for name in row))
    out = io.StringIO()
    writer = csv.DictWriter(out, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def a_practice(
    folder: Path,
    url: str = "",
    *,
    zone: str = ZONE,
    holidays: str = "",
    policy: str = "",
    records: str = "",
    calendars: Sequence[str] = ("t1",),
    calendar: str = "",
    more: str = "",
    port: int = 9,
) -> Clinic:
    """A practice with one set of exports (`records`) and a calendar for each therapist named; T1 is there, no client is.

    `policy`, `records` and `calendar` are lines for those tables of practice.toml, `more` goes to its end.
    """
    folder.mkdir(parents=True, exist_ok=True)
    sources = f'[[source]]\nname = "records"\nkind = "records"\npath = "exports"\n{records}\n'
    for name in calendars:
        sources += (
            f'[[source]]\nname = "cal-{name}"\nkind = "calendar"\npath = "{name}.ics"\n'
            f'therapist = "{name.upper()}"\n{calendar}\n'
        )
    (folder / "practice.toml").write_text(
        f'[practice]\nname = "Northside"\nzone = "{zone}"\nholidays = "{holidays}"\n'
        f'[store]\nurl = "{url.replace("+psycopg", "")}"\n[mail]\nport = {port}\nhost = "127.0.0.1"\n'
        f'sender = "tending@example.org"\n[admin]\nemail = "admin@example.org"\n[policy]\n{policy}\n{sources}{more}',
        encoding="utf-8",
    )
    clinic = Clinic(folder, open_practice(folder / "practice.toml", create=True), zone)
    clinic.calendars = {name: [] for name in calendars}
    for name in ("t1", *calendars):
        if name.upper() not in {row["id"] for row in clinic.therapists}:
            clinic.therapist(name.upper())
    return clinic


# ---------------------------------------------------------------- readings without files


def an_appointment(
    entry_id: str,
    start: Instant,
    *clients: str,
    title: str = "",
    therapist: str | None = "T1",
    plan: Plan = Plan.booked,
    attendance: Attendance = Attendance.unknown,
    group: str = "",
    zone: str = ZONE,
    **more: Any,
) -> AppointmentEntry:
    """One entry of 50 minutes."""
    return AppointmentEntry(
        entry_id,
        wall_of(start, zone),
        zone,
        start,
        start + 3000,
        plan,
        attendance,
        client_ids=clients,
        therapist_id=therapist,
        title=title,
        group=group or entry_id,
        **more,
    )


def a_client(client_id: str, name: str = "", therapist: str | None = "T1", **more: Any) -> ClientEntry:
    """One row of a client."""
    return ClientEntry(client_id, name or f"Klara Nr{client_id}", therapist, **more)


def a_reading(
    *entries: Entry, kinds: Iterable[str] | None = None, rejects: Sequence[Reject] = (), now: Instant = NOW
) -> Reading:
    """A complete look at a source that holds these entries; by default at clients, therapists and appointments, breaks and leave."""
    read = frozenset(("appointment", "client", "therapist", "break", "leave") if kinds is None else kinds)
    return Reading(list(entries), list(rejects), read, now - 400 * DAY, now + 400 * DAY)
