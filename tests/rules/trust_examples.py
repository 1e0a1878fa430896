"""The examples of the rule `trust`, both sides of each boundary: what is tested, and what docs/rules/trust.md shows."""

from datetime import date

from models.instants import DAY
from models.rules.trust import RULE
from tests.builders import a_score, an_answer, at, called_off, each
from tests.rules.table import CANNOT_SAY, NO, YES, Meaning, Table

TABLE = Table(
    RULE,
    """# When is it worth asking how the two of you get on?

What the rule `trust` says of a client, shown by examples. With each finding goes one question to think about, another one each time until
all eight were asked: it is no diagnosis, and no measure of a therapist.

Only the client's own ratings count: the session rating (SRS) and the working alliance (WAI-SR), since clients and therapists see that
differently. The cut-off of the SRS is from a secondary source; for the WAI-SR none is validated, so a rating is held against the client's
own level: the middle of their earlier ratings, less one or two standard deviations (1sd: Strauss, 2sd: Stiles; Gumz 2012), of the client's
own ratings or of those between clients, whichever is the stricter. What clients differ by is a number from memory. How
often the alliance falls depends on that rule, so it is named. When somebody called off is known by the source's own time stamp alone.
""",
    {
        "rating": Meaning("The client's last session rating lies below its cut-off, or fell from the one before."),
        "alliance": Meaning("The client's last rating of the alliance lies far below their own level."),
        "early_check": Meaning(
            "The first appointments took place, and the client has rated nothing yet. Who has been coming for longer is not asked about.",
            absence=True,
        ),
        "later_cancels": Meaning(
            "The client's own cancellations came in fewer whole hours before the appointment each time, and none was attended since.",
            absence=True,
        ),
    },
)
example, from_then_on, until_then = TABLE.example, TABLE.from_then_on, TABLE.until_then

PLACES = ("Europe/Berlin", "America/New_York", "Australia/Sydney")
CALENDAR = ("cal-t1",)
LAST = at("2026-06-08 10:00")  # a Monday
NOW = at("2026-06-09 12:00")


def rated(measure: str, *values: float, last=LAST):
    """One a week, the last one at `last`."""
    return [a_score(measure, value, day) for value, day in zip(values, each(7, len(values), last), strict=True)]


# ---------------------------------------------------------------- session rating
rating = "rating"
example(rating, "Rated 36, and never before", NO, "as_it_was", NOW, scores=rated("SRS", 36))
example(rating, "Rated 35.99, and never before", YES, "low", NOW, scores=rated("SRS", 35.99))
example(rating, "Rated 40, then 39", YES, "fell", NOW, scores=rated("SRS", 40, 39))
example(rating, "Rated 40, then 39.01", NO, "as_it_was", NOW, scores=rated("SRS", 40, 39.01))
example(
    rating, "Rated 38.3, then 37.3: a whole point to the hundredth", YES, "fell", NOW, scores=rated("SRS", 38.3, 37.3)
)
example(rating, "Rated 39, then 40", NO, "as_it_was", NOW, scores=rated("SRS", 39, 40))
example(rating, "Rated 30, then 34: better, and still low", YES, "low", NOW, scores=rated("SRS", 30, 34))
example(rating, "Rated 40, 38, 38: as it was the time before", NO, "as_it_was", NOW, scores=rated("SRS", 40, 38, 38))
example(
    rating, "Rated 40, then 38: the practice asks from three points on", NO, "as_it_was", NOW,
    scores=rated("SRS", 40, 38), policy={"srs_drop": 3},
)  # fmt: skip
example(
    rating, "Rated 40, then 37: the practice asks from three points on", YES, "fell", NOW,
    scores=rated("SRS", 40, 37), policy={"srs_drop": 3},
)  # fmt: skip
until_then(rating, "Rated 30, 60 days ago", LAST + 60 * DAY, "long_ago", fires="low", scores=rated("SRS", 30))
for place in PLACES:
    first_minute = at("2026-06-08 00:00", place)
    until_then(
        rating, f"Rated 30 on 8 June, nobody knows at what hour, in the days of {place}", at("2026-08-07 00:00", place),
        "long_ago", fires="low", scores=rated("SRS", 30, last=first_minute), zone=place,
    )  # fmt: skip
