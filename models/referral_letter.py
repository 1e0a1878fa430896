"""The letter that goes to a provider: by code and reference alone, with a link to answer by, and the notice of 42 CFR Part 2."""

from typing import NamedTuple, Protocol

from models import words
from models.accounts import LASTS, Purpose
from models.instants import day_of
from models.voice import Voice

PART2_NOTICE = "42 CFR part 2 prohibits unauthorized use or disclosure of these records."
"""The short notice that accompanies a disclosure, 42 CFR 2.32(a)(2) (from memory: compare it with the text in force)."""


class Reached(Protocol):
    """How a provider is reached."""

    @property
    def name(self) -> str: ...
    @property
    def address(self) -> str: ...
    @property
    def phone(self) -> str: ...
    @property
    def email(self) -> str: ...


class Letter(NamedTuple):
    """What a letter is made of; `link` is empty where the desk has no public address."""

    practice: str
    to: Reached
    code: str
    reference: str
    link: str
    part2: bool


def letter(made_of: Letter, voice: Voice) -> str:
    """The text of the letter. It names no client: name and number are told by telephone or on paper, by whoever sends it."""
    to = made_of.to
    today = words.dated(day_of(voice.now, voice.zone), locale=voice.locale)
    head = [made_of.practice, today, "", to.name, *filter(None, (to.address, to.phone, to.email)), ""]
    asks = (
        "Would you tell us how it stands: whether you can take this on, whether you have a place, and when a first visit is booked or has "
        "taken place? Each answer helps us not to leave somebody waiting."
    )
    by_link = (
        f"One answer can be given by this link. Its page names nobody, and it opens for {LASTS[Purpose.reply] // 86400} days:\n"
        f"{made_of.link}\nEverything after that reaches us by telephone."
        if made_of.link
        else "Please answer by telephone."
    )
    parts = [
        "\n".join(head).rstrip(),
        f"Referral {made_of.reference}, our code {made_of.code}",
        "We would like to refer somebody to you, who has agreed to it. Their name and number follow by telephone or on paper; please do "
        "not write them into a mail.",
        asks,
        by_link,
        *([PART2_NOTICE] if made_of.part2 else []),
    ]
    return "\n\n".join(parts) + "\n"
