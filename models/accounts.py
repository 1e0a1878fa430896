"""Accounts of people who use the desk, and links: what opens one card, signs somebody in, or keeps them signed in."""

from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import LargeBinary
from sqlmodel import Field, SQLModel

from models.columns import instant, row_id
from models.instants import DAY, HOUR, Instant

MINUTE = 60
ACCOUNT = "account:"  # and its number: who a sign-in link or a session is for


class Role(StrEnum):
    therapist = "therapist"
    supervisor = "supervisor"
    front_office = "front_office"
    technical = "technical"


class Purpose(StrEnum):
    """What a link is for. `card` opens one finding of one client, `sign_in` gives a session, `session` is one; `reply` lets a provider
    tell once how a referral stands."""

    card = "card"
    sign_in = "sign_in"
    session = "session"
    reply = "reply"


LASTS: dict[Purpose, int] = {
    Purpose.card: 14 * DAY,
    Purpose.sign_in: 15 * MINUTE,
    Purpose.session: 12 * HOUR,
    Purpose.reply: 60 * DAY,
}
"""For how many seconds a link of each purpose opens."""
FORGOTTEN_AFTER = 90 * DAY  # until then an expired card still knows whom to send a fresh link to
MAIL_EVERY = 5 * MINUTE  # at most one mail with a link to somebody, however often it is asked for
PATHS: dict[Purpose, str] = {Purpose.card: "/card/", Purpose.sign_in: "/in/", Purpose.reply: "/reply/"}


class Account(SQLModel, table=True):
    """Somebody who may use the desk. `therapist_id` is the clinic's own reference, empty for who is no therapist; `sealed` holds name, mail
    address and the secret of a second factor, encrypted; `totp_step` is the last step of it that was used; `address_hash` the keyed
    hash under which the address is found."""

    __tablename__ = "account"

    id: int | None = row_id()
    role: str
    therapist_id: str = ""
    sealed: bytes = Field(sa_type=LargeBinary)
    address_hash: str = Field(unique=True, index=True)
    made_at: int = instant()
    disabled_at: int | None = instant(nullable=True)
    totp_step: int = instant(default=0)


class Link(SQLModel, table=True):
    """A link or a session, by the keyed hash of its token: the token itself is kept nowhere.

    `recipient` is whom it was made for (`therapist:<id>`, `admin`, `account:<id>` or `provider:<id>`); `client_id` and `kind` name a card's
    finding, or `kind` the referral that a provider may answer.
    `used_at` is when it was acted with, `answer_id` what was answered then; `wrong` counts wrong codes.
    """

    __tablename__ = "link"

    token_hash: str = Field(primary_key=True)
    purpose: str
    recipient: str = Field(index=True)
    client_id: int | None = None
    kind: str = ""
    made_at: int = instant()
    expires_at: int = instant(index=True)
    used_at: int | None = instant(nullable=True)
    answer_id: str = ""
    wrong: int = 0


class LinkState(StrEnum):
    good = "good"
    used = "used"
    expired = "expired"
    unknown = "unknown"


class Opened(NamedTuple):
    """A link that was presented: its row, and what it is good for now. `link` is None for one that nobody made."""

    state: LinkState
    link: Link | None


def state_of(link: Link | None, now: Instant) -> LinkState:
    """What a link is good for at `now`."""
    if link is None:
        return LinkState.unknown
    if link.expires_at <= now:
        return LinkState.expired
    return LinkState.good if link.used_at is None else LinkState.used


def address_of(public_url: str, purpose: Purpose, token: str) -> str:
    """The address that a mail holds; a session has none."""
    return f"{public_url.rstrip('/')}{PATHS[purpose]}{token}"


def normal_address(address: str) -> str:
    """A mail address as it is compared: without the space around it, in small letters."""
    return address.strip().casefold()
