"""Endings as lists show them, written in the transaction that derives what else follows for a client; and what is asked of them."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, delete, func, select

from integrations.store.died import DIED
from integrations.store.said import said_of
from integrations.store.tables import chunks, table, upsert
from models.digest import History
from models.ending_acts import OPEN, State, act_of
from models.ending_steps import MEETS
from models.people import Client
from models.terminations import TerminationRow, endings_of, row_of

KIND = "ending"
CONFIRM = "ending_confirm"  # the purpose of what is told about a confirmation
_ENDINGS = table(TerminationRow)
_OPEN = [state.value for state in OPEN]


def write_endings(connection: Connection, histories: Iterable[History]) -> None:
    """Make the rows of these clients' endings what was said of them. Of whom none is told, nothing is read or written."""
    upsert(connection, TerminationRow, _rows(connection, histories))


def endings_differing(connection: Connection, clients: Collection[int], histories: Iterable[History]) -> set[int]:
    """Of these clients those whose rows are not what follows."""
    fresh = {row["id"]: tuple(row.values()) for row in _rows(connection, histories)}
    stored: dict[int, Any] = {}
    names = [column.name for column in _ENDINGS.columns]
    for part in chunks(sorted(clients)):
        stored |= {
            row.id: tuple(getattr(row, name) for name in names)
            for row in connection.execute(select(_ENDINGS).where(_ENDINGS.c.client_id.in_(part)))
        }
    mine = names.index("client_id")
    wrong = {row[mine] for key, row in fresh.items() if stored.get(key) != row}
    return wrong | {stored[key][mine] for key in stored.keys() - fresh.keys()}


def clear_endings(connection: Connection, clients: Iterable[int]) -> None:
    """Take the rows of these clients away, before all that follows for them is written anew."""
    for part in chunks(sorted(clients)):
        connection.execute(delete(_ENDINGS).where(_ENDINGS.c.client_id.in_(part)))


def _rows(connection: Connection, histories: Iterable[History]) -> list[dict[str, Any]]:
    told = {history.client_id: history for history in histories if history.told.endings}
    said = said_of(connection, told, KIND)
    return [
        row_of(one, client, history.therapist_id, nth)
        for client, history in told.items()
        for nth, one in enumerate(endings_of(map(act_of, said.get(client, ())), died=history.died), 1)
    ]


def said_since(connection: Connection, requires: Mapping[str, str]) -> str:
    """Why what is told about a confirmation is not so any more, or nothing: the ending it names does not stand as it says."""
    both = _ENDINGS.join(table(Client), table(Client).c.id == _ENDINGS.c.client_id)
    asked = select(_ENDINGS.c.state, DIED.label("is_dead")).select_from(both)
    row = connection.execute(asked.where(_ENDINGS.c.ending == requires[CONFIRM])).first()
    if row is not None and row.is_dead:
        return "the client has died"
    if row is not None and row.state == requires["state"]:
        return ""
    waited = requires["state"] == State.waiting
    return "it was confirmed, not confirmed or withdrawn" if waited else "the ending was withdrawn or closed since"


def state_of(connection: Connection, ending: str) -> str:
    """The state of an ending; nothing where there is none, or its client has died."""
    both = _ENDINGS.join(table(Client), table(Client).c.id == _ENDINGS.c.client_id)
    asked = select(_ENDINGS.c.state).select_from(both).where(_ENDINGS.c.ending == ending, ~DIED)
    return str(connection.execute(asked).scalar() or "")


def waiting_for(connection: Connection, therapist_id: str) -> list[Any]:
    """Endings that wait for the word of this therapist, with their clients' codes, the oldest first."""
    if not therapist_id:
        return []
    clients = table(Client)
    query = (
        select(_ENDINGS, clients.c.code)
        .join_from(_ENDINGS, clients, clients.c.id == _ENDINGS.c.client_id)
        .where(_ENDINGS.c.state == State.waiting.value, _ENDINGS.c.needs_confirmation_of == therapist_id)
        .order_by(_ENDINGS.c.started_at, clients.c.code)
    )
    return list(connection.execute(query))


def open_count(connection: Connection, therapist_id: str) -> int:
    """How many endings of a therapist's clients are going on or wait, and need appointments."""
    need = _ENDINGS.c.reason.in_([reason.value for reason in MEETS]) & ~DIED
    mine = (_ENDINGS.c.therapist_id == therapist_id) & _ENDINGS.c.state.in_(_OPEN) & need
    both = _ENDINGS.join(table(Client), table(Client).c.id == _ENDINGS.c.client_id)
    return int(connection.execute(select(func.count()).select_from(both).where(mine)).scalar_one())


def open_rows(connection: Connection, therapist_id: str = "", most: int = 10_000) -> list[Any]:
    """Endings that are going on or wait, with their clients' codes, the oldest first; of one therapist, or of all."""
    clients = table(Client)
    query = (
        select(_ENDINGS, clients.c.code)
        .join_from(_ENDINGS, clients, clients.c.id == _ENDINGS.c.client_id)
        .where(_ENDINGS.c.state.in_(_OPEN))
        .order_by(_ENDINGS.c.started_at, clients.c.code)
        .limit(most)
    )
    if therapist_id:
        query = query.where(_ENDINGS.c.therapist_id == therapist_id)
    return list(connection.execute(query))
