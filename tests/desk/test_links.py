"""Links and sessions: what each opens and how often, whom it opens nothing for, and that nobody learns who exists."""

import re
import time

import pytest
from sqlalchemy import delete, text

from integrations.store import accounts, arming
from integrations.store.tables import table
from models.accounts import ACCOUNT
from models.instants import DAY, HOUR
from models.notices import Notice
from models.observations import Observation
from models.quarantine import Lease
from tests.builders import NOW
from tests.desk.conftest import PUBLIC, form, forms, quiet

OVER = "This link opens nothing any more"
SENT = "If this link was one of ours"


def notices(served, purpose, wanted=None):
    """Notices of a purpose; waits for so many, since they are made after the answer has left."""
    for _ in range(100):
        found = served.clinic.rows(Notice, purpose=purpose)
        if wanted is None or len(found) >= wanted:
            return found
        time.sleep(0.02)
    return found


def test_a_card_link_opens_that_one_finding_by_code_and_looking_changes_nothing(served, code):
    browser = served.browser()
    token = served.link("card", "therapist:T1", "1001", "quiet")
    for _ in range(3):
        page = browser.get(f"/card/{token}")
        assert (page.status_code, code in page.text, "Müller" in page.text) == (200, True, False)
        assert browser.head(f"/card/{token}").status_code == 200
    assert set(re.findall(rf'/client/{code}[^"]*', page.text)) == {f"/client/{code}/ending?about=quiet"}
    assert "set-cookie" not in page.headers
    assert not served.clinic.rows(Observation, kind="answer")
    for path in ("/today", f"/client/{code}"):
        assert browser.get(path).headers["location"] == "/sign-in"


def test_a_card_is_answered_with_once_and_taken_back_for_a_minute(served, code):
    browser = served.browser()
    token = served.link("card", "therapist:T1", "1001", "quiet")
    done, other = (
        form(browser.get(f"/card/{token}").text, "done"),
        form(browser.get(f"/card/{token}").text, "no-concern"),
    )
    for _ in range(2):  # sent twice
        assert browser.post(done.action, data=done.fields).status_code == 303
    late = browser.post(other.action, data=other.but(reason="planned"))  # from another tab
    assert (late.status_code, "answered meanwhile" in late.text) == (409, True)
    said = browser.get(f"/card/{token}").text
    assert "You said: I have seen to it." in said
    (answer,) = served.clinic.rows(Observation, kind="answer")
    assert (answer.facts["reply"], answer.facts["by"]) == ("done", "therapist:T1")
    (undo,) = [f for f in forms(said) if f.action.endswith("/undo")]
    for _ in range(2):
        assert browser.post(undo.action, data=undo.fields).status_code == 303
    page = browser.get(f"/card/{token}").text
    other = form(page, "no-concern")
    browser.post(other.action, data=other.but(reason="planned"))
    assert "This isn&#39;t a concern: it is as we planned." in browser.get(f"/card/{token}").text
    served.later(61)
    assert OVER in browser.get(f"/card/{token}").text
    assert served.findings("1001").answered


def test_what_does_not_fit_leaves_the_link_as_it_was(served, code):
    browser = served.browser()
    token = served.link("card", "therapist:T1", "1001", "quiet")
    agreed = form(browser.get(f"/card/{token}").text, "agreed")
    wrong = browser.post(agreed.action, data=agreed.but(until="2026-01-01"))
    assert (wrong.status_code, "That day has passed" in wrong.text) == (409, True)
    assert 'value="2026-01-01"' in wrong.text  # what was filled in is still there
    assert browser.post(agreed.action, data=agreed.but(until="2026-12-01")).status_code == 303
    said = browser.get(f"/card/{token}").text
    assert "We agreed on the next contact: Tue 1 Dec, in 8 days." in said


def test_a_used_or_old_link_is_asked_for_anew_and_the_mail_goes_to_the_known_address(served, code):
    served.goes()
    browser = served.browser()
    token = served.link("card", "therapist:T1", "1001", "quiet")
    served.later(14 * DAY)
    over = browser.get(f"/card/{token}")
    assert (over.status_code, OVER in over.text) == (410, True)
    (fresh,) = forms(over.text)
    for _ in range(3):
        said = browser.post(fresh.action, data=fresh.fields)
        assert (said.status_code, SENT in said.text) == (200, True)
    (notice,) = notices(served, "fresh_link", 1)
    assert (notice.recipient, notice.client_id) == ("therapist:T1", None)
    assert notice.facts == {"client_id": served.clinic.id_of("1001"), "kind": "quiet"}
    assert token not in str(notice)


def test_a_link_of_nobody_says_the_same_and_mails_nobody(served):
    served.goes()
    browser = served.browser()
    real = served.link("card", "therapist:T1", "1001", "quiet")
    served.later(14 * DAY)
    for token in ("x" * 43, real[:-1], real + "A", real.swapcase(), "ü", "a" * 5000):
        page = browser.get(f"/card/{token}")
        assert (page.status_code, OVER in page.text) == (410, True), token
        (fresh,) = forms(page.text)
        said = browser.post(fresh.action, data=fresh.fields)
        assert (said.status_code, SENT in said.text) == (200, True)
    time.sleep(0.2)
    assert not notices(served, "fresh_link")
    for other in ("/in/", "/card/"):  # a sign-in link is no card, and a card signs nobody in
        token = served.link("sign_in" if other == "/card/" else "card", f"{ACCOUNT}1", "1001", "quiet")
        assert browser.get(f"{other}{token}").status_code == 410


