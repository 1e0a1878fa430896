"""Which vocabulary a status column is written in, and which of its words nobody knows."""

from collections.abc import Iterable

from integrations.records.columns import key
from integrations.records.mapping import harmless
from integrations.records.opening import Opened
from integrations.records.vocabularies import VOCABULARIES, plain

_MOST_WORDS = 8  # more unknown words than these are no vocabulary, and none is shown
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


def harmless_words(words: set[str], files: Iterable[Opened]) -> list[str]:
    """Those of the unknown status words that may be repeated: short, and no part of any name that stands in these files. None where there
    are so many that the column holds no vocabulary."""
    if len(words) > _MOST_WORDS:
        return []
    named: set[str] = set()
    for opened in files:
        places = [opened.places[c.name] for c in opened.form.columns if c.identity and c.name in opened.places]
        cells = (row.cells[place] for row in opened.table.rows for place in places if place < len(row.cells))
        named.update(word for cell in cells for word in plain(cell).split())
    return sorted(word for word in words if harmless(word) and not named & set(word.split()))
