"""A desk that is really served, over a practice on either database, and people who sit at it with a browser's habits."""

import html
import random
import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
import uvicorn

from integrations.store import accounts, leases, links
from integrations.store.tables import insert_rows
from models.accounts import ACCOUNT, Purpose, Role
from models.findings import Finding
from models.instants import DAY, Instant
from models.quarantine import Lease
from tending.desk.app import desk
from tending.desk.serve import config, free_port, listening
from tests.builders import NOW, Clinic, days_ago, each, in_days

PUBLIC = "https://desk.example.org"
DESK = f'[desk]\npublic_url = "{PUBLIC}"\n'
FORM = re.compile(r'<form method="post" action="([^"]+)"[^>]*>(.*?)</form>', re.S)
FIELD = re.compile(r'<input[^>]*name="(\w+)"[^>]*value="([^"]*)"')
BUTTON = re.compile(r'<button[^>]*name="(\w+)" value="([^"]*)"')


@dataclass
class Form:
    """One form of a page: where it goes, what it holds, and the value of its button."""

    action: str
    fields: dict[str, str]

    def but(self, **changed: str) -> dict[str, str]:
        return self.fields | changed


def forms(text: str) -> list[Form]:
    """The forms of a page, as a browser would send them."""
    found = []
    for action, inside in FORM.findall(text):
        fields = {name: html.unescape(value) for name, value in FIELD.findall(inside)}
        fields |= dict(BUTTON.findall(inside))
        found.append(Form(html.unescape(action), fields))
    return found


def form(text: str, reply: str, code: str = "") -> Form:
    """The form with that answer on its button."""
    return next(f for f in forms(text) if f.fields.get("reply") == reply and code in f.action)


@dataclass
class Served:
    """A desk at a base address, its practice, and the time that it goes by."""

    clinic: Clinic
    base: str
    time: list[Instant] = field(default_factory=lambda: [NOW])
    browsers: list[httpx.Client] = field(default_factory=list)

    @property
    def now(self) -> Instant:
        return self.time[0]

    def later(self, seconds: float) -> None:
        self.time[0] += int(seconds)

    def goes(self) -> "Served":
        """Mail is sent from here: somebody has armed it, and `up` runs."""
        self.clinic.arm()
        with self.clinic.practice.store.write() as connection:
            insert_rows(connection, Lease, [{"name": leases.UP, "holder": "up test", "until": self.now + 365 * DAY}])
        return self

    def browser(self) -> httpx.Client:
        """A browser that follows no redirects by itself."""
        self.browsers.append(httpx.Client(base_url=self.base, timeout=20, trust_env=False))
        return self.browsers[-1]

    def account(self, role: str, therapist: str = "", address: str = "") -> int:
        practice = self.clinic.practice
        with practice.store.write() as connection:
            mail = address or f"{role}-{therapist.lower()}@example.org"
            return accounts.add(
                connection, practice.vault, Role(role), "Kim Kärcher", mail, therapist, "test", self.now
            )

    def link(self, purpose: str, recipient: str, number: str = "", kind: str = "") -> str:
        """A link's token, as whoever renders a mail makes it."""
        practice = self.clinic.practice
        client = self.clinic.id_of(number) if number else None
        with practice.store.write() as connection:
            return links.make(connection, practice.vault, Purpose(purpose), recipient, client, kind, self.now)

    def sign_in(self, account: int) -> "Sitting":
        """Somebody who has opened their link and pressed the button."""
        browser = self.browser()
        token = self.link("sign_in", f"{ACCOUNT}{account}")
        (enter,) = forms(browser.get(f"/in/{token}").text)
        done = browser.post(enter.action, data=enter.fields)
        assert done.status_code == 303, done.text
        cookie = done.headers["set-cookie"].split(";")[0].partition("=")[2]
        return Sitting(self, browser, cookie)

    def seated(self, role: str, therapist: str = "") -> "Sitting":
        return self.sign_in(self.account(role, therapist))

    def findings(self, number: str, kind: str = "quiet") -> Any:
        return self.clinic.rows(Finding, client_id=self.clinic.id_of(number), kind=kind)[0]


@dataclass
class Sitting:
    """Somebody who is signed in. The cookie is Secure, meant for https with a web server in front; here it is handed on by hand."""

    desk: Served
    browser: httpx.Client
    cookie: str

    def __post_init__(self) -> None:
        self.browser.headers["cookie"] = f"tending-desk={self.cookie}"

    def get(self, path: str) -> httpx.Response:
        return self.browser.get(path)

    def post(self, path: str, fields: Any) -> httpx.Response:
        return self.browser.post(path, data=fields)

    def send(self, form: Form, **changed: str) -> httpx.Response:
        """Send a form and look at the page that follows."""
        done = self.post(form.action, form.but(**changed))
        return self.get(done.headers["location"]) if done.status_code == 303 else done


@pytest.fixture
def serve(a_clinic: Callable[..., Clinic]) -> Iterator[Callable[..., Served]]:
    """Serves the desk of a practice with one client, Anna Müller (1001 of T1), until the test ends."""
    running: list[tuple[Served, uvicorn.Server, threading.Thread, Any]] = []

    def start(
        fill: Callable[[Clinic], None] | None = None, more: str = DESK, at_port: int = 0, **options: Any
    ) -> Served:
        clinic = a_clinic(more=more, **options)
        clinic.client("1001", "Anna Müller")
        if fill is not None:
            fill(clinic)
        served = Served(clinic, "")
        server = uvicorn.Server(config(desk(clinic.practice, lambda: served.time[0])))
        holder = listening(free_port(at_port or random.randint(20_000, 30_000)))
        listener = holder.__enter__()
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        served.base = f"http://127.0.0.1:{listener.getsockname()[1]}"
        running.append((served, server, thread, holder))
        return served

    yield start
    for served, server, thread, holder in running:
        for browser in served.browsers:
            browser.close()
        server.should_exit = True
        thread.join(10)
        holder.__exit__(None, None, None)


def quiet(clinic: Clinic, now: Instant = NOW) -> None:
    """Anna came each week until 16 days ago; nothing lies ahead, and that became news lately."""
    clinic.client("1002", "Berta Braun")
    clinic.seen("1001", *each(7, 6, days_ago(16)))
    clinic.entry("t1", "b", in_days(200), "Berta Braun")
    for day in range(-7, 0):
        clinic.sync(now + day * DAY)
        clinic.look(now + day * DAY)
    clinic.sync(now)
    clinic.look(now)


@pytest.fixture
def served(serve: Callable[..., Served]) -> Served:
    """A desk where Anna Müller is quiet."""
    return serve(quiet)


@pytest.fixture
def code(served: Served) -> str:
    """Anna's code."""
    from models.people import Client

    mine = served.clinic.id_of("1001")
    return next(row.code for row in served.clinic.rows(Client) if row.id == mine)


@pytest.fixture
def kim(desk):
    """T1."""
    return desk.seated("therapist", "T1")


@pytest.fixture
def sam(desk):
    """S1, who supervises T1."""
    return desk.seated("supervisor", "S1")
