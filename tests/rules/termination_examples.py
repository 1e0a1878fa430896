"""The examples of the rule `termination`, both sides of each boundary: what is tested, and what docs/rules/termination.md shows."""

from models.instants import DAY
from models.rules.termination import RULE
from tests.builders import an_ending, at, each
from tests.rules.table import CANNOT_SAY, NO, YES, Meaning, Table

TABLE = Table(
    RULE,
    """# What is next in an ending?

What the rule `termination` says of a client whose care is being ended by a person, shown by examples. Which steps which reason asks for
stands in [endings.md](../endings.md). Nothing ends by itself, and nothing is sent to the client: the rule asks the therapist.

Neither a pause nor the end of care in the record silences it, since these are duties of ours; the death of the client does. While an
ending is going on, the rules `stalled` and `goal_review` ask nothing but which appointments took place.
""",
    {
        "ending_step": Meaning(
            "Nothing was said of the next required step for long, or it needs an appointment and none is booked; or nobody has confirmed"
            " the ending for long; or every step is settled and it can be closed.",
            absence=True,
        ),
        "out_of_contact": Meaning(
            "The client is out of contact: the next attempt to reach them is due, or there were enough for the closing letter, or they are"
            " back.",
            absence=True,
        ),
    },
)
example, from_then_on, until_then = TABLE.example, TABLE.from_then_on, TABLE.until_then

CALENDAR = ("cal-t1",)
BEGUN = at("2026-06-01 09:00")  # a Monday
LATER = at("2026-06-08 12:00")
SEEN = each(7, 8, BEGUN - 3 * DAY)
AHEAD = {"attended": SEEN, "booked": each(7, 6, BEGUN + 39 * DAY)}
TOOK_PLACE = {"attended": (*SEEN, BEGUN + 4 * DAY)}
BY_LAST = {"explain": BEGUN + 1, "process": BEGUN + 2, "referral": BEGUN + 3}


def ending(reason="poor-fit", **said):
    return [an_ending(reason, BEGUN, **said)]


