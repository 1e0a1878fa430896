"""The examples of the rule `safety`, both sides of each boundary: what is tested, and what docs/rules/safety.md shows."""

from models.instants import DAY
from models.rules.safety import RULE
from tests.builders import a_score, an_answer, at
from tests.rules.table import NO, YES, Meaning, Table

TABLE = Table(
    RULE,
    """# What asks for safety?

What the rule `safety` says of a client, shown by examples. **This is not a crisis service**: it passes on, at once and at any hour, what
the client has filled in, together with the practice's own protocol, to the people whom the practice named. It gives no advice.

Each new result is told, and one that was corrected upwards. Only where a clinician has answered `known`, with a plan until a day within
30 days, a new result that is no higher than the one before it waits for that day; one that is higher is told at once. A result that came in
no sooner than a later one at zero was never told: it is told too, and stands until somebody has taken it up or it is 14 days old. What was
older than 14 days when a practice's scores are first read is on the list to sort. No pause, no ending and no death silences any of it.

Only the total and this one answer are read. Where the answer was not seen, that is said; it is never guessed from the total.
""",
    {
        "item9": Meaning("Item 9 of the PHQ-9 is above zero."),
        "screen": Meaning("A Columbia screen (C-SSRS) is positive."),
    },
)
example, from_then_on, until_then = TABLE.example, TABLE.from_then_on, TABLE.until_then

TAKEN = at("2026-06-08 10:00")  # a Monday
NOW = at("2026-06-08 12:00")


def phq(risk, days=0.0, told=None, value=12):
    """A PHQ-9 taken so many days before TAKEN, told here `told` days before it."""
    return a_score(
        "PHQ-9",
        value,
        TAKEN - round(days * DAY),
        risk=risk,
        told_at=None if told is None else TAKEN - round(told * DAY),
    )


def screen(risk, days=0.0, told=None):
    return a_score(
        "C-SSRS",
        risk,
        TAKEN - round(days * DAY),
        risk=risk,
        told_at=None if told is None else TAKEN - round(told * DAY),
    )


# ---------------------------------------------------------------- PHQ-9, item 9
item9 = "item9"
for answer in (1, 2, 3):
    example(item9, f"Item 9 is {answer}", YES, "risk", NOW, scores=[phq(answer)])
