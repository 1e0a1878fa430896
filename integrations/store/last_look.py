"""The last look at notices in the transaction that claims them: whether each still holds, who receives it today, and when."""

from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, func, select

from integrations.store import due, ending_rows
from integrations.store.cases import digests, shared, stale_sources
from integrations.store.died import DIED
from integrations.store.ending_rows import CONFIRM
from integrations.store.former import ONLY, still_named
from integrations.store.recipients import Recipients, above, away_on, supervisors
from integrations.store.scores import risks_of_nobody, set_aside
from integrations.store.tables import chunks, table
from models.accounts import ACCOUNT, Account
from models.digest import Digest
from models.eligibility import Audience, State, Urgency, eligible
from models.entries import ClientStatus
from models.findings import Finding
from models.instants import HOUR, Instant, day_of, end_of, start_of
from models.looking import DigestRow, Shared
from models.notices import Message, MessageState, Notice
from models.noticing import ADMIN, ANSWERED, THERAPIST, therapist_recipient
from models.people import Client
from models.sources import Source
from models.timing import Hours

if TYPE_CHECKING:
    from integrations.practice import Practice

MERGED = {Urgency.ordinary, Urgency.duty, Urgency.prompt, Urgency.weekly}
CAPPED = MERGED - {Urgency.weekly}  # a weekly letter fills nobody's day
NEWS_SECONDS = 60  # before a notice is tried again whose client there is news of


def is_of_finding(notice: Any) -> bool:
    """Whether a notice tells of a client's finding: its purpose is a rule and a kind."""
    return notice.client_id is not None and "." in notice.purpose


class Addressees:
    """Who receives notices on a day, with everybody's leave and supervisor read once."""

    def __init__(self, connection: Connection, today: date) -> None:
        self._covers = away_on(connection, today)
        self._supervisors = supervisors(connection)

    def of(self, notice: Any, therapist: str) -> str:
        """Whoever has the client now (`therapist`), if it is about one and was not sent on to somebody else; the named cover of somebody on
        leave; where nobody covers, who supervises them, if it is about a client; else the administrator."""
        if ONLY in notice.requires:
            return str(notice.recipient)  # on leave or not: it is for them
        reach = notice.requires.get("reach")  # who was written to could not be reached
        recipient = str(reach or notice.recipient)
        if notice.client_id is None:
            return self._here(recipient) or ADMIN
        if not reach and recipient != ADMIN and notice.step == 0:
            recipient = therapist_recipient(therapist)
        above = self._supervisors.get(recipient.removeprefix(THERAPIST), "")
        return self._here(recipient) or self._here(therapist_recipient(above)) or ADMIN

    def _here(self, recipient: str) -> str:
        """That recipient, or whoever covers for them; empty where nobody does."""
        passed = set()
        while recipient.startswith(THERAPIST) and recipient not in passed:
            passed.add(recipient)
            cover = self._covers.get(recipient.partition(":")[2])
            if cover is None:
                return recipient
            recipient = therapist_recipient(cover) if cover else ""
        return "" if recipient in passed else recipient


