"""An ending as the client's page shows it: its sentences, and each step with what it asks and what was said of it."""

from dataclasses import dataclass

from integrations.ending_schedule import Planned
from models.answers import UNDO_SECONDS
from models.ending_acts import STEPS, Attempt, State, Termination
from models.ending_refusals import LEAST_MEANS
from models.ending_schedule import HOW_WORDS, PROBLEM_WORDS, ROLE_WORDS, How, still_stand
from models.ending_steps import (
    COULD_NOT_WORDS,
    MEETINGS,
    ONWARD_WORDS,
    OURS_ALONE,
    REASON_WORDS,
    STEP_WORDS,
    By,
    CouldNot,
    Means,
    Need,
    Onward,
    Reason,
    Step,
)
from models.ending_steps import asked as asked_at
from models.told import NOT_KNOWN
from models.voice import Voice
from tending.desk.asking import Asked, named
from tending.output import moment

IN_THE_RECORD = "Their status stands in the record system: set it there."
COMES_BACK = " The client may always come back."
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
class AttemptShown:
    """One attempt to reach the client; one that waits for a yes carries what a form says it by."""

    line: str
    waits: bool
    means: str
    made: int


@dataclass(frozen=True, slots=True)
class Shown:
    """An ending as the client's page shows it. `stands` is its state, `seen` how it stood for whoever sends one of its forms."""

    stands: State
    headline: str
    lines: tuple[str, ...]
    steps: tuple[StepShown, ...]
    attempts: tuple[AttemptShown, ...]
    next: str
    seen: str
    reaching: bool
    careful: bool
    died: bool
    letter: bool
    closable: bool
    mistaken: bool  # it was said here that the client has died, which can be taken back


@dataclass(frozen=True, slots=True)
class Appointments:
    """The appointments of an ending: a line for each, what is to be known about them, and how many would be proposed."""

    lines: tuple[str, ...]
    note: str
    new: int


def appointments(asked: Asked, planned: Planned) -> Appointments | None:
    """The appointments of an ending that is going on; None where it asks for none."""
    found, voice = planned.schedule, asked.voice
    if found.need is Need.none:
        return None
    lines = [
        f"{moment(voice, line.start)}: {ROLE_WORDS[line.role]}"
        + ("" if line.how is How.stands else f" ({HOW_WORDS[line.how]})")
        for line in found.lines
    ]
    lines += [f"{moment(voice, e.start)}: no part, {PROBLEM_WORDS[e.problem]}" for e in found.aside if e.problem]
    notes = []
    if found.missing and found.need is Need.required:
        notes.append(f"No appointment yet for what {voice.listing([ROLE_WORDS[role] for role in found.missing])}.")
    if found.beyond and planned.stands.left():  # where it can be closed, it is asked there
        notes.append(still_stand(found.beyond, voice, "after the last part"))
    return Appointments(tuple(lines), " ".join(notes), len(found.new))


def to_keep(asked: Asked, planned: Planned) -> str:
    """What is asked where an ending can be closed: of the appointments that still stand; nothing where none does."""
    closable = planned.stands.state is State.going and not planned.stands.left()
    return still_stand(planned.ahead, asked.voice, "although nothing is open") if closable and planned.ahead else ""


def seen_of(stands: Termination | None) -> str:
    """How an ending stands, so that a form from another tab is known for one."""
    if stands is None:
        return "none"
    counts = (
        stands.moved_at,
        len(stands.settled),
        len(stands.attempts),
        len(stands.approved),
        int(stands.careful),
    )
    return ".".join((stands.id, stands.state.value, *map(str, counts)))


def shown(asked: Asked, stands: Termination, held: int) -> Shown:
    """An ending for whoever asks; `held` is how many appointments took place since it was begun."""
    left = stands.left()
    going = stands.state is State.going
    asks = [step for step in STEPS if stands.is_open and stands.need(step) is not Need.none]
    its = [step for step in STEPS if step in asks or stands.of(step) is not None]
    steps = [_step(asked, stands, step, held) for step in its]
    reaching = going and stands.reason is Reason.contact and Step.letter in left and not stands.died
    return Shown(
        stands.state,
        _headline(asked, stands),
        tuple(_lines(asked, stands)),
        tuple(steps) if stands.state is not State.waiting or stands.settled else (),
        tuple(_attempt(asked, one) for one in stands.attempts),
        _next(stands),
        seen_of(stands),
        reaching,
        stands.careful or stands.died,
        stands.died,
        going and stands.need(Step.letter) is not Need.none and not stands.died,
        going and not left,
        stands.said_died,
    )


def _attempt(asked: Asked, one: Attempt) -> AttemptShown:
    line = f"{MEANS_WORDS[one.means].capitalize()}, {asked.voice.day_and_distance(one.on)}, {named(asked, one.by)}"
    if not one.approved:
        line += ". It counts once you, as therapist, have approved it"
    elif one.approved != one.by:
        line += f"; approved by {named(asked, one.approved)}"
    return AttemptShown(f"{line}.", not one.approved, one.means.value, one.on)


def _headline(asked: Asked, stands: Termination) -> str:
    voice, reason = asked.voice, REASON_WORDS[stands.reason]
    match stands.state:
        case State.waiting:
            return (
                f"An ending is begun ({reason}) and waits for the word of {asked.naming.therapist(stands.confirmer)}."
            )
        case State.going:
            return f"An ending is going on: {reason}."
        case State.closed:
            back = "" if stands.died else COMES_BACK
            return f"Closed {voice.day_and_distance(stands.moved_at)}: {reason}. {IN_THE_RECORD}{back}"
        case State.declined:
            return f"Not confirmed {voice.day_and_distance(stands.moved_at)}: care goes on."
    said_dead = stands.reason is Reason.death or any(one.could_not == CouldNot.died for one in stands.settled)
    goes_on = "that the client has died is taken back" if said_dead else "care goes on"
    return f"Withdrawn {voice.day_and_distance(stands.moved_at)}: {goes_on}."


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
    note = _room(voice, stands, step, held) if said is None and stands.state is State.going else ""
    done = ""
    if said is not None:
        when = f"{voice.day_and_distance(said.at)}, {named(asked, said.by)}"
        done = f"Could not be done: {COULD_NOT_WORDS[CouldNot(said.could_not)]}" if said.could_not else "Done"
        done += f": {ONWARD_WORDS[Onward(said.onward)]}" if said.onward else ""
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


def _room(voice: Voice, stands: Termination, step: Step, held: int) -> str:
    """How many appointments it takes, and how many there were; nothing of a step that takes none, or one at most."""
    least = stands.room_for(step)
    if step is not Step.process and least < 2:
        return ""
    more = ", one more than those that give room" if step is Step.last else ""
    took = {0: "none has taken place yet", 1: "one has taken place"}.get(held, f"{voice.count(held)} have")
    return f"At least {voice.count(least)} after it was begun{more}; {took}."


def _able(stands: Termination, step: Step, held: int) -> bool:
    """Whether it may be said to be done, as far as appointments and tries to reach the client go."""
    if held < stands.room_for(step):
        return False
    if step is Step.last:
        return not any(each in MEETINGS[:-1] for each in stands.left())
    return step is not Step.letter or stands.reason is not Reason.contact or len(stands.ways()) >= LEAST_MEANS


def _next(stands: Termination) -> str:
    if stands.state is State.waiting:
        return "Until then nothing can be done but to withdraw it."
    if stands.state is State.going and not stands.left():
        return "Nothing is open any more: it can be closed."
    return ""
