"""A moment and messages that the tests of messages share."""

from integrations.messages.compose import Item, Message, compose
from models.instants import Instant, at_wall

AT: Instant = at_wall("2026-11-23T07:30:00", "Europe/London")
CODE = "C-7F3K9QX"


def an_item(sentence: str = "Last seen Tue 3 Nov, 20 days ago; usually every 7 days. Nothing booked.") -> Item:
    return Item(
        f"Quiet: {CODE}",
        sentence,
        "Clears when an appointment is booked or attended, or you say what was agreed.",
        "https://desk.northside.example/n/1",
    )


def a_message(*items: Item, practice: str = "Northside", locale: str = "en_GB") -> Message:
    return compose(items or (an_item(),), practice=practice, to_zone="Europe/London", locale=locale, at=AT)
