"""A channel is one target behind one Apprise object; a message is handed to it, and its failure names it."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from apprise import Apprise, AppriseAsset, NotifyFormat
from apprise.plugins.base import NotifyBase

from integrations.messages.compose import Message
from integrations.messages.mail import Envelope, message_id_of, probe
from integrations.messages.plugin import Handover, PracticeMail, register
from integrations.messages.quiet_logs import speaking_through
from models.disclosure import CEILING, Disclosure, Surface
from models.errors import DeliveryError, SettingsError
from models.instants import Instant


class Kind(StrEnum):
    """What a channel can carry: a whole mail to an address, or a brief to the target in its URL."""

    mail = "mail"
    brief = "brief"


@dataclass(frozen=True, slots=True)
class Receipt:
    """The channel took the message. `code` is the mail server's answer, 0 where the service gives none."""

    channel: str
    message_id: str
    code: int


class Channel:
    """One named target. Hand-overs through it come one after the other; several threads may use it."""

    def __init__(self, name: str, service: NotifyBase) -> None:
        self.name = name
        self.service = service
        self.apprise = Apprise(service)
        self.lock = threading.Lock()

    def __repr__(self) -> str:
        return f"Channel({self.name}, {self.kind.value})"

    @property
    def kind(self) -> Kind:
        return Kind.mail if isinstance(self.service, PracticeMail) else Kind.brief

    @property
    def ceiling(self) -> Disclosure:
        """The most that this channel may show. Only our own mail, to an address of the practice, shows evidence."""
        return CEILING[Surface.mail_body if self.kind is Kind.mail else Surface.brief]


def open_channel(name: str, url: str) -> Channel:
    """The channel of that name behind an Apprise URL. Raises SettingsError, which names the channel and not the URL."""
    register()
    failure = SettingsError(
        f"The URL of channel {name} is not one that Apprise understands; "
        "see the list of services in Apprise's documentation."
    )
    with speaking_through(name):
        try:
            service: Any = Apprise.instantiate(url, asset=_asset(), suppress_exceptions=False)
        except SettingsError as error:
            service, failure = None, SettingsError(f"Channel {name}: {error}")
        except Exception:  # whatever a plugin raises about its URL may quote it
            service = None
    if service is None:
        raise failure
    # One attempt per hand-over, and a failure is a failure: when to try again is the ledger's to say.
    service.retry, service.optional = 0, False
    if len(service) > 1:
        raise SettingsError(
            f"The URL of channel {name} names {len(service)} targets; "
            "write one channel for each, so that a failure names its target."
        )
    return Channel(name, service)


def hand_over(
    channel: Channel,
    message: Message,
    before_handover: Callable[[], None],
    *,
    key: str,
    at: Instant,
    to: str = "",
) -> Receipt:
    """Gives one message to one channel, blocking; call it in a thread of its own where a loop runs.

    `key` names the message for good (its Message-ID follows from it), `at` is its date, `to` the address for a mail
    channel; other channels know their target and get the brief. `before_handover` is called at most once, in this
    thread, as late as possible: write the ledger there; what it raises ends the attempt unsent and comes out unchanged.

    Raises DeliveryError naming the channel, `temporary` telling whether to try again, and HandoverUnknownError (a
    DeliveryError) when a mail server may or may not have taken the mail. Other services do not say why they failed:
    that counts as temporary.
    """
    with channel.lock, speaking_through(channel.name):
        if isinstance(channel.service, PracticeMail):
            return _mail(channel, channel.service, message, before_handover, key=key, at=at, to=to)
        before_handover()
        try:
            taken = bool(channel.apprise.notify(body=message.brief, title=message.title, body_format=NotifyFormat.TEXT))
        except Exception:  # a plugin's error may quote its URL
            taken = False
    if not taken:
        raise DeliveryError(
            f"Channel {channel.name} did not take the message and did not say why; it is tried again later.",
            temporary=True,
        )
    return Receipt(channel=channel.name, message_id="", code=0)


def check(channel: Channel) -> str:
    """Whether the channel answers, without sending: a sentence; raises DeliveryError. Only mail can be asked."""
    if not isinstance(channel.service, PracticeMail):
        return f"Channel {channel.name}: its URL is understood; whether it answers shows when a message is sent."
    with speaking_through(channel.name):
        try:
            return f"Channel {channel.name}: {probe(channel.service.server)}"
        except DeliveryError as error:
            failure = _named(channel, error)
    raise failure


def _mail(
    channel: Channel,
    service: PracticeMail,
    message: Message,
    before_handover: Callable[[], None],
    *,
    key: str,
    at: Instant,
    to: str,
) -> Receipt:
    message_id = message_id_of(key, service.server.sender)
    handover = Handover(Envelope(message=message, to=to, message_id=message_id, at=at), before_handover)
    service.carry(handover)
    # Apprise itself sees only what may stand on a locked screen.
    channel.apprise.notify(body=message.brief, title=message.title, body_format=NotifyFormat.TEXT)
    if isinstance(handover.error, DeliveryError):
        raise _named(channel, handover.error)
    if handover.error is not None:
        raise handover.error
    if not handover.code:
        raise DeliveryError(
            f"Channel {channel.name} was not reached: Apprise did not call it; restart and run `tending check`.",
            temporary=True,
        )
    return Receipt(channel=channel.name, message_id=message_id, code=handover.code)


def _named(channel: Channel, error: DeliveryError) -> DeliveryError:
    """The same error, saying which channel it was."""
    error.args = (f"Channel {channel.name}: {error}",)
    return error


def _asset() -> AppriseAsset:
    # In the caller's thread, so that its context and its database session hold; and no time-out of Apprise's own, which
    # would report a failure while the hand-over goes on behind it (2.0 has one, 1.13 does not).
    unlimited: dict[str, Any] = {"service_timeout": 0} if hasattr(AppriseAsset, "_service_timeout") else {}
    return AppriseAsset(async_mode=False, secure_logging=True, storage_mode="memory", **unlimited)
