"""How one look at many clients goes: what they share is worked out once, then each digest becomes a case and meets the rules."""

from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from models.case import Case, More, case_at, last_begun, unpack
from models.clock import Clock, Spans, merged
from models.digest import BOOKED, spans_of
from models.instants import FAR, Instant
from models.policy import Policy
from models.policy_layers import Layered, PolicyBook
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
    """What one look found: what rules `said` of this client, what they say alike of everybody of whom nothing but appointments is told, the
    next look, and whether something could not be said."""

    client_id: int
    said: tuple[Verdict, ...]
    alike: tuple[Verdict, ...]
    next_look: Instant
    blind: bool

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """One verdict for each kind of each rule; put together where somebody wants them all, since most looks end before."""
        return self.said + self.alike


class _Common(NamedTuple):
    """What all clients of one therapist and site share. `until` is when the therapist is new no longer."""

    layered: Layered
    policy: Policy
    pauses: Spans
    blind: tuple[str, ...]
    until: Instant = FAR


NONE: frozenset[str] = frozenset()
HEARD = frozenset({"goal", "score", "rating"})
APPOINTMENTS = "appointment "  # and the name of a source


def tell_of_appointments(words: Iterable[str]) -> bool:
    """Whether sources that tell of this tell of any appointment: while none does, none is missing."""
    return any(word.startswith(APPOINTMENTS) for word in words)


