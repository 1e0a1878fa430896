"""The examples of the rule `stalled`, both sides of each boundary: what is tested, and what docs/rules/stalled.md shows."""

from datetime import date

from integrations.public_holidays import public_holidays
from models.clock import Spans, merged
from models.instants import HOUR, end_of, start_of
from models.rules.stalled import RULE
from tests.builders import ZONE, an_answer, an_ending, at, each
from tests.rules.table import CANNOT_SAY, NO, YES, Meaning, Table

TABLE = Table(
    RULE,
    """# When is a client quiet?

What the rule `stalled` says of a client, shown by examples.

*Booked* means booked by a person: the endless tail of a weekly series does not count. *Seen* means attended, or past and not marked as
missed. Planned breaks of the client, leave of the therapist and public holidays do not count as time. The client's *rhythm* is the
middle one of the last gaps between attended appointments, or what was agreed.
""",
    {
        "quiet": Meaning(
            "Nothing is booked, and it is longer since the client was seen than the floor and than a multiple of their own rhythm.",
            absence=True,
        ),
        "missed": Meaning(
            "The last appointments of which it is known how they went were all missed, whether another is booked or not. Where as many"
            " since are not marked as ask for marks, nobody knows how it went on, and nothing is said.",
            absence=True,
        ),
        "not_started": Meaning("The client asked for help, was never seen, and nothing is booked.", absence=True),
        "unconfirmed": Meaning(
            "The last appointments are not marked, or only presumed to have taken place, though more are planned: a question about the"
            " record, asked in one weekly list for each therapist, and never an alarm about the client."
        ),
    },
)
example, from_then_on, until_then = TABLE.example, TABLE.from_then_on, TABLE.until_then


def days_off(first: date, last: date, zone: str = ZONE) -> Spans:
    return ((start_of(first, zone), end_of(last, zone)),)


def holidays_of(region: str, year: int, zone: str = ZONE) -> Spans:
    return merged((start_of(day, zone), end_of(day, zone)) for day in public_holidays(region, year - 1, year + 1))


LAST = at("2026-06-08 10:00")  # a Monday; no public holiday and no change of clocks is near
WEEKLY = {"attended": each(7, 7, LAST)}
CALENDAR = ("cal-t1",)

