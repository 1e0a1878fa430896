"""What people here said of some clients' care, read for many at once: what rows of endings and referrals are made from."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, bindparam, select

from integrations.store.tables import Prepared, among, chunks, table
from models.observations import Observation, Subject

_ROWS, _SUBJECTS = table(Observation), table(Subject)
_SAID = Prepared(
    select(_SUBJECTS.c.client_id, _ROWS.c.facts)
    .select_from(
        _SUBJECTS.join(_ROWS, (_ROWS.c.source == _SUBJECTS.c.source) & (_ROWS.c.entry_id == _SUBJECTS.c.entry_id))
    )
    .where(
        among(_SUBJECTS.c.client_id, "ids"),
        _SUBJECTS.c.kind == bindparam("kind"),
        _ROWS.c.kind == bindparam("kind"),
        _ROWS.c.current,
        ~_ROWS.c.gone,
    )
    .order_by(_ROWS.c.known_at, _ROWS.c.id)
)


def said_of(connection: Connection, clients: Iterable[int], kind: str) -> dict[int, list[dict[str, Any]]]:
    """The facts of what was said of a kind, in the order of saying, by client; clients of whom nothing was said are left out."""
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for part in chunks(sorted(set(clients))):
        for client, facts in _SAID.rows(connection, {"ids": part, "kind": kind}):
            found[client].append(facts)
    return dict(found)
