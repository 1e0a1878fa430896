"""What a person has to be told of the practice itself: sources that are not read, entries that vanished at once, the weekly letters."""

from collections import defaultdict
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, func, select

from integrations.store import audit, former, invitations, quarantine
from integrations.store import facts as facts_of_practice
from integrations.store.cases import digests, stale_sources
from integrations.store.died import DIED
from integrations.store.recipients import Recipients
from integrations.store.scores import climb
from integrations.store.sources import all_rows, left_over
from integrations.store.supervision import write_team_letters
from integrations.store.tables import insert_new, table
from models.appointments import Mark
from models.case import unpack
from models.eligibility import Urgency
from models.entries import ClientStatus
from models.findings import Finding, Opened
from models.instants import DAY, HOUR, Instant, day_of
from models.notices import Message, MessageState, Notice, NoticeState
from models.noticing import ADMIN, NoticeKey, notice_row, therapist_recipient
from models.people import Client, Relation, RelationKind
from models.sources import THINGS, asked_about, questions
from models.timing import not_before

if TYPE_CHECKING:
    from integrations.practice import Practice

WEEK = 7
PATIENCE = HOUR  # so long a practice that is up may take to read a source that is late
BREAK = 2 * HOUR  # asked less often than this, the practice was down in between


def tell_of_sources(practice: "Practice", connection: Connection, now: Instant) -> int:
    """Notices about sources that are too old to rely on, once per outage, about entries held back, once a week, about sources that
    practice.toml names no more, once, about rows of theirs in quarantine that may ask for safety, to the next person, and about entries
    that name a former client, where that is wanted. Answers how many."""
    rows = all_rows(connection)
    late = stale_sources(practice, connection, now)
    made = 0
    for source in practice.settings.source:
        row = rows.get(source.name)
        read_at = late.get(source.name)
        unread = _unread_for(connection, source.name, source.name in late, now)
        if source.name in late and ((row is not None and row.problem) or unread >= PATIENCE):
            facts = {"source": source.name, "since": read_at}
            if row is not None and row.told:
                facts["reason"] = row.told
            elif row is not None and read_at is not None and read_at != row.read_at:
                facts["reason"] = "It can be read, but no file of it was written since then; see that its export runs."
            requires = {"stale": source.name}
            made += _tell(
                practice,
                connection,
                f"source:{source.name}",
                "source_stale",
                read_at or 0,
                source,
                facts,
                requires,
                now,
            )
        for kind, part in questions(row.held if row is not None else {}).items():
            facts = {"source": source.name, "what": THINGS[kind][1], "vanished": part["count"], "ahead": part["ahead"]}
            since = part["since"]
            requires = {"held": source.name, "kind": kind, "since": since}
            # Asked again every week: until somebody answers, nothing is said of the clients it concerns.
            week = max(0, now - since) // (WEEK * DAY)
            subject = f"source:{source.name}" if kind == "appointment" else f"source:{source.name}:{kind}"
            made += _tell(practice, connection, subject, "held_vanished", since, source, facts, requires, now, week)
    for row in left_over(practice, connection):
        key = NoticeKey(f"source:{row.name}", "source_left", row.read_at or 0, 0, ADMIN)
        facts = {"source": row.name}
        made += int(insert_new(connection, Notice, notice_row(key, Urgency.system, now, 3 * DAY, now, facts=facts)))
    made += climb(connection, Recipients(practice, connection, now), practice.book.of().policy, now)
    return made + former.ask(practice, connection, now)


def _unread_for(connection: Connection, name: str, is_late: bool, now: Instant) -> int:
    """For how many seconds on end this was asked while a source was late, failed tries or not: a reading that hangs records none.
    Asked again only after a break (the machine was off), it begins anew: first the source has to be given a chance."""
    fact = f"unread.{name}"
    noted = facts_of_practice.get(connection, fact)
    if not is_late:
        if noted is not None:
            facts_of_practice.forget(connection, fact)
        return 0
    first, last = map(int, noted.split()) if noted else (now, now)
    if not 0 <= now - last <= BREAK:
        first = now
    facts_of_practice.put(connection, fact, f"{first} {now}")
    return now - first


def _tell(
    practice: "Practice",
    connection: Connection,
    subject: str,
    purpose: str,
    generation: int,
    source: Any,
    facts: dict[str, Any],
    requires: dict[str, Any],
    now: Instant,
    step: int = 0,
) -> int:
    """The administrator hears at once; a therapist whose own calendar it is, on the next working morning."""
    key = NoticeKey(subject, purpose, generation, step, ADMIN)
    made = int(
        insert_new(
            connection, Notice, notice_row(key, Urgency.system, now, 3 * DAY, now, requires=requires, facts=facts)
        )
    )
    if source.therapist:
        policy = practice.book.of(therapist=source.therapist).policy
        hours = Recipients(practice, connection, now).hours(source.therapist, policy)
        row = notice_row(
            key._replace(recipient=therapist_recipient(source.therapist)),
            Urgency.ordinary,
            not_before(Urgency.ordinary, hours, now),
            3 * DAY,
            now,
            requires=requires,
            facts=facts,
        )
        made += int(insert_new(connection, Notice, row))
    return made


