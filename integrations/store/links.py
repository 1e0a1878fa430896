"""Links and sessions: made as a token of which only a keyed hash is kept, opened by it, used once."""

import secrets

from sqlalchemy import Connection, delete, select, update

from integrations.store.tables import insert_rows, table
from integrations.vault import Vault
from models.accounts import FORGOTTEN_AFTER, LASTS, Link, LinkState, Opened, Purpose, state_of
from models.instants import Instant

TOKEN_BYTES = 32
LONGEST_TOKEN = 100  # of what is worth a look at all


def make(
    connection: Connection,
    vault: Vault,
    purpose: Purpose,
    recipient: str,
    client_id: int | None,
    kind: str,
    now: Instant,
) -> str:
    """A new link's token, which is kept nowhere; models.accounts.address_of makes an address of it.

    A card is made for the recipient of its notice (`therapist:<id>` or `admin`) with client and kind of finding, a reply for
    `provider:<id>` with client and referral, everything else for `account:<number>` with neither.
    """
    links = table(Link)
    connection.execute(delete(links).where(links.c.expires_at < now - FORGOTTEN_AFTER))
    token = secrets.token_urlsafe(TOKEN_BYTES)
    row = {
        "token_hash": vault.hash("link", token),
        "purpose": purpose.value,
        "recipient": recipient,
        "client_id": client_id,
        "kind": kind,
        "made_at": now,
        "expires_at": now + LASTS[purpose],
        "used_at": None,
        "answer_id": "",
        "wrong": 0,
    }
    insert_rows(connection, Link, [row])
    return token


def open(connection: Connection, vault: Vault, token: str, purpose: Purpose, now: Instant) -> Opened:
    """What a token is good for at `now`; of another purpose it is unknown. Looking changes nothing."""
    if not token or len(token) > LONGEST_TOKEN:
        return Opened(LinkState.unknown, None)
    links = table(Link)
    mine = (links.c.token_hash == vault.hash("link", token)) & (links.c.purpose == purpose.value)
    row = connection.execute(select(links).where(mine)).first()
    link = None if row is None else Link(**row._mapping)
    return Opened(state_of(link, now), link)


def use(connection: Connection, link: Link, now: Instant, answer_id: str = "") -> bool:
    """Act with a link: whether it was good for it. Of two that try at once, one may."""
    links = table(Link)
    good = (links.c.token_hash == link.token_hash) & links.c.used_at.is_(None) & (links.c.expires_at > now)
    return connection.execute(update(links).where(good).values(used_at=now, answer_id=answer_id)).rowcount == 1


def count_wrong(connection: Connection, link: Link, most: int, now: Instant) -> None:
    """A wrong code was given with it; after the last try it opens nothing any more."""
    links = table(Link)
    mine = links.c.token_hash == link.token_hash
    connection.execute(update(links).where(mine).values(wrong=links.c.wrong + 1))
    connection.execute(update(links).where(mine, links.c.wrong >= most).values(expires_at=now))


def used_for(connection: Connection, link: Link) -> str:
    """What a link was acted with for, as it stands now: the id of that answer, empty where it was not."""
    links = table(Link)
    said = connection.execute(select(links.c.answer_id).where(links.c.token_hash == link.token_hash)).scalar()
    return said or ""


def give_back(connection: Connection, answer_id: str) -> None:
    """An answer was taken back: the card by which it was given, if it was, may be acted with again."""
    links = table(Link)
    mine = (links.c.purpose == Purpose.card.value) & links.c.used_at.is_not(None) & (links.c.answer_id == answer_id)
    connection.execute(update(links).where(mine).values(used_at=None, answer_id=""))


def end(connection: Connection, vault: Vault, token: str, now: Instant) -> None:
    """Let a link open no more, there or not."""
    links = table(Link)
    mine = (links.c.token_hash == vault.hash("link", token)) & (links.c.expires_at > now)
    connection.execute(update(links).where(mine).values(expires_at=now))
