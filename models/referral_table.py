"""What may follow what once a referral is with a provider: the harmonised table of BSeR and IHE 360X [V], in our own layout.

Statuses are numbered as published there. Only these 34 rows change a status; whatever else is heard is kept as a fact.
"""

from typing import NamedTuple

PRACTICE, PROVIDER = "initiator", "recipient"  # the published words for the two sides

STATUSES: dict[str, str] = {
    "1": "not sent yet",
    "2": "sent, nothing heard",
    "3": "accepted",
    "4": "declined",
    "5.1": "under way",
    "5.1.1": "a visit is booked",
    "5.1.2": "a visit was missed",
    "5.1.3": "a visit was cancelled",
    "5.1.4": "the client was seen",
    "5.2": "we asked to cancel",
    "6": "cancelled",
    "7": "finished",
}
"""Each status in words for people."""
SENT = "2"
DECLINED, CANCEL_ASKED, CANCELLED, FINISHED = "4", "5.2", "6", "7"
TERMINAL = frozenset({DECLINED, CANCELLED, FINISHED})


class Transition(NamedTuple):
    """One row: who says what (`said`, a key of TRIGGERS) in which status, and the status that follows."""

    number: int
    side: str
    said: str
    before: str
    after: str


TRIGGERS: dict[str, str] = {
    "package": "Send Referral Package",
    "acceptance": "Send Acceptance",
    "decline": "Send Decline",
    "visit": "Send Schedule Visit Information",
    "other_visit": "Send rescheduled visit information",
    "no_show": "Send No Show Information",
    "visit_off": "Send appointment cancel",
    "interim": "Send Interim Consultation Note",
    "outcome": "Send Referral Outcome",
    "cancel": "Send Cancelation Request",
    "cancel_confirmed": "Send Cancelation Confirmation",
}
"""Our words for what is said, and the published ones."""

_ROWS = """
 1 initiator package          1     2
 2 recipient acceptance       2     3
 3 recipient decline          2     4
 4 initiator cancel           2     5.2
 5 recipient decline          3     4
 6 recipient visit            3     5.1.1
 7 initiator cancel           3     5.2
 8 recipient interim          3     5.1.4
 9 recipient outcome          3     7
10 recipient decline          5.1.1 4
11 recipient other_visit      5.1.1 5.1.1
12 recipient no_show          5.1.1 5.1.2
13 recipient visit_off        5.1.1 5.1.3
14 initiator cancel           5.1.1 5.2
15 recipient interim          5.1.1 5.1.4
16 recipient outcome          5.1.1 7
17 recipient decline          5.1.2 4
18 recipient other_visit      5.1.2 5.1.1
19 recipient visit_off        5.1.2 5.1.3
20 initiator cancel           5.1.2 5.2
21 recipient visit            5.1.3 5.1.1
22 initiator cancel           5.1.3 5.2
23 recipient cancel_confirmed 5.2   6
24 recipient outcome          5.2   7
25 recipient decline          5.1.4 4
26 recipient visit            5.1.4 5.1.1
27 recipient visit_off        5.1.4 5.1.3
28 initiator cancel           5.1.4 5.2
29 recipient interim          5.1.4 5.1.4
30 recipient outcome          5.1.4 7
31 recipient visit            3     5.1
32 recipient interim          3     5.1
33 recipient decline          5.1   4
34 initiator cancel           5.1   5.2
"""
TRANSITIONS: tuple[Transition, ...] = tuple(
    Transition(int(number), side, said, before, after)
    for number, side, said, before, after in (line.split() for line in _ROWS.strip().splitlines())
)

WORDS: dict[str, tuple[str, tuple[str, ...], str]] = {
    "accepted": ("3", ("acceptance",), "they take the client"),
    "declined": ("4", ("decline",), "they cannot take the client"),
    "full": ("4", ("decline",), "they have no place at present"),
    "booked": ("5.1.1", ("visit", "other_visit"), "a visit is booked, or booked anew"),
    "missed": ("5.1.2", ("no_show",), "the client did not come"),
    "visit-cancelled": ("5.1.3", ("visit_off",), "the visit was called off"),
    "seen": ("5.1.4", ("interim",), "the client was seen"),
    "under-way": ("5.1", ("visit", "interim"), "it is under way, without more being said"),
    "finished": ("7", ("outcome",), "they have done what was asked for"),
    "cancel-asked": ("5.2", ("cancel",), "we asked them to cancel"),
    "cancel-confirmed": ("6", ("cancel_confirmed",), "they confirmed that it is cancelled"),
}
"""The news that can come: the status it speaks of, what of TRIGGERS it may be, and its meaning for people."""
OURS = "cancel-asked"  # the one word of news that is ours to say
FROM_PROVIDER = tuple(word for word in WORDS if word != OURS)


def way(status: str, word: str) -> tuple[str, ...]:
    """The statuses that news leads to from a status, each by a listed transition, the last one its own; empty where nothing leads there.
    Who says that a visit is booked, or has taken place, has taken the client on: where that was not heard before it is two transitions."""
    if (target := after(status, word)) is not None:
        return (target,)
    accepted = after(status, "accepted")
    target = after(accepted, word) if accepted is not None else None
    return (accepted, target) if accepted is not None and target is not None else ()


def following(status: str) -> tuple[str, ...]:
    """The news that leads anywhere from a status."""
    return tuple(word for word in WORDS if way(status, word))


def after(status: str, word: str) -> str | None:
    """The status that news leads to from a status; None where the table lists no such transition."""
    target, triggers, _ = WORDS[word]
    for row in TRANSITIONS:
        if row.before == status and row.after == target and row.said in triggers:
            return target
    return None