def write_weekly_letters(practice: "Practice", connection: Connection, now: Instant) -> int:
    """The administrator's weekly line, even when nothing happened, each therapist's list of appointments to mark, and each supervisor's
    week. Answers how many are new; asked twice in a week, none."""
    day = day_of(now, practice.zone)
    week = _week(day)
    recipients = Recipients(practice, connection, now)
    hours = recipients.hours("", practice.book.of().policy)
    key = NoticeKey("practice", "weekly_line", week, 0, ADMIN)
    when = not_before(Urgency.weekly, hours, now)
    facts = weekly_facts(practice, connection, now)
    made = int(insert_new(connection, Notice, notice_row(key, Urgency.weekly, when, 6 * DAY, now, facts=facts)))
    for therapist, clients in sorted(_unmarked(practice, connection, now).items()):
        hours = recipients.hours(therapist, practice.book.of(therapist=therapist).policy)
        key = NoticeKey(
            f"therapist:{therapist}" if therapist else "practice",
            "unconfirmed",
            week,
            0,
            therapist_recipient(therapist),
        )
        when = not_before(Urgency.weekly, hours, now)
        requires, listed = {"unconfirmed": clients}, {"clients": clients}
        row = notice_row(key, Urgency.weekly, when, 6 * DAY, now, requires=requires, facts=listed)
        made += int(insert_new(connection, Notice, row))
    return made + write_team_letters(practice, connection, week, now)


def _week(day: date) -> int:
    year, week, _ = day.isocalendar()
    return year * 100 + week


def _unmarked(practice: "Practice", connection: Connection, now: Instant) -> dict[str, list[int]]:
    """Clients whose record is unsure, by main therapist. What was so on day one is sorted there; who has as many unmarked
    appointments since then as the rule asks for is asked about like everybody."""
    findings, relations = table(Finding), table(Relation)
    main = (
        (relations.c.client_id == findings.c.client_id)
        & (relations.c.kind == RelationKind.main)
        & relations.c.to_on.is_(None)
    )
    rows = connection.execute(
        select(findings.c.client_id, findings.c.opened, findings.c.opened_at, relations.c.therapist_id)
        .select_from(findings.outerjoin(relations, main))
        .where(findings.c.kind == "unconfirmed", findings.c.cleared_at.is_(None))
        .order_by(findings.c.client_id)
    ).all()
    since = {row.client_id: row.opened_at for row in rows if row.opened == Opened.day_one}
    still = set(since) - _unmarked_since(practice, connection, since, now)
    found: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        if row.client_id not in still:
            found[row.therapist_id or ""].append(row.client_id)
    return found


def _unmarked_since(practice: "Practice", connection: Connection, since: dict[int, Instant], now: Instant) -> set[int]:
    """Those of these clients with as many unmarked appointments after an instant as make a record unsure."""
    found: set[int] = set()
    for client_id, therapist, site, _, _, _, _, line, _, _ in digests(connection, since):
        policy = practice.book.of(site, therapist, client_id).policy
        due = now - int(policy.mark_within_days * DAY)
        entries = unpack[len(line) >> 3](line)
        unmarked = sum(since[client_id] < e >> 3 <= due and e & 3 < Mark.attended for e in entries)
        if unmarked >= policy.unconfirmed_in_a_row:
            found.add(client_id)
    return found


def weekly_facts(practice: "Practice", connection: Connection, now: Instant) -> dict[str, Any]:
    """The counts of the weekly line, and the head of the audit: sent out, it shows later whether the audit was cut or rewritten."""
    clients, findings, messages, notices = table(Client), table(Finding), table(Message), table(Notice)
    since = now - WEEK * DAY

    def count(query: Any) -> int:
        return int(connection.execute(query).scalar_one())

    settled = messages.c.settled_at >= since
    return {
        "period_days": WEEK,
        "clients": count(
            select(func.count()).select_from(clients).where(~DIED, clients.c.status != ClientStatus.ended)
        ),
        "open_findings": count(select(func.count()).select_from(findings).where(findings.c.cleared_at.is_(None))),
        "sent": count(select(func.count()).select_from(messages).where(settled, messages.c.state == MessageState.sent)),
        "undelivered": count(
            select(func.count())
            .select_from(messages)
            .where(messages.c.state.in_([MessageState.failed.value, MessageState.unsure.value]))
        ),
        "expired": count(
            select(func.count())
            .select_from(notices)
            .where(notices.c.state == NoticeState.expired.value, notices.c.decided_at >= since)
        ),
        "held": sum(asked_about(row.held) for row in all_rows(connection).values()),
        "late_invitations": invitations.waiting_long(connection, now),
        "set_aside": sum(quarantine.counts(connection).values()),
        "unread_sources": len(stale_sources(practice, connection, now)),
        "audit_head": audit.head(connection),
    }
