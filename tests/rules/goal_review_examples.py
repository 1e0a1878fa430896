"""The examples of the rule `goal_review`, both sides of each boundary: what is tested, and what docs/rules/goal_review.md shows."""

from datetime import date

from models.instants import DAY
from models.rules.goal_review import RULE
from tests.builders import a_goal, a_score, an_answer, an_ending, at, each
from tests.rules.table import CANNOT_SAY, NO, YES, Meaning, Table

TABLE = Table(
    RULE,
    """# When do goals ask for a look?

What the rule `goal_review` says of a client, shown by examples.

Of a goal only its days are read, how far it is marked to be, and whether a target, a measure and whose words it is are given: never its
words. *Looked at* is the day on which a goal was set or marked as reviewed, or somebody answered `done`; to put a prompt off is no look.
What a goal lacks is asked about and never judged. A goal that was given up counts as none.

Cut-offs of ORS, PHQ-9 and GAD-7 come from secondary sources, the intervals of payers and licensors from memory; both are said where they
are shown. Medicare's partial hospitalisation asks for the first look at a goal within 18 days of its being set, then for one every 30.

Days are counted from the first minute of the day on which a goal was set or reviewed. An appointment on that very day is none since.
""",
    {
        "no_goal": Meaning(
            "So many appointments took place, and no goal is written down that both can name.",
            absence=True,
        ),
        "review_due": Meaning(
            "Of any goal the first of: so many days or so many appointments since it was looked at, its own day, a new mark of how far it"
            " is, or the rule of a payer or licensor.",
            absence=True,
        ),
        "off_track": Meaning(
            "A goal is marked as getting worse, not moving or out of reach, or nobody has looked at it for long.",
            absence=True,
        ),
        "moving_on": Meaning(
            "All goals are met, or the last scores lie in the healthy range: what comes next could be talked about. It is an offer to talk"
            " and never more, and none while a result asks for safety.",
        ),
    },
)
example, from_then_on, until_then = TABLE.example, TABLE.from_then_on, TABLE.until_then

PLACES = ("Europe/Berlin", "America/New_York", "Pacific/Auckland")
CALENDAR = ("cal-t1",)
LAST = at("2026-06-08 10:00")
SET = date(2026, 3, 2)  # a Monday
GOAL = a_goal(set_on=SET)
WHOLE = {"has_target": True, "has_measure": True, "own_words": True}
LATER = at("2026-06-08 12:00")

# ---------------------------------------------------------------- no goal yet
no_goal = "no_goal"
THIRD = at("2026-06-22 10:00")
THREE = each(7, 3, THIRD)
example(no_goal, "Not seen yet", NO, "early", LATER)
example(no_goal, "Seen twice", NO, "early", LATER, attended=each(7, 2, LAST))
example(no_goal, "Seen three times", YES, "no_goal", LATER, attended=each(7, 3, LAST))
from_then_on(
    no_goal, "The third appointment begins, in a calendar where what is past is presumed to have taken place", THIRD,
    "early", presumed=THREE,
)  # fmt: skip
example(no_goal, "Seen for years", YES, "no_goal", LATER, attended=each(7, 40, LAST))
example(
    no_goal, "Seen twice, and once more unmarked: nobody knows whether that took place", NO, "early", LATER,
    attended=each(7, 2, LAST), unmarked=(LAST - DAY,),
)  # fmt: skip
example(no_goal, "Seen twice and missed once", NO, "early", LATER, attended=each(7, 2, LAST), missed=(LAST - DAY,))
example(
    no_goal, "The practice asks from the fifth appointment on", NO, "early", LATER, attended=each(7, 4, LAST),
    policy={"goal_by_appointment": 5},
)  # fmt: skip
example(no_goal, "A goal is written down", NO, "has_goal", LATER, attended=each(7, 9, LAST), goals=[GOAL])
example(
    no_goal, "A goal was met", NO, "has_goal", LATER, attended=each(7, 9, LAST),
    goals=[a_goal(set_on=SET, status="completed", achievement="achieved")],
)  # fmt: skip
example(
    no_goal, "The only goal was given up", YES, "no_goal", LATER, attended=each(7, 9, LAST),
    goals=[a_goal(set_on=SET, status="cancelled")],
)  # fmt: skip
example(no_goal, "No source tells of goals", NO, "not_told", LATER, attended=each(7, 9, LAST), heard=("score",))
example(no_goal, "Paused until tomorrow", NO, "paused", LATER, attended=each(7, 9, LAST), paused_until=date(2026, 6, 9))
example(no_goal, "Paused until further notice", NO, "paused", LATER, attended=each(7, 9, LAST), paused=True)
for place in PLACES:
    from_then_on(
        no_goal, f"Paused until 1 July: asked again from the first minute of that day in {place}",
        at("2026-07-01 00:00", place), "paused", attended=each(7, 9, at("2026-06-08 10:00", place)),
        paused_until=date(2026, 7, 1), zone=place,
    )  # fmt: skip
