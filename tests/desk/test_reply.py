"""A provider's reply link: looking changes nothing, one answer, no client's name, and a plain sentence where it opens nothing any more."""

import re

import pytest

from integrations import referring
from integrations.store import referrals
from models.accounts import LASTS, Link, Purpose
from models.audit import Audit
from models.instants import DAY
from models.observations import Observation
from models.referral_row import ReferralRow
from tests.desk.conftest import PUBLIC, forms

CODE = "C-7F3K9QX"


@pytest.fixture
def sent(serve):
    """Anna Müller's referral, sent to P1 with a link; `sent.token` is the link's."""

    def fill(clinic):
        clinic.provider("P1", "P2", "P3")

    served = serve(fill)
    clinic = served.clinic
    clinic.sync(served.now)
    clinic.offer("1001", served.now)
    for what in ("chosen", "consented"):
        clinic.refer("1001", what, served.now, provider="P1", reason="client")
    with clinic.practice.store.write() as connection:
        who = clinic.id_of("1001")
        stood = referrals.find(connection, who, "R-1")
        letter, _ = referring.send(clinic.practice, connection, who, CODE, stood, "test", served.now)
    (served.token,) = re.findall(rf"{PUBLIC}/reply/(\S+)", letter)
    return served


def row(served):
    return served.clinic.rows(ReferralRow)[0]


def press(served, word, day="", browser=None):
    """The answer of that button, on the page as it stands now."""
    browser = browser or served.browser()
    page = browser.get(f"/reply/{served.token}")
    form = next(f for f in forms(page.text) if f.fields.get("word") == word)
    return browser.post(form.action, data=form.but(**({"day": day} if day else {})))


def told(served):
    return [r.facts for r in served.clinic.rows(Observation, kind="referral") if r.facts["what"] == "news"]


def test_looking_changes_nothing_and_names_nobody(sent):
    browser = sent.browser()
    for method in (browser.get, browser.head):
        for _ in range(3):
            assert method(f"/reply/{sent.token}").status_code == 200
    page = browser.get(f"/reply/{sent.token}").text
    code = sent.clinic.rows(ReferralRow)[0]
    assert "R-1" in page
    assert not any(word in page for word in ("Anna", "Müller", "1001", "Praxis P1", "therapy", CODE, "/sign-in"))
    assert told(sent) == []
    assert code.status == "2"


def test_the_token_is_kept_nowhere(sent):
    vault = sent.clinic.practice.vault
    (letter,) = [vault.open(r.sealed)["letter"] for r in sent.clinic.rows(Observation, kind="referral") if r.sealed]
    assert sent.token not in letter
    assert "Praxis P1" in letter
    assert "here stands the link" in letter
    rows = str(sent.clinic.rows(Link)) + str(sent.clinic.rows(Observation)) + str(sent.clinic.rows(Audit))
    assert sent.token not in rows


def test_one_answer_moves_it_and_a_second_is_not_taken(sent):
    browser = sent.browser()
    page = browser.get(f"/reply/{sent.token}").text
    accepted, full = (next(f for f in forms(page) if f.fields["word"] == word) for word in ("accepted", "full"))
    done = browser.post(accepted.action, data=accepted.fields)
    assert (done.status_code, "Thank you. It is written down" in done.text) == (200, True)
    assert row(sent).status == "3"
    for form in (accepted, full):
        again = browser.post(form.action, data=form.fields)
        assert (again.status_code, "opens nothing any more" in again.text) == (410, True)
    assert browser.get(f"/reply/{sent.token}").status_code == 410
    assert [(t["word"], t["provider"], t["via"], t["by"]) for t in told(sent)] == [
        ("accepted", "P1", "link", "provider:P1")
    ]
    assert row(sent).status == "3"


def test_a_visit_has_its_day(sent):
    sent.clinic.refer("1001", "news", sent.now, word="accepted", provider="P1")
    assert press(sent, "booked", "2026-12-01").status_code == 200
    assert (row(sent).status, row(sent).heard) == ("5.1.1", 2)
    assert told(sent)[-1]["day"] > sent.now


