"""Referrals whose loop is still open: what became of them is asked of the therapist in time, and where one does not go on, what is next."""

from collections.abc import Sequence
from typing import Any

from models.case import Case
from models.clock import Clock
from models.instants import DAY, FAR, Instant
from models.policy import Policy
from models.referral_shape import BEGUN, BOOKED, OVER, RUNGS, SEEN, STATES, STUCK, Referral, Rung, State, Stuck
from models.referrals import referred
from models.rule import Facts, Kind, Rule, Verdict, common_sentence, silent
from models.told import NOT_KNOWN, Referred
from models.voice import Voice

QUESTIONS = ("choice", "consent", "sending", "accepted", "booked", "seen", "fits", "visit")
"""What is asked; findings hold their places, so new ones are only ever added at the end."""
CHOICE, CONSENT, SENDING, ACCEPTED_, BOOKED_, SEEN_, FITS, VISIT = range(len(QUESTIONS))
WHYS = (*(one.value for one in STUCK), "silent")
SILENT = len(WHYS) - 1
_OPEN_FIRST = {State.offered: CHOICE, State.chosen: CONSENT, State.consented: SENDING}
_POLICY = (
    "referral_first_days",
    "referral_second_days",
    "referral_third_days",
    "referral_fit_days",
    "referral_again_days",
)


def _another(then: Facts, now: Facts, answered: bool) -> bool:
    """Whether something is asked of a referral that was not yet asked of it: another question, or the same one a round later."""
    return bool({_asks(one) for one in now[0]} - {_asks(one) for one in (then[0] if then else ())})


def _asks(one: Sequence[Any]) -> tuple[Any, ...]:
    """Which referral, what is asked, how often by now, and since when it stands so."""
    number, what, times, _, since, *_ = one
    return number, what, times, since


KINDS = {
    "referral_follow_up": Kind(
        "referral_follow_up",
        "Referral: how is it going?",
        "Clears when what became of it is written down with `tending refer`. An answer here puts the question off; it does not end it.",
        _POLICY,
        again=_another,
        duty=True,
    ),
    "referral_stuck": Kind(
        "referral_stuck",
        "Referral: what next?",
        "Clears when another way is taken, the client says no, or a person closes it with a reason (`tending refer`); "
        "once it is closed, when it is written down that the provider was told (`tending refer CLIENT news cancel-asked`).",
        ("referral_silent_days", "referral_again_days"),
        again=_another,
        duty=True,
    ),
}
NONE = silent(KINDS, "no_referral")
DIED = silent(KINDS, "died")


def referral(case: Case, policy: Policy, clock: Clock) -> tuple[Verdict, ...]:
    """One verdict for each of KINDS, in their order. It speaks for clients whose care has ended, or is paused, as for all others."""
    told = case.told.referrals
    if not told:
        return NONE
    if case.died:
        return DIED
    going = [one for one in told if STATES[one.state] not in OVER or STUCK[one.stuck] is Stuck.untold]
    if not going:
        return silent(KINDS, "closed")
    stuck = [found for one in going if (found := _stuck(one, policy, clock))]
    lost = {found[0] for found in stuck}
    # Of what is closed nothing is asked but that a provider who may be waiting is told.
    followed = [one for one in going if one.agreed and one.number not in lost and STATES[one.state] not in OVER]
    asked = [found for one in followed if (found := _asked(one, policy, clock))]
    return (_follow_up(going, asked, lost), _what_next(stuck))


def _follow_up(going: list[Referred], asked: list[list[Any]], lost: set[int]) -> Verdict:
    kind = "referral_follow_up"
    if asked:
        return Verdict(kind, True, "asks", (sorted(asked, key=lambda one: (one[4], one[0])),))
    if lost >= {one.number for one in going if one.agreed} and lost:
        return Verdict(kind, False, "stuck")
    return Verdict(kind, False, "in_time" if any(one.agreed for one in going) else "not_followed")


def _what_next(stuck: list[list[Any]]) -> Verdict:
    if not stuck:
        return Verdict("referral_stuck", False, "goes_on")
    return Verdict("referral_stuck", True, "stuck", (sorted(stuck, key=lambda one: (one[4], one[0])),))


def _rounds(first: Instant, every: float, clock: Clock) -> int:
    """How often something is due that is due at an instant and then every so many days: 0 before the first."""
    if not clock.passed(first):
        return 0
    length = round(every * DAY)
    times = 1 + (clock.now - first) // length
    clock.passed(first + times * length)
    return times


