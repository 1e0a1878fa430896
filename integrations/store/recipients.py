"""Whoever is written to: their working hours, who supervises them, looked up once for a batch."""

from collections.abc import Mapping
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

from sqlalchemy import Connection, select

from integrations.store.cases import holidays_near
from integrations.store.tables import Prepared, table
from models.instants import Instant, day_of
from models.noticing import THERAPIST, therapist_recipient
from models.people import Leave, Therapist
from models.policy import Policy
from models.timing import Hours

if TYPE_CHECKING:
    from integrations.practice import Practice

_THERAPISTS = Prepared(select(*(table(Therapist).c[name] for name in ("id", "zone", "supervisor_id"))))


def away_on(connection: Connection, day: date) -> dict[str, str]:
    """Therapists on leave on a day, each with the one who covers for them; empty where nobody does whom anybody knows."""
    rows, people, covers = table(Leave), table(Therapist), dict[str, str]()
    for away in connection.execute(
        select(rows.c.therapist_id, people.c.id.label("cover_id"))
        .select_from(rows.outerjoin(people, people.c.id == rows.c.cover_id))
        .where(rows.c.from_on <= day, rows.c.to_on >= day)
        .order_by(people.c.id.is_(None), rows.c.source, rows.c.entry_id)
    ):
        covers.setdefault(away.therapist_id, away.cover_id or "")
    return covers


def unknown_covers(connection: Connection, day: date) -> list[str]:
    """Who is named as the cover of a leave that is not over on a day, and is in no therapists file: nobody covers then."""
    rows, people = table(Leave), table(Therapist)
    named = select(rows.c.cover_id).where(rows.c.to_on >= day, rows.c.cover_id.is_not(None), rows.c.cover_id != "")
    nobody = named.where(rows.c.cover_id.not_in(select(people.c.id))).distinct().order_by(rows.c.cover_id)
    return list(connection.execute(nobody).scalars())


def above(connection: Connection, recipient: str) -> str:
    """Who supervises a therapist that is written to; the administrator where nobody known does, or of anybody else."""
    return therapist_recipient(supervisors(connection).get(recipient.removeprefix(THERAPIST), ""))


def supervisors(connection: Connection) -> dict[str, str]:
    """Therapists with the one who supervises them, of those that are known."""
    known = {who: by for who, _, by in _THERAPISTS.rows(connection)}
    return {who: by for who in known if (by := _supervisor(known, who))}


def _supervisor(known: Mapping[str, str | None], who: str) -> str:
    """Who supervises somebody, of those who are known; empty where nobody does. Nobody supervises themselves."""
    by = known.get(who)
    return by if by and by in known and by != who else ""


class Recipients:
    """Working hours and supervisors of therapists, looked up once for a batch, when first asked for: most batches tell nobody anything."""

    def __init__(self, practice: "Practice", connection: Connection, now: Instant) -> None:
        self._practice = practice
        self._connection, self._now = connection, now
        self._days_off: frozenset[date] = holidays_near(practice, now)

    @cached_property
    def _therapists(self) -> tuple[dict[str, str], dict[str, str | None]]:
        """Their zones and whoever is named as supervising them."""
        rows = _THERAPISTS.rows(self._connection)
        return {who: zone for who, zone, _ in rows}, {who: by for who, _, by in rows}

    def hours(self, therapist_id: str, policy: Policy) -> Hours:
        """The hours of a therapist, or of the practice for anybody else."""
        zone = self._therapists[0].get(therapist_id) or self._practice.zone
        return Hours(zone, policy.work_from, policy.work_until, self._days_off)

    def knows(self, therapist_id: str) -> bool:
        """Whether somebody of that id is among the therapists."""
        return therapist_id in self._therapists[0]

    def cover(self, therapist_id: str) -> str:
        """Who covers for a therapist that is away now; empty where they are not, or nobody does."""
        return self._away.get(therapist_id, "")

    @cached_property
    def _away(self) -> dict[str, str]:
        return away_on(self._connection, day_of(self._now, self._practice.zone))

    def supervisor(self, therapist_id: str) -> str:
        """Who supervises a therapist; empty where nobody known does."""
        return _supervisor(self._therapists[1], therapist_id)
