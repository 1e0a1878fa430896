"""How an ending is shown at the terminal: its steps, what is open, who has to confirm it, and what comes next."""

from typing import Any

from integrations import ending_schedule
from integrations.ending_schedule import Planned
from integrations.practice import Practice
from integrations.store import ending_rows, lookups
from integrations.store.terminations import Taken
from models.ending_acts import STEPS, State, Termination
from models.ending_refusals import waiting_attempts
from models.ending_schedule import still_stand
from models.ending_steps import (
    COULD_NOT_WORDS,
    ONWARD_WORDS,
    REASON_WORDS,
    STEP_WORDS,
    CouldNot,
    Need,
    Onward,
    Reason,
    Step,
    asked,
)
from models.instants import Instant
from models.noticing import THERAPIST
from models.told import NOT_KNOWN
from models.voice import Voice
from tending.commands import ending_schedule as schedules
from tending.commands.common import instant_or_none, voice_of
from tending.output import columns, say, show_json, toned

STATE_WORDS = {
    State.waiting: "waits to be confirmed",
    State.going: "going on",
    State.declined: "not confirmed",
    State.withdrawn: "withdrawn",
    State.closed: "closed",
}
TAKEN_BACK = "It is taken back that the client has died; their record may still say so."
IN_THE_RECORD = "The client's status stands in the record system, which is its own: set it there."


def show_all(here: Practice, at: Instant, as_json: bool) -> None:
    """All endings that are going on or wait, the oldest first."""
    with here.store.read() as connection:
        rows = ending_rows.open_rows(connection)
    if as_json:
        names = ("code", "therapist_id", "reason", "state", "next_step", "needs_confirmation_of")
        show_json([{name: getattr(row, name) for name in names} | _times(row) for row in rows])
        return
    voice = voice_of(here, at)
    columns(
        [
            (
                row.code,
                f"therapist {row.therapist_id or 'none'}",
                STATE_WORDS[State(row.state)],
                _next_of(row),
                f"since {voice.day_and_distance(row.moved_at)}",
            )
            for row in rows
        ]
    )
    if not rows:
        say("No ending is going on.")


def _times(row: Any) -> dict[str, Any]:
    return {"started_at": instant_or_none(row.started_at), "moved_at": instant_or_none(row.moved_at)}


def _next_of(row: Any) -> str:
    if row.needs_confirmation_of:
        return f"{row.needs_confirmation_of} confirms it"
    return STEP_WORDS[Step(row.next_step)] if row.next_step else "close it"


def show_one(here: Practice, who: lookups.About, at: Instant, as_json: bool, taken: Taken | None = None) -> None:
    """A client\'s newest ending; `taken` is what was said just now."""
    with here.store.read() as connection:
        planned = ending_schedule.planned_for(here, connection, who.id, at)
    stands = planned.stands if planned else None
    if as_json:
        appointments = schedules.facts(planned) if planned else {}
        show_json({"code": who.code} | ({"changed": taken.changed} if taken else {}) | _facts(stands) | appointments)
        return
    if planned is None or stands is None:
        say(f"{who.code}: no ending was started.")
        return
    voice = voice_of(here, at)
    if taken is not None and not taken.changed:
        say(
            toned(
                f"That was said already; nothing was changed. `tending ending {who.code}` shows how it stands.", "note"
            )
        )
        return
    say(f"{who.code}: an ending, {STATE_WORDS[stands.state]}; {REASON_WORDS[stands.reason]}.")
    say(
        f"Started {voice.day_and_distance(stands.started_at)}, by {_name(stands.started_by)}; whose wish: {stands.wished_by}."
    )
    for line in _about(here, stands, voice):
        say(line)
    say()
    columns(
        [(step, STEP_WORDS[step], stands.need(step).value, _settled(stands, step, voice)) for step in STEPS],
        indent=2,
    )
    schedules.lines(planned, who.code, voice)
    say()
    say(_what_next(here, planned, who.code))
    if taken is not None and stands.state is State.closed and planned.ahead:
        say(still_stand(planned.ahead, voice, "although this is closed"))


def desk_of(here: Practice) -> str:
    """Where the desk is: its address where that is known, else what serves it."""
    part = here.settings.desk
    return (
        f"at the desk ({part.public_url})" if part is not None and part.public_url else "at the desk (`tending desk`)"
    )


def who_confirms(here: Practice, stands: Termination) -> str:
    """Who has to confirm an ending, and where."""
    return f"{stands.confirmer} confirms it or does not, {desk_of(here)} or by the link of the mail"


