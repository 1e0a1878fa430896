"""What a card offers by its kind: the practice's protocol on what asks for safety, and the next contact where that is what is missing."""

import re

import pytest

from models.people import Client
from tests.builders import NOW, days_ago, each, in_days
from tests.desk.conftest import DESK, form, forms, quiet

PROTOCOL = "Our protocol: page 3 <green>."


def code_of(served, number):
    mine = served.clinic.id_of(number)
    return next(row.code for row in served.clinic.rows(Client) if row.id == mine)


@pytest.fixture
def mixed(serve):
    """Anna is quiet, Berta's PHQ-9 asks for safety, and Carla's session rating fell."""

    def fill(clinic):
        clinic.client("1003", "Carla Conrad")
        clinic.seen("1003", *each(7, 6, days_ago(2)))
        clinic.entry("t1", "c", in_days(100), "Carla Conrad")
        clinic.score("1003", "SRS", days_ago(9), 39)
        quiet(clinic)
        clinic.score("1003", "SRS", days_ago(0.5), 34)
        clinic.score("1002", "PHQ-9", days_ago(0.2), 12, risk=1)
        clinic.sync(NOW)
        clinic.look(NOW)

    return serve(fill, more=f'{DESK}[safety]\nprotocol = "{PROTOCOL}"\n')


def cards_on(served, kim, number, kind):
    """The card of a finding, out of every page on which it stands."""
    link = served.link("card", "therapist:T1", number, kind)
    ways = kim.get("/today"), kim.get(f"/client/{code_of(served, number)}"), served.browser().get(f"/card/{link}")
    start = f'<article id="{code_of(served, number)}-{kind}"'
    return [way.text.partition(start)[2].partition("</article>")[0] for way in ways]


def test_what_asks_for_safety_has_the_practices_own_protocol_on_its_card_and_nothing_else_has(mixed):
    kim = mixed.seated("therapist", "T1")
    for card in cards_on(mixed, kim, "1002", "item9"):
        assert "<p>Our protocol: page 3 &lt;green&gt;.</p>" in card
        assert "begun an ending" not in card
        assert re.search(
            r'name="until" type="date" min="2026-11-24" max="2026-11-24" value="2026-11-24"', card
        )  # a risk waits a day
    for card in cards_on(mixed, kim, "1001", "quiet"):
        assert "Our protocol" not in card
        assert "begun an ending" in card


def test_without_a_protocol_nothing_stands_there(serve):
    def fill(clinic):
        quiet(clinic)
        clinic.score("1002", "PHQ-9", days_ago(0.2), 12, risk=1)
        clinic.sync(NOW)
        clinic.look(NOW)

    served = serve(fill)
    for card in cards_on(served, served.seated("therapist", "T1"), "1002", "item9"):
        assert "I have seen to it" in card
        assert "<p></p>" not in card


def test_the_next_contact_is_offered_where_that_is_what_is_missing_alone(mixed):
    kim, code = mixed.seated("therapist", "T1"), code_of(mixed, "1003")
    for number, kind, offered in (("1001", "quiet", True), ("1003", "rating", False)):
        for card in cards_on(mixed, kim, number, kind):
            assert "I have seen to it" in card
            for words in ("We agreed on the next contact on", "We agreed to meet every"):
                assert (words in card) is offered, (kind, words)
    done = next(f for f in forms(kim.get(f"/client/{code}").text) if f.fields.get("kind") == "rating")
    said = kim.post(done.action, done.but(reply="agreed", until="2026-12-01"))
    assert (said.status_code, "is an answer to Quiet, Missed and Not started" in said.text) == (409, True)
    assert form(said.text, "done")
