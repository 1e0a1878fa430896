"""Who may be dropping out of care: quiet, missed, not started; and whose record is unsure: unconfirmed."""

from models.appointments import Mark
from models.case import ENDED, Case, is_ending
from models.clock import Clock, counted_until
from models.digest import BOOKED
from models.instants import DAY, Instant
from models.policy import Policy
from models.rhythm import AGREED, rhythm_of
from models.rule import Facts, Kind, Rule, Verdict, common_sentence, silent
from models.told import NOT_KNOWN, NOTHING
from models.voice import Voice


def _agreed_day_over(then: Facts, now: Facts, answered: bool) -> bool:
    """Whether a contact was agreed since, and its day is over."""
    return bool(then and now[-1] > then[-1])


def _missed_another(then: Facts, now: Facts, answered: bool) -> bool:
    """Whether one more was missed after somebody has seen to the others."""
    return bool(answered and now[-1] > then[-1])


def _limit(facts: Facts) -> int:
    """How long it took until it was so: it rests as long again after somebody has seen to it."""
    return int(facts[-2] - facts[0])


KINDS = {
    "quiet": Kind(
        "quiet",
        "Quiet",
        "Clears when an appointment is booked or attended, or you say what was agreed.",
        (
            "quiet_after_days",
            "quiet_factor",
            "rhythm_gaps",
            "rhythm_least_gaps",
            "usual_rhythm_days",
            "agreed_rhythm_days",
        ),
        again=_agreed_day_over,
        rests=_limit,
    ),
    "missed": Kind(
        "missed",
        "Missed",
        "Clears when an appointment is attended.",
        ("missed_in_a_row", "unconfirmed_in_a_row"),
        again=_missed_another,
    ),
    "not_started": Kind(
        "not_started",
        "Not started",
        "Clears when a first appointment is booked or attended, or the intake is closed.",
        ("not_started_after_days",),
        again=_agreed_day_over,
        rests=_limit,
    ),
    "unconfirmed": Kind(
        "unconfirmed",
        "Did these take place?",
        "Clears when the appointments are marked as attended or missed.",
        ("unconfirmed_in_a_row", "mark_within_days"),
        speaks="weekly_list",
    ),
}

# What is said of most clients on most days. They carry no facts: `with_facts` adds them when somebody asks why.
DIED = silent(KINDS, "died")
OVER = silent(KINDS, "ended")
*ENDING, _ = silent(KINDS, "ending")
QUIET_PAUSED, MISSED_PAUSED, NOT_STARTED_PAUSED, _ = (Verdict(kind, False, "paused") for kind in KINDS)
QUIET_BOOKED = Verdict("quiet", False, "booked")
QUIET_AGREED = Verdict("quiet", False, "agreed")
NEVER_SEEN = Verdict("quiet", False, "never_seen")
SEEN_LATELY = Verdict("quiet", False, "seen_lately")
NOT_MISSED = Verdict("missed", False, "not_missed")
STARTED = Verdict("not_started", False, "started")
NOT_STARTED_BOOKED = Verdict("not_started", False, "booked")
NOT_STARTED_AGREED = Verdict("not_started", False, "agreed")
NO_INTAKE_DAY = Verdict("not_started", False, "no_intake_day")
ASKED_LATELY = Verdict("not_started", False, "asked_lately")
NOTHING_AHEAD = Verdict("unconfirmed", False, "nothing_ahead")
MARKED = Verdict("unconfirmed", False, "marked")
SEEN_AND_BOOKED = (QUIET_BOOKED, NOT_MISSED, STARTED, MARKED)
NO_SHOW = int(Mark.no_show)
ATTENDED = int(Mark.attended)


def stalled(case: Case, policy: Policy, clock: Clock) -> tuple[Verdict, ...]:
    """One verdict for each of KINDS, in their order."""
    _, status, _, away_until, died, line, past, _, _, (told, _, _) = case
    if died:
        return DIED
    if status == ENDED:
        return OVER
    if told is not NOTHING and is_ending(told.endings):
        return *ENDING, unconfirmed(case, policy, clock)  # which appointments took place is still to be marked
    if away_until > clock.now:
        clock.passed(away_until)
        return QUIET_PAUSED, MISSED_PAUSED, NOT_STARTED_PAUSED, unconfirmed(case, policy, clock)
    if past == len(line):
        booked = None
    else:  # mostly the next entry is it
        booked = line[past] >> 3 if line[past] & BOOKED else case.next_booked()
    if past and line[past - 1] & 3 == ATTENDED:
        # Most clients on most days: the last appointment took place, so nothing was missed and nothing waits to be marked.
        if booked is not None:
            return SEEN_AND_BOOKED
        calm = quiet(case, policy, clock, line[past - 1] >> 3, None)
        return calm, NOT_MISSED, STARTED, MARKED if past < len(line) else NOTHING_AHEAD
    last_seen = case.last_seen()
    return (
        quiet(case, policy, clock, last_seen, booked),
        missed(case, policy),
        STARTED if last_seen is not None else not_started(case, policy, clock, booked),
        unconfirmed(case, policy, clock),
    )


