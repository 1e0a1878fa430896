"""What people here say about a client's care, each an observation of a source of our own: kept with who and when, and never changed."""

import json
import uuid
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import Connection, select

from integrations.store.derive import derive
from integrations.store.tables import insert_rows, table
from models.instants import FAR, Instant
from models.observations import Observation, Subject
from models.people import Client
from models.settings import OWN_SOURCE

if TYPE_CHECKING:
    from integrations.practice import Practice


class Act(NamedTuple):
    """One thing somebody said: its id, what it says (free of identity), and when it became known. `sealed` is its encrypted part."""

    id: str
    facts: dict[str, Any]
    known_at: Instant
    sealed: bytes | None


def record(
    practice: "Practice",
    connection: Connection,
    client_id: int,
    kind: str,
    facts: dict[str, Any],
    now: Instant,
    *,
    act_id: str = "",
    secret: dict[str, Any] | None = None,
) -> str:
    """Take in what was said, in the caller's transaction, and derive what follows; answers its id. `kind` is one of TOLD, `secret` what is
    kept encrypted. What was said before under the same id is not said again."""
    act_id = act_id or uuid.uuid4().hex
    rows, clients = table(Observation), table(Client)
    mine = (rows.c.source == OWN_SOURCE) & (rows.c.kind == kind) & (rows.c.entry_id == act_id)
    if connection.execute(select(rows.c.id).where(mine)).first() is not None:
        return act_id
    ref = connection.execute(select(clients.c.ref_hash).where(clients.c.id == client_id)).scalar_one()
    row = {
        "source": OWN_SOURCE,
        "kind": kind,
        "entry_id": act_id,
        "content_hash": practice.vault.hash("content", json.dumps([facts, secret], sort_keys=True)),
        "said_at": now,
        "known_at": now,
        "gone": False,
        "current": True,
        "facts": facts,
        "hints": {"id": [ref]},
        "sealed": practice.vault.seal(secret) if secret else None,
    }
    insert_rows(connection, Observation, [row])
    about = {"source": OWN_SOURCE, "entry_id": act_id, "client_id": client_id, "kind": kind, "how": "id", "since": now}
    insert_rows(connection, Subject, [about])
    derive(connection, [client_id], practice.book.of().policy, now, practice.zone)
    return act_id


def of_client(connection: Connection, client_id: int, kind: str, known_at: Instant = FAR) -> list[Act]:
    """What was said of a kind about a client and not taken back, in the order of saying; with `known_at` by then."""
    rows, subjects = table(Observation), table(Subject)
    same = (rows.c.source == subjects.c.source) & (rows.c.entry_id == subjects.c.entry_id)
    query = (
        select(rows.c.entry_id, rows.c.facts, rows.c.known_at, rows.c.sealed)
        .select_from(subjects.join(rows, same))
        .where(
            subjects.c.client_id == client_id,
            subjects.c.kind == kind,
            rows.c.kind == kind,
            rows.c.current,
            ~rows.c.gone,
            rows.c.known_at <= known_at,
        )
        .order_by(rows.c.known_at, rows.c.id)
    )
    return [Act(*row) for row in connection.execute(query)]


def was_said(connection: Connection, act_id: str) -> bool:
    """Whether something was said under an id before."""
    rows = table(Observation)
    mine = (rows.c.source == OWN_SOURCE) & (rows.c.entry_id == act_id)
    return connection.execute(select(rows.c.id).where(mine).limit(1)).first() is not None
