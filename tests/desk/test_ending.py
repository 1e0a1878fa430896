"""An ending at the desk: started with its question, confirmed by whoever is named, gone through step by step, each said once."""

import html
import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from integrations import ending
from models.audit import Audit
from models.ending_acts import QUESTION, What
from models.instants import DAY
from models.invitations import Invitation
from models.notices import Notice
from models.observations import Observation
from models.people import Client
from models.terminations import TerminationRow
from tests.builders import NOW, days_ago, each, in_days
from tests.desk.conftest import DESK, Served, forms, quiet
from tests.desk.test_pages_of_roles import statements

CODES_SENTENCE = "Care is not ended in order to begin a personal relationship"


def team(clinic):
    """T1, supervised by S1, has Anna (1001, who comes each week and is booked) and Berta; P2 is somebody else."""
    clinic.therapists.clear()
    clinic.therapist("T1", supervisor="S1")
    clinic.therapist("S1")
    clinic.therapist("P2")
    clinic.client("1002", "Berta Braun")
    for number, name in (("1001", "Anna Müller"), ("1002", "Berta Braun")):
        clinic.seen(number, *each(7, 6, days_ago(3)))
        clinic.entry("t1", f"next-{number}", in_days(4), name)
    clinic.sync(NOW)
    clinic.look(NOW)


def code_of(served: Served, number: str = "1001") -> str:
    mine = served.clinic.id_of(number)
    return next(row.code for row in served.clinic.rows(Client) if row.id == mine)


@pytest.fixture
def desk(serve):
    return serve(team)


def text_of(page):
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.text)))


def saying(page, what, step=""):
    """The form that says this of an ending, or of a step of it."""
    found = [f for f in forms(page.text) if f.action.endswith("/ending/say") and f.fields.get("what") == what]
    return next(f for f in found if f.fields.get("step", "") == step)


def start_form(sitting, code):
    page = sitting.get(f"/client/{code}/ending")
    return next(f for f in forms(page.text) if f.action == f"/client/{code}/ending")


def start(sitting, code, reason="poor-fit", wished_by="therapist", personal="no", careful="", until=""):
    said = {"reason": reason, "wished_by": wished_by, "personal": personal, "careful": careful, "until": until}
    return sitting.send(start_form(sitting, code), **said)


def word(sitting, code, which, personal="no"):
    page = sitting.get(f"/confirm/{code}")
    form = next(f for f in forms(page.text) if f.fields.get("word") == which)
    return sitting.send(form, **({"personal": personal} if which == "confirmed" else {}))


def going(desk, kim, sam, code, **said):
    start(kim, code, **said)
    word(sam, code, "confirmed")
    desk.later(120)


def states(desk):
    rows = sorted(desk.clinic.rows(TerminationRow), key=lambda row: row.nth)
    return [(row.state, row.next_step) for row in rows]


def said_of(desk):
    return [row.facts["what"] for row in desk.clinic.rows(Observation, kind="ending")]


# ---------------------------------------------------------------- started


def test_the_start_page_asks_the_question_and_chooses_nothing(desk, kim):
    code = code_of(desk)
    page = kim.get(f"/client/{code}/ending")
    assert page.status_code == 200
    assert html.escape(QUESTION, quote=False) in page.text
    assert " checked" not in page.text
    assert page.text.count('name="personal"') == 2
    assert page.text.count('name="personal" value="no" required') == 1
    assert page.text.count('name="personal" value="yes" required') == 1
    assert said_of(desk) == []
    for lacking in ({"personal": ""}, {"reason": ""}, {"wished_by": ""}):
        done = start(kim, code, **lacking)
        assert done.status_code == 409
        assert "nothing was changed" in done.text
    assert said_of(desk) == []


def test_what_was_filled_in_stays_when_it_is_refused(desk, kim):
    done = start(kim, code_of(desk), "wish", "therapist", careful="yes", until="2027-01-15")
    assert done.status_code == 409
    assert "it is the wish of: client" in done.text
    assert 'value="wish" checked' in done.text
    assert 'value="2027-01-15"' in done.text
    assert 'value="yes" checked' in done.text
    assert not re.search(r'name="personal"[^>]*checked', done.text)  # the question is answered each time


