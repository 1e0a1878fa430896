"""*Today* and answering on it, as a browser does it."""

import re

import pytest

from integrations.store import finding_rows
from models.findings import FindingHistory
from models.instants import HOUR
from models.observations import Observation
from tests.builders import NOW, ZONE, days_ago, each
from tests.desk.conftest import form, forms, quiet


def test_what_asks_for_somebody_is_said_with_its_evidence_and_answers_as_sentences(served, code):
    page = served.seated("therapist", "T1").get("/today")
    assert page.status_code == 200
    text = re.sub(r"<[^>]+>", " ", page.text)
    for words in (
        "Quiet:",
        code,
        "usually every 7 days. Nothing booked.",
        "Clears when an appointment is booked",
        "I have seen to it",
        "We agreed on the next contact on",
        "Ask me again on",
        "This isn&#39;t a concern",
        "We have begun an ending",
        "This is not a crisis service",
    ):
        assert words.replace("&#39;", "'") in text.replace("&#39;", "'"), words
    assert "Müller" not in page.text


def test_an_answer_acts_at_once_says_so_in_place_and_is_taken_back_within_a_minute(served, code):
    kim = served.seated("therapist", "T1")
    said = kim.send(form(kim.get("/today").text, "done"))
    assert "You said: I have seen to it." in said.text
    assert served.findings("1001").answered
    (undo,) = [f for f in forms(said.text) if f.action.endswith("/undo")]
    back = kim.send(undo)
    assert "You said" not in back.text
    assert not served.findings("1001").answered
    again = kim.send(undo)  # sent twice
    assert again.status_code == 200
    assert form(again.text, "done")


def test_after_a_minute_it_is_not_taken_back(served, code):
    kim = served.seated("therapist", "T1")
    said = kim.send(form(kim.get("/today").text, "done"))
    (undo,) = [f for f in forms(said.text) if f.action.endswith("/undo")]
    served.later(61)
    late = kim.send(undo)
    assert (late.status_code, "can be taken back for a minute" in late.text) == (409, True)
    page = kim.get("/today").text
    assert "You said" not in page
    assert "Answered, and still so" in page
    assert "Nothing asks for you today. Sources were read" in page


def test_a_form_that_is_sent_twice_or_from_two_tabs_does_nothing_twice(served, code):
    kim = served.seated("therapist", "T1")
    first, second = form(kim.get("/today").text, "done"), form(kim.get("/today").text, "no-concern")
    one = kim.send(first)
    two = kim.send(first)
    assert "You said: I have seen to it." in one.text
    assert "You said: I have seen to it." in two.text
    other = kim.send(second, reason="planned")
    assert (other.status_code, "answered meanwhile" in other.text) == (409, True)
    assert len(served.clinic.rows(Observation, kind="answer")) == 1


def test_every_kind_of_answer(served, code):
    kim = served.seated("therapist", "T1")
    answers = (
        (
            "agreed",
            {"until": "2026-12-10", "note": "per Telefon"},
            "We agreed on the next contact: Thu 10 Dec, in 17 days.",
        ),
        ("snooze", {"until": "2026-11-30", "reason": "waiting"}, "Ask me again on Mon 30 Nov, in 7 days: waiting"),
        ("no-concern", {"reason": "planned"}, "This isn&#39;t a concern: it is as we planned."),
    )
    for reply, fields, words in answers:
        said = kim.send(form(kim.get("/today").text, reply), **fields)
        assert words in said.text, reply
        (undo,) = [f for f in forms(said.text) if f.action.endswith("/undo")]
        assert kim.send(undo).status_code == 200
    rhythm = next(f for f in forms(kim.get("/today").text) if f.fields.get("reply") == "agreed")
    said = kim.send(rhythm, days="28", until="")
    assert "We agreed to meet every 28 days." in said.text


def test_what_does_not_fit_is_a_plain_sentence_and_changes_nothing(served, code):
    kim = served.seated("therapist", "T1")
    page = kim.get("/today").text
    wrong = (
        ("agreed", {}, "Say what was agreed"),
        ("agreed", {"until": "2026-11-01"}, "That day has passed"),
        ("agreed", {"until": "soon"}, "That is no day"),
        ("agreed", {"until": "9999-12-31"}, "That is no day"),
        ("agreed", {"days": "-3"}, "whole number of days"),
        ("snooze", {"until": "2026-12-01"}, "Say why"),
        ("snooze", {"until": "2027-12-01", "reason": "later"}, "Longer than 90 days"),
        ("no-concern", {"reason": "'; DROP TABLE client"}, "Say why"),
        ("done", {"reply": "delete"}, "could not be read"),
        ("done", {"seen": "x"}, "could not be read"),
        ("done", {"id": "x"}, "could not be read"),
        ("done", {"kind": "nothing"}, "nothing open of that kind"),
        ("done", {"note": "x" * 201}, "at most 200"),
    )
    for reply, fields, words in wrong:
        done = kim.send(form(page, reply), **fields)
        assert (done.status_code, words in done.text) == (409, True), (reply, fields, done.text)
    assert not served.clinic.rows(Observation, kind="answer")