def _about(here: Practice, stands: Termination, voice: Voice) -> list[str]:
    lines = []
    if stands.confirmer:
        if stands.state is State.waiting:
            lines.append(f"It waits for the confirmation of {stands.confirmer}.")
        elif stands.answered_by:
            word = "Not confirmed" if stands.state is State.declined else "Confirmed"
            lines.append(f"{word} by {_name(stands.answered_by)}.")
        else:
            lines.append(f"The confirmation of {stands.confirmer} is not needed any more.")
    if stands.careful:
        lines.append("The client finds rejection hard: more room, and nothing goes by itself.")
    if stands.until != NOT_KNOWN:
        lines.append(f"It should be over by {voice.day(stands.until - 1)}.")
    if stands.died:
        lines.append("The client has died: only the records are left.")
    for attempt in stands.attempts:
        yes = "" if attempt.approved else f"; it counts once their therapist has approved it, {desk_of(here)}"
        lines.append(
            f"Tried to reach the client {voice.day_and_distance(attempt.on)}: {attempt.means} ({_name(attempt.by)}){yes}."
        )
    return lines


def _name(by: str) -> str:
    """Who it was, as people of the practice write it: a therapist by their id."""
    return by.removeprefix(THERAPIST)


def _settled(stands: Termination, step: Step, voice: Voice) -> str:
    said = stands.of(step)
    if said is None:
        return "open" if stands.is_open and stands.need(step) is not Need.none else ""
    when = f"{voice.day(said.at)}, {_name(said.by)}"
    if said.could_not:
        return f"could not be: {COULD_NOT_WORDS[CouldNot(said.could_not)]} ({when})"
    return f"done: {ONWARD_WORDS[Onward(said.onward)]} ({when})" if said.onward else f"done ({when})"


WAS_SO: dict[Step, str] = {
    Step.process: "enough appointments took place",
    Step.referral: "places were offered",
    Step.last: "enough appointments took place",
}
"""What of a step is so where it may be said to be done."""


def _what_next(here: Practice, planned: Planned, code: str) -> str:
    stands, left = planned.stands, planned.stands.left()
    if stands.state is State.closed:
        return f"Closed. {IN_THE_RECORD}"
    if stands.state in (State.withdrawn, State.declined):
        return TAKEN_BACK if stands.reason is Reason.death else "Care goes on."
    if stands.state is State.waiting:
        return f"Next: {who_confirms(here, stands)}; until then it can only be withdrawn."
    if not left:
        return f"Next: nothing is open any more; `tending ending {code} close`."
    if stands.reason is Reason.contact and left[0] is Step.letter and not stands.died:
        if planned.doable:
            return (
                f"Next: enough was tried to reach the client; `tending ending {code} letter` drafts the closing letter. The "
                "client may always come back."
            )
        return (
            f"Next: try to reach the client, and note each try, `tending ending {code} attempt --means phone`; then the "
            f"closing letter. The client may always come back.{waiting_attempts(stands)}"
        )
    if planned.doable and left[0] in WAS_SO:
        return f"Next: {WAS_SO[left[0]]}; `tending ending {code} done {left[0]}` says that it is done."
    note = f" At least {stands.needed} after it was started." if left[0] is Step.process else ""
    return f"Next: {asked(stands.reason, left[0])}{note}" if not stands.died else "Next: mark the record for keeping."


def _facts(stands: Termination | None) -> dict[str, Any]:
    if stands is None:
        return {"ending": None}
    left = stands.left()
    return {
        "ending": stands.id,
        "state": stands.state.value,
        "reason": stands.reason.value,
        "wished_by": stands.wished_by.value,
        "started_at": instant_or_none(stands.started_at),
        "started_by": stands.started_by,
        "confirmer": stands.confirmer,
        "answered_by": stands.answered_by,
        "careful": stands.careful,
        "appointments_needed": stands.needed,
        "until": None if stands.until == NOT_KNOWN else instant_or_none(stands.until),
        "died": stands.died,
        "steps": [_step_facts(stands, step) for step in STEPS],
        "attempts": [
            {"on": instant_or_none(a.on), "means": a.means, "by": a.by, "approved": a.approved or None}
            for a in stands.attempts
        ],
        "next": left[0] if left and stands.state is State.going else None,
    }


def _step_facts(stands: Termination, step: Step) -> dict[str, Any]:
    said = stands.of(step)
    return {
        "step": step,
        "need": stands.need(step).value,
        "asked": asked(stands.reason, step),
        "done": said is not None and not said.could_not,
        "could_not": said.could_not if said else "",
        "at": instant_or_none(said.at) if said else None,
        "by": said.by if said else "",
    }
