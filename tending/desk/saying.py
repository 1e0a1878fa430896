"""Answers that are sent from *Today* or from a client's page: given, refused in place, taken back; and where whoever sent one reads on."""

from fastapi.responses import Response

from integrations import answering
from integrations.store import answers, desk, lookups
from models.access import Part
from models.errors import UsageError
from models.findings import Opened
from tending.desk import cards, client, today
from tending.desk.asking import NOTHING_HERE, Asked, SorryError, go
from tending.desk.today import SAID, theirs


def answer(asked: Asked) -> Response:
    """An answer that was sent; then the page from which it came, which says so in place, or why it was not taken, with what was filled
    in."""
    asked.require_form()
    who, _ = theirs(asked, Part.answering)
    kind = asked.form.get("kind", "")
    onward = _onward(asked, who, kind)
    try:
        given, note, answer_id, seen = cards.answer_in(asked, kind)
        with asked.practice.store.write() as connection:
            answering.say(
                asked.practice,
                connection,
                who.id,
                given,
                asked.by,
                asked.now,
                note=note,
                answer_id=answer_id,
                seen=seen,
            )
    except UsageError as error:
        shown = client.client if _on_clients_page(asked) else today.today
        return shown(asked, cards.Refused(who.code, kind, error, asked.form))
    return go(f"{_back(asked, who.code)}?{SAID}={answer_id}#{onward}")


def undo(asked: Asked) -> Response:
    """An answer is taken back; then the page from which that was asked."""
    asked.require_form()
    who, _ = theirs(asked, Part.answering)
    answer_id = asked.form.get("id", "")
    with asked.practice.store.write() as connection:
        given = answers.find(connection, answer_id)
        if given is None or given.client_id != who.id:
            raise SorryError(404, NOTHING_HERE)
        if not given.gone:  # sent twice: the second time there is nothing left to do
            answering.unsay(asked.practice, connection, answer_id, asked.by, asked.now)
    return go(f"{_back(asked, who.code)}#{cards.anchor_of(who.code, given.kind)}")


def _onward(asked: Asked, who: lookups.About, kind: str) -> str:
    """The anchor of the card below the one that is being answered: the next to be read. The last one's own, which says what was said."""
    with asked.practice.store.read() as connection:
        there = desk.cards_of(connection, who.id) if _on_clients_page(asked) else desk.cards(connection, asked.reach)
    mine = cards.anchor_of(who.code, kind)
    asks = [card for card in cards.in_order(there) if card.cleared_at is None and not card.answered]
    asks.sort(key=lambda card: card.opened == Opened.day_one and not _on_clients_page(asked))  # as the pages have them
    anchors = [cards.anchor_of(card.code, card.kind) for card in asks]
    below = anchors[anchors.index(mine) + 1 :] if mine in anchors else []
    return below[0] if below else mine


def _on_clients_page(asked: Asked) -> bool:
    return asked.form.get("back") == "client"


def _back(asked: Asked, code: str) -> str:
    return f"/client/{code}" if _on_clients_page(asked) else "/today"
