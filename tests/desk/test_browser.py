"""The desk in a real browser: from the mail to the answer, on a phone, without JavaScript, after a mail scanner, and without barriers."""

import importlib.util
import random
import re
import shutil
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from integrations.delivery import deliver
from integrations.messages.mailbox import Mailbox, read_mails
from integrations.store import accounts, answers
from models.accounts import ACCOUNT, Purpose
from models.instants import DAY
from models.observations import Observation
from tending.desk.serve import free_port
from tests.builders import NOW, days_ago, each, in_days
from tests.needs import need

CHROMIUM = shutil.which("chromium")
# Debian's Chromium as root, and nothing that it would ask of anybody else.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
LINK = re.compile(r"(http://127\.0\.0\.1:\d+/(?:card|in)/[\w-]+)")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """Debian's Chromium, driven."""
    if CHROMIUM is None or importlib.util.find_spec("playwright") is None:
        need("a browser", "the desk is walked through as a therapist would", "make browser")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def mailbox(tmp_path: Any) -> Iterator[Mailbox]:
    with Mailbox(tmp_path / "mails") as box:
        yield box


def three_open(clinic: Any) -> None:
    """Anna is quiet, Berta missed twice, Carla's last session rating fell; all of it is news of today."""
    clinic.client("1002", "Berta Braun")
    clinic.client("1003", "Carla Conrad")
    clinic.seen("1001", *each(7, 6, days_ago(14.02)))
    clinic.seen("1002", *each(7, 4, days_ago(16)))
    clinic.seen("1002", days_ago(9), status="missed")
    clinic.seen("1003", *each(7, 6, days_ago(2)))
    clinic.score("1003", "SRS", days_ago(9), 39)
    clinic.entry("t1", "b", in_days(100), "Berta Braun")
    clinic.entry("t1", "c", in_days(100), "Carla Conrad")
    clinic.goal("1003", "Wieder schlafen", set="2026-11-01", reviewed="2026-11-01")
    for number in ("1001", "1002"):
        clinic.goal(number, "Weniger grübeln", set="2026-11-01", reviewed="2026-11-01")
    clinic.sync(NOW - DAY)
    clinic.look(NOW - DAY)
    clinic.seen("1002", days_ago(1), status="missed")
    clinic.score("1003", "SRS", days_ago(0.5), 34)
    clinic.sync(NOW)
    clinic.look(NOW)


@pytest.fixture
def open_desk(serve: Any, mailbox: Mailbox) -> Any:
    """A desk under the address that its mails name; they lie in the mailbox."""
    port = free_port(random.randint(30_000, 50_000))
    more = f'[desk]\npublic_url = "http://127.0.0.1:{port}"\nlabel = "name"\n'
    served = serve(three_open, more=more, at_port=port, port=mailbox.port, policy='speak = "at_once"')
    assert served.base.endswith(f":{port}")
    served.clinic.arm()
    deliver(served.clinic.practice, served.now, "test")
    return served


def mails_of(mailbox: Mailbox) -> list[Any]:
    return list(read_mails(mailbox.folder))


