"""The quarantine: input not understood is held once, listed without its content, opened or discarded by a person."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, bindparam, func, select, update

from integrations.store import audit
from integrations.store.due import look_again
from integrations.store.engine import Store
from integrations.store.entries import hints_of_reject
from integrations.store.tables import chunks, insert_rows, table
from integrations.vault import Vault
from models.entries import Reject
from models.errors import UsageError
from models.instants import Instant
from models.people import Client
from models.quarantine import Quarantine, QuarantineState, QuarantineSubject
from models.settings_source import SourcePart
from models.sources import Source

ROWS = table(Quarantine)
SUBJECTS, CLIENTS = table(QuarantineSubject), table(Client)
SAYS = ("place", "reason", "sentence", "kind", "hints", "therapist_id", "risk_at")


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
    codes: tuple[str, ...]  # of the clients whom it concerns, as far as that can be told
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
    source: SourcePart,
    rejects: Iterable[Reject],
    at: Instant,
) -> Holding:
    """Hold what was rejected, the same input of a source only once. Whom it concerns is for `rejected` to find.

    Where the input is known, its place, its reason and the hints at its clients are brought up to date; what a person discarded
    stays discarded.
    """
    by_hash = {vault.hash("raw", reject.raw): reject for reject in rejects}
    known: dict[str, Any] = {}
    for some in chunks(by_hash):
        query = select(ROWS.c.raw_hash, ROWS.c.state, *(ROWS.c[name] for name in SAYS)).where(
            ROWS.c.source == source.name, ROWS.c.raw_hash.in_(some)
        )
        known |= {row.raw_hash: row._mapping for row in connection.execute(query)}
    new: list[dict[str, object]] = []
    changed: list[dict[str, object]] = []
    again = 0
    for raw_hash, reject in by_hash.items():
        says: dict[str, object] = {
            "place": reject.place,
            "reason": reject.reason,
            "sentence": reject.sentence,
            "kind": reject.kind,
            "hints": hints_of_reject(vault, source, reject),
            "therapist_id": reject.therapist_id or source.therapist or None,
            "risk_at": reject.risk_at,
        }
        if raw_hash not in known:
            row = says | {"source": source.name, "raw": vault.seal(reject.raw), "raw_hash": raw_hash, "seen_at": at}
            new.append(row | {"state": QuarantineState.held.value, "decided_by": ""})
        elif known[raw_hash]["state"] != QuarantineState.discarded:
            again += 1
            # Only what differs: a source that is read every few minutes with the same bad rows writes nothing.
            if known[raw_hash]["state"] != QuarantineState.held or any(known[raw_hash][n] != says[n] for n in SAYS):
                changed.append({f"to_{name}": value for name, value in says.items()} | {"of_hash": raw_hash})
    insert_rows(connection, Quarantine, new)
    if changed:
        _hold_again(connection, source.name, changed)
    discarded = sum(row["state"] == QuarantineState.discarded for row in known.values())
    return Holding(len(new), again, discarded, frozenset(by_hash))


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
    statement = (
        update(ROWS)
        .where(ROWS.c.source == source, ROWS.c.raw_hash == bindparam("of_hash"))
        .values({name: bindparam(f"to_{name}", type_=ROWS.c[name].type) for name in SAYS})
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
        look_again(connection, _concerned(connection, some))
    return len(over)


def _concerned(connection: Connection, ids: Collection[int]) -> list[int]:
    return list(connection.execute(select(SUBJECTS.c.client_id).where(SUBJECTS.c.row_id.in_(ids))).scalars())


def listed(store: Store, source: str | None = None, *, all_states: bool = False) -> list[Item]:
    """What is held, oldest first, of one source or of all; with `all_states` also what was decided or has gone."""
    query = _items().order_by(ROWS.c.id)
    if source is not None:
        query = query.where(ROWS.c.source == source)
    if not all_states:
        query = query.where(ROWS.c.state == QuarantineState.held.value)
    with store.read() as connection:
        return _items_of(connection, query)


def counts(connection: Connection) -> dict[str, int]:
    """How many rows are held, by source."""
    held = ROWS.c.state == QuarantineState.held.value
    rows = connection.execute(select(ROWS.c.source, func.count()).where(held).group_by(ROWS.c.source))
    return dict(rows.tuples().all())


def opened(store: Store, vault: Vault, item_id: int, who: str, at: Instant) -> Opened:
    """A row with its content, audited in the same transaction. Raises UsageError if there is no such row."""
    with store.write() as connection:
        item = _found(connection, item_id)
        _record(connection, at, who, "quarantine opened", item)
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
        look_again(connection, _concerned(connection, [item_id]))
        # What waited for this word may follow now, though the source's bytes are the same: it is read whole once more.
        sources = table(Source)
        connection.execute(update(sources).where(sources.c.name == item.source).values(fingerprint="", etag=""))
        _record(connection, at, who, "quarantine discarded", item)
        return _found(connection, item_id)


def _record(connection: Connection, at: Instant, who: str, what: str, item: Item) -> None:
    for code in item.codes or ("",):
        audit.record(connection, at, who, what, code, {"id": item.id, "source": item.source})


def _items() -> Select[tuple[object, ...]]:
    return select(*(ROWS.c[name] for name in Item._fields if name != "codes"))


def _items_of(connection: Connection, query: Select[tuple[object, ...]]) -> list[Item]:
    rows = [dict(row._mapping) for row in connection.execute(query)]
    codes: dict[int, list[str]] = {}
    for some in chunks(row["id"] for row in rows):
        found = select(SUBJECTS.c.row_id, CLIENTS.c.code).join_from(
            SUBJECTS, CLIENTS, CLIENTS.c.id == SUBJECTS.c.client_id
        )
        for row_id, code in connection.execute(found.where(SUBJECTS.c.row_id.in_(some)).order_by(CLIENTS.c.code)):
            codes.setdefault(row_id, []).append(code)
    return [
        Item(**row | {"codes": tuple(codes.get(row["id"], ())), "state": QuarantineState(row["state"])}) for row in rows
    ]


def _found(connection: Connection, item_id: int) -> Item:
    found = _items_of(connection, _items().where(ROWS.c.id == item_id))
    if not found:
        raise UsageError(f"There is no row {item_id} in the quarantine; `tending quarantine list` shows the numbers.")
    return found[0]