def test_a_yes_shows_what_the_code_says_offers_supervision_and_begins_nothing(desk, kim):
    code = code_of(desk)
    done = start(kim, code, personal="yes")
    said = text_of(done)
    assert "Nothing was begun" in said
    assert CODES_SENTENCE in said
    assert "Dr S1 (S1) supervises you." in said
    assert states(desk) == []
    assert said_of(desk) == ["stopped"]
    assert desk.clinic.rows(Notice) == []
    assert "No ending was begun." in text_of(kim.get(f"/client/{code}"))


def test_an_ending_begun_twice_by_one_form_is_begun_once_and_a_second_one_leads_to_the_first(desk, kim):
    code = code_of(desk)
    one, other = start_form(kim, code), start_form(kim, code)
    said = {"reason": "move", "wished_by": "client", "personal": "no"}
    first = kim.send(one, **said)
    again = kim.send(one, **said)
    assert "An ending is going on: a move, or the insurance." in text_of(first)
    assert "An ending is going on" in text_of(again)
    late = kim.post(other.action, other.but(**said))
    assert late.status_code == 303
    assert late.headers["location"] == f"/client/{code}#ending"
    assert said_of(desk) == ["started"]
    assert kim.get(f"/client/{code}/ending").status_code == 303


def answered(desk):
    return [
        (row.facts["kind"], row.facts["reply"], row.facts["by"]) for row in desk.clinic.rows(Observation, kind="answer")
    ]


def watched(clinic):
    """Anna, of T1, is quiet; S1 supervises T1, and so confirms."""
    clinic.therapists.clear()
    clinic.therapist("T1", supervisor="S1")
    clinic.therapist("S1")
    quiet(clinic)


def test_a_card_leads_to_where_an_ending_begins_and_is_answered_once_it_is_started(serve):
    desk = serve(watched)
    kim, code = desk.seated("therapist", "T1"), code_of(desk)
    (way,) = re.findall(r'href="([^"]+)">We have begun an ending', kim.get("/today").text)
    form = next(f for f in forms(kim.get(way).text) if f.action == f"/client/{code}/ending")
    lacking = kim.post(form.action, form.but(reason="", wished_by="therapist", personal="no"))
    assert (lacking.status_code, answered(desk)) == (409, [])
    said = {"reason": "poor-fit", "wished_by": "therapist"}
    kim.post(form.action, form.but(**said, personal="yes"))
    assert (answered(desk), desk.findings("1001").answered, states(desk)) == ([], False, [])
    form = next(f for f in forms(kim.get(way).text) if f.action == f"/client/{code}/ending")
    for _ in range(2):  # sent twice
        kim.send(form, **said, personal="no")
    assert answered(desk) == [("quiet", "ending", "therapist:T1")]
    assert desk.findings("1001").answered
    assert len(states(desk)) == 1
    assert "Answered, and still so" in kim.get("/today").text


def test_an_ending_that_is_begun_from_no_card_answers_none_and_an_answer_alone_begins_none(serve):
    desk = serve(quiet)
    kim, code = desk.seated("therapist", "T1"), code_of(desk)
    done = next(f for f in forms(kim.get("/today").text) if f.fields.get("reply") == "done")
    said = kim.post(done.action, done.but(reply="ending"))
    assert (said.status_code, "counts once it is started" in text_of(said)) == (409, True)
    token = desk.link("card", "therapist:T1", "1001", "quiet")
    browser = desk.browser()
    done = next(f for f in forms(browser.get(f"/card/{token}").text) if f.fields.get("reply") == "done")
    assert browser.post(done.action, data=done.but(reply="ending")).status_code == 409
    start(kim, code)
    assert answered(desk) == []


def test_no_card_offers_to_begin_what_is_begun_already(serve):
    desk = serve(watched)
    kim, code = desk.seated("therapist", "T1"), code_of(desk)
    assert "We have begun an ending" in kim.get("/today").text
    start(kim, code)  # from the client's page: it waits for S1's word, and Anna is quiet still
    assert "We have begun an ending" not in kim.get("/today").text
    assert desk.findings("1001").cleared_at is None


def test_of_a_death_nobody_is_said_to_come_back_and_no_other_ending_is_offered(desk, kim):
    code = code_of(desk)
    page = start(kim, code, reason="death", wished_by="nobody")
    assert "That the client has died was said by mistake" in page.text
    desk.later(120)
    for what, step in (("done", "records"), ("closed", "")):
        page = kim.send(saying(kim.get(f"/client/{code}"), what, step))
    assert "Closed Mon 23 Nov, today: the client has died." in text_of(page)
    assert "come back" not in text_of(page)
    assert "Start another ending" not in page.text
    page = kim.send(saying(page, "withdrawn"))
    assert "that the client has died is taken back" in text_of(page)
    assert "Start another ending" in page.text


