"""What may not be said about an ending, and why, each as a sentence with what can be done instead."""

from models.ending_acts import MEANS, QUESTION, STEPS, Act, State, Termination, What
from models.ending_steps import (
    MEETINGS,
    OURS_ALONE,
    REASON_WORDS,
    STEP_WORDS,
    WISHED_BY,
    By,
    CouldNot,
    Need,
    Onward,
    Reason,
    Step,
    need_of,
)
from models.instants import DAY, Instant
from models.policy import Policy
from models.told import NOT_KNOWN

LEAST_MEANS = 2  # of reaching a client, before a letter ends what they may not know has ended


def refuse(stands: Termination | None, act: Act, policy: Policy, *, died: bool = False) -> str | None:
    """Why an act is not taken in, as a sentence with what can be done; None where it is. `stands` is the client's newest ending; `died`
    whether the records say that they have died."""
    if act.what is What.started:
        return _refuse_start(stands, act, died)
    if stands is None:
        return "No ending was started for this client; `tending end` does."
    if act.ending != stands.id:
        return "That was said about another ending of this client; look at the one that stands now."
    to_client = act.what in (What.attempt, What.careful, What.proposed) or act.step not in ("", *OURS_ALONE)
    if stands.died and stands.is_open and to_client and act.what is not What.reopened:
        return "The client has died: of an ending only the records are left, and nothing goes to the client any more."
    if (why := not_allowed(stands, act)) is not None:
        return why
    is_letter = act.what is What.done and act.step == Step.letter
    if is_letter and stands.reason is Reason.contact and (why := too_soon(stands, act.at, policy, act.seen)):
        return why
    return None


def _refuse_start(stands: Termination | None, act: Act, died: bool) -> str | None:
    reason, wished_by = Reason(act.reason), By(act.wished_by)
    if act.personal == "":
        return f"{QUESTION} Answer with `--personal no` or `--personal yes`; nothing was changed."
    if act.personal != "no":
        return "An ending is not made in order to begin a personal relationship, or a waiting period before one."
    if stands is not None and stands.is_open:
        return (
            f"An ending of this client's care is going on ({REASON_WORDS[stands.reason]}); `tending ending` shows it."
        )
    if died and reason is not Reason.death:
        mistaken = stands is not None and stands.said_died
        return "The client has died; only `--reason death` is left, which asks for the records alone." + (
            " If that was said by mistake, `tending ending CLIENT withdraw` takes it back." if mistaken else ""
        )
    if wished_by not in WISHED_BY[reason]:
        fits = " or ".join(one.value for one in WISHED_BY[reason])
        return f"For this reason it is the wish of: {fits}."
    if act.until != NOT_KNOWN and act.until <= act.at:
        return "That day has passed; name one that lies ahead."
    if wished_by is By.therapist and not act.confirmer:
        return (
            "Somebody has to confirm an ending that a therapist begins, and nobody else is named: add a "
            "supervisor to the therapists file, or a peer to the policy (ending_confirmed_by_peer)."
        )
    return None


def not_allowed(stands: Termination, act: Act) -> str | None:
    """What no ending allows, whatever the policy: why an act changes nothing."""
    if not stands.is_open and not (act.what is What.withdrawn and stands.said_died):
        ended = {State.declined: "not confirmed"}.get(stands.state, stands.state.value)
        return f"This ending was {ended}; nothing more can be said about it. `tending end` starts another one."
    if act.what in (What.confirmed, What.declined):
        return _cannot_answer(stands, act)
    if stands.state is State.waiting and not stands.died and act.what is not What.withdrawn:
        return f"This ending waits for the confirmation of {stands.confirmer}; until then it can only be withdrawn."
    if act.what is What.closed and (left := stands.left()):
        return f"Still open: {', '.join(STEP_WORDS[step] for step in left)}. Each is done, or could not be done, first."
    if act.what is What.attempt and (why := _about_attempt(stands, act)) is not None:
        return why
    return _about_step(stands, act) if act.what in (What.done, What.could_not, What.reopened) else None


def _account(by: str) -> str:
    """Under which account somebody acts: of `lund as root` the one that the system vouches for; who is behind it anybody can claim."""
    return by.rpartition(" as ")[2]


