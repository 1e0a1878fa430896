"""May I contact a client? Nothing personal during therapy and after it; what belongs to care stays open.

The answer takes no instant and knows no day: it is the same on the day after the last appointment and years later, and no end of it
is worked out anywhere.
"""

from enum import StrEnum
from typing import Any, NamedTuple

from models.ethics import Code, Text


class Contact(StrEnum):
    """What somebody may want to contact a client for."""

    personal = "personal"
    outreach = "outreach"
    clinical = "clinical"
    administrative = "administrative"
    return_to_care = "return to care"


class Standing(StrEnum):
    restricted = "restricted"
    open = "open"
    over = "over"  # there is nobody to be contacted any more


class Word(NamedTuple):
    """What is said of one kind of contact, and why."""

    contact: Contact
    standing: Standing
    reason: str


WORDS = (
    Word(
        Contact.personal,
        Standing.restricted,
        "No personal relationship with a client, during therapy or after it; this does not change with time.",
    ),
    Word(
        Contact.outreach,
        Standing.restricted,
        "No newsletter, advertisement, request for a review or greeting: none of it is care.",
    ),
    Word(Contact.clinical, Standing.open, "What care needs, through the practice."),
    Word(Contact.administrative, Standing.open, "Appointments, bills, records and what the law asks for."),
    Word(Contact.return_to_care, Standing.open, "A client may always come back, and may be told so."),
)
DIED = "The client has died; what is still to be settled is settled with the family or the estate."
OVER = "The client has died."


class Boundary(NamedTuple):
    """The whole answer about one client: what is said of each kind of contact, and what the code of ethics says."""

    words: tuple[Word, ...]
    code: Code

    def facts(self) -> dict[str, Any]:
        """It for machines."""
        return {
            "contact": [
                {"kind": w.contact.value, "standing": w.standing.value, "reason": w.reason} for w in self.words
            ],
            "ethics": {
                "code": self.code.name,
                "former": [text_facts(text) for text in self.code.former],
                "current": text_facts(self.code.current),
                "not_to_begin": text_facts(self.code.not_to_begin),
            },
        }


def text_facts(text: Text) -> dict[str, str]:
    """A text of a code, where it stands, and how far it was checked."""
    return {"text": text.text, "source": text.source, "basis": text.basis.value}


def boundary(code: Code, *, died: bool = False) -> Boundary:
    """Whether a client may be contacted, by what for. Current and former clients get one answer: nothing in it waits for anything."""
    if not died:
        return Boundary(WORDS, code)
    over = (Contact.clinical, Contact.return_to_care)
    words = (word._replace(standing=Standing.over, reason=OVER) if word.contact in over else word for word in WORDS)
    settled = (word._replace(reason=DIED) if word.standing is Standing.open else word for word in words)
    return Boundary(tuple(settled), code)
