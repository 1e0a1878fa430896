"""The ending on a client's page: its steps with what each asks, what can be said of them, and the page on which one is started."""

import uuid
from dataclasses import dataclass
from datetime import date
from typing import Any

from fastapi.responses import Response
from sqlalchemy import Connection

from integrations import ending as endings
from integrations import letters
from integrations.store import acts, desk, lookups, terminations
from integrations.store.recipients import Recipients
from integrations.store.terminations import Start
from integrations.store.turns import take_turn
from models.access import Part
from models.answers import UNDO_SECONDS
from models.ending_acts import QUESTION, STEPS, State, Termination, What
from models.ending_refusals import LEAST_MEANS
from models.ending_steps import (
    COULD_NOT_WORDS,
    OURS_ALONE,
    REASON_WORDS,
    STEP_WORDS,
    By,
    CouldNot,
    Means,
    Need,
    Reason,
    Step,
)
from models.ending_steps import asked as asked_at
from models.errors import UsageError
from models.instants import HOUR, end_of, start_of
from models.told import NOT_KNOWN
from models.voice import Voice
from tending.desk import cards
from tending.desk.asking import Asked, day_in, form_id, go, named, page, stopped
from tending.desk.spoken import here
from tending.desk.today import just_said, theirs

MEANWHILE = (
    "Somebody has said something about it since you opened the page, so nothing was changed. Look again; what still holds "
    "can be said again."
)
IN_THE_RECORD = "Their status stands in the record system: set it there. The client may always come back."
WISHES: dict[By, str] = {
    By.therapist: "mine, as therapist",
    By.client: "the client's",
    By.nobody: "nobody's: the client has died",
}
WHOSE: dict[By, str] = {
    By.therapist: "the therapist's wish",
    By.client: "the client's wish",
    By.nobody: "nobody's wish",
}
MEANS_WORDS: dict[Means, str] = {
    Means.phone: "by telephone",
    Means.letter: "by letter",
    Means.mail: "by mail",
    Means.message: "by message",
}
SAYABLE = frozenset({What.done, What.could_not, What.reopened, What.attempt, What.careful, What.withdrawn, What.closed})


@dataclass(frozen=True, slots=True)
class StepShown:
    """One step: `said` what became of it, empty while it is open; `next` whether it is the one to do now; `just` whether whoever reads said
    it a moment ago."""

    step: Step
    title: str
    asked: str
    said: str = ""
    note: str = ""
    required: bool = True
    next: bool = False
    just: bool = False
    ours: bool = False
    able: bool = True  # whether it may be said to be done by now


@dataclass(frozen=True, slots=True)
class Shown:
    """An ending as the client's page shows it. `stands` is its state, `seen` how it stood for whoever sends one of its forms."""

    stands: State
    headline: str
    lines: tuple[str, ...]
    steps: tuple[StepShown, ...]
    attempts: tuple[str, ...]
    next: str
    seen: str
    reaching: bool
    careful: bool
    died: bool
    letter: bool
    closable: bool


def seen_of(stands: Termination | None) -> str:
    """How an ending stands, so that a form from another tab is known for one."""
    if stands is None:
        return "none"
    counts = (stands.moved_at, len(stands.settled), len(stands.attempts), int(stands.careful))
    return ".".join((stands.id, stands.state.value, *map(str, counts)))


def shown(asked: Asked, stands: Termination, held: int) -> Shown:
    """An ending for whoever asks; `held` is how many appointments took place since it was begun."""
    voice, left = asked.voice, stands.left()
    going = stands.state is State.going
    steps = [_step(asked, stands, step, held) for step in STEPS if stands.need(step) is not Need.none]
    reaching = going and stands.reason is Reason.contact and Step.letter in left and not stands.died
    return Shown(
        stands.state,
        _headline(stands, voice),
        tuple(_lines(asked, stands)),
        tuple(steps) if stands.state is not State.waiting or stands.settled else (),
        tuple(
            f"{MEANS_WORDS[one.means].capitalize()}, {voice.day_and_distance(one.on)}, {named(asked, one.by)}."
            for one in stands.attempts
        ),
        _next(stands),
        seen_of(stands),
        reaching,
        stands.careful or stands.died,
        stands.died,
        going and stands.need(Step.letter) is not Need.none and not stands.died,
        going and not left,
    )


def _headline(stands: Termination, voice: Voice) -> str:
    reason = REASON_WORDS[stands.reason]
    match stands.state:
        case State.waiting:
            return f"An ending is begun ({reason}) and waits for the word of {stands.confirmer}."
        case State.going:
            return f"An ending is going on: {reason}."
        case State.closed:
            return f"Closed {voice.day_and_distance(stands.moved_at)}: {reason}. {IN_THE_RECORD}"
        case State.declined:
            return f"Not confirmed {voice.day_and_distance(stands.moved_at)}: care goes on."
    return f"Withdrawn {voice.day_and_distance(stands.moved_at)}: care goes on."


