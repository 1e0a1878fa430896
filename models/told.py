"""What is told of a client besides appointments, packed for the digest: goals, scores, own cancellations, what was answered, and how
endings and referrals stand.

Everything is whole numbers in one array, so that reading a client costs one column, and nothing at all where nothing is told.
"""

import hashlib
from array import array
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple

from models.answers import Reply
from models.entries import Achievement, GoalStatus
from models.instants import FAR, Instant, start_of
from models.measures import NUMBERS

NOT_KNOWN = -1
MOST_SCORES = 12  # kept of each measure, with a value and with an answer; the newest
MOST_CANCELLED = 6  # of the client's own cancellations; the newest
ACHIEVEMENTS = tuple(Achievement)
STATUSES = tuple(GoalStatus)
REPLIES = tuple(Reply)
HAS_TARGET, HAS_MEASURE, OWN_WORDS = 1, 2, 4


class Goal(NamedTuple):
    """A goal without its words. `number` tells a client's goals apart and means nothing; instants are -1 where unknown. `achievement` and
    `status` are places in ACHIEVEMENTS and STATUSES, `given` says what of HAS_TARGET, HAS_MEASURE and OWN_WORDS it has."""

    number: int
    set_at: Instant
    target_at: Instant
    reviewed_at: Instant
    achievement: int
    achievement_at: Instant
    status: int
    given: int


class Score(NamedTuple):
    """A score: `measure` as numbered in models.measures, `hundredths` of its value, `risk` the answer that asks for safety (both -1 where
    not seen), `told_at` when it was first known here."""

    at: Instant
    measure: int
    hundredths: int
    risk: int
    told_at: Instant


class Cancelled(NamedTuple):
    """An appointment that the client called off, and when, by the source's own time stamp."""

    start: Instant
    said_at: Instant


class Answered(NamedTuple):
    """What somebody answered to a finding: `kind` is the number of its name (see `number_of`), `reply` a place
    in REPLIES, `until` when it no longer speaks for itself
    (FAR: while nothing gets worse), `days` a rhythm that was agreed (0: none)."""

    at: Instant
    kind: int
    reply: int
    until: Instant
    days: int


class Ending(NamedTuple):
    """How an ending stands (see models.terminations): `reason` and `state` are places in its REASONS and STATES, `moved_at` is when
    something was last said about it. `open` has a bit for each of its STEPS that is required and not yet done; of appointments that
    give room to process `needed` are needed. `attempts` to reach the client count so far, the last of all was `attempted_at` (-1: none).
    `careful` is 1 for clients who find rejection hard, `means` has a bit for each of the MEANS by which they were tried to reach, `until`
    is when it should be over (-1: no day was named), `proposed_at` when appointments were last proposed for it (-1: never). `died` is 1
    where it was said of it that the client has died; what the records say of that is told beside it. `unapproved` attempts were noted
    by somebody else and wait for the therapist's yes."""

    number: int
    reason: int
    state: int
    started_at: Instant
    moved_at: Instant
    open: int
    needed: int
    attempts: int
    attempted_at: Instant
    careful: int
    means: int
    until: Instant
    proposed_at: Instant
    died: int = 0
    unapproved: int = 0


class Referred(NamedTuple):
    """How a referral stands (see models.referrals): `state`, `stuck` and `rung` are places in its STATES, STUCK and RUNGS, `since` is when
    it came to its state. `agreed` is 1 where a follow-up was agreed with the client; `offered_at` is when options were offered last,
    `begun_at` when the client took one up (self-arranged or sent), `heard` how far the client is known to have come there (0 to 3) and
    `heard_at` since when, `visit_at` the first visit elsewhere (-1 where not known)."""

    number: int
    state: int
    since: Instant
    agreed: int
    offered_at: Instant
    begun_at: Instant
    heard: int
    heard_at: Instant
    visit_at: Instant
    stuck: int
    rung: int


