"""The desk as a web application: every route with whom it is for, and what holds for all answers."""

import logging
import time
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any, NamedTuple

from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response

from flows.workflow import where
from integrations.practice import Practice
from models.access import Page
from models.errors import TendingError, UsageError
from models.instants import Instant
from models.spoken import here
from models.subjects import code_in
from tending.desk import (
    by_link,
    client,
    clients,
    confirming,
    ending,
    leave,
    offering,
    office,
    referral,
    reply,
    saying,
    signing,
    telling,
    today,
    who,
)
from tending.desk.asking import COOKIE, NOTHING_HERE, Asked, SorryError, allowed, form_of, go, sentence, session_of
from tending.desk.limits import TOO_OFTEN, Limit, address_of

LOG = logging.getLogger("tending.desk")
CSS = (Path(__file__).parent / "desk.css").read_text(encoding="utf-8")
SIGNED_OUT = "You are not signed in any more, so nothing was changed. Sign in and say it again."
BROKEN = "Something went wrong on our side. Nothing was changed, and whoever looks after the program can read where."
UNREACHABLE = "That cannot be done at the moment, and nothing was changed. Try again in a minute."
OPENS_NOTHING = (400, 403, 404, 410)  # of a link: nobody's, too old, or with a form or a code that does not fit

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self';"
    " frame-ancestors 'none'; base-uri 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}


class Route(NamedTuple):
    """One route. `page` says which roles it is for (models.access.PAGES); None: it needs nobody to be signed in."""

    method: str
    path: str
    page: Page | None
    answer: Callable[[Asked], Response]
    mails: bool = False  # it has a link mailed, whoever asks


def css(asked: Asked) -> Response:
    """How it all looks."""
    return Response(CSS, media_type="text/css; charset=utf-8")


ROUTES = (
    Route("GET", "/desk.css", None, css),
    Route("GET", "/sign-in", None, signing.ask),
    Route("POST", "/sign-in", None, signing.send, mails=True),
    Route("GET", "/in/{token}", None, signing.offer),
    Route("POST", "/in/{token}", None, signing.enter),
    Route("GET", "/card/{token}", None, by_link.card),
    Route("POST", "/card/{token}", None, by_link.answer),
    Route("POST", "/card/{token}/undo", None, by_link.undo),
    Route("POST", "/card/{token}/fresh", None, by_link.fresh, mails=True),
    Route("GET", "/reply/{token}", None, reply.ask),
    Route("POST", "/reply/{token}", None, reply.tell),
    Route("GET", "/", Page.home, signing.home),
    Route("POST", "/sign-out", Page.sign_out, signing.leave),
    Route("GET", "/today", Page.today, today.today),
    Route("GET", "/clients", Page.clients, clients.clients),
    Route("GET", "/client/{code}", Page.client, client.client),
    Route("POST", "/client/{code}/answer", Page.answer, saying.answer),
    Route("POST", "/client/{code}/undo", Page.answer, saying.undo),
    Route("POST", "/client/{code}/who", Page.who, who.who),
    Route("GET", "/client/{code}/ending", Page.ending, ending.begin),
    Route("POST", "/client/{code}/ending", Page.ending, ending.start),
    Route("POST", "/client/{code}/ending/say", Page.ending, ending.say),
    Route("POST", "/client/{code}/ending/letter", Page.ending, ending.letter),
    Route("POST", "/client/{code}/ending/propose", Page.ending, ending.propose),
    Route("GET", "/client/{code}/ending/messages", Page.ending, telling.look),
    Route("POST", "/client/{code}/ending/messages", Page.ending, telling.approve),
    Route("GET", "/confirm/{code}", Page.confirm, confirming.ask),
    Route("POST", "/confirm/{code}", Page.confirm, confirming.answer),
    Route("GET", "/client/{code}/referral", Page.referral, offering.look),
    Route("POST", "/client/{code}/referral/find", Page.referral, offering.find),
    Route("POST", "/client/{code}/referral", Page.referral, referral.say),
    Route("GET", "/client/{code}/referral/letter", Page.referral, referral.letter),
    Route("GET", "/leave", Page.leave, leave.leaves),
    Route("GET", "/leave/{therapist}", Page.leave, leave.view),
    Route("POST", "/leave/{therapist}", Page.leave, leave.plan),
    Route("POST", "/leave/{therapist}/choice", Page.leave, leave.choose),
    Route("POST", "/leave/{therapist}/go", Page.leave, leave.go_ahead),
    Route("POST", "/leave/{therapist}/drop", Page.leave, leave.drop),
    Route("GET", "/find", Page.look_up, office.find),
    Route("POST", "/find", Page.look_up, office.found),
    Route("GET", "/practice", Page.practice, office.practice),
)

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]
Clock = Callable[[], Instant]