# ---------------------------------------------------------------- the next step
step = "ending_step"
example(step, "No ending was ever begun", NO, "no_ending", LATER, **AHEAD)
example(
    step, "An ending was withdrawn", NO, "no_ending", LATER, endings=ending(ended=("withdrawn", LATER - 60)), **AHEAD
)
example(
    step, "An ending was not confirmed: care goes on", NO, "no_ending", LATER,
    endings=ending(waiting=True, ended=("declined", LATER - 60)), **AHEAD,
)  # fmt: skip
from_then_on(
    step, "It waits to be confirmed for 14 days", BEGUN + 14 * DAY, "waits", fires="unconfirmed",
    endings=ending(waiting=True), **AHEAD,
)  # fmt: skip
from_then_on(
    step, "Begun 14 days ago, appointments are booked, and nothing was said of the first step", BEGUN + 14 * DAY,
    "under_way", fires="step_due", endings=ending(), **AHEAD,
)  # fmt: skip
from_then_on(
    step, "Confirmed a week after it was begun: counted from then", BEGUN + 21 * DAY, "under_way", fires="step_due",
    endings=ending(confirmed=BEGUN + 7 * DAY), **AHEAD,
)  # fmt: skip
from_then_on(
    step, "The first step was done after three days: counted from then, for the next", BEGUN + 17 * DAY, "under_way",
    fires="step_due", endings=ending(done={"explain": BEGUN + 3 * DAY}), **AHEAD,
)  # fmt: skip
from_then_on(
    step, "The practice asks after five days", BEGUN + 5 * DAY, "under_way", fires="step_due", endings=ending(),
    policy={"ending_step_days": 5}, **AHEAD,
)  # fmt: skip
from_then_on(
    step, "It should be over in nine days: asked about on that day at the latest", BEGUN + 9 * DAY, "under_way",
    fires="step_due", endings=ending(until=BEGUN + 9 * DAY), **AHEAD,
)  # fmt: skip
example(
    step,
    "Nothing is booked, and the first step needs an appointment",
    YES,
    "no_appointment",
    LATER,
    endings=ending(),
    attended=SEEN,
)
example(
    step, "Only the tail of a series lies ahead: nobody booked that", YES, "no_appointment", LATER, endings=ending(),
    attended=SEEN, tail=each(7, 3, BEGUN + 28 * DAY),
)  # fmt: skip
example(
    step, "Nothing is booked, but an appointment took place since it was begun: what was it for?", NO, "under_way", LATER,
    endings=ending(), **TOOK_PLACE,
)  # fmt: skip
example(
    step, "The appointment since then was missed", YES, "no_appointment", LATER, endings=ending(), attended=SEEN,
    missed=(BEGUN + 4 * DAY,),
)  # fmt: skip
example(
    step, "Room to process, one appointment took place since it was begun", NO, "under_way", LATER,
    endings=ending(done={"explain": BEGUN + 5 * DAY}), **TOOK_PLACE,
)  # fmt: skip
example(
    step, "The same for a client who finds rejection hard: two are needed", YES, "no_appointment", LATER,
    endings=ending(done={"explain": BEGUN + 5 * DAY}, careful=True), **TOOK_PLACE,
)  # fmt: skip
example(
    step, "Where to go next needs no appointment", NO, "under_way", LATER,
    endings=ending(done={"explain": BEGUN + 1, "process": BEGUN + 2}), attended=SEEN,
)  # fmt: skip
example(
    step,
    "The last appointment is not booked",
    YES,
    "no_appointment",
    LATER,
    endings=ending(done=BY_LAST),
    attended=SEEN,
)
example(
    step, "The goals are met: three places are offered, not asked for", NO, "under_way", LATER,
    endings=ending("goals", done={"explain": BEGUN + 1, "process": BEGUN + 2}), **AHEAD,
)  # fmt: skip
example(
    step, "Only the records are left", NO, "under_way", LATER,
    endings=ending(done=BY_LAST | {"last": BEGUN + 4, "letter": BEGUN + 5}), attended=SEEN,
)  # fmt: skip
example(
    step, "Every step is done, or could not be", YES, "to_close", LATER,
    endings=ending(done=BY_LAST | {"letter": BEGUN + 5, "records": BEGUN + 6}, could_not={"last": BEGUN + 4}), attended=SEEN,
)  # fmt: skip
example(
    step, "It was closed", NO, "no_ending", LATER,
    endings=ending(
        done=BY_LAST | {"last": BEGUN + 4, "letter": BEGUN + 5, "records": BEGUN + 6}, ended=("closed", BEGUN + 7)
    ),
    attended=SEEN,
)  # fmt: skip
example(
    step,
    "The client is out of contact: first they are tried to reach",
    NO,
    "reaching",
    LATER,
    endings=ending("contact"),
    attended=SEEN,
)
from_then_on(
    step, "Care has ended in the record: the letter is still ours to write", BEGUN + 14 * DAY + 4, "under_way", fires="step_due",
    endings=ending(done=BY_LAST | {"last": BEGUN + 4}), attended=SEEN, status="ended",
)  # fmt: skip
example(
    step, "Paused until further notice: the steps are asked about all the same", YES, "no_appointment", LATER, endings=ending(),
    attended=SEEN, paused=True,
)  # fmt: skip
example(step, "The client has died", NO, "died", LATER, endings=ending(), attended=SEEN, died=True)
example(
    step, "Nothing is booked, and the calendar was not read lately", CANNOT_SAY, "blind", LATER, endings=ending(),
    attended=SEEN, blind=CALENDAR,
)  # fmt: skip
example(
    step, "The calendar was not read lately, but nothing was said for long: that stands", YES, "step_due", BEGUN + 15 * DAY,
    endings=ending(), attended=SEEN, blind=CALENDAR,
)  # fmt: skip

from_then_on(
    step, "Times for it were proposed three days ago, and none was entered", BEGUN + 4 * DAY, "proposed", fires="no_appointment",
    endings=ending(proposed=BEGUN + DAY), attended=SEEN,
)  # fmt: skip
from_then_on(
    step, "The practice gives therapists a week to enter them", BEGUN + 8 * DAY, "proposed", fires="no_appointment",
    endings=ending(proposed=BEGUN + DAY), attended=SEEN, policy={"ending_proposal_days": 7},
)  # fmt: skip
example(
    step, "Times were proposed, and the calendar was not read since", CANNOT_SAY, "blind", LATER,
    endings=ending(proposed=BEGUN + DAY), attended=SEEN, blind=CALENDAR,
)  # fmt: skip

