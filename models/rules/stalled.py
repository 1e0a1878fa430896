"""Who may be dropping out of care: quiet, missed, not started; and whose record is unsure: unconfirmed."""

from statistics import median

from models.appointments import Mark
from models.case import ENDED, Case
from models.clock import Clock, counted_until
from models.instants import DAY, Instant
from models.policy import Policy
from models.rule import Kind, Rule, Verdict
from models.voice import Voice

KINDS = {
    "quiet": Kind(
        "quiet",
        "Quiet",
        "Clears when an appointment is booked or attended, or you say what was agreed.",
        ("quiet_after_days", "quiet_factor", "rhythm_gaps", "rhythm_least_gaps", "usual_rhythm_days"),
    ),
    "missed": Kind("missed", "Missed", "Clears when an appointment is attended.", ("missed_in_a_row",)),
    "not_started": Kind(
        "not_started",
        "Not started",
        "Clears when a first appointment is booked or attended, or the intake is closed.",
        ("not_started_after_days",),
    ),
    "unconfirmed": Kind(
        "unconfirmed",
        "Did these take place?",
        "Clears when the appointments are marked as attended or missed.",
        ("unconfirmed_in_a_row", "mark_within_days"),
        speaks="weekly_list",
    ),
}


def stalled(case: Case, policy: Policy, clock: Clock) -> tuple[Verdict, ...]:
    """One verdict for each of KINDS."""
    if case.died or case.status == ENDED:
        reason = "died" if case.died else "ended"
        return tuple(Verdict(kind, False, reason) for kind in KINDS)
    last = case.last_seen()
    booked = case.next_booked()
    if not clock.passed(case.away_until):
        away = Verdict("quiet", False, "paused", (case.away_until,))
        return (
            away,
            away._replace(kind="missed"),
            away._replace(kind="not_started"),
            unconfirmed(case, policy, clock),
        )
    return (
        quiet(case, policy, clock, last, booked),
        missed(case, policy),
        not_started(case, policy, clock, last, booked),
        unconfirmed(case, policy, clock),
    )


def rhythm_of(case: Case, policy: Policy) -> tuple[float, bool]:
    """The client's usual gap in seconds, and whether it is their own (True) or the policy's default."""
    gaps = case.gaps(policy.rhythm_gaps)
    if len(gaps) >= policy.rhythm_least_gaps:
        return median(gaps), True
    return policy.usual_rhythm_days * DAY, False


def quiet(case: Case, policy: Policy, clock: Clock, last: Instant | None, booked: Instant | None) -> Verdict:
    """Nothing booked by a person's act, and longer since last seen than max(floor, factor x own rhythm), pauses not counted."""
    if booked is not None:
        return Verdict("quiet", False, "booked", (booked,))
    if last is None:
        return Verdict("quiet", False, "never_seen")
    rhythm, own = rhythm_of(case, policy)
    limit = max(policy.quiet_after_days * DAY, policy.quiet_factor * rhythm)
    # A pause that was agreed ends with its last day; the silence is counted from there.
    due = counted_until(max(last, case.away_until), int(limit), case.pauses)
    if not clock.passed(due):
        return Verdict("quiet", False, "seen_lately", (last, int(rhythm), own, due))
    if case.blind:
        return Verdict("quiet", None, "blind", case.blind)
    return Verdict("quiet", True, "quiet", (last, int(rhythm), own, due))


def missed(case: Case, policy: Policy) -> Verdict:
    """The last appointments of which it is known how they went were all missed, whether another is booked or not."""
    recent = case.last_marked(policy.missed_in_a_row)
    if len(recent) < policy.missed_in_a_row or any(mark != Mark.no_show for _, mark in recent):
        return Verdict("missed", False, "not_missed", tuple(start for start, mark in recent if mark == Mark.no_show))
    if case.blind:
        return Verdict("missed", None, "blind", case.blind)
    return Verdict("missed", True, "missed", tuple(start for start, _ in reversed(recent)))