example(no_goal, "Care has ended", NO, "ended", LATER, attended=each(7, 9, LAST), status="ended")
example(no_goal, "The client has died", NO, "died", LATER, attended=each(7, 9, LAST), died=True)
example(
    no_goal, "The records were not read lately: nobody can say", CANNOT_SAY, "blind", LATER, attended=each(7, 9, LAST),
    blind=CALENDAR,
)  # fmt: skip
example(
    no_goal, "A row of the goals file about this client was not understood", CANNOT_SAY, "blind", LATER,
    attended=each(7, 9, LAST), unread=True,
)  # fmt: skip

# ---------------------------------------------------------------- goal review: days
review_due = "review_due"
for place in PLACES:
    # The clocks change between: 90 times 24 hours after the first minute of 2 March.
    hour = {"Europe/Berlin": "01:00", "America/New_York": "01:00", "Pacific/Auckland": "23:00"}[place]
    day = "2026-05-30" if place == "Pacific/Auckland" else "2026-05-31"
    from_then_on(
        review_due, f"Set on 2 March, 90 days ago, in the days of {place}", at(f"{day} {hour}", place), "reviewed",
        goals=[GOAL], zone=place,
    )  # fmt: skip
from_then_on(
    review_due, "Reviewed on 1 April, 90 days ago", at("2026-06-30 00:00"), "reviewed",
    goals=[a_goal(set_on=SET, reviewed_on=date(2026, 4, 1))],
)  # fmt: skip
from_then_on(
    review_due, "Two goals, of which only one was reviewed on 1 April: the other asks for its look", at("2026-05-31 01:00"),
    "reviewed", goals=[a_goal(set_on=SET, reviewed_on=date(2026, 4, 1)), GOAL],
)  # fmt: skip
from_then_on(
    review_due, "A new goal in April is no look at the goal of March", at("2026-05-31 01:00"), "reviewed",
    goals=[GOAL, a_goal(set_on=date(2026, 4, 15))],
)  # fmt: skip
from_then_on(
    review_due, "The practice looks every 30 days", at("2026-06-30 00:00"), "reviewed",
    goals=[a_goal(set_on=date(2026, 5, 31))], policy={"review_every_days": 30},
)  # fmt: skip
example(
    review_due, "A goal that says all it could say: nothing is left to ask", YES, "review_due", LATER,
    goals=[a_goal(set_on=SET, target_on=date(2026, 9, 1), **WHOLE)],
)  # fmt: skip
example(
    review_due, "A goal without a measure and a day", YES, "review_due", LATER,
    goals=[a_goal(set_on=SET, has_target=True, own_words=True)],
)  # fmt: skip
# ---------------------------------------------------------------- goal review: whose rule
for rule, days, when in (
    ("medicare-php", 18, "2026-04-19 00:00"),
    ("medicare-iop", 60, "2026-05-31 00:00"),
    ("ny-599", 90, "2026-06-30 00:00"),
    ("nj-10-52", 90, "2026-06-30 00:00"),
):
    from_then_on(
        review_due, f"The rule {rule} asks for it after {days} days", at(when), "reviewed",
        goals=[a_goal(set_on=date(2026, 4, 1), target_on=date(2026, 12, 1), **WHOLE)], policy={"review_rule": rule},
    )  # fmt: skip