def test_who_cannot_begin_one_is_not_offered_it(serve):
    desk = serve(watched)
    sam, browser = desk.seated("supervisor", "S1"), desk.browser()
    assert "begun an ending" not in sam.get("/today").text
    for recipient, offered in (("therapist:T1", True), ("therapist:S1", False), ("admin", False)):
        page = browser.get(f"/card/{desk.link('card', recipient, '1001', 'quiet')}")
        assert (page.status_code, "begun an ending" in page.text) == (200, offered), recipient


# ---------------------------------------------------------------- confirmed


def test_today_and_a_page_of_its_own_ask_whoever_is_named_and_nobody_else(desk, kim, sam):
    code = code_of(desk)
    said = text_of(start(kim, code, "beyond", careful="yes"))
    assert "waits for the word of Dr S1 (S1)" in said
    assert "Until then nothing can be done but to withdraw it." in said
    today = sam.get("/today")
    assert f'href="/confirm/{code}"' in today.text
    assert "Begun Mon 23 Nov, today, for a client of Dr T1 (T1): needs beyond what we can offer." in text_of(today)
    assert "Nothing asks for you today" not in today.text
    page = sam.get(f"/confirm/{code}")
    said = text_of(page)
    for words in (QUESTION, "needs beyond what we can offer", "The wish is the therapist's own.", "Explain why.", code):
        assert words in said, words
    assert "Müller" not in page.text
    assert " checked" not in page.text
    for other in (kim, desk.seated("therapist", "P2")):
        assert "Nothing here waits for your word." in text_of(other.get(f"/confirm/{code}"))
        assert "waits for your word:" not in other.get("/today").text
    unknown = text_of(sam.get("/confirm/C-0000000"))
    assert "Nothing here waits for your word." in unknown
    assert [row.act for row in desk.clinic.rows(Audit)].count("ending read to confirm") >= 1


def test_the_question_is_asked_again_and_no_answer_confirms_nothing(desk, kim, sam):
    code = code_of(desk)
    start(kim, code)
    done = word(sam, code, "confirmed", personal="")
    assert done.status_code == 409
    assert f'<a href="/confirm/{code}">Back to the page</a>' in done.text
    assert states(desk) == [("waiting", "")]
    form = next(f for f in forms(sam.get(f"/confirm/{code}").text) if f.fields.get("word") == "confirmed")
    for _ in range(2):
        assert "It was confirmed." in text_of(sam.send(form, personal="no"))
    assert states(desk) == [("going", "explain")]
    assert said_of(desk) == ["started", "confirmed"]
    page = text_of(kim.get(f"/client/{code}"))
    assert "Confirmed by Dr S1 (S1)." in page


@pytest.mark.parametrize(("which", "personal"), [("confirmed", "yes"), ("declined", "")])
def test_a_yes_or_a_no_leaves_care_going_on(desk, kim, sam, which, personal):
    code = code_of(desk)
    start(kim, code)
    said = text_of(word(sam, code, which, personal))
    assert (CODES_SENTENCE in said) == (which == "confirmed")
    assert states(desk) == [("declined", "")]
    assert "Care goes on" in text_of(sam.get(f"/confirm/{code}"))
    assert "Not confirmed by Dr S1 (S1)." in text_of(kim.get(f"/client/{code}"))


def test_a_form_for_an_earlier_ending_confirms_no_other(desk, kim, sam):
    code = code_of(desk)
    start(kim, code)
    old = next(f for f in forms(sam.get(f"/confirm/{code}").text) if f.fields.get("word") == "confirmed")
    kim.send(saying(kim.get(f"/client/{code}"), "withdrawn"))
    desk.later(60)
    start(kim, code, "beyond")
    done = sam.send(old, personal="no")
    assert (done.status_code, "Another ending was begun" in done.text) == (409, True)
    assert sorted(states(desk)) == [("waiting", ""), ("withdrawn", "")]