# ---------------------------------------------------------------- reaching the client
reach = "out_of_contact"
PHONE, LETTER, MAIL = ("phone", BEGUN + DAY), ("letter", BEGUN + 15 * DAY), ("mail", BEGUN + 29 * DAY)
example(reach, "No ending was ever begun", NO, "no_ending", LATER, **AHEAD)
example(reach, "An ending for another reason", NO, "not_reaching", LATER, endings=ending(), **AHEAD)
example(
    reach, "It waits to be confirmed", NO, "not_reaching", LATER, endings=ending("contact", waiting=True), attended=SEEN
)
example(reach, "No attempt is noted yet", YES, "attempt_due", BEGUN, endings=ending("contact"), attended=SEEN)
from_then_on(
    reach, "Tried once, 14 days ago", BEGUN + 15 * DAY, "tried_lately", fires="attempt_due",
    endings=ending("contact", attempts=[PHONE]), attended=SEEN,
)  # fmt: skip
from_then_on(
    reach, "The practice waits for five days", BEGUN + 6 * DAY, "tried_lately", fires="attempt_due",
    endings=ending("contact", attempts=[PHONE]), attended=SEEN, policy={"ending_attempt_days": 5},
)  # fmt: skip
from_then_on(
    reach, "Tried three times by two means, the last time 14 days ago", BEGUN + 43 * DAY, "tried_lately", fires="enough",
    endings=ending("contact", attempts=[PHONE, LETTER, ("phone", BEGUN + 29 * DAY)]), attended=SEEN,
)  # fmt: skip
example(
    reach, "Tried three times, always by telephone: another means is due", YES, "attempt_due", BEGUN + 43 * DAY,
    endings=ending("contact", attempts=[("phone", BEGUN + n * DAY) for n in (1, 15, 29)]), attended=SEEN,
)  # fmt: skip
example(
    reach, "Tried twice, where the practice asks for two", YES, "enough", BEGUN + 29 * DAY,
    endings=ending("contact", attempts=[PHONE, LETTER]), attended=SEEN, policy={"ending_attempts": 2},
)  # fmt: skip
example(
    reach, "Tried twice, where the practice asks for three", YES, "attempt_due", BEGUN + 29 * DAY,
    endings=ending("contact", attempts=[PHONE, LETTER]), attended=SEEN,
)  # fmt: skip
example(
    reach, "Somebody else noted an attempt: it waits for the therapist's yes", YES, "attempt_due", BEGUN + 2 * DAY,
    endings=ending("contact", noted=[PHONE]), attended=SEEN,
)  # fmt: skip
example(
    reach, "Tried once, and others noted two more", YES, "attempt_due", BEGUN + 30 * DAY,
    endings=ending("contact", attempts=[PHONE], noted=[LETTER, MAIL]), attended=SEEN,
)  # fmt: skip
example(
    reach, "The letter is written", NO, "not_reaching", BEGUN + 60 * DAY,
    endings=ending("contact", attempts=[PHONE, LETTER, MAIL], done={"letter": BEGUN + 50 * DAY}), attended=SEEN,
)  # fmt: skip
example(
    reach, "Seen again since", YES, "came_back", LATER, endings=ending("contact", attempts=[PHONE]), **TOOK_PLACE,
)  # fmt: skip
example(
    reach, "An appointment since then was missed", NO, "tried_lately", LATER, endings=ending("contact", attempts=[PHONE]),
    attended=SEEN, missed=(BEGUN + 4 * DAY,),
)  # fmt: skip
example(
    reach, "Care has ended in the record", YES, "attempt_due", LATER, endings=ending("contact"), attended=SEEN, status="ended",
)  # fmt: skip
example(reach, "The client has died", NO, "died", LATER, endings=ending("contact"), attended=SEEN, died=True)
example(
    reach, "The calendar was not read lately: the client may be back", CANNOT_SAY, "blind", LATER, endings=ending("contact"),
    attended=SEEN, blind=CALENDAR,
)  # fmt: skip
