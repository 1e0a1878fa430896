"""Turns facts into items, and one recipient's items into one message: private subject, text, HTML and a brief."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from integrations.messages.templates import Wording, load
from models import words
from models.instants import Instant, local
from models.voice import Voice

_CODE = re.compile(r"\bC-[0-9A-HJKMNP-TV-Z]{7,}\b")
_LONGEST_NAME = 60
PREVIEW = 100
"""So many characters of a mail's beginning a telephone shows before anybody opens it, at least."""
_ROOM = "\u034f\u00a0" * PREVIEW
"""What is not seen and keeps a longer preview from going on to the items: behind the opening, in HTML."""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing a message is about: who or what, why, what would clear it, and a link (http, https) to answer at. `away` is the colleague
    on leave whose client it is, by name, where it goes to somebody else in their place."""

    label: str
    sentence: str
    clears: str = ""
    link: str | None = None
    away: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """One message for one recipient, in every form a channel may need; text throughout, so it can be stored as it is.

    `subject`, `text` and `html` are a mail's; `title` and `brief` are what any other channel shows, within its ceiling. `calendar` is an
    invitation that goes with a mail (iCalendar text) and `method` what it asks for; empty where there is none.
    """

    subject: str
    text: str
    html: str
    title: str
    brief: str
    locale: str
    calendar: str = ""
    method: str = ""


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

    What stands as a day is an instant; its distance counts from the day of `at` in `to_zone`. For a rule's finding the
    facts are `code`, `label`, `sentence` and `clears`, as the rule tells them. Raises WordingError.
    """
    said = (wording or load()).item(purpose, part, facts, Voice(zone=to_zone, locale=locale, now=at))
    return Item(**said, link=link)


def compose(
    items: Sequence[Item],
    *,
    practice: str,
    to_zone: str,
    locale: str,
    at: Instant,
    today: bool = False,
    wording: Wording | None = None,
) -> Message:
    """One message of the items in their order. The subject holds the practice's name and a count, nothing of the items; of what asks for
    safety (`today`) also that it should be read today.

    Raises ValueError for no items (an empty message is never sent) and for a link that is not http or https.
    """
    if not items:
        raise ValueError("a message needs an item")
    if any(item.link is not None and not item.link.startswith(("http://", "https://")) for item in items):
        raise ValueError("a link starts with http:// or https://")
    wording = wording or load()
    voice = Voice(zone=to_zone, locale=locale, now=at)
    outside = {"practice": neutral(practice)[:_LONGEST_NAME].rstrip(), "count": len(items), "today": today}
    inside = outside | {
        "opening": neutral(wording.frame("mail/opening.txt", outside, voice)),
        "room": _ROOM,
        "items": items,
        "as_of": f"{voice.day(at)}, {words.time_of_day(local(at, to_zone), locale=locale)}",
        "language": locale.replace("_", "-"),
        "coded": any(_CODE.search(f"{item.label} {item.sentence}") for item in items),
    }
    return Message(
        subject=neutral(wording.frame("mail/subject.txt", outside, voice)),
        text=wording.frame("mail/frame.txt", inside, voice).strip("\n") + "\n",
        html=wording.frame("mail/frame.html", inside, voice),
        title=neutral(wording.frame("brief/title.txt", outside, voice)),
        brief=neutral(wording.frame("brief/body.txt", outside, voice)),
        locale=locale,
    )


def preview(message: Message) -> str:
    """What a telephone shows of a mail's text before it is opened."""
    return " ".join(message.text.split())[:PREVIEW].rstrip()


def neutral(name: str) -> str:
    """A name fit for a header: one line, no control or direction-changing characters."""
    kept = "".join(" " if unicodedata.category(sign) in {"Cc", "Zl", "Zp"} else sign for sign in name)
    kept = "".join(sign for sign in kept if unicodedata.category(sign) not in {"Cf", "Cs"})
    return " ".join(kept.split())
