"""How one look at many clients goes: what they share is worked out once, then each digest becomes a case and meets the rules."""

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from models.case import Case, case_at, last_begun, unpack
from models.clock import Clock, Spans, merged
from models.digest import BOOKED, spans_of
from models.instants import FAR, Instant
from models.policy import Layered, Policy, PolicyBook
from models.rule import Rule, Verdict
from models.told import NOTHING, unpacked

DIGEST_COLUMNS = (
    "client_id",
    "therapist_id",
    "site",
    "status",
    "intake_at",
    "away_until",
    "died",
    "line",
    "breaks",
    "told",
)
DigestRow = tuple[Any, ...]  # in the order of DIGEST_COLUMNS


_new = tuple.__new__  # a third of the cost of a named tuple's own, and looks at everybody make many


class Looked(NamedTuple):
    """What one look found: one verdict for each kind of each rule, the next look, and whether something could not be said."""

    client_id: int
    verdicts: tuple[Verdict, ...]
    next_look: Instant
    blind: bool


class _Common(NamedTuple):
    """What all clients of one therapist and site share."""

    layered: Layered
    policy: Policy
    pauses: Spans
    blind: tuple[str, ...]


class Shared:
    """What clients of one practice share at one instant: policy, spans that do not count, and what cannot be relied on.

    `pauses` are therapist leave and public holidays, by therapist; `blind` names, by therapist, the sources that are stale;
    `doubtful` are clients with quarantined rows, `missing` the starts of a client's appointments that their source lacks while nobody
    has said whether they are gone. Both by therapist have the key "" for clients without one. `heard` names which of `goal` and `score`
    any source tells of: what none does cannot be missing; `unread` are clients with a row of these in quarantine.
    """

    def __init__(
        self,
        now: Instant,
        book: PolicyBook,
        rules: tuple[Rule, ...],
        pauses: Mapping[str, Spans],
        blind: Mapping[str, tuple[str, ...]],
        doubtful: frozenset[int] = frozenset(),
        missing: Mapping[int, frozenset[Instant]] = MappingProxyType({}),
        heard: frozenset[str] = frozenset(),
        unread: frozenset[int] = frozenset(),
    ) -> None:
        self.now = now
        self.book = book
        self.rules = rules
        self._pauses = pauses
        self._blind = blind
        self._rejected = doubtful
        self._missing = missing
        self.heard = heard
        self._unread = unread
        self._doubtful = doubtful | missing.keys()
        self._kept: dict[tuple[str, str], _Common] = {}

    def _of(self, therapist: str, site: str) -> _Common:
        kept = self._kept.get((therapist, site))
        if kept is None:
            pauses = self._pauses.get(therapist, self._pauses.get("", ()))
            blind = self._blind.get(therapist, self._blind.get("", ()))
            layered = self.book.of(site, therapist)
            kept = self._kept[therapist, site] = _Common(layered, layered.policy, pauses, blind)
        return kept

    def _own(self, row: DigestRow) -> _Common:
        """What holds for one client, with what is theirs alone."""
        client_id, therapist, site, *_, breaks, told = row
        layered, _, pauses, blind = self._of(therapist, site)
        if self.book.personal:
            layered = self.book.of(site, therapist, client_id)
        layered = layered.agreed(unpacked(told).by(self.now).answers)
        if breaks:
            pauses = merged((*pauses, *spans_of(breaks)))
        if client_id in self._rejected:
            blind = (*blind, "a quarantined row of this client")
        if client_id in self._missing:
            blind = (*blind, "an appointment that its source lacks")
        return _Common(layered, layered.policy, pauses, blind)

    def case(self, row: DigestRow) -> Case:
        """The case of one digest row."""
        client_id, _, _, status, intake_at, away_until, died, line, _, told = row
        _, _, pauses, blind = self._own(row)
        if client_id in self._missing:
            line = self._relied_on(client_id, line)
        said = unpacked(told).by(self.now)
        return case_at(
            self.now,
            client_id,
            status,
            intake_at,
            away_until,
            died,
            line,
            pauses,
            blind,
            said,
            self.heard,
            client_id in self._unread,
        )

    def _relied_on(self, client_id: int, line: bytes) -> bytes:
        """A client's line in which no missing appointment counts as booked."""
        missing = self._missing[client_id]
        return array("q", [e & ~BOOKED if e >> 3 in missing else e for e in unpack[len(line) >> 3](line)]).tobytes()

    def policy(self, row: DigestRow) -> Layered:
        """The policy of one digest row's client."""
        return self._own(row).layered

    def sees(self, therapist: str) -> bool:
        """Whether every source that could refute an absence in this caseload can be relied on."""
        return not self._blind.get(therapist, self._blind.get("", ()))

    def sighted(self, now: Instant, book: PolicyBook) -> "Shared":
        """The same at another instant and under another policy, as if every source could be relied on."""
        return Shared(now, book, self.rules, self._pauses, {}, heard=self.heard)

    def look(self, row: DigestRow) -> Looked:
        """One look at one client."""
        return next(self.looks((row,)))

    def looks(self, rows: Iterable[DigestRow]) -> Iterator[Looked]:
        """One look at each of many clients, as they stream by."""
        now, doubtful, personal, kept, heard = self.now, self._doubtful, self.book.personal, self._kept, self.heard
        not_read = self._unread
        decides = [rule.decide for rule in self.rules]
        clock = Clock(now)
        begun = last_begun(now)
        for row in rows:
            client_id, therapist, site, status, intake_at, away_until, died, line, breaks, told = row
            whole = unpacked(told) if told else NOTHING
            said = whole.by(now) if told else NOTHING
            if breaks or personal or client_id in doubtful or said.answers:
                _, policy, pauses, blind = self._own(row)
                if client_id in self._missing:
                    line = self._relied_on(client_id, line)
            else:
                _, policy, pauses, blind = kept.get((therapist, site)) or self._of(therapist, site)
            # As case_at does, without a call: half of what looking costs is calls.
            entries = unpack[len(line) >> 3](line)
            past = bisect_right(entries, begun)
            unread = client_id in not_read
            case = _new(
                Case,
                (
                    client_id,
                    status,
                    intake_at,
                    away_until,
                    died == 1,
                    entries,
                    past,
                    pauses,
                    blind,
                    said,
                    heard,
                    unread,
                ),
            )
            clock.next_look = entries[past] >> 3 if past < len(entries) else FAR  # what lies ahead will lie behind then
            if said is not whole:
                clock.next_look = min(clock.next_look, whole.after(now))
            verdicts: tuple[Verdict, ...] = ()
            for decide in decides:
                verdicts += decide(case, policy, clock)
            unsaid = any(verdict.fired is None for verdict in verdicts) if blind or unread else False
            yield _new(Looked, (client_id, verdicts, clock.next_look, unsaid))
