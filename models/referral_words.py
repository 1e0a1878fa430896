"""Where a referral stands and what is next, as sentences for people."""

from models.instants import Instant
from models.referral_shape import ACCEPTED, BEGUN, BOOKED, SEEN, Referral, Rung, State, Stuck
from models.referral_table import STATUSES
from models.voice import Voice

_STANDS = {
    State.nothing: "nothing was offered yet",
    State.offered: "options are offered",
    State.chosen: "one was chosen",
    State.self_arranged: "the client calls themselves",
    State.consented: "the client consented",
    State.sent: "sent",
    State.attended: "the client attended",
    State.fits: "closed: it fits",
    State.refused: "closed: the client said no",
    State.closed: "closed by a person",
}
_NEXT = {
    State.nothing: "offer three options",
    State.offered: "the client chooses, calls themselves, or says no",
    State.chosen: "the client consents, or calls themselves",
    State.consented: "read the letter and send it",
    State.self_arranged: "hear how it goes",
    State.sent: "hear how it goes",
    State.attended: "ask whether it fits",
}
_STUCK = {
    Rung.next_option: "choose another of the options",
    Rung.new_options: "offer new options",
    Rung.person: "a person decides what is next",
}
_ADDED = {
    Stuck.unfit.value: ", and it does not fit",
    Stuck.untold.value: ", and the provider may still be waiting for them",
}
TELL_THEM = "tell the provider that the client does not come, and write down that you did"


_SAYS = {
    "": 0,
    "2": 0,
    "3": ACCEPTED,
    "5.1": ACCEPTED,
    "5.1.2": ACCEPTED,
    "5.1.3": ACCEPTED,
    "5.1.1": BOOKED,
    "5.2": BOOKED,
}
"""How far each status says that the client has come; the others, that they were seen."""
_HEARD = {
    ACCEPTED: "they are said to take the client",
    BOOKED: "a visit is said to be booked",
    SEEN: "the client is said to have been seen",
}


def state_words(state: str, status: str, stuck: str, heard: int = 0) -> str:
    """How far it is, in a few words: `sent: a visit is booked`; with what was `heard` beyond that, to which nothing led."""
    said = _STANDS[State(state)]
    if stuck == Stuck.full:
        said += ": no place at present"
    elif state == State.sent and status:
        said += f": {STATUSES[status].removeprefix('sent, ')}"
    elif stuck and state == State.self_arranged:
        said += f": {stuck}"
    if _says_heard(state, status, stuck, heard):
        said += f", and {_HEARD[heard]}"
    return said + _ADDED.get(stuck, "")


def _says_heard(state: str, status: str, stuck: str, heard: int) -> bool:
    return State(state) in BEGUN and not stuck and heard > _SAYS.get(status, SEEN)


def next_words(state: str, stuck: str, rung: str, agreed: bool) -> str:
    """What is next, in a few words; empty where it is closed."""
    if stuck == Stuck.untold:
        return TELL_THEM
    if stuck:
        return _STUCK[Rung(rung)]
    said = _NEXT.get(State(state), "")
    return f"{said} (offered, not followed)" if said and not agreed else said


def stands(referral: Referral, voice: Voice) -> str:
    """`Sent: a visit is booked, since Tue 3 Nov.`"""
    said = state_words(referral.state, referral.status, referral.stuck, referral.heard)
    since = since_of(referral)
    return f"{said}, since {voice.day(since)}." if since >= 0 else f"{said}."


def since_of(referral: Referral) -> Instant:
    """Since when it stands as its words say: what was heard last counts where they tell of it."""
    says = bool(referral.stuck) or _says_heard(referral.state, referral.status, referral.stuck, referral.heard)
    return max(referral.since, referral.heard_at) if says and not referral.over else referral.since


def next_step(referral: Referral) -> str:
    """`Next: ask whether it fits.`, or nothing where it is closed."""
    said = next_words(referral.state, referral.stuck, referral.rung, referral.agreed)
    return f"Next: {said}." if said else ""
