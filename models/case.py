"""One client's care as of an instant, as known by an instant: immutable, and all that a rule may read."""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import pairwise
from struct import Struct
from typing import NamedTuple

from models.answers import Reply
from models.appointments import Mark
from models.clock import Spans, between
from models.digest import BOOKED, KEPT
from models.ending_acts import STATES, State
from models.instants import Instant
from models.told import NOT_KNOWN, REPLIES, Ending, Told

INTAKE, ACTIVE, ENDED = 0, 1, 2
# Plain integers: comparing with an enum's member costs several times as much, and this is walked for everybody.
NO_SHOW = int(Mark.no_show)
AGREED = REPLIES.index(Reply.agreed)
UNREAD = "a goal or score in quarantine, or a goal that its source lacks"
NO_APPOINTMENTS = "a source of appointments"
GOING = STATES.index(State.going)
ATTENDED = int(Mark.attended)
TOOK_PLACE = (ATTENDED, int(Mark.presumed))


class More(NamedTuple):
    """What is told of a client besides appointments: `told` goals, scores and the like as of now, `heard` which of `goal` and `score` any
    source tells of at all, `unread` which of these a row about the client is of that lies in quarantine, or that its source lacks."""

    told: Told
    heard: frozenset[str]
    unread: frozenset[str]


class Case(NamedTuple):
    """A client's care at `now`.

    `line` holds appointments as integers in order of start (see models.digest), the first `past` of them begun by now. `pauses` are
    spans that do not count (breaks, leave, public holidays). `blind` names what could refute an absence but cannot be relied on now.
    `more` is what is told besides appointments.
    """

    client_id: int
    status: int
    intake_at: Instant
    away_until: Instant
    died: bool
    line: Sequence[int]
    past: int
    pauses: Spans
    blind: tuple[str, ...]
    more: More

    @property
    def told(self) -> Told:
        """Goals, scores and the like."""
        return self.more.told

    @property
    def heard(self) -> frozenset[str]:
        """Which of goals, scores and ratings any source tells of at all."""
        return self.more.heard

    @property
    def unread(self) -> frozenset[str]:
        """Of which of goals and scores a row about the client lies in quarantine, or is missing from its source."""
        return self.more.unread

    def last_seen(self) -> Instant | None:
        """Start of the last appointment that took place or may have: attended, presumed, or not marked. Missed ones do not count."""
        line = self.line
        for i in range(self.past - 1, -1, -1):
            if line[i] & 3 != NO_SHOW:
                return line[i] >> 3
        return None

    def is_marked(self, start: Instant) -> bool:
        """Whether of an appointment that began then it is known, or presumed, how it went."""
        line = self.line
        for i in range(self.past - 1, -1, -1):  # mostly it is the last one
            if line[i] >> 3 <= start:
                return line[i] >> 3 == start and line[i] & 3 != 0
        return False

    def next_booked(self) -> Instant | None:
        """Start of the next appointment that a person booked; the tail of an endless series is not one."""
        line = self.line
        for i in range(self.past, len(line)):
            if line[i] & BOOKED:
                return line[i] >> 3
        return None

    def agreed_until(self) -> Instant:
        """Until when the next contact was agreed (the end of that day), by what was answered last; -1 where nothing was."""
        answers = self.more.told.answers
        if not answers:  # mostly: then this is all it costs
            return NOT_KNOWN
        agreed = [a.until for a in answers if a.reply == AGREED and not a.days]
        return agreed[-1] if agreed else NOT_KNOWN

    def took_place(self) -> list[Instant]:
        """Starts of the last appointments that took place or are presumed to have, oldest first: as many as every digest keeps."""
        starts: list[Instant] = []
        for entry in reversed(self.line[: self.past]):
            if entry & 3 in TOOK_PLACE:
                starts.append(entry >> 3)
                if len(starts) == KEPT:
                    break
        return starts[::-1]

    def held_since(self, since: Instant) -> int:
        """How many appointments began since an instant, and by now, that took place or may have: missed ones do not count."""
        return len(self.begun_since(since))

    def begun_since(self, since: Instant) -> list[Instant]:
        """Starts of those appointments, oldest first."""
        return [entry >> 3 for entry in self.line[: self.past] if entry >> 3 >= since and entry & 3 != NO_SHOW]

    def doubts(self) -> tuple[str, ...]:
        """What could refute that no goal, score or review is there, but cannot be relied on now."""
        return (*self.blind, UNREAD) if self.unread else self.blind

    def next_entry(self) -> Instant | None:
        """Start of the next appointment of any kind."""
        return self.line[self.past] >> 3 if self.past < len(self.line) else None

    def gaps(self, most: int) -> list[int]:
        """Seconds between neighbouring attended (or presumed) appointments, newest first, at most `most`, pauses not counted."""
        starts: list[Instant] = []
        for entry in reversed(self.line[: self.past]):  # quicker than asking for each by its place
            if 0 < entry & 3 < NO_SHOW:
                starts.append(entry >> 3)
                if len(starts) > most:
                    break
        found = [later - start for later, start in pairwise(starts)]
        if starts and self.pauses:
            # Only few of the pauses lie near: each is taken off the gaps that it reaches into.
            for begin, end in between(starts[-1], starts[0], self.pauses):
                for i, (later, start) in enumerate(pairwise(starts)):
                    if later <= begin:
                        break
                    if start < end:
                        found[i] -= (end if end < later else later) - (begin if begin > start else start)
        return found


def is_ending(endings: Sequence[Ending]) -> bool:
    """Whether an ending is going on: its steps are asked about then, instead of what is asked of those who go on. What waits to be
    confirmed changes nothing yet."""
    return any(one.state == GOING for one in endings)


def last_begun(now: Instant) -> int:
    """The greatest line entry that an appointment begun by now can have."""
    return (now << 3) | 7


def case_at(
    now: Instant,
    client_id: int,
    status: int,
    intake_at: Instant,
    away_until: Instant,
    died: int,
    line: bytes,
    pauses: Spans,
    blind: tuple[str, ...],
    more: More,
) -> Case:
    """The case that a digest gives at `now`."""
    # An unpacked tuple is quicker to walk than an array or a view of the bytes.
    entries = unpack[len(line) >> 3](line)
    past = bisect_right(entries, last_begun(now))
    return _new(Case, (client_id, status, intake_at, away_until, died == 1, entries, past, pauses, blind, more))


class _Unpack(dict[int, Callable[[bytes], tuple[int, ...]]]):
    """Unpackers of so many integers, made when first asked for."""

    def __missing__(self, count: int) -> Callable[[bytes], tuple[int, ...]]:
        self[count] = made = Struct(f"={count}q").unpack
        return made


unpack = _Unpack()
_new = tuple.__new__  # a third of the cost of a named tuple's own, and looks at everybody make many