# ---------------------------------------------------------------- quiet: the silence and the rhythm
quiet = "quiet"
from_then_on(quiet, "Seen weekly, 14 days ago", at("2026-06-22 10:00"), "seen_lately", **WEEKLY)
from_then_on(
    quiet,
    "Seen every fortnight, 28 days ago",
    at("2026-07-06 10:00"),
    "seen_lately",
    attended=each(14, 7, LAST),
)
from_then_on(
    quiet,
    "Seen every three days: never earlier than after 14 days",
    at("2026-06-22 10:00"),
    "seen_lately",
    attended=each(3, 7, LAST),
)
from_then_on(
    quiet,
    "Seen once: weekly is taken, so 14 days",
    at("2026-06-22 10:00"),
    "seen_lately",
    last_attended=LAST,
)
from_then_on(
    quiet,
    "Seen three times, 30 days apart: two gaps are no rhythm yet, so 14 days",
    at("2026-06-22 10:00"),
    "seen_lately",
    attended=each(30, 3, LAST),
)
from_then_on(
    quiet,
    "Seen four times, 30 days apart: three gaps are a rhythm, so 60 days",
    at("2026-08-07 10:00"),
    "seen_lately",
    attended=each(30, 4, LAST),
)
from_then_on(
    quiet,
    "Seen weekly with one gap of six weeks: the middle gap counts, not the mean",
    at("2026-06-22 10:00"),
    "seen_lately",
    attended=(*each(7, 4, LAST - 63 * 24 * HOUR), *each(7, 4, LAST)),
)
from_then_on(
    quiet,
    "Seen weekly for long, of late every 20 days: the last six gaps count",
    at("2026-07-18 10:00"),
    "seen_lately",
    attended=(*each(7, 10, LAST - 120 * 24 * HOUR), *each(20, 7, LAST)),
)
from_then_on(
    quiet,
    "Agreed with the practice: only after three times the rhythm",
    at("2026-06-29 10:00"),
    "seen_lately",
    policy={"quiet_factor": 3},
    **WEEKLY,
)
# ---------------------------------------------------------------- quiet: what lies ahead, what counts as seen
LONG_AFTER = at("2026-07-20 12:00")
example(quiet, "The next appointment is booked", NO, "booked", LONG_AFTER, booked=(at("2026-07-20 12:01"),), **WEEKLY)
example(
    quiet,
    "The next appointment begins this very second and nobody has marked it: it may take place",
    NO,
    "seen_lately",
    LONG_AFTER,
    booked=(LONG_AFTER,),
    **WEEKLY,
)
example(
    quiet,
    "Only the endless tail of a weekly series lies ahead: nobody booked that",
    YES,
    "quiet",
    at("2026-06-22 10:00"),
    tail=(at("2026-06-29 10:00"), at("2026-07-06 10:00")),
    **WEEKLY,
)
from_then_on(
    quiet,
    "Missed the appointment a week ago: that is not being seen",
    at("2026-06-22 10:00"),
    "seen_lately",
    missed=(at("2026-06-15 10:00"),),
    **WEEKLY,
)
from_then_on(
    quiet,
    "The appointment a week ago is not marked: it may have taken place, so silence counts from there",
    at("2026-06-29 10:00"),
    "seen_lately",
    unmarked=(at("2026-06-15 10:00"),),
    **WEEKLY,
)
example(quiet, "Never seen: that is for Not started", NO, "never_seen", LONG_AFTER, asked_on=date(2026, 5, 4))
# ---------------------------------------------------------------- quiet: what does not count
from_then_on(
    quiet,
    "A planned break of one week since then (15 to 21 June)",
    at("2026-06-29 10:00"),
    "seen_lately",
    breaks=((date(2026, 6, 15), date(2026, 6, 21)),),
    **WEEKLY,
)
from_then_on(
    quiet,
    "The therapist was on leave for a week since then",
    at("2026-06-29 10:00"),
    "seen_lately",
    pauses=days_off(date(2026, 6, 15), date(2026, 6, 21)),
    **WEEKLY,
)
from_then_on(
    quiet,
    "A break and the therapist's leave on the same days count once",
    at("2026-06-29 10:00"),
    "seen_lately",
    pauses=days_off(date(2026, 6, 15), date(2026, 6, 21)),
    breaks=((date(2026, 6, 15), date(2026, 6, 21)),),
    **WEEKLY,
)
from_then_on(
    quiet,
    "Seen every four weeks, three of which were planned breaks each time: the rhythm stays weekly",
    at("2026-06-22 10:00"),
    "seen_lately",
    attended=each(28, 4, LAST),
    breaks=(
        (date(2026, 3, 23), date(2026, 4, 12)),
        (date(2026, 4, 20), date(2026, 5, 10)),
        (date(2026, 5, 18), date(2026, 6, 7)),
    ),
)
from_then_on(
    quiet,
    "Christmas and New Year in Berlin do not count (25, 26 December, 1 January)",
    at("2027-01-07 10:00"),
    "seen_lately",
    attended=each(7, 7, at("2026-12-21 10:00")),
    pauses=holidays_of("DE-BE", 2026),
)
from_then_on(
    quiet,
    "Thanksgiving in the United States does not count",
    at("2026-12-03 10:00", "America/New_York"),
    "seen_lately",
    attended=each(7, 7, at("2026-11-18 10:00", "America/New_York")),
    pauses=holidays_of("US", 2026, "America/New_York"),
    zone="America/New_York",
)
from_then_on(
    quiet,
    "The clocks went back meanwhile: 14 days are 14 times 24 hours",
    at("2026-11-02 09:00"),
    "seen_lately",
    attended=each(7, 7, at("2026-10-19 10:00")),
)
from_then_on(
    quiet,
    "The clocks went forward meanwhile",
    at("2026-04-04 11:00"),
    "seen_lately",
    attended=each(7, 7, at("2026-03-21 10:00")),
)
from_then_on(
    quiet,
    "A break of one day, on which the clocks went back, lasts 25 hours",
    at("2026-11-03 10:00"),
    "seen_lately",
    attended=each(7, 7, at("2026-10-19 10:00")),
    breaks=((date(2026, 10, 25), date(2026, 10, 25)),),
)
for place in (ZONE, "America/New_York", "Pacific/Auckland"):
    from_then_on(
        quiet,
        f"A break of one week, in the days of {place}",
        at("2026-06-29 10:00", place),
        "seen_lately",
        attended=each(7, 7, at("2026-06-08 10:00", place)),
        breaks=((date(2026, 6, 15), date(2026, 6, 21)),),
        zone=place,
    )
    from_then_on(
        quiet,
        f"Paused until 1 July: silence counts from the first minute of that day in {place}",
        at("2026-07-15 00:00", place),
        "seen_lately",
        attended=each(7, 7, at("2026-06-08 10:00", place)),
        paused_until=date(2026, 7, 1),
        zone=place,
    )