def quiet_from(case: Case, policy: Policy, last: Instant) -> tuple[Instant, float, bool | str]:
    """When silence since `last` makes a client quiet, and the rhythm that this rests on."""
    rhythm, own = rhythm_of(case, policy)
    limit = max(policy.quiet_after_days * DAY, policy.quiet_factor * rhythm)
    # A pause that was agreed ends with its last day; the silence is counted from there.
    return counted_until(max(last, case.away_until), int(limit), case.pauses), rhythm, own


def quiet(case: Case, policy: Policy, clock: Clock, last: Instant | None, booked: Instant | None) -> Verdict:
    """Nothing booked by a person's act, and longer since last seen than max(floor, factor x own rhythm), pauses not counted."""
    if booked is not None:
        return QUIET_BOOKED
    if last is None:
        return NEVER_SEEN
    # Pauses only ever lengthen this: before it, nobody needs to know the rhythm.
    if not clock.passed(last + int(policy.quiet_after_days * DAY)):
        return SEEN_LATELY
    due, rhythm, own = quiet_from(case, policy, last)
    if not clock.passed(due):
        return SEEN_LATELY
    agreed = case.agreed_until()
    if not clock.passed(agreed):
        return QUIET_AGREED
    if case.blind:
        return Verdict("quiet", None, "blind", case.blind)
    return Verdict(
        "quiet",
        True,
        "quiet",
        (last, int(rhythm), own, case.is_marked(last), due, agreed if agreed > last else NOT_KNOWN),
    )


def missed(case: Case, policy: Policy) -> Verdict:
    """The last appointments of which it is known how they went were all missed, whether another is booked or not."""
    starts = missed_last(case, policy)
    if len(starts) < policy.missed_in_a_row:
        return NOT_MISSED
    if case.blind:
        return Verdict("missed", None, "blind", case.blind)
    return Verdict("missed", True, "missed", tuple(starts[::-1]))


def missed_last(case: Case, policy: Policy) -> list[Instant]:
    """Those missed in a row up to now, newest first, as many as the rule asks for. One or two that are not marked are passed over; where
    as many are as ask for marks, nobody knows how it went on, and what was missed before is no news."""
    starts: list[Instant] = []
    unmarked = 0
    line = case.line
    for i in range(case.past - 1, -1, -1):
        mark = line[i] & 3
        if not mark:
            unmarked += 1
            if unmarked == policy.unconfirmed_in_a_row:
                break
        elif mark != NO_SHOW:
            break
        else:
            unmarked = 0
            starts.append(line[i] >> 3)
            if len(starts) == policy.missed_in_a_row:
                break
    return starts


def not_started(case: Case, policy: Policy, clock: Clock, booked: Instant | None) -> Verdict:
    """Asked for help, was never seen, and nothing is booked."""
    if booked is not None:
        return NOT_STARTED_BOOKED
    if case.intake_at < 0:
        return NO_INTAKE_DAY
    due = start_by(case, policy)
    if not clock.passed(due):
        return ASKED_LATELY
    agreed = case.agreed_until()
    if not clock.passed(agreed):
        return NOT_STARTED_AGREED
    if case.blind:
        return Verdict("not_started", None, "blind", case.blind)
    return Verdict("not_started", True, "not_started", (case.intake_at, due, agreed))


def start_by(case: Case, policy: Policy) -> Instant:
    """Until when somebody who asked for help should have been seen."""
    return counted_until(max(case.intake_at, case.away_until), int(policy.not_started_after_days * DAY), case.pauses)


def unconfirmed(case: Case, policy: Policy, clock: Clock) -> Verdict:
    """The last appointments that should be marked by now are unknown or only presumed, though more are planned."""
    line = case.line
    past = case.past
    if past == len(line):
        return NOTHING_AHEAD
    if past and line[past - 1] & 3 >= ATTENDED:
        return MARKED
    starts = unmarked(case, policy, clock)
    if len(starts) < policy.unconfirmed_in_a_row:
        return MARKED
    return Verdict("unconfirmed", True, "unconfirmed", tuple(starts[::-1]))