def test_the_link_of_the_mail_opens_exactly_that_and_confirms_once(desk, kim):
    code = code_of(desk)
    start(kim, code)
    token = desk.link("card", "therapist:S1", "1001", "ending_confirm")
    browser = desk.browser()
    for _ in range(3):
        page = browser.get(f"/card/{token}")
        assert (page.status_code, code in page.text, "Müller" in page.text) == (200, True, False)
        browser.head(f"/card/{token}")
    assert said_of(desk) == ["started"]
    confirm = next(f for f in forms(page.text) if f.fields.get("word") == "confirmed")
    wrong = browser.post(confirm.action, data=confirm.but(personal=""))
    assert wrong.status_code == 409
    for _ in range(2):
        assert browser.post(confirm.action, data=confirm.but(personal="no")).status_code == 303
    assert "It was confirmed." in browser.get(f"/card/{token}").text
    late = browser.post(confirm.action, data=confirm.but(personal="", word="declined", id="0" * 32))  # from another tab
    assert (late.status_code, "given meanwhile" in late.text) == (409, True)
    (undo,) = [f"/card/{token}/undo"]
    browser.post(undo, data=confirm.fields)
    assert said_of(desk) == ["started", "confirmed"]
    assert states(desk) == [("going", "explain")]


def test_a_link_of_somebody_who_is_not_named_opens_nothing(desk, kim):
    start(kim, code_of(desk))
    for whose in ("therapist:P2", "therapist:T1", "admin"):
        token = desk.link("card", whose, "1001", "ending_confirm")
        page = desk.browser().get(f"/card/{token}")
        assert (page.status_code, "This link opens nothing any more" in page.text) == (410, True), whose


# ---------------------------------------------------------------- gone through


def test_steps_are_said_once_taken_back_within_the_minute_and_closed_at_the_end(desk, kim, sam):
    code = code_of(desk)
    going(desk, kim, sam, code)
    page = kim.get(f"/client/{code}")
    said = text_of(page)
    assert "Say that the aim is excellent care, and why a better fit than here is needed for it; without blame." in said
    assert "At least one after it was begun; none has taken place yet." in said
    explain = saying(page, "done", "explain")
    for _ in range(2):
        done = kim.send(explain)
    assert "Done (Mon 23 Nov, today, you)." in text_of(done)
    assert said_of(desk) == ["started", "confirmed", "done"]
    assert "Take that back (for a minute)" in done.text
    back = kim.send(saying(done, "reopened", "explain"))
    assert states(desk) == [("going", "explain")]
    kim.send(saying(back, "done", "explain"))
    desk.later(61)
    later = kim.get(f"/client/{code}")
    assert "Take that back" not in later.text
    assert "That was said by mistake" in later.text
    assert not [f for f in forms(later.text) if f.fields.get("step") == "process" and f.fields["what"] == "done"]
    early = kim.send(saying(later, "done", "letter"), step="process")
    assert early.status_code == 409
    assert "none took place so far" in early.text
    page = kim.get(f"/client/{code}")
    for step in ("process", "referral", "last", "letter"):
        page = kim.send(saying(page, "could-not", step), reason="declined")
        assert page.status_code == 200, page.text
        desk.later(30)
    assert "Could not be done: the client did not want it (Mon 23 Nov, today, you)." in text_of(page)
    page = kim.send(saying(page, "done", "records"))
    assert "Nothing is open any more: it can be closed." in text_of(page)
    keep = "One more stands although nothing is open, from Fri 27 Nov on: keep or call off, as you agree."
    assert keep in text_of(page)
    desk.clinic.drop("t1", "next-1001")
    desk.clinic.sync(desk.now)
    page = kim.get(f"/client/{code}")
    assert "although nothing is open" not in page.text
    page = kim.send(saying(page, "closed"))
    assert "Closed Mon 23 Nov, today: client and therapist do not fit well." in text_of(page)
    assert states(desk) == [("closed", "")]
    assert "Start another ending" in page.text


def test_a_form_from_another_tab_says_nothing_over_what_was_said(desk, kim, sam):
    code = code_of(desk)
    going(desk, kim, sam, code, reason="contact")
    one, other = kim.get(f"/client/{code}"), kim.get(f"/client/{code}")
    attempt = {"means": "phone", "on": "2026-11-23"}
    assert kim.send(saying(one, "attempt"), **attempt).status_code == 200
    late = kim.send(saying(other, "attempt"), **attempt)
    assert (late.status_code, "Somebody has said something about it" in late.text) == (409, True)
    assert f'<a href="/client/{code}#ending">Back to the page</a>' in late.text
    assert said_of(desk) == ["started", "confirmed", "attempt"]


