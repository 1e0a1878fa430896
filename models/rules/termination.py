"""Which step of an ending is due, and how far somebody is with reaching a client who is out of contact."""

from models.case import ATTENDED, Case
from models.clock import Clock
from models.ending_acts import MEANS, OPEN, REASONS, STATES, STEPS, State
from models.ending_refusals import LEAST_MEANS
from models.ending_steps import MEETINGS, STEP_WORDS, Reason, Step, asked
from models.instants import DAY, Instant
from models.policy import Policy
from models.rule import Facts, Kind, Rule, Verdict, common_sentence, silent
from models.terminations import steps_open
from models.told import NOT_KNOWN, Ending
from models.voice import Voice

NO_STEP = -1
WAITING = STATES.index(State.waiting)
OPEN_PLACES = tuple(STATES.index(state) for state in OPEN)
CONTACT = REASONS.index(Reason.contact)


def _another_step(then: Facts, now: Facts, answered: bool) -> bool:
    """Whether it is another step that is asked about."""
    return bool(then[1] != now[1])


def _another_attempt(then: Facts, now: Facts, answered: bool) -> bool:
    """Whether an attempt was made since."""
    return bool(then[0] != now[0])


KINDS = {
    "ending_step": Kind(
        "ending_step",
        "Ending: next step",
        "Clears when you say that the step is done, or could not be: `tending ending`.",
        ("ending_step_days", "ending_proposal_days"),
        again=_another_step,
        duty=True,
    ),
    "out_of_contact": Kind(
        "out_of_contact",
        "Trying to reach",
        "Clears when an attempt or the letter is noted, or the ending is withdrawn because the client is back.",
        ("ending_attempts", "ending_attempt_days"),
        again=_another_attempt,
        duty=True,
    ),
}
NONE = silent(KINDS, "no_ending")
DIED = silent(KINDS, "died")
NOT_REACHING = Verdict("out_of_contact", False, "not_reaching")
REACHING = Verdict("ending_step", False, "reaching")


def termination(case: Case, policy: Policy, clock: Clock) -> tuple[Verdict, ...]:
    """One verdict for each of KINDS, in their order. Neither a pause nor the end of care in the record silences them."""
    endings = case.told.endings
    if not endings:
        return NONE  # most people: making the search costs more than this
    ending = next((one for one in endings if one.state in OPEN_PLACES), None)
    if ending is None:
        return NONE
    if case.died:
        return DIED
    if ending.state == WAITING:
        return unconfirmed(ending, policy, clock), NOT_REACHING
    if ending.reason == CONTACT and Step.letter in steps_open(ending):
        return REACHING, out_of_contact(case, ending, policy, clock)
    return ending_step(case, ending, policy, clock), NOT_REACHING


def unconfirmed(ending: Ending, policy: Policy, clock: Clock) -> Verdict:
    """Whoever has to confirm an ending has not answered for long."""
    due = ending.started_at + round(policy.ending_step_days * DAY)
    if clock.passed(due):
        return Verdict("ending_step", True, "unconfirmed", (ending.reason, NO_STEP, ending.started_at, due))
    return Verdict("ending_step", False, "waits", (ending.started_at,))


def ending_step(case: Case, ending: Ending, policy: Policy, clock: Clock) -> Verdict:
    """The next required step: nothing was said of it for long, or it needs an appointment and none is booked."""
    left = steps_open(ending)
    if not left:
        return Verdict("ending_step", True, "to_close", (ending.reason, NO_STEP, ending.moved_at, ending.moved_at))
    step, due = left[0], _due(ending, policy)
    facts = (ending.reason, STEPS.index(step), ending.moved_at, due)
    if clock.passed(due):
        return Verdict("ending_step", True, "step_due", facts)
    since, wanted = (ending.started_at, ending.needed) if step is Step.process else (ending.moved_at, 1)
    if step in MEETINGS and case.next_booked() is None and case.held_since(since) < wanted:
        waits_until = ending.proposed_at + round(policy.ending_proposal_days * DAY)
        if ending.proposed_at != NOT_KNOWN and not clock.passed(waits_until):
            return Verdict("ending_step", False, "proposed", (*facts, ending.proposed_at))
        if case.blind:
            return Verdict("ending_step", None, "blind", case.blind)
        return Verdict("ending_step", True, "no_appointment", (*facts, ending.proposed_at))
    return Verdict("ending_step", False, "under_way", facts)


def _due(ending: Ending, policy: Policy) -> Instant:
    """When the next step is asked about: so long after something was said last, at the latest on the day by which it should be over."""
    due = ending.moved_at + round(policy.ending_step_days * DAY)
    return due if ending.until == NOT_KNOWN else min(due, ending.until)


