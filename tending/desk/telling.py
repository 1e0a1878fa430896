"""What a client is told of the appointments of an ending: each message as it would leave, and sent only with their therapist's yes."""

from typing import NamedTuple

from fastapi.responses import Response

from integrations import ending_schedule, scheduling
from integrations.ending_schedule import News
from integrations.store import lookups
from integrations.store.turns import take_turn
from models.access import Part
from models.errors import UsageError
from models.invitations import CLIENT
from tending.desk.asking import Asked, form_id, go, page
from tending.desk.today import theirs

CHANGED = (
    "What the client would be told has changed since you read it, so nothing was sent. Look again; what still holds can be "
    "approved again."
)


class Shown(NamedTuple):
    """One message as whoever approves it reads it: to which address, its subject and its text; or why it cannot be sent. `seal` is what
    their yes names, so that it is about exactly this."""

    uid: str
    to: str = ""
    subject: str = ""
    text: str = ""
    problem: str = ""
    seal: str = ""


def look(asked: Asked) -> Response:
    """Every message that could go to the client now. The address that it goes to is part of what is approved, and looking at it is
    audited."""
    who, _ = theirs(asked, Part.ending)
    asked.back = _back(who)
    with asked.practice.store.read() as connection:
        found = ending_schedule.planned_for(asked.practice, connection, who.id, asked.now)
    news = found.news if found is not None else ()
    if news:
        scheduling.must_be_reachable(asked.practice, who.code, asked.by, asked.now)
    shown = [_shown(asked, who, each) for each in news]
    return page(asked, "messages.html", title="Messages to the client", code=who.code, messages=shown)


def approve(asked: Asked) -> Response:
    """Send exactly what was shown, with who approved it. Sent twice it is sent once."""
    asked.require_form()
    who, _ = theirs(asked, Part.ending)
    asked.back = _here(who)
    form_id(asked)
    with asked.practice.store.read() as connection:
        found = ending_schedule.planned_for(asked.practice, connection, who.id, asked.now)
    mine = [each for each in (found.news if found is not None else ()) if each.uid == asked.form.get("uid", "")]
    if found is None or not mine:
        return go(_here(who))  # it was approved, or fell out
    scheduling.must_be_reachable(asked.practice, who.code, asked.by, asked.now)
    shown = _shown(asked, who, mine[0])
    if shown.problem:
        raise UsageError(f"That may not be sent: {shown.problem}.")
    if shown.seal != asked.form.get("seal", ""):
        raise UsageError(CHANGED)
    with asked.practice.store.write() as connection:
        take_turn(connection)
        now = ending_schedule.planned_for(asked.practice, connection, who.id, asked.now)
        if now is None or mine[0] not in now.news:
            raise UsageError(CHANGED)
        ending_schedule.tell_client(asked.practice, connection, who.id, found.stands.id, mine[0], asked.by, asked.now)
    return go(_here(who))


def _shown(asked: Asked, who: lookups.About, news: News) -> Shown:
    drafted = scheduling.draft(
        asked.practice, who.id, f"{CLIENT}{who.code}", news.wanted, asked.now, uid=news.uid, approved=asked.by
    )
    said = drafted.payload
    if said is None:
        return Shown(news.uid, problem=drafted.problem)
    whole = f"{who.code} {news.uid} {news.wanted} {said['to']} {said['subject']} {said['text']}"
    seal = asked.practice.vault.hash("content", whole)
    return Shown(news.uid, said["to"], said["subject"], said["text"].strip("\n"), seal=seal)


def _here(who: lookups.About) -> str:
    return f"/client/{who.code}/ending/messages"


def _back(who: lookups.About) -> str:
    return f"/client/{who.code}#ending"