example(quiet, "Paused until tomorrow", NO, "paused", LONG_AFTER, paused_until=date(2026, 7, 21), **WEEKLY)
example(quiet, "Paused until further notice", NO, "paused", LONG_AFTER, paused=True, **WEEKLY)
example(quiet, "Care has ended", NO, "ended", LONG_AFTER, status="ended", **WEEKLY)
example(quiet, "The client has died", NO, "died", LONG_AFTER, died=True, **WEEKLY)
example(
    quiet, "An ending is going on", NO, "ending", LONG_AFTER, endings=[an_ending("wish", LONG_AFTER - 60)], **WEEKLY
)  # fmt: skip
example(
    quiet, "An ending waits to be confirmed: that changes nothing yet", YES, "quiet", LONG_AFTER,
    endings=[an_ending("goals", LONG_AFTER - 60, waiting=True)], **WEEKLY,
)  # fmt: skip
example(
    quiet, "An ending was withdrawn", YES, "quiet", LONG_AFTER,
    endings=[an_ending("wish", LONG_AFTER - 60, ended=("withdrawn", LONG_AFTER - 1))], **WEEKLY,
)  # fmt: skip
example(
    quiet,
    "The therapist's calendar was not read lately: nobody can say",
    CANNOT_SAY,
    "blind",
    LONG_AFTER,
    blind=CALENDAR,
    **WEEKLY,
)
example(
    quiet,
    "The calendar was not read lately, but it is too early anyway",
    NO,
    "seen_lately",
    at("2026-06-10 10:00"),
    blind=CALENDAR,
    **WEEKLY,
)

# ---------------------------------------------------------------- quiet: what was agreed


def agreed(kind: str, place: str = ZONE, **what: int):
    """Answered on 10 June: the next contact is agreed."""
    return an_answer(kind, "agreed", at("2026-06-10 12:00", place), **what)


for place in (ZONE, "America/New_York", "Australia/Sydney"):
    from_then_on(
        quiet, f"The next contact was agreed for 1 July: quiet once that day is over in {place}",
        at("2026-07-02 00:00", place), "agreed", attended=each(7, 7, at("2026-06-08 10:00", place)), zone=place,
        answers=[agreed(quiet, place, until=end_of(date(2026, 7, 1), place))],
    )  # fmt: skip