def test_from_the_mail_to_the_answer_on_a_phone_without_javascript(
    open_desk: Any, mailbox: Mailbox, chromium: Any
) -> None:
    served, practice = open_desk, open_desk.clinic.practice
    (mail,) = mails_of(mailbox)
    links = LINK.findall(mail.text)
    assert len(links) == 3
    with httpx.Client(trust_env=False) as scanner:
        for link in links * 2:
            assert scanner.get(link).status_code == 200
            scanner.head(link)
    assert served.clinic.rows(Observation, kind="answer") == []
    page = chromium.new_context(**PHONE, java_script_enabled=False).new_page()

    page.goto(next(link for link in links if _says(link, "Quiet")))
    assert "Müller" not in page.content()  # a link alone shows the code
    page.get_by_text("We agreed on the next contact on").click()
    page.locator("input[type=date]:visible").first.fill("2026-11-23")  # today
    page.locator("details[open] button").first.click()
    assert "Take that back" in page.inner_text("main")
    (given,) = _answers(practice, served, "1001")
    assert given.reply == "agreed"

    page.goto(next(link for link in links if _says(link, "Missed")))
    page.get_by_role("button", name="I have seen to it").click()
    assert [a.reply for a in _answers(practice, served, "1002")] == ["done"]
    page.locator("form[action$='/undo'] button").click()
    assert _answers(practice, served, "1002") == []

    page.goto(next(link for link in links if _says(link, "Session rating")))
    page.get_by_text("This isn't a concern because").click()
    page.locator("details[open] button").first.click()  # without a reason nothing is sent
    assert _answers(practice, served, "1003") == []
    page.locator("details[open] select").select_option("planned")
    page.locator("details[open] button").first.click()
    assert [a.reply for a in _answers(practice, served, "1003")] == ["no-concern"]
    page.wait_for_load_state()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def _says(link: str, words: str) -> bool:
    return words in httpx.get(link, trust_env=False).text


def _answers(practice: Any, served: Any, number: str) -> list[Any]:
    with practice.store.read() as connection:
        return answers.answers_to(practice, connection, served.clinic.id_of(number))


def test_signed_in_the_client_page_has_name_goals_and_picture_andno_barriers(
    open_desk: Any, mailbox: Mailbox, chromium: Any
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    served, practice = open_desk, open_desk.clinic.practice
    number = served.account("therapist", "T1", "t1@example.org")
    context = chromium.new_context(viewport={"width": 900, "height": 900})
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{served.base}/sign-in")
    page.locator("input[name=address]").fill("t1@example.org")
    page.locator("main button").first.click()
    with practice.store.read() as connection:
        assert accounts.of_address(connection, practice.vault, "t1@example.org") == number
    for _ in range(100):  # the page has come; what is done about it is done afterwards
        if served.clinic.notices(purpose="sign_in"):
            break
        time.sleep(0.1)
    deliver(practice, served.now, "test")
    (link,) = LINK.findall(mails_of(mailbox)[-1].text)
    page.goto(link)
    pages = {"enter": page.content()}
    no_barriers(Axe().run(page), "enter")
    page.locator("main button").first.click()
    assert "Anna Müller" in page.inner_text("main")
    no_barriers(Axe().run(page), "today")
    page.get_by_role("link", name="Carla Conrad").click()
    said = page.inner_text("main")
    assert "Wieder schlafen" in said
    assert page.locator("svg").count() >= 1
    no_barriers(Axe().run(page), "client")
    page.emulate_media(color_scheme="dark")
    no_barriers(Axe().run(page), "client, dark")
    assert all(url.startswith(served.base) for url in asked)
    assert pages
    page.get_by_role("button", name="Sign out").or_(page.get_by_role("link", name="Sign out")).first.click()
    page.goto(f"{served.base}/today")
    assert "Anna" not in page.content()
    assert page.url.endswith("/sign-in")
    assert served.link(Purpose.sign_in, f"{ACCOUNT}{number}")


def test_after_an_answer_the_next_card_has_the_focus_and_what_was_said_is_in_view(
    open_desk: Any, chromium: Any
) -> None:
    served = open_desk
    context = chromium.new_context(**PHONE, java_script_enabled=True)
    page = context.new_page()
    page.goto(f"{served.base}/in/{served.link('sign_in', ACCOUNT + str(served.account('therapist', 'T1')))}")
    page.locator("main button").first.click()
    page.locator("article").first.wait_for()
    anchors = page.locator("article").evaluate_all("all => all.map(one => one.id)")
    assert len(anchors) >= 2
    page.get_by_role("button", name="I have seen to it").first.click()
    page.wait_for_load_state()
    assert page.evaluate("document.activeElement.id") == anchors[1]
    said = page.get_by_text("You said: I have seen to it.").bounding_box()
    assert 0 <= said["y"] <= 844


def no_barriers(found: Any, where: str) -> None:
    rules = [(violation["id"], violation["help"]) for violation in found.response["violations"]]
    assert rules == [], where
