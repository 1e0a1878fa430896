"""Pages of those who are no therapists: the front office finds a client by code, id or name, technical staff see how the practice runs."""

from fastapi.responses import Response

from integrations.store import arming, cases, identity, lookups, quarantine
from integrations.store.sources import all_rows
from models.instants import DAY
from models.sources import asked_about
from models.subjects import code_in
from tending.desk.asking import Asked, go, page
from tending.output import since


def find(asked: Asked) -> Response:
    """The page that asks for a code, an id or a name."""
    return page(asked, "find.html", title="Find a client", codes=[], nobody=False)


def found(asked: Asked) -> Response:
    """Whoever has that code, id or name: their page, or a list where several have it. What was asked stands in no address; each look is
    audited."""
    asked.require_form()
    words = " ".join(asked.form.get("words", "").split())[:200]
    if (code := code_in(words)) and _is_there(asked, code):
        return go(f"/client/{code}")
    codes = identity.codes_of(asked.practice.store, asked.practice.vault, words, asked.by, asked.now) if words else []
    if len(codes) == 1:
        return go(f"/client/{codes[0]}")
    return page(asked, "find.html", title="Find a client", codes=codes, nobody=not codes)


def _is_there(asked: Asked, code: str) -> bool:
    with asked.practice.store.read() as connection:
        return lookups.about(connection, code) is not None


def practice(asked: Asked) -> Response:
    """Sources, messages and quarantine, in counts: nobody's identity and no evidence."""
    here, voice = asked.practice, asked.voice
    with here.store.read() as connection:
        rows = all_rows(connection)
        late = cases.stale_sources(here, connection, asked.now)
        messages = lookups.message_counts(connection, asked.now - 7 * DAY)
        waiting = lookups.waiting(connection, asked.now)
        aside = quarantine.counts(connection)
        state = arming.state_in(connection, here.data)
    sources = [
        {
            "name": source.name,
            "read": since(voice, rows[source.name].read_at)
            if source.name in rows and rows[source.name].read_at is not None
            else "never",
            "late": source.name in late,
            "held": asked_about(rows[source.name].held) if source.name in rows else 0,
            "aside": aside.get(source.name, 0),
        }
        for source in here.settings.source
    ]
    return page(
        asked,
        "practice.html",
        title="The practice",
        sources=sources,
        messages=messages,
        waiting=waiting,
        armed=state is arming.Arming.armed,
    )