example(rating, "Never rated", NO, "not_rated", NOW)
example(rating, "No source tells of scores", NO, "not_rated", NOW, heard=())
example(
    rating, "Rated 30, care is paused: a rating may be why somebody paused", YES, "low", NOW, scores=rated("SRS", 30),
    paused=True,
)  # fmt: skip
example(rating, "Rated 30, care has ended", NO, "ended", NOW, scores=rated("SRS", 30), status="ended")
example(rating, "Rated 30, the client has died", NO, "died", NOW, scores=rated("SRS", 30), died=True)
example(
    rating, "Rated 30, the calendar was not read lately: the rating stands", YES, "low", NOW, scores=rated("SRS", 30),
    blind=CALENDAR,
)  # fmt: skip

# ---------------------------------------------------------------- working alliance
alliance = "alliance"
OWN = (44, 52, 60)  # level 52, standard deviation 8
ALIKE = (50, 50, 50)
example(
    alliance, "Eight points below: one standard deviation of their own", YES, "fell_from_own", NOW,
    scores=rated("WAI-SR", *OWN, 44),
)  # fmt: skip
example(alliance, "A little less than that", NO, "near_own_level", NOW, scores=rated("WAI-SR", *OWN, 44.01))
example(
    alliance, "Sixteen points below: two standard deviations, where the practice asks for two", YES, "fell_from_own",
    NOW, scores=rated("WAI-SR", *OWN, 36), policy={"alliance_rule": "2sd"},
)  # fmt: skip
example(
    alliance, "A little less than that, where the practice asks for two", NO, "near_own_level", NOW,
    scores=rated("WAI-SR", *OWN, 36.01), policy={"alliance_rule": "2sd"},
)  # fmt: skip
example(
    alliance, "Always 50, then 49: a point says nothing", NO, "near_own_level", NOW, scores=rated("WAI-SR", *ALIKE, 49)
)
example(
    alliance, "Always 50, then 43: as far as one standard deviation between clients", YES, "fell_from_own", NOW,
    scores=rated("WAI-SR", *ALIKE, 43),
)  # fmt: skip
example(
    alliance, "Always 50, then a little more than 43", NO, "near_own_level", NOW, scores=rated("WAI-SR", *ALIKE, 43.01)
)
example(
    alliance, "Always 50, then 36, where the practice asks for two", YES, "fell_from_own", NOW,
    scores=rated("WAI-SR", *ALIKE, 36), policy={"alliance_rule": "2sd"},
)  # fmt: skip
example(
    alliance, "Always 50, then a little more than 36, where the practice asks for two", NO, "near_own_level", NOW,
    scores=rated("WAI-SR", *ALIKE, 36.01), policy={"alliance_rule": "2sd"},
)  # fmt: skip
example(
    alliance, "Always 50, then 47, where the practice takes three points", YES, "fell_from_own", NOW,
    scores=rated("WAI-SR", *ALIKE, 47), policy={"alliance_least_deviation": 3},
)  # fmt: skip
example(
    alliance, "Always 50, then a little more than 47, where the practice takes three points", NO, "near_own_level", NOW,
    scores=rated("WAI-SR", *ALIKE, 47.01), policy={"alliance_least_deviation": 3},
)  # fmt: skip
example(alliance, "Above the own level", NO, "near_own_level", NOW, scores=rated("WAI-SR", *OWN, 60))
example(
    alliance, "Low from the start, and no lower: no cut-off is validated", NO, "near_own_level", NOW,
    scores=rated("WAI-SR", 20, 22, 21, 21),
)  # fmt: skip
example(alliance, "Far below, but only the third rating", NO, "few", NOW, scores=rated("WAI-SR", 52, 54, 30))
until_then(
    alliance, "Far below, 60 days ago", LAST + 60 * DAY, "long_ago", fires="fell_from_own",
    scores=rated("WAI-SR", *OWN, 30),
)  # fmt: skip
example(alliance, "Never rated", NO, "not_rated", NOW)
example(alliance, "Far below, care has ended", NO, "ended", NOW, scores=rated("WAI-SR", *OWN, 30), status="ended")
example(alliance, "Far below, the client has died", NO, "died", NOW, scores=rated("WAI-SR", *OWN, 30), died=True)
example(alliance, "Far below, care is paused", YES, "fell_from_own", NOW, scores=rated("WAI-SR", *OWN, 30), paused=True)