def test_after_an_answer_the_next_card_takes_the_focus(serve):
    def several(clinic):
        for number in ("1002", "1003"):
            clinic.client(number, f"Berta Nr{number}")
            clinic.seen(number, *each(7, 6, days_ago(16)))
        quiet(clinic)

    served = serve(several)
    kim = served.seated("therapist", "T1")
    anchors = re.findall(r'<article id="([^"]+)" tabindex="-1"', kim.get("/today").text)
    assert len(anchors) >= 2
    for here, below in zip(anchors, [*anchors[1:], anchors[-1]], strict=True):
        code = here.removesuffix("-quiet")
        asked = form(kim.get("/today").text, "done", code)
        done = kim.post(asked.action, asked.fields)
        assert done.headers["location"].partition("#")[2] == below
    page = kim.get(done.headers["location"]).text
    assert f'<article id="{anchors[-1]}"' in page
    assert "You said: I have seen to it." in page


def test_on_a_clients_page_the_focus_stays_there(served, code):
    kim = served.seated("therapist", "T1")
    asked = form(kim.get(f"/client/{code}").text, "done")
    assert kim.post(asked.action, asked.fields).headers["location"].endswith(f"#{code}-quiet")


@pytest.mark.parametrize("zone", ["Pacific/Auckland", "America/Los_Angeles"])
def test_days_are_those_of_the_therapist_who_reads(serve, zone):
    """It is Monday noon in Berlin: in Auckland Tuesday begins at the same hour, in California Monday."""
    from models.instants import DAY, day_of, start_of

    def far_away(clinic):
        clinic.therapists.clear()
        clinic.therapist("T1", zone=zone)
        quiet(clinic)

    served = serve(far_away)
    served.time[0] = start_of(day_of(NOW, "UTC"), "UTC") + 20 * 3600
    own = day_of(served.now, zone)
    assert (own == day_of(served.now, ZONE)) == (zone != "Pacific/Auckland")
    first = f'min="{day_of(served.now + DAY, zone)}"'
    kim = served.seated("therapist", "T1")
    assert first in kim.get("/today").text
    link = served.link("card", "therapist:T1", "1001", "quiet")
    card = served.browser().get(f"/card/{link}").text
    assert first in card
    until = day_of(served.now + 7 * DAY, zone)
    said = kim.send(form(kim.get("/today").text, "snooze"), until=str(until), reason="waiting")
    assert "in 7 days: waiting" in said.text
    (given,) = served.clinic.rows(Observation, kind="answer")
    assert given.facts["until"] == start_of(until, zone)


def test_the_next_contact_may_be_today(served, code):
    kim = served.seated("therapist", "T1")
    days = dict(
        re.findall(r'id="(agreed|snooze)-[^"]*" name="until" type="date" min="([^"]*)"', kim.get("/today").text)
    )
    assert days == {"agreed": "2026-11-23", "snooze": "2026-11-24"}
    said = kim.send(form(kim.get("/today").text, "agreed"), until=days["agreed"])
    assert "We agreed on the next contact: Mon 23 Nov, today." in said.text


@pytest.mark.parametrize("page", ["/today", "/client/{}", "/card/{}"])
def test_a_form_that_is_refused_says_why_on_its_card_and_keeps_what_was_filled_in(served, code, page):
    """Nothing is typed twice on a phone."""
    by_link = page == "/card/{}"
    browser = served.browser() if by_link else served.seated("therapist", "T1").browser
    page = page.format(served.link("card", "therapist:T1", "1001", "quiet") if by_link else code)

    def send(one, **fields):
        return browser.post(one.action, data=one.but(**fields))

    done = send(form(browser.get(page).text, "snooze"), until="2027-12-01", reason="waiting", note="ruft zurück")
    assert done.status_code == 409
    assert re.search(r'role="alert">Longer than 90 days is too long to wait', done.text)
    (details,) = re.findall(r"<details open>(.*?)</details>", done.text, re.S)
    for words in ("Ask me again on", 'value="2027-12-01"', '<option value="waiting" selected>', 'value="ruft zurück"'):
        assert words in details, words
    assert not served.clinic.rows(Observation, kind="answer")
    rhythm = next(f for f in forms(done.text) if f.fields.get("reply") == "agreed" and "until" not in f.fields)
    again = send(rhythm, days="900")
    (details,) = re.findall(r"<details open>(.*?)</details>", again.text, re.S)
    assert (again.status_code, 'value="900"' in details) == (409, True)
    mended = form(again.text, "snooze")
    assert send(mended, until="2026-12-01", reason="waiting").status_code == 303
    assert len(served.clinic.rows(Observation, kind="answer")) == 1


def test_a_risk_that_was_to_sort_and_has_risen_asks_on_top_like_any_new_one(serve):
    def fill(clinic):
        clinic.seen("1001", *each(7, 6, days_ago(3)))
        clinic.entry("t1", "next", days_ago(-60), "Anna Müller")
        clinic.score("1001", "PHQ-9", days_ago(30), 12, risk=1)
        for moment in (NOW - HOUR, NOW):
            clinic.sync(moment)
            clinic.look(moment)

    served = serve(fill)
    kim, clinic = served.seated("therapist", "T1"), served.clinic
    to_sort = "Nobody is written to about it"
    assert to_sort in kim.get("/today").text
    with clinic.practice.store.read() as connection:
        assert finding_rows.day_one_left(connection) == 1
    clinic.score("1001", "PHQ-9", NOW, 12, risk=2)
    clinic.sync(NOW + HOUR)
    clinic.look(NOW + HOUR)
    page = kim.get("/today").text
    assert "Item 9 of the PHQ-9 is 2" in page
    assert to_sort not in page
    assert [n.urgency for n in clinic.notices()] == ["safety"]
    assert [row.opened for row in clinic.rows(FindingHistory)] == ["day_one", "noticed"]
    with clinic.practice.store.read() as connection:
        assert finding_rows.day_one_left(connection) == 0
