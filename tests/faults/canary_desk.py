"""Somebody sits at the desk with identities on the screen: what they open, answer and mistype leaves none of it, and no token, behind."""

import random
import re
import threading
import time

import httpx
import uvicorn

from integrations.store import accounts, links
from models.accounts import ACCOUNT, Purpose, Role
from tending.desk.app import desk
from tending.desk.serve import config, free_port, listening
from tests.desk.conftest import forms
from tests.faults.canary_practice import GOAL, IDS, NOTES, QUIET, THERAPIST, THERAPIST_MAIL, Run

CARD = re.compile(r"/card/([\w-]+)")


def sit_down(run: Run) -> list[str]:
    """Sign in, look at Today and at a client, answer with a note, take it back, open a link of a mail, mistype. Answers all tokens."""
    now = run.now + 3600
    practice = run.practice
    with practice.store.write() as connection:
        number = accounts.add(connection, practice.vault, Role.therapist, THERAPIST, THERAPIST_MAIL, "T1", "test", now)
        token = links.make(connection, practice.vault, Purpose.sign_in, f"{ACCOUNT}{number}", None, "", now)
    tokens = [token, *{found for mail in run.mailbox.mails() for found in CARD.findall(mail.text)}]
    with listening(free_port(random.randint(30_000, 50_000))) as listener:
        server = uvicorn.Server(config(desk(practice, lambda: now)))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        base = f"http://127.0.0.1:{listener.getsockname()[1]}"
        try:
            with httpx.Client(base_url=base, trust_env=False, timeout=20) as browser:
                tokens.append(_at_the_desk(run, browser, token))
                for card in tokens[1:-1]:
                    assert browser.get(f"/card/{card}").status_code in (200, 410)
                    assert browser.get(f"/card/{card}x").status_code == 410
        finally:
            server.should_exit = True
            thread.join(10)
    return tokens


def _at_the_desk(run: Run, browser: httpx.Client, token: str) -> str:
    (enter,) = forms(browser.get(f"/in/{token}").text)
    signed_in = browser.post(enter.action, data=enter.fields)
    cookie = signed_in.headers["set-cookie"].split(";")[0].partition("=")[2]
    browser.headers["cookie"] = f"tending-desk={cookie}"
    assert browser.get("/today").status_code == 200
    code = run.code_of(IDS[0])
    page = browser.get(f"/client/{code}").text
    assert QUIET in page
    assert GOAL in page
    for path in (f"/client/{code}/ending", f"/client/{code}/referral", f"/confirm/{code}", "/leave", "/leave/T1"):
        assert browser.get(path).status_code == 200, path
    done = next(form for form in forms(page) if form.fields.get("reply") == "snooze")
    answered = browser.post(
        done.action, data=done.but(until=f"{_tomorrow(run)}", reason="waiting", note=f"{NOTES}, {QUIET}")
    )
    assert answered.status_code == 303
    after = browser.get(answered.headers["location"]).text
    assert NOTES in browser.get(f"/client/{code}").text
    undo = next(form for form in forms(after) if form.action.endswith("/undo"))
    assert browser.post(undo.action, data=undo.fields).status_code == 303
    for path in (f"/client/{QUIET}", f"/{QUIET}", f"/today?who={QUIET}", "/client/C-0000000"):
        assert browser.get(path).status_code in (200, 404)
    assert browser.post("/sign-in", data={"address": THERAPIST_MAIL}).status_code == 200
    assert browser.post(done.action, data=done.but(reply=QUIET)).status_code >= 400
    return cookie


def _tomorrow(run: Run) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(run.now + 86400))