example(item9, "Item 9 is 0, whatever the total", NO, "no_risk", NOW, scores=[phq(0, value=27)])
example(item9, "Item 9 is 1 in a low total", YES, "risk", NOW, scores=[phq(1, value=1)])
example(item9, "Only the item was told, no total", YES, "risk", NOW, scores=[phq(1, value=None)])
from_then_on(item9, "It is filled in", TAKEN, "no_result", fires="risk", scores=[phq(1)])
example(item9, "Item 9 was 2, then 0", NO, "no_risk", NOW, scores=[phq(2, 7), phq(0)])
example(item9, "Item 9 was 0, then 1", YES, "risk", NOW, scores=[phq(0, 7), phq(1)])
example(item9, "Item 9 was 2, then 1", YES, "risk", NOW, scores=[phq(2, 7), phq(1)])
example(item9, "Item 9 was 1 three times", YES, "risk", NOW, scores=[phq(1, 14), phq(1, 7), phq(1)])
example(item9, "Item 9 was 2 a year ago, and none was filled in since", YES, "risk", NOW, scores=[phq(2, 365)])
example(item9, "A total without items", NO, "not_seen", NOW, scores=[phq(None)])
example(item9, "Item 9 was 0, then a total without items", NO, "no_risk", NOW, scores=[phq(0, 7), phq(None)])
example(
    item9, "Item 9 was 2, then a total without items: that clears nothing", YES, "risk", NOW,
    scores=[phq(2, 7), phq(None)],
)  # fmt: skip
example(
    item9, "Item 9 was 2, then thirty totals without items", YES, "risk", NOW,
    scores=[phq(2, 40), *[phq(None, days) for days in range(30)]],
)  # fmt: skip
example(
    item9, "2, and 0 three days later, both told together: nobody has heard of the 2", YES, "risk", NOW,
    scores=[phq(2, 5, told=0), phq(0, 2, told=0)],
)  # fmt: skip
example(item9, "2, and 0 three days later, each told on its day", NO, "no_risk", NOW, scores=[phq(2, 5), phq(0, 2)])
example(item9, "2, told after the 0 that came later", YES, "risk", NOW, scores=[phq(2, 5, told=0), phq(0, 2, told=2)])
until_then(
    item9, "2 on 3 June, told together with a later 0, until 14 days after it was filled in", at("2026-06-17 10:00"),
    "no_risk", fires="risk", scores=[phq(2, 5, told=0), phq(0, 2, told=0)],
)  # fmt: skip
example(
    item9, "The same, and somebody has taken it up", NO, "no_risk", NOW,
    scores=[phq(2, 5, told=0), phq(0, 2, told=0)], answers=[an_answer(item9, "done", NOW - 60)],
)  # fmt: skip
example(
    item9, "The same, and somebody has put it off", YES, "risk", NOW,
    scores=[phq(2, 5, told=0), phq(0, 2, told=0)], answers=[an_answer(item9, "snooze", NOW - 60, until=NOW + DAY - 60)],
)  # fmt: skip
example(
    item9, "The same, and another 0 came in since", NO, "no_risk", NOW + DAY,
    scores=[phq(2, 5, told=0), phq(0, 2, told=0), phq(0, -0.5)],
)  # fmt: skip
PLAN = at("2026-06-20 00:00")
example(
    item9, "Known, with a plan until 19 June", YES, "risk", NOW, scores=[phq(2, 1)],
    answers=[an_answer(item9, "known", TAKEN, until=PLAN)],
)  # fmt: skip
example(
    item9, "Known, with a plan that has ended", YES, "risk", PLAN, scores=[phq(2, 1)],
    answers=[an_answer(item9, "known", TAKEN, until=PLAN)],
)  # fmt: skip
example(item9, "Care is paused", YES, "risk", NOW, scores=[phq(1)], paused=True)
example(item9, "Care has ended", YES, "risk", NOW, scores=[phq(1)], status="ended")
example(item9, "The client has died", YES, "risk", NOW, scores=[phq(1)], died=True)
example(item9, "The calendar was not read lately", YES, "risk", NOW, scores=[phq(1)], blind=("cal-t1",))
example(item9, "Another row of the scores file was not understood", YES, "risk", NOW, scores=[phq(1)], unread=True)
example(item9, "A C-SSRS is positive: that is its own kind", NO, "no_result", NOW, scores=[screen(1)])
example(item9, "Nothing was filled in", NO, "no_result", NOW)

# ---------------------------------------------------------------- C-SSRS
columbia = "screen"
example(columbia, "The screen is positive", YES, "risk", NOW, scores=[screen(1)])
example(columbia, "The screen is negative", NO, "no_risk", NOW, scores=[screen(0)])
from_then_on(columbia, "It is filled in", TAKEN, "no_result", fires="risk", scores=[screen(1)])
example(columbia, "Positive, then negative", NO, "no_risk", NOW, scores=[screen(1, 7), screen(0)])
example(columbia, "Positive twice", YES, "risk", NOW, scores=[screen(1, 7), screen(1)])
example(
    columbia, "Positive, and negative three days later, both told together", YES, "risk", NOW,
    scores=[screen(1, 5, told=0), screen(0, 2, told=0)],
)  # fmt: skip
example(columbia, "Care has ended", YES, "risk", NOW, scores=[screen(1)], status="ended")
example(columbia, "Item 9 of a PHQ-9 is above zero: that is its own kind", NO, "no_result", NOW, scores=[phq(3)])
example(columbia, "The answer was not seen", NO, "not_seen", NOW, scores=[a_score("C-SSRS", 0, TAKEN)])
example(
    columbia, "Negative, then one whose answer was not seen", NO, "no_risk", NOW,
    scores=[screen(0, 7), a_score("C-SSRS", 0, TAKEN)],
)  # fmt: skip