class Told(NamedTuple):
    """All of it. Goals, endings and referrals in order of their numbers, everything else oldest first."""

    goals: tuple[Goal, ...] = ()
    scores: tuple[Score, ...] = ()
    cancelled: tuple[Cancelled, ...] = ()
    answers: tuple[Answered, ...] = ()
    endings: tuple[Ending, ...] = ()
    referrals: tuple[Referred, ...] = ()

    def after(self, now: Instant) -> Instant:
        """When the first of it that lies ahead of an instant comes; FAR where nothing does. Of goals, endings and referrals nothing does:
        they are as they were told last."""
        return min((row.at for rows in (self.scores, self.answers) for row in rows if row.at > now), default=FAR)

    def by(self, now: Instant) -> "Told":
        """What of it lay behind at an instant; goals, endings and referrals stay as they were told last."""
        if all(rows[-1].at <= now for rows in (self.scores, self.answers) if rows):
            return self
        return self._replace(
            scores=tuple(s for s in self.scores if s.at <= now), answers=tuple(a for a in self.answers if a.at <= now)
        )


NOTHING = Told()
_SHAPES: tuple[Any, ...] = (Goal, Score, Cancelled, Answered, Ending, Referred)  # as in Told


def packed(told: Told) -> bytes:
    """As bytes: how many of each, then all their numbers; nothing for nothing."""
    if told == NOTHING:
        return b""
    counts = [len(rows) for rows in told]
    return array("q", [*counts, *(number for rows in told for row in rows for number in row)]).tobytes()


@lru_cache(maxsize=4096)
def unpacked(data: bytes) -> Told:
    """What `packed` made. Looks come again and again to the same clients: the last few thousand are kept."""
    if not data:
        return NOTHING
    numbers = array("q", data)
    at, found = len(_SHAPES), []
    for shape, count in zip(_SHAPES, numbers, strict=False):
        width = len(shape._fields)
        found.append(tuple(shape(*numbers[at + i * width : at + (i + 1) * width]) for i in range(count)))
        at += count * width
    return Told(*found)


def kept(
    goals: Iterable[Goal],
    scores: Iterable[Score],
    cancelled: Iterable[Cancelled],
    answers: Iterable[Answered],
    endings: Iterable[Ending] = (),
    referrals: Iterable[Referred] = (),
) -> Told:
    """What of it a digest keeps: every goal, answer, ending and referral, the newest cancellations, and of each measure the newest scores
    with a value and the newest in which the answer that asks for safety was seen: totals that come without it push none of those out."""
    newest: list[Score] = []
    valued, seen = Counter[int](), Counter[int]()
    for score in sorted(scores, reverse=True):
        has_value, has_risk = score.hundredths != NOT_KNOWN, score.risk != NOT_KNOWN
        valued[score.measure] += has_value
        seen[score.measure] += has_risk
        if (has_value and valued[score.measure] <= MOST_SCORES) or (has_risk and seen[score.measure] <= MOST_SCORES):
            newest.append(score)
    return Told(
        tuple(sorted(goals)),
        tuple(newest[::-1]),
        tuple(sorted(cancelled)[-MOST_CANCELLED:]),
        tuple(sorted(answers)),
        tuple(sorted(endings)),
        tuple(sorted(referrals)),
    )


def goal_of(entry_id: str, facts: Mapping[str, Any], zone: str) -> Goal:
    """The goal of an observation's facts; days begin in the practice's zone."""

    def begun(name: str) -> Instant:
        return NOT_KNOWN if facts[name] is None else start_of(date.fromisoformat(facts[name]), zone)

    given = HAS_TARGET * facts["has_target"] + HAS_MEASURE * facts["has_measure"] + OWN_WORDS * facts["own_words"]
    return Goal(
        number_of(entry_id),
        begun("set_on"),
        begun("target_on"),
        begun("reviewed_on"),
        ACHIEVEMENTS.index(Achievement(facts["achievement"])),
        begun("achievement_on"),
        STATUSES.index(GoalStatus(facts["status"])),
        given,
    )


def score_of(facts: Mapping[str, Any], told_at: Instant) -> Score:
    """The score of an observation's facts."""
    value, risk = facts["value"], facts["risk"]
    return Score(
        facts["at"],
        NUMBERS[facts["measure"]],
        NOT_KNOWN if value is None else round(value * 100),
        NOT_KNOWN if risk is None else risk,
        told_at,
    )


def answer_of(facts: Mapping[str, Any]) -> Answered:
    """The answer of an observation's facts."""
    return Answered(
        facts["at"], number_of(facts["kind"]), REPLIES.index(Reply(facts["reply"])), facts["until"], facts["days"]
    )


def number_of(word: str) -> int:
    """A word as a number that is always the same and means nothing."""
    return int.from_bytes(hashlib.blake2b(word.encode(), digest_size=7).digest(), "big")
