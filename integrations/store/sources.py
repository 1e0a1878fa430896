"""What is known of each source: when it was read, what went wrong, and what vanished from it and waits for a person."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, select, update

from integrations.store.cases import fresh_until
from integrations.store.changes import tell
from integrations.store.doubt import settled
from integrations.store.tables import insert_new, table
from models.changes import ChangeKind
from models.errors import UsageError
from models.findings import Look
from models.instants import Instant
from models.observations import Subject
from models.settings_source import SourcePart
from models.sources import ASKED, Source, SourceGap, questions

if TYPE_CHECKING:
    from integrations.practice import Practice


def ensure(connection: Connection, source: SourcePart) -> Any:
    """The source's row, made if it is new; what its words mean follows practice.toml."""
    rows = table(Source)
    insert_new(
        connection,
        Source,
        {
            "name": source.name,
            "kind": source.kind,
            "delivers": source.delivers.value,
            "past_booking": source.past_booking.value,
            "fingerprint": "",
            "first_read_at": None,
            "read_at": None,
            "renewed_at": None,
            "tried_at": None,
            "problem": "",
            "told": "",
            "held": {},
            "etag": "",
            "forgotten_at": None,
        },
    )
    meaning = {"kind": source.kind, "delivers": source.delivers.value, "past_booking": source.past_booking.value}
    # It is read, so it is there again if it was forgotten.
    connection.execute(update(rows).where(rows.c.name == source.name).values(**meaning, forgotten_at=None))
    return connection.execute(select(rows).where(rows.c.name == source.name)).one()


def was_read(
    practice: "Practice",
    connection: Connection,
    source: SourcePart,
    now: Instant,
    fingerprint: str,
    etag: str,
    renewed_at: Instant | None = None,
) -> None:
    """A complete reading: the source can refute absences again. A gap that ends is kept, and who waited for it is looked at again.

    `renewed_at`: when the newest file of it was written. Where that is too long ago, the source stays as late as it was.
    """
    rows = table(Source)
    row = ensure(connection, source)
    good_until = fresh_until(practice, source, row.read_at, row.renewed_at)
    fresh_again = now <= (fresh_until(practice, source, now, renewed_at) or 0)
    if fresh_again and (good_until is None or now > good_until):
        if good_until is not None:
            gap = {"source": source.name, "from_at": good_until, "to_at": now}
            insert_new(connection, SourceGap, gap)
            tell(connection, ChangeKind.source_recovered, source.name, None, now)
        looks = table(Look)
        connection.execute(update(looks).where(looks.c.blind).values(next_look=0))
    connection.execute(
        update(rows)
        .where(rows.c.name == source.name)
        .values(
            read_at=now,
            renewed_at=renewed_at,
            tried_at=now,
            first_read_at=row.first_read_at or now,
            problem="",
            told="",
            fingerprint=fingerprint,
            etag=etag,
        )
    )


def could_not_be_read(connection: Connection, source: SourcePart, now: Instant, problem: str, told: str) -> None:
    """A failed attempt: what was known stays, nothing is taken for cancelled. `told` is a sentence for people without content."""
    rows = table(Source)
    ensure(connection, source)
    connection.execute(update(rows).where(rows.c.name == source.name).values(tried_at=now, problem=problem, told=told))


def all_rows(connection: Connection) -> dict[str, Any]:
    """Every source's row by name."""
    return {row.name: row for row in connection.execute(select(table(Source)))}


def left_over(practice: "Practice", connection: Connection) -> list[Any]:
    """Sources that practice.toml names no more, and of which nobody has said that they are to be forgotten: what they said of the
    future still counts."""
    named = {source.name for source in practice.settings.source}
    rows = all_rows(connection)
    return [rows[name] for name in sorted(rows) if name not in named and rows[name].forgotten_at is None]


def clients_in(connection: Connection, name: str) -> set[int]:
    """Everybody whom an entry of the source concerns."""
    rows = table(Subject)
    return set(connection.execute(select(rows.c.client_id).where(rows.c.source == name).distinct()).scalars())


def release_held(connection: Connection, name: str, now: Instant, *, cancelled: bool, kind: str = "") -> dict[str, int]:
    """A person's word on entries that vanished together, of all kinds or of one: they are off (taken at the next reading), or the source
    was wrong and they stand. Answers how many of each kind; raises UsageError where nothing is held."""
    rows = table(Source)
    held = connection.execute(select(rows.c.held).where(rows.c.name == name).with_for_update()).scalar() or {}
    asked = {one: part for one, part in questions(held).items() if kind in ("", one)}
    if not asked:
        raise UsageError(
            f"Nothing is held for {name}{f' of the kind {kind}' if kind else ''}; `tending status` lists what is."
        )
    said = {kind: part for kind, part in held.items() if kind in ASKED}
    own = {key: part for key, part in held.items() if key not in ASKED}
    if "appointment" in asked:
        own = _answered(own, cancelled=cancelled)
    said |= {one: _answered(part, cancelled=cancelled) for one, part in asked.items() if one in ASKED}
    said |= own
    settled(connection, name, held, said, now)
    # The bytes are the same at the next reading: without this they would not be looked at.
    connection.execute(update(rows).where(rows.c.name == name).values(held=said, fingerprint="", etag=""))
    return {one: len(part["entries"]) for one, part in asked.items()}


def _answered(part: Mapping[str, Any], *, cancelled: bool) -> dict[str, Any]:
    """What Source.held says of a kind after a person's word on it."""
    word = {"allowed": set(part.get("allowed", ())), "kept": set(part.get("kept", ()))}
    word["allowed" if cancelled else "kept"].update(part["entries"])
    said: dict[str, Any] = {name: sorted(ids) for name, ids in word.items() if ids}
    return said | {key: part[key] for key in ("from", "unclear", "unclear_since") if key in part}


def read_anew(connection: Connection, names: Iterable[str]) -> None:
    """Have sources read whole at the next reading, though their bytes may be the same."""
    rows = table(Source)
    connection.execute(update(rows).where(rows.c.name.in_(list(names))).values(fingerprint="", etag=""))