def _lines(asked: Asked, stands: Termination) -> list[str]:
    voice = asked.voice
    lines = [
        f"Begun {voice.day_and_distance(stands.started_at)} by {named(asked, stands.started_by)}; "
        f"{WHOSE[stands.wished_by]}."
    ]
    if stands.answered_by:
        word = "Not confirmed" if stands.state is State.declined else "Confirmed"
        lines.append(f"{word} by {named(asked, stands.answered_by)}.")
    if stands.careful and stands.is_open:
        lines.append("Rejection is hard for this client: more room, and nothing goes by itself.")
    if stands.until != NOT_KNOWN and stands.is_open:
        lines.append(f"It should be over by {voice.day(stands.until - 1)}.")
    if stands.died:
        lines.append("The client has died: only the records are left.")
    return lines


def _step(asked: Asked, stands: Termination, step: Step, held: int) -> StepShown:
    said, voice, left = stands.of(step), asked.voice, stands.left()
    need = stands.need(step)
    note = ""
    if step is Step.process and said is None and stands.state is State.going:
        took = {0: "none has taken place yet", 1: "one has taken place"}.get(held, f"{voice.count(held)} have")
        note = f"At least {voice.count(stands.needed)} after it was begun; {took}."
    done = ""
    if said is not None:
        when = f"{voice.day_and_distance(said.at)}, {named(asked, said.by)}"
        done = f"Could not be done: {COULD_NOT_WORDS[CouldNot(said.could_not)]}" if said.could_not else "Done"
        done = f"{done} ({when})."
    return StepShown(
        step,
        STEP_WORDS[step],
        asked_at(stands.reason, step),
        done,
        note,
        need is Need.required,
        bool(left) and left[0] is step,
        said is not None and said.by == asked.by and asked.now - said.at <= UNDO_SECONDS,
        step in OURS_ALONE,
        _able(stands, step, held),
    )


def _able(stands: Termination, step: Step, held: int) -> bool:
    """Whether it may be said to be done, as far as appointments and tries to reach the client go."""
    if step is Step.process:
        return held >= stands.needed
    return step is not Step.letter or stands.reason is not Reason.contact or len(stands.ways()) >= LEAST_MEANS


def _next(stands: Termination) -> str:
    if stands.state is State.waiting:
        return "Until then nothing can be done but to withdraw it."
    if stands.state is State.going and not stands.left():
        return "Nothing is open any more: it can be closed."
    return ""


# ---------------------------------------------------------------- the page on which one is started


def begin(asked: Asked) -> Response:
    """The page that asks why, whose wish it is, and the question; where an ending goes on already, that one."""
    return _begin(asked)


def _begin(asked: Asked, trouble: str = "") -> Response:
    who, _ = theirs(asked, Part.ending)
    with asked.practice.store.write() as connection:
        name = desk.name_of(connection, asked.practice.vault, who.id, asked.by, asked.now)
        stands = terminations.newest(connection, who.id, died=who.died)
        just = just_said(asked, connection)
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
        name=name,
        reasons={one: words for one, words in REASON_WORDS.items() if not who.died or one is Reason.death},
        wishes=WISHES if not who.died else {By.nobody: WISHES[By.nobody]},
        chosen={name: form.get(name, "") for name in ("reason", "wished_by", "careful", "until")},
        question=QUESTION,
        first=cards.choices(asked.readers_day).first,
        id=form.get("id") or uuid.uuid4().hex,
        said=cards.words_of(just[1], asked.voice) if just is not None and just[1].client_id == who.id else "",
        undo=just[0] if just is not None else "",
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
            offer = _supervision(asked, connection)
    except UsageError as error:
        return _begin(asked, here(str(error)))
    if taken.stopped:
        return stopped(asked, taken.stopped, offer, title="Nothing was begun", back=f"/client/{who.code}")
    return go(_back(who))


def _supervision(asked: Asked, connection: Connection) -> str:
    """Whom whoever asks may turn to, where somebody is named."""
    supervisor = Recipients(asked.practice, connection, asked.now).supervisor(asked.person.therapist_id)
    return f"{supervisor} supervises you." if supervisor else ""


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
    on = day_in(asked, "on") if what is What.attempt else None
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
                on=_moment(asked, on),
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


def _moment(asked: Asked, day: date | None) -> int:
    """When on a day somebody tried: today, now; before it, about noon."""
    if day is None or day == asked.readers_day:
        return asked.now
    return start_of(day, asked.zone) + 12 * HOUR


def _back(who: lookups.About) -> str:
    return f"/client/{who.code}#ending"


def facts(asked: Asked, connection: Connection, who: lookups.About, held_since: Any) -> dict[str, Any]:
    """What the client's page shows of the newest ending; `held_since` counts appointments that took place since an instant."""
    stands = terminations.newest(connection, who.id, died=who.died)
    return {
        "ending": None if stands is None else shown(asked, stands, held_since(stands.started_at)),
        "could_not": COULD_NOT_WORDS,
        "means": MEANS_WORDS,
        "today": str(asked.readers_day),
    }
