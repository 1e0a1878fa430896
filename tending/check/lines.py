"""What every check answers: lines, each with how it stands and the remedy; and what it looks at."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from integrations.practice import Practice
from models.voice import Voice


class Level(StrEnum):
    """`mend`: something needs doing. `note`: worth knowing."""

    good = "ok"
    note = "note"
    mend = "MEND"


@dataclass(frozen=True, slots=True)
class Line:
    """One line: how it stands, what was looked at, and a sentence with the remedy."""

    level: Level
    what: str
    sentence: str


class Place(NamedTuple):
    """What checks look at: a practice, how times are told and the now they are told at, and whether nobody outside may be asked."""

    practice: Practice
    voice: Voice
    offline: bool
