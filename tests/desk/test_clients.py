"""*My clients*: everybody whom somebody has, under the practice's label, and what of endings and referrals is going on."""

import pytest

from models.referral_row import ReferralRow
from tests.builders import NOW, days_ago, each
from tests.desk.conftest import DESK
from tests.desk.test_ending import code_of, start, text_of
from tests.desk.test_pages_of_roles import looked, statements
from tests.desk.test_referral import directory, offer


@pytest.fixture
def desk(serve):
    return serve(directory, more=f'{DESK}label = "name"\n')


def test_everybody_is_listed_and_leads_to_their_page(desk):
    kim = desk.seated("therapist", "T1")
    before = len(looked(desk))
    page = kim.get("/clients")
    assert "Anna Müller" in page.text
    assert "Berta Braun" in page.text
    assert f'href="/client/{code_of(desk)}"' in page.text
    assert "Endings and referrals going on" not in page.text
    assert len(looked(desk)) == before + 2
    assert '<a href="/clients">My clients</a>' in kim.get("/today").text
    pat = desk.seated("therapist", "P2")
    assert "No client is yours at the moment." in text_of(pat.get("/clients"))
    assert code_of(desk) not in pat.get("/clients").text


def test_endings_and_referrals_that_are_going_on_stand_first(desk):
    kim, code = desk.seated("therapist", "T1"), code_of(desk)
    start(kim, code)
    offer(kim, code_of(desk, "1002"))
    (referral,) = desk.clinic.rows(ReferralRow)
    said = text_of(kim.get("/clients"))
    first, _, everybody = said.partition("Everybody")
    assert "Anna Müller An ending, begun Mon 23 Nov, today, waits to be confirmed." in first
    assert f"Berta Braun Referral {referral.id}: options are offered; next: the client chooses" in first
    assert "An ending is open." in everybody
    assert "A referral is open." in everybody


def test_a_supervisor_sees_of_the_team_only_what_is_open_by_code(desk):
    desk.clinic.seen("1002", *each(7, 6, days_ago(3)))
    kim, sam, code = desk.seated("therapist", "T1"), desk.seated("supervisor", "S1"), code_of(desk)
    start(kim, code)
    page = sam.get("/clients")
    assert "Nobody at the moment." in page.text
    for unseen in (code, "Müller", "Braun", "An ending is open."):
        assert unseen not in page.text
    desk.clinic.client("1003", "Cleo Celan", therapist="T1", intake_on="2026-08-01")
    desk.clinic.seen("1003", *each(7, 6, days_ago(40)))
    desk.clinic.sync(NOW)
    desk.clinic.look(NOW)
    team = text_of(sam.get("/clients"))
    assert f"{code_of(desk, '1003')} : Quiet With Dr T1 (T1)." in team
    assert "Celan" not in team


def test_the_number_of_queries_does_not_depend_on_the_number_of_clients(serve):
    def many(clinic):
        for number in range(2000, 2080):
            clinic.client(str(number), f"Klara Nr{number}", therapist="T2")
        clinic.sync(NOW)

    desk = serve(many, more=f'{DESK}label = "name"\n', calendars=())
    few, full = desk.seated("therapist", "T1"), desk.seated("therapist", "T2")
    assert full.get("/clients").text.count("Klara Nr") == 80
    assert statements(desk, few, "/clients") == statements(desk, full, "/clients") <= 24