# ---------------------------------------------------------------- how is it going
early_check = "early_check"


def seen(count: int):
    return each(7, count, LAST)


THIRD = at("2026-06-22 10:00")
example(early_check, "Not seen yet", NO, "early", NOW)
example(early_check, "Seen twice", NO, "early", NOW, attended=seen(2))
example(early_check, "Seen three times", YES, "not_rated_yet", NOW, attended=seen(3))
example(early_check, "Seen five times", YES, "not_rated_yet", NOW, attended=seen(5))
example(early_check, "Seen six times: that is no longer the beginning", NO, "long_coming", NOW, attended=seen(6))
example(early_check, "Seen for years", NO, "long_coming", NOW, attended=seen(40))
example(
    early_check, "Seen three times, and three more are not marked: they may have taken place", NO, "long_coming", NOW,
    attended=seen(3), unmarked=each(1, 3, LAST - DAY),
)  # fmt: skip
example(
    early_check, "Seen three times, and three were missed", YES, "not_rated_yet", NOW, attended=seen(3),
    missed=each(1, 3, LAST - DAY),
)  # fmt: skip
from_then_on(
    early_check, "The third appointment begins, where what is past is presumed to have taken place", THIRD, "early",
    fires="not_rated_yet", presumed=each(7, 3, THIRD),
)  # fmt: skip
example(
    early_check, "Seen nine times, where the practice asks by the tenth", NO, "early", NOW, attended=seen(9),
    policy={"trust_check_by_appointment": 10},
)  # fmt: skip
example(
    early_check, "Seen ten times, where the practice asks by the tenth", YES, "not_rated_yet", NOW, attended=seen(10),
    policy={"trust_check_by_appointment": 10},
)  # fmt: skip
example(
    early_check, "Seen for years, where the practice asks by the tenth", NO, "long_coming", NOW, attended=seen(40),
    policy={"trust_check_by_appointment": 10},
)  # fmt: skip
example(early_check, "A session was rated", NO, "rated", NOW, attended=seen(3), scores=rated("SRS", 38))
example(early_check, "The alliance was rated", NO, "rated", NOW, attended=seen(3), scores=rated("WAI-SR", 50))
example(
    early_check, "A PHQ-9 is no rating of how it is going", YES, "not_rated_yet", NOW, attended=seen(3),
    scores=rated("PHQ-9", 9),
)  # fmt: skip
example(
    early_check, "Answered `done`: the client was asked", NO, "asked", NOW, attended=seen(3),
    answers=[an_answer(early_check, "done", NOW - DAY)],
)  # fmt: skip
example(
    early_check, "Put off until tomorrow: not asked yet", YES, "not_rated_yet", NOW, attended=seen(3),
    answers=[an_answer(early_check, "snooze", NOW - DAY, until=NOW + DAY)],
)  # fmt: skip
example(early_check, "No source tells of scores", NO, "not_rated", NOW, attended=seen(3), heard=("goal", "score"))
for place in PLACES:
    from_then_on(
        early_check, f"Paused until 1 July: asked again from the first minute of that day in {place}",
        at("2026-07-01 00:00", place), "paused", fires="not_rated_yet",
        attended=each(7, 3, at("2026-06-08 10:00", place)), paused_until=date(2026, 7, 1), zone=place,
    )  # fmt: skip
