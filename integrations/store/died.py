"""Whether a client has died, by their record or by what people here said of an ending: the digest holds both, and queries ask here."""

from sqlalchemy import Connection, select

from integrations.store.tables import table
from models.digest import Digest
from models.people import Client

_CLIENTS, _DIGESTS = table(Client), table(Digest)
DIED = select(_DIGESTS.c.client_id).where(_DIGESTS.c.client_id == _CLIENTS.c.id, _DIGESTS.c.died == 1).exists()
"""As a condition on the clients of a query."""


def has_died(connection: Connection, client_id: int) -> bool:
    """Whether this client has died."""
    mine = (_DIGESTS.c.client_id == client_id) & (_DIGESTS.c.died == 1)
    return connection.execute(select(_DIGESTS.c.client_id).where(mine)).first() is not None
