"""What a therapist may say to a finding: replies, what each needs, and for how long the finding then waits."""

from datetime import date
from enum import StrEnum
from typing import NamedTuple

from models.errors import UsageError
from models.instants import DAY, FAR, HOUR, Instant, end_of, start_of
from models.voice import Voice

UNDO_SECONDS = 60
LONGEST_NOTE = 200  # characters
LONGEST_PLAN = 30 * DAY  # of "known, there is a plan"
LONGEST_SNOOZE = 90 * DAY
LONGEST_AGREED = 180 * DAY  # a contact further ahead than that is a pause, which the record tells of
ENDING_RESTS = 7 * DAY  # after "we have begun an ending", until somebody is asked where it is
CONTACT = frozenset({"quiet", "missed", "not_started"})  # kinds of finding for which the next contact is an answer


class Reply(StrEnum):
    """What is said. New ones are only ever added at the end: digests hold their places."""

    done = "done"
    agreed = "agreed"  # the next contact: a day, or a rhythm
    snooze = "snooze"
    no_concern = "no-concern"
    known = "known"  # a risk that is known and has a plan, until a day
    ending = "ending"  # an ending is started


NAMES_A_DAY = frozenset({Reply.snooze, Reply.known})  # whose sentence says when it is asked again
REASONS: dict[Reply, dict[str, str]] = {
    Reply.snooze: {
        "waiting": "waiting for the client's answer",
        "away": "the client or I are away",
        "later": "not now, but it matters",
    },
    Reply.no_concern: {
        "planned": "it is as we planned",
        "elsewhere": "the client is looked after elsewhere",
        "record": "the record is wrong",
        "not-useful": "this question does not help here",
    },
}
"""The closed lists of reasons, by code, in words."""


class Answer(NamedTuple):
    """One answer: `kind` of finding, `at` when, `until` when it speaks again by itself if it is still so (FAR: no day
    was named), `days` a rhythm that was agreed (0: none), `reason` a code of REASONS."""

    kind: str
    reply: Reply
    at: Instant
    until: Instant
    days: int = 0
    reason: str = ""


def replies_to(kind: str, *, safety: bool) -> tuple[Reply, ...]:
    """What may be said to a finding of that kind."""
    if safety:
        return Reply.done, Reply.snooze, Reply.known
    agreed = (Reply.agreed,) if kind in CONTACT else ()
    return Reply.done, *agreed, Reply.snooze, Reply.no_concern, Reply.ending


def answer(
    kind: str,
    reply: Reply,
    now: Instant,
    *,
    until: Instant | None = None,
    days: int = 0,
    reason: str = "",
    safety: bool = False,
) -> Answer:
    """A checked answer. Raises UsageError, a sentence for whoever answers, where something is missing or does not fit."""
    if reply not in replies_to(kind, safety=safety):
        if safety:
            raise UsageError("A risk is answered with done, known (with a day) or snooze (until tomorrow).")
        if reply is Reply.known:
            raise UsageError("`known` is for a risk; here say done, snooze or no-concern.")
        raise UsageError(
            "The next contact is an answer to Quiet, Missed and Not started; here say done, snooze or no-concern."
        )
    if until is not None and until <= now:
        raise UsageError("That day has passed; name one that lies ahead.")
    if days and reply is not Reply.agreed:
        raise UsageError("A rhythm goes with `agreed` alone.")
    if until is not None and reply not in (Reply.agreed, Reply.snooze, Reply.known):
        raise UsageError(f"A day does not go with `{reply.value}`.")
    if reply is Reply.agreed and (until is None) == (not days):
        raise UsageError(
            "Say what was agreed: the day of the next contact (`--until`), or a rhythm in days (`--days`)."
        )
    if not 0 <= days <= 365:
        raise UsageError("A rhythm lies between 1 and 365 days.")
    if reply in (Reply.snooze, Reply.known) and until is None:
        raise UsageError(f"Say until when: `{reply.value}` needs a day (`--until`).")
    if reply is Reply.known and until is not None and until - now > LONGEST_PLAN:
        raise UsageError("A plan for a risk is looked at again within 30 days; name an earlier day.")
    if safety and reply is Reply.snooze and until is not None and until - now > DAY + HOUR:  # of 25 hours
        raise UsageError("A risk waits until tomorrow at most; say `known` with a day where there is a plan.")
    if reply is Reply.agreed and until is not None and until - now > LONGEST_AGREED + DAY:  # until that day is over
        raise UsageError(
            "That is more than 180 days ahead. So long without contact is a pause: enter it in the record system."
        )
    if reply is Reply.snooze and until is not None and until - now > LONGEST_SNOOZE:
        raise UsageError("Longer than 90 days is no snooze: say what was agreed, or why it is no concern.")
    listed = REASONS.get(reply, {})
    if listed and reason not in listed:
        raise UsageError(f"Say why with `--reason`: {', '.join(listed)}.")
    if reason and not listed:
        raise UsageError(f"`{reply.value}` takes no reason.")
    if reply is Reply.ending:
        until = now + ENDING_RESTS
    return Answer(kind, reply, now, FAR if until is None else until, days, reason)


def until_of(reply: Reply, day: date, zone: str) -> Instant:
    """The instant that a day means in an answer: a contact was agreed for some time on it, everything else speaks again when it begins."""
    return end_of(day, zone) if reply is Reply.agreed else start_of(day, zone)


def asked_again(at: Instant | None, voice: Voice) -> str:
    """When what was answered is asked again by itself, as a sentence; empty where it is not."""
    return "" if at is None else f"If nothing changes, it is asked again on {voice.day_and_distance(at)}."


def said(reply: Reply, until: Instant, days: int, reason: str, voice: Voice) -> str:
    """What was answered, as a sentence of whoever said it: `We agreed on the next contact, Tue 1 Dec, in 8 days.`"""
    day = "" if until == FAR else voice.day_and_distance(until - 1 if reply is Reply.agreed else until)
    why = REASONS.get(reply, {}).get(reason, reason)
    sentences = {
        Reply.done: "I have seen to it.",
        Reply.agreed: f"We agreed to meet every {days} days." if days else f"We agreed on the next contact: {day}.",
        Reply.snooze: f"Ask me again on {day}: {why}.",
        Reply.no_concern: f"This isn't a concern: {why}.",
        Reply.known: f"It is known and there is a plan, until {day}.",
        Reply.ending: "We have begun an ending.",
    }
    return sentences[reply]
