"""From notices that are due to messages handed over, with the ledger written on both sides of every hand-over."""

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from integrations.messages.addresses import is_address
from integrations.messages.channels import Channel, hand_over, open_channel
from integrations.messages.compose import Message
from integrations.messages.mail import HandoverUnknownError, SmtpServer, Tls
from integrations.messages.plugin import smtp_url
from integrations.rendering import Inviter, Renderer
from integrations.store import accounts, arming, claiming, identity, inviting, leases, outbox, people
from integrations.store.claiming import Bundle, Claimed, Route
from integrations.store.outbox import ATTEMPTS_BEFORE_TELLING, CHANNEL_TRIES
from models.accounts import ACCOUNT
from models.errors import DeliveryError, NotArmedError, SettingsError
from models.instants import Instant
from models.invitations import CLIENT
from models.notices import MessageState
from models.noticing import ADMIN, therapist_recipient

if TYPE_CHECKING:
    from integrations.practice import Practice

MAIL = "mail"
LEASE = "deliver_notices"
NOT_ARMED = "This copy of the practice does not send; allow it with `tending arm`."
LEASE_SECONDS = 120  # renewed before every message; longer than one hand-over can take


@dataclass(slots=True)
class Delivered:
    """What one delivery came to, in messages."""

    sent: int = 0
    refused: int = 0
    failed: int = 0
    unsure: int = 0
    recovered: int = 0


def deliver(practice: "Practice", now: Instant, holder: str) -> Delivered:
    """Claim and hand over everything that is due at `now`; blocking. `holder` says for people who delivers.

    Raises NotArmedError where this copy may not send, LeaseHeld where somebody else is delivering.
    """
    if not arming.armed(practice.store, practice.data):
        raise NotArmedError(NOT_ARMED)
    result = Delivered()
    post = PostRoom(practice)
    with leases.lease(practice.store, LEASE, holder, _clock(), LEASE_SECONDS) as held:
        with practice.store.write() as connection:
            result.recovered = outbox.recover(connection, now, _clock())
            bundles = claiming.due_bundles(practice, connection, now)
        for number, bundle in enumerate(bundles):
            if number:
                held.renew(_clock())
            # Claimed right before it is handed over: the last look is minutes old otherwise when many go out.
            message = post.claim(bundle, now, held.holder)
            if message is None:
                continue
            outcome = post.give(message, now)
            setattr(result, outcome, getattr(result, outcome) + 1)
        with practice.store.read() as connection:
            invited = inviting.due(connection, now)
        for number in invited:
            held.renew(_clock())
            message = post.invite(number, now, held.holder)
            if message is not None:
                outcome = post.give(message, now)
                setattr(result, outcome, getattr(result, outcome) + 1)
    return result


def _clock() -> Instant:
    """The real time: leases are about processes, whatever day the practice is looked at."""
    return int(time.time())


