"""A client's scores of one measure, for the rules: those with a value, and those in which the answer that asks for safety was seen."""

from models.case import Case
from models.measures import BY_NUMBER
from models.told import MOST_SCORES, NOT_KNOWN, Score

WITH_RISK = tuple(number for number, measure in enumerate(BY_NUMBER) if measure.risk is not None)


def valued(case: Case, measure: int) -> list[Score]:
    """The last scores with a value, oldest first: as many as every digest keeps."""
    return [s for s in case.told.scores if s.measure == measure and s.hundredths != NOT_KNOWN][-MOST_SCORES:]


def answered(case: Case, measure: int) -> list[Score]:
    """The last scores in which the answer that asks for safety was seen, oldest first: as many as every digest keeps."""
    return [s for s in case.told.scores if s.measure == measure and s.risk != NOT_KNOWN][-MOST_SCORES:]


def asks_for_safety(case: Case) -> bool:
    """Whether the last answer of any measure that asks for safety does so."""
    return any(seen[-1].risk > 0 for seen in (answered(case, measure) for measure in WITH_RISK) if seen)
