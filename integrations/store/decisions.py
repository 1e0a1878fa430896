"""Looks become findings and notices, in one transaction with what they were made from."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, bindparam, select, update

from integrations.store.cases import basis, digests, holidays_near, shared
from integrations.store.day_one import DayOne
from integrations.store.tables import Prepared, chunks, given, insert_new, insert_rows, table
from models.findings import Became, Finding, FindingHistory, Look, Opened, Standing, settle
from models.instants import DAY, FAR, HOUR, Instant
from models.looking import DigestRow, Looked, Shared
from models.notices import Message, MessageState, Notice, NoticeState
from models.noticing import NoticeKey, finding_notice, therapist_recipient
from models.people import Therapist
from models.policy import Policy
from models.rule import Kind, Verdict
from models.timing import Hours

if TYPE_CHECKING:
    from integrations.practice import Practice

_FINDINGS, _LOOKS = table(Finding), table(Look)
_STANDING = Prepared(
    select(*(_FINDINGS.c[name] for name in ("client_id", *Standing._fields, "reason", "evidence"))).where(
        _FINDINGS.c.client_id.in_(given("ids"))
    )
)
_CHANGE_FINDING = Prepared(
    update(_FINDINGS).where(_FINDINGS.c.client_id == bindparam("of_client"), _FINDINGS.c.kind == bindparam("of_kind"))
)
_TAKE_LOOKS = Prepared(
    select(_LOOKS).where(_LOOKS.c.client_id.in_(given("ids"))).order_by(_LOOKS.c.client_id).with_for_update()
)
_LOOK_AGAIN = Prepared(update(_LOOKS).where(_LOOKS.c.client_id == bindparam("of_client")))
_ZONES = Prepared(select(table(Therapist).c.id, table(Therapist).c.zone))


NOTHING_YET: frozenset[str] = frozenset()


@dataclass(slots=True)
class Decided:
    """What looking at some clients came to, in counts: nothing here says who."""

    looked: int = 0
    opened: int = 0
    day_one: int = 0
    cleared: int = 0
    notices: int = 0
    blind: int = 0
    kinds: dict[str, int] = field(default_factory=dict)

    def add(self, other: "Decided") -> None:
        """Add another batch's counts."""
        for name in ("looked", "opened", "day_one", "cleared", "notices", "blind"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for kind, count in other.kinds.items():
            self.kinds[kind] = self.kinds.get(kind, 0) + count


class Recipients:
    """Working hours of therapists, looked up once for a batch."""

    def __init__(self, practice: "Practice", connection: Connection, now: Instant) -> None:
        self._practice = practice
        self._zones = dict(_ZONES.run(connection).tuples().all())
        self._days_off: frozenset[date] = holidays_near(practice, now)

    def hours(self, therapist_id: str, policy: Policy) -> Hours:
        """The hours of a therapist, or of the practice for anybody else."""
        zone = self._zones.get(therapist_id) or self._practice.zone
        return Hours(zone, policy.work_from, policy.work_until, self._days_off)


def decide(practice: "Practice", connection: Connection, clients: Iterable[int], now: Instant) -> Decided:
    """Look at these clients and record what follows: findings opened, cleared or renewed, notices, the next looks."""
    before: dict[int, Any] = {}
    for part in chunks(sorted(set(clients))):
        # Taken first, in the order of ids: another worker, or news about one of them, waits, or is all there to be read below.
        before |= {row.client_id: row for row in _TAKE_LOOKS.rows(connection, {"ids": part})}
    together = shared(practice, connection, now)
    basis_now = basis(practice)
    recipients = Recipients(practice, connection, now)
    day_one = DayOne(practice, connection, together, basis_now, now)
    result = Decided()
    for part in chunks(sorted(set(clients))):
        result.add(_decide_some(connection, part, before, together, basis_now, day_one, recipients, now))
    day_one.write()
    return result


def _decide_some(
    connection: Connection,
    clients: list[int],
    before: dict[int, Any],
    together: Shared,
    basis_now: str,
    day_one: DayOne,
    recipients: Recipients,
    now: Instant,
) -> Decided:
    standing: dict[int, dict[str, Standing]] = {}
    written = _Written(connection, together)
    for found in _STANDING.rows(connection, {"ids": clients}):
        standing.setdefault(found.client_id, {})[found.kind] = Standing(*found[1:-2])
        written.said[found.client_id, found.kind] = (found.reason, found.evidence)
    result = Decided()
    fresh: list[dict[str, Any]] = []
    again: list[dict[str, Any]] = []
    for row in digests(connection, clients):
        looked = together.look(row)
        last = before.get(looked.client_id)
        result.looked += 1
        result.blind += looked.blind
        known = last is not None and last.basis == basis_now
        already = NOTHING_YET if known else day_one.kinds(row, last, looked)
        speaks = _record(written, row, looked, standing.get(looked.client_id, {}), already, recipients, now, result)
        # While something could not be said, a first look is not over, and no news was noticed.
        basis_then = (last.basis if last else "") if looked.blind else basis_now
        looked_at = last.looked_at if looked.blind and last is not None and last.basis else now
        # What waits for a source or a quarantined row is tried again within the hour, whatever it waits for.
        next_look = min(looked.next_look, speaks, now + HOUR if looked.blind else FAR)
        values = {"next_look": next_look, "looked_at": looked_at, "basis": basis_then, "blind": looked.blind}
        if last is None:
            fresh.append({"client_id": looked.client_id, **values})
        else:
            again.append({"of_client": looked.client_id, **values})
    written.write()
    insert_rows(connection, Look, fresh)
    if again:
        _LOOK_AGAIN.run(connection, again)
    return result


class _Written:
    """What a batch of looks writes about findings, gathered: a statement for each client would cost a round trip each."""

    def __init__(self, connection: Connection, together: Shared) -> None:
        self.connection = connection
        self.together = together
        self.kinds = kinds_by_name(together)
        self.said: dict[tuple[int, str], tuple[str, dict[str, Any]]] = {}  # reason and evidence as they stand
        self.new: list[dict[str, Any]] = []
        self.opened_again: list[dict[str, Any]] = []
        self.kept: list[dict[str, Any]] = []
        self.cleared: list[dict[str, Any]] = []
        self.raised: list[dict[str, Any]] = []
        self.history: list[dict[str, Any]] = []

    def became(
        self, what: Became, client: int, kind: str, generation: int, opened: str, says: tuple[str, Any], now: Instant
    ) -> None:
        """Keep what becomes of a finding."""
        rule, version, _ = self.kinds[kind]
        self.history.append(
            {
                "client_id": client,
                "at": now,
                "what": what.value,
                "rule": rule,
                "kind": kind,
                "rule_version": version,
                "generation": generation,
                "opened": opened,
                "reason": says[0],
                "evidence": says[1],
            }
        )

    def write(self) -> None:
        """Write it."""
        insert_rows(self.connection, Finding, self.new)
        for rows in (self.opened_again, self.kept, self.cleared, self.raised):
            if rows:
                _CHANGE_FINDING.run(self.connection, rows)
        insert_rows(self.connection, FindingHistory, self.history)


def _record(
    written: _Written,
    row: DigestRow,
    looked: Looked,
    standing: dict[str, Standing],
    already: frozenset[str],
    recipients: Recipients,
    now: Instant,
    result: Decided,
) -> Instant:
    """Write what one look changes about one client. Answers when an open finding speaks that came back without a word."""
    if not standing and not any(v.fired for v in looked.verdicts):
        return FAR
    client, therapist = looked.client_id, row[1]
    policy = written.together.policy(row).policy
    grace = int(policy.grace_days * DAY)
    settled = settle(looked.verdicts, standing, now, grace)
    recipient = therapist_recipient(therapist)
    speaks = [s.speaks_at for s in standing.values() if s.cleared_at is None and s.speaks_at is not None]

    def notice_of(verdict: Verdict, generation: int) -> dict[str, Any]:
        hours = recipients.hours(therapist, policy)
        return finding_notice(
            client, written.kinds[verdict.kind][0], verdict, generation, therapist, policy, hours, now
        )

    for verdict, generation in settled.opened:
        rule, version, kind = written.kinds[verdict.kind]
        before = standing.get(verdict.kind)
        told_to, speaks_at = before.told_to if before else "", None
        first_time = verdict.kind in already
        if not first_time and kind.speaks == "notice":
            notice = notice_of(verdict, generation)
            made = insert_new(written.connection, Notice, notice) or _again(written.connection, notice)
            result.notices += made
            if made or _waits(written.connection, notice):
                told_to = recipient
            else:  # back within its grace time, and told before: once it has stayed for as long it is told again
                speaks_at = now + grace
                speaks.append(speaks_at)
        values: dict[str, Any] = {
            "rule": rule,
            "rule_version": version,
            "generation": generation,
            "opened": (Opened.day_one if first_time else Opened.noticed).value,
            "opened_at": now,
            "cleared_at": None,
            "reason": verdict.reason,
            "evidence": {"facts": list(verdict.facts)},
            "speaks_at": speaks_at,
            "told_to": told_to,
        }
        if before:
            written.opened_again.append({"of_client": client, "of_kind": verdict.kind, **values})
        else:
            written.new.append({"client_id": client, "kind": verdict.kind, **values})
        says = (verdict.reason, values["evidence"])
        written.became(Became.opened, client, verdict.kind, generation, values["opened"], says, now)
        result.opened += 1
        result.day_one += first_time
        result.kinds[verdict.kind] = result.kinds.get(verdict.kind, 0) + 1
    for verdict, generation in settled.raised:
        result.notices += insert_new(written.connection, Notice, notice_of(verdict, generation))
        reason, evidence = says = (verdict.reason, {"facts": list(verdict.facts)})
        opened = standing[verdict.kind].opened
        written.became(Became.raised, client, verdict.kind, generation, opened, says, now)
        written.raised.append(
            {
                "of_client": client,
                "of_kind": verdict.kind,
                "generation": generation,
                "reason": reason,
                "evidence": evidence,
                "speaks_at": None,
                "told_to": recipient,
            }
        )
    for verdict in settled.kept:
        before = standing[verdict.kind]
        reason, evidence = says = (verdict.reason, {"facts": list(verdict.facts)})
        to, speaks_at = before.told_to, before.speaks_at
        if to not in ("", recipient):
            result.notices += _hand_on(written.connection, notice_of(verdict, before.generation), to)
            to, speaks_at = recipient, None
        other = says != written.said.get((client, verdict.kind))
        if other:
            written.became(Became.said, client, verdict.kind, before.generation, before.opened, says, now)
        if other or to != before.told_to:
            values = {"reason": reason, "evidence": evidence, "speaks_at": speaks_at, "told_to": to}
            written.kept.append({"of_client": client, "of_kind": verdict.kind, **values})
    for name in settled.cleared:
        before = standing[name]
        written.became(Became.cleared, client, name, before.generation, before.opened, written.said[client, name], now)
        written.cleared.append({"of_client": client, "of_kind": name, "cleared_at": now, "speaks_at": None})
        result.cleared += 1
    return min((at for at in speaks if at > now), default=FAR)


def _again(connection: Connection, notice: dict[str, Any]) -> bool:
    """A reason that is back before anybody was told of it: its notice, called off meanwhile, waits again."""
    rows = table(Notice)
    mine = [rows.c[name] == notice[name] for name in NoticeKey._fields]
    untold = rows.c.state.in_([NoticeState.cancelled.value, NoticeState.expired.value])
    names = ("requires", "facts", "not_before", "expires_at", "state", "outcome", "decided_at")
    back = update(rows).where(*mine, untold).values({name: notice[name] for name in names})
    return bool(connection.execute(back).rowcount)


def _waits(connection: Connection, notice: dict[str, Any]) -> bool:
    """Whether the notice of this reason is still to be sent: then it speaks for what is true now."""
    rows = table(Notice)
    mine = [rows.c[name] == notice[name] for name in NoticeKey._fields]
    return connection.execute(select(rows.c.state).where(*mine)).scalar() == NoticeState.waiting


def _hand_on(connection: Connection, notice: dict[str, Any], told: str) -> bool:
    """The client is somebody else's now: who has them is told, unless that was done, and what still waits for `told` is called off."""
    rows, messages = table(Notice), table(Message)
    same = [rows.c[name] == notice[name] for name in NoticeKey._fields if name != "recipient"]
    connection.execute(
        update(rows)
        .where(*same, rows.c.recipient == told, rows.c.state == NoticeState.waiting)
        .values(state=NoticeState.cancelled.value, decided_at=notice["made_at"], outcome="somebody else has the client")
    )
    told_already = (
        select(messages.c.id)
        .select_from(rows.join(messages, messages.c.id == rows.c.message_id))
        .where(*same, messages.c.recipient == notice["recipient"], messages.c.state != MessageState.failed)
    )
    if connection.execute(told_already).first():
        return False
    return insert_new(connection, Notice, notice) or _again(connection, notice)


def kinds_by_name(together: Shared) -> dict[str, tuple[str, int, Kind]]:
    """Rule name, rule version and kind by the kind's name."""
    return {name: (rule.name, rule.version, kind) for rule in together.rules for name, kind in rule.kinds.items()}
