"""The clients of somebody at the desk, each with how they are theirs, and what is going on with them besides findings: endings, referrals.

The number of queries never depends on how many clients there are.
"""

from collections.abc import Iterable
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from integrations.store.desk import Reach
from integrations.store.died import DIED
from integrations.store.tables import table
from models.access import Through, Tie, holds
from models.ending_acts import OPEN
from models.entries import ClientStatus
from models.people import Client, Relation
from models.referral_row import ReferralRow
from models.referral_shape import OVER
from models.terminations import TerminationRow

_CLIENTS, _RELATIONS = table(Client), table(Relation)
_ENDINGS, _REFERRALS = table(TerminationRow), table(ReferralRow)


class Mine(NamedTuple):
    """One client of somebody's: through what, and by which relation of whom (`kind`, from and to, None: open)."""

    client_id: int
    code: str
    through: Through
    therapist_id: str
    kind: str
    from_on: date | None
    to_on: date | None
    in_care: bool


def my_clients(connection: Connection, mine: Reach, person: str, today: date) -> list[Mine]:
    """Everybody's clients of a reach once, by code: by their relation to `person` where there is one."""
    query = (
        select(_CLIENTS.c.id, _CLIENTS.c.code, _CLIENTS.c.status, DIED.label("is_dead"))
        .add_columns(*(_RELATIONS.c[name] for name in ("therapist_id", "kind", "from_on", "to_on")))
        .join_from(_CLIENTS, _RELATIONS, _RELATIONS.c.client_id == _CLIENTS.c.id)
        .where(_RELATIONS.c.therapist_id.in_(mine.therapists))
        .order_by(_CLIENTS.c.code, _RELATIONS.c.id)
    )
    found: dict[int, Mine] = {}
    for row in connection.execute(query):
        tie = Tie(row.id, row.therapist_id, row.kind, row.from_on, row.to_on)
        if row.id not in mine.clients or not holds(tie, today):
            continue
        if row.id in found and row.therapist_id != person:
            continue
        in_care = row.status != ClientStatus.ended.value and not row.is_dead
        found[row.id] = Mine(row.id, row.code, mine.clients[row.id], *tie[1:], in_care)
    return list(found.values())


def endings_of(connection: Connection, mine: Reach) -> dict[int, Any]:
    """By client the ending that is going on or waits to be confirmed."""
    query = select(_ENDINGS).where(_ENDINGS.c.state.in_([state.value for state in OPEN]))
    return {row.client_id: row for row in _among(connection, query, _ENDINGS, mine)}


def referrals_of(connection: Connection, mine: Reach) -> dict[int, list[Any]]:
    """By client the referrals that are not closed, oldest first."""
    query = select(_REFERRALS).where(_REFERRALS.c.state.not_in([state.value for state in OVER]))
    found: dict[int, list[Any]] = {}
    for row in _among(connection, query.order_by(_REFERRALS.c.offered_at, _REFERRALS.c.id), _REFERRALS, mine):
        found.setdefault(row.client_id, []).append(row)
    return found


def _among(connection: Connection, query: Any, rows: Any, mine: Reach) -> Iterable[Any]:
    theirs = select(_RELATIONS.c.client_id).where(_RELATIONS.c.therapist_id.in_(mine.therapists))
    found = connection.execute(query.where(rows.c.client_id.in_(theirs)))
    return [row for row in found if row.client_id in mine.clients]
