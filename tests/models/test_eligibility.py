"""The one table of what may be sent to whom: every combination is decided, and for clients the answer is no unless it says yes."""

from itertools import product

import pytest

from models.eligibility import TABLE, Audience, State, Urgency, eligible

STATES = [State(*flags) for flags in product((False, True), repeat=5)]
EVERYTHING = list(product(Urgency, Audience, STATES))


@pytest.mark.parametrize(("urgency", "audience", "state"), EVERYTHING, ids=str)
def test_every_combination_is_decided_with_a_reason(urgency, audience, state):
    answer = eligible(urgency, audience, state)
    assert answer.reason
    assert answer.reason != "no rule allows it", "a row of the table has to say it"


@pytest.mark.parametrize(("urgency", "audience", "state"), EVERYTHING, ids=str)
def test_what_is_allowed_is_exactly_this(urgency, audience, state):
    if urgency is Urgency.outreach:
        wanted = False
    elif audience is Audience.client:
        asked_not_to = state.opted_out or state.paused
        wanted = not state.died and (
            urgency in (Urgency.safety, Urgency.cancellation) or (state.approved and not asked_not_to)
        )
    elif audience is Audience.admin or urgency not in (Urgency.ordinary, Urgency.prompt):
        wanted = True
    else:
        wanted = not (state.died or state.ended)
    assert eligible(urgency, audience, state).allowed == wanted


@pytest.mark.parametrize("urgency", [one for one in Urgency if one is not Urgency.outreach])
@pytest.mark.parametrize("audience", [Audience.therapist, Audience.admin])
def test_what_a_client_prefers_never_mutes_a_duty_of_staff(audience, urgency):
    plain = eligible(urgency, audience, State())
    assert plain.allowed
    assert eligible(urgency, audience, State(opted_out=True, paused=True)) == plain


@pytest.mark.parametrize("state", STATES, ids=str)
@pytest.mark.parametrize("urgency", [Urgency.ordinary, Urgency.duty, Urgency.prompt, Urgency.weekly, Urgency.system])
def test_nothing_ordinary_goes_to_a_client_by_itself(urgency, state):
    assert not eligible(urgency, Audience.client, state._replace(approved=False)).allowed


@pytest.mark.parametrize("state", STATES, ids=str)
@pytest.mark.parametrize("audience", Audience)
def test_what_is_not_care_is_sent_to_nobody_whatever_became_of_the_client(audience, state):
    answer = eligible(Urgency.outreach, audience, state)
    assert answer == (False, "nothing beside care is sent, during therapy or after it")


@pytest.mark.parametrize(
    "urgency", [Urgency.duty, Urgency.cancellation, Urgency.weekly, Urgency.system, Urgency.safety]
)
def test_death_never_mutes_a_duty_of_staff(urgency):
    assert eligible(urgency, Audience.therapist, State(died=True, ended=True)).allowed


def test_no_row_of_the_table_is_idle():
    """Each row decides something: one that never does would look like a promise and be none."""
    used = set()
    for urgency, audience, state in EVERYTHING:
        for number, (row_audience, row_urgency, matters, allowed, reason) in enumerate(TABLE):
            fits = row_audience in (None, audience) and row_urgency in (None, urgency)
            if fits and (matters is None or getattr(state, matters)):
                assert eligible(urgency, audience, state) == (allowed, reason)
                used.add(number)
                break
    assert used == set(range(len(TABLE)))
