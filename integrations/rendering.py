"""What notices say: each one's facts in its reader's words, with the link at which it is answered; read in the claiming transaction."""

import logging
from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from integrations.messages.compose import Item, compose, item_of
from integrations.messages.invitations import OVER, Beside, Ends, load_icalendar, message_of
from integrations.messages.templates import WordingError
from integrations.store import cases, ending_rows, invitations, last_look, links, people, recipients
from integrations.store.ending_rows import CONFIRM
from integrations.store.ending_schedule import ABOUT as ENDING
from models.accounts import Purpose, address_of
from models.eligibility import Urgency
from models.instants import Instant, day_of
from models.invitations import CLIENT, Going, Method, sent_of
from models.noticing import ADMIN, TO_ADMIN, therapist_recipient
from models.rules import KIND_WORD, told
from models.spoken import here
from models.voice import Voice

if TYPE_CHECKING:
    from integrations.practice import Practice

LOG = logging.getLogger("tending.delivery")
UNSAID = Item(
    "Something to look at",
    "A notice of yours could not be put into words, by a fault of this program; `tending findings` and `tending status` "
    "show what stands, and the log says which kind of notice it was.",
)
SIGN_IN, FRESH_LINK = "sign_in", "fresh_link"


class Renderer:
    """Renders one recipient's notices into one message. Reads evidence and codes, and makes links, through the connection it is given."""

    def __init__(self, practice: "Practice", connection: Connection) -> None:
        self._practice = practice
        self._connection = connection
        self._beginners = cases.new_therapists(practice, connection, practice.book.of().policy)
        self._protocol = practice.settings.safety.protocol or None
        desk = practice.settings.desk
        self._public_url = desk.public_url if desk else ""
        self._kindly = True

    def __call__(self, recipient: str, bundle: Sequence[Any], now: Instant, more: int) -> dict[str, Any]:
        """The message as plain data; `more` is how many others it tells of by number only."""
        self._kindly = True
        zone = people.zone_of(self._connection, recipient.partition(":")[2]) or self._practice.zone
        voice = Voice(zone, self._practice.settings.practice.locale, now)
        said = [item for notice in bundle for item in self._spoken(notice, recipient, voice)]
        if more:
            said.append(self._item("more", "more", {"count": more}, voice))
        said = [self._read_by(recipient, item) for item in said]
        today = any(notice.urgency == Urgency.safety for notice in bundle)
        message = compose(
            said, practice=self._practice.name, to_zone=voice.zone, locale=voice.locale, at=now, today=today
        )
        return asdict(message)

    def _read_by(self, recipient: str, item: Item) -> Item:
        """An item in its reader's words: who has the desk and is not the administrator is sent there, not to a terminal."""
        if not self._public_url or recipient == ADMIN:
            return item
        return replace(item, sentence=here(item.sentence), clears=here(item.clears))

    def _spoken(self, notice: Any, recipient: str, voice: Voice) -> list[Item]:
        try:
            return self._items(notice, recipient, voice)
        except (WordingError, LookupError, TypeError, ValueError) as error:
            # A fault of ours in one notice must keep neither it nor anybody else's from being sent.
            LOG.error("a notice of %s could not be put into words (%s)", notice.purpose, type(error).__name__)
            return [UNSAID]

    def _items(self, notice: Any, recipient: str, voice: Voice) -> list[Item]:
        rule, _, kind = notice.purpose.partition(".")
        if notice.client_id is not None and kind:
            if notice.step == TO_ADMIN:
                return [self._unanswered(notice, voice)]
            if recipient == ADMIN and notice.urgency != Urgency.safety:
                return [self._nobody(notice, voice)]
            return [self._finding(rule, kind, notice.client_id, recipient, voice)]
        if rule == "unconfirmed":
            still = last_look.still_open(self._connection, "unconfirmed", notice.facts["clients"])
            return [self._finding("unconfirmed", "unconfirmed", client, recipient, voice) for client in still]
        if rule == "nightly_check":
            return [self._item(rule, part, facts, voice) for part, facts in _of_the_night(notice.facts)]
        if rule == CONFIRM:
            said = {name: value for name, value in notice.facts.items() if name != "said"}
            asks = notice.facts["said"] == "asked" and notice.client_id is not None
            link = self._link(Purpose.card, recipient, voice.now, notice.client_id, CONFIRM) if asks else None
            return [self._item(rule, notice.facts["said"], said, voice, link)]
        if rule == SIGN_IN:
            return [self._item(rule, rule, {}, voice, self._link(Purpose.sign_in, recipient, voice.now))]
        if rule == FRESH_LINK:
            about = (notice.facts["client_id"], notice.facts["kind"])
            return [self._item(rule, rule, {}, voice, self._link(Purpose.card, recipient, voice.now, *about))]
        more: dict[str, Any] = {"protocol": self._protocol} if rule in ("risk_unmatched", "risk_set_aside") else {}
        if rule == "risk_set_aside" and notice.step:
            more["since"] = last_look.first_told(self._connection, notice)
        return [self._item(rule, rule, notice.facts | more, voice)]

    def _finding(self, rule: str, kind: str, client_id: int, recipient: str, voice: Voice) -> Item:
        code, reason, evidence = last_look.evidence(self._connection, client_id, kind)
        _, therapist = last_look.whose(self._connection, client_id)
        gently = self._kindly and voice.now < self._beginners.get(therapist, 0)
        said = told(kind, reason, evidence, voice, gently=gently)
        self._kindly = self._kindly and not said["sentence"].endswith(KIND_WORD)  # once in a mail is kind
        facts = said | {"code": code, "protocol": self._protocol}
        item = self._item(rule, kind, facts, voice, self._link(Purpose.card, recipient, voice.now, client_id, kind))
        return replace(item, away=self._away(therapist, recipient, voice.now))

    def _away(self, therapist: str, recipient: str, now: Instant) -> str:
        """The name of a therapist on leave in whose place somebody else is written to; empty where that is not so."""
        if recipient == therapist_recipient(therapist):
            return ""
        away = recipients.away_on(self._connection, day_of(now, self._practice.zone))
        return self._names.get(therapist, therapist) if therapist in away else ""

    def _unanswered(self, notice: Any, voice: Voice) -> Item:
        """What the administrator hears: that something is unanswered, and of what asks for safety whose it is."""
        code, therapist = last_look.whose(self._connection, notice.client_id)
        since = last_look.first_told(self._connection, notice)
        if notice.urgency == Urgency.safety:
            facts = {"therapist": therapist, "since": since, "code": code, "protocol": self._protocol}
            return self._item("unanswered", "safety", facts, voice)
        return self._item("unanswered", "unanswered", {"therapist": therapist, "since": since}, voice)

    def _nobody(self, notice: Any, voice: Voice) -> Item:
        """What the administrator hears of a prompt that reached nobody: whose it is, and not what it says."""
        code, therapist = last_look.whose(self._connection, notice.client_id)
        return self._item("unanswered", "nobody", {"code": code, "therapist": therapist or None}, voice)

    def _link(
        self, purpose: Purpose, recipient: str, now: Instant, client_id: int | None = None, kind: str = ""
    ) -> str | None:
        """An address to answer at, made now; None where the practice has no desk that people can reach."""
        if not self._public_url:
            return None
        token = links.make(self._connection, self._practice.vault, purpose, recipient, client_id, kind, now)
        return address_of(self._public_url, purpose, token)

    @cached_property
    def _names(self) -> dict[str, str]:
        return people.names_of_therapists(self._connection, self._practice.vault)

    def _named(self, therapist: str) -> str:
        """A therapist as a colleague calls them, with the id that commands take."""
        name = self._names.get(therapist, "")
        return f"{name} ({therapist})" if name else therapist

    def _item(self, purpose: str, part: str, facts: dict[str, Any], voice: Voice, link: str | None = None) -> Item:
        if facts.get("therapist"):
            facts = facts | {"therapist": self._named(facts["therapist"])}
        return item_of(purpose, part, facts, to_zone=voice.zone, locale=voice.locale, at=voice.now, link=link)