from_then_on(
    quiet, "The next contact was agreed for a day on which it is too early anyway", at("2026-06-22 10:00"),
    "seen_lately", answers=[agreed(quiet, until=at("2026-06-16 00:00"))], **WEEKLY,
)  # fmt: skip
from_then_on(
    quiet, "The next contact was agreed for 1 July, then for 26 June: the last word counts", at("2026-06-27 00:00"),
    "agreed", **WEEKLY,
    answers=[
        agreed(quiet, until=at("2026-07-02 00:00")),
        an_answer(quiet, "agreed", at("2026-06-11 12:00"), until=at("2026-06-27 00:00")),
    ],
)  # fmt: skip
from_then_on(
    quiet, "The next contact was agreed in an answer about missed appointments: it holds for silence too",
    at("2026-07-02 00:00"), "agreed", answers=[agreed("missed", until=at("2026-07-02 00:00"))], **WEEKLY,
)  # fmt: skip
example(
    quiet, "The next contact was agreed, and the calendar was not read lately", NO, "agreed", at("2026-06-25 10:00"),
    answers=[agreed(quiet, until=at("2026-07-02 00:00"))], blind=CALENDAR, **WEEKLY,
)  # fmt: skip
from_then_on(
    quiet, "Every 30 days was agreed, so 60 days: what was agreed counts instead of seven days",
    at("2026-08-07 10:00"), "seen_lately", answers=[agreed(quiet, days=30)], **WEEKLY,
)  # fmt: skip
from_then_on(
    quiet, "Every three days was agreed: never earlier than after 14 days", at("2026-06-22 10:00"), "seen_lately",
    answers=[agreed(quiet, days=3)], attended=each(30, 7, LAST),
)  # fmt: skip
from_then_on(
    quiet, "Every 30 days was agreed, later every 10: the last word counts, so 20 days", at("2026-06-28 10:00"),
    "seen_lately", **WEEKLY,
    answers=[agreed(quiet, days=30), an_answer(quiet, "agreed", at("2026-06-11 12:00"), days=10)],
)  # fmt: skip
from_then_on(
    quiet, "Every 30 days was agreed, and a planned break of one week lies in between", at("2026-08-14 10:00"),
    "seen_lately", answers=[agreed(quiet, days=30)], breaks=((date(2026, 6, 15), date(2026, 6, 21)),), **WEEKLY,
)  # fmt: skip
example(
    quiet, "Answered `done` and put off: nothing was agreed", YES, "quiet", at("2026-06-25 10:00"), **WEEKLY,
    answers=[
        an_answer(quiet, "done", at("2026-06-23 12:00")),
        an_answer(quiet, "snooze", at("2026-06-24 12:00"), until=at("2026-07-24 00:00")),
    ],
)  # fmt: skip

