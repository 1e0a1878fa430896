"""Who may see what at the desk: which role which page, and of which client which part. One table each; what is not in it is refused."""

from collections.abc import Iterable
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from models.accounts import Role
from models.people import RelationKind


class Page(StrEnum):
    """The pages that need somebody to be signed in."""

    home = "home"
    sign_out = "sign_out"
    today = "today"
    clients = "clients"
    client = "client"
    answer = "answer"
    who = "who"  # a supervisor asks who it is of whom a risk has reached them
    ending = "ending"  # starting an ending, and saying what was done
    confirm = "confirm"  # an ending that waits for one's own word
    referral = "referral"
    leave = "leave"
    look_up = "look_up"
    practice = "practice"


PAGES: dict[Page, frozenset[Role]] = {
    Page.home: frozenset(Role),
    Page.sign_out: frozenset(Role),
    Page.today: frozenset({Role.therapist, Role.supervisor}),
    Page.clients: frozenset({Role.therapist, Role.supervisor}),
    Page.client: frozenset({Role.therapist, Role.supervisor, Role.front_office}),
    Page.answer: frozenset({Role.therapist, Role.supervisor}),
    Page.who: frozenset({Role.supervisor}),
    Page.ending: frozenset({Role.therapist, Role.supervisor}),
    Page.confirm: frozenset({Role.therapist, Role.supervisor}),
    Page.referral: frozenset({Role.therapist, Role.supervisor}),
    Page.leave: frozenset({Role.therapist, Role.supervisor}),
    Page.look_up: frozenset({Role.front_office}),
    Page.practice: frozenset({Role.technical}),
}
FIRST_PAGE: dict[Role, str] = {
    Role.therapist: "/today",
    Role.supervisor: "/today",
    Role.front_office: "/find",
    Role.technical: "/practice",
}


class Through(StrEnum):
    """How a client comes to be somebody's to see."""

    own = "own"  # their main or second therapist, or named as cover
    cover = "cover"  # of a therapist on leave who named them
    team = "team"  # of a therapist whom they supervise
    practice = "practice"  # of the practice: nothing binds them to the client


class Part(StrEnum):
    """What there is to see of a client, or to do."""

    name = "name"
    appointments = "appointments"
    findings = "findings"  # evidence, and every rule's why and why not
    goals = "goals"  # with their titles, in the client's own words
    answers = "answers"  # what was answered, with notes
    answering = "answering"
    ending = "ending"  # how an ending stands, and saying what was done
    referral = "referral"  # where the client is referred to, and saying what became of it


CLINICAL = frozenset(Part)
PARTS: dict[tuple[Role, Through], frozenset[Part]] = {
    (Role.therapist, Through.own): CLINICAL,
    (Role.therapist, Through.cover): CLINICAL,
    (Role.supervisor, Through.own): CLINICAL,
    (Role.supervisor, Through.cover): CLINICAL,
    (Role.supervisor, Through.team): frozenset({Part.findings, Part.answering}),
    (Role.front_office, Through.practice): frozenset({Part.name, Part.appointments}),
}


def parts(role: Role, through: Through) -> frozenset[Part]:
    """What somebody of this role may see of a client who is theirs in this way."""
    return PARTS.get((role, through), frozenset())


class Tie(NamedTuple):
    """One relation of a client to a therapist, from a day to a day (None: open)."""

    client_id: int
    therapist_id: str
    kind: str
    from_on: date | None
    to_on: date | None


class Away(NamedTuple):
    """One leave, both days included."""

    therapist_id: str
    cover_id: str | None
    from_on: date
    to_on: date


def holds(tie: Tie, today: date) -> bool:
    """Whether a relation holds on a day. A transfer moves a client the same day: on the last day of a main relation it is over."""
    if tie.from_on is not None and tie.from_on > today:
        return False
    if tie.to_on is None:
        return True
    return today < tie.to_on if tie.kind == RelationKind.main else today <= tie.to_on


def covered_by(person: str, leave: Iterable[Away], today: date) -> frozenset[str]:
    """Whom a therapist stands in for on a day."""
    return frozenset(a.therapist_id for a in leave if a.cover_id == person and a.from_on <= today <= a.to_on)


def reach(
    role: Role, person: str, today: date, ties: Iterable[Tie], covered: Iterable[str], team: Iterable[str]
) -> dict[int, Through]:
    """The clients of a therapist's or supervisor's, and through what each is theirs; the nearest way counts.

    `covered` are the therapists whom they stand in for, `team` those whom they supervise.
    """
    if not person:
        return {}
    ways = dict.fromkeys(team, Through.team) if role is Role.supervisor else {}
    ways |= dict.fromkeys(covered, Through.cover)
    ways[person] = Through.own
    rank = list(Through)
    found: dict[int, Through] = {}
    for tie in ties:
        way = ways.get(tie.therapist_id)
        if way is None or not holds(tie, today):
            continue
        if tie.client_id not in found or rank.index(way) < rank.index(found[tie.client_id]):
            found[tie.client_id] = way
    return found
