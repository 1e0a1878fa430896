"""Which zone a feed means by a name: IANA, Windows, the tail of a path, else a VTIMEZONE of its own."""

import re
from bisect import bisect_right
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import available_timezones

from integrations.calendars import rules
from integrations.calendars.values import BadValueError, Property, moments, split_line
from models.errors import TendingError
from models.instants import DAY, Instant, at_wall, wall_of, zone

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - wall times are naive on purpose
# Names that mean this machine's own zone, or none.
_NOT_A_PLACE = frozenset(("localtime", "posixrules", "factory"))
_OFFSET = re.compile(r"([+-])(\d\d)(\d\d)(\d\d)?")
_MOST_ONSETS = 1_000


class Zone:
    """A zone of the database; `name` is its IANA name."""

    def __init__(self, name: str) -> None:
        self.name = name
        # The sessions of a practice share few wall times, so each is worked out once per feed.
        self._seen: dict[datetime, tuple[Instant, str]] = {}

    def placed(self, wall: datetime) -> tuple[Instant, str]:
        """The instant of a wall time, and the wall time to keep for it, as ISO text in the zone called `name`.

        By the rule of RFC 5545: the first of two such times, the offset before a gap.
        """
        found = self._seen.get(wall)
        if found is None:
            found = self._seen[wall] = self._place(wall)
        return found

    def instant(self, wall: datetime) -> Instant:
        """The instant of a wall time, by the same rule."""
        return self.placed(wall)[0]

    def wall(self, instant: Instant) -> datetime:
        """The wall time of an instant."""
        return datetime.fromisoformat(wall_of(instant, self.name))

    def _place(self, wall: datetime) -> tuple[Instant, str]:
        return at_wall(wall, self.name), wall.isoformat()


class OwnZone(Zone):
    """A zone that only this feed defines. Nobody could recompute its wall times later, so they are kept in UTC."""

    def __init__(self, changes: list[tuple[Instant, int, int]]) -> None:
        """`changes`: (instant, offset before, offset after) in seconds, in order of time; at least one."""
        super().__init__("UTC")
        self.changes = changes
        # A wall time before its edge has the offset before the change: folds and gaps come out as the RFC says.
        self._edges = [at + max(before, after) for at, before, after in changes]
        self._at = [at for at, _, _ in changes]

    def _place(self, wall: datetime) -> tuple[Instant, str]:
        seconds = _seconds_of(wall)
        index = bisect_right(self._edges, seconds)
        instant = seconds - (self.changes[index - 1][2] if index else self.changes[0][1])
        return instant, wall_of(instant, self.name)

    def wall(self, instant: Instant) -> datetime:
        return _EPOCH + timedelta(seconds=instant + self.offset(instant))

    def offset(self, instant: Instant) -> int:
        """Seconds ahead of UTC at an instant."""
        index = bisect_right(self._at, instant)
        return self.changes[index - 1][2] if index else self.changes[0][1]


class ZoneTable:
    """The zones of one feed: `default` (IANA) is the source's, `own` the feed's VTIMEZONEs, their lines by TZID."""

    def __init__(self, default: str, own: dict[str, list[str]], window_from: Instant, window_to: Instant) -> None:
        self.default = Zone(zone(default).key)
        self.utc = Zone("UTC")
        self._own = own
        self._window = (window_from, window_to)
        self._known: dict[str, Zone | None] = {}

    def named(self, tzid: str) -> Zone:
        """The zone of a TZID. Raises BadValueError ('unknown-zone')."""
        if tzid not in self._known:
            name = iana_name(tzid)
            self._known[tzid] = Zone(name) if name else self._defined(tzid)
        found = self._known[tzid]
        if found is None:
            raise BadValueError(
                "unknown-zone",
                "names a time zone that is neither known nor defined in the file; "
                "choose a zone such as Europe/Berlin in the calendar",
            )
        return found

    def floating(self, calendar_zone: str) -> Zone:
        """The zone of times written without one: the calendar's X-WR-TIMEZONE if it names one, else the source's."""
        try:
            return self.named(calendar_zone) if calendar_zone else self.default
        except BadValueError:
            return self.default

    def _defined(self, tzid: str) -> Zone | None:
        lines = self._own.get(tzid)
        if lines is None:
            return None
        try:
            own = own_zone(lines, self._window[1] + 2 * 366 * DAY)
        except (ValueError, KeyError, OverflowError):
            return None
        hints = [found[1].value for line in lines if (found := split_line(line)) and found[0] == "X-LIC-LOCATION"]
        for name in (*map(iana_name, hints), self.default.name):
            if name and _same(own, name, *self._window):
                return Zone(name)
        return own


