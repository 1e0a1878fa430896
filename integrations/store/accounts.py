"""Accounts of people who use the desk: added, listed, disabled; and the notices that bring them a link."""

from typing import Any, NamedTuple

from sqlalchemy import Connection, select, update

from integrations.store import audit
from integrations.store.tables import insert_new, table
from integrations.vault import Vault
from models.accounts import ACCOUNT, LASTS, MAIL_EVERY, Account, Link, Purpose, Role, normal_address
from models.eligibility import Urgency
from models.errors import UsageError
from models.instants import Instant
from models.notices import Notice
from models.noticing import NoticeKey, notice_row
from models.totp import step_of


class Person(NamedTuple):
    """One account, opened. `disabled_at` is None while it may be used; `totp` is the secret of a second factor, empty without one, and
    `totp_step` the last step of it that was used."""

    id: int
    role: Role
    therapist_id: str
    name: str
    address: str
    made_at: Instant
    disabled_at: Instant | None
    totp: str = ""
    totp_step: int = 0


def add(
    connection: Connection, vault: Vault, role: Role, name: str, address: str, therapist_id: str, by: str, now: Instant
) -> int:
    """Make an account, or let one that was disabled be used again with what is said now. Answers its number.

    Raises UsageError where the address is none or has an account, or where role and therapist do not go together.
    """
    if "@" not in address.strip("@ ") or any(sign.isspace() for sign in address.strip()):
        raise UsageError("A mail address looks like name@example.org; the sign-in link is sent to it.")
    if role is Role.therapist and not therapist_id:
        raise UsageError("A therapist's account names whose clients they see: --therapist and the clinic's id.")
    if role in (Role.front_office, Role.technical) and therapist_id:
        raise UsageError("Only therapists and supervisors have clients; leave --therapist away.")
    rows = table(Account)
    hashed = vault.hash("address", normal_address(address))
    values = {
        "role": role.value,
        "therapist_id": therapist_id,
        "sealed": vault.seal({"name": name.strip(), "address": address.strip()}),
        "address_hash": hashed,
        "disabled_at": None,
        "totp_step": 0,
    }
    new = insert_new(connection, Account, {**values, "made_at": now})
    if not new:
        again = (rows.c.address_hash == hashed) & rows.c.disabled_at.is_not(None)
        if connection.execute(update(rows).where(again).values(**values)).rowcount != 1:
            raise UsageError("This address has an account already; `tending users` lists them.")
    number = int(connection.execute(select(rows.c.id).where(rows.c.address_hash == hashed)).scalar_one())
    audit.record(
        connection,
        now,
        by,
        "account added" if new else "account enabled again",
        f"{ACCOUNT}{number}",
        {"role": role.value},
    )
    return number


def listed(connection: Connection, vault: Vault) -> list[Person]:
    """All accounts in the order in which they were made."""
    rows = table(Account)
    return [_opened(vault, row) for row in connection.execute(select(rows).order_by(rows.c.id))]


def disable(connection: Connection, number: int, by: str, now: Instant) -> None:
    """End an account and everything it has open. Raises UsageError where there is none, or it was ended before."""
    rows, links = table(Account), table(Link)
    mine = (rows.c.id == number) & rows.c.disabled_at.is_(None)
    if connection.execute(update(rows).where(mine).values(disabled_at=now)).rowcount != 1:
        raise UsageError(f"There is no account {number} that could be disabled; `tending users` lists them.")
    its = (links.c.recipient == f"{ACCOUNT}{number}") & (links.c.expires_at > now)
    connection.execute(update(links).where(its).values(expires_at=now))
    audit.record(connection, now, by, "account disabled", f"{ACCOUNT}{number}")


def set_totp(connection: Connection, vault: Vault, number: int, secret: str, by: str, now: Instant) -> Person:
    """Give an account a second factor, or (with an empty secret) take it away, and end what it has open. Raises UsageError."""
    person = of_number(connection, vault, number)
    if person is None:
        raise UsageError(f"There is no account {number} that may be used; `tending users` lists them.")
    rows, links = table(Account), table(Link)
    sealed = vault.seal({"name": person.name, "address": person.address} | ({"totp": secret} if secret else {}))
    connection.execute(update(rows).where(rows.c.id == number).values(sealed=sealed, totp_step=0))
    its = (links.c.recipient == f"{ACCOUNT}{number}") & (links.c.expires_at > now)
    connection.execute(update(links).where(its).values(expires_at=now))
    act = "second factor set" if secret else "second factor removed"
    audit.record(connection, now, by, act, f"{ACCOUNT}{number}")
    return person


def use_code(connection: Connection, person: Person, code: str, now: Instant) -> bool:
    """Whether a code of the account's second factor fits now; of two that give the same one at once, one may."""
    step = step_of(person.totp, code, now, person.totp_step)
    if step is None:
        return False
    rows = table(Account)
    unused = (rows.c.id == person.id) & (rows.c.totp_step < step)
    return connection.execute(update(rows).where(unused).values(totp_step=step)).rowcount == 1


def of_number(connection: Connection, vault: Vault, number: int) -> Person | None:
    """The account of that number if it may be used."""
    rows = table(Account)
    row = connection.execute(select(rows).where(rows.c.id == number, rows.c.disabled_at.is_(None))).first()
    return _opened(vault, row) if row is not None else None


def of_address(connection: Connection, vault: Vault, address: str) -> int | None:
    """The number of the account with that mail address, if it may be used."""
    rows = table(Account)
    hashed = vault.hash("address", normal_address(address))
    query = select(rows.c.id).where(rows.c.address_hash == hashed, rows.c.disabled_at.is_(None))
    return connection.execute(query).scalar()


def shut_out(connection: Connection, therapist_id: str) -> bool:
    """Whether somebody has accounts and all of them were disabled: their cards open no more."""
    rows = table(Account)
    ended = connection.execute(select(rows.c.disabled_at).where(rows.c.therapist_id == therapist_id)).scalars().all()
    return bool(ended) and all(at is not None for at in ended)


def ask_for_link(
    connection: Connection,
    purpose: Purpose,
    recipient: str,
    now: Instant,
    *,
    client_id: int | None = None,
    kind: str = "",
) -> bool:
    """Let a link be mailed to somebody: a notice, without any token, which whoever renders it makes then.

    At most one every few minutes, however often it is asked for; whether this was one. A card's client stands in the facts and not
    as the notice's own: the mail goes to whoever asked, and never follows the client to somebody else.
    """
    name = "sign_in" if purpose is Purpose.sign_in else "fresh_link"
    subject = recipient if client_id is None else f"card:{client_id}:{kind}"
    key = NoticeKey(subject, name, now // MAIL_EVERY, 0, recipient)
    facts: dict[str, Any] = {} if client_id is None else {"client_id": client_id, "kind": kind}
    return insert_new(
        connection, Notice, notice_row(key, Urgency.system, now, LASTS[Purpose.sign_in], now, facts=facts)
    )


def _opened(vault: Vault, row: Any) -> Person:
    said = vault.open(row.sealed)
    return Person(
        row.id,
        Role(row.role),
        row.therapist_id,
        said["name"],
        said["address"],
        row.made_at,
        row.disabled_at,
        said.get("totp", ""),
        row.totp_step,
    )
