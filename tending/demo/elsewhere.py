"""Places to which the demonstration practice refers people: all invented, with telephone numbers that are kept for stories."""

from models.directory import Wanted
from tending.demo.diary import Diary

LOOKED_FOR = Wanted(specialty="trauma", place="Leeds")
HEADER = ("id", "name", "place", "specialty", "modality", "language", "telehealth", "address", "phone", "capacity",
          "verified")  # fmt: skip
# As HEADER has it, but `verified` as so many days before the demonstration.
_PLACES = (
    ("P1", "Aire Trauma Clinic", "Leeds", "trauma", "EMDR", "English", "no", "3 Example Wharf, Leeds", "0113 496 0101",
     "open", 40),
    ("P2", "The Kirkgate Practice", "Leeds", "trauma; grief", "CBT", "English; Polish", "yes", "11 Example Gate, Leeds",
     "0113 496 0102", "open", 55),
    ("P3", "Calder Counselling", "Halifax", "couples; trauma", "EFT", "English; Urdu", "yes", "8 Example Street, Halifax",
     "0113 496 0103", "waiting", 60),
    ("P4", "Moor Lane Eating Disorders", "Leeds", "eating disorders", "CBT-E", "English", "no", "40 Example Lane, Leeds",
     "0113 496 0104", "open", 70),
    ("P5", "Otley Road Therapy", "Leeds", "trauma", "", "English; German", "no", "19 Example Road, Leeds",
     "0113 496 0105", "", 420),
)  # fmt: skip


def providers(diary: Diary) -> list[tuple[str, ...]]:
    """The rows of the directory; one of them nobody has checked for long."""
    return [(*place[:-1], diary.day(-place[-1]).isoformat()) for place in _PLACES]