# ---------------------------------------------------------------- missed
missed = "missed"
TWO = (at("2026-06-15 10:00"), at("2026-06-22 10:00"))
AFTER = at("2026-06-23 12:00")
example(missed, "The last two were missed", YES, "missed", AFTER, missed=TWO, **WEEKLY)
example(
    missed, "The last two were missed, and another is booked", YES, "missed", AFTER, missed=TWO, booked=(LONG_AFTER,),
    **WEEKLY,
)  # fmt: skip
example(missed, "Only the last one was missed", NO, "not_missed", AFTER, missed=TWO[1:], **WEEKLY)
from_then_on(missed, "The second missed appointment begins", TWO[1], "not_missed", missed=TWO, **WEEKLY)
example(
    missed, "Two were missed, then one was attended", NO, "not_missed", LONG_AFTER, missed=TWO,
    attended=(*WEEKLY["attended"], at("2026-06-29 10:00")),
)  # fmt: skip
example(
    missed, "Missed, attended, missed", NO, "not_missed", LONG_AFTER, missed=(TWO[0], at("2026-06-29 10:00")),
    attended=(*WEEKLY["attended"], TWO[1]),
)  # fmt: skip
example(
    missed, "Two were missed, and one between them is not marked: unknown is no answer", YES, "missed", LONG_AFTER,
    missed=(TWO[0], at("2026-06-29 10:00")), unmarked=(TWO[1],), **WEEKLY,
)  # fmt: skip
example(
    missed, "Two were missed, and two since are not marked", YES, "missed", LONG_AFTER, missed=TWO,
    unmarked=(at("2026-06-29 10:00"), at("2026-07-02 10:00")), **WEEKLY,
)  # fmt: skip
example(
    missed, "Two were missed, and three since are not marked: nobody knows how it went on", NO, "not_missed", LONG_AFTER,
    missed=TWO, unmarked=(at("2026-06-29 10:00"), at("2026-06-30 10:00"), at("2026-07-02 10:00")), **WEEKLY,
)  # fmt: skip
example(missed, "The first two ever were missed", YES, "missed", AFTER, missed=TWO)
example(
    missed, "Two were missed, the practice asks for three", NO, "not_missed", AFTER, missed=TWO,
    policy={"missed_in_a_row": 3}, **WEEKLY,
)  # fmt: skip
example(missed, "The last two were missed, care is paused", NO, "paused", AFTER, missed=TWO, paused=True, **WEEKLY)
example(missed, "The last two were missed, care has ended", NO, "ended", AFTER, missed=TWO, status="ended", **WEEKLY)
example(missed, "The last two were missed, the client has died", NO, "died", AFTER, missed=TWO, died=True, **WEEKLY)
example(
    missed, "The last two were missed, the calendar was not read lately: nobody can say", CANNOT_SAY, "blind", AFTER,
    missed=TWO, blind=CALENDAR, **WEEKLY,
)  # fmt: skip

# ---------------------------------------------------------------- not started
not_started = "not_started"
ASKED = {"status": "intake", "asked_on": date(2026, 6, 8)}
from_then_on(not_started, "Asked for help 14 days ago (8 June)", at("2026-06-22 00:00"), "asked_lately", **ASKED)
for place in ("America/New_York", "Pacific/Auckland"):
    from_then_on(
        not_started, f"The same, in the days of {place}", at("2026-06-22 00:00", place), "asked_lately", zone=place,
        **ASKED,
    )  # fmt: skip
from_then_on(
    not_started, "A planned break of one week since then", at("2026-06-29 00:00"), "asked_lately",
    breaks=((date(2026, 6, 15), date(2026, 6, 21)),), **ASKED,
)  # fmt: skip
from_then_on(
    not_started, "Asked on 14 December in Berlin: Christmas does not count", at("2026-12-30 00:00"), "asked_lately",
    status="intake", asked_on=date(2026, 12, 14), pauses=holidays_of("DE-BE", 2026),
)  # fmt: skip
from_then_on(
    not_started, "Paused until 1 July: counted from there", at("2026-07-15 00:00"), "asked_lately",
    paused_until=date(2026, 7, 1), **ASKED,
)  # fmt: skip
from_then_on(
    not_started, "The practice allows 30 days", at("2026-07-08 00:00"), "asked_lately",
    policy={"not_started_after_days": 30}, **ASKED,
)  # fmt: skip
for place in (ZONE, "America/New_York", "Australia/Sydney"):
    from_then_on(
        not_started, f"A first contact was agreed for 1 July: until that day is over in {place}",
        at("2026-07-02 00:00", place), "agreed", zone=place,
        answers=[agreed(not_started, place, until=end_of(date(2026, 7, 1), place))], **ASKED,
    )  # fmt: skip
