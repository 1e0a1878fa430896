"""Referrals as they follow from what was said, read for many clients at once, and their rows for lists."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, select

from integrations.store.said import said_of
from integrations.store.tables import Prepared, among, chunks, table, upsert
from models.digest import History
from models.referral_row import ReferralRow, row_of
from models.referral_shape import Referral, State
from models.referrals import referrals_of

KIND = "referral"
_REFERRALS = table(ReferralRow)
_STORED = Prepared(select(_REFERRALS).where(among(_REFERRALS.c.client_id, "ids")))


def referrals_by_client(connection: Connection, clients: Iterable[int]) -> dict[int, list[Referral]]:
    """All referrals of those of these clients who have any, in the order of their first word; with them news of none that is known."""
    return {client: referrals_of(facts) for client, facts in said_of(connection, clients, KIND).items()}


def write_referrals(connection: Connection, histories: Sequence[History]) -> None:
    """Write the rows of these clients' referrals, where they have any."""
    upsert(connection, ReferralRow, _wanted(connection, histories))


def differing_referrals(connection: Connection, histories: Sequence[History]) -> set[int]:
    """Those of these clients whose stored rows are not what follows."""
    wanted = {(row["id"], row["client_id"]): tuple(row.values()) for row in _wanted(connection, histories)}
    stored: dict[tuple[Any, Any], tuple[Any, ...]] = {}
    for few in chunks(history.client_id for history in histories):
        stored |= {(row.id, row.client_id): tuple(row) for row in _STORED.rows(connection, {"ids": few})}
    keys = wanted.keys() | stored.keys()
    return {int(key[1]) for key in keys if wanted.get(key) != stored.get(key)}


def _wanted(connection: Connection, histories: Sequence[History]) -> list[dict[str, Any]]:
    therapists = {history.client_id: history.therapist_id for history in histories if history.told.referrals}
    if not therapists:
        return []
    return [
        row_of(referral, client, therapists[client])
        for client, found in sorted(referrals_by_client(connection, therapists).items())
        for referral in found
        if referral.state is not State.nothing
    ]
