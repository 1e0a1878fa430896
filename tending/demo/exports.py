"""The CSV exports of the demonstration practice's record system, as they were at an instant."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import timedelta

from models.instants import Instant
from tending.demo.diary import ATTENDED, MINUTES, Meeting
from tending.demo.elsewhere import HEADER, providers
from tending.demo.names import THERAPISTS
from tending.demo.world import WITHOUT_RECORDS, Goal, Person, Score, World, evening

GIVEN = {"target": "as we wrote it on the sheet", "measure": "counted together each month"}


def exports(world: World, when: Instant) -> dict[str, bytes]:
    """The nine CSV files by name. Two rows of the appointments are such as no reader can understand, as in real exports."""
    people = [person for person in world.people if person.known_from <= when]
    started = {ref: "" if days is None else world.diary.day(-days).isoformat() for ref, _, _, days, _ in THERAPISTS}
    return {
        "therapists": _csv(
            ("id", "name", "email", "supervisor", "started"),
            [
                (ref, name, f"{mail}@northside.example", supervisor, started[ref])
                for ref, name, mail, _, supervisor in THERAPISTS
            ],
        ),
        "clients": _csv(
            (
                "id",
                "name",
                "code",
                "therapist",
                "status",
                "intake date",
                "ended date",
                "died",
                "paused until",
                "opted out",
            ),
            [_client(person, when) for person in people],
        ),
        "appointments": _csv(
            ("id", "client", "therapist", "start", "minutes", "status"),
            [
                *(
                    _appointment(m, when)
                    for m in world.meetings
                    if m.booked_at <= when and m.therapist != WITHOUT_RECORDS
                ),
                *_unreadable(world),
            ],
        ),
        "breaks": _csv(("client", "from", "to"), [(ref, a.isoformat(), b.isoformat()) for ref, a, b in world.breaks]),
        "leave": _csv(
            ("id", "therapist", "from", "to", "cover"),
            [(x.id, x.therapist, x.from_on.isoformat(), x.to_on.isoformat(), x.cover) for x in world.diary.leave],
        ),
        "goals": _csv(
            (
                "id",
                "client",
                "goal",
                "set",
                "status",
                "target date",
                *GIVEN,
                "words",
                "achievement",
                "achievement date",
                "reviewed",
            ),
            [_goal(goal, when) for goal in world.goals if goal.known(when)],
        ),
        "scores": _csv(
            ("id", "client", "measure", "taken", "score", "risk"),
            [_score(score) for score in world.scores if score.told_at <= when],
        ),
        "holds": _csv(
            ("client", "from", "to"),
            [(ref, first.isoformat(), "") for ref, first in world.holds if evening(first) <= when],
        ),
        "providers": _csv(HEADER, providers(world.diary)),
    }


def _client(person: Person, when: Instant) -> tuple[str, ...]:
    status = person.status(when)
    return (
        person.id,
        person.name,
        person.code,
        person.therapist,
        status,
        person.intake_on.isoformat() if person.intake_on else "",
        person.ended_on.isoformat() if person.ended_on and status == "ended" else "",
        person.died_on.isoformat() if person.died_on else "",
        person.paused_until,
        "yes" if person.opted_out else "no",
    )


def _appointment(meeting: Meeting, when: Instant) -> tuple[str, ...]:
    start = meeting.start.strftime("%Y-%m-%d %H:%M")
    return meeting.id, ";".join(meeting.clients), meeting.therapist, start, str(MINUTES), meeting.status(when)


def _goal(goal: Goal, when: Instant) -> tuple[str, ...]:
    look = goal.look(when)
    looked_on, achievement = (look[0].isoformat(), look[1]) if look else ("", "")
    return (
        goal.id,
        goal.client,
        goal.title,
        goal.set_on.isoformat(),
        goal.status(when),
        goal.target_on.isoformat() if goal.target_on else "",
        *(text if column in goal.given else "" for column, text in GIVEN.items()),
        "client" if "words" in goal.given else "",
        achievement,
        looked_on if achievement else "",
        looked_on,
    )


def _score(score: Score) -> tuple[str, ...]:
    taken = score.taken.strftime("%Y-%m-%d %H:%M")
    risk = "" if score.risk is None else str(score.risk)
    return score.id, score.client, score.measure, taken, f"{score.value:g}", risk


def _unreadable(world: World) -> list[tuple[str, ...]]:
    """A day that no calendar has, of somebody whose care has ended; and a word that no vocabulary has."""
    ended, doubtful = world.playing("ended")[0], world.playing("unreadable")[0]
    start = world.meetings_of(doubtful)[-1].start + timedelta(days=7)
    return [
        ("A-19998", ended.id, ended.therapist, f"{start.year - 1}-02-30 10:00", str(MINUTES), ATTENDED),
        ("A-19999", doubtful.id, doubtful.therapist, start.strftime("%Y-%m-%d %H:%M"), str(MINUTES), "see note"),
    ]


def _csv(header: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows([header, *rows])
    return out.getvalue().encode()
