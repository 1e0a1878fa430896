"""A supervisor's week: how each caseload of their team stands, in numbers and codes, without content and without a ranking."""

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, func, select

from integrations.store.recipients import Recipients
from integrations.store.tables import insert_new, table
from models.appointments import Mark
from models.case import ENDED, unpack
from models.digest import Digest
from models.eligibility import Urgency
from models.findings import Finding
from models.instants import DAY, Instant
from models.notices import Message, MessageState, Notice
from models.noticing import NoticeKey, notice_row, therapist_recipient
from models.people import Client, Therapist
from models.timing import not_before

if TYPE_CHECKING:
    from integrations.practice import Practice

WEEK = 7 * DAY
EARLY = 3  # appointments: most who miss and leave do so before the third (Xiao et al. 2017)
MOST_CODES = 12
NO_SHOW = int(Mark.no_show)


def write_team_letters(practice: "Practice", connection: Connection, week: int, now: Instant) -> int:
    """A letter to each supervisor about each therapist of theirs, once a week. `week` is the week's number. Answers how many are new."""
    therapists = table(Therapist)
    team = {
        row.id: row.supervisor_id
        for row in connection.execute(select(therapists.c.id, therapists.c.supervisor_id).order_by(therapists.c.id))
        if row.supervisor_id and row.supervisor_id != row.id
    }
    if not team:
        return 0
    recipients = Recipients(practice, connection, now)
    made = 0
    for therapist, facts in team_facts(practice, connection, set(team), now).items():
        supervisor = recipients.supervisor(therapist)
        if not supervisor:
            continue
        hours = recipients.hours(supervisor, practice.book.of(therapist=supervisor).policy)
        key = NoticeKey(f"therapist:{therapist}", "team_week", week, 0, therapist_recipient(supervisor))
        when = not_before(Urgency.weekly, hours, now)
        made += insert_new(connection, Notice, notice_row(key, Urgency.weekly, when, 6 * DAY, now, facts=facts))
    return made


def team_facts(practice: "Practice", connection: Connection, team: set[str], now: Instant) -> dict[str, dict[str, Any]]:
    """How the caseloads of these therapists stand: load, quiet clients, appointments missed early this week, and prompts that
    were sent a working day ago or more and have no answer."""
    digests, findings, clients = table(Digest), table(Finding), table(Client)
    found: dict[str, dict[str, Any]] = {
        who: {"therapist": who, "clients": 0, "quiet": 0, "early_missed": 0, "unanswered": 0, "codes": ""}
        for who in sorted(team)
    }
    codes: dict[str, set[str]] = defaultdict(set)
    mine = digests.c.therapist_id.in_(sorted(team))
    people = select(digests.c.therapist_id, digests.c.status, digests.c.died, digests.c.line, clients.c.code).join_from(
        digests, clients, clients.c.id == digests.c.client_id
    )
    for row in connection.execute(people.where(mine)):
        if row.died or row.status == ENDED:
            continue
        facts = found[row.therapist_id]
        facts["clients"] += 1
        missed = missed_early(row.line, now)
        facts["early_missed"] += missed
        if missed:
            codes[row.therapist_id].add(row.code)
    notices, messages = table(Notice), table(Message)
    sent = (
        select(func.min(messages.c.settled_at))
        .join_from(notices, messages, messages.c.id == notices.c.message_id)
        .where(
            notices.c.client_id == findings.c.client_id,
            notices.c.purpose == findings.c.rule + "." + findings.c.kind,
            notices.c.generation == findings.c.generation,
            messages.c.state == MessageState.sent.value,
        )
        .scalar_subquery()
    )
    open_ones = (
        select(digests.c.therapist_id, clients.c.code, findings.c.kind, findings.c.answered, sent.label("told"))
        .select_from(
            findings.join(digests, digests.c.client_id == findings.c.client_id).join(
                clients, clients.c.id == findings.c.client_id
            )
        )
        .where(findings.c.cleared_at.is_(None), mine)
    )
    recipients, book = Recipients(practice, connection, now), practice.book
    hours = {who: recipients.hours(who, book.of(therapist=who).policy) for who in found}
    for row in connection.execute(open_ones):
        facts = found[row.therapist_id]
        waits = row.told is not None and not row.answered and hours[row.therapist_id].working_day_after(row.told) <= now
        facts["quiet"] += row.kind == "quiet"
        facts["unanswered"] += waits
        if waits or row.kind == "quiet":
            codes[row.therapist_id].add(row.code)
    for who, mentioned in codes.items():
        shown = sorted(mentioned)[:MOST_CODES]
        more = len(mentioned) - len(shown)
        found[who]["codes"] = ", ".join(shown) + (f" and {more} more" if more else "")
    return found


def missed_early(line: bytes, now: Instant) -> int:
    """How many of a client's first appointments, marked or not, were missed this week."""
    first = unpack[len(line) >> 3](line)[:EARLY]
    return sum(entry & 3 == NO_SHOW and now - WEEK < entry >> 3 <= now for entry in first)
