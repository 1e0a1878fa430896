"""A referral at the desk: three offered with their reasons, chosen or refused, self-arranged or consented and sent, heard of, closed."""

import pytest

from models.audit import Audit
from models.instants import DAY
from models.observations import Observation
from models.referral_row import ReferralRow
from tests.builders import NOW
from tests.desk.conftest import PUBLIC, forms
from tests.desk.test_ending import code_of, team, text_of
from tests.desk.test_pages_of_roles import statements


def directory(clinic):
    """Four providers near by, of whom one has no place, beside the team."""
    team(clinic)
    near = {"place": "Berlin", "language": "de;en", "verified_on": "2026-11-01"}
    clinic.provider("P1", "P2", "P3", specialty="trauma", capacity="open", **near)
    clinic.provider("P4", specialty="couples", capacity="full", **near)
    clinic.sync(NOW)


@pytest.fixture
def desk(serve):
    return serve(directory)


@pytest.fixture
def code(desk):
    return code_of(desk)


def saying(page, what, **fields):
    """The form that says this of a referral."""
    found = [f for f in forms(page.text) if f.action.endswith("/referral") and f.fields.get("what") == what]
    return next(f for f in found if fields.items() <= f.fields.items())


def offer_form(kim, code, reference=""):
    page = kim.get(f"/client/{code}/referral" + (f"?referral={reference}" if reference else ""))
    return saying(page, "offered")


def offer(kim, code, **said):
    options = {"take4": "", "follow_up": "yes", "fewer": "", "part2": ""}
    return kim.send(offer_form(kim, code), **options | said)


def test_who_has_no_place_is_offered_once_somebody_asked(desk, kim, code):
    wrong = offer(kim, code, take3="", take4="P4", asked="")
    assert (wrong.status_code, "Ask first whether they have a place (P4: has no place at present)" in wrong.text) == (
        409,
        True,
    )
    assert states(desk) == []
    offer(kim, code, take3="", take4="P4", asked="yes")
    assert states(desk) == [("offered", True)]


def states(desk):
    return [(row.state, row.agreed) for row in desk.clinic.rows(ReferralRow)]


def said_of(desk):
    return [row.facts["what"] for row in desk.clinic.rows(Observation, kind="referral")]


def test_three_are_offered_with_their_reasons_and_what_was_looked_for_stands_in_no_address(desk, kim, code):
    page = kim.get(f"/client/{code}/referral")
    said = text_of(page)
    for words in ("Praxis P1", "Has room.", "has no place at present", "May we ask later how it went?"):
        assert words in said, words
    assert "Anna Müller" in said
    assert " checked" not in page.text  # nobody is chosen before anything is asked for
    find = next(f for f in forms(page.text) if f.action.endswith("/referral/find"))
    done = kim.post(find.action, find.but(specialty="couples", telehealth=""))
    assert (done.status_code, "location" in done.headers) == (200, False)
    assert kim.post(find.action, find.but(specialty="trauma", telehealth="")).text.count(" checked") == 3
    assert "Praxis P4" in done.text
    assert "Praxis P1" not in done.text
    assert "Specialty: couples" in done.text
    assert said_of(desk) == []


def test_an_offer_is_made_once_and_needs_three_and_the_answer_about_follow_up(desk, kim, code):
    for lacking, why in (
        ({"follow_up": ""}, "Ask whether the client agrees"),
        ({"take3": ""}, "Offer 3 suitable options"),
        ({"take3": "P9"}, "not in the directory"),
        ({"take3": "P1"}, "named twice"),
    ):
        done = offer(kim, code, **lacking)
        assert (done.status_code, why in text_of(done)) == (409, True), lacking
    assert said_of(desk) == []
    form = offer_form(kim, code)
    for _ in range(2):
        page = kim.send(form, take4="", follow_up="yes", fewer="", part2="")
        assert "Options are offered, since Mon 23 Nov." in text_of(page)
    assert states(desk) == [("offered", True)]
    other = offer_form(kim, code)
    offer(kim, code, take3="", fewer="client-wish", follow_up="no")
    late = kim.post(other.action, other.but(take4="", follow_up="yes", fewer="", part2=""))
    assert (late.status_code, "Somebody has said something" in late.text) == (409, True)
    assert sorted(states(desk)) == [("offered", False), ("offered", True)]


def test_the_client_calls_themselves_is_heard_of_attends_and_it_fits(desk, kim, code):
    page = offer(kim, code)
    page = kim.send(saying(page, "self-arranged"))
    assert "The client calls themselves, since Mon 23 Nov." in text_of(page)
    page = kim.send(saying(page, "news"), word="booked", day="2026-12-01")
    assert page.status_code == 200
    ahead = kim.send(saying(page, "attended"), day="2026-12-01")
    assert (ahead.status_code, "lies ahead" in ahead.text) == (409, True)
    page = kim.send(saying(kim.get(f"/client/{code}"), "attended"), day="2026-11-23")
    assert "The client attended" in text_of(page)
    fits = saying(page, "fits", fits="yes")
    for _ in range(2):
        page = kim.send(fits)
    assert "Closed: it fits" in text_of(page)
    assert said_of(desk) == ["offered", "self-arranged", "news", "attended", "fits"]
    assert states(desk) == [("fits", True)]