def not_started(case: Case, policy: Policy, clock: Clock, last: Instant | None, booked: Instant | None) -> Verdict:
    """Asked for help, was never seen, and nothing is booked."""
    if last is not None:
        return Verdict("not_started", False, "started", (last,))
    if booked is not None:
        return Verdict("not_started", False, "booked", (booked,))
    if case.intake_at < 0:
        return Verdict("not_started", False, "no_intake_day")
    due = counted_until(max(case.intake_at, case.away_until), int(policy.not_started_after_days * DAY), case.pauses)
    if not clock.passed(due):
        return Verdict("not_started", False, "asked_lately", (case.intake_at, due))
    if case.blind:
        return Verdict("not_started", None, "blind", case.blind)
    return Verdict("not_started", True, "not_started", (case.intake_at,))


def unconfirmed(case: Case, policy: Policy, clock: Clock) -> Verdict:
    """The last appointments that should be marked by now are unknown or only presumed, though more are planned."""
    ahead = case.next_entry()
    if ahead is None:
        return Verdict("unconfirmed", False, "nothing_ahead")
    grace = int(policy.mark_within_days * DAY)
    wanted = policy.unconfirmed_in_a_row
    starts: list[Instant] = []
    line = case.line
    for i in range(case.past - 1, -1, -1):
        start = line[i] >> 3
        if not clock.passed(start + grace):
            continue
        if line[i] & 3 not in (Mark.unknown, Mark.presumed):
            break
        starts.append(start)
        if len(starts) == wanted:
            return Verdict("unconfirmed", True, "unconfirmed", tuple(reversed(starts)))
    return Verdict("unconfirmed", False, "marked", tuple(reversed(starts)))


def tell(verdict: Verdict, voice: Voice) -> str:
    """The sentence for a verdict, as a therapist reads it; it never holds who it is about."""
    facts = verdict.facts
    match verdict.reason:
        case "quiet":
            last, rhythm, own, _ = facts
            usual = (
                f"usually {voice.every(rhythm)}" if own else f"no rhythm of their own yet, {voice.every(rhythm)} taken"
            )
            return f"Last seen {voice.day_and_distance(last)}; {usual}. Nothing booked."
        case "seen_lately":
            last, rhythm, own, due = facts
            usual = (
                f"usually {voice.every(rhythm)}" if own else f"no rhythm of their own yet, {voice.every(rhythm)} taken"
            )
            return f"Last seen {voice.day_and_distance(last)}; {usual}. Nothing booked; quiet from {voice.day(due)}."
        case "missed":
            return f"{voice.count(len(facts)).capitalize()} appointments missed in a row ({voice.days(facts)})."
        case "not_missed":
            return (
                f"Missed last: {voice.days(facts)}; not enough in a row."
                if facts
                else "The last appointment was not missed."
            )
        case "not_started":
            return f"Asked for help {voice.day_and_distance(facts[0])}. Not seen yet, nothing booked."
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
        case "paused":
            return (
                f"Paused until {voice.day(facts[0])}." if voice.can_name(facts[0]) else "Paused until further notice."
            )
        case "blind":
            return f"Cannot say: {voice.listing(facts)} could show otherwise and cannot be relied on now."
        case "started":
            return f"Started; last seen {voice.day_and_distance(facts[0])}."
        case "never_seen":
            return "Not seen yet; see Not started."
        case "nothing_ahead":
            return "Nothing more is planned, so nothing asks to be marked."
        case "no_intake_day":
            return "Not seen yet, and no intake day is known; add it to the clients file."
        case "died":
            return "The client has died; nothing is asked."
        case "ended":
            return "Care has ended."
    raise ValueError(f"no sentence for {verdict.reason}")


RULE = Rule(name="stalled", version=1, kinds=KINDS, decide=stalled, tell=tell)
