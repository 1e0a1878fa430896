"""The forms that tell how care goes: goals, scores of measures, and time on a waiting list."""

from integrations.records import cells
from integrations.records.columns import CLIENT_ID, FROM, TO, UPDATED, Column, Form

_GOAL = ("goal title", "goal text", "goal description", "objective")
_ACHIEVEMENT = ("achievement status", "goal achievement")
_MEASURE = ("measure name", "questionnaire", "instrument", "scale", "assessment")
_WAITING = ("hold from", "on hold from", "on hold since", "waiting since", "waiting from")

GOALS = Form(
    "goals",
    "goal",
    "One row for each goal of a client, also for those that are met or dropped.",
    (
        Column("id", "the goal's id, which no other goal of any client has", "G-311", cells.own_id, ("goal id",), True),
        Column("client", "id of the client", "1042", cells.client_id, CLIENT_ID, required=True),
        Column(
            "goal",
            "the goal as it was agreed, in a few words",
            "Go back to choir",
            cells.words,
            _GOAL,
            identity=True,
        ),
        Column(
            "set",
            "the day it was agreed",
            "2026-02-03",
            cells.day,
            ("set on", "date set", "agreed on", "goal date", "start date"),
        ),
        Column(
            "status",
            "whether it is still worked at, a word from the list below; empty means active",
            "active",
            cells.goal_status,
            ("goal status", "lifecycle status", "state"),
        ),
        Column(
            "target date",
            "the day by which it is meant to be reached",
            "2026-12-15",
            cells.day,
            ("target on", "due", "due on", "due date"),
        ),
        Column(
            "target",
            "by what you would see that it is reached",
            "sings at two rehearsals a month",
            cells.filled,
            ("goal target", "target value", "criterion"),
            only_whether=True,
        ),
        Column(
            "measure",
            "how progress is measured",
            "rehearsals a month",
            cells.filled,
            ("measured by", "how measured", "indicator"),
            only_whether=True,
        ),
        Column(
            "words",
            "client, own or yes if the goal stands in the client's own words, else no",
            "client",
            cells.own_words,
            ("own words", "in own words", "whose words"),
        ),
        Column(
            "achievement",
            "how far it is, a word from the list below; empty means in progress",
            "improving",
            cells.achievement,
            _ACHIEVEMENT,
        ),
        Column(
            "achievement date",
            "the day from which that holds",
            "2026-05-12",
            cells.day,
            ("achievement on", "achieved on", "achieved date", "date achieved"),
        ),
        Column(
            "reviewed",
            "the day on which client and therapist last looked at it together, never the next one",
            "2026-05-12",
            cells.day,
            ("reviewed on", "date reviewed", "last review", "last reviewed", "last reviewed on"),
        ),
        UPDATED,
    ),
    signs=("goal", *_GOAL, "achievement", *_ACHIEVEMENT),
)

SCORES = Form(
    "scores",
    "score",
    "One row for each time a client filled in a measure. Answers to single items are not read, but for the one below.",
    (
        Column(
            "id",
            "the row's id; without it a row is known by its client, measure and time",
            "",
            cells.own_id,
            ("score id", "result id"),
        ),
        Column("client", "id of the client", "1042", cells.client_id, CLIENT_ID, required=True),
        Column(
            "measure",
            "the measure's name, from the list below",
            "PHQ-9",
            cells.measure,
            _MEASURE,
            required=True,
        ),
        Column(
            "taken",
            "the day on which it was filled in, with the time if that is known",
            "2026-03-14 08:50",
            cells.when,
            (
                "taken on",
                "taken at",
                "date",
                "date taken",
                "completed on",
                "completed at",
                "date completed",
                "assessment date",
            ),
            required=True,
        ),
        Column(
            "score",
            "the total, as a number with at most two decimals; for C-SSRS also positive or negative",
            "12",
            cells.score,
            ("total", "total score", "sum score", "value"),
        ),
        Column(
            "risk",
            "the answer that asks for safety: item 9 of PHQ-9 (0 to 3), yes or no for C-SSRS; empty for all others",
            "0",
            cells.safety_answer,
            ("item 9", "phq9 item 9", "44260-8", "positive"),
        ),
        UPDATED,
    ),
    one_of=(("score", "risk"),),
    signs=("measure", *_MEASURE),
    without_id=("taken", "two different rows tell of the same measure at the same time"),
)

HOLDS = Form(
    "holds",
    "hold",
    "One row for each time a client waits for a place: days on a waiting list do not count as days without contact.",
    (
        Column(
            "id", "the row's id; without it a row is known by its client and first day", "", cells.own_id, ("hold id",)
        ),
        Column("client", "id of the client", "1042", cells.client_id, CLIENT_ID, required=True),
        Column(
            "from",
            "the first day",
            "2026-01-12",
            cells.day,
            (*FROM, *_WAITING),
            required=True,
        ),
        Column(
            "to",
            "the last day; empty while it lasts",
            "2026-02-20",
            cells.day,
            (*TO, "hold to", "on hold to", "waiting until"),
        ),
        UPDATED,
    ),
    signs=("hold id", *_WAITING),
    without_id=("from", "two different rows begin on the same day"),
)
