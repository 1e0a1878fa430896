"""Who it is of whom something that asks for safety has reached a supervisor: else they see their team's findings by code."""

from fastapi.responses import Response

from integrations.store import desk
from models.access import Through
from tending.desk.asking import NOTHING_HERE, Asked, SorryError, sentence
from tending.desk.today import way_to

WHY = "a risk reached the supervisor"


def may_ask(asked: Asked, client_id: int, through: Through) -> bool:
    """Whether they may ask who a client is: one of their team's, of whom a risk that is open has reached them."""
    if through is not Through.team:
        return False
    with asked.practice.store.read() as connection:
        return desk.risk_reached(connection, client_id, asked.person.therapist_id)


def who(asked: Asked) -> Response:
    """The name, once, where it may be asked for. Each look is audited."""
    asked.require_form()
    found, through = way_to(asked, asked.path["code"])
    if not may_ask(asked, found.id, through):
        raise SorryError(404, NOTHING_HERE)
    with asked.practice.store.write() as connection:
        name = desk.name_of(connection, asked.practice.vault, found.id, asked.by, asked.now, WHY)
    said = f"{found.code} is {name}." if name else f"No name is recorded for {found.code}."
    return sentence(asked, said, "That you looked is recorded.", title="Who it is", back=f"/client/{found.code}")
