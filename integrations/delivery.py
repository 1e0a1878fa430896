"""From notices that are due to messages handed over, with the ledger written on both sides of every hand-over."""

import logging
import os
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from integrations.messages.channels import Channel, hand_over, open_channel
from integrations.messages.compose import Item, Message, compose, item_of
from integrations.messages.mail import HandoverUnknownError, SmtpServer, Tls
from integrations.messages.plugin import smtp_url
from integrations.messages.templates import WordingError
from integrations.store import arming, cases, claiming, last_look, leases, outbox, people
from integrations.store.claiming import Bundle, Claimed, Route
from integrations.store.outbox import ATTEMPTS_BEFORE_TELLING, CHANNEL_TRIES
from models.eligibility import Urgency
from models.errors import DeliveryError, NotArmedError, SettingsError
from models.instants import Instant
from models.notices import MessageState
from models.noticing import ADMIN, TO_ADMIN
from models.rules import told
from models.voice import Voice

if TYPE_CHECKING:
    from integrations.practice import Practice

LOG = logging.getLogger("tending.delivery")
MAIL = "mail"
LEASE = "deliver_notices"
NOT_ARMED = "This copy of the practice does not send; allow it with `tending arm`."
UNSAID = Item(
    "Something to look at",
    "A notice of yours could not be put into words, by a fault of this program; `tending findings` and `tending status` "
    "show what stands, and the log says which kind of notice it was.",
)
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
            mine = [c.name for c in settings.channel if c.therapist == recipient.partition(":")[2]]
        return ways + [Route(name, "") for name in mine]

    def _address(self, recipient: str) -> str:
        if recipient == ADMIN:
            return self._practice.settings.admin.email if self._practice.settings.admin else ""
        if self._addresses is None:
            with self._practice.store.read() as connection:
                self._addresses = people.addresses(connection, self._practice.vault)
        return self._addresses.get(recipient.partition(":")[2], "")

    def render(self, connection: Connection) -> claiming.Render:
        """The renderer that reads evidence and codes in the claiming transaction."""
        practice = self._practice
        locale = practice.settings.practice.locale

        def item(purpose: str, part: str, facts: dict[str, Any], voice: Voice) -> Item:
            return item_of(purpose, part, facts, to_zone=voice.zone, locale=locale, at=voice.now)

        beginners = cases.new_therapists(practice, connection, practice.book.of().policy)
        protocol = practice.settings.safety.protocol or None

        def finding(rule: str, kind: str, client_id: int, voice: Voice) -> Item:
            code, reason, evidence = last_look.evidence(connection, client_id, kind)
            gently = voice.now < beginners.get(last_look.whose(connection, client_id)[1], 0)
            said = told(kind, reason, evidence, voice, gently=gently)
            return item(rule, kind, said | {"code": code, "protocol": protocol}, voice)

        def unanswered(notice: Any, voice: Voice) -> Item:
            """What the administrator hears: that something is unanswered, and of what asks for safety whose it is."""
            code, therapist = last_look.whose(connection, notice.client_id)
            facts = {"therapist": therapist, "since": last_look.first_told(connection, notice), "protocol": protocol}
            safety = notice.urgency == Urgency.safety
            return item(
                "unanswered", "safety" if safety else "unanswered", facts | ({"code": code} if safety else {}), voice
            )

        def items(notice: Any, voice: Voice) -> list[Item]:
            rule, _, kind = notice.purpose.partition(".")
            if notice.client_id is not None and kind:
                if notice.step == TO_ADMIN:
                    return [unanswered(notice, voice)]
                return [finding(rule, kind, notice.client_id, voice)]
            if notice.purpose == "unconfirmed":
                still = last_look.still_open(connection, "unconfirmed", notice.facts["clients"])
                return [finding("unconfirmed", "unconfirmed", client, voice) for client in still]
            if rule == "nightly_check":
                return [item(rule, part, facts, voice) for part, facts in _of_the_night(notice.facts)]
            return [
                item(rule, rule, notice.facts | ({"protocol": protocol} if rule == "risk_unmatched" else {}), voice)
            ]

        def spoken(notice: Any, voice: Voice) -> list[Item]:
            try:
                return items(notice, voice)
            except (WordingError, LookupError, TypeError, ValueError) as error:
                # A fault of ours in one notice must keep neither it nor anybody else's from being sent.
                LOG.error("a notice of %s could not be put into words (%s)", notice.purpose, type(error).__name__)
                return [UNSAID]

        def render(recipient: str, bundle: list[Any], now: Instant, more: int) -> dict[str, Any]:
            therapist = recipient.partition(":")[2]
            zone = people.zone_of(connection, therapist) or practice.zone
            voice = Voice(zone, locale, now)
            said = [item for notice in bundle for item in spoken(notice, voice)]
            if more:
                said.append(item("more", "more", {"count": more}, voice))
            message = compose(said, practice=practice.name, to_zone=voice.zone, locale=locale, at=now)
            return asdict(message)

        return render

    def claim(self, bundle: Bundle, now: Instant, holder: str) -> Claimed | None:
        """The message that a bundle of notices becomes, if anything of it still holds and may go now."""
        with self._practice.store.write() as connection:
            return claiming.claim(self._practice, connection, bundle, now, holder, self.route, self.render(connection))

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


def _of_the_night(facts: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """The items of a nightly check's notice: the part of the wording and its facts."""
    said = [("difference", each) for each in facts["differ"]]
    said += [("more", {"count": facts["differ_more"]})] * bool(facts["differ_more"])
    said += [("failed", {"code": code}) for code in facts["failed"]]
    return said + [("failed_more", {"count": facts["failed_more"]})] * bool(facts["failed_more"])


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
