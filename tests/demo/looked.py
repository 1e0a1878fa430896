"""What the rules say of the demonstration's people at an instant, without files, store or server."""

from collections import Counter
from datetime import date

from models.appointments import Mark
from models.digest import Held, History, digest_of
from models.instants import Instant
from models.looking import DIGEST_COLUMNS, Shared
from models.observations import ClientStatus
from models.people import OPEN_ENDED
from models.policy import PolicyBook
from models.rules import all_rules
from tending.demo.diary import ATTENDED, MISSED, ZONE
from tending.demo.practice import THERAPISTS, WITHOUT_RECORDS, Person, World

MARKS = {ATTENDED: Mark.attended, MISSED: Mark.no_show}


def found(world: World, at: Instant) -> dict[tuple[str, str], str]:
    """(client, kind) of every finding at an instant, and the part that client plays."""
    pauses = {ref: world.diary.pauses(ref) for ref, *_ in THERAPISTS}
    together = Shared(at, PolicyBook(), all_rules(), pauses, {})
    result = {}
    for person in world.people:
        if person.known_from <= at:
            digest = digest_of(_history(world, person, at), ZONE)
            looked = together.look(tuple(getattr(digest, name) for name in DIGEST_COLUMNS))
            result.update({(person.id, v.kind): person.part for v in looked.verdicts if v.fired})
    return result


def _history(world: World, person: Person, at: Instant) -> History:
    held = []
    for meeting in world.meetings_of(person):
        if meeting.booked_at <= at and not meeting.cancelled(at):
            series = person.therapist == WITHOUT_RECORDS and person.part != "series ended"
            mark = Mark.unknown if person.therapist == WITHOUT_RECORDS else MARKS.get(meeting.status(at), Mark.unknown)
            held.append(Held(meeting.at, mark, not series))
    paused = {"": None, "yes": OPEN_ENDED}.get(person.paused_until) if person.paused_until in ("", "yes") else None
    if person.paused_until not in ("", "yes"):
        paused = date.fromisoformat(person.paused_until)
    return History(
        1,
        person.therapist,
        "",
        ClientStatus(person.status(at)),
        person.intake_on,
        person.died_on is not None,
        paused,
        tuple(held),
        tuple((a, b) for ref, a, b in world.breaks if ref == person.id),
        at,
    )


def by_part(findings: dict[tuple[str, str], str]) -> Counter[tuple[str, str]]:
    """How many findings of each kind each part has."""
    return Counter((kind, part) for (_, kind), part in findings.items())
