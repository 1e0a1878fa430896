"""What a leave plan proposes: both sides of each boundary, who takes over, and what is still to do."""

import pytest

from models.instants import DAY, FAR
from models.leave_plan import Choice, Colleague, Proposal, Standing, asks, cover, needed_for, propose, spread, told_by
from models.policy import Policy
from models.voice import Voice
from tests.builders import NOW

POLICY = Policy()
FROM = NOW + 40 * DAY
WEEKLY, MONTHLY = 7 * DAY, 30 * DAY


def standing(**changes):
    return Standing(NOW - 3 * DAY, NOW + 4 * DAY, WEEKLY, 6, 0)._replace(**changes)


@pytest.mark.parametrize(
    ("stands", "to_at", "choice", "why", "needed"),
    [
        # A weekly client was seen at most a week before: so many days later is 28 days of pause.
        (standing(), FROM + 21 * DAY, Choice.waits, "short", 1),
        (standing(), FROM + 21 * DAY + 1, Choice.transfers, "long", 2),
        # Twice one's own rhythm can be waited for, where that is more.
        (standing(rhythm=MONTHLY), FROM + 30 * DAY, Choice.waits, "short", 1),
        (standing(rhythm=MONTHLY), FROM + 30 * DAY + 1, Choice.transfers, "long", 2),
        # Clients who find rejection hard get room twice.
        (standing(careful=True), FROM + 60 * DAY, Choice.transfers, "long", 3),
        (standing(), FAR, Choice.transfers, "for_good", 2),
        (standing(goals_met=True), FAR, Choice.ends, "goals_met", 2),
        (standing(goals_met=True, careful=True), FAR, Choice.ends, "goals_met", 3),
        # For a while, met goals are no reason to end.
        (standing(goals_met=True), FROM + 60 * DAY, Choice.transfers, "long", 2),
        (standing(ending=True), FROM + DAY, Choice.ends, "ending", 0),
        (standing(ending=True), FAR, Choice.ends, "ending", 0),
    ],
)
def test_what_is_proposed(stands, to_at, choice, why, needed):
    assert propose(stands, FROM, to_at, POLICY) == Proposal(choice, why, needed)
    assert needed_for(choice, stands) == needed


def test_a_longer_patience_lets_more_clients_wait():
    end = FROM + 50 * DAY
    assert propose(standing(), FROM, end, POLICY).choice is Choice.transfers
    assert propose(standing(), FROM, end, Policy(leave_waits_days=57)).choice is Choice.waits
    assert propose(standing(), FROM, end, Policy(leave_waits_days=56)).choice is Choice.transfers


def test_clients_know_of_it_early_enough():
    assert told_by(FROM, POLICY) == FROM - 30 * DAY
    assert told_by(FROM, Policy(leave_told_days=0)) == FROM


@pytest.mark.parametrize(
    ("stands", "choice", "taker", "sentences"),
    [
        (standing(before=1), Choice.waits, "", []),
        (standing(before=0), Choice.waits, "", ["Book one more appointment before Wed 6 Jan."]),
        (standing(before=2), Choice.transfers, "T2", []),
        (
            standing(before=1),
            Choice.transfers,
            "",
            ["Book one more appointment before Wed 6 Jan.", "Name who takes over."],
        ),
        (standing(before=1, careful=True), Choice.ends, "", ["Book two more appointments before Wed 6 Jan."]),
        (standing(during=1), Choice.waits, "", ["One appointment lies inside the leave: move or cancel it."]),
        (standing(during=3), Choice.waits, "", ["Three appointments lie inside the leave: move or cancel them."]),
        (standing(before=0, ending=True), Choice.ends, "", []),
    ],
)
def test_what_is_still_to_do(stands, choice, taker, sentences):
    from_at = 1_799_222_400  # Wed 6 Jan 2027
    voice = Voice("UTC", "en_GB", NOW)
    assert asks(stands, choice, taker, NOW, from_at, voice) == [
        s.replace("6 Jan", voice.day(from_at)[4:]) for s in sentences
    ]


COLLEAGUES = [
    Colleague("T2", "north", 20),
    Colleague("T3", "north", 12),
    Colleague("T4", "south", 2),
    Colleague("T5", "north", 1, new=True),
    Colleague("T6", "north", 1, away=True),
]


@pytest.mark.parametrize(
    ("site", "named", "who"),
    [
        ("north", "", "T3"),
        ("south", "", "T4"),
        ("west", "", ""),
        ("north", "T2", "T2"),
        ("north", "T6", "T3"),
        ("north", "T9", "T3"),
    ],
)
def test_who_is_proposed_to_take_over(site, named, who):
    assert cover(site, named, COLLEAGUES) == who


def test_nobody_takes_them_all_over():
    assert spread(["north"] * 10, "", COLLEAGUES) == ["T3"] * 8 + ["T2", "T3"]
    assert spread(["north"] * 3, "T2", COLLEAGUES) == ["T2"] * 3
    assert spread([], "", COLLEAGUES) == []