def test_many_at_the_same_moment_say_one_thing_once(desk, kim, sam):
    code = code_of(desk)
    going(desk, kim, sam, code, reason="contact")
    pages = [saying(kim.get(f"/client/{code}"), "attempt") for _ in range(4)]

    def post(form):
        browser = desk.browser()
        sent = form.but(means="phone", on="2026-11-23")
        return browser.post(form.action, data=sent, headers={"cookie": f"tending-desk={kim.cookie}"}).status_code

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(post, pages)) == [303, 409, 409, 409]
    assert said_of(desk).count("attempt") == 1


def test_somebody_out_of_contact_is_tried_to_reach_first_and_the_letter_waits(desk, kim, sam):
    code = code_of(desk)
    going(desk, kim, sam, code, reason="contact")
    page = kim.get(f"/client/{code}")
    assert "Nothing was tried yet." in page.text
    assert not [f for f in forms(page.text) if f.fields.get("step") == "letter" and f.fields["what"] == "done"]
    early = kim.send(saying(page, "done", "records"), step="letter")
    assert (early.status_code, "at least two different means" in early.text) == (409, True)
    page = kim.send(saying(kim.get(f"/client/{code}"), "attempt"), means="phone", on="2026-11-20")
    assert "By telephone, Fri 20 Nov, 3 days ago, you." in text_of(page)
    assert not [
        f for f in forms(page.text) if f.fields.get("what") == "approved"
    ]  # what the therapist notes counts at once
    ahead = kim.send(saying(page, "attempt"), means="letter", on="2026-12-20")
    assert (ahead.status_code, "not in the future" in ahead.text) == (409, True)
    nothing = kim.send(saying(page, "attempt"), means="pigeon", on="2026-11-20")
    assert nothing.status_code == 409
    assert said_of(desk) == ["started", "confirmed", "attempt"]


def test_what_somebody_else_noted_waits_for_the_therapists_yes_and_counts_from_then_on(desk, kim, sam):
    code, practice = code_of(desk), desk.clinic.practice
    going(desk, kim, sam, code, reason="contact")
    for means in ("phone", "mail"):
        with practice.store.write() as connection:
            number = desk.clinic.id_of("1001")
            ending.say(practice, connection, number, What.attempt, "lund", NOW + 60, means=means, on=NOW - 2 * DAY)
    page = kim.get(f"/client/{code}")
    assert "By telephone, Sat 21 Nov, 2 days ago, lund. It counts once you, as therapist, have approved it." in text_of(
        page
    )
    assert not [f for f in forms(page.text) if f.fields.get("step") == "letter" and f.fields["what"] == "done"]
    both = [f for f in forms(page.text) if f.fields.get("what") == "approved"]
    assert [f.fields["means"] for f in both] == ["mail", "phone"]
    wrong = kim.post(both[0].action, both[0].but(made="soon"))
    assert (wrong.status_code, "could not be read" in wrong.text) == (409, True)
    page = kim.send(both[0])
    kim.send(both[0])  # sent twice
    assert "By mail, Sat 21 Nov, 2 days ago, lund; approved by you." in text_of(page)
    late = kim.send(both[1])  # of a page that another word has made old
    assert (late.status_code, "Somebody has said something about it" in late.text) == (409, True)
    page = kim.send(next(f for f in forms(page.text) if f.fields.get("what") == "approved"))
    assert said_of(desk)[2:] == ["attempt", "attempt", "approved", "approved"]
    assert [f for f in forms(page.text) if f.fields.get("step") == "letter" and f.fields["what"] == "done"]
    assert {row.who for row in desk.clinic.rows(Audit) if row.act == "ending approved"} == {"therapist:T1"}


def test_more_room_for_whom_rejection_is_hard_and_a_withdrawn_ending_is_over(desk, kim, sam):
    code = code_of(desk)
    going(desk, kim, sam, code)
    page = kim.send(saying(kim.get(f"/client/{code}"), "careful"))
    assert "At least two after it was begun; none has taken place yet." in text_of(page)
    assert not [f for f in forms(page.text) if f.fields.get("what") == "careful"]
    page = kim.send(saying(page, "withdrawn"))
    assert "Withdrawn Mon 23 Nov, today: care goes on." in text_of(page)
    assert states(desk) == [("withdrawn", "")]


def test_the_letter_is_drafted_for_whoever_may_see_the_name_and_that_is_audited(desk, kim, sam):
    code = code_of(desk)
    going(desk, kim, sam, code)
    page = kim.get(f"/client/{code}")
    form = next(f for f in forms(page.text) if f.action.endswith("/ending/letter"))
    draft = kim.send(form)
    assert "Anna Müller" in draft.text
    assert "Nothing was sent" in draft.text
    assert [row.act for row in desk.clinic.rows(Audit)][-1] == "closing letter drafted"
    assert sam.post(form.action, form.fields).status_code in (400, 404)


