"""Pages of those who are no therapists: the front office finds a client by code, id or name, technical staff see how the practice runs."""

from typing import Any

from fastapi.responses import Response

from integrations.store import arming, cases, identity, lookups, outbox, quarantine
from integrations.store.sources import all_rows
from models.instants import DAY
from models.notices import MEANING, MessageState
from models.sources import asked_about
from models.subjects import code_in
from models.voice import Voice
from models.words import counted
from tending.desk.asking import Asked, go, page
from tending.output import since

MOST_LINES = 100  # of a list; how many more there are is said
LASTING = (MessageState.claimed, MessageState.handing, MessageState.unsure, MessageState.failed)


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
    """Sources, quarantine and messages, line by line: nobody's identity, nobody's code, and no evidence. To be read only."""
    here, voice = asked.practice, asked.voice
    with here.store.read() as connection:
        rows = all_rows(connection)
        late = cases.stale_sources(here, connection, asked.now)
        settled = lookups.message_counts(connection, asked.now - 7 * DAY)
        waiting = lookups.waiting(connection, asked.now)
        underway = outbox.listed(connection, LASTING)
        aside = quarantine.counts(connection)
        state = arming.state_in(connection, here.data)
    return page(
        asked,
        "practice.html",
        title="The practice",
        sources=[
            _source(source.name, rows.get(source.name), source.name in late, asked) for source in here.settings.source
        ],
        aside=[
            (item.source, item.place, item.sentence, since(voice, item.seen_at))
            for item in quarantine.listed(here.store)[:MOST_LINES]
        ],
        aside_count=sum(aside.values()),
        underway=[_message(row, voice) for row in underway[:MOST_LINES]],
        underway_count=len(underway),
        messages={MEANING[MessageState(name)]: n for name, n in settled.items() if MessageState(name) not in LASTING},
        waiting=[_waiting(one) for one in waiting],
        armed=state is arming.Arming.armed,
    )


def _source(name: str, row: Any, late: bool, asked: Asked) -> str:
    """`records: read 12 minutes ago; ...`"""
    if row is None or row.read_at is None:
        parts = ["not read yet"]
    else:
        parts = [f"read {since(asked.voice, row.read_at)}" + (", too long ago to rely on" if late else "")]
    if row is not None and row.told:
        parts.append(f"the last try failed: {row.told.rstrip('.')}")
    if row is not None and (held := asked_about(row.held)):
        parts.append(f"{counted(held, 'entry', 'entries')} vanished at once and {'is' if held == 1 else 'are'} held")
    return f"{name}: {'; '.join(parts)}."


def _waiting(one: lookups.Waiting) -> str:
    """`2 ordinary notices wait, 1 of them due.`"""
    word = "waits" if one.notices == 1 else "wait"
    due = f", {one.due} of them due" if one.due and one.notices > 1 else ", due now" if one.due else ""
    return f"{counted(one.notices, f'{one.urgency} notice')} {word}{due}."


def _message(row: Any, voice: Voice) -> str:
    """`12 (ordinary, by mail): refused for good, since Tue 3 Nov: ...`; neither to whom nor about whom."""
    tries = f"; {counted(row.tries, 'earlier try', 'earlier tries')}" if row.tries else ""
    problem = f": {row.problem.rstrip('.')}" if row.problem else ""
    how = f"{row.urgency}, by {row.channel}"
    return f"{row.id} ({how}): {MEANING[MessageState(row.state)]}{problem}; {since(voice, row.handed_at or row.claimed_at)}{tries}."
