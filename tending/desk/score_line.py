"""A client's scores of one measure as a line, with the cut-off and what chance alone explains, and a sentence that says the same."""

from collections.abc import Iterable
from dataclasses import dataclass

from models import words
from models.measures import BY_NUMBER, Measure
from models.told import NOT_KNOWN, Score
from models.voice import Voice

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640, 158, 40, 12, 18, 34


@dataclass(frozen=True, slots=True)
class ScoreLine:
    """One measure's picture in its own units: `points` oldest first, `cutoff` its height, `band` as (y, height) the scores that differ
    from the first by no more than chance explains, `ticks` as (y, number) both ends of the range, `days` as (x, day, anchor) the first
    and the last. `sentence` is its alternative."""

    name: str
    points: tuple[tuple[float, float], ...]
    cutoff: float | None
    band: tuple[float, float] | None
    ticks: tuple[tuple[float, str], ...]
    days: tuple[tuple[float, str, str], ...]
    sentence: str
    width: int = WIDTH
    height: int = HEIGHT

    @property
    def path(self) -> str:
        return " ".join(f"{x},{y}" for x, y in self.points)


def lines(scores: Iterable[Score], voice: Voice) -> list[ScoreLine]:
    """A line for each measure with scores, in the order of the registry; a screen, whose answers are yes and no, has none."""
    valued = sorted(score for score in scores if score.hundredths != NOT_KNOWN)
    found = []
    for number, measure in enumerate(BY_NUMBER):
        mine = [(score.at, score.hundredths / 100) for score in valued if score.measure == number]
        if mine and not measure.is_screen:
            found.append(_line(measure, mine, voice))
    return found


def _line(measure: Measure, scores: list[tuple[int, float]], voice: Voice) -> ScoreLine:
    begin, end, floor = scores[0][0], scores[-1][0], HEIGHT - BOTTOM

    def x(at: int) -> float:
        share = (at - begin) / (end - begin) if end > begin else 0.5
        return round(LEFT + 12 + share * (WIDTH - LEFT - RIGHT - 24), 1)

    def y(value: float) -> float:
        share = (min(max(value, measure.low), measure.high) - measure.low) / (measure.high - measure.low)
        return round(floor - share * (floor - TOP), 1)

    band = None
    if measure.change is not None:
        first = scores[0][1]
        top, bottom = y(first + measure.change), y(first - measure.change)
        band = (top, round(bottom - top, 1))
    days = [(x(begin), voice.day(begin), "start")] if end > begin else []
    return ScoreLine(
        measure.name,
        tuple((x(at), y(value)) for at, value in scores),
        None if measure.cutoff is None else y(measure.cutoff),
        band,
        tuple((y(value), f"{value:g}") for value in (measure.low, measure.high)),
        (*days, (x(end), voice.day(end), "end" if end > begin else "middle")),
        _sentence(measure, scores, voice),
    )


def _sentence(measure: Measure, scores: list[tuple[int, float]], voice: Voice) -> str:
    (begin, first), (end, last) = scores[0], scores[-1]
    better = "higher" if measure.high_is_good else "lower"
    said = f"From {measure.low:g} to {measure.high:g}, {better} is better: {first:g} on {voice.day(begin)}"
    if len(scores) > 1:
        said += f", {last:g} on {voice.day(end)}, {words.spelled(len(scores))} scores in all"
        said += f", between {min(v for _, v in scores):g} and {max(v for _, v in scores):g}"
    said += "."
    if measure.change is not None and len(scores) > 1:
        moved = abs(last - first)
        more = "more than" if moved >= measure.change else "no more than"
        said += f" From the first to the last it moved by {moved:g}; {more} chance explains (reliable change is {measure.change:g})."
    said += (
        f" Cut-off {measure.cutoff:g}: {measure.healthy}." if measure.cutoff is not None else " No cut-off is verified."
    )
    return said
