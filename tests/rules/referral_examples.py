"""The examples of the rule `referral`, both sides of each boundary: what is tested, and what docs/rules/referral.md shows."""

from models.instants import DAY
from models.rules.referral import RULE
from tests.builders import a_referral, at
from tests.rules.table import NO, YES, Meaning, Table

TABLE = Table(
    RULE,
    """# What became of a referral?

What the rule `referral` says of a client, shown by examples.

Most referrals are a few names, and the client calls. A loop is closed when the client attended elsewhere and says that it fits, when
the client says no, or when a person closes it with a reason; a mail that was sent closes nothing. What is asked is asked of the
therapist, and of the client's life elsewhere only where the client agreed to a follow-up. That a provider cannot take the client is told
in any case. Care that has ended or is paused does not silence this.

The days are our choice: no published standard was found. Statuses are those of the table of BSeR and IHE 360X.
""",
    {
        "referral_follow_up": Meaning(
            "Of a referral whose follow-up was agreed: so many days after it was taken up, and after the first visit elsewhere. Was it"
            " accepted, is a visit booked, did it take place, does it fit?"
        ),
        "referral_stuck": Meaning(
            "The provider cannot take the client, has no place, the client says that it does not fit, or nothing was heard for long: the"
            " next of the options, then new options, then a person decides. Closed while a provider has it: somebody tells them that the"
            " client does not come."
        ),
    },
)
example, from_then_on = TABLE.example, TABLE.from_then_on

START = at("2026-03-02 10:00")  # a Monday
UP = START + DAY
OFFERED = ("offered", START)
CALLS = ("self-arranged", UP)
SENT = (("chosen", UP), ("consented", UP), ("sent", UP))


def news(word, days, **more):
    return ("news", UP + round(days * DAY), {"word": word, **more})


follow_up = "referral_follow_up"
NEXT_DAY = START + DAY

# ---------------------------------------------------------------- not taken up yet
example(follow_up, "Nothing was referred", NO, "no_referral", NEXT_DAY)
for days, name in ((7, "seven days"), (14, "14 days"), (30, "30 days")):
    example(
        follow_up, f"Options were offered {name} ago, and nothing was chosen", YES, "asks", START + days * DAY,
        referrals=[a_referral(OFFERED)],
    )  # fmt: skip
from_then_on(
    follow_up, "Options were offered, and nothing was chosen for seven days", START + 7 * DAY, "in_time", fires="asks",
    referrals=[a_referral(OFFERED)],
)  # fmt: skip
example(
    follow_up, "The same, and no follow-up was agreed with the client", NO, "not_followed", START + 60 * DAY,
    referrals=[a_referral((*OFFERED, {"follow_up": False}))],
)  # fmt: skip
from_then_on(
    follow_up, "The client chose one, and for seven days neither consent nor a call is written down", UP + 7 * DAY,
    "in_time", fires="asks", referrals=[a_referral(OFFERED, ("chosen", UP))],
)  # fmt: skip
from_then_on(
    follow_up, "The client consented, and for seven days nothing was sent", UP + 7 * DAY,
    "in_time", fires="asks", referrals=[a_referral(OFFERED, ("chosen", UP), ("consented", UP))],
)  # fmt: skip

# ---------------------------------------------------------------- taken up
for name, way in (("The client calls themselves", (CALLS,)), ("Sent to a provider", SENT)):
    from_then_on(
        follow_up, f"{name}: accepted?", UP + 7 * DAY, "in_time", fires="asks", referrals=[a_referral(OFFERED, *way)],
    )  # fmt: skip
    from_then_on(
        follow_up, f"{name}, accepted: booked?", UP + 14 * DAY, "in_time", fires="asks",
        referrals=[a_referral(OFFERED, *way, news("accepted", 2))],
    )  # fmt: skip
    from_then_on(
        follow_up, f"{name}, accepted and booked without a day: seen?", UP + 30 * DAY, "in_time", fires="asks",
        referrals=[a_referral(OFFERED, *way, news("accepted", 2), news("booked", 3))],
    )  # fmt: skip
    from_then_on(
        follow_up, f"{name}, a visit is booked for a day in seven weeks: seen?", UP + 52 * DAY, "in_time", fires="asks",
        referrals=[a_referral(OFFERED, *way, news("accepted", 2), news("booked", 3, day=UP + 49 * DAY))],
    )  # fmt: skip
    from_then_on(
        follow_up, f"{name}, attended: does it fit?", UP + 15 * DAY, "in_time", fires="asks",
        referrals=[a_referral(OFFERED, *way, ("attended", UP + 13 * DAY, {"day": UP + 12 * DAY}))],
    )  # fmt: skip
