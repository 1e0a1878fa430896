"""What a request comes to before a page answers it: who asks, what was sent, and the one way in which a page is made."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from hmac import compare_digest
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from fastapi import BackgroundTasks, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sqlalchemy import Connection

from integrations.practice import Practice
from integrations.store import accounts, desk, links, people
from integrations.store.accounts import Person
from integrations.store.terminations import SUPERVISION
from models.access import PAGES, Page
from models.accounts import ACCOUNT, LinkState, Purpose
from models.errors import UsageError
from models.instants import Instant, day_of
from models.naming import Holder, Naming
from models.settings import DeskPart
from models.voice import Voice

COOKIE = "tending-desk"
LARGEST_FORM = 16 * 1024  # bytes
MOST_FIELDS = 30
TOO_OLD = "This page was too old, so nothing was changed. Open it anew and say it again."
NOTHING_HERE = "There is nothing here for you."

_PAGES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "pages"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


class SorryError(Exception):
    """What was asked for cannot be done: `str(error)` is a plain sentence for whoever asked, `status` the answer's."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who is signed in."""

    person: Person
    token: str


@dataclass
class Asked:
    """One request: to which practice, when, by whom, with what. `form` and `query` hold the first value of each name."""

    practice: Practice
    now: Instant
    path: dict[str, str] = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)
    form: dict[str, str] = field(default_factory=dict)
    session: Session | None = None
    back: str = ""  # where a sentence that refuses something leads to

    @cached_property
    def settings(self) -> DeskPart:
        """[desk] of practice.toml, or what holds without it."""
        return self.practice.settings.desk or DeskPart()

    @cached_property
    def voice(self) -> Voice:
        return Voice(self.zone, self.practice.settings.practice.locale, self.now)

    @cached_property
    def zone(self) -> str:
        """Where whoever reads lives: a therapist's own zone where they have one, else the practice's."""
        if self.session is not None and self.session.person.therapist_id:
            with self.practice.store.read() as connection:
                self.read_by(connection, self.session.person.therapist_id)
                return self.zone
        return self.practice.zone

    def read_by(self, connection: Connection, therapist: str) -> None:
        """It is this therapist who reads."""
        self.zone = people.zone_of(connection, therapist) or self.practice.zone

    @cached_property
    def today(self) -> date:
        """The practice's day, on which relations begin and end."""
        return day_of(self.now, self.practice.zone)

    @cached_property
    def readers_day(self) -> date:
        """The day it is for whoever reads."""
        return day_of(self.now, self.zone)

    @cached_property
    def naming(self) -> Naming:
        """Therapists, and whoever else uses the desk, by name: they are nobody's clients."""
        vault = self.practice.vault
        with self.practice.store.read() as connection:
            names = people.names_of_therapists(connection, vault)
            holders = {p.id: Holder(p.role, p.therapist_id, p.name) for p in accounts.listed(connection, vault)}
        return Naming(False, names, holders)

    @property
    def person(self) -> Person:
        """Who is signed in; only asked for on pages that need somebody."""
        assert self.session is not None
        return self.session.person

    @property
    def by(self) -> str:
        """Who acts, for the audit and for answers."""
        return by_of(self.person)

    def sealed_form(self, token: str = "") -> str:
        """What a form of this session, or of this link, carries so that no other page can send it."""
        return self.practice.vault.hash("form", token or (self.session.token if self.session else ""))

    def require_form(self, token: str = "") -> None:
        """Raise SorryError unless the form came from a page of this session, or of this link."""
        if not compare_digest(self.form.get("form", "").encode(), self.sealed_form(token).encode()):
            raise SorryError(400, TOO_OLD)

    @cached_property
    def reach(self) -> desk.Reach:
        """Whose clients they see today."""
        with self.practice.store.read() as connection:
            return desk.reach_of(connection, self.person.role, self.person.therapist_id, self.today)


def by_of(person: Person) -> str:
    """How somebody is named in answers and in the audit: as therapist where they are one."""
    return f"therapist:{person.therapist_id}" if person.therapist_id else f"{ACCOUNT}{person.id}"


