"""*Today*: what asks for somebody, most pressing first, each answered in place."""

from collections.abc import Collection
from typing import Any

from fastapi.responses import Response
from sqlalchemy import Connection

from integrations import answering
from integrations.store import answers, desk, ending_rows, lookups
from integrations.store.answers import Found
from integrations.store.sources import all_rows
from models.access import Part, Through, parts
from models.accounts import Role
from models.answers import Reply
from models.ending_steps import REASON_WORDS, Reason
from models.findings import Opened
from models.voice import Voice
from tending.desk import cards
from tending.desk.asking import NOTHING_HERE, Asked, SorryError, go, page
from tending.output import since

SAID = "said"


def today(asked: Asked) -> Response:
    """The page."""
    mine = asked.reach
    store, voice = asked.practice.store, asked.voice
    with store.read() as connection:
        just = just_said(asked, connection)
        also = (just[1].client_id, just[1].kind) if just else None
        found = cards.in_order(desk.cards(connection, mine, also=also))
        waiting = [_waiting(row, voice) for row in ending_rows.waiting_for(connection, asked.person.therapist_id)]
        read = [row.read_at for row in all_rows(connection).values() if row.read_at is not None]
    labels, me = labels_of(asked, mine, {card.client_id for card in found}), asked.person.therapist_id
    may = {card.client_id: parts(asked.person.role, mine.clients[card.client_id]) for card in found}
    everything = [
        cards.shown(card, labels.get(card.client_id) or card.code, voice, just, reader=me, may=may[card.client_id])
        for card in found
    ]
    asks = [card for card in everything if card.said or not card.answered]
    return page(
        asked,
        "today.html",
        title="Today",
        waiting=waiting,
        cards=[card for card in asks if not card.day_one],
        day_one=[card for card in asks if card.day_one],
        answered=[card for card in everything if card.answered and not card.said],
        choices=cards.choices(asked.readers_day),
        read=since(voice, min(read)) if read else "",
        clients=len(mine.clients),
    )


def _waiting(row: Any, voice: Voice) -> dict[str, str]:
    """An ending that waits for the reader's word."""
    since = voice.day_and_distance(row.started_at)
    whose = f", for a client of {row.therapist_id}" if row.therapist_id else ""
    return {
        "code": row.code,
        "sentence": f"Begun {since}{whose}: {REASON_WORDS[Reason(row.reason)]}. It goes on only with your word.",
    }


def just_said(asked: Asked, connection: Connection) -> tuple[str, Found] | None:
    """The answer that was given a moment ago, with its id, if the address names one and it is about a client of theirs."""
    given = answers.find(connection, asked.query[SAID]) if SAID in asked.query else None
    if given is None or not cards.just_now(given, asked.now) or given.client_id not in asked.reach.clients:
        return None
    return asked.query[SAID], given


def labels_of(asked: Asked, mine: desk.Reach, clients: Collection[int]) -> dict[int, str]:
    """Names or initials of these clients, where the practice wants them shown and they may be seen; each is audited."""
    label, role = asked.settings.label, asked.person.role
    wanted = {one for one in clients if one in mine.clients and Part.name in parts(role, mine.clients[one])}
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


def theirs(asked: Asked, part: Part) -> tuple[lookups.About, frozenset[Part]]:
    """The client of the path's code, with all that who asks may see and do, if this part is among it. Raises SorryError."""
    who, through = way_to(asked, asked.path["code"])
    may = parts(asked.person.role, through)
    if part not in may:
        raise SorryError(404, NOTHING_HERE)
    return who, may


def answer(asked: Asked) -> Response:
    """An answer that was sent; then the page from which it came, which says so in place. Who has begun an ending is led to where it is
    started, or goes on."""
    asked.require_form()
    who, may = theirs(asked, Part.answering)
    kind = asked.form.get("kind", "")
    given, note, answer_id, seen = cards.answer_in(asked, kind)
    onward = _onward(asked, who, kind)
    with asked.practice.store.write() as connection:
        answering.say(
            asked.practice, connection, who.id, given, asked.by, asked.now, note=note, answer_id=answer_id, seen=seen
        )
    if given.reply is Reply.ending and Part.ending in may:
        return go(f"/client/{who.code}/ending?{SAID}={answer_id}")
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