example(
    follow_up, "Accepted, and asked again a month after the last question", YES, "asks", UP + 60 * DAY,
    referrals=[a_referral(OFFERED, *SENT, news("accepted", 2))],
)  # fmt: skip
example(
    follow_up, "Booked, then the visit was missed: booked is asked anew", YES, "asks", UP + 14 * DAY,
    referrals=[
        a_referral(
            OFFERED, *SENT, news("accepted", 2), news("booked", 3, day=UP + 8 * DAY), news("missed", 9),
        )
    ],
)  # fmt: skip
example(
    follow_up, "The provider says that the client was seen", YES, "asks", UP + 23 * DAY,
    referrals=[a_referral(OFFERED, *SENT, news("accepted", 2), news("seen", 20))],
)  # fmt: skip
example(
    follow_up, "News that does not follow from where it stands is kept, and not asked for again", NO, "in_time",
    UP + 14 * DAY, referrals=[a_referral(OFFERED, *SENT, news("booked", 3))],
)  # fmt: skip
example(
    follow_up, "Two referrals, both without news", YES, "asks", UP + 7 * DAY,
    referrals=[a_referral(OFFERED, CALLS), a_referral(OFFERED, *SENT, number="R2")],
)  # fmt: skip
example(
    follow_up, "Care has ended: still asked", YES, "asks", UP + 7 * DAY, status="ended",
    referrals=[a_referral(OFFERED, CALLS)],
)  # fmt: skip
example(
    follow_up, "The client has died", NO, "died", UP + 7 * DAY, died=True, referrals=[a_referral(OFFERED, CALLS)],
)  # fmt: skip
ATTENDED = ("attended", UP + 13 * DAY, {"day": UP + 12 * DAY})
example(
    follow_up, "Attended, and the client says that it fits", NO, "closed", UP + 90 * DAY,
    referrals=[a_referral(OFFERED, CALLS, ATTENDED, ("fits", UP + 20 * DAY, {"fits": True}))],
)  # fmt: skip
example(
    follow_up, "The client said no", NO, "closed", UP + 90 * DAY, referrals=[a_referral(OFFERED, ("refused", UP))],
)  # fmt: skip
example(
    follow_up, "Closed by a person, with a reason", NO, "closed", UP + 90 * DAY,
    referrals=[a_referral(OFFERED, CALLS, ("closed", UP + DAY, {"reason": "came-back"}))],
)  # fmt: skip
example(
    follow_up, "The provider has no place: the other question is asked", NO, "stuck", UP + 14 * DAY,
    referrals=[a_referral(OFFERED, *SENT, news("full", 2))],
)  # fmt: skip
example(
    follow_up, "The client said no after the provider had accepted: the other question is asked", NO, "stuck", UP + 90 * DAY,
    referrals=[a_referral(OFFERED, *SENT, news("accepted", 2), ("refused", UP + 5 * DAY))],
)  # fmt: skip
example(
    follow_up, "The practice asks after ten days", NO, "in_time", UP + 9 * DAY,
    policy={"referral_first_days": 10}, referrals=[a_referral(OFFERED, CALLS)],
)  # fmt: skip

# ---------------------------------------------------------------- not going on
stuck = "referral_stuck"
example(stuck, "Nothing was referred", NO, "no_referral", NEXT_DAY)
for word, name in (("declined", "cannot take the client"), ("full", "has no place")):
    example(
        stuck, f"The provider {name}", YES, "stuck", UP + 2 * DAY, referrals=[a_referral(OFFERED, *SENT, news(word, 2))],
    )  # fmt: skip