class PostRoom:
    """Routes, words and channels of one practice."""

    def __init__(self, practice: "Practice") -> None:
        self._practice = practice
        self._channels: dict[str, Channel] = {}
        self._addresses: dict[str, str] | None = None

    def route(self, recipient: str, bundle: Iterable[Any]) -> Route | None:
        """How a recipient is reached: by mail where there is an address, else by a channel of theirs. What tells of a failing
        channel takes another one where there is one."""
        failing = {
            notice.facts.get("channel") for notice in bundle if notice.purpose in ("delivery_failed", "handed_over")
        }
        ways = self._ways(recipient)
        return next((way for way in ways if way.channel not in failing), ways[0] if ways else None)

    def _ways(self, recipient: str) -> list[Route]:
        """All the ways to somebody, mail first."""
        settings = self._practice.settings
        ways: list[Route] = []
        address = self._address(recipient)
        if settings.mail is not None and address:
            ways.append(Route(MAIL, address))
        if recipient == ADMIN:
            named = settings.admin.channels if settings.admin else ()
            mine = [c.name for c in settings.channel if not c.therapist and (not named or c.name in named)]
        else:
            mine = [c.name for c in settings.channel if recipient == therapist_recipient(c.therapist)]
        return ways + [Route(name, "") for name in mine]

    def _address(self, recipient: str) -> str:
        if recipient == ADMIN:
            return self._practice.settings.admin.email if self._practice.settings.admin else ""
        if recipient.startswith(ACCOUNT):
            with self._practice.store.read() as connection:
                person = accounts.of_number(connection, self._practice.vault, int(recipient.removeprefix(ACCOUNT)))
            return person.address if person else ""
        if self._addresses is None:
            with self._practice.store.read() as connection:
                self._addresses = people.addresses(connection, self._practice.vault)
        return self._addresses.get(recipient.partition(":")[2], "")

    def claim(self, bundle: Bundle, now: Instant, holder: str) -> Claimed | None:
        """The message that a bundle of notices becomes, if anything of it still holds and may go now."""
        with self._practice.store.write() as connection:
            return claiming.claim(
                self._practice, connection, bundle, now, holder, self.route, Renderer(self._practice, connection)
            )

    def invite(self, number: int, now: Instant, holder: str) -> Claimed | None:
        """The message that an invitation asks for, if it still does and may go now."""
        writer = Inviter(self._practice)
        with self._practice.store.write() as connection:
            return inviting.claim(
                self._practice, connection, number, now, holder, lambda c, row: self._mail_to(c, row, now), writer
            )

    def _mail_to(self, connection: Connection, row: Any, now: Instant) -> str:
        """The mail address of whoever is invited; a client's is read audited. Empty where there is none."""
        if self._practice.settings.mail is None:
            return ""
        if row.recipient.startswith(CLIENT):
            code = row.recipient.removeprefix(CLIENT)
            said = identity.contact(connection, self._practice.vault, code, row.approved, now)
            return said if is_address(said) else ""
        return people.addresses(connection, self._practice.vault).get(row.recipient.partition(":")[2], "")

    def give(self, claimed: Claimed, now: Instant) -> str:
        """Hand one message over and write down what came of it: `sent`, `refused`, `failed` or `unsure`.

        Raises NotArmedError, with the message released, where somebody has disarmed this copy meanwhile.
        """
        practice, store = self._practice, self._practice.store
        message = Message(**{k: v for k, v in claimed.payload.items() if k in Message.__dataclass_fields__})

        def before() -> None:
            with store.write() as connection:
                if arming.state_in(connection, practice.data) is not arming.Arming.armed:
                    raise NotArmedError(NOT_ARMED)
                outbox.move(connection, claimed.id, MessageState.handing, now)

        try:
            channel = self.channel(claimed.channel)
            hand_over(channel, message, before, key=claimed.header, at=claimed.payload["at"], to=claimed.payload["to"])
        except NotArmedError as error:
            with store.write() as connection:
                outbox.release(connection, claimed.id, now, str(error))
            raise
        except HandoverUnknownError as error:
            with store.write() as connection:
                outbox.unsure(connection, claimed.id, now, str(error))
            return "unsure"
        except SettingsError as error:
            self._refused(claimed, str(error), now)
            return "refused"
        except DeliveryError as error:
            return self._not_taken(claimed, error, now)
        with store.write() as connection:
            outbox.move(connection, claimed.id, MessageState.sent, now)
            outbox.take_links_out(connection, practice.vault, claimed.id)
        return "sent"

    def _not_taken(self, claimed: Claimed, error: DeliveryError, now: Instant) -> str:
        """`refused` for now, or `failed` for good: what a mail server says so of, or another channel has not taken time and again."""
        with self._practice.store.write() as connection:
            often = claimed.channel != MAIL and outbox.tried(connection, claimed.id) + 1 >= CHANNEL_TRIES
            if not error.temporary or often:
                outbox.refused_for_good(connection, claimed.id, now, str(error))
                self._tell(connection, claimed, str(error), now)
                return "failed"
        self._refused(claimed, str(error), now)
        return "refused"

    def _refused(self, claimed: Claimed, reason: str, now: Instant) -> None:
        with self._practice.store.write() as connection:
            tries = outbox.release(connection, claimed.id, now, reason)
            if tries >= ATTEMPTS_BEFORE_TELLING:
                self._tell(connection, claimed, reason, now)

    def _tell(self, connection: Connection, claimed: Claimed, reason: str, now: Instant) -> None:
        """The administrator hears of a failing channel, unless it is the only one they have themselves."""
        if claimed.recipient != ADMIN or len(self._ways(ADMIN)) > 1:
            outbox.tell_failure(self._practice, connection, claimed.channel, reason, now)

    def channel(self, name: str) -> Channel:
        """The channel of that name, opened once. Raises SettingsError."""
        if name not in self._channels:
            self._channels[name] = open_channel(name, self._url(name))
        return self._channels[name]

    def _url(self, name: str) -> str:
        settings = self._practice.settings
        if name == MAIL:
            return smtp_url(smtp_server(self._practice))
        for part in settings.channel:
            if part.name == name:
                url = os.environ.get(part.url_env, "")
                if not url:
                    raise SettingsError(
                        f"Channel {name}: the environment variable {part.url_env} is not set; put its address into it."
                    )
                return url
        raise SettingsError(f"There is no channel called {name} in practice.toml any more.")


def smtp_server(practice: "Practice") -> SmtpServer:
    """The mail server of practice.toml. Raises SettingsError where there is none."""
    mail = practice.settings.mail
    if mail is None:
        raise SettingsError("practice.toml has no [mail]; without it nobody can be written to.")
    password = os.environ.get(mail.password_env, "") if mail.user else ""
    return SmtpServer(mail.host, mail.port, Tls(mail.security), mail.sender, practice.name, mail.user, password)


def channels_of(practice: "Practice") -> list[str]:
    """Names of all channels that practice.toml knows, mail first."""
    return ([MAIL] if practice.settings.mail else []) + [c.name for c in practice.settings.channel]