class LastLook:
    """What has to hold right before a message leaves, read in the claiming transaction."""

    def __init__(self, practice: "Practice", connection: Connection, now: Instant, notices: list[Any]) -> None:
        self._practice = practice
        self._connection = connection
        self._now = now
        self._today = day_of(now, practice.zone)
        self._recipients = Recipients(practice, connection, now)
        self._addressees = Addressees(connection, self._today)
        self._taken_today: dict[str, int] = {}
        self._clients: dict[int, Any] = {}
        self._generations: dict[tuple[int, str], int] = {}  # of open findings
        self._answered: set[tuple[int, str]] = set()
        self._therapists: dict[int, str] = {}
        clients, findings = table(Client), table(Finding)
        concerned = sorted({notice.client_id for notice in notices if notice.client_id is not None})
        for part in chunks(concerned):
            people = select(clients, DIED.label("is_dead")).where(clients.c.id.in_(part))
            self._clients |= {row.id: row for row in connection.execute(people)}
            for row in connection.execute(
                select(findings.c.client_id, findings.c.kind, findings.c.generation, findings.c.answered).where(
                    findings.c.client_id.in_(part), findings.c.cleared_at.is_(None)
                )
            ):
                self._generations[row.client_id, row.kind] = row.generation
                if row.answered:
                    self._answered.add((row.client_id, row.kind))
        told = {notice.client_id for notice in notices if "finding" in notice.requires}
        self._fresh: dict[int, dict[str, bool | None]] = {}  # what a look at this instant finds, by kind
        together = shared(practice, connection, now) if told else None
        for digest in digests(connection, concerned):
            self._therapists[digest[0]] = digest[1]
            if together is not None and digest[0] in told:
                self._fresh[digest[0]] = _found(together, digest)
        self._changed = {change.client_id for change in due.waiting_of(connection, told)} if told else set()

    def problem(self, notice: Any) -> str:
        """Why a notice must not be sent any more, or nothing."""
        requires = notice.requires
        if notice.client_id is not None:
            answer = eligible(Urgency(notice.urgency), Audience(notice.audience), self._state(notice.client_id))
            if not answer.allowed:
                return answer.reason
        if "finding" in requires:
            found = self._generations.get((notice.client_id, requires["finding"]))
            if found is None:
                return "the finding has cleared"
            if found != requires["generation"]:
                return "the finding has cleared and come back as a new one"
            if (notice.client_id, requires["finding"]) in self._answered:
                return ANSWERED
            if self._fresh.get(notice.client_id, {}).get(requires["finding"]) is False and not self._unsettled(notice):
                due.look_now(self._connection, notice.client_id, self._now)  # so that the finding is cleared as well
                return "it is no longer so"
            if self._has_own(notice):
                return "whoever has the client now gets a notice of their own"
        if "unconfirmed" in requires and not still_open(self._connection, "unconfirmed", requires["unconfirmed"]):
            return "all of them have been marked"
        if CONFIRM in requires and (since := ending_rows.said_since(self._connection, requires)):
            return since
        if "stale" in requires and requires["stale"] not in stale_sources(self._practice, self._connection, self._now):
            return "the source was read again"
        if notice.recipient.startswith(ACCOUNT) and not self._may_sign_in(notice.recipient):
            return "that account is disabled"
        if "set_aside" in requires and not set_aside(self._connection, requires["set_aside"])[1]:
            return "no score lies in quarantine any more"
        if "unmatched" in requires and requires["row"] not in risks_of_nobody(self._connection, requires["unmatched"]):
            return "it is known whose it is, or it is gone"
        if "held" in requires:
            rows = table(Source)
            held = self._connection.execute(select(rows.c.held).where(rows.c.name == requires["held"])).scalar() or {}
            kind = requires.get("kind", "appointment")
            part = held if kind == "appointment" else held.get(kind, {})
            if part.get("since") != requires["since"]:
                return "a person has decided, or what was missing is back"
        if "former" in requires and not still_named(self._practice, self._connection, requires, self._now):
            return "the entry is gone or past, care goes on, or it is not asked about any more"
        if "unsure" in requires:
            rows = table(Message)
            state = self._connection.execute(select(rows.c.state).where(rows.c.id == requires["unsure"])).scalar()
            if state != MessageState.unsure:
                return "a person has said whether it arrived"
        return ""

    def _state(self, client_id: int) -> State:
        found = self._clients[client_id]
        paused = found.paused_until is not None and found.paused_until > self._today
        return State(bool(found.is_dead), bool(found.opted_out), paused, found.status == ClientStatus.ended)

    def _may_sign_in(self, recipient: str) -> bool:
        rows = table(Account)
        mine = (rows.c.id == int(recipient.removeprefix(ACCOUNT))) & rows.c.disabled_at.is_(None)
        return self._connection.execute(select(rows.c.id).where(mine)).first() is not None

    def addressee(self, notice: Any) -> str:
        """Who receives it today."""
        return self._addressees.of(notice, self._therapists.get(notice.client_id, ""))

    def above(self, addressee: str, notices: Iterable[Any]) -> str:
        """Who is told instead of somebody who cannot be reached: what tells of findings goes to whoever supervises them."""
        findings = all(is_of_finding(notice) for notice in notices)
        return above(self._connection, addressee) if findings else ADMIN

    def _has_own(self, notice: Any) -> bool:
        """Whether a client has moved to somebody who is told of the same by another notice."""
        recipient = therapist_recipient(self._therapists.get(notice.client_id, ""))
        if notice.step or notice.recipient in (recipient, ADMIN):
            return False
        rows = table(Notice)
        same = [rows.c[name] == getattr(notice, name) for name in ("subject", "purpose", "generation", "step")]
        return bool(self._connection.execute(select(rows.c.id).where(*same, rows.c.recipient == recipient)).first())

    def _unsettled(self, notice: Any) -> bool:
        """Whether news of the client is taken in whose consequences are not recorded yet."""
        return notice.client_id in self._changed

    def later(self, addressee: str, notice: Any) -> Instant | None:
        """When a notice that still holds may reach somebody, if not now. What is merged waits for their hours; what tells of a
        finding, for news being looked at and for sources being read again."""
        opens = self._hours(addressee)[0].next_open(self._now) if notice.urgency in MERGED else self._now
        if opens > self._now:
            return opens
        if "finding" in notice.requires and notice.urgency != Urgency.safety:
            if self._unsettled(notice):
                return self._now + NEWS_SECONDS
            if self._fresh.get(notice.client_id, {}).get(notice.requires["finding"]) is None:
                return self._now + HOUR
        return None

    def _hours(self, addressee: str) -> tuple[Hours, int]:
        """Somebody's working hours, and how many notices they get in a day."""
        therapist = addressee.partition(":")[2]
        policy = self._practice.book.of(therapist=therapist).policy
        return self._recipients.hours(therapist, policy), policy.notices_per_day

    def next_day(self, addressee: str) -> Instant:
        """The next morning of somebody whose day is full."""
        hours, _ = self._hours(addressee)
        return hours.next_morning(end_of(day_of(self._now, hours.zone), hours.zone) - 1)

    def full(self, addressee: str, notice: Any) -> bool:
        """Whether somebody's day is full; if not, one more is counted."""
        if notice.urgency not in CAPPED:
            return False
        hours, most = self._hours(addressee)
        today = day_of(self._now, hours.zone)
        if addressee not in self._taken_today:
            notices, messages = table(Notice), table(Message)
            self._taken_today[addressee] = self._connection.execute(
                select(func.count())
                .select_from(notices.join(messages, messages.c.id == notices.c.message_id))
                .where(
                    messages.c.recipient == addressee,
                    messages.c.claimed_at >= start_of(today, hours.zone),
                    messages.c.state != MessageState.released,
                    notices.c.urgency.in_([u.value for u in CAPPED]),
                )
            ).scalar_one()
        if self._taken_today[addressee] >= most:
            return True
        self._taken_today[addressee] += 1
        return False


