"""Turns facts into items, and one recipient's items into one message: private subject, text, HTML and a brief."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from integrations.messages.templates import Moment, Wording, load
from models import words
from models.instants import Instant, local

_CODE = re.compile(r"\bC-[0-9A-HJKMNP-TV-Z]{7,}\b")
_LONGEST_LINE = 120


@dataclass(frozen=True, slots=True)
class Item:
    """One thing a message is about: who or what, why, what would clear it, and a link (http, https) to answer at."""

    label: str
    sentence: str
    clears: str = ""
    link: str | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """One message for one recipient, in every form a channel may need; text throughout, so it can be stored as it is.

    `subject`, `text` and `html` are a mail's; `title` and `brief` are what any other channel shows, within its ceiling.
    """

    subject: str
    text: str
    html: str
    title: str
    brief: str
    locale: str


def item_of(
    purpose: str,
    part: str,
    facts: Mapping[str, Any],
    *,
    to_zone: str,
    locale: str,
    at: Instant,
    link: str | None = None,
    wording: Wording | None = None,
) -> Item:
    """The item that `wording/<purpose>/<part>.txt` makes of the facts (names as in models.disclosure.FIELD_LEVEL).

    Days are dates, their ISO text or instants; distances count from the day of `at` in `to_zone`. Raises WordingError.
    """
    said = (wording or load()).item(purpose, part, facts, Moment(at=at, zone=to_zone, locale=locale))
    return Item(**said, link=link)


def compose(
    items: Sequence[Item], *, practice: str, to_zone: str, locale: str, at: Instant, wording: Wording | None = None
) -> Message:
    """One message of the items in their order. The subject holds the practice's name and a count, nothing of the items.

    Raises ValueError for no items (an empty message is never sent) and for a link that is not http or https.
    """
    if not items:
        raise ValueError("a message needs an item")
    if any(item.link is not None and not item.link.startswith(("http://", "https://")) for item in items):
        raise ValueError("a link starts with http:// or https://")
    wording = wording or load()
    moment = Moment(at=at, zone=to_zone, locale=locale)
    then = local(at, to_zone)
    outside = {"practice": neutral(practice), "count": len(items)}
    inside = outside | {
        "items": items,
        "as_of": ", ".join(
            (words.day(then.date(), today=then.date(), locale=locale), words.time_of_day(then, locale=locale))
        ),
        "language": locale.replace("_", "-"),
        "coded": any(_CODE.search(f"{item.label} {item.sentence}") for item in items),
    }
    return Message(
        subject=neutral(wording.frame("mail/subject.txt", outside, moment)),
        text=wording.frame("mail/frame.txt", inside, moment).strip("\n") + "\n",
        html=wording.frame("mail/frame.html", inside, moment),
        title=neutral(wording.frame("brief/title.txt", outside, moment)),
        brief=neutral(wording.frame("brief/body.txt", outside, moment)),
        locale=locale,
    )


def neutral(name: str) -> str:
    """A name fit for a header: one line, no control or direction-changing characters, not endless."""
    kept = "".join(" " if unicodedata.category(sign) in {"Cc", "Zl", "Zp"} else sign for sign in name)
    kept = "".join(sign for sign in kept if unicodedata.category(sign) not in {"Cf", "Cs"})
    return " ".join(kept.split())[:_LONGEST_LINE]
