"""Signing in with a link that is mailed, works once and for a quarter of an hour; signing out."""

from fastapi.responses import Response
from sqlalchemy import Connection

from integrations.store import accounts, arming, audit, leases, links
from models.access import FIRST_PAGE
from models.accounts import ACCOUNT, LASTS, LinkState, Opened, Purpose
from models.totp import TRIES
from tending.desk.asking import COOKIE, Asked, afterwards, go, page, sentence

SENT = "If that address belongs to somebody here, a link is on its way to it. It works once, for 15 minutes."
NOT_MAILED = (
    "No mail is sent from here at the moment, so no link comes now. Whoever looks after the program can give you one."
)
WRONG = "That code does not fit. It changes every half minute; after five wrong ones this link opens nothing any more."
NO_MORE = "This link opens nothing any more: it works once, for 15 minutes. Ask for another one."


def ask(asked: Asked) -> Response:
    """The page that asks for a mail address."""
    return page(
        asked, "sign_in.html", title="Signing in", note=not_mailed(asked) if _mails(asked) else "", mails=_mails(asked)
    )


def send(asked: Asked) -> Response:
    """Mail a link. What is said, and how long it takes, is the same whoever it is."""
    response = sentence(asked, not_mailed(asked) or SENT, title="Signing in")
    response.background = afterwards(_mail, asked, asked.form.get("address", ""))
    return response


def not_mailed(asked: Asked) -> str:
    """Why no link that is asked for comes by mail now: it is not allowed here, or the program that mails does not run. Else nothing."""
    with asked.practice.store.read() as connection:
        armed = arming.state_in(connection, asked.practice.data) is arming.Arming.armed
        comes = armed and bool(_mails(asked)) and leases.held(connection, leases.UP, asked.now)
    return "" if comes else NOT_MAILED


def _mail(asked: Asked, address: str) -> None:
    if not asked.settings.public_url:
        return
    with asked.practice.store.read() as connection:
        number = accounts.of_address(connection, asked.practice.vault, address)
    if number is not None:  # nobody who has no account makes the database write anything
        with asked.practice.store.write() as connection:
            accounts.ask_for_link(connection, Purpose.sign_in, f"{ACCOUNT}{number}", asked.now)


def offer(asked: Asked) -> Response:
    """What the link opens: a button. Programs that look at mails open every link, and must not use it up."""
    token = asked.path["token"]
    with asked.practice.store.read() as connection:
        found = links.open(connection, asked.practice.vault, token, Purpose.sign_in, asked.now)
        person = _whose(asked, connection, found)
    if person is None:
        return page(asked, "sign_in.html", status=410, title="Signing in", note=NO_MORE, mails=_mails(asked))
    return _button(asked, token, person)


def _button(asked: Asked, token: str, person: accounts.Person, note: str = "", status: int = 200) -> Response:
    return page(
        asked,
        "enter.html",
        status=status,
        title="Signing in",
        token=token,
        link_form=asked.sealed_form(token),
        code=bool(person.totp),
        note=note,
    )


def _whose(asked: Asked, connection: Connection, found: Opened) -> accounts.Person | None:
    """Whose a sign-in link is that is still good; None for any other."""
    if found.state is not LinkState.good or found.link is None or not found.link.recipient.startswith(ACCOUNT):
        return None
    return accounts.of_number(connection, asked.practice.vault, int(found.link.recipient.removeprefix(ACCOUNT)))


def enter(asked: Asked) -> Response:
    """The button was pressed: a session, if the link was good for one."""
    token = asked.path["token"]
    asked.require_form(token)
    with asked.practice.store.write() as connection:
        found = links.open(connection, asked.practice.vault, token, Purpose.sign_in, asked.now)
        person = _whose(asked, connection, found)
        if person is not None and found.link is not None:
            if person.totp and not accounts.use_code(connection, person, asked.form.get("code", ""), asked.now):
                links.count_wrong(connection, found.link, TRIES, asked.now)
                return _button(asked, token, person, WRONG, status=403)
            if not links.use(connection, found.link, asked.now):
                person = None
        if person is None:
            return page(asked, "sign_in.html", status=410, title="Signing in", note=NO_MORE, mails=_mails(asked))
        whose = f"{ACCOUNT}{person.id}"
        session = links.make(connection, asked.practice.vault, Purpose.session, whose, None, "", asked.now)
        audit.record(connection, asked.now, whose, "signed in", whose)
    response = go(FIRST_PAGE[person.role])
    response.set_cookie(
        COOKIE,
        session,
        max_age=LASTS[Purpose.session],
        path="/",
        secure=asked.settings.public_url.startswith("https://"),
        httponly=True,
        samesite="lax",
    )
    return response


def leave(asked: Asked) -> Response:
    """Sign out, here and for good."""
    asked.require_form()
    assert asked.session is not None
    with asked.practice.store.write() as connection:
        links.end(connection, asked.practice.vault, asked.session.token, asked.now)
    response = go("/sign-in")
    response.delete_cookie(COOKIE, path="/")
    return response


def home(asked: Asked) -> Response:
    """The first page of whoever is signed in."""
    return go(FIRST_PAGE[asked.person.role])


def _mails(asked: Asked) -> bool:
    """Whether links are mailed at all."""
    return bool(asked.settings.public_url)