from_then_on(
    review_due, "The rule medicare-php asks for the next look 30 days after the first", at("2026-05-15 00:00"), "reviewed",
    goals=[a_goal(set_on=date(2026, 4, 1), reviewed_on=date(2026, 4, 15), target_on=date(2026, 12, 1), **WHOLE)],
    policy={"review_rule": "medicare-php"},
)  # fmt: skip
from_then_on(
    review_due, "The rule medicare-php, talked about on the second day: 30 days from there", at("2026-05-02 18:00"), "reviewed",
    goals=[a_goal(set_on=date(2026, 4, 1), **WHOLE)], policy={"review_rule": "medicare-php"},
    answers=[an_answer(review_due, "done", at("2026-04-02 18:00"))],
)  # fmt: skip
from_then_on(
    review_due, "The rule ccbhc asks for it after 180 days, and the practice only after 365", at("2026-09-28 00:00"),
    "reviewed", goals=[a_goal(set_on=date(2026, 4, 1), **WHOLE)],
    policy={"review_rule": "ccbhc", "review_every_days": 365},
)  # fmt: skip
# ---------------------------------------------------------------- goal review: appointments
TENTH = at("2026-05-11 10:00")
example(
    review_due, "Nine appointments since the goal was set", NO, "reviewed", at("2026-05-11 09:59"), goals=[GOAL],
    attended=each(7, 9, TENTH - 7 * DAY),
)  # fmt: skip
for place in PLACES:
    example(
        review_due, f"The appointment on the day on which it was set, and nine since, in the days of {place}", NO, "reviewed",
        at("2026-05-05 12:00", place), goals=[GOAL], attended=each(7, 10, at("2026-05-04 21:00", place)), zone=place,
    )  # fmt: skip
    example(
        review_due, f"Set the day before, and ten appointments since, in the days of {place}", YES, "review_due",
        at("2026-05-05 12:00", place), goals=[a_goal(set_on=date(2026, 3, 1))],
        attended=each(7, 10, at("2026-05-04 21:00", place)), zone=place,
    )  # fmt: skip
example(
    review_due, "Reviewed on the day of an appointment, and said to be done that evening: nine since", NO, "reviewed",
    at("2026-05-05 12:00"), goals=[a_goal(set_on=SET, reviewed_on=SET)],
    attended=each(7, 10, at("2026-05-04 10:00")), answers=[an_answer(review_due, "done", at("2026-03-02 18:00"))],
)  # fmt: skip
example(
    review_due, "Said to be done, and ten appointments since, the first on the next morning", YES, "review_due",
    at("2026-05-12 12:00"), goals=[GOAL],
    attended=(at("2026-03-03 08:00"), *each(7, 9, at("2026-05-11 10:00"))),
    answers=[an_answer(review_due, "done", at("2026-03-02 18:00"))],
)  # fmt: skip
example(
    review_due, "Ten appointments since the goal was set, within 70 days", YES, "review_due", at("2026-05-11 12:00"),
    goals=[GOAL], attended=each(7, 10, TENTH),
)  # fmt: skip
from_then_on(
    review_due, "The tenth appointment begins, where what is past is presumed to have taken place", TENTH, "reviewed",
    goals=[GOAL], presumed=each(7, 10, TENTH),
)  # fmt: skip
example(
    review_due, "Twice a week, so often that nobody counts on", YES, "review_due", at("2026-05-11 12:00"), goals=[GOAL],
    attended=each(3, 20, TENTH),
)  # fmt: skip
example(
    review_due, "Ten appointments, three of them before the last look", NO, "reviewed", at("2026-05-11 12:00"),
    goals=[a_goal(set_on=SET, reviewed_on=date(2026, 3, 25))], attended=each(7, 10, TENTH),
)  # fmt: skip
# ---------------------------------------------------------------- goal review: the goal's own day, a new mark
for place in PLACES:
    from_then_on(
        review_due, f"Its own day begins, 15 April in {place}", at("2026-04-15 00:00", place), "reviewed",
        goals=[a_goal(set_on=SET, target_on=date(2026, 4, 15), **WHOLE)], zone=place,
    )  # fmt: skip
