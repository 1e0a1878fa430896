"""Moving what is sealed to the newest key, so that an older key can be taken out of the key file."""

from sqlalchemy import bindparam, select, update
from sqlmodel import SQLModel

from integrations.store.engine import Store
from integrations.store.tables import table
from integrations.vault import Vault
from models.accounts import Account
from models.directory import Provider
from models.notices import Message
from models.observations import Observation
from models.people import Client, Therapist
from models.quarantine import Quarantine

AT_ONCE = 500  # rows moved in one transaction

# Every sealed column there is; a test holds this list against the tables.
SEALED: tuple[tuple[type[SQLModel], str], ...] = (
    (Account, "sealed"),
    (Client, "sealed"),
    (Provider, "sealed"),
    (Therapist, "sealed"),
    (Observation, "sealed"),
    (Message, "sealed"),
    (Quarantine, "raw"),
    (Quarantine, "why"),
)


def reseal(store: Store, vault: Vault) -> int:
    """Seal everything anew that lies under an older key. Answers how many values; may be killed and run again."""
    return sum(_reseal_column(store, vault, model, name) for model, name in SEALED)


def _reseal_column(store: Store, vault: Vault, model: type[SQLModel], name: str) -> int:
    rows = table(model)
    (key,), value = rows.primary_key.columns, rows.c[name]
    change = update(rows).where(key == bindparam("of_row")).values({name: bindparam("anew")})
    query = select(key, value).where(value.is_not(None)).order_by(key).limit(AT_ONCE)
    moved, last = 0, None
    while True:
        with store.write() as connection:
            some = connection.execute(query if last is None else query.where(key > last)).all()
            changes = [
                {"of_row": row[0], "anew": anew}
                for row in some
                if row[1] and (anew := vault.resealed(row[1])) is not None
            ]
            if changes:
                connection.execute(change, changes)
        if not some:
            return moved
        moved, last = moved + len(changes), some[-1][0]