example(
    not_started, "The first appointment is booked", NO, "booked", LONG_AFTER, booked=(at("2026-07-21 10:00"),), **ASKED
)
example(not_started, "Seen once", NO, "started", LONG_AFTER, last_attended=LAST, **ASKED)
example(
    not_started, "The first appointment is past and not marked: it may have taken place", NO, "started", LONG_AFTER,
    unmarked=(LAST,), **ASKED,
)  # fmt: skip
example(
    not_started, "The first appointment was missed and nothing is booked", YES, "not_started", LONG_AFTER,
    missed=(LAST,), **ASKED,
)  # fmt: skip
example(not_started, "Nobody knows when the client asked", NO, "no_intake_day", LONG_AFTER, status="intake")
example(not_started, "Paused until further notice", NO, "paused", LONG_AFTER, paused=True, **ASKED)
example(
    not_started, "Care has ended before it began", NO, "ended", LONG_AFTER, status="ended", asked_on=date(2026, 6, 8)
)
example(not_started, "The client has died", NO, "died", LONG_AFTER, died=True, **ASKED)
example(
    not_started, "The calendar was not read lately: nobody can say", CANNOT_SAY, "blind", LONG_AFTER, blind=CALENDAR,
    **ASKED,
)  # fmt: skip

# ---------------------------------------------------------------- unconfirmed
unconfirmed = "unconfirmed"
THREE = (at("2026-06-15 10:00"), at("2026-06-22 10:00"), at("2026-06-29 10:00"))
NEXT = (at("2026-08-03 10:00"),)
from_then_on(
    unconfirmed, "Three in a row are not marked, the series goes on, and the last is two days past",
    at("2026-07-01 10:00"), "marked", unmarked=THREE, tail=NEXT, **WEEKLY,
)  # fmt: skip
from_then_on(
    unconfirmed, "Three in a row are only presumed to have taken place, and the last is two days past",
    at("2026-07-01 10:00"), "marked", presumed=THREE, tail=NEXT, **WEEKLY,
)  # fmt: skip
example(
    unconfirmed, "An ending is going on: which took place is still to be marked", YES, "unconfirmed", LONG_AFTER,
    unmarked=THREE, tail=NEXT, endings=[an_ending("wish", LONG_AFTER - 60)], **WEEKLY,
)  # fmt: skip
example(unconfirmed, "Only two are not marked", NO, "marked", LONG_AFTER, unmarked=THREE[:2], tail=NEXT, **WEEKLY)
example(
    unconfirmed, "One of the three was attended", NO, "marked", LONG_AFTER, unmarked=THREE[::2], tail=NEXT,
    attended=(*WEEKLY["attended"], THREE[1]),
)  # fmt: skip
example(
    unconfirmed, "One of the three was missed", NO, "marked", LONG_AFTER, unmarked=THREE[::2], missed=THREE[1:2],
    tail=NEXT, **WEEKLY,
)  # fmt: skip
until_then(
    unconfirmed, "Three are not marked, and the last planned appointment begins: nothing is planned any more",
    NEXT[0], "nothing_ahead", unmarked=THREE, tail=NEXT, **WEEKLY,
)  # fmt: skip
example(
    unconfirmed, "Three are not marked and one is booked", YES, "unconfirmed", LONG_AFTER, unmarked=THREE, booked=NEXT,
    **WEEKLY,
)  # fmt: skip
example(
    unconfirmed, "Three are not marked, care is paused: the question is about the record", YES, "unconfirmed",
    LONG_AFTER, unmarked=THREE, tail=NEXT, paused=True, **WEEKLY,
)  # fmt: skip
example(
    unconfirmed, "Three are not marked, the calendar was not read lately: the record is as unsure as before", YES,
    "unconfirmed", LONG_AFTER, unmarked=THREE, tail=NEXT, blind=CALENDAR, **WEEKLY,
)  # fmt: skip
example(
    unconfirmed, "Three are not marked, care has ended", NO, "ended", LONG_AFTER, unmarked=THREE, tail=NEXT,
    status="ended", **WEEKLY,
)  # fmt: skip
example(
    unconfirmed, "Three are not marked, the client has died", NO, "died", LONG_AFTER, unmarked=THREE, tail=NEXT,
    died=True, **WEEKLY,
)  # fmt: skip
