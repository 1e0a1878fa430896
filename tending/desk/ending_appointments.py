"""The appointments of an ending on the client's page: which one has which part, and what was proposed for the rest."""

from sqlalchemy import Connection

from integrations import ending_schedule
from integrations.store import lookups
from models.ending_acts import State
from models.ending_plan import Role
from models.ending_schedule import PROBLEM_WORDS, How
from models.ending_steps import Need
from tending.desk.asking import Asked
from tending.output import moment

PARTS: dict[Role, str] = {
    Role.explain: "to explain why",
    Role.process: "room to process",
    Role.close: "the last one",
}
HOW: dict[How, str] = {
    How.stands: "",
    How.proposed: "; {} invited, and no calendar shows it yet",
    How.new: "; free, and not proposed yet",
}


def lines(asked: Asked, connection: Connection, who: lookups.About) -> tuple[str, ...]:
    """One line for each appointment ahead and its part, and for what is lacking; nothing where the ending does not go on."""
    found = ending_schedule.planned_for(asked.practice, connection, who.id, asked.now)
    if found is None or found.stands.state is not State.going:
        return ()
    schedule, voice = found.schedule, asked.voice
    whom = "you are" if asked.person.therapist_id == schedule.therapist else f"{schedule.therapist} is"
    said = [f"{moment(voice, line.start)}: {PARTS[line.role]}{HOW[line.how].format(whom)}." for line in schedule.lines]
    said += [
        f"{moment(voice, entry.start)}: no part; {PROBLEM_WORDS[entry.problem]}."
        for entry in schedule.aside
        if entry.problem is not None
    ]
    if schedule.missing and schedule.need is Need.required:
        said.append(f"No appointment yet: {voice.listing([PARTS[role] for role in schedule.missing])}.")
    return tuple(said)
