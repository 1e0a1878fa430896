"""What an ending of care is made of: why it ends, its steps, which of them a reason asks for, and what each step asks of the therapist."""

from collections.abc import Mapping
from enum import StrEnum


class Reason(StrEnum):
    """Why care ends. New ones are only ever added at the end: digests hold their places."""

    goals = "goals"
    poor_fit = "poor-fit"
    beyond = "beyond"
    wish = "wish"
    contact = "contact"
    move = "move"
    leaving = "leaving"
    safety = "safety"
    death = "death"


REASON_WORDS: Mapping[Reason, str] = {
    Reason.goals: "the goals are met",
    Reason.poor_fit: "client and therapist do not fit well",
    Reason.beyond: "needs beyond what we can offer",
    Reason.wish: "the client's wish",
    Reason.contact: "the client is out of contact",
    Reason.move: "a move, or the insurance",
    Reason.leaving: "the therapist is leaving",
    Reason.safety: "safety",
    Reason.death: "the client has died",
}


class By(StrEnum):
    """Whose wish an ending is; of what nobody wished, nobody's."""

    therapist = "therapist"
    client = "client"
    nobody = "nobody"


WISHED_BY: Mapping[Reason, tuple[By, ...]] = {
    Reason.goals: (By.therapist, By.client),
    Reason.poor_fit: (By.therapist, By.client),
    Reason.beyond: (By.therapist, By.client),
    Reason.wish: (By.client,),
    Reason.contact: (By.therapist,),
    Reason.move: (By.client, By.therapist),
    Reason.leaving: (By.therapist,),
    Reason.safety: (By.therapist,),
    Reason.death: (By.nobody,),
}
"""Whose wish it can be for a reason; the first is taken where nobody says."""


class Step(StrEnum):
    """The steps, in their order. Digests hold a bit for each: new ones are only ever added at the end."""

    explain = "explain"
    process = "process"
    referral = "referral"
    last = "last"
    letter = "letter"
    records = "records"


STEP_WORDS: Mapping[Step, str] = {
    Step.explain: "Explain why",
    Step.process: "Room to process",
    Step.referral: "Where to go next",
    Step.last: "Last appointment",
    Step.letter: "Closing letter",
    Step.records: "Records",
}
MEETINGS = (Step.explain, Step.process, Step.last)  # what needs an appointment
OURS_ALONE = (Step.records,)  # what nobody can keep us from


class Need(StrEnum):
    """Whether a reason asks for a step: it cannot close without it, it is offered, or there is none."""

    required = "required"
    offered = "offered"
    none = "not applicable"


R, O, N = Need.required, Need.offered, Need.none  # noqa: E741  # a table is read by its letters
TABLE: Mapping[Reason, tuple[Need, ...]] = {
    # what we decided in the order of Step: explain, process, referral, last, letter, records
    Reason.goals: (R, R, O, R, R, R),
    Reason.poor_fit: (R, R, R, R, R, R),
    Reason.beyond: (R, R, R, R, R, R),
    Reason.wish: (O, O, R, O, R, R),
    Reason.contact: (N, N, O, N, R, R),
    Reason.move: (R, R, R, R, R, R),
    Reason.leaving: (R, R, R, R, R, R),
    Reason.safety: (O, O, R, O, R, R),
    Reason.death: (N, N, N, N, N, R),
}
"""Which step which reason asks for. What leads to it: pretermination counselling and alternatives, unless the client precludes it or a
therapist is threatened (APA 2017 10.10 [V]); no abandonment, help with a referral (AAMFT 2015 1.9 to 1.11 [V], ACA 2014 A.11 and
A.12 [M])."""


def need_of(reason: Reason, step: Step) -> Need:
    """Whether a reason asks for a step."""
    return TABLE[reason][list(Step).index(step)]


MEETS = tuple(reason for reason in Reason if R in (need_of(reason, step) for step in MEETINGS))
"""Reasons whose endings need appointments: a therapist has room for some of them at once."""
CAN_WAIT = tuple(reason for reason in MEETS if reason is not Reason.leaving)
"""Of these, what could be put off until there is room."""