def _found(together: Shared, digest: DigestRow) -> dict[str, bool | None]:
    """What a look finds by kind: so, not so, or (None, also after an error of ours, which looks are put off for) nobody can say."""
    try:
        return {verdict.kind: verdict.fired for verdict in together.look(digest).verdicts}
    except Exception:
        return {}


def evidence(connection: Connection, client_id: int, kind: str) -> tuple[str, str, dict[str, Any]]:
    """A client's code, and the reason and evidence of their finding of that kind."""
    clients, findings = table(Client), table(Finding)
    row = connection.execute(
        select(clients.c.code, findings.c.reason, findings.c.evidence)
        .join_from(findings, clients, clients.c.id == findings.c.client_id)
        .where(findings.c.client_id == client_id, findings.c.kind == kind)
    ).one()
    return row.code, row.reason, row.evidence


def still_open(connection: Connection, kind: str, client_ids: Iterable[int]) -> list[int]:
    """Those of these clients whose finding of that kind is open, by code."""
    clients, findings = table(Client), table(Finding)
    return [
        client
        for part in chunks(sorted(set(client_ids)))
        for client in connection.execute(
            select(findings.c.client_id)
            .join_from(findings, clients, clients.c.id == findings.c.client_id)
            .where(findings.c.kind == kind, findings.c.cleared_at.is_(None), findings.c.client_id.in_(part))
            .order_by(clients.c.code)
        ).scalars()
    ]


def whose(connection: Connection, client_id: int) -> tuple[str, str]:
    """A client's code, and who has them."""
    clients, people = table(Client), table(Digest)
    row = connection.execute(
        select(clients.c.code, people.c.therapist_id)
        .join_from(clients, people, people.c.client_id == clients.c.id)
        .where(clients.c.id == client_id)
    ).one()
    return row.code, row.therapist_id


def first_told(connection: Connection, notice: Any) -> Instant | None:
    """When the therapist was told of what a notice sends on; None where that never left."""
    rows, messages = table(Notice), table(Message)
    same = [rows.c[name] == getattr(notice, name) for name in ("subject", "purpose", "generation")]
    sent = (
        select(func.min(messages.c.settled_at))
        .select_from(rows.join(messages, messages.c.id == rows.c.message_id))
        .where(*same, rows.c.step == 0, messages.c.state == MessageState.sent)
    )
    return connection.execute(sent).scalar()
