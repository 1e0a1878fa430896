"""What an administrator sees at a glance, by code alone: open findings, and what the last run of each workflow came to."""

import json
from typing import Any, NamedTuple

from sqlalchemy import Connection, func, select

from integrations.store import facts
from integrations.store.tables import table
from models.findings import Finding, Opened
from models.instants import Instant
from models.people import Client, Relation, RelationKind
from models.quarantine import Fact

_RUN = "run."


class OpenFinding(NamedTuple):
    """One open finding. `sorting` marks what was already so at the first look and waits to be sorted, `answered` what was answered."""

    code: str
    kind: str
    since: Instant
    therapist: str
    sorting: bool
    answered: bool = False


def open_findings(connection: Connection, most: int) -> tuple[int, list[OpenFinding]]:
    """How many findings are open, and the newest of them."""
    findings, clients, relations = table(Finding), table(Client), table(Relation)
    is_open = findings.c.cleared_at.is_(None)
    count = connection.execute(select(func.count()).select_from(findings).where(is_open)).scalar_one()
    main = (
        (relations.c.client_id == findings.c.client_id)
        & (relations.c.kind == RelationKind.main)
        & relations.c.to_on.is_(None)
    )
    rows = connection.execute(
        select(
            clients.c.code,
            findings.c.kind,
            findings.c.opened_at,
            relations.c.therapist_id,
            findings.c.opened,
            findings.c.answered,
        )
        .select_from(findings.join(clients, clients.c.id == findings.c.client_id).outerjoin(relations, main))
        .where(is_open)
        .order_by(findings.c.opened_at.desc(), clients.c.code, findings.c.kind)
        .limit(most)
    )
    found = {
        (row.code, row.kind): OpenFinding(
            row.code,
            row.kind,
            row.opened_at,
            row.therapist_id or "",
            row.opened == Opened.day_one and not row.answered,
            row.answered,
        )
        for row in rows
    }
    return count, list(found.values())


def record_run(connection: Connection, workflow: str, at: Instant, said: str) -> None:
    """Write down what the last run of a workflow came to: counts in a sentence, nothing about anybody."""
    facts.put(connection, f"{_RUN}{workflow}", json.dumps({"at": at, "said": said}))


def last_runs(connection: Connection) -> dict[str, dict[str, Any]]:
    """By workflow: `at` and `said` of its last run."""
    rows = table(Fact)
    found = connection.execute(select(rows.c.name, rows.c.value).where(rows.c.name.like(f"{_RUN}%")))
    return {row.name.removeprefix(_RUN): json.loads(row.value) for row in found}
