"""Looks become findings and notices, in one transaction with what they were made from."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, select, update

from integrations.store.cases import basis, digests, holidays_near, shared
from integrations.store.tables import chunks, insert_new, insert_rows, table
from models.findings import Finding, Look, Opened, Standing, settle
from models.instants import DAY, HOUR, Instant
from models.looking import DigestRow, Looked, Shared
from models.notices import Notice, NoticeState
from models.noticing import NoticeKey, finding_notice
from models.people import Therapist
from models.policy import Policy
from models.rule import Kind
from models.timing import Hours

if TYPE_CHECKING:
    from integrations.practice import Practice


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
        rows = table(Therapist)
        self._zones = dict(connection.execute(select(rows.c.id, rows.c.zone)).tuples().all())
        self._days_off: frozenset[date] = holidays_near(practice, now)

    def hours(self, therapist_id: str, policy: Policy) -> Hours:
        """The hours of a therapist, or of the practice for anybody else."""
        zone = self._zones.get(therapist_id) or self._practice.zone
        return Hours(zone, policy.work_from, policy.work_until, self._days_off)


def decide(practice: "Practice", connection: Connection, clients: Iterable[int], now: Instant) -> Decided:
    """Look at these clients and record what follows: findings opened, cleared or renewed, notices, the next looks."""
    looks = table(Look)
    before: dict[int, Any] = {}
    for part in chunks(sorted(set(clients))):
        # Taken first, in the order of ids: another worker, or news about one of them, waits, or is all there to be read below.
        mine = select(looks).where(looks.c.client_id.in_(part)).order_by(looks.c.client_id).with_for_update()
        before |= {row.client_id: row for row in connection.execute(mine)}
    together = shared(practice, connection, now)
    basis_now = basis(practice)
    recipients = Recipients(practice, connection, now)
    result = Decided()
    for part in chunks(sorted(set(clients))):
        result.add(_decide_some(connection, part, before, together, basis_now, recipients, now))
    return result


def _decide_some(
    connection: Connection,
    clients: list[int],
    before: dict[int, Any],
    together: Shared,
    basis_now: str,
    recipients: Recipients,
    now: Instant,
) -> Decided:
    findings, looks = table(Finding), table(Look)
    standing: dict[int, dict[str, Standing]] = {}
    for found in connection.execute(
        select(
            findings.c.client_id, findings.c.kind, findings.c.generation, findings.c.opened_at, findings.c.cleared_at
        ).where(findings.c.client_id.in_(clients))
    ):
        standing.setdefault(found.client_id, {})[found.kind] = Standing(
            found.kind, found.generation, found.opened_at, found.cleared_at
        )
    result = Decided()
    fresh: list[dict[str, Any]] = []
    for row in digests(connection, clients):
        looked = together.look(row)
        last = before.get(looked.client_id)
        result.looked += 1
        result.blind += looked.blind
        first_time = last is None or last.basis != basis_now
        _record(
            connection, row, looked, standing.get(looked.client_id, {}), first_time, together, recipients, now, result
        )
        # While something could not be said, a first look is not over: what turns out then was true before.
        basis_then = (last.basis if last else "") if looked.blind else basis_now
        # What waits for a source or a quarantined row is tried again within the hour, whatever it waits for.
        next_look = min(looked.next_look, now + HOUR) if looked.blind else looked.next_look
        values = {"next_look": next_look, "looked_at": now, "basis": basis_then, "blind": looked.blind}
        if last is None:
            fresh.append({"client_id": looked.client_id, **values})
        else:
            connection.execute(update(looks).where(looks.c.client_id == looked.client_id).values(**values))
    insert_rows(connection, Look, fresh)
    return result


def _record(
    connection: Connection,
    row: DigestRow,
    looked: Looked,
    standing: dict[str, Standing],
    first_time: bool,
    together: Shared,
    recipients: Recipients,
    now: Instant,
    result: Decided,
) -> None:
    """Write what one look changes about one client."""
    if not standing and not any(v.fired for v in looked.verdicts):
        return
    policy = together.policy(row).policy
    settled = settle(looked.verdicts, standing, now, int(policy.grace_days * DAY))
    findings = table(Finding)
    kinds = kinds_by_name(together)
    for verdict, generation in settled.opened:
        rule, version, kind = kinds[verdict.kind]
        values = {
            "rule": rule,
            "rule_version": version,
            "generation": generation,
            "opened": (Opened.day_one if first_time else Opened.noticed).value,
            "opened_at": now,
            "cleared_at": None,
            "reason": verdict.reason,
            "evidence": {"facts": list(verdict.facts)},
        }
        mine = (findings.c.client_id == looked.client_id) & (findings.c.kind == verdict.kind)
        if verdict.kind in standing:
            connection.execute(update(findings).where(mine).values(**values))
        else:
            connection.execute(findings.insert().values(client_id=looked.client_id, kind=verdict.kind, **values))
        result.opened += 1
        result.day_one += first_time
        result.kinds[verdict.kind] = result.kinds.get(verdict.kind, 0) + 1
        if not first_time and kind.speaks == "notice":
            therapist = row[1]
            hours = recipients.hours(therapist, policy)
            notice = finding_notice(looked.client_id, rule, verdict, generation, therapist, policy, hours, now)
            result.notices += insert_new(connection, Notice, notice) or _again(connection, notice)
    for verdict in settled.kept:
        connection.execute(
            update(findings)
            .where(findings.c.client_id == looked.client_id, findings.c.kind == verdict.kind)
            .values(reason=verdict.reason, evidence={"facts": list(verdict.facts)})
        )
    for name in settled.cleared:
        connection.execute(
            update(findings)
            .where(findings.c.client_id == looked.client_id, findings.c.kind == name)
            .values(cleared_at=now)
        )
        result.cleared += 1


def _again(connection: Connection, notice: dict[str, Any]) -> bool:
    """A reason that is back before anybody was told of it: its notice, called off meanwhile, waits again."""
    rows = table(Notice)
    mine = [rows.c[name] == notice[name] for name in NoticeKey._fields]
    untold = rows.c.state.in_([NoticeState.cancelled.value, NoticeState.expired.value])
    names = ("requires", "facts", "not_before", "expires_at", "state", "outcome", "decided_at")
    back = update(rows).where(*mine, untold).values({name: notice[name] for name in names})
    return bool(connection.execute(back).rowcount)


def kinds_by_name(together: Shared) -> dict[str, tuple[str, int, Kind]]:
    """Rule name, rule version and kind by the kind's name."""
    return {name: (rule.name, rule.version, kind) for rule in together.rules for name, kind in rule.kinds.items()}