@pytest.mark.parametrize(("word", "status"), [("booked", "5.1.1"), ("seen", "5.1.4"), ("finished", "7")])
def test_every_answer_moves_what_was_only_sent(sent, word, status):
    done = press(sent, word)
    assert (done.status_code, "does not follow" in done.text) == (200, False)
    assert (row(sent).status, row(sent).aside) == (status, 0)


def test_what_does_not_follow_is_kept_and_said_so(sent):
    sent.clinic.refer("1001", "news", sent.now, word="finished", provider="P1")
    done = press(sent, "booked")
    assert (done.status_code, "does not follow from what we knew before" in done.text) == (200, True)
    assert (row(sent).status, row(sent).aside) == ("7", 1)


@pytest.mark.parametrize(("word", "day"), [("booked", "1900-01-01"), ("seen", "2027-01-01")])
def test_a_slip_of_the_keyboard_does_not_use_the_link_up(sent, word, day):
    slip = press(sent, word, day)
    assert (slip.status_code, "nothing was written down" in slip.text) == (400, True)
    assert told(sent) == []
    assert press(sent, "booked", "2026-12-01").status_code == 200
    assert row(sent).status == "5.1.1"


@pytest.mark.parametrize("seconds", [-1, 0])
def test_it_opens_for_sixty_days(sent, seconds):
    sent.later(LASTS[Purpose.reply] + seconds)
    done = sent.browser().get(f"/reply/{sent.token}")
    assert done.status_code == (200 if seconds else 410)
    assert LASTS[Purpose.reply] == 60 * DAY


LATER = {
    "closed": ([("refused", {})], "closed by now"),
    "with another provider": (
        [("news", {"word": "cancel-asked"}), ("chosen", {"provider": "P2"})],
        "with somebody else by now",
    ),
    "on its way anew": ([("news", {"word": "cancel-asked"}), ("chosen", {"provider": "P1"})], "not been sent yet"),
}


@pytest.mark.parametrize("case", LATER)
def test_closed_wrong_provider_or_not_sent_is_a_sentence_and_what_was_said_is_kept(sent, case):
    acts, sentence = LATER[case]
    browser = sent.browser()
    page = browser.get(f"/reply/{sent.token}").text
    form = next(f for f in forms(page) if f.fields["word"] == "accepted")
    for what, more in acts:
        sent.clinic.refer("1001", what, sent.now + 60, **more)
    before = row(sent)
    assert sentence in browser.get(f"/reply/{sent.token}").text
    done = browser.post(form.action, data=form.fields)
    assert (done.status_code, sentence in done.text) == (200, True)
    after = row(sent)
    assert (after.state, after.status, after.provider_id) == (before.state, before.status, before.provider_id)
    assert after.aside == before.aside + 1
    assert browser.post(form.action, data=form.fields).status_code == 410


@pytest.mark.parametrize("path", ["nobody", "x" * 200, "%00", "card"])
def test_a_link_that_nobody_made(sent, path):
    assert sent.browser().get(f"/reply/{path}").status_code in (404, 410)
    assert sent.browser().post(f"/reply/{path}", data={"form": "", "word": "accepted"}).status_code in (400, 404)
    assert told(sent) == []


@pytest.mark.parametrize(
    "fields",
    [
        {"word": "accepted"},
        {"word": "accepted", "form": "wrong"},
        {"word": "cancel-asked", "form": "{form}"},
        {"word": "", "form": "{form}"},
        {"word": "booked", "form": "{form}", "day": "soon"},
    ],
    ids=str,
)
def test_what_is_no_form_of_ours_changes_nothing_and_uses_nothing(sent, fields):
    browser = sent.browser()
    page = browser.get(f"/reply/{sent.token}").text
    seal = forms(page)[0].fields["form"]
    data = {name: value.format(form=seal) for name, value in fields.items()}
    assert browser.post(f"/reply/{sent.token}", data=data).status_code == 400
    assert told(sent) == []
    assert browser.get(f"/reply/{sent.token}").status_code == 200


def test_a_reply_link_is_no_card_and_no_way_in(sent):
    browser = sent.browser()
    assert browser.get(f"/card/{sent.token}").status_code == 410
    assert browser.get(f"/in/{sent.token}").status_code != 200 or "button" not in browser.get(f"/in/{sent.token}").text
    card = sent.link("card", "therapist:T1", "1001", "quiet")
    assert browser.get(f"/reply/{card}").status_code == 410
