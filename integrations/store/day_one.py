"""What was already so at first sight is listed to sort, what became so later is news: which is which, where a look is a first one."""

from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, func, select

from integrations.store import policies
from integrations.store.cases import digest_known
from integrations.store.facts import words_told
from integrations.store.tables import insert_new, table
from models.instants import Instant
from models.looking import DigestRow, Looked, Shared
from models.policy_layers import PolicyBook
from models.quarantine import Fact
from models.sources import Source

if TYPE_CHECKING:
    from integrations.practice import Practice

FIRST_LOOK = (
    "first-look "  # and a therapist's reference: when their caseload was first looked at with nothing left unread
)


class DayOne:
    """First looks of one batch: at clients who are new, and at everybody after a change of policy, sources or rules.

    Nothing is read before somebody asks, so that looks at known clients under known terms cost nothing here.
    """

    def __init__(
        self, practice: "Practice", connection: Connection, together: Shared, basis_now: str, now: Instant
    ) -> None:
        self._practice = practice
        self._connection = connection
        self._together = together
        self._basis = basis_now
        self._now = now
        self._firsts: dict[str, Instant] | None = None
        self._found: set[str] = set()
        self._books: dict[str, PolicyBook | None] = {}
        self._others: dict[tuple[Instant, int], Shared] = {}
        self._source_since: Instant | None = None
        self._asked = False

    def kinds(self, row: DigestRow, last: Any, looked: Looked) -> frozenset[str]:
        """Of what this first look found, the kinds that were so already. `last` is the stored look, if there is one."""
        self._asked = True
        fired = frozenset(verdict.kind for verdict in looked.verdicts if verdict.fired)
        if last is None or not last.basis:
            first = self._first_look(row[1])
            if first is None or first >= self._now:
                return fired
            return fired & self._fired(first, self._together.book, row) if fired else fired
        # Until the next look that was set under the old terms nothing can have become true under them.
        if not fired or last.next_look > self._now:
            return fired
        return fired - self._news(row, last, fired)

    def _news(self, row: DigestRow, last: Any, fired: frozenset[str]) -> frozenset[str]:
        """What the old terms would have found by now as well, and what a source told that was read before."""
        book = self._book(last.basis)
        new_source = self._newest_source() > last.looked_at
        if book is not None and not new_source:
            return fired & self._fired(self._now, book, row)
        if last.next_look:
            then = last.next_look - 1
        else:
            then = last.looked_at
            if not new_source:  # what a new source tells of the past counts as if it had always been known
                row = digest_known(self._practice, self._connection, row[0], then)
        return fired - self._fired(then, self._together.book, row)

    def _fired(self, at: Instant, book: PolicyBook, row: DigestRow) -> frozenset[str]:
        key = (at, id(book))
        if key not in self._others:
            self._others[key] = self._together.sighted(at, book)
        return frozenset(v.kind for v in self._others[key].look(row).verdicts if v.fired)

    def _book(self, basis: str) -> PolicyBook | None:
        """The policy of an earlier basis; None where the rules were others too, or nobody knows."""
        if basis not in self._books:
            same_rules = basis.partition("-")[0] == self._basis.partition("-")[0]
            version = policies.of_basis(self._connection, basis) if same_rules else None
            self._books[basis] = policies.book_of(self._connection, version) if version else None
        return self._books[basis]

    def _newest_source(self) -> Instant:
        """When the source that was read for the first time last was so, or one first told of appointments, goals, scores or ratings."""
        if self._source_since is None:
            newest = self._connection.execute(select(func.max(table(Source).c.first_read_at))).scalar()
            self._source_since = max([newest or 0, *words_told(self._connection).values()])
        return self._source_since

    def _first_look(self, therapist: str) -> Instant | None:
        """When this therapist's caseload was first looked at with every source read; None while that is still to come."""
        if self._firsts is None:
            facts = table(Fact)
            rows = self._connection.execute(
                select(facts.c.name, facts.c.value).where(facts.c.name.startswith(FIRST_LOOK, autoescape=True))
            )
            self._firsts = {name.removeprefix(FIRST_LOOK): int(value) for name, value in rows.tuples()}
        if therapist not in self._firsts and self._together.sees(therapist):
            self._firsts[therapist] = self._now
            self._found.add(therapist)
        return self._firsts.get(therapist)

    def write(self) -> None:
        """Keep what was found. Last of all and in order: two transactions that do so never wait for one another in a circle."""
        if self._asked:
            policies.keep(self._practice, self._connection, self._basis, self._now)
        for therapist in sorted(self._found):
            insert_new(self._connection, Fact, {"name": f"{FIRST_LOOK}{therapist}", "value": str(self._now)})