def _asked(one: Referred, policy: Policy, clock: Clock) -> list[Any] | None:
    """What is asked of a referral now: its number, the question, how often by now, when options were offered, and since when it stands."""
    state = STATES[one.state]
    if one.heard >= SEEN or state is State.attended:
        since = max(one.visit_at, one.begun_at if one.visit_at == NOT_KNOWN else NOT_KNOWN, one.offered_at)
        times = _rounds(since + round(policy.referral_fit_days * DAY), policy.referral_again_days, clock)
        return [one.number, FITS, times, one.offered_at, since] if times else None
    begun = state in BEGUN
    since = one.begun_at if begun else one.since
    days = (policy.referral_first_days, policy.referral_second_days, policy.referral_third_days)
    if begun and one.heard == BOOKED and one.visit_at != NOT_KNOWN:
        times = _rounds(one.visit_at + round(policy.referral_fit_days * DAY), policy.referral_again_days, clock)
        return [one.number, VISIT, times, one.offered_at, one.visit_at] if times else None
    stage = sum(clock.passed(since + round(day * DAY)) for day in days[:2])
    last = _rounds(since + round(max(days) * DAY), policy.referral_again_days, clock)
    stage = 3 if last else stage
    if begun:
        if one.heard >= stage:
            return None
        return [one.number, (ACCEPTED_, BOOKED_, SEEN_)[stage - 1], last, one.offered_at, since]
    # What was not taken up yet is asked about on the same days.
    return [one.number, _OPEN_FIRST[state], last or stage - 3, one.offered_at, since] if stage else None


def _stuck(one: Referred, policy: Policy, clock: Clock) -> list[Any] | None:
    """Why a referral does not go on: its number, the place of the reason in WHYS, how often it was asked by now, when options were
    offered, since when it is so, and the rung of the ladder."""
    why, since = one.stuck, max(one.since, one.heard_at)
    if STUCK[why] is Stuck.no:
        if not one.agreed or STATES[one.state] not in BEGUN or one.heard or one.heard_at != NOT_KNOWN:
            return None
        why, since = SILENT, one.begun_at + round(policy.referral_silent_days * DAY)
    times = _rounds(since, policy.referral_again_days, clock)
    return [one.number, why, times, one.offered_at, since, one.rung] if times else None


def next_asked(one: Referral, policy: Policy, now: Instant) -> Instant | None:
    """When a referral is next asked about, `now` where it is already; None where it is not."""
    told, clock = referred(one), Clock(now)
    if one.over and not one.untold:
        return None
    if _stuck(told, policy, clock) or (told.agreed and _asked(told, policy, clock)):
        return now
    return None if clock.next_look == FAR else clock.next_look


def with_facts(verdict: Verdict, case: Case, policy: Policy, clock: Clock) -> Verdict:
    """Silent verdicts need no facts."""
    return verdict


_ASKS = {
    CHOICE: "It is not known yet whether the client chose one of the options or said no.",
    CONSENT: "The client chose on {since}; neither consent nor that they call themselves is written down yet.",
    SENDING: "Consent was given on {since}, and nothing was sent yet.",
    ACCEPTED_: "The client took it up on {since}; whether it was accepted is not known yet.",
    BOOKED_: "The client took it up on {since}; whether a first visit is booked is not known yet.",
    SEEN_: "The client took it up on {since}; whether a first visit took place is not known yet.",
    VISIT: "A first visit was booked for {since}; whether it took place is not known yet.",
    FITS: "The first visit elsewhere was on {since}; whether it fits is not known yet.",
}
_BECAUSE = {
    Stuck.declined.value: "the provider cannot take the client",
    Stuck.full.value: "there is no place at present",
    Stuck.cancelled.value: "it was called off",
    Stuck.unfit.value: "the client says that it does not fit",
    WHYS[SILENT]: "nothing was heard since it was taken up",
}
_UNTOLD = "Tell them that the client does not come, and write down that you did."
_NEXT = {
    Rung.next_option: "Another of the options that were offered could be next.",
    Rung.new_options: "No option is left that was offered: `tending providers` finds others.",
    Rung.person: "New options came to nothing too: what is next is for a person to decide.",
}


def tell(verdict: Verdict, voice: Voice) -> str:
    """The sentence for a verdict, as a therapist reads it; providers are named by nothing here."""
    match verdict.reason:
        case "asks":
            _, question, _, offered, since = verdict.facts[0][0]
            asks = _ASKS[question].format(since=voice.day_and_distance(since))
            return f"A referral was offered on {voice.day(offered)}. {asks}{_others(verdict.facts[0])}"
        case "stuck" if verdict.fired:
            _, why, _, offered, since, rung = verdict.facts[0][0]
            if WHYS[why] == Stuck.untold.value:
                closed = f"The referral offered on {voice.day(offered)} is closed ({voice.day_and_distance(since)})"
                return f"{closed}, and the provider may still be waiting. {_UNTOLD}{_others(verdict.facts[0])}"
            said = f"The referral offered on {voice.day(offered)} does not go on: {_BECAUSE[WHYS[why]]}"
            return f"{said} ({voice.day_and_distance(since)}). {_NEXT[RUNGS[rung]]}{_others(verdict.facts[0])}"
        case "stuck":
            return "What is next is asked already."
        case "in_time":
            return "Nothing is due to be asked of a referral yet."
        case "not_followed":
            return "Options were offered, and no follow-up was agreed with the client: offered, not followed."
        case "goes_on":
            return "No referral is known not to go on."
        case "closed":
            return "Every referral is closed."
        case "no_referral":
            return "No referral is written down."
    return common_sentence(verdict, voice)


def _others(found: Sequence[Any]) -> str:
    more = len(found) - 1
    return "" if not more else f" {more} more {'waits' if more == 1 else 'wait'} for an answer too."


RULE = Rule(name="referral", version=1, kinds=KINDS, decide=referral, with_facts=with_facts, tell=tell, untold=NONE)
