"""Saying something of a referral, with what follows decided in the same transaction; and sending one, which a person approves."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import Connection

from integrations.store import links, providers, referrals
from integrations.store.decisions import decide
from integrations.store.referrals import Said
from models.accounts import Purpose, address_of
from models.directory import to_ask_first
from models.errors import UsageError
from models.instants import Instant, day_of
from models.referral_acts import ReferralAct, What
from models.referral_letter import Letter, letter
from models.referral_shape import Referral
from models.referrals import refuse
from models.voice import Voice

if TYPE_CHECKING:
    from integrations.practice import Practice

PLACE_OF_LINK = "(here stands the link, which is made when the letter is approved and kept nowhere)"


class Draft(NamedTuple):
    """A letter to a provider as it would be sent, and the act that it needs."""

    text: str
    act: ReferralAct


def say(
    practice: "Practice",
    connection: Connection,
    client_id: int,
    act: ReferralAct,
    now: Instant,
    *,
    act_id: str = "",
    secret: dict[str, Any] | None = None,
) -> Said:
    """Take an act in, as `referrals.say` does, and look at the client anew."""
    said = referrals.say(practice, connection, client_id, act, now, act_id=act_id, secret=secret)
    decide(practice, connection, [client_id], now)
    return said


def must_be_asked(
    practice: "Practice", connection: Connection, offered: Iterable[str], now: Instant, remedy: str
) -> None:
    """Raise UsageError, with the `remedy`, where somebody is about to be offered who has no place, or whose entry nobody has checked for
    long; whoever asked them says so."""
    chosen = set(offered)
    those = [one for one in providers.listed(connection) if one.id in chosen]
    found = to_ask_first(those, day_of(now, practice.zone), practice.book.of().policy)
    if found:
        whom = "; ".join(f"{provider}: {why}" for provider, why in found)
        raise UsageError(f"Ask first whether they have a place ({whom}); {remedy}")


def draft(
    practice: "Practice", connection: Connection, code: str, referral: Referral, by: str, now: Instant, link: str = ""
) -> Draft:
    """The letter for the provider who was chosen; without a `link` it says where one will stand. Raises UsageError where nothing may be
    sent yet, with the remedy."""
    act = ReferralAct(referral.id, What.sent, now, by=by, provider=referral.provider)
    if (why := refuse(referral, act)) is not None:
        raise UsageError(why)
    contact = providers.contacts(connection, practice.vault).get(referral.provider)
    if contact is None:
        raise UsageError("That provider is no longer in the directory; offer others, or put them in again.")
    voice = Voice(practice.zone, practice.settings.practice.locale, now)
    there = link or (PLACE_OF_LINK if _public(practice) else "")
    return Draft(letter(Letter(practice.name, contact, code, referral.id, there, referral.part2), voice), act)


def send(
    practice: "Practice", connection: Connection, client_id: int, code: str, referral: Referral, by: str, now: Instant
) -> tuple[str, Said]:
    """Write down that a person approved the letter and takes it out of the house, and make its link. Answers the letter's text; it is kept
    encrypted, without the link. Raises UsageError as `draft` does."""
    kept = draft(practice, connection, code, referral, by, now)
    link = ""
    if public := _public(practice):
        recipient = f"provider:{referral.provider}"
        token = links.make(connection, practice.vault, Purpose.reply, recipient, client_id, referral.id, now)
        link = address_of(public, Purpose.reply, token)
    text = draft(practice, connection, code, referral, by, now, link).text
    return text, say(practice, connection, client_id, kept.act, now, secret={"letter": kept.text})


def _public(practice: "Practice") -> str:
    """The address under which others reach the desk, empty where they do not."""
    return practice.settings.desk.public_url if practice.settings.desk is not None else ""
