"""Many at the same moment: one card, one form, one sign-in link pressed by several at once is acted on once."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from models.accounts import ACCOUNT
from models.observations import Observation
from tests.desk.conftest import form, forms

MANY = 6


def together(work, many):
    with ThreadPoolExecutor(len(many)) as pool:
        return list(pool.map(work, many))


@pytest.mark.parametrize("same", [True, False], ids=["the same form", "forms of several tabs"])
def test_a_card_is_answered_once(served, same):
    token = served.link("card", "therapist:T1", "1001", "quiet")
    pages = [form(served.browser().get(f"/card/{token}").text, "done") for _ in range(MANY)]
    pages = pages[:1] * MANY if same else pages
    done = together(lambda f: served.browser().post(f.action, data=f.fields).status_code, pages)
    assert sorted(done) == [303] * (MANY if same else 1) + [409] * (0 if same else MANY - 1)
    assert len(served.clinic.rows(Observation, kind="answer")) == 1
    assert "You said: I have seen to it." in served.browser().get(f"/card/{token}").text


def test_forms_of_several_tabs_answer_once(served):
    kim = served.seated("therapist", "T1")
    pages = [form(kim.get("/today").text, reply) for reply in ("done", "no-concern") * (MANY // 2)]

    def post(one):
        browser = served.browser()
        said = one.but(reason="planned") if one.fields["reply"] == "no-concern" else one.fields
        return browser.post(one.action, data=said, headers={"cookie": f"tending-desk={kim.cookie}"}).status_code

    done = together(post, pages)
    assert sorted(done) == [303] + [409] * (MANY - 1)
    assert len(served.clinic.rows(Observation, kind="answer")) == 1


def test_a_sign_in_link_gives_one_session(served):
    token = served.link("sign_in", f"{ACCOUNT}{served.account('therapist', 'T1')}")
    (enter,) = forms(served.browser().get(f"/in/{token}").text)
    done = together(lambda f: served.browser().post(f.action, data=f.fields).status_code, [enter] * MANY)
    assert sorted(done) == [303] + [410] * (MANY - 1)