example(
    stuck, "The provider says no where the table has no place for it", YES, "stuck", UP + 9 * DAY,
    referrals=[
        a_referral(
            OFFERED, *SENT, news("accepted", 2), news("booked", 3), news("visit-cancelled", 4), news("declined", 5),
        )
    ],
)  # fmt: skip
example(
    stuck, "The client calls, and the place that was named has none", YES, "stuck", UP + 2 * DAY,
    referrals=[a_referral(OFFERED, CALLS, news("full", 2))],
)  # fmt: skip
example(
    stuck, "The client calls, one place has none, and another takes them", NO, "goes_on", UP + 3 * DAY,
    referrals=[a_referral(OFFERED, CALLS, news("full", 2), news("accepted", 3, provider="P2"))],
)  # fmt: skip
example(
    stuck, "The client says that it does not fit", YES, "stuck", UP + 20 * DAY,
    referrals=[a_referral(OFFERED, CALLS, ATTENDED, ("fits", UP + 20 * DAY, {"fits": False}))],
)  # fmt: skip
example(
    stuck, "We asked to call it off", YES, "stuck", UP + 20 * DAY,
    referrals=[a_referral(OFFERED, *SENT, news("cancel-asked", 20))],
)  # fmt: skip
example(
    stuck, "We asked to call it off, and the provider had finished: that counts", NO, "goes_on", UP + 22 * DAY,
    referrals=[a_referral(OFFERED, *SENT, news("cancel-asked", 20), news("finished", 21))],
)  # fmt: skip
from_then_on(
    stuck, "Nothing was heard for 45 days", UP + 45 * DAY, "goes_on", fires="stuck", referrals=[a_referral(OFFERED, *SENT)],
)  # fmt: skip
example(
    stuck, "The same, and no follow-up was agreed", NO, "goes_on", UP + 45 * DAY,
    referrals=[a_referral((*OFFERED, {"follow_up": False}), *SENT)],
)  # fmt: skip
example(
    stuck, "No follow-up was agreed, and the provider says no", YES, "stuck", UP + 2 * DAY,
    referrals=[a_referral((*OFFERED, {"follow_up": False}), *SENT, news("declined", 2))],
)  # fmt: skip


def no_from(*providers):
    """Each of these was chosen and sent to, and said no."""
    found = []
    for day, provider in enumerate(providers):
        for what in ("chosen", "consented", "sent", "news"):
            found.append((what, UP + day * DAY, {"provider": provider, "word": "declined"}))
    return found


example(
    stuck, "All three said no", YES, "stuck", UP + 3 * DAY, referrals=[a_referral(OFFERED, *no_from("P1", "P2", "P3"))],
)  # fmt: skip
MORE = ("offered", UP + 4 * DAY, {"providers": ("P4",)})
example(
    stuck, "New options were offered", NO, "goes_on", UP + 5 * DAY,
    referrals=[a_referral(OFFERED, *no_from("P1", "P2", "P3"), MORE)],
)  # fmt: skip
example(
    stuck, "And that one said no as well: a person decides", YES, "stuck", UP + 9 * DAY,
    referrals=[
        a_referral(
            OFFERED, *no_from("P1", "P2", "P3"), MORE,
            *[(what, UP + 8 * DAY, {"provider": "P4", "word": "declined"}) for what in ("chosen", "consented", "sent", "news")],
        )
    ],
)  # fmt: skip
example(
    stuck, "Care has ended: still asked", YES, "stuck", UP + 2 * DAY, status="ended",
    referrals=[a_referral(OFFERED, *SENT, news("declined", 2))],
)  # fmt: skip
example(
    stuck, "The client has died", NO, "died", UP + 2 * DAY, died=True,
    referrals=[a_referral(OFFERED, *SENT, news("declined", 2))],
)  # fmt: skip
example(
    stuck, "The client said no", NO, "closed", UP + 90 * DAY, referrals=[a_referral(OFFERED, ("refused", UP))],
)  # fmt: skip
for name, last in (
    ("The client said no", ("refused", UP + 5 * DAY)),
    ("Closed by a person", ("closed", UP + 5 * DAY, {"reason": "came-back"})),
):
    example(
        stuck, f"{name} after the provider had accepted: tell them", YES, "stuck", UP + 5 * DAY,
        referrals=[a_referral(OFFERED, *SENT, news("accepted", 2), last)],
    )  # fmt: skip
    example(
        stuck, f"{name}, and the provider was told", NO, "closed", UP + 90 * DAY,
        referrals=[a_referral(OFFERED, *SENT, news("accepted", 2), last, news("cancel-asked", 6))],
    )  # fmt: skip
example(
    stuck, "The client said no after the provider had declined", NO, "closed", UP + 90 * DAY,
    referrals=[a_referral(OFFERED, *SENT, news("declined", 2), ("refused", UP + 5 * DAY))],
)  # fmt: skip
example(
    stuck, "It does not fit, and then they have no place: that it does not fit counts", YES, "stuck", UP + 30 * DAY,
    referrals=[a_referral(OFFERED, *SENT, ATTENDED, ("fits", UP + 20 * DAY, {"fits": False}), news("full", 21))],
)  # fmt: skip
