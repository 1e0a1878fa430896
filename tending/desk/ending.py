"""The ending on a client's page: its steps with what each asks, what can be said of them, and the page on which one is started."""

import uuid
from datetime import date
from typing import Any

from fastapi.responses import Response
from sqlalchemy import Connection

from integrations import answering, ending_schedule, letters
from integrations import ending as endings
from integrations.store import acts, desk, lookups, terminations
from integrations.store.recipients import Recipients
from integrations.store.terminations import Start
from integrations.store.turns import take_turn
from models.access import Part
from models.answers import Reply, answer
from models.ending_acts import QUESTION, What
from models.ending_steps import COULD_NOT_WORDS, REASON_WORDS, By, Reason
from models.errors import UsageError
from models.instants import HOUR, end_of, start_of
from models.kinds import is_safety
from models.spoken import here
from models.told import NOT_KNOWN
from tending.desk import cards
from tending.desk.asking import Asked, day_in, form_id, go, page, stopped
from tending.desk.ending_shown import MEANS_WORDS, appointments, seen_of, shown, to_keep
from tending.desk.today import theirs

MEANWHILE = (
    "Somebody has said something about it since you opened the page, so nothing was changed. Look again; what still holds "
    "can be said again."
)
WISHES: dict[By, str] = {
    By.therapist: "mine, as therapist",
    By.client: "the client's",
    By.nobody: "nobody's: the client has died",
}
SAYABLE = frozenset(
    {
        What.done,
        What.could_not,
        What.reopened,
        What.attempt,
        What.approved,
        What.careful,
        What.withdrawn,
        What.closed,
    }
)


# ---------------------------------------------------------------- the page on which one is started


def begin(asked: Asked) -> Response:
    """The page that asks why, whose wish it is, and the question; where an ending goes on already, that one."""
    return _begin(asked)


def _begin(asked: Asked, trouble: str = "") -> Response:
    who, _ = theirs(asked, Part.ending)
    with asked.practice.store.write() as connection:
        name = desk.name_of(connection, asked.practice.vault, who.id, asked.by, asked.now)
        stands = terminations.newest(connection, who.id, died=who.died)
    if stands is not None and stands.is_open:
        return go(_back(who))
    form = asked.form
    return page(
        asked,
        "start_ending.html",
        status=409 if trouble else 200,
        title="Start an ending",
        trouble=trouble,
        code=who.code,
        died=who.died,
        name=name,
        reasons={one: words for one, words in REASON_WORDS.items() if not who.died or one is Reason.death},
        wishes=WISHES if not who.died else {By.nobody: WISHES[By.nobody]},
        chosen={name: form.get(name, "") for name in ("reason", "wished_by", "careful", "until")},
        question=QUESTION,
        first=cards.choices(asked).first,
        id=form.get("id") or uuid.uuid4().hex,
        about=form.get("about", "") or asked.query.get("about", ""),
    )


def start(asked: Asked) -> Response:
    """Start an ending, or say in a sentence why it does not begin. A yes to the question is kept and begins nothing."""
    asked.require_form()
    who, _ = theirs(asked, Part.ending)
    form, act_id = asked.form, form_id(asked)
    try:
        until = day_in(asked, "until")
        if not form.get("reason") or not form.get("wished_by"):
            raise UsageError("Say why it ends and whose wish it is; nothing was changed.")
        if form.get("personal") not in ("no", "yes"):
            raise UsageError("The question needs its answer, no or yes; nothing was changed.")
        said = Start(
            form["reason"],
            form["personal"],
            form["wished_by"],
            careful=form.get("careful") == "yes",
            until=NOT_KNOWN if until is None else end_of(until, asked.zone),
        )
        with asked.practice.store.write() as connection:
            taken = endings.begin(asked.practice, connection, who.id, said, asked.by, asked.now, act_id=act_id)
            if taken.changed and not taken.stopped:
                _answers(asked, connection, who, form.get("about", ""))
            offer = _supervision(asked, connection)
    except UsageError as error:
        return _begin(asked, here(str(error)))
    if taken.stopped:
        return stopped(asked, taken.stopped, offer, title="Nothing was begun", back=f"/client/{who.code}")
    return go(_back(who))


