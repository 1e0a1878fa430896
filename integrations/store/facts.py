"""Small facts of this installation, by name: its token, its keys' mark, its last good runs. Never about a client."""

from collections.abc import Iterable

from sqlalchemy import Connection, delete, select

from integrations.store.tables import Prepared, insert_new, table, upsert
from models.instants import Instant
from models.people import Client
from models.quarantine import Fact

TELLS = "tells "  # and goal, score, rating, or appointment and a source's name: since when a source has told of any
_WORDS = Prepared(
    select(table(Fact).c.name, table(Fact).c.value).where(table(Fact).c.name.startswith(TELLS, autoescape=True))
)


def get(connection: Connection, name: str) -> str | None:
    """The fact of that name, or None."""
    facts = table(Fact)
    value: str | None = connection.execute(select(facts.c.value).where(facts.c.name == name)).scalar()
    return value


def put(connection: Connection, name: str, value: str) -> None:
    """Set a fact, new or not."""
    upsert(connection, Fact, [{"name": name, "value": value}])


def put_once(connection: Connection, name: str, value: str) -> str:
    """Set a fact unless there is one. Answers what it is now, whoever set it."""
    insert_new(connection, Fact, {"name": name, "value": value})
    now = get(connection, name)
    assert now is not None
    return now


def forget(connection: Connection, name: str) -> None:
    """Remove a fact, there or not."""
    facts = table(Fact)
    connection.execute(delete(facts).where(facts.c.name == name))


def ids_of_codes(connection: Connection, codes: Iterable[str]) -> dict[str, int]:
    """The ids of those codes that belong to a client."""
    clients = table(Client)
    rows = connection.execute(select(clients.c.code, clients.c.id).where(clients.c.code.in_(tuple(codes))))
    return {row.code: row.id for row in rows}


def note_told(connection: Connection, words: Iterable[str], now: Instant) -> None:
    """Note what a source tells of (see models.looking), from the first time on."""
    for word in sorted(words):
        insert_new(connection, Fact, {"name": f"{TELLS}{word}", "value": str(now)})


def words_told(connection: Connection) -> dict[str, Instant]:
    """What sources have told of, in the words of models.looking, and since when."""
    return {name.removeprefix(TELLS): int(value) for name, value in _WORDS.rows(connection)}