def named(asked: Asked, by: str) -> str:
    """Who said something, as whoever reads it calls them: `you`, `Dr Kärcher (T1)`, or a login name."""
    if asked.session is not None and by == asked.by:
        return "you"
    return asked.naming.person(by)


def form_id(asked: Asked) -> str:
    """The id under which what a form says is kept, drawn when its page was made. Raises UsageError where it has none."""
    try:
        return uuid.UUID(hex=asked.form.get("id", "")).hex
    except ValueError:
        raise UsageError("That form could not be read; nothing was changed. Open the page anew.") from None


def day_in(asked: Asked, name: str) -> date | None:
    """The day in a field of the form, None where it is empty. Raises UsageError where it is none."""
    text = asked.form.get(name, "").strip()
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise UsageError("That is no day; choose one, or write it like 2026-11-03.") from None


def session_of(practice: Practice, token: str, now: Instant) -> Session | None:
    """Who is signed in with a session's token."""
    if not token:
        return None
    with practice.store.read() as connection:
        found = links.open(connection, practice.vault, token, Purpose.session, now)
        if found.state is not LinkState.good or found.link is None:
            return None
        person = accounts.of_number(connection, practice.vault, int(found.link.recipient.removeprefix(ACCOUNT)))
    return Session(person, token) if person is not None else None


def allowed(asked: Asked, page: Page | None) -> None:
    """Raise SorryError where somebody who is signed in may not see a page; None is a page for everybody."""
    if page is not None and asked.session is not None and asked.person.role not in PAGES[page]:
        raise SorryError(404, NOTHING_HERE)


async def form_of(request: Request) -> dict[str, str]:
    """The fields of a form that was sent. Raises SorryError where it is too large or no form; nothing of it is repeated."""
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise SorryError(400, TOO_OLD)
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > LARGEST_FORM:
            raise SorryError(413, "That was too long, so nothing was changed. A few words are enough here.")
    try:
        fields = parse_qs(body.decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except ValueError:
        raise SorryError(400, "That could not be read, so nothing was changed. Open the page anew.") from None
    found = {name: values[0] for name, values in fields.items()}
    if any("\x00" in value for value in found.values()):
        raise SorryError(400, "That could not be read, so nothing was changed. Open the page anew.")
    return found


def page(asked: Asked, template: str, /, *, status: int = 200, **facts: Any) -> Response:
    """A whole page."""
    common: dict[str, Any] = {
        "practice": asked.practice.name,
        "language": asked.practice.settings.practice.locale.replace("_", "-"),
        "signed_in": asked.session is not None,
        "role": asked.session.person.role.value if asked.session else "",
        "form_token": asked.sealed_form() if asked.session else "",
    }
    common["fresh"] = lambda: uuid.uuid4().hex  # an id for each form
    return HTMLResponse(_PAGES.get_template(template).render({**common, **facts}), status_code=status)


def sentence(asked: Asked, *said: str, status: int = 200, title: str = "", back: str = "") -> Response:
    """A page that says one thing, with the way `back` to where one came from, else to the first page."""
    return page(asked, "sentence.html", status=status, title=title or "The desk", said=said, back=back)


def stopped(asked: Asked, text: str, *more: str, title: str, back: str) -> Response:
    """What somebody reads whose answer to an ending's question stopped it: what the code says, and whom to turn to."""
    code, _, offer = text.partition(f" {SUPERVISION}")
    return sentence(asked, code, " ".join(filter(None, (f"{SUPERVISION}{offer}", *more))), title=title, back=back)


def afterwards(work: Callable[..., None], *given: Any) -> BackgroundTasks:
    """Work that is done when the answer has left: how long it takes tells nobody anything."""
    tasks = BackgroundTasks()
    tasks.add_task(work, *given)
    return tasks


def go(where: str) -> Response:
    """Look at another page: after a form, so that loading it again sends nothing twice."""
    return RedirectResponse(where, status_code=303)
