"""A provider's answer by the link in our letter: by reference alone, given once; looking changes nothing."""

from datetime import date

from fastapi.responses import Response
from sqlalchemy import Connection

from integrations import referring
from integrations.store import links, referrals
from models.accounts import Link, LinkState, Purpose
from models.instants import Instant, start_of
from models.referral_acts import NOT_KNOWN, ReferralAct, What
from models.referral_refusals import wrong_day
from models.referral_shape import Referral, State
from models.referrals import refuse
from tending.desk.asking import Asked, SorryError, page

CHOICES: dict[str, str] = {
    "accepted": "We take this on",
    "booked": "A first visit is booked",
    "seen": "A first visit has taken place",
    "full": "We have no place at present",
    "declined": "This is not for us",
    "finished": "We have done what was asked for",
}
"""What a provider may say, by the word of news that it is."""
DATED = ("booked", "seen")
TITLE = "Referral"
OVER = "This link opens nothing any more. It lasts for 60 days and is answered with once; everything else reaches us by telephone."
CLOSED = "Thank you. This referral is closed by now, so there is nothing left to say."
MOVED = "Thank you. This referral is with somebody else by now, so there is nothing left to say."
EARLY = "This referral has not been sent yet, so there is nothing to say of it."
THANKS = "Thank you. It is written down, and whoever looks after this can read it."
WRONG_DAY = "That day cannot be meant, so nothing was written down. Open the page anew and say it again, or leave the day empty."
KEPT = "Thank you. It is written down. It does not follow from what we knew before, and is kept as you said it."


def ask(asked: Asked) -> Response:
    """The questions, or why there are none."""
    token = asked.path["token"]
    with asked.practice.store.read() as connection:
        link = _opened(asked, connection)
        stands = None if link is None else _stands(connection, link)
    if link is None or stands is None:
        return _says(asked, OVER, 410)
    if (why := _nothing_to_say(stands, link)) is not None:
        return _says(asked, why, 410)
    return page(
        asked,
        "reply.html",
        title="How does it stand?",
        reference=stands.id,
        offered=asked.voice.day(stands.offered_at),
        choices=list(CHOICES.items()),
        dated=DATED,
        token=token,
        link_form=asked.sealed_form(token),
    )


def tell(asked: Asked) -> Response:
    """One answer: kept whatever it is, and used to move the referral where it follows from how that stands."""
    asked.require_form(asked.path["token"])
    word = asked.form.get("word", "")
    if word not in CHOICES:
        raise SorryError(400, "That is none of the answers, so nothing was changed. Open the page anew.")
    day = _day(asked, word)
    with asked.practice.store.write() as connection:
        link = _opened(asked, connection)
        stands = None if link is None else _stands(connection, link)
        if link is None or stands is None or link.client_id is None:
            return _says(asked, OVER, 410)
        act = ReferralAct(
            stands.id,
            What.news,
            asked.now,
            by=link.recipient,
            provider=_provider(link),
            word=word,
            day=day,
            via="link",
        )
        if wrong_day(stands, act) is not None:
            raise SorryError(400, WRONG_DAY)
        why = _nothing_to_say(stands, link)
        fits = refuse(stands, act) is None
        if not links.use(connection, link, asked.now, word):
            return _says(asked, OVER, 410)
        referring.say(asked.practice, connection, link.client_id, act, asked.now)
    return _says(asked, why or (THANKS if fits else KEPT), 200)


def _opened(asked: Asked, connection: Connection) -> Link | None:
    found = links.open(connection, asked.practice.vault, asked.path["token"], Purpose.reply, asked.now)
    return found.link if found.state is LinkState.good else None


def _stands(connection: Connection, link: Link) -> Referral | None:
    return None if link.client_id is None else referrals.find(connection, link.client_id, link.kind)


def _provider(link: Link) -> str:
    return link.recipient.partition(":")[2]


def _nothing_to_say(stands: Referral, link: Link) -> str | None:
    """Why a referral takes no answer of this provider any more, or not yet."""
    if stands.over:
        return CLOSED
    if stands.provider and stands.provider != _provider(link):
        return MOVED
    if stands.state not in (State.sent, State.attended):
        return EARLY
    return None


def _day(asked: Asked, word: str) -> Instant:
    text = asked.form.get("day", "").strip()
    if not text or word not in DATED:
        return NOT_KNOWN
    try:
        return start_of(date.fromisoformat(text), asked.practice.zone)
    except (ValueError, OverflowError):
        raise SorryError(400, "That is no day, so nothing was changed. Open the page anew and say it again.") from None


def _says(asked: Asked, text: str, status: int) -> Response:
    """A page without a way into the desk: whoever reads it does not belong there."""
    return page(asked, "told.html", status=status, title=TITLE, text=text)
