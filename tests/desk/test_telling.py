"""What a client is told of an ending's appointments: read by their therapist as it leaves, and sent only with a yes to exactly that."""

import html

import pytest

from integrations.delivery import deliver
from integrations.messages.mailbox import Mailbox, read_mails
from models.audit import Audit
from models.instants import DAY, HOUR
from models.invitations import CLIENT, Invitation, wanted_of
from models.noticing import THERAPIST
from tests.builders import NOW
from tests.desk.conftest import forms
from tests.desk.test_ending import code_of, going, saying, team, text_of


def reachable(clinic):
    """The same team; Anna has a mail address."""
    clinic.clients[0]["contact"] = "anna@example.net"
    team(clinic)


@pytest.fixture
def desk(serve):
    return serve(reachable, port=9)


@pytest.fixture
def code(desk, kim, sam):
    """Anna, whose ending goes on; two appointments are proposed, and T1's calendar shows the first."""
    code = code_of(desk)
    going(desk, kim, sam, code)
    kim.send(next(f for f in forms(kim.get(f"/client/{code}").text) if f.action.endswith("/ending/propose")))
    accepted(desk, sides(desk, THERAPIST)[0])
    return code


def sides(desk, whose):
    rows = (row for row in desk.clinic.rows(Invitation) if row.recipient.startswith(whose))
    return sorted(rows, key=lambda row: wanted_of(row.wanted).start)


def accepted(desk, row, moved=0):
    desk.clinic.entry("t1", row.uid, wanted_of(row.wanted).start + moved, "Anna Müller")
    desk.later(60)
    desk.clinic.sync(desk.now)


def yes(page):
    return [f for f in forms(page.text) if f.action.endswith("/ending/messages")]


def acts(desk, act):
    return [row for row in desk.clinic.rows(Audit) if row.act == act]


def test_what_is_shown_is_what_is_sent_and_it_is_kept_who_approved(desk, kim, code):
    page = kim.get(f"/client/{code}")
    assert f'href="/client/{code}/ending/messages"' in page.text
    looked = kim.get(f"/client/{code}/ending/messages")
    assert "By mail to anna@example.net" in looked.text
    assert code not in html.unescape(looked.text.partition("<pre")[2].partition("</pre>")[0]), "theirs names no code"
    assert sides(desk, CLIENT) == [], "looking sends nothing"
    assert acts(desk, "contact read")[-1].who == "therapist:T1"
    (form,) = yes(looked)
    for _ in range(2):  # sent twice
        kim.send(form)
    (theirs,) = sides(desk, CLIENT)
    assert (theirs.approved, theirs.uid, theirs.state) == ("therapist:T1", sides(desk, THERAPIST)[0].uid, "waiting")
    (said,) = acts(desk, "client invited")
    assert (said.who, said.details.pop("start") > 0, said.details) == ("therapist:T1", True, {"ending": True})
    assert "There is nothing to tell the client now." in kim.get(f"/client/{code}/ending/messages").text
    assert "/ending/messages" not in kim.get(f"/client/{code}").text


def test_a_yes_is_about_exactly_what_was_read(desk, kim, code):
    (form,) = yes(kim.get(f"/client/{code}/ending/messages"))
    accepted(desk, sides(desk, THERAPIST)[0], moved=HOUR)
    late = kim.send(form)
    assert (late.status_code, "has changed since you read it" in late.text) == (409, True)
    for changed in ({"seal": ""}, {"seal": "0" * 32}):
        (now,) = yes(kim.get(f"/client/{code}/ending/messages"))
        assert kim.post(now.action, now.but(**changed)).status_code == 409, changed
    assert kim.post(form.action, form.but(form="x")).status_code == 400
    assert sides(desk, CLIENT) == []
    kim.send(now)
    assert len(sides(desk, CLIENT)) == 1


def test_after_a_withdrawal_the_therapist_reads_that_the_client_expects_it_and_sends_that_it_is_off(serve, tmp_path):
    with Mailbox(tmp_path / "mails") as mailbox:
        desk = serve(reachable, port=mailbox.port).goes()
        kim, sam, code = desk.seated("therapist", "T1"), desk.seated("supervisor", "S1"), code_of(desk)
        going(desk, kim, sam, code)
        kim.send(next(f for f in forms(kim.get(f"/client/{code}").text) if f.action.endswith("/ending/propose")))
        deliver(desk.clinic.practice, desk.now, "test")
        accepted(desk, sides(desk, THERAPIST)[0])
        kim.send(yes(kim.get(f"/client/{code}/ending/messages"))[0])
        deliver(desk.clinic.practice, desk.now, "test")
        page = kim.send(saying(kim.get(f"/client/{code}"), "withdrawn"))
        assert "One appointment is as the client does not know it yet" in text_of(page)
        deliver(desk.clinic.practice, desk.now + 60, "test")
        desk.later(120)
        off = [" ".join(mail.text.split()) for mail in read_mails(mailbox.folder) if "Called off" in mail.text]
        said = "The ending that it was proposed for was withdrawn, and the client"
        assert (
            len([text for text in off if f"{said}, who was told of this appointment, has to hear from you" in text])
            == 1
        )
        assert len([text for text in off if f"{said} was never told of this appointment." in text]) == len(off) - 1 == 1
        (form,) = yes(kim.get(f"/client/{code}/ending/messages"))
        kim.send(form)
        deliver(desk.clinic.practice, desk.now, "test")
        theirs = [" ".join(mail.text.split()) for mail in read_mails(mailbox.folder) if mail.to == "anna@example.net"]
        assert "This appointment will not take place." in theirs[-1]
        assert "ending" not in theirs[-1]
        assert "/ending/messages" not in kim.get(f"/client/{code}").text


def test_nobody_else_reads_or_approves_it(desk, kim, sam, code):
    (form,) = yes(kim.get(f"/client/{code}/ending/messages"))
    for other in (sam, desk.seated("therapist", "P2"), desk.seated("front_office", "")):
        assert other.get(f"/client/{code}/ending/messages").status_code in (403, 404)
        assert other.post(form.action, form.fields).status_code in (400, 403, 404)
    assert sides(desk, CLIENT) == []


def test_a_cover_approves_it_under_their_own_name(desk, code):
    desk.clinic.leave.append({"therapist": "T1", "from": "2026-11-20", "to": "2026-11-25", "cover": "P2"})
    desk.clinic.sync(desk.now)
    cover = desk.seated("therapist", "P2")
    (form,) = yes(cover.get(f"/client/{code}/ending/messages"))
    cover.send(form)
    (theirs,) = sides(desk, CLIENT)
    assert theirs.approved == "therapist:P2"


def test_without_an_address_it_is_a_sentence(serve):
    desk = serve(team, port=9)
    kim, code = desk.seated("therapist", "T1"), code_of(desk)
    going(desk, kim, desk.seated("supervisor", "S1"), code)
    assert "There is nothing to tell the client now." in kim.get(f"/client/{code}/ending/messages").text
    kim.send(next(f for f in forms(kim.get(f"/client/{code}").text) if f.action.endswith("/ending/propose")))
    accepted(desk, sides(desk, THERAPIST)[0])
    looked = kim.get(f"/client/{code}/ending/messages")
    assert (looked.status_code, "holds no mail address" in looked.text) == (409, True)
    assert desk.now < NOW + DAY
