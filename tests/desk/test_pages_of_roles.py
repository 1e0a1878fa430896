"""Every route against every role; what each part of a client is shown to; and that looks at who somebody is are audited."""

import pytest
from sqlalchemy import event, select

from integrations.delivery import deliver
from integrations.messages.mailbox import Mailbox
from integrations.store import lookups, quarantine, rejected
from integrations.store.tables import insert_rows, table
from models.access import PAGES, Page
from models.accounts import Role
from models.audit import Audit
from models.entries import Reject
from models.notices import Message, MessageState
from tending.desk.app import HEADERS, ROUTES
from tests.builders import NOW, days_ago, each
from tests.desk.conftest import DESK, Form, form, forms, quiet


def test_every_route_is_for_everybody_or_for_a_page_with_its_roles():
    assert {route.page for route in ROUTES if route.page} == set(Page)
    public = {(r.method, r.path) for r in ROUTES if r.page is None}
    assert public == {
        ("GET", "/desk.css"),
        ("GET", "/sign-in"),
        ("POST", "/sign-in"),
        ("GET", "/in/{token}"),
        ("POST", "/in/{token}"),
        ("GET", "/card/{token}"),
        ("POST", "/card/{token}"),
        ("POST", "/card/{token}/undo"),
        ("POST", "/card/{token}/fresh"),
        ("GET", "/reply/{token}"),
        ("POST", "/reply/{token}"),
    }


def test_every_route_against_every_role_and_nobody(served, code):
    people = {
        role: served.seated(role.value, "T1" if role in (Role.therapist, Role.supervisor) else "") for role in Role
    }
    stranger = served.browser()
    for route in ROUTES:
        path = route.path.replace("{code}", code).replace("{token}", "t" * 43).replace("{therapist}", "T1")
        if route.page is None:
            continue
        nobody = stranger.request(route.method, path)
        assert nobody.status_code == (303 if route.method == "GET" else 403), path
        for role, sitting in people.items():
            if route.path == "/sign-out":
                continue
            done = sitting.browser.request(route.method, path)
            refused = done.status_code == 404 and "There is nothing here for you." in done.text
            assert refused == (role not in PAGES[route.page]), (role, path, done.status_code)
            if not refused:
                assert done.status_code in ((200, 303) if route.method == "GET" else (400,)), (role, path)


def test_all_answers_carry_the_headers_and_no_page_asks_elsewhere(served, code):
    kim = served.seated("therapist", "T1")
    for path in ("/today", f"/client/{code}", "/sign-in", "/nowhere", "/desk.css", "/", "/card/x"):
        done = kim.get(path)
        for name, value in HEADERS.items():
            assert done.headers.get_list(name) == [value], (path, name)
        assert "http://" not in done.text.replace("http://www.w3.org", "")
        assert "https://" not in done.text
        assert "<script" not in done.text
        assert " style=" not in done.text
        if done.headers.get("content-type", "").startswith("text/html"):
            assert "This is not a crisis service" in done.text, path


def test_the_clients_page_says_who_it_is_what_is_open_why_and_why_not(served, code):
    kim = served.seated("therapist", "T1")
    before = len(looked(served))
    page = kim.get(f"/client/{code}")
    assert page.status_code == 200
    for words in (
        "Anna Müller",
        code,
        "<svg",
        "six attended",
        "Nothing is booked ahead.",
        "Yes: Quiet",
        "No: Missed",
        "A client is never called quiet earlier than this after the last appointment: 14 days (default).",
        "No goal is written down.",
    ):
        assert words in page.text, words
    done = kim.send(form(page.text, "snooze"), until="2026-12-01", reason="away", note="Ruft zurück <b>")
    assert "You said: Ask me again on Tue 1 Dec, in 8 days" in done.text
    assert "Ruft zurück &lt;b&gt;" in done.text
    assert "to “Quiet”, by you" in done.text
    with served.clinic.practice.store.read() as connection:
        acts = [(act.act, act.who) for act in lookups.acts(connection, 20, code)]
    assert len(looked(served)) == before + 2
    assert ("client page read", "therapist:T1") in acts
    assert ("answered", "therapist:T1") in acts


