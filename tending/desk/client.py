"""One client's page: appointments, scores, what is open, why and why not for every rule, goals, what was answered, and the boundary."""

from typing import Any, NamedTuple

from fastapi.responses import Response
from sqlalchemy import Connection

from integrations.store import answers, audit, cases, desk, lookups
from integrations.store.answers import AnswerRow
from models.access import Part, parts
from models.answers import Reply, said
from models.boundary import boundary
from models.case import Case
from models.clock import Clock
from models.entries import Achievement, GoalStatus
from models.ethics import code_of
from models.instants import start_of
from models.kinds import all_kinds, place_of
from models.people import as_day
from models.policy_layers import Layered
from models.rules import all_rules
from models.spoken import here
from models.told import unpacked
from models.voice import Voice
from tending.desk import cards, ending, picture, referral, score_line
from tending.desk import who as asking_who
from tending.desk.asking import Asked, named, page
from tending.desk.today import SAID, way_to

FIRED = {True: "Yes", False: "No", None: "Cannot say"}
STATUSES = {
    GoalStatus.proposed: "proposed",
    GoalStatus.active: "worked at",
    GoalStatus.on_hold: "on hold",
    GoalStatus.completed: "completed",
    GoalStatus.cancelled: "given up",
}


class GoalLine(NamedTuple):
    title: str
    line: str


class AnswerLine(NamedTuple):
    day: str
    kind: str
    said: str
    note: str
    by: str


def client(asked: Asked, refused: cards.Refused | None = None) -> Response:
    """The page, with those parts of it that who asks may see; with an answer that was refused, its card says why and holds what was
    filled in. Looking is audited."""
    who, through = way_to(asked, asked.path["code"])
    may = parts(asked.person.role, through)
    practice, voice = asked.practice, asked.voice
    name, goals, given = "", [], []
    with practice.store.write() as connection:
        if Part.name in may:
            name = desk.name_of(connection, practice.vault, who.id, asked.by, asked.now)
        if Part.goals in may:
            goals = [_goal(goal, voice) for goal in desk.goals(connection, practice.vault, who.id)]
        if Part.answers in may:
            notes = answers.answers_to(practice, connection, who.id, notes=True)
            given = [_answer(row, asked) for row in notes]
        seen = {"parts": sorted(part.value for part in may)}
        audit.record(connection, asked.now, asked.by, "client page read", who.code, seen)
    facts: dict[str, Any] = {"picture": None, "lines": [], "cards": [], "rules": []}
    with practice.store.read() as connection:
        if Part.appointments in may:
            rows = desk.appointments(connection, who.id, asked.now - picture.BEFORE, asked.now + picture.AHEAD)
            facts["picture"] = picture.timeline(rows, desk.breaks(connection, who.id), voice)
        if Part.goals in may:
            facts["lines"] = _lines(connection, who, voice)
        case, layered = _case(asked, connection, who)
        if Part.findings in may:
            facts |= _findings(asked, connection, who, may, case, layered, refused)
        if Part.ending in may:
            facts |= ending.facts(asked, connection, who, case.held_since if case is not None else lambda _: 0)
        if Part.referral in may:
            facts |= referral.facts(asked, connection, who)
    status = cards.status_of(refused, facts["cards"])
    mine = practice.settings.practice
    return page(
        asked,
        "client.html",
        status=status,
        boundary=boundary(code_of(mine.ethics, mine.ethics_text), died=who.died),
        title=name or who.code,
        code=who.code,
        died=who.died,
        name=name,
        goals=goals,
        given=given,
        may={part.value for part in may},
        asks_who=asking_who.may_ask(asked, who.id, through),
        choices=cards.choices(asked),
        **facts,
    )


def _case(asked: Asked, connection: Connection, who: lookups.About) -> tuple[Case | None, Layered]:
    """The client's case as of now with the policy that holds for them; None for one of whom no digest is there yet."""
    digest = next(iter(cases.digests(connection, [who.id])), None)
    if digest is None:
        return None, asked.practice.book.of()
    together = cases.shared(asked.practice, connection, asked.now)
    return together.case(digest), together.policy(digest)


def _findings(
    asked: Asked,
    connection: Connection,
    who: lookups.About,
    may: frozenset[Part],
    case: Case | None,
    layered: Layered,
    refused: cards.Refused | None,
) -> dict[str, Any]:
    """Cards of what is open or was just answered, and what every rule says now."""
    voice, answer_id = asked.voice, asked.query.get(SAID, "")
    given = answers.find(connection, answer_id) if answer_id else None
    just = (
        (answer_id, given)
        if given is not None and cards.just_now(given, asked.now) and given.client_id == who.id
        else None
    )
    rows = [
        card
        for card in desk.cards_of(connection, who.id)
        if card.cleared_at is None or (just is not None and card.kind == just[1].kind)
    ]
    rules: list[dict[str, Any]] = []
    if case is not None:
        clock = Clock(asked.now)
        rules = [one for rule in all_rules() for one in rule.explain(case, layered, voice, clock)]
    return {
        "cards": [cards.shown(card, who.code, voice, just, may=may, refused=refused) for card in cards.in_order(rows)],
        "rules": [
            {
                **one,
                "answer": FIRED[one["fired"]],
                "clears": here(one["clears"] or ""),
                "sentence": here(one["sentence"]),
                "policy": list(filter(None, map(layered.told, all_kinds()[one["kind"]].policy))),
            }
            for one in sorted(rules, key=lambda one: place_of(one["kind"]))
        ],
    }


def _lines(connection: Connection, who: lookups.About, voice: Voice) -> list[score_line.ScoreLine]:
    """The scores that the digest keeps, a line for each measure."""
    digest = next(iter(cases.digests(connection, [who.id])), None)
    return score_line.lines(unpacked(digest[-1]).by(voice.now).scores, voice) if digest is not None else []


def _goal(goal: desk.GoalShown, voice: Voice) -> GoalLine:
    line = [STATUSES[GoalStatus(goal.status)]]
    if goal.achievement != Achievement.in_progress:
        line.append(goal.achievement.replace("-", " ").replace("_", " "))
    days = (("set", goal.set_on), ("looked at together", goal.reviewed_on), ("meant for", goal.target_on))
    for word, text in days:
        if (day := as_day(text)) is not None:
            line.append(f"{word} {voice.day(start_of(day, voice.zone))}")
    return GoalLine(goal.title or "A goal without a title", ", ".join(line))


def _answer(row: AnswerRow, asked: Asked) -> AnswerLine:
    voice, kind = asked.voice, all_kinds().get(row.kind)
    return AnswerLine(
        voice.day_and_distance(row.at),
        kind.label if kind is not None else row.kind.replace("_", " "),
        said(Reply(row.reply), row.until, row.days, row.reason, voice),
        row.note,
        named(asked, row.by),
    )
