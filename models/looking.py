"""How one look at many clients goes: what they share is worked out once, then each digest becomes a case and meets the rules."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from models.case import Case, case_at
from models.clock import Clock, Spans, merged
from models.digest import spans_of
from models.instants import Instant
from models.policy import Layered, PolicyBook
from models.rule import Rule, Verdict

DIGEST_COLUMNS = ("client_id", "therapist_id", "site", "status", "intake_at", "away_until", "died", "line", "breaks")
DigestRow = tuple[Any, ...]  # in the order of DIGEST_COLUMNS


class Looked(NamedTuple):
    """What one look found: one verdict for each kind of each rule, the next look, and whether something could not be said."""

    client_id: int
    verdicts: tuple[Verdict, ...]
    next_look: Instant
    blind: bool


class Shared:
    """What clients of one practice share at one instant: policy, spans that do not count, and what cannot be relied on.

    `pauses` are therapist leave and public holidays, by therapist; `blind` names, by therapist, the sources that are stale;
    `doubtful` are clients with quarantined rows. Both by therapist have the key "" for clients without one.
    """

    def __init__(
        self,
        now: Instant,
        book: PolicyBook,
        rules: tuple[Rule, ...],
        pauses: Mapping[str, Spans],
        blind: Mapping[str, tuple[str, ...]],
        doubtful: frozenset[int] = frozenset(),
    ) -> None:
        self.now = now
        self.book = book
        self.rules = rules
        self._pauses = pauses
        self._blind = blind
        self._everyone = pauses.get("", ()), blind.get("", ())
        self._doubtful = doubtful

    def case(self, row: DigestRow) -> Case:
        """The case of one digest row."""
        client_id, therapist, _, status, intake_at, away_until, died, line, breaks = row
        pauses = self._pauses.get(therapist, self._everyone[0])
        if breaks:
            pauses = merged((*pauses, *spans_of(breaks)))
        blind = self._blind.get(therapist, self._everyone[1])
        if client_id in self._doubtful:
            blind = (*blind, "a quarantined row of this client")
        return case_at(self.now, client_id, status, intake_at, away_until, died, line, pauses, blind)

    def policy(self, row: DigestRow) -> Layered:
        """The policy of one digest row's client."""
        return self.book.of(row[2], row[1], row[0])

    def look(self, row: DigestRow) -> Looked:
        """One look at one client."""
        case = self.case(row)
        clock = Clock(self.now)
        policy = self.policy(row).policy
        verdicts: tuple[Verdict, ...] = ()
        for rule in self.rules:
            verdicts += rule.decide(case, policy, clock)
        entry = case.next_entry()
        if entry is not None:
            clock.passed(entry)  # what lies ahead now will lie behind then
        blind = False
        for verdict in verdicts:
            if verdict.fired is None:
                blind = True
        return Looked(case.client_id, verdicts, clock.next_look, blind)

    def looks(self, rows: Iterable[DigestRow]) -> Iterator[Looked]:
        """One look at each of many clients, as they stream by."""
        return map(self.look, rows)