def desk(practice: Practice, clock: Clock = lambda: int(time.time())) -> App:
    """The application over an open practice; `clock` says what time it is."""
    inner = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    limit = Limit()
    for route in ROUTES:
        methods = ["GET", "HEAD"] if route.method == "GET" else [route.method]
        inner.add_api_route(route.path, _endpoint(practice, clock, route, limit), methods=methods, response_model=None)

    async def nowhere(request: Request, _: Exception) -> Response:
        return sentence(Asked(practice, clock()), "There is no such page here.", status=404)

    for status in (404, 405):
        inner.add_exception_handler(status, nowhere)
    return _around(inner, practice, clock)


def _endpoint(practice: Practice, clock: Clock, route: Route, limit: Limit) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        asked = Asked(
            practice, clock(), {k: str(v) for k, v in request.path_params.items()}, dict(request.query_params)
        )
        if "code" in asked.path:
            asked.path["code"] = code_in(asked.path["code"]) or asked.path["code"]
        whence = _whence(request)
        try:
            if route.page is None and route.answer is not css and not limit.allows(whence, asked.now):
                raise SorryError(429, TOO_OFTEN)
            if route.mails:
                limit.count(whence, asked.now)
            if any("\x00" in value for value in (*asked.path.values(), *asked.query.values())):
                raise SorryError(404, NOTHING_HERE)  # no database takes it, and nothing of ours holds it
            if route.method == "POST":
                asked.form = await form_of(request)
            answer = await run_in_threadpool(_answer, route, asked, request.cookies.get(COOKIE, ""))
        except SorryError as error:
            answer = sentence(asked, str(error), status=error.status)
        if route.page is None and not route.mails and answer.status_code in OPENS_NOTHING:
            limit.count(whence, asked.now)
        return answer

    return endpoint


def _whence(request: Request) -> str:
    return address_of(request.client.host if request.client else "", request.headers.get("x-forwarded-for", ""))


def _answer(route: Route, asked: Asked, cookie: str) -> Response:
    """The page's answer, or a plain sentence why there is none; whatever was begun in the database is undone then."""
    try:
        if route.page is not None:
            asked.session = session_of(asked.practice, cookie, asked.now)
            if asked.session is None:
                return go("/sign-in") if route.method == "GET" else sentence(asked, SIGNED_OUT, status=403)
            allowed(asked, route.page)
        return route.answer(asked)
    except UsageError as error:
        back = f"/card/{asked.path['token']}" if route.path.startswith("/card/") else asked.back
        return sentence(asked, here(str(error)), status=409, back=back)
    except TendingError as error:
        LOG.error("%s %s: %s", route.method, route.path, where(error))
        return sentence(asked, UNREACHABLE, status=503)
    except SorryError:
        raise
    except Exception as error:
        LOG.error("%s %s: %s", route.method, route.path, where(error))
        return sentence(asked, BROKEN, status=500)


def _around(inner: App, practice: Practice, clock: Clock) -> App:
    """What holds for all answers: headers, one line in the log that names the route and never what filled it, no stack trace."""
    headers = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        status = 0

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", []), *headers]
            await send(message)

        try:
            await inner(scope, receive, sending)
        except Exception as error:
            LOG.error("%s: %s", scope["method"], where(error))
            if not status:
                said = sentence(Asked(practice, clock()), BROKEN, status=500)
                await said(scope, receive, sending)
        finally:
            route = scope.get("route")
            LOG.info("%s %s %s", _known(scope["method"]), getattr(route, "path", "(no such page)"), status)

    return app


def _known(method: str) -> str:
    """A method as a log may hold it."""
    return method if method in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH") else "other"