example(
    review_due, "Its own day has come, and nobody knows when it was set", YES, "review_due", LATER,
    goals=[a_goal(target_on=date(2026, 4, 15))],
)  # fmt: skip
example(
    review_due, "Its own day lies ahead, and nobody knows when it was set", NO, "reviewed", LATER,
    goals=[a_goal(target_on=date(2026, 7, 15))],
)  # fmt: skip
example(
    review_due, "Reviewed on its own day", NO, "reviewed", at("2026-04-20 10:00"),
    goals=[a_goal(set_on=SET, target_on=date(2026, 4, 15), reviewed_on=date(2026, 4, 15))],
)  # fmt: skip
example(
    review_due, "Marked as improving since it was looked at", YES, "review_due", at("2026-04-20 10:00"),
    goals=[a_goal(set_on=SET, achievement="improving", achievement_on=date(2026, 4, 10), **WHOLE)],
)  # fmt: skip
example(
    review_due, "Marked as improving and looked at on the same day", NO, "reviewed", at("2026-04-20 10:00"),
    goals=[
        a_goal(set_on=SET, achievement="improving", achievement_on=date(2026, 4, 10), reviewed_on=date(2026, 4, 10))
    ],
)  # fmt: skip
example(
    review_due, "One of two goals was marked as met since", YES, "review_due", at("2026-04-20 10:00"),
    goals=[a_goal(set_on=SET, achievement="achieved", achievement_on=date(2026, 4, 10), **WHOLE), GOAL],
)  # fmt: skip
# ---------------------------------------------------------------- goal review: what was answered, what silences it
example(
    review_due, "Answered `done`: the goals were talked about", NO, "reviewed", LATER, goals=[GOAL],
    answers=[an_answer(review_due, "done", at("2026-06-02 18:00"))],
)  # fmt: skip
from_then_on(
    review_due, "Answered `done` 90 days ago", at("2026-08-31 18:00"), "reviewed", goals=[GOAL],
    answers=[an_answer(review_due, "done", at("2026-06-02 18:00"))],
)  # fmt: skip
example(
    review_due, "Put off until next week: that is no look", YES, "review_due", LATER, goals=[GOAL],
    answers=[an_answer(review_due, "snooze", at("2026-06-02 18:00"), until=at("2026-06-10 00:00"))],
)  # fmt: skip
example(review_due, "Nobody knows when it was set", NO, "no_dates", LATER, goals=[a_goal()])
example(review_due, "The goal is met", NO, "no_goals", LATER, goals=[a_goal(set_on=SET, achievement="achieved")])
example(review_due, "The goal was given up", NO, "no_goals", LATER, goals=[a_goal(set_on=SET, status="cancelled")])
example(review_due, "No goal was ever set", NO, "no_goals", LATER)
example(review_due, "Paused until further notice", NO, "paused", LATER, goals=[GOAL], paused=True)
example(review_due, "Care has ended", NO, "ended", LATER, goals=[GOAL], status="ended")
example(review_due, "The client has died", NO, "died", LATER, goals=[GOAL], died=True)
example(review_due, "An ending is going on", NO, "ending", LATER, goals=[GOAL], endings=[an_ending("wish", LATER - 60)])
example(
    review_due, "An ending waits to be confirmed: that changes nothing yet", YES, "review_due", LATER, goals=[GOAL],
    endings=[an_ending("goals", LATER - 60, waiting=True)],
)  # fmt: skip
example(review_due, "The records were not read lately", CANNOT_SAY, "blind", LATER, goals=[GOAL], blind=CALENDAR)
example(review_due, "A row of the goals file was not understood", CANNOT_SAY, "blind", LATER, goals=[GOAL], unread=True)
example(
    review_due, "The records were not read lately, but it is too early anyway", NO, "reviewed", at("2026-04-01 10:00"),
    goals=[GOAL], blind=CALENDAR,
)  # fmt: skip

# ---------------------------------------------------------------- off track
off_track = "off_track"


def marked(achievement: str, on: date | None = date(2026, 5, 4)):
    return a_goal(set_on=SET, achievement=achievement, achievement_on=on, reviewed_on=date(2026, 6, 1))


for achievement in ("worsening", "no-progress", "not-attainable"):
    example(off_track, f"Marked as {achievement}", YES, off_track, LATER, goals=[marked(achievement)])
for achievement in ("in-progress", "improving", "no-change", "not-achieved"):
    example(off_track, f"Marked as {achievement}", NO, "touched", LATER, goals=[marked(achievement)])
