"""What the rules say of the demonstration's people at an instant, without files, store or server."""

from collections import Counter
from datetime import date

from models.appointments import Mark
from models.digest import Held, History, digest_of
from models.entries import ClientStatus
from models.instants import Instant, start_of
from models.looking import DIGEST_COLUMNS, Shared
from models.people import OPEN_ENDED
from models.policy import DEFAULT
from models.policy_layers import PolicyBook
from models.rules import all_rules
from models.told import Told, goal_of, kept, score_of
from tending.demo.diary import ATTENDED, MISSED, ZONE
from tending.demo.names import THERAPISTS
from tending.demo.world import WITHOUT_RECORDS, Person, World

NEW_FOR = int(DEFAULT.new_therapist_days)
MARKS = {ATTENDED: Mark.attended, MISSED: Mark.no_show}


def found(world: World, at: Instant) -> dict[tuple[str, str], str]:
    """(client, kind) of every finding at an instant, and the part that client plays."""
    pauses = {ref: world.diary.pauses(ref) for ref, *_ in THERAPISTS}
    new = {ref: start_of(world.diary.day(NEW_FOR - began), ZONE) for ref, _, _, began, _ in THERAPISTS if began}
    heard = frozenset({"goal", "score"})
    together = Shared(at, PolicyBook(), all_rules(), pauses, {}, words=heard, new=new)
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
        (
            *((a, b) for ref, a, b in world.breaks if ref == person.id),
            *((first, OPEN_ENDED) for ref, first in world.holds if ref == person.id),
        ),
        at,
        _told(world, person, at),
    )


def _told(world: World, person: Person, at: Instant) -> Told:
    """Their goals and scores, as far as they were written down by then."""
    goals = []
    for goal in world.goals:
        if goal.client == person.id and goal.known(at):
            looked_on, achievement = goal.look(at) or (None, "in progress")
            facts = {
                "set_on": goal.set_on.isoformat(),
                "target_on": goal.target_on and goal.target_on.isoformat(),
                "reviewed_on": looked_on and looked_on.isoformat(),
                "achievement": achievement.replace(" ", "-"),
                "achievement_on": looked_on and looked_on.isoformat(),
                "status": goal.status(at),
                "has_target": "target" in goal.given,
                "has_measure": "measure" in goal.given,
                "own_words": "words" in goal.given,
            }
            goals.append(goal_of(goal.id, facts, ZONE))
    scores = [
        score_of({"at": s.at, "measure": s.measure, "value": s.value, "risk": s.risk}, s.told_at)
        for s in world.scores
        if s.client == person.id and s.told_at <= at
    ]
    return kept(goals, scores, (), ())


def by_part(findings: dict[tuple[str, str], str]) -> Counter[tuple[str, str]]:
    """How many findings of each kind each part has."""
    return Counter((kind, part) for (_, kind), part in findings.items())
