"""*Today*: what asks for somebody, most pressing first, each with its answers."""

from collections.abc import Collection
from typing import Any

from fastapi.responses import Response
from sqlalchemy import Connection

from integrations.store import answers, desk, ending_rows, lookups
from integrations.store.answers import Found
from integrations.store.sources import all_rows
from models.access import Part, Through, parts
from models.accounts import Role
from models.ending_steps import REASON_WORDS, Reason
from tending.desk import cards
from tending.desk.asking import NOTHING_HERE, Asked, SorryError, page
from tending.output import since

SAID = "said"


def today(asked: Asked, refused: cards.Refused | None = None) -> Response:
    """The page; with an answer that was refused, its card says why and holds what was filled in."""
    mine = asked.reach
    store, voice = asked.practice.store, asked.voice
    with store.read() as connection:
        just = just_said(asked, connection)
        also = (just[1].client_id, just[1].kind) if just else None
        found = cards.in_order(desk.cards(connection, mine, also=also))
        waiting = [_waiting(row, asked) for row in ending_rows.waiting_for(connection, asked.person.therapist_id)]
        read = [row.read_at for row in all_rows(connection).values() if row.read_at is not None]
    labels, me = labels_of(asked, mine, {card.client_id for card in found}), asked.person.therapist_id
    may = {card.client_id: parts(asked.person.role, mine.clients[card.client_id]) for card in found}
    everything = [
        cards.shown(
            card,
            labels.get(card.client_id) or card.code,
            voice,
            just,
            reader=me,
            may=may[card.client_id],
            refused=refused,
            naming=asked.naming,
        )
        for card in found
    ]
    asks = [card for card in everything if card.said or card.trouble or not card.answered]
    status = cards.status_of(refused, asks)
    return page(
        asked,
        "today.html",
        status=status,
        title="Today",
        waiting=waiting,
        cards=[card for card in asks if not card.day_one],
        day_one=[card for card in asks if card.day_one],
        answered=[card for card in everything if card.answered and card not in asks],
        choices=cards.choices(asked),
        read=since(voice, min(read)) if read else "",
        clients=len(mine.clients),
    )


def _waiting(row: Any, asked: Asked) -> dict[str, str]:
    """An ending that waits for the reader's word."""
    since = asked.voice.day_and_distance(row.started_at)
    whose = f", for a client of {asked.naming.therapist(row.therapist_id)}" if row.therapist_id else ""
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
