"""The quarantine: input not understood is held once, listed without its content, opened or discarded by a person."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, bindparam, func, select, update

from integrations.store import audit
from integrations.store.engine import Store
from integrations.store.tables import chunks, insert_rows, table
from integrations.vault import Vault
from models.errors import UsageError
from models.instants import Instant
from models.observations import Reject
from models.people import Client
from models.quarantine import Quarantine, QuarantineState
from models.sources import Source

ROWS = table(Quarantine)
CLIENTS = table(Client)


class Holding(NamedTuple):
    """What holding came to. `hashes` are those of all given rejects, for `let_go`."""

    new: int
    again: int  # held already, or held anew after it had gone
    discarded: int  # a person discarded the same input before: not asked again
    hashes: frozenset[str]


class Item(NamedTuple):
    """One row of the quarantine as people see it: everything but its content."""

    id: int
    source: str
    place: str
    reason: str
    sentence: str
    client_code: str  # empty where the client could not be told
    seen_at: Instant
    state: QuarantineState
    decided_at: Instant | None
    decided_by: str


class Opened(NamedTuple):
    """A row with its content. `why` is what a person wrote when discarding it."""

    item: Item
    raw: bytes
    why: str


def hold(
    connection: Connection,
    vault: Vault,
    source: str,
    rejects: Iterable[Reject],
    at: Instant,
    client_ids: Mapping[str, int] | None = None,
) -> Holding:
    """Hold what was rejected, the same input of a source only once. `client_ids`: Reject.client_id -> the client's id.

    Where the input is known, its place, reason and client are brought up to date; what a person discarded stays
    discarded.
    """
    by_hash = {vault.hash("raw", reject.raw): reject for reject in rejects}
    known: dict[str, str] = {}
    for some in chunks(by_hash):
        query = select(ROWS.c.raw_hash, ROWS.c.state).where(ROWS.c.source == source, ROWS.c.raw_hash.in_(some))
        known |= {row.raw_hash: row.state for row in connection.execute(query)}
    new: list[dict[str, object]] = []
    changed: list[dict[str, object]] = []
    for raw_hash, reject in by_hash.items():
        says: dict[str, object] = {
            "place": reject.place,
            "reason": reject.reason,
            "sentence": reject.sentence,
            "client_id": (client_ids or {}).get(reject.client_id) if reject.client_id else None,
            "kind": reject.kind,
        }
        if raw_hash not in known:
            row = says | {"source": source, "raw": vault.seal(reject.raw), "raw_hash": raw_hash, "seen_at": at}
            new.append(row | {"state": QuarantineState.held.value, "decided_by": ""})
        elif known[raw_hash] != QuarantineState.discarded:
            changed.append({f"to_{name}": value for name, value in says.items()} | {"of_hash": raw_hash})
    insert_rows(connection, Quarantine, new)
    if changed:
        _hold_again(connection, source, changed)
    discarded = sum(state == QuarantineState.discarded for state in known.values())
    return Holding(len(new), len(changed), discarded, frozenset(by_hash))


def undecided(connection: Connection, vault: Vault, source: str, rejects: Iterable[Reject]) -> list[Reject]:
    """Those of these rejects that no person has discarded."""
    by_hash = {vault.hash("raw", reject.raw): reject for reject in rejects}
    for some in chunks(list(by_hash)):
        discarded = select(ROWS.c.raw_hash).where(
            ROWS.c.source == source, ROWS.c.raw_hash.in_(some), ROWS.c.state == QuarantineState.discarded.value
        )
        for raw_hash in connection.execute(discarded).scalars():
            del by_hash[raw_hash]
    return list(by_hash.values())


def _hold_again(connection: Connection, source: str, changed: Sequence[Mapping[str, object]]) -> None:
    """Update only what differs: a source that is read every few minutes with the same bad rows writes nothing."""
    names = ("place", "reason", "sentence", "client_id")
    differs = ROWS.c.state != QuarantineState.held.value
    for name in names:
        differs |= ROWS.c[name].is_distinct_from(bindparam(f"to_{name}", type_=ROWS.c[name].type))
    statement = (
        update(ROWS)
        .where(ROWS.c.source == source, ROWS.c.raw_hash == bindparam("of_hash"), differs)
        .values({name: bindparam(f"to_{name}") for name in names})
        .values(state=QuarantineState.held.value, decided_at=None)
    )
    connection.execute(statement, list(changed))


def held_kinds(connection: Connection, source: str) -> list[Any]:
    """The kinds of the rows that are held of a source, one for each row."""
    held = (ROWS.c.source == source) & (ROWS.c.state == QuarantineState.held.value)
    return list(connection.execute(select(ROWS.c.kind).where(held)))


def let_go(
    connection: Connection,
    source: str,
    still: Collection[str],
    at: Instant,
    state: QuarantineState = QuarantineState.gone,
    *,
    keep: Collection[str] = (),
) -> int:
    """After a complete reading: rows held for the source that were not rejected this time are held no longer, but for those of the kinds to
    `keep`.

    `still` are the hashes of those rejected now (`Holding.hashes`).
    `state` is `gone` when the source's bytes have changed, `retried` when the same bytes were now understood. Answers
    how many.
    """
    held = connection.execute(
        select(ROWS.c.id, ROWS.c.raw_hash).where(
            ROWS.c.source == source, ROWS.c.state == QuarantineState.held.value, ROWS.c.kind.not_in(list(keep))
        )
    )
    over = [row.id for row in held if row.raw_hash not in still]
    for some in chunks(over):
        connection.execute(update(ROWS).where(ROWS.c.id.in_(some)).values(state=state.value, decided_at=at))
    return len(over)


def listed(store: Store, source: str | None = None, *, all_states: bool = False) -> list[Item]:
    """What is held, oldest first, of one source or of all; with `all_states` also what was decided or has gone."""
    query = _items().order_by(ROWS.c.id)
    if source is not None:
        query = query.where(ROWS.c.source == source)
    if not all_states:
        query = query.where(ROWS.c.state == QuarantineState.held.value)
    with store.read() as connection:
        return [_item(row) for row in connection.execute(query)]


def counts(connection: Connection) -> dict[str, int]:
    """How many rows are held, by source."""
    held = ROWS.c.state == QuarantineState.held.value
    rows = connection.execute(select(ROWS.c.source, func.count()).where(held).group_by(ROWS.c.source))
    return dict(rows.tuples().all())


def opened(store: Store, vault: Vault, item_id: int, who: str, at: Instant) -> Opened:
    """A row with its content, audited in the same transaction. Raises UsageError if there is no such row."""
    with store.write() as connection:
        item = _found(connection, item_id)
        audit.record(connection, at, who, "quarantine opened", item.client_code, {"id": item_id, "source": item.source})
        row = connection.execute(select(ROWS.c.raw, ROWS.c.why).where(ROWS.c.id == item_id)).one()
    raw: bytes = vault.open(row.raw)
    return Opened(item, raw, vault.open(row.why) if row.why is not None else "")


def discard(store: Store, vault: Vault, item_id: int, who: str, why: str, at: Instant) -> Item:
    """A person decides that a row is not needed, and says why; the same input is not asked about again. Audited.

    Raises UsageError: no such row, it is not held any more, or no reason was given.
    """
    if not why.strip():
        raise UsageError("Discarding needs a reason in a few words; add it after the number.")
    with store.write() as connection:
        item = _found(connection, item_id)
        if item.state != QuarantineState.held:
            raise UsageError(
                f"Row {item_id} of the quarantine is not held any more ({item.state.value}); nothing was changed."
            )
        decided = {"decided_at": at, "decided_by": who, "why": vault.seal(why.strip())}
        connection.execute(
            update(ROWS).where(ROWS.c.id == item_id).values(state=QuarantineState.discarded.value, **decided)
        )
        # What waited for this word may follow now, though the source's bytes are the same: it is read whole once more.
        sources = table(Source)
        connection.execute(update(sources).where(sources.c.name == item.source).values(fingerprint="", etag=""))
        audit.record(
            connection, at, who, "quarantine discarded", item.client_code, {"id": item_id, "source": item.source}
        )
        return _found(connection, item_id)


def _items() -> Select[tuple[object, ...]]:
    columns = [ROWS.c[name] for name in Item._fields if name != "client_code"]
    return select(*columns, CLIENTS.c.code).outerjoin_from(ROWS, CLIENTS, CLIENTS.c.id == ROWS.c.client_id)


def _item(row: object) -> Item:
    values = dict(row._mapping)  # type: ignore[attr-defined]  # a Row of _items
    code = values.pop("code") or ""
    return Item(**values | {"client_code": code, "state": QuarantineState(values["state"])})


def _found(connection: Connection, item_id: int) -> Item:
    row = connection.execute(_items().where(ROWS.c.id == item_id)).first()
    if row is None:
        raise UsageError(f"There is no row {item_id} in the quarantine; `tending quarantine list` shows the numbers.")
    return _item(row)
