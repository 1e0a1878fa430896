"""What the practice noticed, told and recorded of a client, as lines of the timeline; never what a message said."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date

from models.findings import Became, Opened
from models.instants import Instant, day_of
from models.invitations import Method
from models.naming import Pen
from models.notices import MessageState
from models.past import Past, Turn
from models.referral_acts import act_of
from models.referral_shape import Referral
from models.referrals import after_act
from models.timeline_acts import ACTS, OTHER, Act, happened_at, in_words, label_of, other_line
from models.timeline_line import Line, line_at, sentence
from models.told import NOT_KNOWN

LOOKS = frozenset({"read", "shown", "asked", "looked", "opened"})
"""An act of the record with one of these words is a look: somebody saw something, and nothing else came of it."""
TOLD_ELSEWHERE = ("answer", "ending ", "referral ")  # how acts of the record begin that have a line of their own
ASIDE = " Kept aside: it moved nothing."
STATES = {
    MessageState.sent.value: "",
    MessageState.unsure.value: "; nobody knows whether it arrived",
    MessageState.failed.value: "; it could not be handed over",
}


def findings(past: Past, pen: Pen) -> Iterator[Line]:
    """A line for each time that a finding was open, with when it was no longer so."""
    standing: dict[str, Turn] = {}
    for row in past.findings:
        if row.what == Became.opened:
            standing[row.kind] = row
        elif row.what == Became.cleared and row.kind in standing:
            yield _finding(standing.pop(row.kind), row.at, pen)
    for row in standing.values():
        yield _finding(row, None, pen)


def _finding(row: Turn, cleared_at: Instant | None, pen: Pen) -> Line:
    first = ", already so at the first look" if row.opened == Opened.day_one else ""
    ended = "; still so" if cleared_at is None else f"; no longer so on {pen.day(cleared_at)}"
    return line_at(pen, row.at, "Noticed", f"{label_of(row.kind)}{first}{ended}.")


def sent(past: Past, pen: Pen) -> Iterator[Line]:
    """What was told to whom, all of one message in a line."""
    together: dict[tuple[Instant, str, str], list[str]] = defaultdict(list)
    for one in past.sent:
        labels = together[one.at, one.to, one.state]
        if (label := label_of(one.purpose.rpartition(".")[2])) not in labels:
            labels.append(label)
    for (at, to, state), labels in together.items():
        yield line_at(pen, at, "Message", f"To {pen.naming.person(to)}: {'; '.join(labels)}{_became(state)}.")


def invited(past: Past, pen: Pen) -> Iterator[Line]:
    """What each calendar was told of the client's appointments."""
    for one in past.invited:
        changed = "the appointment was changed, now" if one.again else "invited to an appointment on"
        said = "the appointment was called off," if one.method == Method.cancel else changed
        text = f"To {pen.naming.person(one.to)}: {said} {pen.moment(one.start)}{_became(one.state)}."
        yield line_at(pen, one.at, "Invitation", text)


def _became(state: str) -> str:
    return STATES.get(state, f"; {in_words(state)}")


def acts(past: Past, pen: Pen) -> Iterator[Line]:
    """What people said about the client's care; what was taken back, or moved nothing, says so."""
    for act, at, counts in _placed(past.acts, pen.zone):
        part, write = ACTS.get(act.kind, (OTHER, other_line))
        back = f" Taken back on {pen.day(act.taken_back_at)}." if act.taken_back_at is not None else ""
        yield line_at(pen, at, part, f"{write(act.facts, pen)}{'' if counts else ASIDE}{back}")


def _placed(said: Sequence[Act], zone: str) -> Iterator[tuple[Act, Instant, bool]]:
    """Acts in the order of saying, each with where it stands and whether it moved anything. What is said of a referral with a day alone
    stands after what was said of it before on that day: its order is that of saying, as for what follows from it."""
    stood: dict[str, Referral] = {}
    latest: dict[tuple[str, date], Instant] = {}
    for act in said:
        at, counts = happened_at(act), True
        if act.kind == "referral":
            reference = str(act.facts.get("referral", ""))
            place = reference, day_of(at, zone)
            at = latest[place] = max(at, latest.get(place, at))
            if act.taken_back_at is None:
                stood[reference], counts = _followed(stood.get(reference, Referral(reference)), act)
        yield act, at, counts


def _followed(stood: Referral, act: Act) -> tuple[Referral, bool]:
    """How a referral stands after an act, and whether that counted; an act whose words nobody here knows leaves it as it is."""
    try:
        after, why = after_act(stood, act_of(act.facts))
    except (KeyError, TypeError, ValueError):
        return stood, True
    return after, not why


def recorded(past: Past, pen: Pen, *, looks: bool) -> Iterator[Line]:
    """Acts of the record that have no line of their own; who looked only where that is asked for."""
    for one in past.recorded:
        is_look = not LOOKS.isdisjoint(one.act.split())
        if (is_look and not looks) or (one.act.startswith(TOLD_ELSEWHERE) and not is_look):
            continue
        about = f" ({pen.moment(one.start)})" if one.start != NOT_KNOWN else ""
        yield line_at(pen, one.at, "Record", sentence(f"{one.act}{about}, by {pen.naming.person(one.who)}"))
