"""What may not be said about an ending, and why, each as a sentence with what can be done instead."""

from models.ending_acts import MEANS, QUESTION, STEPS, Act, Attempt, State, Termination, What, is_therapist
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

ELSEWHERE = "under their own name: at the desk, or by the link of the mail"
LEAST_MEANS = 2  # of reaching a client, before a letter ends what they may not know has ended


def refuse(
    stands: Termination | None, act: Act, policy: Policy, *, died: bool = False, offered: bool = True
) -> str | None:
    """Why an act is not taken in, as a sentence with what can be done; None where it is. `stands` is the client's newest ending; `died`
    whether the records say that they have died, `offered` whether places to turn to were written down for this ending."""
    if act.what is What.started:
        return _refuse_start(stands, act, died)
    if stands is None:
        return "No ending was started for this client; `tending end` does."
    if act.ending != stands.id:
        return "That was said about another ending of this client; look at the one that stands now."
    to_client = act.what in (What.attempt, What.approved, What.careful, What.proposed) or act.step not in (
        "",
        *OURS_ALONE,
    )
    if stands.died and stands.is_open and to_client and act.what is not What.reopened:
        return "The client has died: of an ending only the records are left, and nothing goes to the client any more."
    if (why := not_allowed(stands, act)) is not None:
        return why
    is_referral = act.what is What.done and act.step == Step.referral
    if is_referral and not offered and need_of(stands.reason, Step.referral) is Need.required:
        return (
            "No places were offered to the client yet: `tending refer CLIENT offer` writes them down. If the client wanted none, say so "
            "with `could-not referral --reason declined`."
        )
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
    if act.what is What.attempt:
        return _about_attempt(stands, act)
    if act.what is What.approved:
        return _about_approval(stands, act)
    return _about_step(stands, act) if act.what in (What.done, What.could_not, What.reopened) else None


def _cannot_answer(stands: Termination, act: Act) -> str | None:
    if stands.state is not State.waiting:
        return "This ending waits for no confirmation."
    if act.by == stands.started_by:
        return f"Whoever started an ending cannot confirm it; {stands.confirmer} does."
    if act.by != f"therapist:{stands.confirmer}":
        return f"{stands.confirmer} confirms this ending or does not, {ELSEWHERE}."
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


def is_meant(attempt: Attempt, act: Act) -> bool:
    """Whether an approval is about this attempt: it waits, and was made then and by these means."""
    return not attempt.approved and (attempt.on, attempt.means) == (act.on, act.means)


def _about_approval(stands: Termination, act: Act) -> str | None:
    if not is_therapist(act.by):
        return f"What others noted counts once the therapist has approved it, {ELSEWHERE}."
    if not any(is_meant(one, act) for one in stands.attempts):
        return "That attempt does not wait for a yes any more; look at the ending again."
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
    if act.appointments < stands.room_for(step):
        return _too_few(stands, step, act.appointments)
    if step is Step.letter and stands.reason is Reason.contact and len(stands.ways()) < LEAST_MEANS:
        return (
            "Before the letter somebody tries to reach the client by at least two different means; note each `attempt`."
            f"{waiting_attempts(stands)}"
        )
    return None


def _too_few(stands: Termination, step: Step, appointments: int) -> str:
    took = {0: "none took", 1: "one took"}.get(appointments, f"{appointments} took")
    least = stands.room_for(step)
    many = f"at least {least} appointment{'s' if least > 1 else ''} after it was started"
    if step is Step.last and least > 1:
        many += f", one more than the {stands.needed} that gave room"
    what = "Room to process" if step is Step.process else "The last appointment"
    return f"{what} takes {many}; {took} place so far. If there can be none, say so with `could-not {step}`."


def waiting_attempts(stands: Termination) -> str:
    """What is to be known of attempts that others noted, as a sentence with a space before it; nothing where none waits."""
    many = len(stands.unapproved)
    if not many:
        return ""
    return f" {'One more waits' if many == 1 else f'{many} more wait'} for the therapist's yes, at the desk."


def too_soon(stands: Termination, now: Instant, policy: Policy, seen: Instant = NOT_KNOWN) -> str | None:
    """Why it is too soon for the letter to somebody who is out of contact, and was `seen` last; None where it is not."""
    counted = stands.counted(seen)
    if len(counted) < policy.ending_attempts:
        apart = len(counted) < len(stands.approved)
        only = f", those after the last contact and {policy.ending_attempt_days:g} days apart" if apart else ""
        return (
            f"Before the letter {policy.ending_attempts} attempts are made to reach the client; "
            f"{len(counted)} noted so far{only}.{waiting_attempts(stands)}"
        )
    wait = stands.approved[-1].on + round(policy.ending_attempt_days * DAY) - now
    if wait > 0:
        return f"After the last attempt the client has {policy.ending_attempt_days:g} days to answer before the letter."
    return None
