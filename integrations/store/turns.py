"""One at a time: transactions that derive or decide must see all of what those before them did."""

from sqlalchemy import Connection, text

from integrations.store.engine import SQLITE


def take_turn(connection: Connection) -> None:
    """Wait, at the start of a transaction that writes, until no other derives or decides; held to the transaction's end.

    Two readings at once would each miss what the other brings: a calendar's entries find no client, since the clients
    are still being written. SQLite has one writer at a time by itself.
    """
    if connection.dialect.name != SQLITE:
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('tending turn'))"))
