"""*Clients*: everybody whom somebody has today and how, first those of whom an ending or a referral is going on."""

from dataclasses import dataclass
from typing import Any

from fastapi.responses import Response

from integrations.store import desk, my_clients
from integrations.store.my_clients import Mine
from models.access import Part, Through, parts
from models.ending_acts import State
from models.ending_steps import STEP_WORDS, Step
from models.instants import start_of
from models.kinds import all_kinds, place_of
from models.people import RelationKind
from models.referral_words import next_words, state_words
from tending.desk.asking import Asked, page
from tending.desk.today import labels_of

OWN = {
    RelationKind.main: "Yours",
    RelationKind.co: "Yours together with somebody else",
    RelationKind.cover: "You stand in",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One client: `how` they are the reader's, `going` what is going on besides (part of their page, sentence), and what is `open`;
    `team`: they are somebody else's whom the reader supervises."""

    code: str
    label: str
    how: str
    going: tuple[tuple[str, str], ...]
    open: str
    team: bool


def clients(asked: Asked) -> Response:
    """The page. Of a team there are only those of whom something is open, by code."""
    mine, today, me = asked.reach, asked.today, asked.person.therapist_id
    with asked.practice.store.read() as connection:
        theirs = my_clients.my_clients(connection, mine, me, today)
        endings, referrals = my_clients.endings_of(connection, mine), my_clients.referrals_of(connection, mine)
        kinds: dict[int, list[str]] = {}
        for card in desk.cards(connection, mine):
            if not card.answered:
                kinds.setdefault(card.client_id, []).append(card.kind)
    may = {one.client_id: parts(asked.person.role, one.through) for one in theirs}
    labels = labels_of(asked, mine, {one.client_id for one in theirs})
    lines = [
        Line(
            one.code,
            labels.get(one.client_id) or one.code,
            _how(asked, one),
            _going(asked, may[one.client_id], endings.get(one.client_id), referrals.get(one.client_id, [])),
            asked.voice.listing(
                [all_kinds()[kind].label for kind in sorted(kinds.get(one.client_id, []), key=place_of)]
            ),
            one.through is Through.team,
        )
        for one in theirs
        if one.through is not Through.team or one.client_id in kinds
    ]
    lines.sort(key=lambda line: line.label.casefold())
    own = [line for line in lines if not line.team]
    return page(
        asked,
        "clients.html",
        title="My clients",
        going=[line for line in own if line.going],
        own=own,
        team=[line for line in lines if line.team],
    )


def _how(asked: Asked, one: Mine) -> str:
    """`Yours since Tue 3 Nov.`, `Of Dr Lund (T2), for whom you stand in.`"""
    if one.through is Through.own:
        said = OWN[RelationKind(one.kind)]
        if one.from_on is not None:
            said += f" since {asked.voice.day(start_of(one.from_on, asked.zone))}"
        if one.to_on is not None:
            said += f", until {asked.voice.day(start_of(one.to_on, asked.zone))}"
    elif one.through is Through.cover:
        said = f"Of {asked.naming.therapist(one.therapist_id)}, for whom you stand in"
    else:
        said = f"With {asked.naming.therapist(one.therapist_id)}"
    return f"{said}." if one.in_care else f"{said}. Care has ended."


def _going(asked: Asked, may: frozenset[Part], ending: Any, referrals: list[Any]) -> tuple[tuple[str, str], ...]:
    """What is going on with them, as far as whoever asks may see it."""
    said: list[tuple[str, str]] = []
    if ending is not None and Part.ending in may:
        said.append(("ending", _ending(asked, ending)))
    if Part.referral in may:
        said += [("referral", _referral(row)) for row in referrals]
    return tuple(said)


def _ending(asked: Asked, row: Any) -> str:
    begun = f"An ending, begun {asked.voice.day_and_distance(row.started_at)}"
    if row.state == State.waiting:
        return f"{begun}, waits to be confirmed"
    return f"{begun}; next: {STEP_WORDS[Step(row.next_step)].lower() if row.next_step else 'close it'}"


def _referral(row: Any) -> str:
    following = next_words(row.state, row.stuck, row.rung, row.agreed)
    said = f"Referral {row.id}: {state_words(row.state, row.status, row.stuck, row.heard)}"
    return f"{said}; next: {following}" if following else said