def test_chosen_consented_read_and_sent_once_and_the_letter_stays_readable(desk, kim, code):
    page = kim.send(saying(offer(kim, code), "chosen"), provider="P2")
    assert "One was chosen" in text_of(page)
    reference = desk.clinic.rows(ReferralRow)[0].id
    early = kim.get(f"/client/{code}/referral/letter?referral={reference}")
    assert (early.status_code, "Nothing is sent before the client" in text_of(early)) == (409, True)
    empty = kim.send(saying(page, "consented"), purpose=" ", reason="client")
    assert empty.status_code == 409
    page = kim.send(saying(kim.get(f"/client/{code}"), "consented"), purpose="Name und Nummer", reason="client")
    letter = kim.get(f"/client/{code}/referral/letter?referral={reference}")
    assert "Praxis P2" in letter.text
    assert "Nothing was sent yet." in letter.text
    assert said_of(desk) == ["offered", "chosen", "consented"]
    assert "/reply/" not in letter.text
    send = saying(letter, "sent")
    sent = kim.send(send)
    assert f"{PUBLIC}/reply/" in sent.text
    again = kim.send(send)
    assert "without its link" in again.text
    assert "Praxis P2" in again.text
    assert "/reply/" not in again.text
    assert said_of(desk) == ["offered", "chosen", "consented", "sent"]
    assert [row.act for row in desk.clinic.rows(Audit)][-1] == "referral letter read"
    page = kim.send(saying(kim.get(f"/client/{code}"), "news"), word="finished", day="")
    assert page.status_code == 200
    for row in desk.clinic.rows(Observation, kind="referral"):
        assert "Nummer" not in str(row.facts)


def test_a_client_who_wants_none_of_it_and_a_loop_that_a_person_closes(desk, kim, code):
    page = kim.send(saying(offer(kim, code), "refused"))
    assert "Closed: the client said no" in text_of(page)
    page = offer(kim, code)
    nothing = kim.send(saying(page, "closed"), reason="")
    assert (nothing.status_code, "Say why it is closed" in nothing.text) == (409, True)
    page = kim.send(saying(kim.get(f"/client/{code}"), "closed"), reason="came-back")
    assert sorted(states(desk)) == [("closed", True), ("refused", True)]
    assert not [f for f in forms(page.text) if f.action.endswith("/referral")]


def test_the_follow_ups_card_leads_to_where_it_is_said(desk, code):
    number = desk.account("therapist", "T1")
    offer(desk.sign_in(number), code)
    desk.later(8 * DAY)
    desk.clinic.sync(desk.now)
    desk.clinic.look(desk.now)
    page = desk.sign_in(number).get("/today")
    assert "Referral: how is it going?" in page.text
    assert f'href="/client/{code}#referral">Say what became of it</a>' in page.text


def test_words_that_are_none_and_references_of_nobody(desk, kim, code):
    page = offer(kim, code)
    form = saying(page, "refused")
    for changed, status in (
        ({"what": "dance"}, 409),
        ({"referral": "R-NOBODY"}, 409),
        ({"id": ""}, 409),
        ({"form": ""}, 400),
    ):
        done = kim.post(form.action, form.but(**changed))
        assert (done.status_code, "<h1>" in done.text) == (status, True), changed
    assert kim.get(f"/client/{code}/referral/letter?referral=R-NOBODY").status_code == 303
    assert said_of(desk) == ["offered"]


def test_the_clients_page_needs_as_many_queries_with_one_act_as_with_many(desk, kim, code):
    offer(kim, code)
    few = statements(desk, kim, f"/client/{code}")
    for provider in ("P1", "P2", "P3"):
        kim.send(saying(kim.get(f"/client/{code}"), "chosen"), provider=provider)
    assert statements(desk, kim, f"/client/{code}") == few


def test_no_place_is_offered_for_a_client_who_has_died(desk, kim, code):
    assert "Offer three places" in kim.get(f"/client/{code}").text
    desk.clinic.clients[0]["died"] = "yes"
    desk.clinic.sync(desk.now + 60)
    page = kim.get(f"/client/{code}").text
    assert "Where to go next" in page
    assert "Offer three places" not in page


def test_closed_while_a_provider_has_it_the_page_asks_to_tell_them_until_somebody_says_so(desk, kim, code):
    page = kim.send(saying(offer(kim, code), "chosen"), provider="P1")
    page = kim.send(saying(page, "consented"), purpose="name and number", reason="client", part2="")
    letter = kim.get(f"/client/{code}/referral/letter?referral={desk.clinic.rows(ReferralRow)[0].id}")
    kim.send(saying(letter, "sent"))
    page = kim.send(saying(kim.get(f"/client/{code}"), "news"), word="accepted", day="")
    page = kim.send(saying(page, "refused"))
    assert "and the provider may still be waiting for them, since Mon 23 Nov." in text_of(page)
    assert "Next: tell the provider that the client does not come" in text_of(page)
    page = kim.send(saying(page, "news"), word="cancel-asked")
    assert "may still be waiting" not in text_of(page)
    assert states(desk) == [("refused", True)]