def test_a_transfer_moves_a_client_the_same_day_link_and_page_alike(served, code):
    served.goes()
    kim, browser = served.seated("therapist", "T1"), served.browser()
    token = served.link("card", "therapist:T1", "1001", "quiet")
    open_page = form(kim.get("/today").text, "done")
    assert browser.get(f"/card/{token}").status_code == 200
    served.clinic.therapist("T2")
    served.clinic.clients[1 if served.clinic.clients[0]["id"] != "1001" else 0]["therapist"] = "T2"
    served.later(60)
    served.clinic.sync(served.now)
    assert browser.get(f"/card/{token}").status_code == 410
    assert code not in kim.get("/today").text
    for done in (kim.get(f"/client/{code}"), kim.send(open_page)):
        assert (done.status_code, "There is nothing here for you." in done.text) == (404, True)
    assert code in served.seated("therapist", "T2").get("/today").text
    (fresh,) = forms(browser.get(f"/card/{token}").text)
    assert SENT in browser.post(fresh.action, data=fresh.fields).text
    time.sleep(0.1)
    assert not notices(served, "fresh_link")


def test_a_link_signs_in_once_for_a_quarter_of_an_hour_and_a_scanner_that_opens_it_uses_nothing_up(served):
    number = served.account("therapist", "T1")
    browser = served.browser()
    token = served.link("sign_in", f"{ACCOUNT}{number}")
    for _ in range(3):
        assert browser.head(f"/in/{token}").status_code == 200
        (enter,) = forms(browser.get(f"/in/{token}").text)
    done = browser.post(enter.action, data=enter.fields)
    cookie = done.headers["set-cookie"]
    for word in ("HttpOnly", "SameSite=lax", "Secure", "Path=/", f"Max-Age={12 * HOUR}"):
        assert word in cookie
    again = browser.post(enter.action, data=enter.fields)
    assert (again.status_code, "opens nothing any more" in again.text) == (410, True)
    late = served.link("sign_in", f"{ACCOUNT}{number}")
    served.later(15 * 60)
    assert browser.get(f"/in/{late}").status_code == 410
    assert browser.post(f"/in/{late}", data={"form": "x"}).status_code == 400


def test_a_session_ends_after_twelve_hours_when_it_is_left_and_when_the_account_is_disabled(served):
    practice = served.clinic.practice
    number = served.account("therapist", "T1")
    kim, lee = served.sign_in(number), served.sign_in(number)
    page = kim.get("/today").text
    leave = next(f for f in forms(page) if f.action == "/sign-out")
    assert kim.post(leave.action, leave.fields).headers["location"] == "/sign-in"
    assert kim.get("/today").headers["location"] == "/sign-in"
    said = kim.send(form(page, "done"))
    assert (said.status_code, "You are not signed in any more" in said.text) == (403, True)
    served.later(12 * HOUR - 1)
    assert lee.get("/today").status_code == 200
    served.later(1)
    assert lee.get("/today").status_code == 303
    kim = served.sign_in(number)
    token = served.link("card", "therapist:T1", "1001", "quiet")
    with practice.store.write() as connection:
        accounts.disable(connection, number, "test", served.now)
    assert kim.get("/today").status_code == 303
    assert served.browser().get(f"/card/{token}").status_code == 410


def test_who_asks_to_sign_in_hears_the_same_whoever_they_are(served):
    served.goes()
    number = served.account("therapist", "T1", "Kim@Example.org")
    browser = served.browser()
    said = {
        browser.post("/sign-in", data={"address": address}).text
        for address in (" kim@example.ORG ", "nobody@example.org", "", "x" * 3000, "'; --", "Zoë <z@x>")
    }
    assert len(said) == 1
    assert "If that address belongs to somebody here" in said.pop()
    (notice,) = notices(served, "sign_in", 1)
    assert (notice.recipient, notice.facts, notice.urgency) == (f"{ACCOUNT}{number}", {}, "system")
    for _ in range(3):
        browser.post("/sign-in", data={"address": "kim@example.org"})
    time.sleep(0.2)
    assert len(notices(served, "sign_in")) == 1
    served.later(300)
    browser.post("/sign-in", data={"address": "kim@example.org"})
    assert len(notices(served, "sign_in", 2)) == 2


def test_without_a_public_address_no_link_is_mailed_and_the_page_says_so(serve):
    served = serve(more="[desk]\n")
    served.account("therapist", "T1", "kim@example.org")
    browser = served.browser()
    assert "Links are not mailed here yet" in browser.get("/sign-in").text
    browser.post("/sign-in", data={"address": "kim@example.org"})
    time.sleep(0.2)
    assert not notices(served, "sign_in")


