"""*Today*: what asks for somebody, most pressing first, each answered in place."""

from fastapi.responses import Response

from integrations import answering
from integrations.store import answers, desk, lookups
from integrations.store.answers import Found
from integrations.store.sources import all_rows
from models.access import Part, Through, parts
from models.accounts import Role
from models.findings import Opened
from tending.desk import cards
from tending.desk.asking import NOTHING_HERE, Asked, SorryError, go, page
from tending.output import since

SAID = "said"


def today(asked: Asked) -> Response:
    """The page."""
    mine = asked.reach
    store, voice = asked.practice.store, asked.voice
    with store.read() as connection:
        just = _just(asked, answers.find(connection, asked.query.get(SAID, "")) if SAID in asked.query else None)
        also = (just[1].client_id, just[1].kind) if just else None
        found = cards.in_order(desk.cards(connection, mine, also=also))
        read = [row.read_at for row in all_rows(connection).values() if row.read_at is not None]
    labels, me = _labels(asked, mine, found), asked.person.therapist_id
    everything = [cards.shown(card, labels.get(card.client_id) or card.code, voice, just, reader=me) for card in found]
    asks = [card for card in everything if card.said or not card.answered]
    return page(
        asked,
        "today.html",
        title="Today",
        cards=[card for card in asks if not card.day_one],
        day_one=[card for card in asks if card.day_one],
        answered=[card for card in everything if card.answered and not card.said],
        choices=cards.choices(asked.readers_day),
        read=since(voice, min(read)) if read else "",
        clients=len(mine.clients),
    )


def _just(asked: Asked, given: Found | None) -> tuple[str, Found] | None:
    """The answer that was given a moment ago, if it is about a client of theirs."""
    if given is None or not cards.just_now(given, asked.now) or given.client_id not in asked.reach.clients:
        return None
    return asked.query[SAID], given


def _labels(asked: Asked, mine: desk.Reach, found: list[desk.Card]) -> dict[int, str]:
    """Names or initials, where the practice wants them on cards and they may be seen; each is audited."""
    label, role = asked.settings.label, asked.person.role
    wanted = {card.client_id for card in found if Part.name in parts(role, mine.clients[card.client_id])}
    if label == "code" or not wanted:
        return {}
    with asked.practice.store.write() as connection:
        names = desk.names(connection, asked.practice.vault, mine, wanted, asked.by, asked.now)
    return {one: cards.initials(name) if label == "initials" else name for one, name in names.items()}


def way_to(asked: Asked, code: str) -> tuple[lookups.About, Through]:
    """The client of that code and through what they are whose who asks. Raises SorryError, the same for nobody's and for others'."""
    with asked.practice.store.read() as connection:
        who = lookups.about(connection, code)
    if who is not None and asked.person.role is Role.front_office:
        return who, Through.practice
    if who is None or who.id not in asked.reach.clients:
        raise SorryError(404, NOTHING_HERE)
    return who, asked.reach.clients[who.id]


def answer(asked: Asked) -> Response:
    """An answer that was sent; then the page from which it came, which says so in place."""
    asked.require_form()
    who, through = way_to(asked, asked.path["code"])
    if Part.answering not in parts(asked.person.role, through):
        raise SorryError(404, NOTHING_HERE)
    kind = asked.form.get("kind", "")
    given, note, answer_id, seen = cards.answer_in(asked, kind)
    onward = _onward(asked, who, kind)
    with asked.practice.store.write() as connection:
        answering.say(
            asked.practice, connection, who.id, given, asked.by, asked.now, note=note, answer_id=answer_id, seen=seen
        )
    return go(f"{_back(asked, who.code)}?{SAID}={answer_id}#{onward}")


def undo(asked: Asked) -> Response:
    """An answer is taken back; then the page from which that was asked."""
    asked.require_form()
    who, through = way_to(asked, asked.path["code"])
    if Part.answering not in parts(asked.person.role, through):
        raise SorryError(404, NOTHING_HERE)
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