def _cannot_answer(stands: Termination, act: Act) -> str | None:
    if stands.state is not State.waiting:
        return "This ending waits for no confirmation."
    if _account(act.by) == _account(stands.started_by):
        return (
            f"Whoever started an ending cannot confirm it; {stands.confirmer} does, under their own name: at the desk, or by "
            "the link of the mail."
        )
    if act.by.startswith("therapist:") and act.by != f"therapist:{stands.confirmer}":
        return f"It is {stands.confirmer} who confirms this ending."
    if act.what is What.confirmed and act.personal != "no":
        if act.personal == "":
            return f"{QUESTION} Answer with `--personal no` or `--personal yes`; nothing was changed."
        return "An ending is not confirmed for that reason."
    return None


def _about_attempt(stands: Termination, act: Act) -> str | None:
    if act.means not in MEANS or not 0 <= act.on <= act.at:
        return f"An attempt was made by one of {', '.join(MEANS)}, and not in the future."
    if stands.reason is not Reason.contact:
        return (
            "Attempts are noted in an ending whose reason is that the client is out of contact; here a step that could "
            "not be done says so, `could-not STEP --reason unreachable`."
        )
    if act.on < act.seen:
        return "The client was seen after that day; attempts count from the last contact on."
    return None


def _about_step(stands: Termination, act: Act) -> str | None:
    if act.step not in STEPS:
        return f"There is no such step; there are {', '.join(STEPS)}."
    step = Step(act.step)
    if need_of(stands.reason, step) is Need.none:
        return f"An ending for this reason has no such step: {STEP_WORDS[step]}."
    before = stands.of(step)
    if act.what is What.reopened:
        return None if before is not None else "Nothing was said of this step yet, so there is nothing to take back."
    if act.what is What.could_not:
        if act.reason not in tuple(CouldNot):
            return f"Say why it could not be done; the reasons are {', '.join(CouldNot)}."
        if step in OURS_ALONE:
            return "Keeping the records is ours alone: it is done, or it is still open."
        done_before = before is not None and not before.could_not
        return "It was said to be done; `reopen` it first, if that was a mistake." if done_before else None
    if act.reason and (
        step is not Step.referral or stands.reason is not Reason.goals or act.reason not in tuple(Onward)
    ):
        return (
            "A reason goes with `could-not`; what a client goes on to, with `done referral` where the goals are met: "
            f"{', '.join(Onward)}."
        )
    if step is Step.last and (first := [STEP_WORDS[each] for each in stands.left() if each in MEETINGS[:-1]]):
        return f"Still open before the last appointment: {', '.join(first)}. Each is done, or could not be done, first."
    if step is Step.last and not act.appointments:
        return "No appointment took place since it was started. If there can be none, say so with `could-not last`."
    if step is Step.process and act.appointments < stands.needed:
        took = {0: "none took", 1: "one took"}.get(act.appointments, f"{act.appointments} took")
        return (
            f"Room to process takes at least {stands.needed} appointment{'s' if stands.needed > 1 else ''} after it was "
            f"started; {took} place so far. If there can be none, say so with `could-not process`."
        )
    if step is Step.letter and stands.reason is Reason.contact and len(stands.ways()) < LEAST_MEANS:
        return (
            "Before the letter somebody tries to reach the client by at least two different means; note each `attempt`."
        )
    return None


def too_soon(stands: Termination, now: Instant, policy: Policy, seen: Instant = NOT_KNOWN) -> str | None:
    """Why it is too soon for the letter to somebody who is out of contact, and was `seen` last; None where it is not."""
    counted = stands.counted(seen)
    if len(counted) < policy.ending_attempts:
        apart = len(counted) < len(stands.attempts)
        only = f", those after the last contact and {policy.ending_attempt_days:g} days apart" if apart else ""
        return (
            f"Before the letter {policy.ending_attempts} attempts are made to reach the client; "
            f"{len(counted)} noted so far{only}."
        )
    wait = stands.attempts[-1].on + round(policy.ending_attempt_days * DAY) - now
    if wait > 0:
        return f"After the last attempt the client has {policy.ending_attempt_days:g} days to answer before the letter."
    return None
