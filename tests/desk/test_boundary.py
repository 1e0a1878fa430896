"""What the desk says of a former client: may I contact them, to everybody who may open the page, and the same years later."""

import re

from models.people import Client
from tests.builders import NOW, days_ago, each
from tests.cli.test_boundary import AGO, plain

NUMBERS = dict(zip(AGO, ("1011", "1012", "1013"), strict=True))


def former(clinic):
    """Clients whose care has ended, alike but for how long ago the last contact was."""
    for name, number in NUMBERS.items():
        clinic.client(number, "Gudrun Ångström", status="ended")
        clinic.seen(number, *each(7, 6, days_ago(AGO[name])))
    clinic.sync(NOW)
    clinic.look(NOW)


def page_of(served, sitting, number):
    mine = served.clinic.id_of(number)
    code = next(row.code for row in served.clinic.rows(Client) if row.id == mine)
    page = sitting.get(f"/client/{code}")
    assert page.status_code == 200
    return code, page.text


def test_may_i_contact_a_former_client_is_answered_for_all_who_see_the_page(serve):
    served = serve(former)
    for role, therapist in (("therapist", "T1"), ("front_office", "")):
        _, text = page_of(served, served.seated(role, therapist), NUMBERS["six years"])
        assert "Personal: restricted." in text
        assert "Return to care: open." in text
        # The front office hears that it is restricted, not what the code says of it.
        code_says = "at least two years after therapy has ended. (APA 2017, 10.08(a))" in text
        assert code_says == (role == "therapist")
        assert ("sexual" in text) == (role == "therapist")


def test_the_page_of_a_former_client_is_the_same_years_later(serve):
    """All but the picture, which shows the last half year, and what is elapsed time."""
    served = serve(former)
    kim = served.seated("therapist", "T1")
    texts = {}
    for name, number in NUMBERS.items():
        code, text = page_of(served, kim, number)
        text = re.sub(r'<svg.*?</svg>\n<p id="timeline-says">.*?</p>', "PICTURE", text, flags=re.S)
        text = re.sub(r'name="form" value="[^"]*"', "", text)
        texts[name] = plain(text, code)
    assert "PICTURE" in texts["a day"]
    assert "Care has ended." in texts["a day"]
    assert texts["two years"] == texts["a day"]
    assert texts["six years"] == texts["a day"]
