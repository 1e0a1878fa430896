"""Which vocabulary a status column is written in, and which of its words nobody knows."""

from integrations.records.columns import key
from integrations.records.opening import Opened
from integrations.records.vocabularies import VOCABULARIES, plain

_OF_APPOINTMENTS = frozenset(
    [
        "abgesagt",
        "absent",
        "came",
        "present",
        "seen",
        "accepted",
        "active",
        "approved",
        "archived",
        "arrived",
        "billed",
        "checked-in",
        "closed",
        "completed",
        "confirmed",
        "declined",
        "deleted",
        "done",
        "draft",
        "entschuldigt",
        "erledigt",
        "finalized",
        "finished",
        "free",
        "fulfilled",
        "geplant",
        "invoiced",
        "locked",
        "moved",
        "new",
        "noshow",
        "offen",
        "open",
        "paid",
        "pending",
        "postponed",
        "ready",
        "rebooked",
        "rejected",
        "requested",
        "rescheduled",
        "reserved",
        "scheduled",
        "signed",
        "tentative",
        "unpaid",
        "unsigned",
        "verschoben",
        "waitlist",
        "waitlisted",
    ]
)  # not of any vocabulary here, or not of all
_SIMPLEPRACTICE_HEADERS = frozenset({"clienttype", "primaryclinician", "billingroute", "dateadded"})


def vocabulary_of(opened: Opened) -> tuple[str, set[str]]:
    """The vocabulary that knows most of the words in the status column, and the words that it does not know."""
    place = opened.places.get("status")
    if place is None:
        return "own", set()
    cells = (row.cells[place] for row in opened.table.rows if not row.fault and place < len(row.cells))
    words = {plain(cell) for cell in cells} - {""}
    headers = {key(name) for name in opened.table.header}
    order = ["own", *(name for name in VOCABULARIES if name != "own")]
    if len(headers & _SIMPLEPRACTICE_HEADERS) >= 2:
        order.sort(key=lambda name: name != "simplepractice")
    best = min(order, key=lambda name: len(words - VOCABULARIES[name].keys()))
    return best, words - VOCABULARIES[best].keys()


def harmless_words(words: set[str]) -> list[str]:
    """Those of the unknown status words that may be repeated: of appointments, and of nobody. Any other may be somebody's name that
    slipped into the column."""
    return sorted(words & _OF_APPOINTMENTS)