@pytest.mark.parametrize("lacks", ["arming", "up", "nothing"])
def test_where_nothing_is_mailed_the_pages_say_so_to_everybody(served, lacks):
    served.goes()
    if lacks == "arming":
        arming.disarm(served.clinic.practice.store, served.clinic.practice.data, "test", served.now)
    if lacks == "up":
        with served.clinic.practice.store.write() as connection:
            connection.execute(delete(table(Lease)))
    served.account("therapist", "T1", "kim@example.org")
    browser = served.browser()
    (fresh,) = forms(browser.get("/card/" + "t" * 43).text)
    said = [browser.post("/sign-in", data={"address": a}).text for a in ("kim@example.org", "nobody@example.org")]
    said += [browser.get("/sign-in").text, browser.post(fresh.action, data=fresh.fields).text]
    assert {"No mail is sent from here at the moment" in page for page in said} == {lacks != "nothing"}
    assert {"is on its way" in page for page in said[:2] + said[3:]} == {lacks == "nothing"}
    assert said[0] == said[1]


def test_tokens_stand_nowhere_in_the_database_and_nowhere_in_the_log(served, caplog):
    caplog.set_level("INFO")
    kim = served.seated("therapist", "T1")
    browser, card = served.browser(), served.link("card", "therapist:T1", "1001", "quiet")
    browser.get(f"/card/{card}")
    browser.get(f"/in/{card}?token={card}")
    browser.get(f"/nowhere/{card}")
    kim.get("/today")
    wanted = {"GET /card/{token} 200", "GET /in/{token} 410", "GET (no such page) 404", "GET /today 200"}
    end = time.monotonic() + 10
    # A line is written when its answer has left.
    while wanted - {r.getMessage() for r in caplog.records if r.name == "tending.desk"} and time.monotonic() < end:
        time.sleep(0.02)
    assert not wanted - {r.getMessage() for r in caplog.records if r.name == "tending.desk"}
    everything = " ".join(record.getMessage() for record in caplog.records if not record.name.startswith("httpx"))
    with served.clinic.practice.store.read() as connection:
        everything += str(connection.execute(text("SELECT * FROM link")).all())
        everything += str(connection.execute(text("SELECT * FROM audit")).all())
    assert kim.cookie not in everything
    assert card not in everything


def test_a_form_of_somebody_else_or_of_another_page_is_not_taken(served, code):
    kim, lee = served.seated("therapist", "T1"), served.seated("supervisor", "T1")
    mine, other = form(kim.get("/today").text, "done"), form(lee.get("/today").text, "done")
    for fields in (
        mine.but(form=other.fields["form"]),
        mine.but(form=""),
        {k: v for k, v in mine.fields.items() if k != "form"},
    ):
        done = kim.post(mine.action, fields)
        assert (done.status_code, "This page was too old" in done.text) == (400, True)
    elsewhere = kim.browser.post(mine.action, data=mine.fields, headers={"Sec-Fetch-Site": "cross-site"})
    assert elsewhere.status_code == 400
    assert not served.clinic.rows(Observation, kind="answer")


def test_the_address_of_a_link_is_the_public_one():
    from models.accounts import Purpose, address_of

    assert address_of(PUBLIC, Purpose.card, "t") == f"{PUBLIC}/card/t"
    assert address_of(PUBLIC + "/", Purpose.sign_in, "t") == f"{PUBLIC}/in/t"
    with pytest.raises(KeyError):
        address_of(PUBLIC, Purpose.session, "t")


def test_a_cover_opens_cards_on_the_days_of_the_leave(serve):
    def away(clinic):
        clinic.therapist("T2")
        clinic.leave.append({"id": "l1", "therapist": "T1", "from": "2026-11-23", "to": "2026-11-24", "cover": "T2"})
        quiet(clinic)

    served = serve(away)
    token = served.link("card", "therapist:T2", "1001", "quiet")
    lee = served.seated("therapist", "T2")
    assert "Quiet:" in lee.get("/today").text
    assert served.browser().get(f"/card/{token}").status_code == 200
    served.time[0] = NOW + 2 * DAY
    assert served.browser().get(f"/card/{token}").status_code == 410
    assert served.seated("supervisor", "T2").get("/today").text.count("<article") == 0


def test_an_answer_by_link_that_is_taken_back_elsewhere_gives_the_link_back(served, code):
    browser, kim = served.browser(), served.seated("therapist", "T1")
    token = served.link("card", "therapist:T1", "1001", "quiet")
    done = form(browser.get(f"/card/{token}").text, "done")
    browser.post(done.action, data=done.fields)
    (undo,) = [f for f in forms(browser.get(f"/card/{token}").text) if f.action.endswith("/undo")]
    mine = forms(kim.get("/today").text)[0].fields["form"]
    assert kim.post(f"/client/{code}/undo", {"form": mine, "id": undo.fields["id"]}).status_code == 303
    served.later(120)
    page = browser.get(f"/card/{token}")
    assert (page.status_code, "You said" in page.text) == (200, False)
    again = form(page.text, "done")
    assert browser.post(again.action, data=again.fields).status_code == 303
    assert "You said: I have seen to it." in browser.get(f"/card/{token}").text
