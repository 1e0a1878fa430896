"""Whoever is written to: their working hours, who supervises them, looked up once for a batch."""

from datetime import date
from typing import TYPE_CHECKING

from sqlalchemy import Connection, select

from integrations.store.cases import holidays_near
from integrations.store.tables import Prepared, table
from models.instants import Instant
from models.people import Therapist
from models.policy import Policy
from models.timing import Hours

if TYPE_CHECKING:
    from integrations.practice import Practice

_THERAPISTS = Prepared(select(*(table(Therapist).c[name] for name in ("id", "zone", "supervisor_id"))))


class Recipients:
    """Working hours and supervisors of therapists, looked up once for a batch."""

    def __init__(self, practice: "Practice", connection: Connection, now: Instant) -> None:
        self._practice = practice
        self._therapists = {row.id: row for row in _THERAPISTS.rows(connection)}
        self._days_off: frozenset[date] = holidays_near(practice, now)

    def hours(self, therapist_id: str, policy: Policy) -> Hours:
        """The hours of a therapist, or of the practice for anybody else."""
        found = self._therapists.get(therapist_id)
        zone = (found.zone if found else "") or self._practice.zone
        return Hours(zone, policy.work_from, policy.work_until, self._days_off)

    def knows(self, therapist_id: str) -> bool:
        """Whether somebody of that id is among the therapists."""
        return therapist_id in self._therapists

    def supervisor(self, therapist_id: str) -> str:
        """Who supervises a therapist; empty where nobody known does."""
        found = self._therapists.get(therapist_id)
        supervisor = (found.supervisor_id if found else "") or ""
        return supervisor if supervisor in self._therapists and supervisor != therapist_id else ""
