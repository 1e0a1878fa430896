"""Writing the audit, sealing it in order, and finding out whether it was cut or rewritten."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, func, select, text, update

from integrations.store.engine import SQLITE, Store
from integrations.store.tables import insert_rows, table
from models.audit import START, Audit, first_break, next_seal
from models.errors import UsageError
from models.instants import Instant

AUDIT = table(Audit)
AT_ONCE = 1000  # rows sealed in one transaction
_HEAD_DIGITS = 32  # of a seal, in the head that is sent out: 128 bits


class AuditState(NamedTuple):
    """What a check found. `head` is what to send out: `<place>:<seal>`; empty while nothing is sealed."""

    length: int  # sealed acts
    waiting: int  # acts not sealed yet
    head: str
    broken_at: int | None  # the first place that does not fit those before it
    head_fits: bool | None  # whether the earlier head lies in the chain; None if none was given

    @property
    def whole(self) -> bool:
        """Whether nothing was found amiss."""
        return self.broken_at is None and self.head_fits is not False


def record(
    connection: Connection, at: Instant, who: str, act: str, subject: str = "", details: Mapping[str, Any] | None = None
) -> None:
    """Write one act, in the transaction of what it tells of. `subject` is a code; details hold no identity."""
    row = {
        "at": at,
        "who": who,
        "act": act,
        "subject": subject,
        "details": dict(details or {}),
        "place": None,
        "seal": "",
    }
    insert_rows(connection, Audit, [row])


def seal_all(store: Store) -> int:
    """Give every act that has none its place and seal, in order. Answers how many.

    One sealer at a time: each transaction holds a lock that others wait for, so that a place is never given twice.
    """
    sealed = 0
    while True:
        with store.write() as connection:
            count = _seal_some(connection)
        sealed += count
        if count < AT_ONCE:
            return sealed


def _seal_some(connection: Connection) -> int:
    if connection.dialect.name != SQLITE:
        # SQLite's write transaction is exclusive by itself.
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('tending audit'))"))
    last = connection.execute(
        select(AUDIT.c.place, AUDIT.c.seal).where(AUDIT.c.place.is_not(None)).order_by(AUDIT.c.place.desc()).limit(1)
    ).first()
    place, before = (last.place, last.seal) if last else (0, START)
    new = []
    for row in connection.execute(select(AUDIT).where(AUDIT.c.place.is_(None)).order_by(AUDIT.c.id).limit(AT_ONCE)):
        place += 1
        before = next_seal(before, place, Audit(**row._mapping))
        new.append({"row": row.id, "to_place": place, "to_seal": before})
    if new:
        sealing = update(AUDIT).where(AUDIT.c.id == bindparam("row"))
        connection.execute(sealing.values(place=bindparam("to_place"), seal=bindparam("to_seal")), new)
    return len(new)


def verify(store: Store, head: str | None = None) -> AuditState:
    """Check every seal. With an earlier `head`, as it was sent out, also whether the chain still goes through it.

    The seals alone find a changed or missing act in the middle; only an earlier head finds a cut tail or a chain made
    anew.
    """
    wanted_place, wanted_seal = _parts(head) if head else (0, "")
    length, last, fits = 0, START, False

    def rows(connection: Connection) -> Iterator[Audit]:
        nonlocal length, last, fits
        query = select(AUDIT).where(AUDIT.c.place.is_not(None)).order_by(AUDIT.c.place)
        for row in connection.execution_options(yield_per=AT_ONCE).execute(query):
            length, last = length + 1, row.seal
            fits = fits or (row.place == wanted_place and row.seal.startswith(wanted_seal))
            yield Audit(**row._mapping)

    with store.read() as connection:
        acts = rows(connection)
        broken_at = first_break(acts)
        for _ in acts:  # beyond a break the rest is still counted
            pass
        waiting = connection.execute(
            select(func.count()).select_from(AUDIT).where(AUDIT.c.place.is_(None))
        ).scalar_one()
    return AuditState(length, waiting, _head(length, last) if length else "", broken_at, fits if head else None)


def head(connection: Connection) -> str:
    """The head as it stands, without a check; empty while nothing is sealed."""
    row = connection.execute(
        select(AUDIT.c.place, AUDIT.c.seal).where(AUDIT.c.place.is_not(None)).order_by(AUDIT.c.place.desc()).limit(1)
    ).first()
    return _head(row.place, row.seal) if row is not None else ""


def _head(place: int, seal: str) -> str:
    return f"{place}:{seal[:_HEAD_DIGITS]}"


def _parts(head: str) -> tuple[int, str]:
    place, _, seal = head.strip().partition(":")
    if not place.isdigit() or len(seal) < _HEAD_DIGITS:
        raise UsageError(
            "A head of the audit looks like 120:0f3a..., a number and 32 digits; copy it whole from the weekly line."
        )
    return int(place), seal