example(early_check, "Care has ended", NO, "ended", NOW, attended=seen(3), status="ended")
example(early_check, "The client has died", NO, "died", NOW, attended=seen(3), died=True)
example(early_check, "The records were not read lately", CANNOT_SAY, "blind", NOW, attended=seen(3), blind=CALENDAR)
example(
    early_check, "A row of the scores file was not understood", CANNOT_SAY, "blind", NOW, attended=seen(3), unread=True
)

# ---------------------------------------------------------------- called off later each time
later_cancels = "later_cancels"
STARTS = each(7, 3, LAST)


def off(*hours: float, starts=STARTS):
    return [called_off(start, before) for start, before in zip(starts, hours, strict=True)]


example(later_cancels, "72, 30 and 5 hours before", YES, "later", NOW, cancelled=off(72, 30, 5))
example(later_cancels, "72, 30 and 30 hours before", NO, "not_later", NOW, cancelled=off(72, 30, 30))
example(later_cancels, "72, 30 and 29 hours before", YES, "later", NOW, cancelled=off(72, 30, 29.99))
example(
    later_cancels,
    "5 hours before, and minutes less each time: that is no less",
    NO,
    "not_later",
    NOW,
    cancelled=off(5.5, 5.3, 5.1),
)
example(later_cancels, "72, 5 and 30 hours before", NO, "not_later", NOW, cancelled=off(72, 5, 30))
example(later_cancels, "30 and 5 hours before", NO, "few_called_off", NOW, cancelled=off(30, 5, starts=STARTS[1:]))
example(
    later_cancels, "30 and 5 hours before, where the practice looks at two", YES, "later", NOW,
    cancelled=off(30, 5, starts=STARTS[1:]), policy={"later_cancels_in_a_row": 2},
)  # fmt: skip
example(later_cancels, "The last one after it had begun", YES, "later", NOW, cancelled=off(72, 30, -0.5))
example(
    later_cancels,
    "First later each time, then well before",
    NO,
    "not_later",
    NOW,
    cancelled=off(72, 5, 2, 96, starts=each(7, 4, LAST)),
)
from_then_on(
    later_cancels, "The third is called off", LAST - 5 * 3600, "few_called_off", fires="later", cancelled=off(72, 30, 5)
)
until_then(
    later_cancels, "The last one 60 days ago", LAST - 5 * 3600 + 60 * DAY, "called_off_long_ago", fires="later",
    cancelled=off(72, 30, 5),
)  # fmt: skip
example(
    later_cancels, "60 days lie between them", YES, "later", NOW, cancelled=off(72, 30, 5, starts=each(60, 3, LAST))
)
example(
    later_cancels, "61 days lie between them: that is no row", NO, "few_called_off", NOW,
    cancelled=off(72, 30, 5, starts=each(61, 3, LAST)),
)  # fmt: skip
example(
    later_cancels, "One was attended after the last word", NO, "attended_since", NOW, cancelled=off(72, 30, 5),
    attended=(LAST,),
)  # fmt: skip
example(
    later_cancels, "One was attended between them", YES, "later", NOW, cancelled=off(72, 30, 5),
    attended=(LAST - 3 * DAY,),
)  # fmt: skip
from_then_on(
    later_cancels, "Called off ahead of time: it counts from the word on", at("2026-06-06 10:00"), "few_called_off",
    fires="later", cancelled=off(72, 60, 48),
)  # fmt: skip
example(later_cancels, "Nothing was called off, or nobody knows when", NO, "no_stamps", NOW, attended=seen(3))
example(later_cancels, "Care is paused", NO, "paused", NOW, cancelled=off(72, 30, 5), paused=True)
example(later_cancels, "Care has ended", NO, "ended", NOW, cancelled=off(72, 30, 5), status="ended")
example(later_cancels, "The client has died", NO, "died", NOW, cancelled=off(72, 30, 5), died=True)
example(
    later_cancels, "The calendar was not read lately: something may have been attended", CANNOT_SAY, "blind", NOW,
    cancelled=off(72, 30, 5), blind=CALENDAR,
)  # fmt: skip