# ---------------------------------------------------------------- who may


def test_a_supervisor_of_the_team_confirms_and_does_nothing_else(desk, kim, sam):
    code = code_of(desk)
    start(kim, code)
    page = sam.get(f"/client/{code}")
    assert '<h2 id="ending">' not in page.text
    assert '<h2 id="referral">' not in page.text
    assert sam.get(f"/client/{code}/ending").status_code == 404
    form = next(f for f in forms(sam.get(f"/confirm/{code}").text) if f.fields.get("word") == "declined")
    token = {"form": form.fields["form"]}
    for path in ("ending", "ending/say", "ending/letter", "referral", "referral/find"):
        assert sam.post(f"/client/{code}/{path}", token).status_code == 404, path
    stranger = desk.seated("therapist", "P2")
    assert stranger.get(f"/client/{code}/ending").status_code == 404
    assert said_of(desk) == ["started"]


def test_a_cover_goes_through_the_steps_while_the_therapist_is_away(serve):
    def away(clinic):
        team(clinic)
        clinic.leave.append({"therapist": "T1", "from": "2026-11-20", "to": "2026-12-10", "cover": "P2"})
        clinic.sync(NOW)

    desk = serve(away)
    code = code_of(desk)
    cover = desk.seated("therapist", "P2")
    going(desk, cover, desk.seated("supervisor", "S1"), code)
    assert "Done (Mon 23 Nov, today, you)." in text_of(
        cover.send(saying(cover.get(f"/client/{code}"), "done", "explain"))
    )
    desk.later(30 * DAY)
    assert cover.get(f"/client/{code}").status_code in (303, 404)


def test_a_form_that_is_none_is_a_sentence_and_changes_nothing(desk, kim, sam):
    code = code_of(desk)
    going(desk, kim, sam, code)
    form = saying(kim.get(f"/client/{code}"), "done", "explain")
    for changed, status in (
        ({"id": "x"}, 409),
        ({"what": "started"}, 409),
        ({"what": "confirmed"}, 409),
        ({"step": "dance"}, 409),
        ({"seen": ""}, 409),
        ({"form": "x"}, 400),
    ):
        done = kim.post(form.action, form.but(**changed))
        assert (done.status_code, "Traceback" in done.text, "<h1>" in done.text) == (status, False, True), changed
    assert said_of(desk) == ["started", "confirmed"]


def test_the_clients_page_needs_as_many_queries_with_an_ending_of_one_act_as_of_many(serve):
    desk = serve(team, more=DESK)
    kim, sam = desk.seated("therapist", "T1"), desk.seated("supervisor", "S1")
    code = code_of(desk)
    going(desk, kim, sam, code, reason="contact")
    kim.get(f"/client/{code}")
    few = statements(desk, kim, f"/client/{code}")
    for day in range(10, 20):
        kim.send(saying(kim.get(f"/client/{code}"), "attempt"), means="phone", on=f"2026-11-{day}")
    assert statements(desk, kim, f"/client/{code}") == few


# ---------------------------------------------------------------- its appointments


def test_what_stands_has_its_part_and_what_is_lacking_is_proposed_once(desk, kim, sam):
    code = code_of(desk)
    assert "Its appointments" not in kim.get(f"/client/{code}").text
    start(kim, code)
    assert "Its appointments" not in kim.get(f"/client/{code}").text  # it waits to be confirmed
    word(sam, code, "confirmed")
    desk.later(120)
    page = kim.get(f"/client/{code}")
    text = text_of(page)
    assert "Its appointments Fri 27 Nov, in 4 days" in text
    assert "explains" in text
    assert text.count("(would be proposed)") == 2
    form = next(f for f in forms(page.text) if f.action.endswith("/ending/propose"))
    for _ in range(2):  # a form that is sent twice
        assert kim.send(form).status_code == 200
    assert [what for what in said_of(desk) if what == "proposed"] == ["proposed"]
    page = kim.get(f"/client/{code}")
    assert text_of(page).count("(proposed to the therapist, not accepted yet)") == 2
    assert not [f for f in forms(page.text) if f.action.endswith("/ending/propose")]
    assert len({row.uid for row in desk.clinic.rows(Invitation)}) == 2
