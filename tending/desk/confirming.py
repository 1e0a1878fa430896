"""An ending that waits for somebody's word: shown by code to whoever was named, signed in or by the link of the mail, and answered once."""

from typing import NamedTuple

from fastapi.responses import Response
from sqlalchemy import Connection

from integrations import ending as endings
from integrations.store import acts, audit, last_look, links, lookups, terminations
from integrations.store.turns import take_turn
from models.accounts import Link
from models.ending_acts import QUESTION, STEPS, State, Termination, What
from models.ending_steps import REASON_WORDS, STEP_WORDS, Need
from models.ending_steps import asked as asked_at
from models.errors import UsageError
from models.noticing import THERAPIST
from models.told import NOT_KNOWN
from tending.desk.asking import Asked, form_id, go, page, sentence, stopped

NOTHING_WAITS = "Nothing here waits for your word. It may have been withdrawn, or somebody else was asked."
MEANWHILE = "Your word was given meanwhile, so nothing was changed. The page shows what became of it."
TITLE = "An ending waits for your word"
CLEARS = "Clears when you confirm it or do not, or when it is withdrawn."
WISHED = {"therapist": "the therapist's own", "client": "the client's", "nobody": "nobody's"}


class Waiting(NamedTuple):
    """An ending for whoever has to confirm it: its client, how it stands, and the therapist who has the client."""

    who: lookups.About
    stands: Termination


def of_confirmer(connection: Connection, code: str, therapist: str) -> Waiting | None:
    """The newest ending of the client with that code, if it is this therapist who confirms it; None for everybody else."""
    who = lookups.about(connection, code)
    if who is None or not therapist:
        return None
    stands = terminations.newest(connection, who.id, died=who.died)
    return Waiting(who, stands) if stands is not None and stands.confirmer == therapist else None


def ask(asked: Asked) -> Response:
    """What waits for their word, with the question; afterwards what they said. Looking is audited."""
    with asked.practice.store.write() as connection:
        found = of_confirmer(connection, asked.path["code"], asked.person.therapist_id)
        if found is not None:
            audit.record(connection, asked.now, asked.by, "ending read to confirm", found.who.code)
    if found is None:
        return sentence(asked, NOTHING_WAITS, title="Your word")
    return shown(asked, found, f"/confirm/{found.who.code}", asked.sealed_form())


def answer(asked: Asked) -> Response:
    """Their word. Sent twice it is said once."""
    asked.require_form()
    code = asked.path["code"]
    asked.back = f"/confirm/{code}"
    with asked.practice.store.write() as connection:
        found = of_confirmer(connection, code, asked.person.therapist_id)
        why = "" if found is None else say(asked, connection, found, asked.by)
    if why:
        return stopped(asked, why, title="Not confirmed", back="/today")
    return go(f"/confirm/{code}")


def by_link(asked: Asked, connection: Connection, link: Link) -> Response | None:
    """The same for the link of the mail, by code alone; None where it is not theirs to confirm any more."""
    found = _of_link(connection, link)
    if found is None:
        return None
    asked.read_by(connection, found.stands.confirmer)
    token = asked.path["token"]
    return shown(asked, found, f"/card/{token}", asked.sealed_form(token))


def answer_by_link(asked: Asked, connection: Connection, link: Link) -> Response:
    """Their word by link, once."""
    token = asked.path["token"]
    found = _of_link(connection, link)
    if found is None:
        return sentence(asked, NOTHING_WAITS)
    form = form_id(asked)
    if not links.use(connection, link, asked.now, form):
        if links.used_for(connection, link) != form:
            raise UsageError(MEANWHILE)
        return go(f"/card/{token}")
    why = say(asked, connection, found, link.recipient)
    if why:
        return stopped(asked, why, title="Not confirmed", back=f"/card/{token}")
    return go(f"/card/{token}")


def _of_link(connection: Connection, link: Link) -> Waiting | None:
    if link.client_id is None:
        return None
    code, _ = last_look.whose(connection, link.client_id)
    return of_confirmer(connection, code, link.recipient.removeprefix(THERAPIST))


def say(asked: Asked, connection: Connection, found: Waiting, by: str) -> str:
    """Say their word in the caller's transaction; the code's sentence where the answer to the question stopped it, else nothing."""
    act_id, form = form_id(asked), asked.form
    take_turn(connection)
    if acts.was_said(connection, act_id):
        return ""
    word = form.get("word", "")
    if word not in (What.confirmed, What.declined):
        raise UsageError("Say whether you confirm it or do not; nothing was changed.")
    if form.get("ending", "") != found.stands.id:
        raise UsageError("Another ending was begun since you opened the page; look at that one. Nothing was changed.")
    if word == What.confirmed and form.get("personal") not in ("no", "yes"):
        raise UsageError("The question needs its answer, no or yes; nothing was changed.")
    personal = form.get("personal", "") if word == What.confirmed else ""
    taken = endings.say(
        asked.practice, connection, found.who.id, What(word), by, asked.now, personal=personal, act_id=act_id
    )
    return taken.stopped


def shown(asked: Asked, found: Waiting, action: str, form: str) -> Response:
    """The page: by code, with why and what is asked; where it waits no more, what became of it."""
    who, stands = found
    therapist = asked.naming.therapist(who.therapist_id) if who.therapist_id else "whoever began it"
    waits = stands.state is State.waiting
    steps = [(STEP_WORDS[step], asked_at(stands.reason, step)) for step in STEPS if stands.need(step) is Need.required]
    return page(
        asked,
        "confirm.html",
        title=TITLE if waits else "Your word",
        code=who.code,
        therapist=therapist,
        lines=_lines(stands, therapist, asked),
        waits=waits,
        clears=CLEARS,
        steps=steps,
        question=QUESTION,
        ending=stands.id,
        action=action,
        form=form,
    )


def _lines(stands: Termination, therapist: str, asked: Asked) -> list[str]:
    voice, by = asked.voice, asked.naming.person(stands.started_by)
    lines = [
        f"{by} has begun to end this care, {voice.day_and_distance(stands.started_at)}: {REASON_WORDS[stands.reason]}. "
        f"The wish is {WISHED[stands.wished_by]}."
    ]
    if stands.careful:
        lines.append("Rejection is hard for this client: there will be more room to process it.")
    if stands.until != NOT_KNOWN and stands.is_open:
        lines.append(f"It should be over by {voice.day(stands.until - 1)}.")
    match stands.state:
        case State.waiting:
            lines.append("It goes on only with your word.")
        case State.declined:
            lines.append(
                f"It was not confirmed, {voice.day_and_distance(stands.moved_at)}. Care goes on, and {therapist} hears of it."
            )
        case State.withdrawn:
            lines.append("It was withdrawn since. Care goes on.")
        case _ if stands.answered_by:
            lines.append(f"It was confirmed. {therapist} hears of it, and goes through its steps with the client.")
        case _:
            lines.append("Nobody has to confirm it any more.")
    return lines
