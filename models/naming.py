"""How a page about one client writes days and people: every day with its year; people by name, or redacted by their role alone."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from models import words
from models.accounts import ACCOUNT, Role
from models.instants import Instant, day_of, local
from models.noticing import ADMIN

THERAPIST = "therapist:"
PROVIDER = "provider"
OURSELVES = "tending"
"""Who acts where nobody does: at a wake-up."""
ROLES = {
    Role.therapist: "another therapist",
    Role.supervisor: "the supervisor",
    Role.front_office: "the front office",
    Role.technical: "the administrator",
}


class Holder(NamedTuple):
    """Whose an account is; `name` is empty on a redacted page."""

    role: str
    therapist_id: str
    name: str


@dataclass(frozen=True, slots=True)
class Naming:
    """Names for one page. `names` are those of therapists by the clinic's reference and `accounts` those of accounts by number; `own` are
    the client's therapists in the order in which they came, `supervisors` who supervises one of them."""

    redacted: bool
    names: Mapping[str, str] = field(default_factory=dict)
    accounts: Mapping[int, Holder] = field(default_factory=dict)
    own: Sequence[str] = ()
    supervisors: frozenset[str] = frozenset()

    def therapist(self, therapist_id: str) -> str:
        """`Dr Kärcher (T1)`; redacted `therapist 1`, `the supervisor`, or `another therapist`."""
        if not self.redacted:
            name = self.names.get(therapist_id, "")
            return f"{name} ({therapist_id})" if name else f"therapist {therapist_id}"
        if therapist_id in self.own:
            return f"therapist {self.own.index(therapist_id) + 1}"
        return ROLES[Role.supervisor if therapist_id in self.supervisors else Role.therapist]

    def person(self, who: str) -> str:
        """Whoever is meant by `therapist:T1`, `admin`, `account:3`, `client`, `provider:P1`, `tending`, or a login name (redacted
        `staff`)."""
        if who.startswith(THERAPIST):
            return self.therapist(who.removeprefix(THERAPIST))
        if who == OURSELVES:
            return OURSELVES
        if who == ADMIN:
            return ROLES[Role.technical]
        sort, _, rest = who.partition(":")
        if sort == "client":
            return "the client"
        if sort == PROVIDER:
            return "the provider" if self.redacted else f"provider {rest}"
        number = who.removeprefix(ACCOUNT)
        if number != who and number.isdecimal() and int(number) in self.accounts:
            return self._holder(self.accounts[int(number)])
        return "staff" if self.redacted or not who else who

    def _holder(self, holder: Holder) -> str:
        if holder.therapist_id:
            return self.therapist(holder.therapist_id)
        role = ROLES[Role(holder.role)]
        return f"{holder.name} ({role})" if holder.name and not self.redacted else role


@dataclass(frozen=True, slots=True)
class Pen:
    """Writes days of `zone` in the order of `locale`, and people; `now` is when the page is made."""

    zone: str
    locale: str
    naming: Naming
    now: Instant

    def dated(self, day: date) -> str:
        """`Tue 3 Nov 2026`."""
        return words.dated(day, locale=self.locale)

    def day(self, at: Instant) -> str:
        """The day of an instant: `Tue 3 Nov 2026`."""
        return self.dated(day_of(at, self.zone))

    def days(self, when: Iterable[Instant]) -> str:
        """Days near each other, of which somebody else names the year: `10 and 17 Nov`."""
        found = sorted({day_of(at, self.zone) for at in when})
        return words.days(found, today=found[0], locale=self.locale)

    def moment(self, at: Instant) -> str:
        """`Tue 3 Nov 2026, 09:00`."""
        return f"{self.day(at)}, {words.time_of_day(local(at, self.zone), locale=self.locale)}"

    def listed(self, parts: Sequence[str]) -> str:
        """`a, b and c`."""
        return words.listed(parts, locale=self.locale)