def out_of_contact(case: Case, ending: Ending, policy: Policy, clock: Clock) -> Verdict:
    """The next attempt to reach the client is due, or there were enough of them for the letter, or the client is back."""
    ways, wanted = ending.means.bit_count(), policy.ending_attempts
    back = next((e >> 3 for e in case.line[: case.past] if e >> 3 >= ending.started_at and e & 3 == ATTENDED), None)
    if back is not None:
        return Verdict("out_of_contact", True, "came_back", (ending.attempts, wanted, back, ways, ending.unapproved))
    facts = (ending.attempts, wanted, ending.attempted_at, ways, ending.unapproved)
    if ending.attempts and not clock.passed(ending.attempted_at + round(policy.ending_attempt_days * DAY)):
        return Verdict("out_of_contact", False, "tried_lately", facts)
    if case.blind:
        return Verdict("out_of_contact", None, "blind", case.blind)
    enough = ending.attempts >= wanted and ways >= LEAST_MEANS
    return Verdict("out_of_contact", True, "enough" if enough else "attempt_due", facts)


def with_facts(verdict: Verdict, case: Case, policy: Policy, clock: Clock) -> Verdict:
    """A silent verdict as it is: it carries its facts, or needs none."""
    return verdict


BACK = "The client may always come back."


def tell(verdict: Verdict, voice: Voice) -> str:
    """The sentence for a verdict, as a therapist reads it; it never holds who it is about."""
    facts = verdict.facts
    match verdict.reason:
        case "unconfirmed":
            return (
                f"This ending was started {voice.day_and_distance(facts[2])}, and nobody has confirmed it yet. You might "
                "ask for that, or withdraw it."
            )
        case "step_due":
            step = STEPS[facts[1]]
            said = f"Nothing was said of it since {voice.day_and_distance(facts[2])}."
            return f"{STEP_WORDS[step]}: {asked(REASONS[facts[0]], step)} {said}"
        case "no_appointment":
            step = STEPS[facts[1]]
            anew = "" if facts[4] == NOT_KNOWN else f" Times were proposed {voice.day_and_distance(facts[4])}."
            said = f"No appointment is booked for it.{anew} `tending ending CODE schedule` proposes times."
            return f"{STEP_WORDS[step]}: {asked(REASONS[facts[0]], step)} {said}"
        case "to_close":
            return "Every step of this ending is done, or could not be: it can be closed."
        case "under_way":
            return f"{STEP_WORDS[STEPS[facts[1]]]} comes next; asked about from {voice.day(facts[3])} on."
        case "proposed":
            step = STEPS[facts[1]]
            return f"{STEP_WORDS[step]} comes next; times for it were proposed {voice.day_and_distance(facts[4])}."
        case "waits":
            return f"Started {voice.day_and_distance(facts[0])}; it waits to be confirmed."
        case "reaching":
            return "First the client is tried to reach: see Trying to reach."
        case "attempt_due":
            return f"{_tried(facts, voice)}{_unapproved(facts, voice)} {BACK}"
        case "enough":
            return (
                f"Tried {voice.times(facts[0])} by {voice.count(facts[3])} means, last {voice.day_and_distance(facts[2])}. "
                f"The closing letter can be drafted, with whom to call in need and where to go.{_unapproved(facts, voice)} {BACK}"
            )
        case "tried_lately":
            said = f"Tried {voice.times(facts[0])}, last {voice.day_and_distance(facts[2])}; there is time to answer."
            return f"{said}{_unapproved(facts, voice)}"
        case "came_back":
            return (
                f"Seen again {voice.day_and_distance(facts[2])}: the client is back, and this ending can be withdrawn."
            )
        case "not_reaching":
            return "No ending is going on in which the client has to be reached."
        case "no_ending":
            return "No ending is going on."
    return common_sentence(verdict, voice)


def _tried(facts: Facts, voice: Voice) -> str:
    tried, wanted, last, ways, unapproved = facts
    if not tried:
        none = "counts" if unapproved else "is noted"
        return (
            f"No attempt to reach the client {none} yet; {voice.count(wanted)} are asked for, by two different means at "
            f"least ({voice.listing(MEANS)}), each of them yours to make."
        )
    other = ", by another means than so far" if ways < LEAST_MEANS else ""
    return f"Tried {voice.times(tried)}, last {voice.day_and_distance(last)}. The {voice.ordinal(tried + 1)} attempt is due{other}."


def _unapproved(facts: Facts, voice: Voice) -> str:
    """Of attempts that somebody else noted; they do not count before the therapist's yes."""
    many = facts[4]
    if not many:
        return ""
    one = (
        "An attempt that somebody else noted waits"
        if many == 1
        else f"{voice.count(many).capitalize()} attempts that others noted wait"
    )
    return f" {one} for your yes, at the desk."


RULE = Rule(
    name="termination", version=2, kinds=KINDS, decide=termination, with_facts=with_facts, tell=tell, untold=NONE
)