@lru_cache(maxsize=512)
def iana_name(tzid: str) -> str:
    """The IANA name that a TZID means without help of the feed; empty when it means none."""
    name = tzid.strip().strip('"')
    if direct := _known(name):
        return direct
    if windows := _windows().get(name.casefold()):
        return windows
    parts = [part for part in name.split("/") if part]
    for start in range(max(0, len(parts) - 3), len(parts)):
        # The tail of a globally unique name such as /vendor/2007_1/Europe/Berlin; one word alone is no place.
        if (start or name.startswith("/")) and len(parts) - start > 1 and (tail := _known("/".join(parts[start:]))):
            return tail
    return ""


def _known(name: str) -> str:
    if not name or name.casefold() in _NOT_A_PLACE or name.startswith(("posix/", "right/")):
        return ""
    try:
        return zone(name).key
    except TendingError:
        return _by_case().get(name.casefold(), "")


@lru_cache(maxsize=1)
def _by_case() -> dict[str, str]:
    return {name.casefold(): name for name in available_timezones() if name.casefold() not in _NOT_A_PLACE}


@lru_cache(maxsize=1)
def _windows() -> dict[str, str]:
    # Imported here: most feeds never need the table, and icalendar takes a while to load.
    from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

    return {windows.casefold(): iana for windows, iana in WINDOWS_TO_OLSON.items()}


def own_zone(lines: list[str], until: Instant) -> OwnZone:
    """The zone that a VTIMEZONE's lines define, up to `until`. Raises ValueError or KeyError where they define none."""
    changes: set[tuple[Instant, int, int]] = set()
    part: dict[str, list[str]] | None = None
    for line in lines:
        upper = line.strip().upper()
        if upper in ("BEGIN:STANDARD", "BEGIN:DAYLIGHT"):
            part = {}
        elif upper in ("END:STANDARD", "END:DAYLIGHT"):
            if part is not None:
                changes.update(_onsets(part, until))
            part = None
        elif part is not None and (found := split_line(line)):
            part.setdefault(found[0], []).append(found[1].value.strip())
            if found[0] == "RDATE" and found[1].parameter("VALUE").upper() == "PERIOD":
                raise BadValueError("bad-zone", "a change of clocks is no period")
    if not changes:
        raise BadValueError("bad-zone", "no change of clocks is defined")
    return OwnZone(sorted(changes))


def _onsets(part: dict[str, list[str]], until: Instant) -> list[tuple[Instant, int, int]]:
    before, after = (_offset(part[name][0]) for name in ("TZOFFSETFROM", "TZOFFSETTO"))
    (first,) = _walls(part["DTSTART"][0])
    walls = {first}
    for text in part.get("RDATE", []):
        walls.update(_walls(text))
    last = _EPOCH + timedelta(seconds=until)
    for text in part.get("RRULE", []):
        rule = rules.parse(text, lambda wall: _seconds_of(wall) - before, _seconds_of)
        if rule.frequency not in ("YEARLY", "MONTHLY"):
            raise BadValueError("bad-zone", "clocks change by the year")
        for count, wall in enumerate(rules.walls(rule, first, first, last)):
            if count > _MOST_ONSETS or (rule.until is not None and _seconds_of(wall) - before > rule.until):
                break
            walls.add(wall)
    return [(_seconds_of(wall) - before, before, after) for wall in walls]


def _seconds_of(wall: datetime) -> int:
    return int((wall - _EPOCH).total_seconds())


def _walls(text: str) -> list[datetime]:
    # Some programs write a plain day here; it means the start of that day.
    return [found.wall or datetime.fromisoformat(f"{found.day}") for found in moments(Property("", text))]


def _offset(text: str) -> int:
    match = _OFFSET.fullmatch(text)
    if match is None or int(match.group(2)) > 23 or int(match.group(3)) > 59:
        raise BadValueError("bad-zone", "an offset cannot be read")
    size = int(match.group(2)) * 3600 + int(match.group(3)) * 60 + int(match.group(4) or 0)
    return -size if match.group(1) == "-" else size


def _same(own: OwnZone, name: str, window_from: Instant, window_to: Instant) -> bool:
    """Whether the feed's zone and the named one show the same time all through the window."""
    edges = {at + step for at, _, _ in own.changes if window_from <= at < window_to for step in (-1, 0)}
    key = zone(name)
    for instant in (*range(window_from, window_to, DAY), *sorted(edges)):
        shift = datetime.fromtimestamp(instant, UTC).astimezone(key).utcoffset()
        if shift is None or int(shift.total_seconds()) != own.offset(instant):
            return False
    return True