class Inviter:
    """Renders the message of one invitation, in its reader's zone."""

    def __init__(self, practice: "Practice") -> None:
        self._practice = practice
        load_icalendar()  # which takes a while: before a transaction begins

    def __call__(self, connection: Connection, row: Any, going: Going, address: str, now: Instant) -> dict[str, Any]:
        """The message as plain data. `row` is the invitation's; its client's code stands in a therapist's alone."""
        settings = self._practice.settings
        assert settings.mail is not None, "somebody is reached by mail"
        to_client = row.recipient.startswith(CLIENT)
        zone = "" if to_client else people.zone_of(connection, row.recipient.partition(":")[2])
        voice = Voice(zone or self._practice.zone, settings.practice.locale, now)
        ends = Ends(settings.mail.sender, self._practice.name, address)
        code = "" if to_client else people.code_of(connection, row.client_id)
        before = sent_of(row.sent)
        ending = row.about.startswith(ENDING)
        told = to_client or invitations.client_was_told(connection, row.uid)
        over, expected = "", False
        if ending and not to_client and going.method is Method.cancel:
            over = OVER.get(ending_rows.state_of(connection, row.about.removeprefix(ENDING)), "")
            expected = invitations.client_expects(connection, row.uid)
        said = message_of(
            row.uid,
            going,
            Beside(code, ending and not to_client, not told, expected, over),
            ends,
            settings.invitations,
            voice,
            before.start if before else None,
        )
        return asdict(said)


def _of_the_night(facts: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """The items of a nightly check's notice: the part of the wording and its facts."""
    said = [("difference", each) for each in facts["differ"]]
    said += [("more", {"count": facts["differ_more"]})] * bool(facts["differ_more"])
    said += [("failed", {"code": code}) for code in facts["failed"]]
    return said + [("failed_more", {"count": facts["failed_more"]})] * bool(facts["failed_more"])