example(off_track, "Marked as worsening, nobody knows when", YES, off_track, LATER, goals=[marked("worsening", None)])
example(
    off_track, "One is marked as worsening, one as not moving", YES, off_track, LATER,
    goals=[marked("worsening"), marked("no-progress")],
)  # fmt: skip
example(
    off_track, "Two are marked as worsening", YES, off_track, LATER,
    goals=[marked("worsening"), marked("worsening", date(2026, 5, 11))],
)  # fmt: skip
for place in PLACES:
    from_then_on(
        off_track, f"Nobody has looked at it for 150 days since 1 May in {place}",
        at("2026-09-28 01:00" if place == "Pacific/Auckland" else "2026-09-28 00:00", place), "touched",
        goals=[a_goal(set_on=SET, reviewed_on=date(2026, 5, 1))], zone=place,
    )  # fmt: skip
from_then_on(
    off_track, "Two goals: nobody has looked at one for 150 days", at("2026-09-28 00:00"), "touched",
    goals=[a_goal(set_on=SET, reviewed_on=date(2026, 5, 1)), a_goal(set_on=SET, reviewed_on=date(2026, 8, 1))],
)  # fmt: skip
from_then_on(
    off_track, "Marked as improving 150 days ago: who marks it has looked at it", at("2026-09-28 00:00"), "touched",
    goals=[a_goal(set_on=SET, achievement="improving", achievement_on=date(2026, 5, 1))],
)  # fmt: skip
from_then_on(
    off_track, "The practice waits for 60 days", at("2026-06-30 00:00"), "touched",
    goals=[a_goal(set_on=SET, reviewed_on=date(2026, 5, 1))], policy={"goal_untouched_days": 60},
)  # fmt: skip
LONG_AFTER = at("2026-11-02 10:00")
example(
    off_track, "Left alone for long, but said to be talked about a week ago", NO, "touched", LONG_AFTER, goals=[GOAL],
    answers=[an_answer(review_due, "done", LONG_AFTER - 7 * DAY)],
)  # fmt: skip
example(
    off_track, "Left alone for long, and put off a week ago: that is no look", YES, off_track, LONG_AFTER, goals=[GOAL],
    answers=[an_answer(off_track, "snooze", LONG_AFTER - 7 * DAY, until=LONG_AFTER + DAY)],
)  # fmt: skip
example(off_track, "Nobody knows when it was set", NO, "no_dates", LONG_AFTER, goals=[a_goal()])
example(off_track, "The goal is met", NO, "no_goals", LONG_AFTER, goals=[a_goal(set_on=SET, achievement="sustaining")])
example(
    off_track, "Marked as worsening, then given up", NO, "no_goals", LATER,
    goals=[a_goal(set_on=SET, achievement="worsening", status="cancelled")],
)  # fmt: skip
example(off_track, "Marked as worsening, care is paused", NO, "paused", LATER, goals=[marked("worsening")], paused=True)
example(
    off_track, "Marked as worsening, care has ended", NO, "ended", LATER, goals=[marked("worsening")], status="ended"
)
example(
    off_track, "Marked as worsening, the client has died", NO, "died", LATER, goals=[marked("worsening")], died=True
)
example(
    off_track, "Left alone for long, and the records were not read lately", CANNOT_SAY, "blind", LONG_AFTER,
    goals=[GOAL], blind=CALENDAR,
)  # fmt: skip
example(
    off_track, "Marked as worsening, and the records were not read lately: the mark stands", YES, off_track, LATER,
    goals=[marked("worsening"), GOAL], blind=CALENDAR,
)  # fmt: skip

# ---------------------------------------------------------------- moving on
moving_on = "moving_on"
MET = a_goal(set_on=SET, achievement="achieved")


def scores(measure: str, *values: float, last=LAST, risk: int | None = None):
    """One a week, the last one at `last`."""
    days = each(7, len(values), last)
    return [a_score(measure, value, day, risk=risk) for value, day in zip(values, days, strict=True)]