# What a step asks for whatever the reason, and what it asks for where that reason makes it another thing.
_ASKED: Mapping[Step, str] = {
    Step.process: "Give room for what this ending brings up: sadness, anger, relief, and what was good.",
    Step.referral: "Offer three suitable places, or note that the client did not want any.",
    Step.last: "Hold the last appointment: look back together, and say how to come back.",
    Step.letter: "Write the closing letter: what was done, what is still needed, three places with address and telephone.",
    Step.records: "Mark the record for keeping, and set its status there: the record system is its own.",
}
_ASKED_FOR: Mapping[tuple[Reason, Step], str] = {
    (
        Reason.goals,
        Step.explain,
    ): "Say that the aim is excellent care and that its goals are met; ask whether the client sees it so.",
    (
        Reason.goals,
        Step.process,
    ): "Give room for the parting: what has changed, what it will be like without these hours.",
    (
        Reason.goals,
        Step.referral,
    ): "Ask what comes next: another therapist, a step down to less, a group, or nothing for now.",
    (
        Reason.goals,
        Step.letter,
    ): "Write the summary: where it began, what was reached, what to do if it gets harder again.",
    (
        Reason.poor_fit,
        Step.explain,
    ): "Say that the aim is excellent care, and why a better fit than here is needed for it; without blame.",
    (
        Reason.beyond,
        Step.explain,
    ): "Say that the aim is excellent care, what that takes, and why it cannot be given here; it is no fault of theirs.",
    (
        Reason.wish,
        Step.explain,
    ): "Ask what led to the wish, and say that it is respected; the aim stays excellent care, here or elsewhere.",
    (Reason.wish, Step.process): "Offer an appointment to part well; the client may say no.",
    (Reason.wish, Step.last): "Offer a last appointment; the client may say no.",
    (Reason.contact, Step.referral): "Put places to go and whom to call in need into the letter.",
    (
        Reason.contact,
        Step.letter,
    ): "Write the closing letter with the lists for need and for places to go. The client may always come back.",
    (
        Reason.move,
        Step.explain,
    ): "Say that the aim is excellent care, why it cannot go on here, and until when appointments can.",
    (Reason.move, Step.referral): "Offer three places near the new home, or that the new insurer pays for.",
    (
        Reason.leaving,
        Step.explain,
    ): "Say when you leave and why, as soon as you may; that it is not about the client, and the aim stays excellent care.",
    (
        Reason.leaving,
        Step.referral,
    ): "Offer a colleague here or three other places; a transfer is best begun while you are still here.",
    (
        Reason.safety,
        Step.explain,
    ): "Where it is safe, say that the aim is excellent care and why not here; in writing is enough.",
    (Reason.safety, Step.process): "Offer room to talk, with somebody beside you or by telephone, where that is safe.",
    (Reason.safety, Step.last): "Hold a last appointment only where it is safe.",
    (
        Reason.death,
        Step.records,
    ): "Mark the record for keeping. Nothing goes to the client any more; see that somebody is there for you.",
}


def asked(reason: Reason, step: Step) -> str:
    """What is asked for at a step of an ending for that reason; nothing where it has no such step."""
    if need_of(reason, step) is Need.none:
        return ""
    return _ASKED_FOR.get((reason, step)) or _ASKED[step]


class CouldNot(StrEnum):
    """Why a required step could not be done."""

    declined = "declined"
    unreachable = "unreachable"
    unsafe = "unsafe"
    died = "died"


COULD_NOT_WORDS: Mapping[CouldNot, str] = {
    CouldNot.declined: "the client did not want it",
    CouldNot.unreachable: "the client could not be reached",
    CouldNot.unsafe: "it would not have been safe",
    CouldNot.died: "the client has died",
}


class Onward(StrEnum):
    """What a client whose goals are met goes on to, where that is not nothing."""

    another = "another-therapist"
    step_down = "step-down"


ONWARD_WORDS: Mapping[Onward, str] = {
    Onward.another: "the client moves to another therapist",
    Onward.step_down: "the client steps down to less",
}


class Means(StrEnum):
    """How somebody tried to reach a client. New ones are only ever added at the end: digests hold a bit for each."""

    phone = "phone"
    letter = "letter"
    mail = "mail"
    message = "message"