def test_a_supervisor_sees_their_teams_findings_and_not_who_it_is(serve):
    def team(clinic):
        clinic.therapists.clear()
        clinic.therapist("T1", supervisor="S1")
        clinic.therapist("S1")
        quiet(clinic)

    served = serve(team, more=DESK + 'label = "name"\n')
    sam = served.seated("supervisor", "S1")
    page = sam.get("/today").text
    assert "Müller" not in page
    assert "With Dr T1 (T1)." in page
    link = next(f for f in forms(page) if f.fields.get("reply") == "done").action.removesuffix("/answer")
    about = sam.get(link).text
    for words, wanted in (
        ("Yes: Quiet", True),
        ("Müller", False),
        ("<svg", False),
        ("<h2>Goals", False),
        ("What was answered", False),
    ):
        assert (words in about) is wanted, words
    assert "You said" in sam.send(form(page, "done")).text
    kim = served.seated("therapist", "T1")
    assert "to “Quiet”, by Dr S1 (S1)" in kim.get(link).text
    lee = served.seated("therapist", "S1")
    assert "Quiet" not in lee.get("/today").text
    assert lee.get(link).status_code == 404


def test_a_supervisor_may_ask_who_it_is_once_a_risk_has_reached_them_and_the_look_is_recorded(serve, tmp_path):
    def team(clinic):
        clinic.therapists.clear()
        clinic.therapist("T1", supervisor="S1")
        clinic.therapist("S1")
        clinic.therapist("S2")
        quiet(clinic)
        clinic.score("1001", "PHQ-9", NOW - 3600, 12, risk=2)

    with Mailbox(tmp_path / "mails") as mailbox:
        served = serve(team, port=mailbox.port).goes()
        _asks_who(served)


def _day(served):
    """What a running practice does."""
    served.clinic.sync(served.now)
    served.clinic.look(served.now)
    deliver(served.clinic.practice, served.now, "test")


def _asks_who(served):
    _day(served)
    sam, kim = served.seated("supervisor", "S1"), served.seated("therapist", "T1")
    lee = served.seated("supervisor", "S2")
    code = form(sam.get("/today").text, "known").action.split("/")[2]
    asking = Form(f"/client/{code}/who", {"form": forms(sam.get(f"/client/{code}").text)[-1].fields["form"]})
    assert "Show who this is" not in sam.get(f"/client/{code}").text  # the therapist was told, and has time to answer
    assert sam.send(asking).status_code == 404
    served.later(5 * 3600)
    _day(served)
    page = sam.get(f"/client/{code}").text
    assert "Show who this is" in page
    assert "Müller" not in page
    before = len(looked(served))
    asking = next(f for f in forms(page) if f.action.endswith("/who"))
    assert sam.send(Form(asking.action, {"form": "forged"})).status_code == 400
    said = sam.send(asking).text
    assert f"{code} is Anna Müller." in said
    assert "That you looked is recorded." in said
    (look,) = looked(served)[before:]
    assert (look.who, look.subject, look.details["why"]) == ("therapist:S1", code, "a risk reached the supervisor")
    for other in (lee, kim):
        token = next(f.fields["form"] for f in forms(other.get("/today").text) if "form" in f.fields)
        assert other.send(Form(f"/client/{code}/who", {"form": token})).status_code == 404


def test_the_front_office_finds_people_and_their_appointments_and_nothing_else(served, code):
    flo = served.seated("front_office")
    (find,) = [f for f in forms(flo.get("/find").text) if f.action == "/find"]
    page = flo.send(find, words="müller  ANNA")
    for words, wanted in (("Anna Müller", True), ("<svg", True), ("Quiet", False), ("Goals", False), ("Why", False)):
        assert (words in page.text) is wanted, words
    assert "Nobody has that code, id or name" in flo.send(find, words="Niemand <Namenlos>").text
    assert flo.send(find, words="1001").status_code == 200
    meant = code[2:].replace("0", "o").replace("1", "l")
    for typed in (code, code.lower(), f"  {code[2:].lower()} ", meant):
        assert "Anna Müller" in flo.send(find, words=typed).text, typed
    for unknown in ("C-0000000", "c-ZZZZZZZ", "C-", "C-7F3"):
        assert "Nobody has that code" in flo.send(find, words=unknown).text, unknown
    assert flo.post(f"/client/{code}/answer", {}).status_code == 404
    assert ("client page read", code) in [(act.act, act.subject) for act in served.clinic.rows(Audit)]


def test_a_code_in_an_address_may_have_small_letters(served, code):
    kim = served.seated("therapist", "T1")
    assert "Anna Müller" in kim.get(f"/client/{code.lower()}").text
    assert kim.get(f"/confirm/{code.lower()}").status_code == 200
    assert kim.get("/client/c-0000000").status_code == 404