def unmarked(case: Case, policy: Policy, clock: Clock) -> list[Instant]:
    """The last appointments in a row that should be marked by now and are not, newest first, as many as the rule asks for."""
    grace = int(policy.mark_within_days * DAY)
    waited_for = clock.now - grace
    wanted = policy.unconfirmed_in_a_row
    starts: list[Instant] = []
    line = case.line
    for i in range(case.past - 1, -1, -1):
        if line[i] & 3 >= ATTENDED:
            break
        start = line[i] >> 3
        if start <= waited_for:
            starts.append(start)
            if len(starts) == wanted:
                break
        else:
            clock.passed(start + grace)
    return starts


def with_facts(verdict: Verdict, case: Case, policy: Policy, clock: Clock) -> Verdict:
    """A silent verdict with the facts that its sentence names."""
    last, booked = case.last_seen(), case.next_booked()
    match verdict.reason:
        case "booked":
            return verdict._replace(facts=(booked,))
        case "seen_lately":
            assert last is not None
            due, rhythm, own = quiet_from(case, policy, last)
            return verdict._replace(facts=(last, int(rhythm), own, case.is_marked(last), due))
        case "not_missed":
            return verdict._replace(facts=tuple(reversed(missed_last(case, policy))))
        case "asked_lately":
            return verdict._replace(facts=(case.intake_at, start_by(case, policy)))
        case "agreed":
            return verdict._replace(facts=(case.agreed_until(),))
        case "started":
            assert last is not None
            return verdict._replace(facts=(last, case.is_marked(last)))
        case "paused":
            return verdict._replace(facts=(case.away_until,))
        case "marked":
            return verdict._replace(facts=tuple(reversed(unmarked(case, policy, clock))))
    return verdict


def tell(verdict: Verdict, voice: Voice) -> str:
    """The sentence for a verdict, as a therapist reads it; it never holds who it is about."""
    facts = verdict.facts
    match verdict.reason:
        case "quiet":
            last, rhythm, own, marked, _, agreed = facts
            usual = _usual(rhythm, own, voice)
            return f"{_last(last, marked, voice)}; {usual}.{_agreed(agreed, voice)} Nothing booked."
        case "seen_lately":
            last, rhythm, own, marked, due = facts
            usual = _usual(rhythm, own, voice)
            return f"{_last(last, marked, voice)}; {usual}. Nothing booked; quiet from {voice.day(due)}."
        case "missed":
            return f"{voice.count(len(facts)).capitalize()} appointments missed in a row ({voice.days(facts)})."
        case "not_missed":
            return (
                f"Missed last: {voice.days(facts)}; not enough in a row."
                if facts
                else "No appointment was missed of late."
            )
        case "not_started":
            asked = voice.day_and_distance(facts[0])
            return f"Asked for help {asked}.{_agreed(facts[2], voice)} Not seen yet, nothing booked."
        case "asked_lately":
            return f"Asked for help {voice.day_and_distance(facts[0])}; time until {voice.day(facts[1])}."
        case "unconfirmed":
            return f"{voice.count(len(facts)).capitalize()} appointments in a row are not marked ({voice.days(facts)})."
        case "marked":
            return (
                f"Not marked: {voice.days(facts)}; not enough in a row."
                if facts
                else "The last appointments are marked."
            )
        case "booked":
            return f"Next appointment is booked for {voice.day_and_distance(facts[0])}."
        case "agreed":
            return f"The next contact was agreed for {voice.day(facts[0] - 1)}."
        case "started":
            return f"Started. {_last(facts[0], facts[1], voice)}."
        case "never_seen":
            return "Not seen yet; see Not started."
        case "nothing_ahead":
            return "Nothing more is planned, so nothing asks to be marked."
        case "no_intake_day":
            return "Not seen yet, and no intake day is known; add it to the clients file."
    return common_sentence(verdict, voice)


def _last(start: Instant, marked: bool, voice: Voice) -> str:
    day = voice.day_and_distance(start)
    return f"Last seen {day}" if marked else f"Last appointment {day}, not marked"


def _agreed(until: Instant, voice: Voice) -> str:
    return "" if until == NOT_KNOWN else f" The next contact was agreed for {voice.day(until - 1)}."


def _usual(rhythm: float, own: bool | str, voice: Voice) -> str:
    if own == AGREED:
        return f"agreed: {voice.every(rhythm)}"
    return f"usually {voice.every(rhythm)}" if own else f"no rhythm of their own yet, {voice.every(rhythm)} taken"


RULE = Rule(name="stalled", version=5, kinds=KINDS, decide=stalled, with_facts=with_facts, tell=tell)