example(moving_on, "The goal is met", YES, "goals_met", LATER, goals=[MET])
example(
    moving_on, "One goal is met, one completed, one given up", YES, "goals_met", LATER,
    goals=[MET, a_goal(set_on=SET, status="completed"), a_goal(set_on=SET, status="cancelled")],
)  # fmt: skip
example(moving_on, "One of two goals is met", NO, "not_yet", LATER, goals=[MET, GOAL])
example(
    moving_on, "The only goal was given up: that is no goal met", NO, "not_yet", LATER,
    goals=[a_goal(set_on=SET, status="cancelled")],
)  # fmt: skip
example(
    moving_on, "A goal is given up though it was met", NO, "not_yet", LATER,
    goals=[a_goal(set_on=SET, achievement="achieved", status="cancelled")],
)  # fmt: skip
example(moving_on, "PHQ-9 below 10 three times", YES, "healthy", LATER, scores=scores("PHQ-9", 17, 9, 8, 9.99))
example(moving_on, "PHQ-9 at 10 the last time", NO, "on_the_way", LATER, scores=scores("PHQ-9", 9, 8, 10))
example(moving_on, "PHQ-9 at 10 three times ago, then below", NO, "on_the_way", LATER, scores=scores("PHQ-9", 10, 8, 9))
example(moving_on, "PHQ-9 below 10 twice only", NO, "not_yet", LATER, scores=scores("PHQ-9", 9, 8))
example(moving_on, "ORS above 25 three times", YES, "healthy", LATER, scores=scores("ORS", 25.01, 30, 28))
example(moving_on, "ORS at 25 the last time", NO, "on_the_way", LATER, scores=scores("ORS", 28, 30, 25))
example(moving_on, "GAD-7 below 8 three times", YES, "healthy", LATER, scores=scores("GAD-7", 7, 5, 7.99))
example(moving_on, "GAD-7 at 8 the last time", NO, "on_the_way", LATER, scores=scores("GAD-7", 7, 5, 8))
example(
    moving_on, "PHQ-9 and GAD-7 healthy three times", YES, "healthy", LATER,
    scores=[*scores("PHQ-9", 9, 8, 9), *scores("GAD-7", 7, 6, 5)],
)  # fmt: skip
example(
    moving_on, "PHQ-9 healthy three times, and one GAD-7 that is not", NO, "on_the_way", LATER,
    scores=[*scores("PHQ-9", 9, 8, 9), *scores("GAD-7", 12)],
)  # fmt: skip
example(moving_on, "Ratings of the session are no outcome", NO, "not_yet", LATER, scores=scores("SRS", 40, 40, 40, 40))
example(
    moving_on, "The practice asks for five in a row", NO, "not_yet", LATER, scores=scores("PHQ-9", 9, 8, 9, 7),
    policy={"healthy_in_a_row": 5},
)  # fmt: skip
until_then(
    moving_on, "PHQ-9 healthy three times, the last 60 days ago", LAST + 60 * DAY, "not_yet", fires="healthy",
    scores=scores("PHQ-9", 9, 8, 9),
)  # fmt: skip
example(
    moving_on, "PHQ-9 healthy three times, the last with item 9 above zero: safety comes first", NO, "safety_first",
    LATER, scores=[*scores("PHQ-9", 9, 8, last=LAST - 7 * DAY), *scores("PHQ-9", 7, risk=1)],
)  # fmt: skip
example(
    moving_on, "The goal is met, and the last C-SSRS is positive", NO, "safety_first", LATER, goals=[MET],
    scores=scores("C-SSRS", 1, risk=1),
)  # fmt: skip
example(
    moving_on, "The goal is met, item 9 was above zero and is zero now", YES, "goals_met", LATER, goals=[MET],
    scores=[*scores("PHQ-9", 9, last=LAST - 7 * DAY, risk=2), *scores("PHQ-9", 7, risk=0)],
)  # fmt: skip
example(moving_on, "No goals and no scores", NO, "not_yet", LATER)
example(moving_on, "No source tells of either", NO, "not_told", LATER, heard=())
example(moving_on, "The goal is met, care is paused", NO, "paused", LATER, goals=[MET], paused=True)
example(moving_on, "The goal is met, care has ended", NO, "ended", LATER, goals=[MET], status="ended")
example(moving_on, "The goal is met, the client has died", NO, "died", LATER, goals=[MET], died=True)
example(
    moving_on, "The goal is met, the calendar was not read lately: that changes nothing", YES, "goals_met", LATER,
    goals=[MET], blind=CALENDAR,
)  # fmt: skip
