"""An ending in a real browser: started with its question, confirmed from the mail, gone through, closed; on a phone, no JavaScript."""

import random
from typing import Any

import pytest

from integrations.delivery import deliver
from integrations.messages.mailbox import Mailbox
from models.accounts import ACCOUNT
from models.instants import DAY
from models.observations import Observation
from models.terminations import TerminationRow
from tending.desk.serve import free_port
from tests.builders import NOW
from tests.desk.test_browser import LINK, PHONE, chromium, mailbox, mails_of, no_barriers
from tests.desk.test_ending import code_of, team

__all__ = ["chromium", "mailbox"]  # fixtures of the neighbour


@pytest.fixture
def open_desk(serve: Any, mailbox: Mailbox) -> Any:
    """A desk under the address that its mails name; they lie in the mailbox."""
    port = free_port(random.randint(30_000, 50_000))
    more = f'[desk]\npublic_url = "http://127.0.0.1:{port}"\nlabel = "name"\n'
    served = serve(team, more=more, at_port=port, port=mailbox.port, policy='speak = "at_once"')
    served.clinic.arm()
    return served


def signed_in(served: Any, context: Any, account: int) -> Any:
    """A page of somebody who has opened their sign-in link and pressed the button."""
    page = context.new_page()
    page.goto(f"{served.base}/in/{served.link('sign_in', f'{ACCOUNT}{account}')}")
    page.locator("main button").first.click()
    return page


def fits_a_phone(page: Any) -> bool:
    page.wait_for_load_state()
    return bool(page.evaluate("document.documentElement.scrollWidth") <= 390)


def states(served: Any) -> list[str]:
    return [row.state for row in served.clinic.rows(TerminationRow)]


def test_from_the_start_to_the_close_on_a_phone_without_javascript(
    open_desk: Any, mailbox: Mailbox, chromium: Any
) -> None:
    served, code = open_desk, code_of(open_desk)
    phone = chromium.new_context(**PHONE, java_script_enabled=False)
    number = served.account("therapist", "T1")
    kim = signed_in(served, phone, number)

    kim.goto(f"{served.base}/client/{code}")
    kim.get_by_role("link", name="Start an ending").click()
    assert fits_a_phone(kim)
    assert kim.locator("input:checked").count() == 0
    start = kim.get_by_role("button", name="Start this ending")
    kim.get_by_label("Needs beyond what we can offer").check()
    kim.get_by_label("Mine, as therapist").check()
    start.click()  # the browser asks for the answer to the question: nothing is sent
    assert served.clinic.rows(Observation, kind="ending") == []
    kim.get_by_label("No", exact=True).check()
    start.click()
    assert "waits for the word of Dr S1 (S1)" in kim.inner_text("main")
    assert states(served) == ["waiting"]

    served.later(DAY)
    deliver(served.clinic.practice, served.now, "test")
    (mail,) = mails_of(mailbox)
    assert mail.to.startswith("s1@")
    (link,) = LINK.findall(mail.text)
    sam = chromium.new_context(**PHONE, java_script_enabled=False).new_page()
    sam.goto(link)
    assert code in sam.inner_text("h1")
    assert "Müller" not in sam.content()
    assert fits_a_phone(sam)
    confirm = sam.get_by_role("button", name="I confirm this ending")
    confirm.click()
    assert states(served) == ["waiting"]
    sam.get_by_label("No", exact=True).check()
    confirm.click()
    assert "It was confirmed." in sam.inner_text("main")
    assert states(served) == ["going"]

    kim = signed_in(served, phone, number)
    kim.goto(f"{served.base}/client/{code}")
    kim.get_by_role("button", name="Explain why: this is done").click()
    kim.get_by_role("button", name="Explain why: take that back").click()
    kim.get_by_role("button", name="Explain why: this is done").click()
    assert fits_a_phone(kim)
    for title in ("Room to process", "Where to go next", "Last appointment", "Closing letter"):
        kim.get_by_label(f"{title}: it could not be done").click()
        kim.locator("ol details[open] select").select_option("declined")
        kim.locator("ol details[open] button").click()
    kim.get_by_role("button", name="Records: this is done").click()
    kim.get_by_role("button", name="Close this ending").click()
    assert "Closed " in kim.inner_text("main")
    assert states(served) == ["closed"]
    assert fits_a_phone(kim)


@pytest.mark.long
def test_no_page_of_an_ending_a_referral_or_a_leave_has_barriers(open_desk: Any, chromium: Any) -> None:
    from axe_playwright_python.sync_playwright import Axe

    served, code = open_desk, code_of(open_desk)
    served.clinic.provider("P1", "P2", "P3", capacity="open", verified_on="2026-11-01")
    served.clinic.sync(NOW)
    context = chromium.new_context(viewport={"width": 900, "height": 900})
    kim = signed_in(served, context, served.account("therapist", "T1"))
    sam = signed_in(served, chromium.new_context(**PHONE), served.account("supervisor", "S1"))

    def look(page: Any, path: str, name: str) -> None:
        page.goto(f"{served.base}{path}")
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            no_barriers(Axe().run(page), f"{name}, {scheme}")

    look(kim, f"/client/{code}/ending", "start")
    kim.get_by_label("Client and therapist do not fit well").check()
    kim.get_by_label("Mine, as therapist").check()
    kim.get_by_label("No", exact=True).check()
    kim.get_by_role("button", name="Start this ending").click()
    look(kim, f"/client/{code}", "waiting")
    look(sam, "/today", "Today of whoever confirms")
    look(sam, f"/confirm/{code}", "confirm")
    sam.get_by_label("No", exact=True).check()
    sam.get_by_role("button", name="I confirm this ending").click()
    look(kim, f"/client/{code}/referral", "offer")
    for number in (1, 2, 3):
        kim.locator(f"input[name=take{number}]").check()
    kim.get_by_label("Yes, that is agreed").check()
    kim.get_by_role("button", name="These were offered").click()
    kim.goto(f"{served.base}/client/{code}")
    kim.get_by_role("button", name="Explain why: this is done").click()
    kim.locator("details").evaluate_all("all => all.forEach(one => { one.open = true; })")
    no_barriers(Axe().run(kim), "all that can be said")
    look(kim, "/leave", "leaves")
    look(kim, "/leave/T1", "days of a leave")
    kim.get_by_label("The first day away").fill("2027-02-01")
    kim.get_by_label("For good: there is no last day").check()
    kim.get_by_role("button", name="Show the caseload for these days").click()
    look(kim, "/leave/T1", "leave plan")
    kim.locator("details").evaluate_all("all => all.forEach(one => { one.open = true; })")
    no_barriers(Axe().run(kim), "leave plan, opened")