def _answers(asked: Asked, connection: Connection, who: lookups.About, kind: str) -> None:
    """The card from which somebody came is answered by the ending that is started now, unless that has cleared it."""
    if any(c.kind == kind and c.cleared_at is None and not c.answered for c in desk.cards_of(connection, who.id)):
        given = answer(kind, Reply.ending, asked.now, safety=is_safety(kind))
        answering.say(asked.practice, connection, who.id, given, asked.by, asked.now)


def _supervision(asked: Asked, connection: Connection) -> str:
    """Whom whoever asks may turn to, where somebody is named."""
    supervisor = Recipients(asked.practice, connection, asked.now).supervisor(asked.person.therapist_id)
    return f"{asked.naming.therapist(supervisor)} supervises you." if supervisor else ""


# ---------------------------------------------------------------- what is said of one


def say(asked: Asked) -> Response:
    """What a form says: a step, a try to reach the client, that it is withdrawn or closed. Sent twice it is said once, and a form from
    another tab does not go over what was said meanwhile."""
    asked.require_form()
    who, _ = theirs(asked, Part.ending)
    asked.back, form, act_id = _back(who), asked.form, form_id(asked)
    try:
        what = What(form.get("what", ""))
    except ValueError:
        what = What.started
    if what not in SAYABLE:
        raise UsageError("That cannot be said of an ending here; nothing was changed.")
    on = (
        _made(asked) if what is What.approved else _moment(asked, day_in(asked, "on") if what is What.attempt else None)
    )
    given: dict[str, Any] = {name: form.get(name, "") for name in ("step", "reason", "means")}
    with asked.practice.store.write() as connection:
        take_turn(connection)
        if not acts.was_said(connection, act_id):
            stands = terminations.newest(connection, who.id, died=who.died)
            if form.get("seen", "") != seen_of(stands):
                raise UsageError(MEANWHILE)
            endings.say(
                asked.practice,
                connection,
                who.id,
                what,
                asked.by,
                asked.now,
                on=on,
                act_id=act_id,
                **given,
            )
    return go(_back(who))


def letter(asked: Asked) -> Response:
    """The closing letter as a draft to be copied: who it is to stands in it, so each draft is audited."""
    asked.require_form()
    who, _ = theirs(asked, Part.ending)
    asked.back = _back(who)
    with asked.practice.store.write() as connection:
        code, text = letters.draft(asked.practice, connection, who.id, asked.by, asked.now)
    note = "A draft: finish what stands in brackets. Nothing was sent; when you have sent it, say so at its step."
    return page(asked, "letter.html", title="Closing letter", code=code, text=text, note=note, send=None)


def propose(asked: Asked) -> Response:
    """Have what an ending lacks proposed to the therapist, as invitations to their calendar; the client hears nothing."""
    asked.require_form()
    who, _ = theirs(asked, Part.ending)
    asked.back, act_id = _back(who), form_id(asked)
    with asked.practice.store.write() as connection:
        ending_schedule.propose(asked.practice, connection, who.id, asked.by, asked.now, act_id=act_id)
    return go(_back(who))


def _moment(asked: Asked, day: date | None) -> int:
    """When on a day somebody tried: today, now; before it, about noon."""
    if day is None or day == asked.readers_day:
        return asked.now
    return start_of(day, asked.zone) + 12 * HOUR


def _made(asked: Asked) -> int:
    """When the attempt was made that a form approves."""
    try:
        return int(asked.form.get("made", ""))
    except ValueError:
        raise UsageError("That form could not be read; nothing was changed. Open the page anew.") from None


def _back(who: lookups.About) -> str:
    return f"/client/{who.code}#ending"


def facts(asked: Asked, connection: Connection, who: lookups.About, held_since: Any) -> dict[str, Any]:
    """What the client's page shows of the newest ending; `held_since` counts appointments that took place since an instant."""
    stands = terminations.newest(connection, who.id, died=who.died)
    planned = None if stands is None else ending_schedule.planned_for(asked.practice, connection, who.id, asked.now)
    return {
        "ending": None if stands is None else shown(asked, stands, held_since(stands.started_at)),
        "plan": None if planned is None else appointments(asked, planned),
        "to_keep": "" if planned is None else to_keep(asked, planned),
        "untold": 0 if planned is None else len(planned.news),
        "could_not": COULD_NOT_WORDS,
        "means": MEANS_WORDS,
        "today": str(asked.readers_day),
    }