def test_technical_staff_see_how_the_practice_runs_and_nobody(served, code):
    practice = served.clinic.practice
    source = practice.settings.source_named("records")
    why = "Row 7 of appointments.csv holds a date that cannot be read; write it as 2026-03-14."
    reject = Reject("appointments.csv, row 7", "bad-date", why, b"7,Anna M\xc3\xbcller", client_ids=("1001",))
    message = {
        "recipient": f"client:{code}",
        "channel": "mail",
        "sealed": b"Anna",
        "urgency": "ordinary",
        "claimed_at": NOW,
    }
    with practice.store.write() as connection:
        quarantine.hold(connection, practice.vault, source, [reject], NOW - 600)
        rejected.find_all(connection, practice.vault)
        for state, problem in ((MessageState.failed, "it was refused"), (MessageState.sent, "")):
            header = {"message_id_header": state.value, "state": state.value, "problem": problem, "settled_at": NOW}
            insert_rows(connection, Message, [message | header])
        failed = table(Message).c.state == MessageState.failed.value
        number = connection.execute(select(table(Message).c.id).where(failed)).scalar_one()
    page = served.seated("technical").get("/practice").text
    assert "records: read" in page
    assert "Nothing is sent from here until somebody arms it." in page
    assert f"{why}<br>" in page
    assert "records, appointments.csv, row 7, 10 minutes ago" in page
    assert f"{number} (ordinary, by mail): refused for good: it was refused; a moment ago." in page
    assert "1 sent (last 7 days)" in page
    assert "1 refused for good (last 7 days)" not in page
    assert "<form" not in page.partition("<main")[2]
    for unseen in (code, "Müller", "1001", "client:"):
        assert unseen not in page


@pytest.mark.parametrize(("label", "shown"), [("code", ""), ("initials", "A. M."), ("name", "Anna Müller")])
def test_the_practice_chooses_what_stands_on_cards_and_each_look_is_audited(serve, label, shown):
    served = serve(quiet, more=f'{DESK}label = "{label}"\n')
    kim = served.seated("therapist", "T1")
    before = len(looked(served))
    page = kim.get("/today").text
    looks = looked(served)[before:]
    assert (shown in page, len(looks)) == (True, 1 if shown else 0)
    assert ("Müller" in page) == (label == "name")


def looked(served):
    """Who looked at who somebody is. Rows of the audit stay from test to test: nobody can remove them."""
    return [act for act in served.clinic.rows(Audit) if act.act == "identity read"]


def statements(served, sitting, path):
    """How many statements a page takes."""
    seen = []

    def count(connection, cursor, statement, *_):
        seen.append(statement)

    store = served.clinic.practice.store
    for engine in (store.engine, store._reader):
        event.listen(engine, "before_cursor_execute", count)
    try:
        assert sitting.get(path).status_code == 200
    finally:
        for engine in (store.engine, store._reader):
            event.remove(engine, "before_cursor_execute", count)
    return len(seen)


def test_the_number_of_queries_does_not_depend_on_the_number_of_clients(serve):
    def many(clinic):
        for number in range(2000, 2200):
            clinic.client(str(number), f"Klara Nr{number}", therapist="T2")
            clinic.seen(str(number), *each(7, 4, days_ago(30)), therapist="T2")
        clinic.therapists.clear()
        for therapist, supervisor in (("T1", "S1"), ("T2", "S2"), ("S1", ""), ("S2", "")):
            clinic.therapist(therapist, supervisor=supervisor)
        clinic.client("1002", "Berta Braun")
        clinic.seen("1001", *each(7, 4, days_ago(30)))
        clinic.seen("1002", *each(7, 4, days_ago(30)))
        clinic.sync(NOW)
        clinic.look(NOW)

    served = serve(many, more=f'{DESK}label = "name"\n', calendars=())
    few, full = served.seated("therapist", "T1"), served.seated("therapist", "T2")
    counts = statements(served, few, "/today"), statements(served, full, "/today")
    assert counts[0] == counts[1] <= 20
    assert full.get("/today").text.count("<article") == 200
    codes = [next(f.action for f in forms(s.get("/today").text) if "/answer" in f.action) for s in (few, full)]
    pages = [statements(served, s, c.removesuffix("/answer")) for s, c in zip((few, full), codes, strict=True)]
    assert pages[0] == pages[1] <= 60
    small, large = served.seated("supervisor", "S1"), served.seated("supervisor", "S2")
    counts = statements(served, small, "/today"), statements(served, large, "/today")
    assert counts[0] == counts[1] <= 20
    assert large.get("/today").text.count("<article") == 200
    pages = [statements(served, s, c.removesuffix("/answer")) for s, c in zip((small, large), codes, strict=True)]
    assert pages[0] == pages[1] <= 60
