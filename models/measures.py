"""Measures that scores may come from: range, direction, coding, cut-off and reliable change, each with where the number comes from.

Scores only: no item texts, which are under licence. A threshold that nobody has verified is not given at all. Marks as in the
literature we read: V seen in the source, S a secondary source only, M from memory (configurable, and said so where it is shown).
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure in one coding. Beyond `cutoff` lies the clinical side: below it with `high_is_good`, else above it, the cut-off itself
    belonging to it unless `below_only`; None where none is verified. `change` is the least difference that is more than chance. `risk`
    is the highest answer to what asks for safety, None where the measure has no such question.
    """

    name: str
    title: str
    low: float
    high: float
    high_is_good: bool
    coding: str
    cutoff: float | None = None
    below_only: bool = False
    change: float | None = None
    basis: str = ""
    mark: str = ""
    risk: int | None = None
    other_names: tuple[str, ...] = ()

    @property
    def is_screen(self) -> bool:
        """Whether all that it says is one answer, positive or negative: then score and risk are the same."""
        return self.risk is not None and self.high == self.risk

    def clinical(self, value: float) -> bool | None:
        """Whether a score lies on the clinical side; None where no cut-off is verified."""
        if self.cutoff is None:
            return None
        if value == self.cutoff:
            return not self.below_only
        return (value < self.cutoff) == self.high_is_good

    @property
    def healthy(self) -> str:
        """Which scores lie on the healthy side, and how sure that number is; empty where no cut-off is verified."""
        if self.cutoff is None:
            return ""
        side = "above" if self.high_is_good else "below"
        number = f"{self.cutoff:g} or more" if self.below_only else f"{side} {self.cutoff:g}"
        return f"healthy {number}{', a number from a secondary source' if self.mark == 'S' else ''}"

    def worse_by(self, before: float, after: float) -> float:
        """By how much a later score is worse; negative where it is better."""
        return before - after if self.high_is_good else after - before


REGISTRY: Mapping[str, Measure] = {
    measure.name: measure
    for measure in (
        Measure(
            "SRS",
            "Session Rating Scale",
            0,
            40,
            True,
            "four lines of 10, added up",
            cutoff=36,
            below_only=True,
            basis="below 36 is talked about (OpenFIT)",
            mark="S",
            other_names=("srs total",),
        ),
        Measure(
            "ORS",
            "Outcome Rating Scale",
            0,
            40,
            True,
            "four lines of 10, added up; adults",
            cutoff=25,
            change=5,
            basis="25 or less for adults, reliable change 5 (OpenFIT)",
            mark="S",
            other_names=("ors total",),
        ),
        Measure(
            "WAI-SR",
            "Working Alliance Inventory, short revised, client",
            12,
            60,
            True,
            "twelve items of 1 to 5, added up",
            basis="no cut-off is validated, no reliable change was seen published; a fall is judged against the client's own level",
            mark="V",
            other_names=("wai-sr total", "working alliance inventory short revised"),
        ),
        Measure(
            "PHQ-9",
            "Patient Health Questionnaire, depression",
            0,
            27,
            False,
            "nine items of 0 to 3, added up",
            cutoff=10,
            change=6,
            basis="10 or more, reliable change 6 (NHS Talking Therapies)",
            mark="S",
            risk=3,
            other_names=("phq-9 total", "phq-9 total score", "patient health questionnaire 9", "44261-6", "44249-1"),
        ),
        Measure(
            "GAD-7",
            "Generalised Anxiety Disorder scale",
            0,
            21,
            False,
            "seven items of 0 to 3, added up",
            cutoff=8,
            change=4,
            basis="8 or more, reliable change 4 (NHS Talking Therapies); others use 10 and 6 (Bischoff 2020)",
            mark="S",
            other_names=("gad-7 total", "gad-7 total score", "generalized anxiety disorder 7", "70274-6", "69737-5"),
        ),
        Measure(
            "C-SSRS",
            "Columbia-Suicide Severity Rating Scale, screen",
            0,
            1,
            False,
            "positive 1, negative 0",
            basis="a positive screen is told at once",
            mark="V",
            risk=1,
            other_names=("columbia", "columbia screen", "c-ssrs screen"),
        ),
    )
}
NUMBERS = {name: number for number, name in enumerate(REGISTRY)}
"""The number under which a digest holds a measure; new ones are only ever added at the end."""
BY_NUMBER = tuple(REGISTRY.values())


def _plain(name: str) -> str:
    return "".join(c for c in name.casefold() if c.isalnum())


_KNOWN_AS = {
    _plain(word): measure
    for measure in REGISTRY.values()
    for word in (measure.name, measure.title, *measure.other_names)
}


def measure_named(word: str) -> Measure | None:
    """The measure that a source calls so, in any case and with any hyphens; None where nobody knows it."""
    return _KNOWN_AS.get(_plain(word))