class Shared:
    """What clients of one practice share at one instant: policy, spans that do not count, and what cannot be relied on.

    `pauses` are therapist leave and public holidays, by therapist; `blind` names, by therapist, the sources that are stale;
    `doubtful` are clients with quarantined rows, `missing` the starts of a client's bookings that their source lacks, one for each, while
    nobody has said whether they are gone. Both by therapist have the key "" for clients without one. `words` are what sources tell of:
    those of HEARD that any does (what none does cannot be missing), and APPOINTMENTS with the name of each source that tells of them;
    `unread` are clients with a row of goals or scores in quarantine or a goal missing from its source, and of which. `new` are therapists
    who are new, and until when; `unpaused` clients with breaks that their source lacks while nobody has said whether these are gone.
    """

    def __init__(
        self,
        now: Instant,
        book: PolicyBook,
        rules: tuple[Rule, ...],
        pauses: Mapping[str, Spans],
        blind: Mapping[str, tuple[str, ...]],
        doubtful: frozenset[int] = frozenset(),
        missing: Mapping[int, tuple[Instant, ...]] = MappingProxyType({}),
        words: frozenset[str] = frozenset(),
        unread: Mapping[int, frozenset[str]] = MappingProxyType({}),
        new: Mapping[str, Instant] = MappingProxyType({}),
        unpaused: frozenset[int] = frozenset(),
    ) -> None:
        self.now = now
        self.book = book
        self.rules = rules
        self._pauses = pauses
        self._blind = blind
        self._rejected = doubtful
        self._missing = missing
        self.words, self.heard = words, words & HEARD
        self._unread = unread
        self._new = new
        self._unpaused = unpaused
        self._doubtful = doubtful | missing.keys() | unpaused
        self._kept: dict[str, dict[str, _Common]] = {}  # by site, then therapist

    def _of(self, therapist: str, site: str) -> _Common:
        kept = self._kept.setdefault(site, {}).get(therapist)
        if kept is None:
            pauses = self._pauses.get(therapist, self._pauses.get("", ()))
            blind = self._blind.get(therapist, self._blind.get("", ()))
            until = self._new[therapist] if self.is_new(therapist) else FAR
            layered = self.book.of(site, therapist, new=self.is_new(therapist))
            kept = self._kept[site][therapist] = _Common(layered, layered.policy, pauses, blind, until)
        return kept

    def _own(self, row: DigestRow) -> _Common:
        """What holds for one client, with what is theirs alone."""
        client_id, therapist, site, *_, breaks, told = row
        layered, _, pauses, blind, until = self._of(therapist, site)
        if self.book.personal:
            layered = self.book.of(site, therapist, client_id, new=self.is_new(therapist))
        layered = layered.agreed(unpacked(told).by(self.now).answers)
        if breaks and client_id not in self._unpaused:
            pauses = merged((*pauses, *spans_of(breaks)))
        if client_id in self._rejected:
            blind = (*blind, "a quarantined row of this client")
        if client_id in self._missing:
            blind = (*blind, "an appointment that its source lacks")
        if client_id in self._unpaused:
            blind = (*blind, "a break or time on a waiting list that its source lacks")
        return _Common(layered, layered.policy, pauses, blind, until)

    def is_new(self, therapist: str) -> bool:
        """Whether that therapist is new."""
        return therapist in self._new and self.now < self._new[therapist]

    def case(self, row: DigestRow) -> Case:
        """The case of one digest row."""
        client_id, _, _, status, intake_at, away_until, died, line, _, told = row
        _, _, pauses, blind, _ = self._own(row)
        if client_id in self._missing:
            line = self._relied_on(client_id, line)
        more = More(unpacked(told).by(self.now), self.heard, self._unread.get(client_id, NONE))
        return case_at(self.now, client_id, status, intake_at, away_until, died, line, pauses, blind, more)

    def _relied_on(self, client_id: int, line: bytes) -> bytes:
        """A client's line in which no missing appointment counts as booked."""
        missing, entries = Counter(self._missing[client_id]), array("q")
        for entry in unpack[len(line) >> 3](line):
            # Another appointment at the same time that its source does hold is relied on.
            lacks = bool(entry & BOOKED and missing[entry >> 3])
            missing[entry >> 3] -= lacks
            entries.append(entry & ~BOOKED if lacks else entry)
        return entries.tobytes()

    def policy(self, row: DigestRow) -> Layered:
        """The policy of one digest row's client."""
        return self._own(row).layered

    def sees(self, therapist: str) -> bool:
        """Whether every source that could refute an absence in this caseload can be relied on."""
        return not self._blind.get(therapist, self._blind.get("", ()))

    def sighted(self, now: Instant, book: PolicyBook) -> "Shared":
        """The same at another instant and under another policy, as if every source could be relied on."""
        return Shared(now, book, self.rules, self._pauses, {}, words=self.words, new=self._new)

    def look(self, row: DigestRow) -> Looked:
        """One look at one client."""
        return next(self.looks((row,)))

    def looks(self, rows: Iterable[DigestRow]) -> Iterator[Looked]:
        """One look at each of many clients, as they stream by."""
        now, kept, heard, personal = self.now, self._kept, self.heard, self.book.personal
        special, nothing_more = self._doubtful | self._unread.keys(), More(NOTHING, heard, NONE)
        # Of somebody of whom appointments alone are told, while no source tells of more, most rules say the same.
        first, *others = [rule.decide for rule in self.rules if heard or rule.untold is None]
        the_same: tuple[Verdict, ...] = () if heard else tuple(v for rule in self.rules for v in rule.untold or ())
        clock = Clock(now)
        begun = last_begun(now)
        for row in rows:
            client_id, therapist, site, status, intake_at, away_until, died, line, breaks, told = row
            if told or breaks or personal or client_id in special:
                yield self._with_more(row, clock)
                continue
            there = kept.get(site)
            common = there.get(therapist) if there else None
            _, policy, pauses, blind, until = common or self._of(therapist, site)
            # As case_at does, without a call: half of what looking costs is calls.
            entries = unpack[len(line) >> 3](line)
            past = bisect_right(entries, begun)
            case = _new(
                Case, (client_id, status, intake_at, away_until, died == 1, entries, past, pauses, blind, nothing_more)
            )
            # What lies ahead will lie behind then.
            ahead = entries[past] >> 3 if past < len(entries) else FAR
            clock.next_look = ahead if ahead < until else until
            verdicts = first(case, policy, clock)
            for decide in others:
                verdicts += decide(case, policy, clock)
            unsaid = any(verdict.fired is None for verdict in verdicts) if blind else False
            yield _new(Looked, (client_id, verdicts, the_same, clock.next_look, unsaid))

    def _with_more(self, row: DigestRow, clock: Clock) -> Looked:
        """One look at somebody of whom more is told than appointments, or who has something of their own."""
        common, case = self._own(row), self.case(row)
        clock.next_look = min(case.next_entry() or FAR, common.until, unpacked(row[-1]).after(self.now))
        verdicts: tuple[Verdict, ...] = ()
        for rule in self.rules:
            verdicts += rule.decide(case, common.policy, clock)
        return Looked(case.client_id, verdicts, (), clock.next_look, any(verdict.fired is None for verdict in verdicts))
