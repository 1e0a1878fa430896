"""A card opened by its link alone: one finding, by code, with its answers, or an ending to confirm; and a fresh link for an old one."""

from fastapi.responses import Response
from sqlalchemy import Connection

from integrations import answering
from integrations.store import accounts, answers, desk, links
from integrations.store.ending_rows import CONFIRM
from models.access import Part, Through, parts
from models.accounts import Link, LinkState, Opened, Purpose, Role
from models.errors import UsageError
from models.noticing import ADMIN, THERAPIST
from tending.desk import cards, confirming
from tending.desk.asking import Asked, afterwards, go, page, sentence
from tending.desk.signing import not_mailed

SENT = "If this link was one of ours, a fresh one is on its way to the address that we know. It takes a minute."
MEANWHILE = "This was answered meanwhile, so nothing was changed. What was said stands on the card."


def card(asked: Asked, refused: UsageError | None = None) -> Response:
    """The card, or what there is to do where the link opens it no more; with an answer that was `refused`, why, and what was filled in.
    Looking changes nothing."""
    token = asked.path["token"]
    with asked.practice.store.read() as connection:
        found = _opened(asked, connection, token)
        if found is None or found.link is None or found.link.client_id is None:
            return _over(asked, token)
        link = found.link
        if link.kind == CONFIRM:
            if refused is not None:
                raise refused
            return confirming.by_link(asked, connection, link) or _over(asked, token)
        given = answers.find(connection, link.answer_id) if found.state is LinkState.used else None
        if found.state is LinkState.used and not cards.just_now(given, asked.now):
            return _over(asked, token)
        mine = [one for one in desk.cards_of(connection, found.link.client_id) if one.kind == link.kind]
        begins = (
            Part.ending in parts(Role.supervisor, through) if (through := _through(asked, connection, link)) else False
        )
    just = (link.answer_id, given) if given is not None else None
    if not mine or (mine[0].cleared_at is not None and just is None):
        if refused is not None:
            raise refused
        return sentence(asked, "Nothing asks for you here any more: it has cleared since the mail was written.")
    said = None if refused is None else cards.Refused(mine[0].code, link.kind, refused, asked.form)
    one = cards.shown(mine[0], mine[0].code, asked.voice, just, begins=begins, refused=said)
    return page(
        asked,
        "card.html",
        status=cards.status_of(said, [one]),
        title="One question",
        card=one,
        choices=cards.choices(asked),
        token=token,
        link_form=asked.sealed_form(token),
    )


def answer(asked: Asked) -> Response:
    """An answer by link: once; sent twice it is the same answer, and another one is not taken."""
    token = asked.path["token"]
    asked.require_form(token)
    try:
        with asked.practice.store.write() as connection:
            found = _opened(asked, connection, token)
            if found is None or found.link is None or found.link.client_id is None:
                return _over(asked, token)
            if found.link.kind == CONFIRM:
                return confirming.answer_by_link(asked, connection, found.link)
            _say(asked, connection, found.link)
    except UsageError as error:
        return card(asked, error)
    return go(f"/card/{token}")


def _say(asked: Asked, connection: Connection, link: Link) -> None:
    """Take the answer of a form. Raises UsageError, which is to undo what was begun, where it is refused."""
    if link.client_id is None:
        return
    given, note, answer_id, seen = cards.answer_in(asked, link.kind)
    if links.use(connection, link, asked.now, answer_id):
        client, by = link.client_id, link.recipient
        answering.say(
            asked.practice, connection, client, given, by, asked.now, note=note, answer_id=answer_id, seen=seen
        )
    elif links.used_for(connection, link) != answer_id:
        raise UsageError(MEANWHILE)


def undo(asked: Asked) -> Response:
    """What was answered by this link is taken back, and the link may be used again."""
    token = asked.path["token"]
    asked.require_form(token)
    with asked.practice.store.write() as connection:
        found = _opened(asked, connection, token)
        if (
            found is not None
            and found.link is not None
            and found.state is LinkState.used
            and found.link.kind != CONFIRM
        ):
            answering.unsay(asked.practice, connection, found.link.answer_id, found.link.recipient, asked.now)
    return go(f"/card/{token}")


def fresh(asked: Asked) -> Response:
    """Mail a fresh link to whom the old one was for. The answer is the same whether there is such a link or not, and takes as long."""
    token = asked.path["token"]
    asked.require_form(token)
    response = sentence(asked, not_mailed(asked) or SENT, title="A fresh link")
    response.background = afterwards(_mail, asked, token)
    return response


def _mail(asked: Asked, token: str) -> None:
    if not asked.settings.public_url:
        return
    with asked.practice.store.read() as connection:
        found = links.open(connection, asked.practice.vault, token, Purpose.card, asked.now)
        if found.link is None or found.state is LinkState.good or not _still_theirs(asked, connection, found.link):
            return
    link = found.link
    with asked.practice.store.write() as connection:
        accounts.ask_for_link(
            connection, Purpose.card, link.recipient, asked.now, client_id=link.client_id, kind=link.kind
        )


def _opened(asked: Asked, connection: Connection, token: str) -> Opened | None:
    """The link if it is one, is not too old, and its client is still theirs for whom it was made."""
    found = links.open(connection, asked.practice.vault, token, Purpose.card, asked.now)
    if found.link is None or found.state in (LinkState.unknown, LinkState.expired):
        return None
    if found.link.recipient.startswith(THERAPIST):
        asked.read_by(connection, found.link.recipient.removeprefix(THERAPIST))
    return found if _still_theirs(asked, connection, found.link) else None


def _still_theirs(asked: Asked, connection: Connection, link: Link) -> bool:
    """A transfer moves a client the same day, and a disabled account opens nothing. Who supervises is written to when nobody answers."""
    if link.recipient == ADMIN:
        return True
    therapist = link.recipient.partition(":")[2]
    if accounts.shut_out(connection, therapist):
        return False
    if (
        link.kind == CONFIRM
    ):  # a peer has no other way to the client: being named is what counts, and the page looks at that
        return True
    return _through(asked, connection, link) is not None


def _through(asked: Asked, connection: Connection, link: Link) -> Through | None:
    """Through what the client of a link is theirs today for whom it was made."""
    therapist = "" if link.recipient == ADMIN else link.recipient.partition(":")[2]
    mine = desk.reach_of(connection, Role.supervisor, therapist, asked.today)
    return mine.clients.get(link.client_id or 0)


def _over(asked: Asked, token: str) -> Response:
    return page(asked, "over.html", status=410, title="This link", token=token, link_form=asked.sealed_form(token))
