"""The timeline of a client's appointments: where each mark stands, and a sentence that says the same."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from integrations.store.desk import Pause, Shown
from models import words
from models.appointments import Mark
from models.entries import Plan
from models.instants import DAY, Instant, day_of, end_of, local, start_of
from models.people import OPEN_ENDED
from models.voice import Voice

WIDTH, HEIGHT, MARGIN = 640, 84, 12
BEFORE, AHEAD = 26 * 7 * DAY, 8 * 7 * DAY  # how far the picture reaches
SEEN, MISSED, OFF, OPEN, BOOKED = "seen", "missed", "off", "open", "booked"


@dataclass(frozen=True, slots=True)
class Picture:
    """Marks as (x, which), months as (x, name), breaks as (x, width), all in the picture's own units; `sentence` is its alternative."""

    marks: tuple[tuple[float, str], ...]
    months: tuple[tuple[float, str], ...]
    breaks: tuple[tuple[float, float], ...]
    now_x: float
    sentence: str
    width: int = WIDTH
    height: int = HEIGHT


def timeline(appointments: Sequence[Shown], breaks: Sequence[Pause], voice: Voice) -> Picture:
    """The picture of the last half year and what lies ahead."""
    since, until = voice.now - BEFORE, voice.now + AHEAD

    def x(when: Instant) -> float:
        share = (min(max(when, since), until) - since) / (until - since)
        return round(MARGIN + share * (WIDTH - 2 * MARGIN), 1)

    spans = []
    for first, last, _ in breaks:
        begin, end = start_of(first, voice.zone), until if last == OPEN_ENDED else end_of(last, voice.zone)
        if begin < until and end > since:
            spans.append((x(begin), round(x(end) - x(begin), 1)))
    marks = [(one.start_at, which) for one in appointments if (which := _which(one, voice.now))]
    return Picture(
        tuple((x(at), which) for at, which in marks),
        tuple((x(at), name) for at, name in _months(since, until, voice.zone)),
        tuple(spans),
        x(voice.now),
        _sentence(marks, since, _pauses(breaks, since, until, voice), voice),
    )


def _which(one: Shown, now: Instant) -> str:
    if one.plan == Plan.cancelled:
        return OFF
    if one.start_at > now:
        return BOOKED if one.plan == Plan.booked else ""
    return {Mark.attended: SEEN, Mark.presumed: SEEN, Mark.no_show: MISSED}.get(Mark(one.mark), OPEN)


def _months(since: Instant, until: Instant, zone: str) -> list[tuple[Instant, str]]:
    """The first of each month in between, with its short name."""
    day = day_of(since, zone).replace(day=1)
    found: list[tuple[Instant, str]] = []
    while True:
        day = date(day.year + day.month // 12, day.month % 12 + 1, 1)
        at = start_of(day, zone)
        if at >= until:
            return found
        found.append((at, f"{local(at, zone):%b}"))


def _pauses(breaks: Sequence[Pause], since: Instant, until: Instant, voice: Voice) -> str:
    """What the picture shows as pauses: ` Planned breaks: Mon 3 Aug to Sun 16 Aug. On a waiting list: since Thu 1 Oct.`"""
    said: dict[bool, list[str]] = {False: [], True: []}
    for first, last, waits in breaks:
        begin = start_of(first, voice.zone)
        if begin >= until or (last != OPEN_ENDED and end_of(last, voice.zone) <= since):
            continue
        if last == OPEN_ENDED:
            word = "since" if begin <= voice.now else "from"
            days = f"{word} {voice.day(begin)}{'' if waits else ', until further notice'}"
        else:
            days = f"{voice.day(begin)} to {voice.day(start_of(last, voice.zone))}"
        said[waits].append(days)
    titles = {False: "Planned breaks", True: "On a waiting list"}
    return "".join(f" {titles[waits]}: {voice.listing(days)}." for waits, days in said.items() if days)


def _sentence(marks: list[tuple[Instant, str]], since: Instant, pauses: str, voice: Voice) -> str:
    def of(which: str) -> list[Instant]:
        return [at for at, one in marks if one == which]

    gone = [
        f"{words.spelled(len(of(SEEN))) if of(SEEN) else 'none'} attended",
        _with_days(of(MISSED), "missed", voice),
        _with_days([at for at in of(OFF) if at <= voice.now], "called off", voice),
        _with_days(of(OPEN), "not marked", voice),
    ]
    text = f"Since {voice.day(since)}: {voice.listing([part for part in gone if part])}."
    text += pauses
    ahead = of(BOOKED)
    if not ahead:
        return f"{text} Nothing is booked ahead."
    more = f", and {words.spelled(len(ahead) - 1)} more" if len(ahead) > 1 else ""
    return f"{text} Next booked: {voice.day_and_distance(ahead[0])}{more}."


def _with_days(when: list[Instant], word: str, voice: Voice) -> str:
    if not when:
        return ""
    return f"{words.spelled(len(when))} {word} ({voice.days(when[-3:])})"
